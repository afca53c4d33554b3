// SPDX-License-Identifier: BSD-3-Clause
#include "option_words.hpp"

#include <buffon/estimators/sobol.hpp>

#include <buffon/core/archive.hpp>
#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace buffon {
namespace {

const std::string preparing_sobol = "preparing sobol";
constexpr std::int64_t fewest_samples = 10;
constexpr std::int64_t rows_of_convergence = 32;
constexpr std::int64_t most_samples_in_round = 65536;  // samples: bounds memory and the time between checkpoints

// Summands of one output: shared by all hybrids (y_A, y_B, y_A², y_B², y_A y_B), then four per hybrid (y_E, y_E², y_A y_E, y_B y_E).
constexpr Index a = 0, b = 1, aa = 2, bb = 3, ab = 4, shared_count = 5;
constexpr Index e = 0, ee = 1, ae = 2, be = 3, hybrid_count = 4;

/// Value and gradient with respect to the nine means that one index depends on.
struct Dual {
  static constexpr std::size_t size = shared_count + hybrid_count;
  double value = 0;
  std::array<double, size> gradient{};
};

template <class Rule>
Dual combine(const Dual& x, const Dual& y, double value, Rule&& rule) {
  Dual r{.value = value};
  for (std::size_t i = 0; i < Dual::size; ++i) r.gradient[i] = rule(x.gradient[i], y.gradient[i]);
  return r;
}
Dual operator+(const Dual& x, const Dual& y) {
  return combine(x, y, x.value + y.value, [](double p, double q) { return p + q; });
}
Dual operator-(const Dual& x, const Dual& y) {
  return combine(x, y, x.value - y.value, [](double p, double q) { return p - q; });
}
Dual operator*(const Dual& x, const Dual& y) {
  return combine(x, y, x.value * y.value, [&](double p, double q) { return p * y.value + x.value * q; });
}
Dual operator/(const Dual& x, const Dual& y) {
  const double ratio = x.value / y.value;
  return combine(x, y, ratio, [&](double p, double q) { return (p - ratio * q) / y.value; });
}
Dual operator*(double c, const Dual& x) {
  return combine(x, x, c * x.value, [&](double p, double) { return c * p; });
}
Dual one_minus(const Dual& x) {
  return combine(x, x, 1 - x.value, [](double p, double) { return -p; });
}
Dual root(const Dual& x) {
  const double r = std::sqrt(x.value);
  return combine(x, x, r, [&](double p, double) { return p / (2 * r); });
}

/// The index from the nine means, in the order Shared, PerHybrid.
Dual index_formula(SobolEstimator estimator, bool total, const std::array<double, Dual::size>& means) {
  std::array<Dual, Dual::size> v;
  for (std::size_t i = 0; i < Dual::size; ++i) {
    v[i].value = means[i];
    v[i].gradient[i] = 1;
  }
  const Dual &y_a = v[0], &y_b = v[1], &y_aa = v[2], &y_bb = v[3], &y_ab = v[4], &y_e = v[5], &y_ee = v[6], &y_ae = v[7], &y_be = v[8];
  const Dual mean = 0.5 * (y_a + y_b);
  const Dual variance = 0.5 * (y_aa + y_bb) - mean * mean;
  switch (estimator) {
    case SobolEstimator::martinez: {
      const Dual variance_e = y_ee - y_e * y_e;
      if (total) return one_minus((y_ae - y_a * y_e) / root((y_aa - y_a * y_a) * variance_e));
      return (y_be - y_b * y_e) / root((y_bb - y_b * y_b) * variance_e);
    }
    case SobolEstimator::mauntz_kucherenko:
      if (total) return (y_aa - y_ae - mean * (y_a - y_e)) / variance;
      return (y_be - y_ab - mean * (y_e - y_a)) / variance;
    case SobolEstimator::saltelli:
      if (total) return one_minus((y_ae - y_a * y_b) / variance);
      return (y_be - y_a * y_b) / variance;
    case SobolEstimator::jansen:
      if (total) return (y_aa - 2.0 * y_ae + y_ee) / (2.0 * variance);
      return one_minus((y_bb - 2.0 * y_be + y_ee) / (2.0 * variance));
  }
  return {};
}

/// Rows of the nine means in the vector of all summands.
std::array<Index, Dual::size> rows_of(std::size_t design) {
  std::array<Index, Dual::size> rows{};
  for (Index i = 0; i < shared_count; ++i) rows[static_cast<std::size_t>(i)] = i;
  for (Index i = 0; i < hybrid_count; ++i) {
    rows[static_cast<std::size_t>(shared_count + i)] = shared_count + hybrid_count * static_cast<Index>(design) + i;
  }
  return rows;
}

template <class Vector>
std::array<double, Dual::size> pick(const Vector& all, const std::array<Index, Dual::size>& rows) {
  std::array<double, Dual::size> values{};
  for (std::size_t i = 0; i < Dual::size; ++i) values[i] = all(rows[i]);
  return values;
}

/// Poisson(1) variate by inversion.
double poisson_one(double u) {
  double term = std::exp(-1.0);
  double cumulated = term;
  int k = 0;
  while (u > cumulated && k < 20) {
    ++k;
    term /= k;
    cumulated += term;
  }
  return k;
}

/// Effective number of the squared deviations that make up the variance, (Σ u)² / Σ u² with u = (z − ⟨z⟩)² over A and B.
/// From Var(u) = Var(z²) − 4⟨z⟩ Cov(z, z²) + 4⟨z⟩² Var(z).
double effective_squares(const CovarianceAccumulator& moments) {
  const Eigen::MatrixXd c = moments.covariance();
  double sum = 0, squares = 0;
  for (const auto& [z, zz] : {std::pair(a, aa), std::pair(b, bb)}) {
    const double mean = moments.mean()(z), variance = c(z, z);
    sum += variance;
    squares += std::max(0.0, c(zz, zz) - 4 * mean * c(z, zz) + 4 * mean * mean * variance) + variance * variance;
  }
  return static_cast<double>(moments.count()) * (sum / squares) * sum;
}

std::int64_t checked_samples(const SobolOptions& options, std::size_t designs) {
  const auto per_sample = static_cast<std::int64_t>(designs) + 2;
  const std::int64_t samples = (options.max_evaluations - options.pilot) / per_sample;
  if (samples < fewest_samples) {
    throw Error(ErrorCategory::configuration, {.doing = preparing_sobol,
                                               .key = "options.max_evaluations",
                                               .value = std::to_string(options.max_evaluations),
                                               .rule = "must pay for a pilot of " + std::to_string(options.pilot) + " and " + std::to_string(fewest_samples) +
                                                       " samples of " + std::to_string(per_sample) + " model evaluations",
                                               .remedy = "give at least " + std::to_string(options.pilot + fewest_samples * per_sample)});
  }
  return samples;
}

}  // namespace

void describe(OptionVisitor& v, SobolOptions& o) {
  static constexpr std::array<std::string_view, 2> orders = {"first", "total"};
  v.on({.name = "max_evaluations", .meaning = "model evaluations at most, the pilot included", .unit = "evaluations", .range = between(20, 9e15)},
       o.max_evaluations);
  v.on({.name = "estimator", .meaning = "formula of the indices; martinez is a good choice for first and total indices of any size"}, o.estimator,
       sobol_estimator_names);
  v.on({.name = "orders", .meaning = "indices of every single input", .choices = orders, .size_max = 2}, o.orders);
  v.on({.name = "subsets", .meaning = "sets of inputs, by name, whose closed index is wanted (and total index when orders has \"total\")"}, o.subsets);
  v.on({.name = "outputs", .meaning = "outputs to analyse, by name; empty = all"}, o.outputs);
  v.on({.name = "pilot", .meaning = "first evaluations, which only shift and scale the output", .unit = "evaluations", .range = between(2, 1e6)}, o.pilot);
  describe_level(v, o.level);
  v.on({.name = "bootstrap",
        .meaning = "replicates of a Poisson bootstrap for percentile intervals; 0 = normal intervals by the delta method",
        .unit = "replicates",
        .range = between(0, 100000)},
       o.bootstrap);
  v.on({.name = "target_half_width", .meaning = "stop when no half-width of an interval exceeds this; 0 = spend max_evaluations", .range = at_least(0)},
       o.target_half_width);
}

struct Sobol::Part {
  std::vector<CovarianceAccumulator> moments;
  std::vector<Eigen::MatrixXd> replicates;

  static void merge(Part& into, const Part& from) {
    for (std::size_t q = 0; q < into.moments.size(); ++q) into.moments[q].merge(from.moments[q]);
    for (std::size_t q = 0; q < into.replicates.size(); ++q) into.replicates[q] += from.replicates[q];
  }

  void describe_state(Archive& archive) {
    archive.item("moments", moments);
    bool resampled = !replicates.empty();
    archive.item("resampled", resampled);
    if (archive.loading()) replicates.resize(resampled ? moments.size() : 0);
    for (auto& sums : replicates) archive.item("replicates", sums);
  }
};

Sobol::Sobol(Problem problem, SobolOptions options, const Stream& stream)
    : problem_(std::move(problem)),
      options_(std::move(options)),
      pilot_stream_(stream.child("pilot")),
      a_stream_(stream.child("a")),
      b_stream_(stream.child("b")),
      bootstrap_stream_(stream.child("bootstrap")) {
  check_options("sobol", options_);
  const JointLaw& law = problem_.single_law("sobol");
  require_independent(law, preparing_sobol);
  outputs_ = outputs_from_names(options_.outputs, problem_, preparing_sobol);

  const auto has = [&](std::string_view order) { return std::find(options_.orders.begin(), options_.orders.end(), order) != options_.orders.end(); };
  const bool first = has("first"), total = has("total");
  if (options_.orders.size() == 2 && !(first && total)) {
    throw Error(ErrorCategory::configuration,
                {.doing = preparing_sobol, .key = "options.orders", .value = options_.orders[0], .rule = "may be given once only"});
  }
  const std::vector<InputSubset> closed = subsets_from_names(options_.subsets, law.names(), preparing_sobol);
  if (options_.orders.empty() && closed.empty()) {
    throw Error(ErrorCategory::configuration, {.doing = preparing_sobol,
                                               .key = "options.orders",
                                               .value = "[]",
                                               .rule = "must not be empty when there are no subsets: no index would be computed",
                                               .remedy = "give orders = [\"first\", \"total\"]"});
  }
  if (first || total) {
    for (Index i = 0; i < law.size(); ++i) designs_.push_back({i});
  }
  const std::size_t singles = designs_.size();
  std::vector<std::size_t> closed_designs;
  for (const auto& subset : closed) {
    auto found = std::find(designs_.begin(), designs_.end(), subset);
    if (found == designs_.end()) found = designs_.insert(designs_.end(), subset);
    closed_designs.push_back(static_cast<std::size_t>(found - designs_.begin()));
  }
  for (std::size_t q = 0; q < outputs_.size(); ++q) {
    if (first) {
      for (std::size_t k = 0; k < singles; ++k) wanted_.push_back({"first", q, k});
    }
    if (total) {
      for (std::size_t k = 0; k < designs_.size(); ++k) wanted_.push_back({"total", q, k});
    }
    for (const std::size_t k : closed_designs) wanted_.push_back({"closed", q, k});
  }

  total_samples_ = checked_samples(options_, designs_.size());
  // Small blocks for small budgets (slow models), so that progress and cancellation have a fine grain.
  block_size_ = std::clamp<std::int64_t>(total_samples_ / 64, 1, 256);
  round_size_ = block_count(std::min(block_count(total_samples_, rows_of_convergence), most_samples_in_round), block_size_) * block_size_;
}

std::vector<std::string> Sobol::names_of(const InputSubset& subset) const {
  const auto& inputs = problem_.scenarios().front().law.inputs();
  std::vector<std::string> names;
  for (const Index i : subset) names.push_back(inputs[static_cast<std::size_t>(i)].name);
  return names;
}

void Sobol::step(Context& context) {
  if (finished()) return;
  if (shift_.size() == 0) {
    run_pilot(context);
  } else {
    run_samples(context);
  }
}

void Sobol::run_pilot(Context& context) {
  const std::int64_t n = options_.pilot;
  const auto quantities = static_cast<Index>(problem_.quantities().size());
  Eigen::MatrixXd y(quantities, n);
  for_shared_blocks(
      context, n, block_size_, Needed::everywhere,
      [&](const Block& block) {
        Eigen::MatrixXd x(problem_.dimension(), block.size());
        problem_.scenarios().front().law.sample(pilot_stream_, static_cast<std::uint64_t>(block.begin), x);
        problem_.evaluate(context, x, y.middleCols(block.begin, block.size()));
      },
      [&](std::int64_t block, Archive& archive) {
        const Index first = block * block_size_, size = std::min<Index>(block_size_, n - first);
        Eigen::MatrixXd values = y.middleCols(first, size);
        archive.item("values", values);
        y.middleCols(first, size) = values;
      });
  problem_.apply_events(y);
  const auto count = static_cast<Index>(outputs_.size());
  shift_.resize(count);
  scale_.resize(count);
  for (Index q = 0; q < count; ++q) {
    const auto row = y.row(outputs_[static_cast<std::size_t>(q)]);
    // Means of y / max|y| cannot overflow.
    const double largest = row.cwiseAbs().maxCoeff();
    const double unit = largest > 0 ? largest : 1;
    const double mean = (row / unit).mean();
    const double spread = std::sqrt((row.array() / unit - mean).square().mean());
    shift_(q) = mean * unit;
    scale_(q) = spread > 8 * std::numeric_limits<double>::epsilon() ? spread * unit : unit;
  }
}

Sobol::Part Sobol::sample_block(Context& context, std::int64_t begin, std::int64_t end) const {
  const JointLaw& law = problem_.scenarios().front().law;
  const Index n = end - begin, d = law.size(), quantities = static_cast<Index>(problem_.quantities().size());
  const auto hybrids = static_cast<Index>(designs_.size());
  Eigen::MatrixXd xa(d, n), xb(d, n), xe(d, n), y(quantities, n);
  law.sample(a_stream_, static_cast<std::uint64_t>(begin), xa);
  law.sample(b_stream_, static_cast<std::uint64_t>(begin), xb);

  // Row block k of z: output by output, centred and scaled; k = 0 for A, 1 for B, then the hybrids.
  const auto count = static_cast<Index>(outputs_.size());
  Eigen::MatrixXd z(count * (hybrids + 2), n);
  const auto evaluate = [&](const Eigen::MatrixXd& x, Index k) {
    problem_.evaluate(context, x, y);
    problem_.apply_events(y);
    for (Index q = 0; q < count; ++q) z.row(count * k + q) = (y.row(outputs_[static_cast<std::size_t>(q)]).array() - shift_(q)) / scale_(q);
  };
  evaluate(xa, 0);
  evaluate(xb, 1);
  for (Index k = 0; k < hybrids; ++k) {
    xe = xa;
    for (const Index i : designs_[static_cast<std::size_t>(k)]) xe.row(i) = xb.row(i);
    evaluate(xe, k + 2);
  }

  Eigen::MatrixXd weights;
  if (options_.bootstrap > 0) {
    weights.resize(options_.bootstrap, n);
    bootstrap_stream_.uniforms(static_cast<std::uint64_t>(begin), weights);
    weights = weights.unaryExpr(&poisson_one).eval();
  }

  Part part;
  Eigen::MatrixXd summands(shared_count + hybrid_count * hybrids, n);
  for (Index q = 0; q < count; ++q) {
    const auto za = z.row(q).array(), zb = z.row(count + q).array();
    summands.row(a) = za;
    summands.row(b) = zb;
    summands.row(aa) = za.square();
    summands.row(bb) = zb.square();
    summands.row(ab) = za * zb;
    for (Index k = 0; k < hybrids; ++k) {
      const auto ze = z.row(count * (k + 2) + q).array();
      const Index row = shared_count + hybrid_count * k;
      summands.row(row + e) = ze;
      summands.row(row + ee) = ze.square();
      summands.row(row + ae) = za * ze;
      summands.row(row + be) = zb * ze;
    }
    part.moments.emplace_back().add(summands);
    if (options_.bootstrap > 0) {
      Eigen::MatrixXd sums(summands.rows() + 1, options_.bootstrap);
      sums.row(0) = weights.rowwise().sum().transpose();
      sums.bottomRows(summands.rows()).noalias() = summands * weights.transpose();
      part.replicates.push_back(std::move(sums));
    }
  }
  return part;
}

void Sobol::run_samples(Context& context) {
  const std::int64_t first = samples_;
  const std::int64_t n = std::min(round_size_, total_samples_ - first);
  const std::optional<Part> round = reduce_shared<Part>(
      context, n, block_size_, [&](const Block& block) { return sample_block(context, first + block.begin, first + block.end); }, &Part::merge);
  samples_ += n;
  if (!round) {
    if (samples_ >= total_samples_) stop_reason_ = "the budget was spent";
    return;
  }
  if (moments_.empty()) {
    moments_ = round->moments;
    replicates_ = round->replicates;
  } else {
    Part all{std::move(moments_), std::move(replicates_)};
    Part::merge(all, *round);
    moments_ = std::move(all.moments);
    replicates_ = std::move(all.replicates);
  }
  require_variance();

  const std::vector<SobolIndex> estimates = indices();
  if (stop_reason_.empty()) check_targets(estimates);
  // About as many rows however many rounds.
  if (!stop_reason_.empty() || samples_ >= block_count(total_samples_, rows_of_convergence) * (convergence_.rows() + 1)) append_convergence(estimates);
}

void Sobol::check_targets(const std::vector<SobolIndex>& estimates) {
  if (samples_ >= total_samples_) {
    stop_reason_ = "the budget was spent";
  } else if (options_.target_half_width > 0 && samples_ >= 20 * fewest_samples) {
    const bool reached = std::all_of(estimates.begin(), estimates.end(),
                                     [&](const SobolIndex& index) { return (index.estimate.upper - index.estimate.lower) / 2 <= options_.target_half_width; });
    if (reached) stop_reason_ = "every interval reached the target half-width";
  }
}

void Sobol::require_variance() const {
  for (std::size_t q = 0; q < outputs_.size(); ++q) {
    const auto row = static_cast<Index>(q);
    const Eigen::VectorXd& mean = moments_[q].mean();
    const Eigen::VectorXd variance = moments_[q].variance();
    const double deviation = std::sqrt((variance(a) + variance(b)) / 2);
    const double centre = std::abs(shift_(row) / scale_(row) + (mean(a) + mean(b)) / 2);
    if (samples_ > 1 && deviation <= 8 * std::numeric_limits<double>::epsilon() * centre) {
      throw Error(ErrorCategory::numeric, {.doing = "computing Sobol' indices of output " + problem_.quantities()[static_cast<std::size_t>(outputs_[q])].name,
                                           .key = "its variance",
                                           .value = "0 after " + std::to_string(2 * samples_) + " evaluations at random inputs",
                                           .rule = "must be greater than zero, since indices are shares of it",
                                           .remedy = "check that the output depends on the inputs; for a rare event raise options.max_evaluations"});
    }
  }
}

SobolIndex Sobol::index(const Wanted& wanted, const Eigen::MatrixXd& covariance) const {
  const auto rows = rows_of(wanted.design);
  const Dual formula = index_formula(options_.estimator, wanted.group == "total", pick(moments_[wanted.output].mean(), rows));
  double variance = 0;
  for (std::size_t i = 0; i < Dual::size; ++i) {
    for (std::size_t j = 0; j < Dual::size; ++j) variance += formula.gradient[i] * formula.gradient[j] * covariance(rows[i], rows[j]);
  }
  SobolIndex index;
  index.group = wanted.group;
  index.output = problem_.quantities()[static_cast<std::size_t>(outputs_[wanted.output])].name;
  index.inputs = names_of(designs_[wanted.design]);
  index.name = index_name(wanted.group, outputs_.size() > 1 ? index.output : std::string(), index.inputs);
  // Rounding can leave a variance that is zero slightly negative.
  const double std_error = std::isnan(variance) ? variance : std::sqrt(std::max(0.0, variance));
  index.estimate = normal_estimate(formula.value, std_error, static_cast<double>(samples_), options_.level);
  if (options_.bootstrap > 0) index.estimate = bootstrap_interval(wanted, index.estimate);
  index.note = index_note(index.estimate);
  return index;
}

std::vector<SobolIndex> Sobol::indices() const {
  std::vector<SobolIndex> all;
  Eigen::MatrixXd covariance;
  std::size_t output = outputs_.size();
  for (const auto& wanted : wanted_) {
    if (wanted.output != output) covariance = moments_[output = wanted.output].mean_covariance();
    all.push_back(index(wanted, covariance));
  }
  return all;
}

Estimate Sobol::bootstrap_interval(const Wanted& wanted, Estimate estimate) const {
  const Eigen::MatrixXd& sums = replicates_[wanted.output];
  auto rows = rows_of(wanted.design);
  for (auto& row : rows) ++row;
  std::vector<double> values;
  for (Index r = 0; r < sums.cols(); ++r) {
    const Eigen::VectorXd means = sums.col(r) / sums(0, r);
    const double value = index_formula(options_.estimator, wanted.group == "total", pick(means, rows)).value;
    if (std::isfinite(value)) values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  if (values.size() < 2) {
    estimate.lower = estimate.upper = std::numeric_limits<double>::quiet_NaN();
    return estimate;
  }
  const auto quantile = [&](double p) {
    const double position = p * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (position - static_cast<double>(below)) * (values[above] - values[below]);
  };
  estimate.lower = quantile((1 - options_.level) / 2);
  estimate.upper = quantile((1 + options_.level) / 2);
  return estimate;
}

void Sobol::append_convergence(const std::vector<SobolIndex>& indices) {
  const Index row = convergence_.rows();
  convergence_.conservativeResize(row + 1, 1 + 2 * static_cast<Index>(indices.size()));
  convergence_(row, 0) = static_cast<double>(options_.pilot + samples_ * evaluations_per_sample());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    convergence_(row, 1 + 2 * static_cast<Index>(i)) = indices[i].estimate.value;
    convergence_(row, 2 + 2 * static_cast<Index>(i)) = indices[i].estimate.std_error;
  }
}

bool Sobol::finished() const { return samples_ > 0 && !stop_reason_.empty(); }

void Sobol::stop(const std::string& reason) {
  if (stop_reason_.empty()) stop_reason_ = reason;
}

SobolResult Sobol::result() const {
  SobolResult r;
  r.samples = samples_;
  r.evaluations = shift_.size() == 0 ? 0 : options_.pilot + samples_ * evaluations_per_sample();
  r.stop_reason = stop_reason_;
  if (moments_.empty()) return r;
  r.indices = indices();
  const auto count = static_cast<Index>(outputs_.size());
  r.means.resize(count);
  r.variances.resize(count);
  for (Index q = 0; q < count; ++q) {
    const CovarianceAccumulator& m = moments_[static_cast<std::size_t>(q)];
    const Eigen::VectorXd variance = m.variance();
    r.means(q) = shift_(q) + scale_(q) * (m.mean()(a) + m.mean()(b)) / 2;
    r.variances(q) = scale_(q) * scale_(q) * (variance(a) + variance(b)) / 2;
  }
  if (count == 1) {
    const CovarianceAccumulator& m = moments_.front();
    Eigen::MatrixXd gradient = Eigen::MatrixXd::Zero(static_cast<Index>(wanted_.size()), m.mean().size());
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto rows = rows_of(wanted_[i].design);
      const Dual formula = index_formula(options_.estimator, wanted_[i].group == "total", pick(m.mean(), rows));
      for (std::size_t j = 0; j < Dual::size; ++j) gradient(static_cast<Index>(i), rows[j]) = formula.gradient[j];
    }
    r.covariance = gradient * m.mean_covariance() * gradient.transpose();
  }
  return r;
}

Progress Sobol::progress() const {
  Progress p;
  p.fraction = finished() ? 1.0 : static_cast<double>(samples_) / static_cast<double>(total_samples_);
  p.evaluations = shift_.size() == 0 ? 0 : options_.pilot + samples_ * evaluations_per_sample();
  p.phase = shift_.size() == 0 ? "pilot" : "sampling";
  if (!moments_.empty()) {
    const SobolIndex shown = index(wanted_.front(), moments_.front().mean_covariance());
    p.name = shown.name;
    p.current = shown.estimate;
  }
  return p;
}

Outcome Sobol::outcome() const {
  const SobolResult r = result();
  Outcome o;
  o.estimates = named_estimates(r.indices);
  o.covariance = r.covariance;
  o.evaluations = r.evaluations;
  o.stop_reason = r.stop_reason;
  o.diagnostics.push_back({"estimator", std::string(sobol_estimator_names[static_cast<std::size_t>(options_.estimator)]), "formula of the indices"});
  o.diagnostics.push_back({"samples", r.samples, "pairs of independent points; the errors fall as one over the square root of this number"});
  o.diagnostics.push_back({"evaluations_per_sample", evaluations_per_sample(), "model evaluations that one pair and its hybrids cost"});
  if (r.samples == 0) return o;
  for (std::size_t q = 0; q < outputs_.size(); ++q) {
    const std::string name = problem_.quantities()[static_cast<std::size_t>(outputs_[q])].name;
    o.diagnostics.push_back({"mean[" + name + "]", r.means(static_cast<Index>(q)), "mean of the output over the sample"});
    o.diagnostics.push_back({"variance[" + name + "]", r.variances(static_cast<Index>(q)), "variance of the output, of which the indices are shares"});
    double sum = 0;
    bool first = false;
    for (const auto& index : r.indices) {
      if (index.group == "first" && index.output == name) {
        sum += index.estimate.value;
        first = true;
      }
    }
    const double effective = effective_squares(moments_[q]);
    o.diagnostics.push_back({"variance.effective_size[" + name + "]", effective, "effective number of squared deviations that make up the variance"});
    if (effective < 100) {
      o.warnings.push_back(name + ": so few points make up the variance (effectively " + std::to_string(std::llround(effective)) + " of " +
                           std::to_string(2 * r.samples) +
                           ") that the error bars of its indices cannot be trusted; analyse a transformed output, such as its logarithm, or spend more");
    }
    if (first) o.diagnostics.push_back({"sum_of_first[" + name + "]", sum, "1 for a model without interactions; what is missing to 1 is due to interactions"});
  }
  if (r.samples < 200)
    o.warnings.push_back("only " + std::to_string(r.samples) + " samples: the intervals rest on a normal approximation that needs a few hundred");
  Table convergence{.name = "convergence", .title = "Estimates while the sample grows", .columns = {"evaluations"}, .rows = convergence_, .row_labels = {}};
  for (const auto& index : r.indices) {
    convergence.columns.push_back(index.name);
    convergence.columns.push_back(index.name + ".std_error");
  }
  o.tables.push_back(std::move(convergence));
  return o;
}

void Sobol::describe_state(Archive& archive) {
  archive.item("shift", shift_);
  archive.item("scale", scale_);
  archive.item("moments", moments_);
  auto size = static_cast<std::int64_t>(replicates_.size());
  archive.item("bootstrapped_outputs", size);
  if (archive.loading()) replicates_.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(size, 0, static_cast<std::int64_t>(outputs_.size()))));
  for (auto& sums : replicates_) archive.item("replicates", sums);
  archive.item("samples", samples_);
  archive.item("stop_reason", stop_reason_);
  archive.item("convergence", convergence_);
}

SobolResult sobol_indices(const Problem& problem, const SobolOptions& options, const Stream& stream, Context& context) {
  Sobol method(problem, options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
