// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/estimators/mixture_sample.hpp>
#include <buffon/stats/intervals.hpp>

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <utility>

namespace buffon {
namespace {

using constants::infinity;
using constants::nan;
constexpr std::int64_t few_hits = 10;
constexpr double collapsed_size = 5;  // effective terms below which an error bar means nothing
constexpr double small_size = 200;    // effective terms below which it is rough
constexpr double lost_weight = 1e-3;  // mean of f/q, which is 1 when the sample covers f
constexpr double large_share = 0.05;
constexpr double heavy_tail = 0.5;  // from here on the variance is infinite
constexpr Index tail_points = 64;   // deviations behind a tail index

// "a", "a and b", "a, b, c and 7 more".
std::string listing(const std::vector<std::string>& names) {
  const std::size_t shown = names.size() <= 4 ? names.size() : 3;
  std::string text = names.front();
  for (std::size_t i = 1; i < shown; ++i) text += (i + 1 == names.size() ? " and " : ", ") + names[i];
  if (shown < names.size()) text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}

std::vector<double> to_list(const Eigen::VectorXd& v) { return {v.begin(), v.end()}; }

// Shape of a generalised Pareto law fitted to exceedances in ascending order (J. Zhang, M. A. Stephens, "A new and efficient
// estimation method for the generalized Pareto distribution", 2009), drawn towards 0.5 with the weight of ten observations
// (A. Vehtari et al., "Pareto smoothed importance sampling", 2015).
double pareto_shape(const std::vector<double>& excess) {
  const auto n = static_cast<double>(excess.size());
  const double quartile = excess[static_cast<std::size_t>(n / 4 + 0.5) - 1];
  if (!(quartile > 0)) return 0;
  const int grid = 30 + static_cast<int>(std::sqrt(n));
  const auto shape = [&](double theta) {
    double sum = 0;
    for (const double e : excess) sum += std::log1p(-theta * e);
    return sum / n;
  };
  std::vector<double> theta, profile;
  for (int i = 0; i < grid; ++i) {
    theta.push_back(1 / excess.back() + (1 - std::sqrt(grid / (i + 0.5))) / (3 * quartile));
    const double k = shape(theta.back());
    profile.push_back(n * (std::log(-theta.back() / k) - k - 1));
  }
  const double peak = *std::max_element(profile.begin(), profile.end());
  double weight = 0, sum = 0;
  for (std::size_t i = 0; i < theta.size(); ++i) {
    const double w = std::exp(profile[i] - peak);
    weight += w;
    sum += w * theta[i];
  }
  return (n * shape(sum / weight) + 10 * 0.5) / (n + 10);
}

}  // namespace

MixtureSample::Terms MixtureSample::terms(Index j) const {
  const auto n = static_cast<double>(points_);
  const double sum = sums_.contributions(j, 0), squares = sums_.contributions(j, 1), deviations = sums_.contributions(j, 3);
  const double largest = sums_.largest(j, 0);
  Terms t{0, nan, nan, false, false, false};
  if (sum > 0) t.effective_size = squares > 0 ? sum * sum / squares : sum / largest;  // squares underflow before sums do
  if (!plain()) t.rough = t.effective_size < std::min(small_size, 0.5 * n);
  if (from_laws() && integrands_->has_level(j)) return t;  // 0 or a bounded weight
  Index exceeding = sums_.largest.cols() - 1;
  if (from_laws()) {
    if (deviations > 0) t.largest_share = largest / deviations * largest;
    if (points_ < 10 * tail_points) exceeding = 0;  // the body of the law is not its tail
    // A fair share falls with n, and a lognormal value of cov 1 has to pass: see docs/methods/plain_monte_carlo.md for the rates.
    t.dominated = t.largest_share > std::max(0.1, 10 / std::sqrt(n));
  } else {
    if (sum > 0) t.largest_share = largest / sum;
    t.dominated = t.largest_share > large_share;
  }
  if (exceeding >= 20 && sums_.largest(j, exceeding) > 0) {
    std::vector<double> excess;
    for (Index i = exceeding - 1; i >= 0; --i) excess.push_back(sums_.largest(j, i) / sums_.largest(j, exceeding) - 1);
    t.tail_index = pareto_shape(excess);
    t.heavy = t.tail_index > heavy_tail;
  }
  return t;
}

bool MixtureSample::underflowed(Index j) const {
  const double mean_weight = sums_.weight_sums(integrands_->common_law() ? 0 : j, 0) / static_cast<double>(points_);
  return !plain() && hits(j) == 0 && mean_weight < lost_weight;
}

bool MixtureSample::collapsed(Index j) const {
  return !plain() && static_cast<double>(points_) >= 2 * collapsed_size && hits(j) > 0 && terms(j).effective_size < collapsed_size;
}

bool MixtureSample::doubtful(Index j) const {
  const Terms t = terms(j);
  return hits(j) < few_hits || t.dominated || t.heavy || t.rough;
}

MixtureSample::Solution MixtureSample::solve() const {
  const Index count = integrands_->count();
  const auto n = static_cast<double>(points_);
  if (points_ < 2) return {sums_.moments.mean().head(count), Eigen::MatrixXd::Constant(count, count, nan)};
  if (controls() > 0) return solve_regression();
  Solution s{sums_.moments.mean(), sums_.moments.mean_covariance()};
  if (settings_.stratified && !law_.densities.empty()) {
    // Proportional allocation: what the components' means differ by is no error. Pooled variance within components.
    Eigen::MatrixXd squares = s.covariance * (n * (n - 1));
    double filled = 0;
    for (Index k = 0; k < sums_.component_sums.cols(); ++k) {
      const double size = sums_.component_sums(count, k);
      if (!(size > 0)) continue;
      filled += 1;
      const Eigen::VectorXd gap = sums_.component_sums.col(k).head(count) / size - s.value;
      squares.noalias() -= size * gap * gap.transpose();
    }
    if (n > filled) s.covariance = squares / ((n - filled) * n);
    s.covariance.diagonal() = s.covariance.diagonal().cwiseMax(0);
  }
  return s;
}

// Least squares of the summands on all centred controls of the same sample, Î = ȳ − Bᵀ(ā − 1). The controls are linearly
// dependent (Σ α_l a_l is constant), so the solve leaves out directions below 1e-8 of the largest eigenvalue of their correlations.
MixtureSample::Solution MixtureSample::solve_regression() const {
  const Index count = integrands_->count();
  const auto n = static_cast<double>(points_);
  const Eigen::MatrixXd c = sums_.moments.covariance();
  const Eigen::VectorXd mean = sums_.moments.mean();
  const Eigen::VectorXd spread = c.diagonal().tail(count).cwiseSqrt();
  const Eigen::VectorXd inverse = (spread.array() > 0).select(spread.cwiseInverse(), 0.0);
  const Eigen::MatrixXd correlation = inverse.asDiagonal() * c.bottomRightCorner(count, count) * inverse.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(correlation);
  const double threshold = 1e-8 * std::max(eigen.eigenvalues().maxCoeff(), 1e-300);
  double rank = 0;
  Eigen::VectorXd pseudo = Eigen::VectorXd::Zero(count);
  for (Index l = 0; l < count; ++l) {
    if (!(eigen.eigenvalues()(l) > threshold) || rank + 2 >= n) continue;
    pseudo(l) = 1 / eigen.eigenvalues()(l);
    rank += 1;
  }
  const Eigen::MatrixXd cross = inverse.asDiagonal() * c.bottomLeftCorner(count, count);  // control × summand
  const Eigen::MatrixXd slope = inverse.asDiagonal() * eigen.eigenvectors() * (pseudo.asDiagonal() * (eigen.eigenvectors().transpose() * cross));
  const Eigen::VectorXd gap = (mean.tail(count).array() - 1).matrix();
  Solution s{mean.head(count) - slope.transpose() * gap, c.topLeftCorner(count, count) - slope.transpose() * c.bottomLeftCorner(count, count)};
  s.covariance = 0.5 * (s.covariance + s.covariance.transpose()).eval();
  s.covariance *= (n - 1) / ((n - 1 - rank) * n);
  s.covariance.diagonal() = s.covariance.diagonal().cwiseMax(0);
  return s;
}

double MixtureSample::unit(Index j) const { return std::ldexp(1.0, static_cast<int>(settings_.exponents[static_cast<std::size_t>(j)])); }

Eigen::VectorXd MixtureSample::values() const {
  Eigen::VectorXd value = solve().value;
  for (Index j = 0; j < value.size(); ++j) value(j) *= unit(j);
  return value;
}

Eigen::MatrixXd MixtureSample::covariance() const {
  Eigen::MatrixXd covariance = solve().covariance;
  for (Index j = 0; j < covariance.cols(); ++j) {
    covariance.col(j) *= unit(j);
    covariance.row(j) *= unit(j);
    if (!collapsed(j) && !underflowed(j)) continue;
    covariance.col(j).setConstant(nan);
    covariance.row(j).setConstant(nan);
  }
  return covariance;
}

std::vector<NamedEstimate> MixtureSample::estimates() const {
  std::vector<NamedEstimate> list;
  if (!known()) return list;
  const Solution s = solve();
  const auto n = static_cast<double>(points_);
  for (Index j = 0; j < s.value.size(); ++j) {
    const double variance = s.covariance(j, j);
    double size = n;
    if (!plain()) size = variance > 0 ? std::max(0.0, sums_.contributions(j, 2) / n - s.value(j) * s.value(j)) / variance : 0;
    NamedEstimate e{.name = integrands_->names()[static_cast<std::size_t>(j)],
                    .estimate = normal_estimate(s.value(j) * unit(j), std::sqrt(variance) * unit(j), size, settings_.level)};
    const auto seen = static_cast<double>(hits(j));
    if (integrands_->has_level(j)) {
      e.group = "probability";
      e.estimate.lower = std::max(0.0, e.estimate.lower);
      e.estimate.upper = std::min(1.0, e.estimate.upper);
      if (plain() && std::min(seen, n - seen) < 50) {
        const Interval exact = clopper_pearson_interval(hits(j), points_, settings_.level);
        e.estimate.lower = exact.lower;
        e.estimate.upper = exact.upper;
      }
    }
    if (hits(j) == 0) {
      e.note = integrands_->has_level(j) ? "the event was never seen" : "zero at every point";
      if (underflowed(j)) {
        e.note = "the weights have underflowed";
        e.estimate.value = nan;
      }
      if (!plain() || !integrands_->has_level(j)) {
        e.estimate.std_error = nan;
        e.estimate.lower = integrands_->has_level(j) ? 0 : -infinity;
        e.estimate.upper = integrands_->has_level(j) ? 1 : infinity;
      }
    }
    if (collapsed(j)) {
      e.note = "the weights have collapsed";
      e.estimate.std_error = nan;
      e.estimate.effective_size = 0;
      e.estimate.lower = integrands_->has_level(j) ? 0 : -infinity;
      e.estimate.upper = integrands_->has_level(j) ? 1 : infinity;
    }
    list.push_back(std::move(e));
  }
  return list;
}

void MixtureSample::record(std::int64_t evaluations) {
  const Solution s = solve();
  convergence_.push_back(static_cast<double>(evaluations));
  for (Index j = 0; j < s.value.size(); ++j) {
    convergence_.push_back(s.value(j) * unit(j));
    convergence_.push_back(std::sqrt(s.covariance(j, j)) * unit(j));
  }
}

Table MixtureSample::convergence() const {
  Table table;
  table.name = "convergence";
  table.title = "Estimates as the sample grows";
  table.columns = {"evaluations"};
  for (const auto& name : integrands_->names()) {
    table.columns.push_back(name);
    table.columns.push_back(name + ".std_error");
  }
  const auto width = static_cast<Index>(table.columns.size());
  const Index rows = static_cast<Index>(convergence_.size()) / width;
  table.rows = Eigen::Map<const Eigen::MatrixXd>(convergence_.data(), width, rows).transpose();
  return table;
}

Table MixtureSample::weights() const {
  Table table;
  table.name = "weights";
  table.title = "Importance weights of the first points, normalised to mean 1";
  table.columns = {"weight"};
  table.rows = Eigen::Map<const Eigen::VectorXd>(sums_.weights.data(), static_cast<Index>(sums_.weights.size()));
  const double mean = table.rows.size() > 0 ? table.rows.mean() : 0;
  if (mean > 0) table.rows /= mean;
  return table;
}

void MixtureSample::report(Outcome& outcome) const {
  if (!known()) return;
  const Index count = integrands_->count();
  const auto n = static_cast<double>(points_);
  const auto& names = integrands_->names();

  const std::vector<NamedEstimate> found = estimates();
  std::vector<std::string> unseen, lost, broken, few, dominated, rough, heavy, wasteful;
  Eigen::VectorXd ess(count), share(count), tail(count);
  for (Index j = 0; j < count; ++j) {
    const auto& name = names[static_cast<std::size_t>(j)];
    const Terms t = terms(j);
    ess(j) = t.effective_size;
    share(j) = t.largest_share;
    tail(j) = t.tail_index;
    if (underflowed(j)) {
      lost.push_back(name);
    } else if (hits(j) == 0) {
      unseen.push_back(name);
    } else if (collapsed(j)) {
      broken.push_back(name);
    } else if (hits(j) < few_hits) {
      few.push_back(name);
    } else if (doubtful(j)) {
      (t.dominated ? dominated : t.heavy ? heavy : rough).push_back(name);
    }
    const double equal_plain = found[static_cast<std::size_t>(j)].estimate.effective_size;
    if (!plain() && !integrands_->has_level(j) && hits(j) > 0 && equal_plain < 0.5 * n) wasteful.push_back(name);
  }

  outcome.diagnostics.push_back({"hits", std::vector<double>(sums_.hits.begin(), sums_.hits.end()), "number of points that contribute to every expectation"});
  if (!plain()) {
    Eigen::VectorXd weight_ess = sums_.weight_sums.col(0).cwiseAbs2().cwiseQuotient(sums_.weight_sums.col(1).cwiseMax(1e-300));
    outcome.diagnostics.push_back({"weights.effective_size", to_list(weight_ess), "effective sample size (sum w)^2 / sum w^2 of the weights f/q, per law"});
    outcome.diagnostics.push_back(
        {"weights.mean", to_list(sums_.weight_sums.col(0) / n), "mean weight f/q, per law; close to 1 when the sample covers the law"});
    outcome.diagnostics.push_back(
        {"contributions.effective_size", to_list(ess), "effective sample size of the terms |phi| f/q that make up every expectation"});
    outcome.tables.push_back(weights());
  }
  const std::string tail_meaning = "; from 0.5 on their variance is infinite and the error bar cannot be trusted";
  if (!from_laws()) {
    outcome.diagnostics.push_back({"contributions.largest_share", to_list(share), "share of the largest single term in every expectation"});
    outcome.diagnostics.push_back({"contributions.tail_index", to_list(tail), "Pareto tail index of the largest terms" + tail_meaning});
  } else if (!share.array().isNaN().all()) {
    outcome.diagnostics.push_back(
        {"deviations.largest_share", to_list(share), "share of the largest single value in the sum of squared deviations behind the error bar"});
    outcome.diagnostics.push_back({"deviations.tail_index", to_list(tail), "Pareto tail index of the largest deviations from the median" + tail_meaning});
  }

  const auto warn = [&](const std::vector<std::string>& which, const std::string& text) {
    if (!which.empty()) outcome.warnings.push_back(listing(which) + ": " + text);
  };
  warn(unseen, plain() ? "no point among " + std::to_string(points_) + " had a value other than zero; a rare event needs importance sampling (method aiscv)"
                       : "no point of the final sample had a value other than zero, so nothing is known of the error");
  warn(lost,
       "the weights have underflowed: no draw lies where the law of the inputs has its mass, so neither value nor error is known; the densities drawn "
       "from are too narrow or lie elsewhere, as happens when they are fitted to few points in many dimensions (here " +
           std::to_string(integrands_->dimension()) + "); use plain_monte_carlo, or diagonal = true with more max_evaluations");
  warn(few, "fewer than 10 points contributed, so the error bar is rough");
  warn(broken,
       "the weights have collapsed: fewer than 5 effective terms make up the value, which may be wrong by orders of magnitude; raise max_evaluations, "
       "fit less (diagonal = true), or use plain_monte_carlo");
  if (from_laws()) {
    const std::string consequence =
        ": the interval cannot be trusted, it may miss the true value far more often than it says; repeat with ten times max_evaluations and compare";
    warn(dominated, "one value alone carries more than 10 % of the variance" + consequence);
    warn(heavy, "the largest values have so heavy a tail that the variance may be infinite" + consequence);
  } else {
    warn(dominated, "one point carries more than 5 % of the estimate; the law drawn from misses a part that matters, and the error bar is too small");
    warn(heavy, "the terms have a heavy tail (tail index above 0.5); the error bar is not to be trusted");
  }
  warn(rough, "fewer than 200 effective terms make up the value; the error bar is rough and may be too small");
  warn(wasteful, "plain Monte Carlo would be more precise at the same number of evaluations");
}

}  // namespace buffon
