// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/target_kind.hpp>

#include <cmath>
#include <limits>
#include <set>

#include <doctest/doctest.h>

using namespace buffon;

namespace {

double log_p(const char* name, const Eigen::VectorXd& x) { return named_density(name).make(x.size(), {}).density->at(x, {}); }

}  // namespace

TEST_CASE("named densities have the values of their formulas, computed by hand") {
  const Eigen::Vector3d x(1, -2, 0.5);
  CHECK(log_p("gaussian", x) == doctest::Approx(-2.625).scale(0).epsilon(1e-15));
  CHECK(log_p("cauchy", x) == doctest::Approx(-2 * std::log(6.25)).scale(0).epsilon(1e-15));
  CHECK(log_p("hyperplane_disk", x) == doctest::Approx(-0.25 - 5.25).scale(0).epsilon(1e-15));
  CHECK(log_p("axial_modes", x) == doctest::Approx(4 * std::log(2.0) - 3.5).scale(0).epsilon(1e-15));
  CHECK(log_p("funnel", x) == doctest::Approx(-1.0 / 18 - 1 - 0.5 * 4.25 * std::exp(-1.0)).scale(0).epsilon(1e-15));
}

TEST_CASE("where a named density is zero or nearly so, its logarithm is no number that is not one") {
  CHECK(log_p("axial_modes", Eigen::VectorXd::Zero(4)) == -std::numeric_limits<double>::infinity());
  Eigen::VectorXd neck = Eigen::VectorXd::Zero(4);
  neck(0) = -2000;
  CHECK(std::isfinite(log_p("funnel", neck)));
  neck(1) = 1;
  CHECK(log_p("funnel", neck) == -std::numeric_limits<double>::infinity());
}

TEST_CASE("a named density makes what it says: sizes, finite values near the origin, quantities that exist") {
  std::set<std::string> names;
  for (const NamedDensity& named : named_densities()) {
    CAPTURE(named.name);
    CHECK(names.insert(named.name).second);
    if (named.needs_data) continue;
    const MadeDensity made = named.make(named.default_dimension, {});
    Index components = 0;
    std::set<std::string> stored;
    for (const Parameter& parameter : made.parameters) {
      components += parameter.count();
      for (Index k = 1; k <= parameter.count(); ++k) stored.insert(parameter.size == 0 ? parameter.name : parameter.name + "." + std::to_string(k));
    }
    CHECK(made.density->dimension() == components);
    CHECK(std::isfinite(made.density->at(Eigen::VectorXd::Constant(components, 0.25), {})));
    if (made.generated) {
      CHECK(made.generated->input_size() == components);
      for (const std::string& name : made.generated->output_names()) CHECK(stored.insert(name).second);
    }
    for (const KnownMoment& moment : named.known) {
      CAPTURE(moment.quantity);
      const auto open = moment.quantity.find('('), end = moment.quantity.find_first_of(",)");
      CHECK(stored.count(moment.quantity.substr(open + 1, end - open - 1)) == 1);
      CHECK(!moment.source.empty());
    }
    if (named.sized) CHECK_THROWS_AS(named.make(0, {}), Error);
  }
}

TEST_CASE("an unknown named density is refused with the nearest name") {
  CHECK_THROWS_WITH_AS(named_density("cauchi"), doctest::Contains("Did you mean \"cauchy\"?"), Error);
}
