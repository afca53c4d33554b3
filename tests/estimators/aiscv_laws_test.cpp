// SPDX-License-Identifier: BSD-3-Clause
#include "aiscv_cases.hpp"

#include <buffon/estimators/aiscv.hpp>
#include <buffon/estimators/plain_monte_carlo.hpp>

#include <doctest/doctest.h>

#include <statistical.hpp>

using namespace buffon;
using namespace buffon::testing;

TEST_CASE("case B: one function under a hundred laws") {
  // Published Σ Var 4.38e-6 at 20000 points; bound: a factor 1.5 (the hundred laws are another draw of the same hypercube).
  const Problem problem = cantilever_laws(100);
  AiscvOptions options;
  options.weights = AiscvWeights::absolute;
  double criterion = 0, spread = 0, covered = 0;
  constexpr int runs = 10;
  std::vector<std::vector<double>> values(100);
  for (std::uint64_t seed = 0; seed < runs; ++seed) {
    Context context(2);
    const AiscvResult r = aiscv(problem, options, Stream(seed), context);
    criterion += r.criterion / runs;
    for (std::size_t j = 0; j < 100; ++j) values[j].push_back(r.estimates[j].estimate.value);
    for (std::size_t j = 0; j < 3; ++j) {
      const Estimate& e = r.estimates[j].estimate;
      CHECK(std::abs(e.value - cantilever_exact[j]) < 5.5 * e.std_error + 5e-7);  // six exact digits
      covered += e.lower <= cantilever_exact[j] && cantilever_exact[j] <= e.upper ? 1.0 / (3 * runs) : 0;
    }
  }
  for (const auto& list : values) {
    double mean = 0, squares = 0;
    for (const double v : list) mean += v / runs;
    for (const double v : list) squares += (v - mean) * (v - mean);
    spread += squares / (runs - 1);
  }
  CHECK(criterion < 1.5 * 4.38e-6);
  CHECK(criterion > 4.38e-6 / 1.5);
  // The errors that are reported are those that are seen: the estimates are strongly correlated, so ten runs give about
  // ten to twenty degrees of freedom; a χ² with ten of them stays within [0.1, 3.9] of its mean at 1e-6 or so.
  CHECK(spread < 3.9 * criterion);
  CHECK(spread > 0.1 * criterion);
  CHECK(covered >= 0.8);
}

TEST_CASE("adaptation beats the mixture of the laws at equal evaluations") {
  const Problem problem = cantilever_laws(20);
  Context context(2);
  AiscvOptions options;
  options.weights = AiscvWeights::absolute;
  const AiscvResult adaptive = aiscv(problem, options, Stream(1), context);
  const PlainMonteCarloResult plain = plain_monte_carlo(problem, {.max_evaluations = 20000}, Stream(1), context);
  CHECK(adaptive.evaluations == plain.evaluations);
  CHECK(adaptive.covariance.diagonal().sum() < plain.covariance.diagonal().sum() / 5);
}

TEST_CASE("points outside every support are not evaluated") {
  // A uniform input whose Gaussian fit reaches outside; the square root would not be finite there.
  auto model = make_model(1, {"root"}, [](const ConstMatrix& x, MutMatrix out) { out = x.cwiseSqrt(); });
  std::vector<Scenario> scenarios = {{"narrow", JointLaw({{"x", uniform_law(0, 1)}})}, {"wide", JointLaw({{"x", uniform_law(0, 2)}})}};
  const Problem problem(CheckedModel(model, {"x"}), {{"root", false}}, scenarios);
  std::vector<double> narrow, wide;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Context context(1);
    AiscvOptions options;
    options.max_evaluations = 2000;
    const AiscvResult r = aiscv(problem, options, Stream(seed), context);
    narrow.push_back(r.estimates[0].estimate.value);
    wide.push_back(r.estimates[1].estimate.value);
  }
  CHECK(mean_p(narrow, 2.0 / 3) > level);
  CHECK(mean_p(wide, std::sqrt(2.0) * 2.0 / 3) > level);
  CHECK(mean_p(wide, 2.0 / 3) < level);
}
