// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/target_kind.hpp>
#include <buffon/stats/chain_diagnostics.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include "cases.hpp"

namespace buffon::reproduce::gibbsian_polar_slice_sampling {
namespace {

constexpr Index d = 100;
constexpr const char* part = "1, Cauchy, d = 100";

// The upper end of a slice exceeds R with a probability of the order of 1/R, so that in 10^6 iterations a bracket or two would grow by more
// steps than the sampler takes for a sign of an improper target. Neal's limit keeps the law invariant.
constexpr std::int64_t most_widenings = 9998;

/// Independent draws x = g / |h|: log |x|.
Eigen::VectorXd independent_log_radii(const Stream& stream, Index n) {
  Eigen::MatrixXd numbers(d + 1, n);
  stream.normals(0, numbers);
  Eigen::VectorXd log_radius(n);
  for (Index i = 0; i < n; ++i) log_radius(i) = std::log(numbers.col(i).head(d).norm() / std::abs(numbers(d, i)));
  return log_radius;
}

}  // namespace

// x0 = (1, …, 1), w = d; autocorrelation time of log |x| up to lag n / 10; p(b) = P(|x| > b, x_1 > 0) = 0.25 for the median b of |x|.
void cauchy(const ReproduceOptions& options, ReproduceTable& table) {
  const Stream root = Stream(options.seed).child("cauchy");
  const NamedDensity& named = named_density("cauchy");
  const auto density = named.make(d, {}).density;
  const std::int64_t n = scaled(options, 1e6, 300000);
  const std::vector<Contestant> contestants = {
      {"polar (GPSS)", [&] { return polar(density, d, most_widenings); }, n},
      {"hit-and-run (HRUSS)", [&] { return hit_and_run(density, d); }, n},
      {"elliptical (ESS, N(0, I))", [&] { return elliptical(density, AffineFrame::identity(d)); }, n},
  };
  const auto observe = [](const Eigen::VectorXd& x, Eigen::Ref<Eigen::RowVectorXd> out) {
    out(0) = std::log(x.norm());
    out(1) = x(0);
  };
  const auto traces = run_chains(options, root, contestants, Eigen::VectorXd::Ones(d), 2, observe, table);
  evaluation_rows(part, contestants, traces, {"6.90", "8.46", "5.86"}, table);
  table.rows[table.rows.size() - 3].note += "; its mean is infinite without a limit, here " + std::to_string(most_widenings) + " widenings";

  const Index lags = static_cast<Index>(n / 10);
  const std::array<const char*, 3> paper = {"8.59", "51347 (unreliable)", "35544 (unreliable)"};
  std::array<double, 3> times{};
  for (std::size_t k = 0; k < 3; ++k) times[k] = integrated_autocorrelation_time(traces[k].values.col(0), lags);
  table.rows.push_back(judged_row(part, contestants[0].name + ": autocorrelation time of log |x|", times[0], paper[0], "at most 10", times[0] <= 10));
  for (std::size_t k = 1; k < 3; ++k) {
    table.rows.push_back(judged_row(part, contestants[k].name + ": autocorrelation time of log |x|", times[k], paper[k], "at least 50 times that of GPSS",
                                    times[k] >= 50 * times[0]));
  }
  const double independent = integrated_autocorrelation_time(independent_log_radii(root.child("independent"), std::min<Index>(static_cast<Index>(n), 200000)));
  table.rows.push_back(shown_row(part, "independent draws: autocorrelation time of log |x|", independent, "1.01"));

  // From iteration 1000 on: the start is far out of the stationary law of |x|.
  const Index first = 1000, kept = static_cast<Index>(n) - first;
  const auto log_radius = traces[0].values.col(0).tail(kept).array();
  const auto share = [&](const Eigen::ArrayXd& indicator) { return mean_of(indicator.matrix()); };
  const double median = named.known[3].value;
  ReproduceRow row = exact_row(part, "GPSS: p(b) = P(|x| > b, x_1 > 0), b = 14.7721",
                               share((log_radius > std::log(median)).cast<double>() * (traces[0].values.col(1).tail(kept).array() > 0).cast<double>()), 0.25);
  row.paper = "0.25";
  table.rows.push_back(row);
  for (const auto& [p, value] : {std::pair{0.05, named.known[2].value}, std::pair{0.5, median}, std::pair{0.95, named.known[4].value}}) {
    table.rows.push_back(exact_row(part, "GPSS: P(|x|²/d below the " + std::to_string(std::lround(100 * p)) + " % quantile of F(d, 1))",
                                   share((log_radius <= std::log(value)).cast<double>()), p));
  }
}

}  // namespace buffon::reproduce::gibbsian_polar_slice_sampling
