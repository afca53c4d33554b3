// SPDX-License-Identifier: BSD-3-Clause
// Polar slice sampling against the Python package emcee on a logistic regression with 50 coefficients and 500 observations, prior
// N(0, 4 I): density evaluations per effective sample, and effective samples a second by turns on the same machine. emcee is
// given its fastest way of evaluation (all walkers at once in NumPy), begins with draws of the posterior, needs no warm-up and is counted by
// its own estimate of the autocorrelation time and by ours; the larger figure counts.
//     emcee_bench [--rounds N] [--json FILE] [--threads N] [--walkers N]

#include "interleave.hpp"
#include "python_peer.hpp"

#include <buffon/model/regression.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/samplers/polar_slice.hpp>

#include <unistd.h>

#include <filesystem>

#include <generators/logistic_regression.hpp>

using namespace buffon;

namespace {

struct Settings {
  int rounds = 11, threads = 0;  ///< fewer turns make chains of emcee too short for its estimate of the autocorrelation time
  Index walkers = 100;
  std::string json;
};

Settings settings_of(int argc, char** argv) {
  Settings s;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (i + 1 < argc && option == "--rounds") {
      s.rounds = std::max(3, std::stoi(argv[++i]));
    } else if (i + 1 < argc && option == "--threads") {
      s.threads = std::stoi(argv[++i]);
    } else if (i + 1 < argc && option == "--walkers") {
      s.walkers = std::stoi(argv[++i]);
    } else if (i + 1 < argc && option == "--json") {
      s.json = argv[++i];
    } else {
      throw std::invalid_argument("emcee_bench [--rounds N] [--threads N] [--walkers N] [--json FILE]");
    }
  }
  return s;
}

void write_numbers(const std::filesystem::path& file, const Eigen::MatrixXd& by_column) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(by_column.data()), static_cast<std::streamsize>(sizeof(double)) * by_column.size());
}

/// The smallest bulk effective size over the coordinates of draws[coordinate] = draws × chains.
double worst_effective_size(const std::vector<Eigen::MatrixXd>& draws) {
  double worst = std::numeric_limits<double>::infinity();
  for (const Eigen::MatrixXd& column : draws) worst = std::min(worst, ess_bulk(column));
  return worst;
}

/// Transitions a chain in which 50 strongly correlated coordinates are learnt from a start far away.
constexpr std::int64_t warmup = 24000;

/// Sampling of ours that goes on turn after turn.
class Ours {
 public:
  Ours(std::shared_ptr<const Target> target, int turns, int threads) : context_(threads) {
    PolarSliceRunOptions options;
    options.warmup = warmup;
    options.kernel.expand = PolarSliceOptions::Expansion::step_out;  // the tails are light
    options.draws = turns * steps_of_turn * 64;
    chains_ = std::make_unique<PolarSliceChains>(std::move(target), options, Stream(1));
    const double begin = bench::seconds(bench::Clock::wall);
    while (chains_->progress().phase != "sampling") chains_->step(context_);
    warmup_seconds_ = bench::seconds(bench::Clock::wall) - begin;
  }

  /// Seconds of one turn.
  double turn() {
    const double begin = bench::seconds(bench::Clock::wall);
    for (int k = 0; k < steps_of_turn && !chains_->finished(); ++k) chains_->step(context_);
    return bench::seconds(bench::Clock::wall) - begin;
  }
  ChainResult result() const { return chains_->result(); }
  double warmup_seconds() const { return warmup_seconds_; }

 private:
  static constexpr int steps_of_turn = 80;

  Context context_;
  std::unique_ptr<PolarSliceChains> chains_;
  double warmup_seconds_ = 0;
};

/// One way of emcee, its turns so far.
struct Contestant {
  std::string name;
  std::int64_t steps = 0;  ///< of a turn
  std::vector<double> seconds = {};
};

struct EffectiveSizes {
  double own = 0, ours = 0;  ///< by the two estimators, worst coordinate
  double evaluations = 0;
};

/// Effective size of all that a move has drawn, and evaluations spent.
EffectiveSizes effective_sizes(bench::PythonPeer& peer, const std::filesystem::path& directory, const std::string& name, Index walkers, Index d) {
  const nlohmann::json told = peer.ask({{"report", name}});
  const auto steps = told.at("steps").get<double>();
  const auto kept = told.at("kept").get<Index>();
  std::vector<double> numbers(static_cast<std::size_t>(kept * walkers * d));
  std::ifstream in(directory / "draws.f64", std::ios::binary);
  in.read(reinterpret_cast<char*>(numbers.data()), static_cast<std::streamsize>(sizeof(double) * numbers.size()));
  std::vector<Eigen::MatrixXd> draws(static_cast<std::size_t>(d), Eigen::MatrixXd(kept, walkers));
  for (Index t = 0; t < kept; ++t) {
    for (Index w = 0; w < walkers; ++w) {
      for (Index j = 0; j < d; ++j) draws[static_cast<std::size_t>(j)](t, w) = numbers[static_cast<std::size_t>((t * walkers + w) * d + j)];
    }
  }
  const double evaluations = steps * static_cast<double>(walkers);
  return {evaluations / told.at("autocorrelation_time").get<double>(), worst_effective_size(draws), evaluations};
}

nlohmann::json spread_json(const bench::Spread& s) { return {{"low", s.low}, {"median", s.median}, {"high", s.high}}; }

int run(const Settings& settings) {
  constexpr Index n = 500, d = 50;
  const auto data = generators::logistic_regression(n, d, 1);
  const RegressionPrior prior{Eigen::VectorXd::Zero(d), Eigen::VectorXd::Constant(d, 2)};
  const auto target = std::make_shared<const Target>(regression_density(data.design, {}, logistic_likelihood(data.response), prior), "beta");

  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("emcee_bench: logistic regression, %d observations, %d coefficients\n  CPU             %s\n  number kernels  %s\n", static_cast<int>(n),
              static_cast<int>(d), bench::cpu_name().c_str(), std::string(kernel_variant()).c_str());
  Ours ours(target, settings.rounds, settings.threads);

  const std::filesystem::path directory = std::filesystem::temp_directory_path() / ("emcee_bench_" + std::to_string(getpid()));
  std::filesystem::create_directory(directory);
  write_numbers(directory / "design.f64", data.design.transpose());
  write_numbers(directory / "response.f64", data.response);
  {  // walkers begin in the stationary law
    PolarSliceRunOptions options;
    options.warmup = warmup;
    options.kernel.expand = PolarSliceOptions::Expansion::step_out;  // the tails are light
    options.draws = std::max<std::int64_t>(settings.walkers, 1000);
    Context context(settings.threads);
    const ChainResult pilot = polar_slice(target, options, Stream(2), context);
    Eigen::MatrixXd start(d, settings.walkers);
    for (Index w = 0; w < settings.walkers; ++w) {
      const Eigen::MatrixXd& values = pilot.draws.chains[static_cast<std::size_t>(w % options.chains)].values;
      start.col(w) = values.row(values.rows() * w / settings.walkers).head(d);
    }
    write_numbers(directory / "start.f64", start);
  }

  bench::PythonPeer peer(BUFFON_EMCEE_PEER, {directory.string()}, settings.threads);
  const auto about = peer.answer();
  if (!about) {
    std::printf("  emcee           not there: %s cannot import numpy and emcee (Debian: python3-emcee). No comparison was made.\n",
                bench::PythonPeer::interpreter().c_str());
    std::filesystem::remove_all(directory);
    return 0;
  }
  std::printf("  emcee           %s, Python %s, NumPy %s, %s, %d walkers\n  its likelihood  %s, microseconds per evaluation: %s\n",
              about->at("emcee").get<std::string>().c_str(), about->at("python").get<std::string>().c_str(), about->at("numpy").get<std::string>().c_str(),
              about->at("blas").get<std::string>().c_str(), about->at("walkers").get<int>(), about->at("way").get<std::string>().c_str(),
              about->at("microseconds_per_evaluation").dump().c_str());

  std::vector<Contestant> moves;
  for (const auto& move : about->at("moves")) {
    moves.push_back({move, 600});
    moves.push_back({move.get<std::string>() + ", walker by walker", 10});
  }
  std::vector<double> our_seconds;
  for (int round = 0; round < settings.rounds; ++round) {
    our_seconds.push_back(ours.turn());
    for (std::size_t k = 0; k < moves.size(); ++k) {
      Contestant& move = moves[round % 2 == 0 ? k : moves.size() - 1 - k];
      move.seconds.push_back(peer.ask({{"move", move.name}, {"steps", move.steps}}).at("seconds"));
    }
  }

  const ChainResult result = ours.result();
  double size = std::numeric_limits<double>::infinity(), rhat = 0;
  for (const ChainSummary& line : result.summary) {
    if (line.name == "lp__") continue;
    size = std::min(size, line.ess_bulk);
    rhat = std::max(rhat, line.rhat);
  }
  const double cost = static_cast<double>(result.sampling.evaluations) / size;
  std::vector<double> our_rates;
  for (const double t : our_seconds) our_rates.push_back(size / settings.rounds / t);
  const bench::Spread our_rate = bench::spread_of(our_rates);
  std::printf("\n  %-52s %11s %15s %34s\n", "", "evaluations", "effective size", "effective samples a second");
  std::printf("  %-52s per sample\n", "");
  std::printf("  %-52s %11.1f %15.0f %14.5g (%.4g … %.4g)\n", "buffon, polar slice sampling", cost, size, our_rate.median, our_rate.low, our_rate.high);
  std::printf("      %.2f evaluations a transition, largest R-hat %.4f, warm-up of %lld evaluations in %.3f s\n",
              static_cast<double>(result.sampling.evaluations) / static_cast<double>(result.sampling.steps), rhat,
              static_cast<long long>(result.warmup.evaluations), ours.warmup_seconds());

  nlohmann::json lines = nlohmann::json::array();
  double best = 0;
  std::string best_name;
  EffectiveSizes sizes;
  for (const Contestant& move : moves) {
    const bool single = move.name.ends_with("walker by walker");
    // Too slow for an effective size of its own: that of the same move with all walkers at once, which makes the same steps.
    if (!single) sizes = effective_sizes(peer, directory, move.name, settings.walkers, d);
    const double per_evaluation = std::max(sizes.own, sizes.ours) / sizes.evaluations;
    std::vector<double> rates, ratios;
    for (std::size_t r = 0; r < move.seconds.size(); ++r) {
      rates.push_back(per_evaluation * static_cast<double>(move.steps * settings.walkers) / move.seconds[r]);
      ratios.push_back(our_rates[r] / rates.back());
    }
    const bench::Spread rate = bench::spread_of(rates), ratio = bench::spread_of(ratios);
    std::printf("  %-52s %11.1f %7.0f/%7.0f %14.5g (%.4g … %.4g)   buffon is %.1f × as fast (%.1f … %.1f)\n", ("emcee, " + move.name).c_str(),
                1 / per_evaluation, sizes.own, sizes.ours, rate.median, rate.low, rate.high, ratio.median, ratio.low, ratio.high);
    lines.push_back({{"move", move.name},
                     {"evaluations_per_effective_sample", 1 / per_evaluation},
                     {"effective_size_by_emcee", sizes.own},
                     {"effective_size_by_buffon", sizes.ours},
                     {"effective_samples_per_second", spread_json(rate)},
                     {"ratio", spread_json(ratio)}});
    if (rate.median > best) {
      best = rate.median;
      best_name = move.name;
    }
  }
  const double ratio = our_rate.median / best;
  std::printf("\n  at most 30 evaluations per effective sample: %.1f, %s\n  at least 50 × emcee's best (%s): %.1f, %s\n", cost, cost <= 30 ? "holds" : "FAILS",
              best_name.c_str(), ratio, ratio >= 50 ? "holds" : "FAILS");
  std::filesystem::remove_all(directory);
  if (!settings.json.empty()) {
    const nlohmann::json all = {{"benchmark", "emcee_bench"},
                                {"cpu", bench::cpu_name()},
                                {"compiler", __VERSION__},
                                {"kernel_variant", std::string(kernel_variant())},
                                {"threads", settings.threads},
                                {"rounds", settings.rounds},
                                {"peer", *about},
                                {"buffon",
                                 {{"evaluations_per_effective_sample", cost},
                                  {"effective_size", size},
                                  {"effective_samples_per_second", spread_json(our_rate)},
                                  {"largest_rhat", rhat},
                                  {"warmup_seconds", ours.warmup_seconds()},
                                  {"warmup_evaluations", result.warmup.evaluations}}},
                                {"emcee", lines},
                                {"ratio_to_best", ratio}};
    std::ofstream out(settings.json);
    out << all.dump(2) << '\n';
    if (!out) throw std::runtime_error("cannot write " + settings.json);
  }
  return cost <= 30 && ratio >= 50 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(settings_of(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
