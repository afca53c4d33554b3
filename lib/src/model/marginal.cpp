// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/marginal.hpp>

#include "laws.hpp"

namespace buffon {

Marginal::Marginal() {
  static const Marginal standard = normal_law(0, 1);
  law_ = standard.law_;
}
Marginal::Marginal(std::shared_ptr<const Law> law) : law_(std::move(law)) {}

double Marginal::log_pdf(double x) const { return law_->log_pdf(x); }
double Marginal::cdf(double x) const { return law_->cdf(x); }
double Marginal::survival(double x) const { return law_->survival(x); }
double Marginal::log_cdf(double x) const { return law_->log_cdf(x); }
double Marginal::log_survival(double x) const { return law_->log_survival(x); }
double Marginal::quantile(double p) const { return law_->quantile(p); }
double Marginal::upper_quantile(double q) const { return law_->upper_quantile(q); }
double Marginal::from_standard(double u) const { return law_->from_standard(u); }
double Marginal::to_standard(double x) const { return law_->to_standard(x); }
void Marginal::from_standard(const double* u, double* x, std::ptrdiff_t count, std::ptrdiff_t stride) const { law_->from_standard(u, x, count, stride); }
double Marginal::mean() const { return law_->mean(); }
double Marginal::std_dev() const { return law_->std_dev(); }
double Marginal::support_min() const { return law_->support_min(); }
double Marginal::support_max() const { return law_->support_max(); }
std::string Marginal::describe() const { return law_->describe(); }

const std::vector<MarginalFamily>& marginal_families() {
  static const std::vector<MarginalFamily> families = {laws::normal_family(),           laws::lognormal_family(), laws::uniform_family(),
                                                       laws::truncated_normal_family(), laws::beta_family(),      laws::gamma_family(),
                                                       laws::gumbel_family(),           laws::weibull_family(),   laws::exponential_family(),
                                                       laws::triangular_family(),       laws::student_t_family()};
  return families;
}

namespace laws {
namespace {

/// Checks every number that a description lists.
class Checker : public OptionVisitor {
 public:
  explicit Checker(const std::string& family) : family_(family) {}
  void on(const Field& field, double& value) override {
    if (std::isfinite(value) && field.range.contains(value)) return;
    std::string rule = field.range.rule();
    if (rule.empty() || !std::isfinite(value)) rule = rule.empty() ? "must be a finite number" : rule + " and finite";
    refuse(family_, std::string(field.name), value, rule, std::string(field.name) + " is " + std::string(field.meaning));
  }
  void on(const Field& field, std::optional<double>& value) override {
    if (value) on(field, *value);
  }
  void on(const Field&, bool&) override {}
  void on(const Field&, std::int64_t&) override {}
  void on(const Field&, std::string&) override {}
  void on(const Field&, std::vector<double>&) override {}
  void on(const Field&, std::vector<std::int64_t>&) override {}
  void on(const Field&, std::vector<std::string>&) override {}
  void on(const Field&, std::vector<std::vector<std::string>>&) override {}

 private:
  const std::string& family_;
};

}  // namespace

void refuse(const std::string& family, std::string key, double value, std::string rule, std::string remedy) {
  throw Error(
      ErrorCategory::configuration,
      {.doing = "making a law of family " + family, .key = std::move(key), .value = to_text(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

void check_described(const std::string& family, const std::function<void(OptionVisitor&)>& description) {
  Checker checker(family);
  description(checker);
}

Marginal finish(const std::string& family, std::shared_ptr<const Marginal::Law> law) {
  Marginal marginal(std::move(law));
  const auto refuse_law = [&](std::string rule, std::string remedy) {
    throw Error(
        ErrorCategory::configuration,
        {.doing = "making a law of family " + family, .key = "law", .value = marginal.describe(), .rule = std::move(rule), .remedy = std::move(remedy)});
  };
  for (const double u : {-9.0, 0.0, 9.0}) {  // draws by 53-bit uniforms stay within ±8.6
    const double x = marginal.from_standard(u);
    if (std::isfinite(x)) continue;
    refuse_law("must have draws that a double can hold, but its " + to_text(u) + " sigma quantile is " + to_text(x),
               "give parameters with less extreme tails or sizes");
  }
  if (!(marginal.from_standard(-9) < marginal.from_standard(9))) {
    refuse_law("must not be narrower than the grain of doubles, but all its draws are " + to_text(marginal.from_standard(0)),
               "make this input a constant of the model, or subtract its large constant part");
  }
  return marginal;
}

std::string text(const std::string& family, std::initializer_list<std::pair<const char*, double>> parameters) {
  std::string s = family;
  const char* before = "(";
  for (const auto& [key, value] : parameters) {
    s += before;
    s += key;
    s += " = " + to_text(value);
    before = ", ";
  }
  return s + ")";
}

}  // namespace laws
}  // namespace buffon
