// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/target_kind.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/samplers/polar_slice.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "shared_data.hpp"

using namespace buffon;

namespace {

// Means within 4 joint standard errors, standard deviations within 3 %, R-hat < 1.01, against 10,000 independent draws of a reference. Those
// know a standard deviation to 0.7 % and ours, of some 40,000 effective draws, to 0.4 %, so that 3 % is 3.7 standard errors.
void check_posterior(const char* name, const char* folder, bool needs_data) {
  const auto data = test::shared_data(std::filesystem::path("posteriordb") / folder / "data.json");
  const auto reference = test::shared_data(std::filesystem::path("posteriordb") / folder / "reference.json");
  if (data.empty() || reference.empty()) return;
  const MadeDensity made = named_density(name).make(0, needs_data ? data : std::filesystem::path());
  PolarSliceRunOptions options;
  options.warmup = 6000;
  options.draws = 25000;
  options.kernel.expand = PolarSliceOptions::Expansion::doubling;  // far from the mass, slices of kidiq are 10^5 wide in log sigma
  Context context(2);
  const ChainResult result =
      polar_slice(std::make_shared<const Target>(made.density, made.parameters, made.start, made.generated), options, Stream(1), context);
  const auto known = nlohmann::json::parse(std::ifstream(reference)).at("constrained");
  std::size_t compared = 0;
  for (const ChainSummary& line : result.summary) {
    std::string there = line.name;
    if (const auto dot = there.find('.'); dot != std::string::npos) there = there.substr(0, dot) + "[" + there.substr(dot + 1) + "]";
    CAPTURE(there);
    CHECK(line.rhat < 1.01);
    if (!known.contains(there)) continue;
    ++compared;
    const auto& k = known.at(there);
    const double error = std::hypot(line.mcse, k.at("mcse_mean").get<double>());
    CHECK(std::abs(line.mean - k.at("mean").get<double>()) <= 4 * error);
    CHECK(std::abs(line.sd / k.at("sd").get<double>() - 1) <= 0.03);
    CHECK(line.ess_bulk > 5000);
  }
  CHECK(compared == known.size());
}

}  // namespace

TEST_CASE("polar slice sampling gives the posterior of eight schools as posteriordb has it") {
  check_posterior("eight_schools", "eight_schools-eight_schools_noncentered", false);
}
TEST_CASE("polar slice sampling gives the posterior of kidiq as posteriordb has it") { check_posterior("kidiq", "kidiq-kidscore_momiq", true); }
TEST_CASE("polar slice sampling gives the posterior of arK as posteriordb has it") { check_posterior("ar_k", "arK-arK", true); }
