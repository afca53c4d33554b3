// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/marginal.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace buffon;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

using Parameters = std::map<std::string, double, std::less<>>;

/// Fills numbers by name and remembers which fields there are.
class Setter : public OptionVisitor {
 public:
  explicit Setter(Parameters values = {}) : values_(std::move(values)) {}
  using OptionVisitor::on;
  void on(const Field& field, double& value) override {
    note(field);
    if (const auto found = values_.find(field.name); found != values_.end()) value = found->second;
  }
  void on(const Field& field, std::optional<double>& value) override {
    note(field);
    if (const auto found = values_.find(field.name); found != values_.end()) value = found->second;
  }
  void on(const Field&, bool&) override { FAIL("laws have numbers only"); }
  void on(const Field&, std::int64_t&) override { FAIL("laws have numbers only"); }
  void on(const Field&, std::string&) override { FAIL("laws have numbers only"); }
  void on(const Field&, std::vector<double>&) override { FAIL("laws have numbers only"); }
  void on(const Field&, std::vector<std::int64_t>&) override { FAIL("laws have numbers only"); }
  void on(const Field&, std::vector<std::string>&) override { FAIL("laws have numbers only"); }
  void on(const Field&, std::vector<std::vector<std::string>>&) override { FAIL("laws have numbers only"); }

  std::map<std::string, Range> ranges;

 private:
  void note(const Field& field) {
    CHECK_FALSE(field.meaning.empty());
    ranges[std::string(field.name)] = field.range;
  }
  Parameters values_;
};

const MarginalFamily& family(const std::string& name) {
  const auto& all = marginal_families();
  return *std::find_if(all.begin(), all.end(), [&](const auto& f) { return f.name == name; });
}

Marginal make(const std::string& name, const Parameters& parameters) {
  Setter setter(parameters);
  return family(name).make(setter);
}

/// The error of a construction that must fail.
ErrorText refusal(const std::string& name, const Parameters& parameters) {
  try {
    const Marginal law = make(name, parameters);
    FAIL("made " << law.describe());
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    CHECK(error.text().doing == "making a law of family " + name);
    CHECK_FALSE(error.text().rule.empty());
    return error.text();
  }
  return {};
}

struct Valid {
  std::string family;
  Parameters parameters;
  std::string text;
};

const std::vector<Valid> valid = {
    {"normal", {{"mean", 1}, {"std_dev", 2}}, "normal(mean = 1, std_dev = 2)"},
    {"normal", {{"mean", -4}, {"cov", 0.5}}, "normal(mean = -4, std_dev = 2)"},
    {"lognormal", {{"mean", 3}, {"cov", 0.1}}, "lognormal(mean = 3, cov = 0.1)"},
    {"lognormal", {{"mu_log", 3}, {"sigma_log", 0.1}}, "lognormal(mu_log = 3, sigma_log = 0.1)"},
    {"uniform", {{"min", 1}, {"max", 2}}, "uniform(min = 1, max = 2)"},
    {"truncated_normal", {{"mean", 0}, {"std_dev", 1}, {"min", -1}, {"max", 2}}, "truncated_normal(mean = 0, std_dev = 1, min = -1, max = 2)"},
    {"beta", {{"alpha", 2}, {"beta", 3}, {"min", -1}, {"max", 2}}, "beta(alpha = 2, beta = 3, min = -1, max = 2)"},
    {"gamma", {{"shape", 2}, {"scale", 3}, {"location", -1}}, "gamma(shape = 2, scale = 3, location = -1)"},
    {"gumbel", {{"location", 2}, {"scale", 3}}, "gumbel(location = 2, scale = 3)"},
    {"weibull", {{"shape", 2}, {"scale", 3}, {"location", -1}}, "weibull(shape = 2, scale = 3, location = -1)"},
    {"exponential", {{"rate", 2}, {"location", 3}}, "exponential(rate = 2, location = 3)"},
    {"triangular", {{"min", 0}, {"mode", 1}, {"max", 3}}, "triangular(min = 0, mode = 1, max = 3)"},
    {"student_t", {{"degrees", 4}, {"location", 1}, {"scale", 3}}, "student_t(degrees = 4, location = 1, scale = 3)"},
};

}  // namespace

TEST_CASE("every family is made from the parameters that it describes") {
  std::set<std::string> made;
  for (const auto& [name, parameters, text] : valid) {
    CHECK(make(name, parameters).describe() == text);
    made.insert(name);
  }
  CHECK(made.size() == marginal_families().size());
}

TEST_CASE("every described parameter refuses NaN, infinity and values outside its range, by name") {
  for (const auto& [name, parameters, text] : valid) {
    Setter setter;
    family(name).describe(setter);
    for (const auto& [key, good] : parameters) {
      const auto& case_name = name;
      CAPTURE(case_name);
      const auto& case_key = key;
      CAPTURE(case_key);
      REQUIRE(setter.ranges.count(key) == 1);
      const Range range = setter.ranges[key];
      std::vector<double> bad = {NAN, infinity, -infinity};
      if (std::isfinite(range.min)) bad.push_back(range.open_min ? range.min : std::nextafter(range.min, -infinity));
      if (std::isfinite(range.max)) bad.push_back(range.open_max ? range.max : std::nextafter(range.max, infinity));
      for (const double value : bad) {
        if (name == "truncated_normal" && ((key == "min" && value == -infinity) || (key == "max" && value == infinity))) continue;  // no truncation
        CAPTURE(value);
        Parameters changed = parameters;
        changed[key] = value;
        const ErrorText error = refusal(name, changed);
        CHECK(error.key == key);
        CHECK(error.value == to_text(value));
        CHECK_FALSE(error.remedy.empty());
      }
    }
  }
}

TEST_CASE("rules between parameters are checked and named") {
  CHECK(refusal("normal", {{"mean", 1}}).key == "std_dev");
  CHECK(refusal("normal", {{"mean", 1}, {"std_dev", 1}, {"cov", 1}}).rule == "says the spread twice");
  CHECK(refusal("normal", {{"mean", 0}, {"cov", 1}}).key == "cov");
  for (const Parameters& parameters : std::vector<Parameters>{{},
                                                              {{"mean", 1}},
                                                              {{"mu_log", 1}},
                                                              {{"mean", 1}, {"sigma_log", 1}},
                                                              {{"mean", 1}, {"cov", 1}, {"mu_log", 1}},
                                                              {{"mean", 1}, {"cov", 1}, {"mu_log", 1}, {"sigma_log", 1}}}) {
    const ErrorText error = refusal("lognormal", parameters);
    CHECK(error.rule == "must be exactly one pair");
    CHECK(error.remedy == "give either mean and cov, or mu_log and sigma_log");
  }
  CHECK(refusal("uniform", {{"min", 2}, {"max", 2}}).rule == "must be greater than min = 2");
  CHECK(refusal("uniform", {{"min", -1.7e308}, {"max", 1.7e308}}).key == "max");
  CHECK(refusal("beta", {{"alpha", 1}, {"beta", 1}, {"min", 3}, {"max", 2}}).key == "max");
  CHECK(refusal("triangular", {{"min", 0}, {"mode", 4}, {"max", 3}}).rule == "must be in [min, max] = [0, 3]");
  CHECK(refusal("triangular", {{"min", 3}, {"mode", 3}, {"max", 3}}).key == "max");
  CHECK(refusal("truncated_normal", {{"mean", 0}, {"std_dev", 1}}).key == "min, max");
  CHECK(refusal("truncated_normal", {{"mean", 0}, {"std_dev", 1}, {"min", 1}, {"max", 1}}).key == "max");
  CHECK(refusal("truncated_normal", {{"mean", 0}, {"std_dev", 1e-200}, {"min", 1}}).key == "min");
  CHECK(refusal("truncated_normal", {{"mean", 0}, {"std_dev", 1e300}, {"min", 0}, {"max", 1e-10}}).remedy == "take law = \"uniform\"");
  CHECK(refusal("lognormal", {{"mu_log", 0}, {"sigma_log", 100}}).key == "law");
}

TEST_CASE("random parameters give either an error or a law that is finite, monotone and free of NaN") {
  std::mt19937_64 generator(7);
  const auto uniform = [&] { return std::generate_canonical<double, 53>(generator); };
  const std::vector<double> special = {0, 1, -1, 0.5, 2, 1e-3, 1e8, 1e6, 0.01, 1e-300, 1e300, -1e300, 1e15, -1e15};
  const auto draw = [&](const Range& range) {
    const double kind = uniform();
    if (kind < 0.15) return special[static_cast<std::size_t>(uniform() * static_cast<double>(special.size()))];
    const double decades = kind < 0.7 ? 2 : kind < 0.9 ? 8 : 150;
    const double size = std::pow(10, decades * (2 * uniform() - 1));
    return range.min >= 0 || uniform() < 0.5 ? size : -size;
  };
  int made = 0;
  int refused = 0;
  for (const auto& family : marginal_families()) {
    Setter fields;
    family.describe(fields);
    for (int trial = 0; trial < 400; ++trial) {
      Parameters parameters;
      for (const auto& [key, range] : fields.ranges) {
        // the pairs of parameters that exclude each other are taken in turn
        if (family.name == "lognormal" && (key == "mean" || key == "cov") != (trial % 2 == 0)) continue;
        if (family.name == "normal" && key == "cov") continue;
        parameters[key] = draw(range);
      }
      if (parameters.count("min") > 0 && parameters.count("max") > 0 && parameters["min"] > parameters["max"]) {
        std::swap(parameters["min"], parameters["max"]);
        if (parameters.count("mode") > 0) parameters["mode"] = parameters["min"] + uniform() * (parameters["max"] - parameters["min"]);
      }
      std::string text = family.name;
      for (const auto& [key, value] : parameters) text += " " + key + "=" + to_text(value);
      CAPTURE(text);
      Setter setter(parameters);
      Marginal law;
      try {
        law = family.make(setter);
      } catch (const Error&) {
        ++refused;
        continue;
      }
      ++made;
      double last_x = -infinity;
      double last_p = 0;
      double last_q = 1;
      for (double u = -8.5; u <= 8.5; u += 0.85) {
        CAPTURE(u);
        const double x = law.from_standard(u);
        REQUIRE(std::isfinite(x));
        REQUIRE(x >= law.support_min());
        REQUIRE(x <= law.support_max());
        // Iterated quantiles may differ by rounding where neighbours coincide.
        REQUIRE(x >= last_x - 1e-12 * std::abs(last_x));
        last_x = std::max(last_x, x);
        const double p = law.cdf(x);
        const double q = law.survival(x);
        REQUIRE(p >= last_p * (1 - 1e-9));
        REQUIRE(q <= last_q * (1 + 1e-9));
        last_p = p;
        last_q = q;
        REQUIRE(p <= 1);
        REQUIRE(q >= 0);
        REQUIRE(std::abs(p + q - 1) <= 1e-9);
        REQUIRE_FALSE(std::isnan(law.log_pdf(x)));
        REQUIRE(law.log_cdf(x) <= 0);
        REQUIRE(law.log_survival(x) <= 0);
        REQUIRE_FALSE(std::isnan(law.to_standard(x)));
      }
      for (const double u : {-60.0, -38.0, -30.0, -15.0, 15.0, 30.0, 38.0, 60.0}) {
        CAPTURE(u);
        const double x = law.from_standard(u);
        REQUIRE(x >= law.support_min());  // also refuses NaN
        REQUIRE(x <= law.support_max());
        REQUIRE_FALSE(std::isnan(law.log_pdf(x)));
        REQUIRE(law.log_cdf(x) <= 0);
        REQUIRE(law.log_survival(x) <= 0);
        REQUIRE_FALSE(std::isnan(law.to_standard(x)));
      }
      REQUIRE_FALSE(std::isnan(law.std_dev()));
    }
  }
  CHECK(made > 2000);
  CHECK(refused > 200);
}
