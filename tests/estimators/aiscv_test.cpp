// SPDX-License-Identifier: BSD-3-Clause
#include "aiscv_cases.hpp"

#include <buffon/core/error.hpp>
#include <buffon/estimators/aiscv.hpp>
#include <buffon/estimators/mixture_sample.hpp>

#include <doctest/doctest.h>

#include <algorithm>

#include <memory_archive.hpp>
#include <statistical.hpp>

using namespace buffon;
using namespace buffon::testing;

namespace {

GaussianMixture gaussian(const Eigen::VectorXd& mean, double variance) {
  return GaussianMixture(Gaussian::from_covariance(mean, variance * Eigen::MatrixXd::Identity(mean.size(), mean.size())));
}

// Case A with g_j = N(0, 2j + 1) and β_j = I_j times an arbitrary factor.
AuxiliaryMixture fixed_law(Index count) {
  AuxiliaryMixture law;
  law.beta.resize(count);
  for (Index j = 0; j < count; ++j) {
    law.densities.push_back(gaussian(Eigen::VectorXd::Zero(1), 2.0 * static_cast<double>(j + 1) + 1));
    law.beta(j) = even_moment(j + 1) * (0.3 * static_cast<double>(j) - 0.5);
  }
  law.alpha = Eigen::VectorXd::Constant(count, 1.0 / static_cast<double>(count));
  return law;
}

AiscvOptions exact_weights() {
  AiscvOptions o;
  o.weights = AiscvWeights::custom;
  o.custom_weights = inverse_squared_moments(10);
  return o;
}

}  // namespace

TEST_CASE("the estimator is unbiased for arbitrary fixed mixture weights and control parameters") {
  constexpr Index count = 4;
  const auto integrands = gaussian_moments(count);
  const AuxiliaryMixture law = fixed_law(count);
  for (const bool stratified : {false, true}) {
    std::vector<std::vector<double>> right(count), uncorrected(count);
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
      Context context(1);
      MixtureSample sample(integrands, law, {.stratified = stratified, .exponents = {}}, Stream(seed));
      sample.round(context, 1000);
      const Eigen::VectorXd value = sample.values();
      for (Index j = 0; j < count; ++j) {
        right[static_cast<std::size_t>(j)].push_back(value(j));
        uncorrected[static_cast<std::size_t>(j)].push_back(value(j) - law.beta(j));  // the control's mean forgotten
      }
    }
    for (Index j = 0; j < count; ++j) {
      CHECK(mean_p(right[static_cast<std::size_t>(j)], even_moment(j + 1)) > level);
      CHECK(mean_p(uncorrected[static_cast<std::size_t>(j)], even_moment(j + 1)) < level);
    }
  }
}

TEST_CASE("a sampling law that disagrees with its density is caught by the test of unbiasedness") {
  const auto integrands = gaussian_moments(1);
  AuxiliaryMixture law = fixed_law(2);
  law.beta.resize(0);
  law.alpha << 0.9, 0.1;
  AuxiliaryMixture wrong = law;
  wrong.alpha << 0.5, 0.5;
  std::vector<double> values;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Eigen::MatrixXd x(1, 1000), none(0, 0), log_f(1, 1000);
    Eigen::VectorXd log_q(1000), log_h(1000);
    std::vector<Index> component;
    law.sample(*integrands, Stream(seed), 0, false, x, component);
    wrong.log_density(x, log_h, log_q, none);
    integrands->log_densities(x, log_f);
    values.push_back(((log_f.row(0).transpose() - log_q).array().exp() * x.row(0).transpose().array().square()).mean());
  }
  CHECK(mean_p(values, 1.0) < level);
}

TEST_CASE("with the optimal densities every summand equals its expectation, whatever the mixture") {
  // φ_j = exp(t_j·x): φ_j f = exp(|t_j|²/2) N(t_j, I).
  Eigen::MatrixXd t(2, 3);
  t << 1, -0.5, 2, 0, 1.5, 1;
  const auto integrands = std::make_shared<NormalIntegrands>(2, 3, [t](const Eigen::VectorXd& x, MutVector phi) { phi = (t.transpose() * x).array().exp(); });
  for (const Eigen::Vector3d& alpha : {Eigen::Vector3d(0.2, 0.3, 0.5), Eigen::Vector3d(0.98, 0.01, 0.01)}) {
    AuxiliaryMixture law;
    law.alpha = alpha;
    law.beta.resize(3);
    for (Index j = 0; j < 3; ++j) {
      law.densities.push_back(gaussian(t.col(j), 1));
      law.beta(j) = std::exp(0.5 * t.col(j).squaredNorm());
    }
    Context context(1);
    MixtureSample sample(integrands, law, {.exponents = {}}, Stream(1));
    sample.round(context, 3000);
    // Rounding only: ratios of sizes up to 1/α_j carry a few ulp, log densities of size 30 some 30 ulp.
    for (Index j = 0; j < 3; ++j) {
      CHECK(std::abs(sample.values()(j) / law.beta(j) - 1) < 1e-13);
      CHECK(std::sqrt(sample.covariance()(j, j)) < 1e-13 * law.beta(j) / alpha(j));
    }
  }
}

TEST_CASE("case A: criterion, coverage and regression on all controls") {
  // Published 1.63e-3 over 200 runs; bound: a factor 1.5, with 60 runs of 10 estimates the mean of squares is good to about 15 %.
  const auto integrands = gaussian_moments(10);
  for (const auto control : {AiscvControl::own, AiscvControl::regression}) {
    AiscvOptions options = exact_weights();
    options.control = control;
    const double published = control == AiscvControl::own ? 1.63e-3 : 2.8e-4;
    double criterion = 0, predicted = 0, covered = 0;
    constexpr int runs = 60;
    for (std::uint64_t seed = 0; seed < runs; ++seed) {
      Context context(1);
      const AiscvResult r = aiscv(integrands, options, Stream(1000 + seed), context);
      CHECK(r.evaluations == 20000);
      predicted += r.criterion / runs;
      for (Index j = 0; j < 10; ++j) {
        const Estimate& e = r.estimates[static_cast<std::size_t>(j)].estimate;
        const double exact = even_moment(j + 1);
        criterion += std::pow(e.value / exact - 1, 2) / runs;
        covered += e.lower <= exact && exact <= e.upper ? 1.0 / (10 * runs) : 0;
      }
    }
    CHECK(criterion < 1.5 * published);
    CHECK(criterion > published / 1.5);
    CHECK(predicted < 1.5 * published);
    CHECK(covered >= 0.90);
    CHECK(covered <= 0.99);
  }
}

TEST_CASE("units of the functions do not matter") {
  std::vector<double> unit(10, 1.0);
  unit[0] = 1e60;
  unit[4] = 1e-60;
  unit[9] = 1e60;
  AiscvOptions options;
  Context context(2);
  const AiscvResult plain = aiscv(gaussian_moments(10), options, Stream(7), context);
  const AiscvResult scaled = aiscv(gaussian_moments(10, unit), options, Stream(7), context);
  for (std::size_t j = 0; j < 10; ++j) {
    // The unit moves roundings only, which the α iteration may amplify by its stopping rule.
    CHECK(scaled.estimates[j].estimate.value / unit[j] == doctest::Approx(plain.estimates[j].estimate.value).scale(0).epsilon(1e-7));
    CHECK(scaled.estimates[j].estimate.std_error / unit[j] == doctest::Approx(plain.estimates[j].estimate.std_error).scale(0).epsilon(1e-6));
  }
  CHECK(scaled.alpha.isApprox(plain.alpha, 1e-6));
}

TEST_CASE("signed functions are estimated without bias and say so") {
  // E x e^x = √e, E x³ = 0 under N(0, 1).
  const auto integrands = std::make_shared<NormalIntegrands>(1, 2, [](const Eigen::VectorXd& x, MutVector phi) {
    phi(0) = x(0) * std::exp(x(0));
    phi(1) = x(0) * x(0) * x(0);
  });
  AiscvOptions options;
  options.max_evaluations = 2000;
  std::vector<double> first, third;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Context context(1);
    const AiscvResult r = aiscv(integrands, options, Stream(seed), context);
    CHECK(r.signed_functions);
    first.push_back(r.estimates[0].estimate.value);
    third.push_back(r.estimates[1].estimate.value);
  }
  CHECK(mean_p(first, std::exp(0.5)) > level);
  CHECK(mean_p(third, 0) > level);
  CHECK(mean_p(first, 1.02 * std::exp(0.5)) < level);
}

TEST_CASE("a mixture of two Gaussians follows a function with two peaks") {
  // φ = cosh(2.5x) e^{-3.125}: φ f = ½ N(2.5, 1) + ½ N(−2.5, 1) has integral 1; one Gaussian of variance 7.25 must span both.
  const auto integrands =
      std::make_shared<NormalIntegrands>(1, 1, [](const Eigen::VectorXd& x, MutVector phi) { phi(0) = std::cosh(2.5 * x(0)) * std::exp(-3.125); });
  AiscvOptions options;
  options.max_evaluations = 4000;
  double median[2] = {0, 0};
  for (const auto family : {AiscvFamily::gaussian, AiscvFamily::gaussian_mixture}) {
    options.family = family;
    std::vector<double> values, errors;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      Context context(1);
      const Estimate e = aiscv(integrands, options, Stream(seed), context).estimates[0].estimate;
      values.push_back((e.value - 1) / e.std_error);
      errors.push_back(e.std_error);
    }
    CHECK(mean_p(values, 0) > level);
    std::nth_element(errors.begin(), errors.begin() + 30, errors.end());
    median[static_cast<int>(family)] = errors[30];
  }
  CHECK(median[1] < 0.2 * median[0]);
}

TEST_CASE("tempering finds events of very different rarity") {
  // Φ(−1) … Φ(−5.5) = 0.16 … 1.9e-8, one of them on the other side.
  const std::vector<double> betas = {1.0, 4.5, 5.5, 4.0};
  const Problem problem = linear_event(5, betas, {1, 1, 1, -1});
  AiscvOptions options;
  options.start = AiscvStart::tempering;
  std::vector<std::vector<double>> ratios(4);
  double covered = 0;
  constexpr int runs = 50;
  for (std::uint64_t seed = 0; seed < runs; ++seed) {
    Context context(2);
    const AiscvResult r = aiscv(problem, options, Stream(seed), context);
    for (std::size_t j = 0; j < 4; ++j) {
      const double exact = 0.5 * std::erfc(betas[j] / std::sqrt(2.0));
      const Estimate& e = r.estimates[j].estimate;
      CHECK(e.relative_error() < 0.15);
      ratios[j].push_back(e.value / exact);
      covered += e.lower <= exact && exact <= e.upper ? 1.0 / (4 * runs) : 0;
    }
  }
  for (const auto& list : ratios) {
    CHECK(mean_p(list, 1) > level);
    CHECK(mean_p(list, 1.1) < level);
  }
  CHECK(covered >= 0.90);
  CHECK(covered <= 0.99);
}

TEST_CASE("an event that the pilot cannot see leads to a warning that names the remedy") {
  Context context(2);
  const AiscvResult r = aiscv(linear_event(3, {5.0}), {}, Stream(1), context);
  REQUIRE(!r.warnings.empty());
  CHECK(r.warnings[0].find("start = \"tempering\"") != std::string::npos);
  CHECK(std::isnan(r.estimates[0].estimate.std_error));
  CHECK(r.estimates[0].estimate.upper == 1);
}

TEST_CASE("every way of failing has its own warning with a remedy, and a sound run has none") {
  const auto run = [](const std::shared_ptr<const Integrands>& integrands, const AiscvOptions& options) {
    Context context(2);
    return aiscv(integrands, options, Stream(1), context);
  };
  const auto sum_of = [](Index d) {
    return std::make_shared<NormalIntegrands>(d, 1, [d](const Eigen::VectorXd& x, MutVector phi) { phi(0) = x.sum() + static_cast<double>(d); });
  };
  const auto told = [](const AiscvResult& r, const std::string& text) {
    return std::any_of(r.warnings.begin(), r.warnings.end(), [&](const std::string& w) { return w.find(text) != std::string::npos; });
  };
  const std::string stuck = "tempering did not arrive", wasteful = "plain Monte Carlo would be more precise", collapsed = "have collapsed",
                    lost = "have underflowed";
  AiscvOptions options;

  const AiscvResult sound = run(sum_of(2), options);
  CHECK(sound.warnings.empty());

  // Weights of a full covariance fitted to 4000 points in 100 dimensions are wide; in 300 a handful of points is all there is.
  const AiscvResult wide = run(sum_of(100), options);
  CHECK(told(wide, wasteful));
  CHECK_FALSE(told(wide, lost));
  const AiscvResult broken = run(sum_of(300), options);
  CHECK(told(broken, collapsed));
  CHECK(std::isnan(broken.estimates[0].estimate.std_error));
  CHECK(broken.estimates[0].note.find("collapsed") != std::string::npos);

  // Fitted to 100 points in 300 dimensions a density is all but flat: no weight is left.
  options.max_evaluations = 1000;
  const AiscvResult none = run(sum_of(300), options);
  CHECK(told(none, lost));
  CHECK(told(none, "plain_monte_carlo"));
  CHECK_FALSE(told(none, "value other than zero"));
  CHECK(std::isnan(none.estimates[0].estimate.value));
  CHECK(none.estimates[0].note.find("underflowed") != std::string::npos);
  CHECK(std::isnan(none.covariance(0, 0)));

  // A step function has no level between 0 and 1 that tempering could climb.
  const auto model = make_model(2, {"p"}, [](const ConstMatrix& x, MutMatrix out) {
    for (Index i = 0; i < x.cols(); ++i) out(0, i) = x(0, i) > 6 ? 1 : -1;
  });
  const Problem step(CheckedModel(model, {"a", "b"}), {{"p", true}}, {{"law", JointLaw({{"a", normal_law(0, 1)}, {"b", normal_law(0, 1)}})}});
  options.max_evaluations = 20000;
  options.start = AiscvStart::tempering;
  Context context(2);
  const AiscvResult stalled = aiscv(step, options, Stream(1), context);
  CHECK(told(stalled, stuck));
  CHECK_FALSE(told(aiscv(linear_event(2, {4.0}), options, Stream(1), context), stuck));
}

TEST_CASE("a tempered result warns of missed regions where the pilot saw next to nothing, and nowhere else") {
  AiscvOptions options;
  options.start = AiscvStart::tempering;
  const auto warned = [&](double beta) {
    Context context(2);
    const AiscvResult r = aiscv(linear_event(2, {beta}), options, Stream(1), context);
    return std::any_of(r.warnings.begin(), r.warnings.end(), [](const std::string& w) { return w.find("a second region") != std::string::npos; });
  };
  CHECK(warned(4.0));
  CHECK_FALSE(warned(1.0));
}

TEST_CASE("the previous densities, stratified sampling and a regression keep the estimates right") {
  AiscvOptions options = exact_weights();
  options.final = AiscvFinal::previous;
  options.sampling = AiscvSampling::stratified;
  options.control = AiscvControl::regression;
  options.max_evaluations = 5000;
  double covered = 0;
  constexpr int runs = 60;
  for (std::uint64_t seed = 0; seed < runs; ++seed) {
    Context context(1);
    const AiscvResult r = aiscv(gaussian_moments(10), options, Stream(seed), context);
    CHECK(r.exploration_points + r.points == 5000);
    for (Index j = 0; j < 5; ++j) {
      const Estimate& e = r.estimates[static_cast<std::size_t>(j)].estimate;
      covered += e.lower <= even_moment(j + 1) && even_moment(j + 1) <= e.upper ? 1.0 / (5 * runs) : 0;
    }
  }
  CHECK(covered >= 0.88);
}

TEST_CASE("when the first round does not help, the previous law is that of the inputs") {
  // A constant has no variance to lower: the final sample is plain, in units of 2^199 and 2^-199.
  const auto integrands = std::make_shared<NormalIntegrands>(2, 2, [](const Eigen::VectorXd&, MutVector phi) { phi << 1e60, 1e-60; });
  AiscvOptions options;
  options.max_evaluations = 1000;
  options.final = AiscvFinal::previous;
  Context context(1);
  const AiscvResult r = aiscv(integrands, options, Stream(1), context);
  CHECK(r.alpha.size() == 0);
  CHECK(r.exploration_points == 200);
  CHECK(r.estimates[0].estimate.value == doctest::Approx(1e60).scale(0).epsilon(1e-14));
  CHECK(r.estimates[1].estimate.value == doctest::Approx(1e-60).scale(0).epsilon(1e-14));
  CHECK(r.estimates[0].estimate.std_error < 1e-14 * 1e60);
}

TEST_CASE("aiscv: saved and loaded at every round, on any thread count, the same bits") {
  AiscvOptions options;
  options.max_evaluations = 6000;
  options.start = AiscvStart::tempering;
  options.family = AiscvFamily::gaussian_mixture;
  options.control = AiscvControl::regression;
  options.sampling = AiscvSampling::stratified;
  const Problem problem = linear_event(3, {1.5, 3.5});
  Context one(1);
  AiscvKernel whole(problem, options, Stream(9));
  run_to_end(whole, one);
  const std::string expected = state_of(whole);
  for (const int threads : {2, 3, 8}) {
    Context context(threads);
    auto method = std::make_unique<AiscvKernel>(problem, options, Stream(9));
    while (!method->finished()) {
      method->step(context);
      const std::string saved = state_of(*method);
      method = std::make_unique<AiscvKernel>(problem, options, Stream(9));
      restore(*method, saved);
      CHECK(state_of(*method) == saved);
    }
    CHECK(state_of(*method) == expected);
  }
}

TEST_CASE("a stop request at any round still gives a valid result") {
  for (int before = 0; before < 8; ++before) {
    Context context(1);
    AiscvKernel method(gaussian_moments(3), {}, Stream(2));
    for (int i = 0; i < before; ++i) method.step(context);
    method.stop("the time limit was reached");
    run_to_end(method, context);
    const AiscvResult r = method.result();
    CHECK(r.stop_reason == "the time limit was reached");
    CHECK(r.points >= 1000);
    CHECK(std::abs(r.estimates[0].estimate.value - 1) < 6 * r.estimates[0].estimate.std_error + 1e-12);
  }
}

TEST_CASE("aiscv refuses bad options by name") {
  const auto key = [](auto change) {
    AiscvOptions o;
    change(o);
    try {
      AiscvKernel(gaussian_moments(2), o, Stream(1));
    } catch (const Error& e) {
      return e.text().key;
    }
    return std::string("accepted");
  };
  CHECK(key([](auto&) {}) == "accepted");
  CHECK(key([](auto& o) { o.max_evaluations = 19; }) == "options.max_evaluations");
  CHECK(key([](auto& o) { o.exploration_fraction = 1; }) == "options.exploration_fraction");
  CHECK(key([](auto& o) { o.exploration_batches = 1; }) == "options.exploration_batches");
  CHECK(key([](auto& o) { o.components = 0; }) == "options.components");
  CHECK(key([](auto& o) { o.ridge = 0; }) == "options.ridge");
  CHECK(key([](auto& o) { o.tempering_quantile = 0.6; }) == "options.tempering_quantile");
  CHECK(key([](auto& o) { o.level = 0; }) == "options.level");
  CHECK(key([](auto& o) { o.weights = AiscvWeights::custom; }) == "options.custom_weights");
  CHECK(key([](auto& o) { o.custom_weights = {1, 1}; }) == "options.custom_weights");
  CHECK(key([](auto& o) {
          o.weights = AiscvWeights::custom;
          o.custom_weights = {1, 0};
        }) == "options.custom_weights");
  CHECK(key([](auto& o) { o.start = AiscvStart::tempering; }) == "options.start");
  try {
    AiscvOptions o;
    o.space = PointSpace::standard;
    AiscvKernel(cantilever_laws(3), o, Stream(1));
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.text().key == "options.space");
  }
}

TEST_CASE("the memory that a run asks for grows with its exploration alone") {
  const auto need = [](const AiscvOptions& o) { return AiscvKernel(linear_event(3, {2.0}), o, Stream(1)).memory_need(); };
  AiscvOptions options;
  CHECK(need(options).amount == 20000);
  // d = 3, one function, one law: 3 (3 + 1 + 1 + 1) + 2 numbers of 8 bytes at 10000 points.
  CHECK(need(options).bytes == doctest::Approx(20 * 8 * 10000));
  options.exploration_fraction = 0.25;
  CHECK(need(options).bytes == doctest::Approx(20 * 8 * 5000));
  options.start = AiscvStart::tempering;
  CHECK(need(options).bytes == doctest::Approx(23 * 8 * 5000));
}
