// SPDX-License-Identifier: BSD-3-Clause
#include "aiscv_exploration.hpp"

#include <buffon/core/constants.hpp>
#include <buffon/estimators/mixture_weights.hpp>
#include <buffon/linalg/log_space.hpp>
#include <buffon/linalg/vector_math.hpp>
#include <buffon/parallel/blocks.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <utility>

namespace buffon {
namespace {

using constants::infinity;
using constants::nan;
constexpr double log_two = 0.69314718055994530942;
constexpr std::int64_t exploration_block = 1024;
// An indicator leaves f its tails, and ∫ f² / g is finite for normal laws only when the variances of g are more than half of
// those of f; the moments above a threshold are narrower than that.
constexpr double least_event_variance = 0.6;
// Regression uses every g_l / g_α as a control; a few points for every density keep all of them bounded (by J / share), since
// rare huge controls would govern the fit.
constexpr double regression_share = 0.05;
constexpr double largest_log_ratio = 300;  // squares of density ratios stay finite

void exp_in_place(MutMatrix m) {
  for (Index c = 0; c < m.cols(); ++c) {
    std::span<double> column(m.col(c).data(), static_cast<std::size_t>(m.rows()));
    vector_exp(column, column);
  }
}

double effective_size(const Eigen::VectorXd& weights) {
  const double sum = weights.sum();
  return sum > 0 ? sum * sum / weights.squaredNorm() : 0;
}

// The same density with every variance, relative to the covariance F Fᵀ of f, at least `least_event_variance`.
GaussianMixture widened(const GaussianMixture& narrow, const Eigen::MatrixXd& factor, bool diagonal) {
  GaussianMixture wide = narrow;
  const auto lower = factor.triangularView<Eigen::Lower>();
  for (Gaussian& part : wide.parts) {
    Eigen::MatrixXd covariance = part.covariance();
    if (diagonal) {
      covariance.diagonal() = covariance.diagonal().cwiseMax(least_event_variance * factor.rowwise().squaredNorm());
    } else {
      const Eigen::MatrixXd half = lower.solve(covariance);
      const Eigen::MatrixXd relative = lower.solve(half.transpose());
      const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(relative);
      if (eigen.eigenvalues().minCoeff() >= least_event_variance) continue;
      const Eigen::MatrixXd axes = factor * eigen.eigenvectors();
      covariance = axes * eigen.eigenvalues().cwiseMax(least_event_variance).asDiagonal() * axes.transpose();
    }
    part = Gaussian::from_covariance(part.mean(), covariance, {.diagonal = diagonal});
  }
  return wide;
}

}  // namespace

void AiscvRound::describe_state(Archive& archive) {
  archive.item("label", label);
  archive.item("points", points);
  archive.item("criterion", criterion);
  archive.item("smallest_size", smallest_size);
  archive.item("largest_share", largest_share);
  archive.item("alpha_iterations", alpha_iterations);
}

AiscvExploration::AiscvExploration(std::shared_ptr<const Integrands> integrands, const AiscvOptions& options, const Stream& stream)
    : integrands_(std::move(integrands)), options_(options), points_stream_(stream.child("exploration")), fit_stream_(stream.child("fit")) {
  const auto j = static_cast<std::size_t>(count());
  const Index laws = integrands_->common_law() ? 1 : count();
  x_.resize(integrands_->dimension(), 0);
  phi_.resize(count(), 0);
  log_f_.resize(laws, 0);
  level_.resize(0, 0);
  exponents_.assign(j, 0);
  seen_.assign(j, 0);
  pilot_seen_.assign(j, 0);
  temper_state_.assign(j, 0);
  threshold_.assign(j, -infinity);
  thin_.assign(j, 0);
  stuck_.assign(j, 0);
  tempered_.resize(j);
  log_weights_ = Eigen::VectorXd::Zero(count());
  if (options_.weights == AiscvWeights::custom) {
    for (Index k = 0; k < count(); ++k) log_weights_(k) = std::log(options_.custom_weights[static_cast<std::size_t>(k)]);
  }
  if (options_.start == AiscvStart::tempering) {
    for (Index k = 0; k < count(); ++k) {
      tempering_ = tempering_ || integrands_->has_level(k);
      temper_state_[static_cast<std::size_t>(k)] = integrands_->has_level(k) ? 1 : 0;
    }
  }
  if (tempering_) level_.resize(count(), 0);
}

double AiscvExploration::unit(Index j) const { return std::ldexp(1.0, -static_cast<int>(exponents_[static_cast<std::size_t>(j)])); }

std::int64_t AiscvExploration::cap() const {
  return static_cast<std::int64_t>(std::floor(options_.exploration_fraction * static_cast<double>(points_in_all())));
}

std::int64_t AiscvExploration::batch() const { return std::max<std::int64_t>(2, cap() / options_.exploration_batches); }

Eigen::VectorXd AiscvExploration::log_law(Context& context, const AuxiliaryMixture& law, const ConstMatrix& x, const ConstMatrix& log_f) const {
  Eigen::VectorXd log_q(x.cols());
  for_blocks(context, x.cols(), exploration_block, [&](const Block& block) {
    Eigen::VectorXd log_h(block.size());
    initial_log_density(*integrands_, log_f.middleCols(block.begin, block.size()), log_h);
    Eigen::MatrixXd none(0, 0);
    law.log_density(x.middleCols(block.begin, block.size()), log_h, log_q.segment(block.begin, block.size()), none);
  });
  return log_q;
}

void AiscvExploration::draw(Context& context, const AuxiliaryMixture& law, std::int64_t points) {
  const Index old = x_.cols();
  const Index laws = log_f_.rows();
  Eigen::MatrixXd x(x_.rows(), points), phi(count(), points), log_f(laws, points);
  Eigen::MatrixXd level = Eigen::MatrixXd::Constant(level_.rows(), level_.rows() > 0 ? points : 0, -infinity);
  for_blocks(context, points, exploration_block, [&](const Block& block) {
    std::vector<Index> component;
    auto part = x.middleCols(block.begin, block.size());
    law.sample(*integrands_, points_stream_, static_cast<std::uint64_t>(old + block.begin), options_.sampling == AiscvSampling::stratified, part, component);
    integrands_->log_densities(part, log_f.middleCols(block.begin, block.size()));
  });
  evaluate_points(context, *integrands_, x, phi, level);

  laws_.push_back(law);
  law_points_.push_back(points);
  Eigen::MatrixXd terms(static_cast<Index>(laws_.size()), points);
  Eigen::VectorXd log_share(static_cast<Index>(laws_.size()));
  for (std::size_t k = 0; k < laws_.size(); ++k) {
    terms.row(static_cast<Index>(k)) = log_law(context, laws_[k], x, log_f).transpose();
    log_share(static_cast<Index>(k)) = std::log(static_cast<double>(law_points_[k]));
  }
  Eigen::VectorXd log_mix(points);
  log_sum_exp_columns(terms, log_share, log_mix);
  if (old > 0) {
    Eigen::MatrixXd both(2, old);
    both.row(0) = log_mix_.transpose();
    both.row(1) = (log_law(context, law, x_, log_f_).array() + log_share(log_share.size() - 1)).matrix().transpose();
    log_sum_exp_columns(both, Eigen::Vector2d::Zero(), log_mix_);
  }
  const Index total = old + points;
  const auto append = [&](Eigen::MatrixXd& into, const Eigen::MatrixXd& from) {
    into.conservativeResize(Eigen::NoChange, total);
    into.rightCols(points) = from;
  };
  append(x_, x);
  append(phi_, phi);
  append(log_f_, log_f);
  if (level_.rows() > 0) append(level_, level);
  log_mix_.conservativeResize(total);
  log_mix_.tail(points) = log_mix;
  spent_ = total;
}

Eigen::VectorXd AiscvExploration::ratios_to_sample(const ConstVector& log_density) const {
  const double log_n = std::log(static_cast<double>(used()));
  Eigen::VectorXd ratio = (log_density.array() - log_mix_.array() + log_n).min(largest_log_ratio);
  exp_in_place(ratio);
  return ratio;
}

void AiscvExploration::summarise() {
  const auto n = static_cast<double>(used());
  mean_.setZero(count());
  variance_.setZero(count());
  for (Index j = 0; j < count(); ++j) {
    const auto at = static_cast<std::size_t>(j);
    const Eigen::VectorXd ratio = ratios_to_sample(log_f_.row(law_row(j)).transpose());
    const auto phi = phi_.row(j).transpose();
    std::int64_t seen = 0;
    for (Index i = 0; i < used(); ++i) seen += ratio(i) > 0 && phi(i) != 0 ? 1 : 0;
    if (seen == 0) continue;
    if (seen_[at] == 0) {  // log2 of the mean of |φ| f / h: from now on the unit of φ_j
      Eigen::VectorXd logs(used());
      for (Index i = 0; i < used(); ++i) logs(i) = ratio(i) > 0 ? std::log(ratio(i)) + std::log(std::abs(phi(i))) : -infinity;
      exponents_[at] = std::clamp<std::int64_t>(std::lround((log_sum_exp(logs) - std::log(n)) / log_two), -1000, 1000);
    }
    seen_[at] = seen;
    Eigen::VectorXd terms(used());
    for (Index i = 0; i < used(); ++i) terms(i) = ratio(i) > 0 ? ratio(i) * (phi(i) * unit(j)) : 0;
    mean_(j) = terms.mean();
    variance_(j) = (terms.array() - mean_(j)).square().sum() / (n - 1);
  }
  renew_weights((variance_ / n).cwiseSqrt());
}

void AiscvExploration::renew_weights(const Eigen::VectorXd& standard_errors) {
  if (options_.weights != AiscvWeights::relative) return;
  for (Index j = 0; j < count(); ++j) {
    // An estimate below its own error says no more about I_j than that error does.
    const double size = std::max(std::abs(mean_(j)), standard_errors(j));
    const double exponent = static_cast<double>(exponents_[static_cast<std::size_t>(j)]);
    log_weights_(j) = size > 0 ? -2 * (std::log(size) + exponent * log_two) : -2 * exponent * log_two;
  }
}

Eigen::VectorXd AiscvExploration::scaled_weights() const {
  Eigen::VectorXd log_w = log_weights_;
  for (Index j = 0; j < count(); ++j) log_w(j) += 2 * log_two * static_cast<double>(exponents_[static_cast<std::size_t>(j)]);
  return (log_w.array() - log_w.maxCoeff()).exp();
}

GaussianFit AiscvExploration::fit_settings() const {
  return {.ridge = options_.ridge, .scale = scale_, .diagonal = options_.diagonal, .parts = options_.family == AiscvFamily::gaussian ? 1 : options_.components};
}

Eigen::MatrixXd AiscvExploration::law_factor(const Eigen::VectorXd& ratio) const {
  if (integrands_->standard_normal()) return Eigen::MatrixXd::Identity(x_.rows(), x_.rows());
  GaussianFit settings = fit_settings();
  settings.parts = 1;
  return fit_gaussian_mixture(x_, ratio, settings, fit_stream_).parts.front().lower();
}

void AiscvExploration::pilot(Context& context) {
  AuxiliaryMixture initial;
  initial.initial_share = 1;
  draw(context, initial, batch());
  scale_ = Eigen::VectorXd::Ones(x_.rows());
  if (!integrands_->standard_normal() && !options_.absolute_ridge) {
    const Eigen::VectorXd centre = x_.rowwise().mean();
    scale_ = (x_.colwise() - centre).rowwise().squaredNorm() / static_cast<double>(used() - 1);
  }
  summarise();
  pilot_seen_ = seen_;
  const Eigen::VectorXd w = scaled_weights();
  rounds_.push_back({"pilot", used(), w.dot(variance_) / static_cast<double>(points_in_all() - used()), nan, nan, nan});
  finished_ = used() + batch() > cap();
}

void AiscvExploration::adapt(Context& context) {
  const Index old = used();
  const std::int64_t round = rounds();
  summarise();
  const Eigen::VectorXd variance_before = adapted_ ? law_variance_ : variance_;

  // (a) densities, one integrand per block: sums run over points in their order.
  AuxiliaryMixture next;
  next.densities.resize(static_cast<std::size_t>(count()));
  Eigen::MatrixXd value(old, count());  // f_j φ_j / h in units of φ_j
  Eigen::VectorXd sizes(count());
  const GaussianFit settings = fit_settings();
  for_blocks(context, count(), 1, [&](const Block& block) {
    const Index j = block.index;
    const auto at = static_cast<std::size_t>(j);
    const Eigen::VectorXd ratio = ratios_to_sample(log_f_.row(law_row(j)).transpose());
    for (Index i = 0; i < old; ++i) value(i, j) = ratio(i) > 0 ? ratio(i) * (phi_(j, i) * unit(j)) : 0;
    const Eigen::VectorXd weight = value.col(j).cwiseAbs();
    sizes(j) = effective_size(weight);
    const Stream labels = fit_stream_.peek("integrand", static_cast<std::uint64_t>(j)).peek("round", static_cast<std::uint64_t>(round));
    if (sizes(j) > 0) {
      next.densities[at] = fit_gaussian_mixture(x_, weight, settings, labels);
      if (integrands_->has_level(j)) next.densities[at] = widened(next.densities[at], law_factor(ratio), options_.diagonal);
    } else if (adapted_) {
      next.densities[at] = law_.densities[at];
    } else {  // nothing seen of φ_j yet: the Gaussian of f_j itself
      next.densities[at] = fit_gaussian_mixture(x_, ratio, {.ridge = settings.ridge, .scale = settings.scale, .diagonal = settings.diagonal}, labels);
    }
    // A density that is kept, since nothing of φ_j is left to fit, stays as thin as it was.
    if (sizes(j) > 0) thin_[at] = sizes(j) < 2.0 * static_cast<double>(settings.parts * (options_.diagonal ? 2 : x_.rows() + 1)) ? 1 : 0;
  });

  // (b) mixture weights from F̂(α) on all points, with the control parameters of the step before.
  const Eigen::VectorXd w = scaled_weights();
  Eigen::VectorXd beta(count());
  for (Index j = 0; j < count(); ++j) beta(j) = adapted_ ? law_.beta(j) * unit(j) : mean_(j);
  Eigen::MatrixXd ratios(old, count());
  Eigen::VectorXd costs(old);
  const double log_n = std::log(static_cast<double>(old));
  for_blocks(context, old, exploration_block, [&](const Block& block) {
    const auto rows = Eigen::seqN(block.begin, block.size());
    Eigen::VectorXd log_g(block.size());
    auto cost = costs.segment(block.begin, block.size());
    cost.setZero();
    for (Index j = 0; j < count(); ++j) {
      next.densities[static_cast<std::size_t>(j)].log_density(x_.middleCols(block.begin, block.size()), log_g);
      log_g = (log_g - log_mix_.segment(block.begin, block.size())).array().min(largest_log_ratio - log_n) + log_n;
      exp_in_place(log_g);
      ratios(rows, j) = log_g;
      cost.array() += w(j) * (value(rows, j) - beta(j) * log_g).array().square();
    }
  });
  Eigen::VectorXd start(count());
  for (Index j = 0; j < count(); ++j) {
    const bool seen = seen_[static_cast<std::size_t>(j)] > 0;
    start(j) = adapted_ ? law_.alpha(j) : seen ? std::sqrt(w(j)) * std::abs(mean_(j)) : options_.weights == AiscvWeights::relative ? 1.0 : 0.0;
  }
  if (!(start.sum() > 0)) start.setOnes();
  MixtureWeights best = minimise_mixture_weights(context, ratios, costs, start);
  next.alpha = std::move(best.alpha);
  if (options_.control == AiscvControl::regression) {
    next.alpha = (1 - regression_share) * next.alpha.array() + regression_share / static_cast<double>(count());
  }

  // (c) a batch of the new law; (e) balance weights of all points are renewed with it.
  const std::int64_t points = batch();
  draw(context, next, points);

  // (d) control parameters and (f) variances from the new batch only.
  next.beta.resize(count());
  Eigen::VectorXd variance(count());
  const Eigen::VectorXd log_q = log_law(context, next, x_.rightCols(points), log_f_.rightCols(points));
  for_blocks(context, count(), 1, [&](const Block& block) {
    const Index j = block.index;
    Eigen::VectorXd a(points), b(points);
    next.densities[static_cast<std::size_t>(j)].log_density(x_.rightCols(points), a);
    a -= log_q;
    exp_in_place(a);
    Eigen::VectorXd ratio = log_f_.row(law_row(j)).tail(points).transpose() - log_q;
    exp_in_place(ratio);
    for (Index i = 0; i < points; ++i) b(i) = ratio(i) > 0 ? ratio(i) * (phi_(j, old + i) * unit(j)) : 0;
    const Eigen::ArrayXd da = a.array() - a.mean();
    const Eigen::ArrayXd db = b.array() - b.mean();
    const double spread = da.square().sum();
    // A control that does not vary (α_j = 1) controls nothing.
    const double control = spread > 1e-14 * static_cast<double>(points) ? (da * db).sum() / spread : b.mean();
    next.beta(j) = control / unit(j);
    variance(j) = (db - control * da).square().sum() / static_cast<double>(points - 1);
  });

  previous_ = std::move(law_);
  law_ = std::move(next);
  const bool first = !adapted_;
  adapted_ = true;
  const double before = w.dot(variance_before) / static_cast<double>(points_in_all() - old);
  const double now = w.dot(variance) / static_cast<double>(points_in_all() - used());
  law_variance_ = variance;
  rounds_.push_back({"adaptation " + std::to_string(++adaptations_), used(), now, sizes.minCoeff(), law_.alpha.maxCoeff(),
                     static_cast<double>(best.values.empty() ? 0 : best.values.size() - 1)});
  if (before <= now) {
    finished_ = true;
    use_previous_ = options_.final == AiscvFinal::previous;
    if (use_previous_ && first) previous_ = {};
    stop_reason_ = "another round of exploration no longer lowered the predicted variance";
  } else if (used() + batch() > cap()) {
    finished_ = true;
    stop_reason_ = "the exploration share of the budget was spent";
  }
}

AuxiliaryMixture AiscvExploration::final_law() const {
  AuxiliaryMixture law = use_previous_ ? previous_ : law_;
  if (law.densities.empty()) law.initial_share = 1;
  return law;
}

void AiscvExploration::release_points() {
  x_.resize(x_.rows(), 0);
  phi_.resize(phi_.rows(), 0);
  log_f_.resize(log_f_.rows(), 0);
  level_.resize(level_.rows(), 0);
  log_mix_.resize(0);
  laws_.clear();
  law_points_.clear();
}

void AiscvExploration::describe_state(Archive& archive) {
  archive.item("x", x_);
  archive.item("phi", phi_);
  archive.item("log_f", log_f_);
  archive.item("level", level_);
  archive.item("log_mix", log_mix_);
  archive.item("laws", laws_);
  archive.item("law_points", law_points_);
  archive.item("scale", scale_);
  archive.item("exponents", exponents_);
  archive.item("seen", seen_);
  archive.item("pilot_seen", pilot_seen_);
  archive.item("mean", mean_);
  archive.item("variance", variance_);
  archive.item("law_variance", law_variance_);
  archive.item("log_weights", log_weights_);
  archive.item("law", law_);
  archive.item("previous", previous_);
  archive.item("rounds", rounds_);
  archive.item("adaptations", adaptations_);
  archive.item("tempered", tempered_);
  archive.item("temper_state", temper_state_);
  archive.item("threshold", threshold_);
  archive.item("levels_done", levels_done_);
  archive.item("tempering", tempering_);
  archive.item("finished", finished_);
  archive.item("adapted", adapted_);
  archive.item("use_previous", use_previous_);
  archive.item("spent", spent_);
  archive.item("thin", thin_);
  archive.item("stuck", stuck_);
  archive.item("stop_reason", stop_reason_);
}

}  // namespace buffon
