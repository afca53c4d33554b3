// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/target.hpp>
#include <buffon/model/target_kind.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "shared_data.hpp"

using namespace buffon;

namespace {

Target posterior(const char* name, const std::filesystem::path& data = {}) {
  const MadeDensity made = named_density(name).make(0, data);
  return Target(made.density, made.parameters, made.start, made.generated);
}

double unconstrained_at(const Target& target, const Eigen::VectorXd& u) { return target.unconstrained()->at(u, {}); }

// The values of posteriordb's own formulas at the points stored with its reference draws.
void check_reference_points(const char* name, const char* folder) {
  const auto data = test::shared_data(std::filesystem::path("posteriordb") / folder / "data.json");
  const auto reference = test::shared_data(std::filesystem::path("posteriordb") / folder / "reference.json");
  if (data.empty() || reference.empty()) return;
  const Target target = posterior(name, data);
  const auto points = nlohmann::json::parse(std::ifstream(reference)).at("log_density_check");
  REQUIRE(points.size() == 2);
  for (const auto& point : points) {
    const auto u = point.at("u").get<std::vector<double>>();
    REQUIRE(static_cast<Index>(u.size()) == target.dimension());
    CHECK(unconstrained_at(target, Eigen::Map<const Eigen::VectorXd>(u.data(), target.dimension())) ==
          doctest::Approx(point.at("log_density").get<double>()).scale(0).epsilon(1e-12));
  }
}

struct TemporaryFile {
  explicit TemporaryFile(const std::string& text) : path(std::filesystem::temp_directory_path() / "buffon_posteriors_test.json") {
    std::ofstream(path) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path); }
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("the densities of posteriordb have the values stored with its reference draws") {
  check_reference_points("eight_schools", "eight_schools-eight_schools_noncentered");
  check_reference_points("kidiq", "kidiq-kidscore_momiq");
  check_reference_points("ar_k", "arK-arK");
}

TEST_CASE("eight schools: density by its formula with the published numbers, effects from mu, tau and z") {
  const Target target = posterior("eight_schools");
  REQUIRE(target.dimension() == 10);
  // log p at u = (0.1, …, 0.1): tau = e^0.1, theta = 0.1 + tau / 10.
  const double tau = std::exp(0.1), theta = 0.1 + 0.1 * tau;
  const double y[] = {28, 8, -3, 7, -1, 1, 18, 12}, sigma[] = {15, 10, 16, 11, 9, 11, 10, 18};
  double expected = -0.5 * 8 * 0.01 - 0.5 * 0.0004 - std::log1p(tau * tau / 25) + 0.1;
  for (int j = 0; j < 8; ++j) expected -= 0.5 * std::pow((y[j] - theta) / sigma[j], 2);
  const Eigen::VectorXd u = Eigen::VectorXd::Constant(10, 0.1);
  CHECK(unconstrained_at(target, u) == doctest::Approx(expected).scale(0).epsilon(1e-13));
  CHECK(unconstrained_at(target, u) == doctest::Approx(-4.026461993923483).scale(0).epsilon(1e-12));

  Eigen::VectorXd stored(static_cast<Index>(target.names().size()));
  target.stored(u, stored, {});
  CHECK(target.names().back() == "theta.8");
  CHECK(stored(stored.size() - 1) == doctest::Approx(theta).scale(0).epsilon(1e-15));
}

TEST_CASE("a data file of posteriordb that is missing or wrong is refused with its name and key") {
  CHECK_THROWS_WITH_AS(posterior("kidiq"), doctest::Contains("density.data"), Error);
  CHECK_THROWS_WITH_AS(posterior("kidiq", "/nowhere/data.json"), doctest::Contains("cannot be opened"), Error);
  CHECK_THROWS_WITH_AS(posterior("kidiq", TemporaryFile("[1, 2").path), doctest::Contains("not a JSON object"), Error);
  CHECK_THROWS_WITH_AS(posterior("kidiq", TemporaryFile(R"({"kid_score": []})").path), doctest::Contains("N is missing"), Error);
  CHECK_THROWS_WITH_AS(posterior("kidiq", TemporaryFile(R"({"N": 2, "kid_score": [1], "mom_iq": [1, 2]})").path), doctest::Contains("list of 2 numbers"),
                       Error);
  CHECK_THROWS_WITH_AS(posterior("kidiq", TemporaryFile(R"({"N": 2, "kid_score": [1, null], "mom_iq": [1, 2]})").path), doctest::Contains("element 2"), Error);
  CHECK_THROWS_WITH_AS(posterior("ar_k", TemporaryFile(R"({"K": 5, "T": 5, "y": []})").path), doctest::Contains("from 6 to"), Error);
}
