// SPDX-License-Identifier: BSD-3-Clause
// Accuracy at equal model calls and time per run, beside OpenTURNS: Sobol' indices by the pick-freeze estimators both
// libraries have, and plain Monte Carlo, on the Ishigami function and the cantilever beam. Both run on one thread and evaluate
// the same C++ function; replicates alternate between the libraries within one process. Prints one JSON document.
//
//     openturns_bench [replicates = 60] [calls = 80000]

#include <buffon/estimators/plain_monte_carlo.hpp>
#include <buffon/estimators/sobol.hpp>
#include <buffon/model/model_kind.hpp>
#include <buffon/parallel/blocks.hpp>

#include <openturns/ComposedDistribution.hxx>
#include <openturns/CompositeRandomVector.hxx>
#include <openturns/ExpectationSimulationAlgorithm.hxx>
#include <openturns/JansenSensitivityAlgorithm.hxx>
#include <openturns/LogNormal.hxx>
#include <openturns/MartinezSensitivityAlgorithm.hxx>
#include <openturns/MauntzKucherenkoSensitivityAlgorithm.hxx>
#include <openturns/Normal.hxx>
#include <openturns/RandomGenerator.hxx>
#include <openturns/RandomVector.hxx>
#include <openturns/SaltelliSensitivityAlgorithm.hxx>
#include <openturns/SobolIndicesExperiment.hxx>
#include <openturns/TBBImplementation.hxx>
#include <openturns/Uniform.hxx>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

/// A model of ours as a function of OpenTURNS.
class Bridge : public OT::EvaluationImplementation {
 public:
  explicit Bridge(std::shared_ptr<const buffon::Model> model) : model_(std::move(model)) {}
  Bridge* clone() const override { return new Bridge(*this); }
  OT::UnsignedInteger getInputDimension() const override { return static_cast<OT::UnsignedInteger>(model_->input_size()); }
  OT::UnsignedInteger getOutputDimension() const override { return 1; }
  OT::Point operator()(const OT::Point& x) const override {
    Eigen::MatrixXd y(1, 1);
    model_->evaluate(Eigen::Map<const Eigen::MatrixXd>(&x[0], model_->input_size(), 1), y, {});
    return OT::Point(1, y(0, 0));
  }
  OT::Sample operator()(const OT::Sample& x) const override {
    // Rows of a sample lie one after the other: the columns of a batch of ours.
    OT::Sample out(x.getSize(), 1);
    const auto n = static_cast<Eigen::Index>(x.getSize());
    if (n > 0) model_->evaluate(Eigen::Map<const Eigen::MatrixXd>(&x(0, 0), model_->input_size(), n), Eigen::Map<Eigen::MatrixXd>(&out(0, 0), 1, n), {});
    return out;
  }

 private:
  std::shared_ptr<const buffon::Model> model_;
};

struct Case {
  std::string name;
  OT::Distribution law;
  std::vector<double> first;
  double mean;
};

std::vector<Case> cases() {
  using OT::Distribution;
  OT::ComposedDistribution::DistributionCollection uniforms, beam;
  for (int i = 0; i < 3; ++i) uniforms.add(OT::Uniform(-M_PI, M_PI));
  const auto lognormal = [](double mean, double cov) {
    const double variance = std::log1p(cov * cov);
    return OT::LogNormal(std::log(mean) - variance / 2, std::sqrt(variance));
  };
  beam.add(lognormal(556.8, 0.08));
  beam.add(lognormal(453.6, 0.08));
  beam.add(lognormal(200, 0.06));
  beam.add(OT::Normal(0.062, 0.0062));
  beam.add(OT::Normal(0.0987, 0.00987));
  beam.add(OT::Normal(4.29, 0.429));
  const double p4 = std::pow(M_PI, 4);
  const double v1 = 0.5 * std::pow(1 + 0.1 * p4 / 5, 2), v2 = 49.0 / 8, v = v1 + v2 + 0.08 * p4 * p4 / 225;
  return {{"ishigami", OT::ComposedDistribution(uniforms), {v1 / v, v2 / v, 0}, 3.5},
          {"cantilever", OT::ComposedDistribution(beam), {0.0235524, 0.000295702, 0.0163609, 0.428076, 0.0729427, 0.401030}, 0.0438564950}};
}

struct Tally {
  double squares = 0;
  std::vector<double> seconds;
  void add(double square, double time) {
    squares += square;
    seconds.push_back(time);
  }
  double rmse() const { return std::sqrt(squares / static_cast<double>(seconds.size())); }
  double median() const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

template <class Work>
double timed(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median_ratio(const Tally& numerator, const Tally& denominator) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < numerator.seconds.size(); ++i) ratios.push_back(numerator.seconds[i] / denominator.seconds[i]);
  std::sort(ratios.begin(), ratios.end());
  return ratios[ratios.size() / 2];
}

bool first_line = true;
void report(const std::string& problem, const std::string& method, const Tally& ours, const Tally& theirs) {
  std::printf(
      "%s\n  {\"case\": \"%s\", \"method\": \"%s\", \"rmse_buffon\": %.4g, \"rmse_openturns\": %.4g, \"seconds_buffon\": %.4g, "
      "\"seconds_openturns\": %.4g, \"time_ratio_openturns_over_buffon\": %.3g}",
      first_line ? "" : ",", problem.c_str(), method.c_str(), ours.rmse(), theirs.rmse(), ours.median(), theirs.median(), median_ratio(theirs, ours));
  first_line = false;
}

template <class Algorithm>
OT::Point first_indices(const OT::Distribution& law, const OT::Function& function, OT::UnsignedInteger size) {
  const OT::Sample design = OT::SobolIndicesExperiment(law, size, false).generate();
  Algorithm algorithm(design, function(design), size);
  const OT::Point total = algorithm.getTotalOrderIndices();
  return algorithm.getFirstOrderIndices();
}

}  // namespace

int main(int argc, char** argv) {
  const int replicates = argc > 1 ? std::max(1, std::atoi(argv[1])) : 60;
  const std::int64_t calls = argc > 2 ? std::max(1000, std::atoi(argv[2])) : 80000;
  OT::TBBImplementation::Disable();
  OT::RandomGenerator::SetSeed(1);
  buffon::Context context(1);

  std::printf("{\"replicates\": %d, \"model_calls\": %lld, \"rows\": [", replicates, static_cast<long long>(calls));
  for (const Case& c : cases()) {
    const buffon::NamedProblem& named = buffon::named_problem(c.name);
    const auto model = named.model();
    const buffon::Problem problem(model, named.law());
    const OT::Function function(Bridge{model});
    const auto d = static_cast<std::int64_t>(c.first.size());
    const auto size = static_cast<OT::UnsignedInteger>(calls / (d + 2));
    using Indices = OT::Point (*)(const OT::Distribution&, const OT::Function&, OT::UnsignedInteger);
    const Indices theirs[] = {first_indices<OT::MartinezSensitivityAlgorithm>, first_indices<OT::MauntzKucherenkoSensitivityAlgorithm>,
                              first_indices<OT::SaltelliSensitivityAlgorithm>, first_indices<OT::JansenSensitivityAlgorithm>};
    for (std::size_t e = 0; e < 4; ++e) {
      Tally a, b;
      for (int r = 0; r < replicates; ++r) {
        buffon::SobolResult result;
        buffon::SobolOptions options;
        options.max_evaluations = calls;
        options.estimator = static_cast<buffon::SobolEstimator>(e);
        const double t = timed([&] { result = buffon::sobol_indices(problem, options, buffon::Stream(static_cast<std::uint64_t>(r)), context); });
        OT::Point point;
        const double u = timed([&] { point = theirs[e](c.law, function, size); });
        double mine = 0, other = 0;
        for (std::size_t i = 0; i < c.first.size(); ++i) {
          mine += std::pow(result.indices[i].estimate.value - c.first[i], 2);
          other += std::pow(point[i] - c.first[i], 2);
        }
        a.add(mine, t);
        b.add(other, u);
      }
      report(c.name, "sobol " + std::string(buffon::sobol_estimator_names[e]), a, b);
    }
    Tally a, b;
    for (int r = 0; r < replicates; ++r) {
      buffon::PlainMonteCarloOptions options;
      options.max_evaluations = calls;
      double mine = 0, other = 0;
      const double t = timed(
          [&] { mine = buffon::plain_monte_carlo(problem, options, buffon::Stream(static_cast<std::uint64_t>(r)), context).estimates.front().estimate.value; });
      const double u = timed([&] {
        OT::ExpectationSimulationAlgorithm algorithm(OT::CompositeRandomVector(function, OT::RandomVector(c.law)));
        algorithm.setBlockSize(1000);
        algorithm.setMaximumOuterSampling(static_cast<OT::UnsignedInteger>(calls / 1000));
        algorithm.setMaximumCoefficientOfVariation(0);
        algorithm.run();
        other = algorithm.getResult().getExpectationEstimate()[0];
      });
      a.add(std::pow(mine - c.mean, 2), t);
      b.add(std::pow(other - c.mean, 2), u);
    }
    report(c.name, "plain Monte Carlo", a, b);
  }
  std::printf("\n]}\n");
}
