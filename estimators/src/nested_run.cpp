// SPDX-License-Identifier: BSD-3-Clause
#include "nested_run.hpp"

#include <buffon/core/archive.hpp>
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/stats/quantile.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

namespace buffon {
namespace {

using constants::nan;
constexpr double block_leaves_at_most = 1 << 14;
constexpr double most_block = 1024;
constexpr double round_leaves_at_most = 1 << 23;
constexpr std::size_t most_batches = 4096;
constexpr std::size_t fewest_batches = 20;
constexpr std::int64_t fewest_nodes = 50;
constexpr std::int64_t pilot_copies = 33;
constexpr std::int64_t group_copies = 64;

}  // namespace

void SquareHistogram::add(double deviation) {
  int exponent = 0;
  const double size = std::abs(deviation);
  const double mantissa = std::frexp(size, &exponent);
  const int bin = 2 * (exponent + 256) + (mantissa * mantissa >= 0.5 ? 1 : 0);
  const auto at = static_cast<std::size_t>(size > 0 ? std::clamp(bin, 0, static_cast<int>(bins) - 1) : 0);
  counts_[at] += 1;
  squares_[at] += size * size;
}

void SquareHistogram::merge(const SquareHistogram& other) {
  for (std::size_t i = 0; i < bins; ++i) {
    counts_[i] += other.counts_[i];
    squares_[i] += other.squares_[i];
  }
}

double SquareHistogram::share_of_largest(double count) const {
  double total = 0, held = 0;
  for (const double s : squares_) total += s;
  for (std::size_t i = bins; i-- > 0 && count > 0;) {
    if (counts_[i] == 0) continue;
    held += squares_[i] * std::min(1.0, count / counts_[i]);
    count -= counts_[i];
  }
  return total > 0 ? held / total : 0;
}

void SquareHistogram::describe_state(Archive& archive) {
  // The occupied bins only: a block's share of a run is saved in this form.
  const auto used = [](double count) { return count > 0; };
  const auto begin = std::find_if(counts_.begin(), counts_.end(), used) - counts_.begin();
  const auto end = counts_.rend() - std::find_if(counts_.rbegin(), counts_.rend(), used);
  auto first = static_cast<std::int64_t>(begin);
  std::vector<double> counts, squares;
  if (begin < end) {
    counts.assign(counts_.begin() + begin, counts_.begin() + end);
    squares.assign(squares_.begin() + begin, squares_.begin() + end);
  }
  archive.item("first", first);
  archive.item("counts", counts);
  archive.item("squares", squares);
  if (!archive.loading()) return;
  const auto at = static_cast<std::size_t>(first);
  if (first < 0 || at > bins || counts.size() > bins - at || squares.size() != counts.size()) {
    throw Error(ErrorCategory::data, {.doing = "loading a histogram", .rule = "has bins that do not exist"});
  }
  *this = SquareHistogram();
  std::copy(counts.begin(), counts.end(), counts_.begin() + first);
  std::copy(squares.begin(), squares.end(), squares_.begin() + first);
}

/// What a block, or a round, adds to the run.
struct NestedRun::Part {
  Moments moments;
  LevelTally tally;
  SquareHistogram squares;
  double largest = 0;
  std::vector<double> means;  // of full blocks, in order

  void merge(const Part& other) {
    moments.merge(other.moments);
    tally.merge(other.tally);
    squares.merge(other.squares);
    largest = std::max(largest, other.largest);
    means.insert(means.end(), other.means.begin(), other.means.end());
  }
  void describe_state(Archive& archive) {
    archive.item("moments", moments);
    archive.item("tally", tally);
    archive.item("squares", squares);
    archive.item("largest", largest);
    archive.item("means", means);
  }
};

NestedRun::NestedRun(std::shared_ptr<const NestedProblem> problem, std::vector<LevelLaw> laws, const CopyTargets& targets, double level, Stream stream)
    : problem_(std::move(problem)),
      laws_(std::move(laws)),
      targets_(targets),
      level_(level),
      pilot_(stream.child("pilot")),
      copies_(stream.child("copies")),
      tally_(problem_->depth()) {
  for (const LevelLaw& law : laws_) mean_leaves_ *= law.mean_children();
  const double wanted = std::clamp(block_leaves_at_most / mean_leaves_, 16.0, most_block);
  block_ = std::int64_t{1} << std::ilogb(wanted);
  group_ = std::min(block_, group_copies);
}

std::int64_t NestedRun::next_blocks() const {
  const std::int64_t done = done_ / block_;
  const auto most = static_cast<std::int64_t>(std::max(1.0, round_leaves_at_most / (mean_leaves_ * static_cast<double>(block_))));
  std::int64_t blocks = std::clamp<std::int64_t>(done / 4, 1, most);
  if (targets_.max_evaluations > 0 && done > 0) {
    const double rest = static_cast<double>(targets_.max_evaluations - leaves()) / static_cast<double>(leaves()) * static_cast<double>(done);
    blocks = std::clamp<std::int64_t>(static_cast<std::int64_t>(rest), 1, blocks);
  }
  return blocks;
}

void NestedRun::step(Context& context) {
  if (!centred_ && targets_.pilot) {
    Eigen::VectorXd values(targets_.max_copies > 0 ? std::min(pilot_copies, targets_.max_copies / 64 * 2 + 1) : pilot_copies);
    LevelTally tally(depth());
    NestedCopies(*problem_, laws_).run(context, pilot_, values, tally);
    tally_.leaves += tally.leaves;
    centre_ = sample_quantile({values.data(), static_cast<std::size_t>(values.size())}, 0.5);
    centred_ = true;
  }
  const std::int64_t done = done_;
  std::int64_t items = next_blocks() * block_;
  if (targets_.max_copies > 0) items = std::min(items, targets_.max_copies - done);
  const std::optional<Part> round = reduce_shared<Part>(
      context, items, block_,
      [&](const Block& block) {
        Part part;
        part.tally = LevelTally(depth());
        Eigen::VectorXd values(block.size());
        NestedCopies(*problem_, laws_).run(context, copies_.peek("batch", static_cast<std::uint64_t>(done / block_ + block.index)), values, part.tally);
        part.moments.add(std::span<const double>(values.data(), static_cast<std::size_t>(values.size())));
        for (const double v : values) part.squares.add(v - centre_);
        part.largest = values.cwiseAbs().maxCoeff();
        for (Index i = 0; i + group_ <= values.size(); i += group_) part.means.push_back(values.segment(i, group_).mean());
        context.add_evaluations(part.tally.leaves);
        return part;
      },
      [](Part& into, const Part& from) { into.merge(from); });
  done_ += items;
  if (round) add(*round);

  if (!asked_.empty()) {
    reason_ = asked_;
  } else if (targets_.max_copies > 0 && done_ >= targets_.max_copies) {
    reason_ = "the number of copies was reached";
  } else if (targets_.max_evaluations > 0 && leaves() >= targets_.max_evaluations) {
    reason_ = "the budget was spent";
  } else if (targets_.std_error && std::max(batch_std_error(), mean().std_error) <= *targets_.std_error) {
    reason_ = "the target error was reached";
  }
  if (!reason_.empty() || 10 * done_ >= 11 * recorded_) record();
}

void NestedRun::add(const Part& round) {
  moments_.merge(round.moments);
  tally_.merge(round.tally);
  squares_.merge(round.squares);
  largest_ = std::max(largest_, round.largest);
  for (const double mean : round.means) {
    pending_.push_back(mean);
    if (static_cast<std::int64_t>(pending_.size()) < batch_groups_) continue;
    double sum = 0;
    for (const double m : pending_) sum += m;
    batches_.push_back(sum / static_cast<double>(batch_groups_));
    pending_.clear();
    if (batches_.size() < most_batches) continue;
    for (std::size_t i = 0; i < most_batches / 2; ++i) batches_[i] = 0.5 * (batches_[2 * i] + batches_[2 * i + 1]);
    batches_.resize(most_batches / 2);
    batch_groups_ *= 2;
  }
}

bool NestedRun::finished() const { return !reason_.empty() || (!asked_.empty() && done_ > 0); }

void NestedRun::record() {
  const Estimate e = mean();
  convergence_.insert(convergence_.end(), {static_cast<double>(leaves()), e.value, e.std_error});
  recorded_ = done_;
}

std::size_t NestedRun::groups() const { return std::max<std::size_t>(8, static_cast<std::size_t>(std::ceil(8 * -std::log1p(-level_)))); }

Estimate NestedRun::median_of_means() const {
  const std::size_t groups = this->groups();
  if (batches_.size() < groups) return {.value = nan, .std_error = nan, .lower = nan, .upper = nan, .level = level_};
  std::vector<double> means(groups);
  for (std::size_t g = 0; g < groups; ++g) {
    const std::size_t begin = g * batches_.size() / groups, end = (g + 1) * batches_.size() / groups;
    for (std::size_t i = begin; i < end; ++i) means[g] += batches_[i];
    means[g] /= static_cast<double>(end - begin);
  }
  return quantile_estimate(means, 0.5, level_);
}

double NestedRun::batch_std_error() const {
  if (batches_.size() < fewest_batches) return nan;
  Moments m;
  m.add(std::span<const double>(batches_));
  return m.std_error();
}

double NestedRun::largest_share() const { return squares_.share_of_largest(std::max(1.0, 0.001 * static_cast<double>(copies()))); }

VarianceDecay NestedRun::variance_decay(Index d) const {
  // Weighted least squares of log2 V on the level; Var(log V) ≈ (κ − 1) / n with the kurtosis κ. Level 1 is left out: the power
  // law begins later.
  double w_sum = 0, x = 0, y = 0, xx = 0, xy = 0;
  std::int64_t levels = 0;
  for (std::int64_t l = 2; l <= tally_.highest(d); ++l) {
    const LevelSums& s = tally_.at(d, l);
    const double v = s.variance();
    if (s.nodes < fewest_nodes || !(v > 0)) continue;
    const double w = static_cast<double>(s.nodes) / std::max(0.1, s.kurtosis() - 1), at = static_cast<double>(l), log_v = std::log2(v);
    w_sum += w, x += w * at, y += w * log_v, xx += w * at * at, xy += w * at * log_v;
    ++levels;
  }
  if (levels < 3) return {nan, nan};
  const double scale = xx - x * x / w_sum;
  return {-(xy - x * y / w_sum) / scale, std::numbers::log2e / std::sqrt(scale)};
}

Progress NestedRun::progress() const {
  Progress p;
  const auto share = [](std::int64_t done, std::int64_t most) { return most > 0 ? static_cast<double>(done) / static_cast<double>(most) : 0; };
  p.fraction = finished() ? 1 : std::min(1.0, std::max(share(done_, targets_.max_copies), share(leaves(), targets_.max_evaluations)));
  p.evaluations = leaves();
  p.phase = "sampling";
  p.name = "value";
  if (copies() > 0) p.current = mean();
  return p;
}

Outcome NestedRun::outcome() const {
  Outcome o;
  o.evaluations = leaves();
  o.stop_reason = !reason_.empty() ? reason_ : asked_;
  o.estimates.push_back({.name = "value", .estimate = mean()});
  o.estimates.push_back({.name = "median_of_means", .estimate = median_of_means(), .group = "robust"});
  if (copies() == 0) return o;
  o.estimates.back().note =
      std::isnan(o.estimates.back().estimate.value) ? "needs " + std::to_string(groups() * static_cast<std::size_t>(group_)) + " copies" : "";

  o.diagnostics = {
      {.name = "copies", .value = copies(), .meaning = "independent copies of the estimator"},
      {.name = "leaves_per_copy",
       .value = static_cast<double>(leaves()) / static_cast<double>(copies()),
       .meaning = "innermost evaluations of a copy on average"},
      {.name = "expected_leaves_per_copy", .value = mean_leaves_, .meaning = "its expectation"},
      {.name = "variance_per_copy", .value = variance(), .meaning = "sample variance of the copies"},
      {.name = "work_times_variance",
       .value = variance() * mean_leaves_,
       .meaning = "expected leaves times variance of a copy: squared standard error times leaves spent; smaller is better"},
      {.name = "largest_copy", .value = largest_, .meaning = "largest absolute value of a copy"},
      {.name = "batch_std_error", .value = batch_std_error(), .meaning = "standard error from the means of batches of copies; NaN with fewer than 20 batches"},
  };
  if (targets_.pilot) {
    o.diagnostics.push_back(
        {.name = "largest_share",
         .value = largest_share(),
         .meaning = "share of the sum of squared deviations held by the largest 0.1 % of the copies; near 1 the error bar rests on a few copies"});
  }
  Table levels{.name = "levels",
               .title = "Level differences",
               .columns = {"depth", "level", "nodes", "probability", "mean", "variance", "variance / probability"},
               .rows = {},
               .row_labels = {}};
  std::vector<std::array<double, 7>> rows;
  for (Index d = 0; d < depth(); ++d) {
    const LevelLaw& law = laws_[static_cast<std::size_t>(d)];
    for (std::int64_t l = law.first; l <= tally_.highest(d); ++l) {
      const LevelSums& s = tally_.at(d, l);
      const double p = law.probability(l);
      rows.push_back({static_cast<double>(d), static_cast<double>(l), static_cast<double>(s.nodes), p, s.mean(), s.variance(), s.variance() / p});
    }
    if (law.first < law.last) {
      o.diagnostics.push_back({.name = "variance_decay_" + std::to_string(d),
                               .value = variance_decay(d).exponent,
                               .meaning = "fitted beta at depth " + std::to_string(d) +
                                          ": the variance of the level differences falls like 2^(-beta level); 2 for smooth links, 1.5 with kinks, 1 or less "
                                          "for links that are only continuous; NaN with fewer than three levels above 1 of 50 nodes"});
    }
  }
  levels.rows.resize(static_cast<Index>(rows.size()), 7);
  for (std::size_t i = 0; i < rows.size(); ++i) levels.rows.row(static_cast<Index>(i)) = Eigen::Map<const Eigen::RowVectorXd>(rows[i].data(), 7);
  o.tables.push_back({.name = "convergence",
                      .title = "Convergence",
                      .columns = {"evaluations", "value", "value.std_error"},
                      .rows = Eigen::Map<const Eigen::MatrixXd>(convergence_.data(), 3, static_cast<Index>(convergence_.size() / 3)).transpose(),
                      .row_labels = {}});
  if (levels.rows.rows() > 0) o.tables.push_back(std::move(levels));
  return o;
}

void NestedRun::describe_state(Archive& archive) {
  archive.item("centred", centred_);
  archive.item("centre", centre_);
  archive.item("done", done_);
  archive.item("moments", moments_);
  archive.item("tally", tally_);
  archive.item("squares", squares_);
  archive.item("largest", largest_);
  archive.item("batches", batches_);
  archive.item("pending", pending_);
  archive.item("batch_groups", batch_groups_);
  archive.item("convergence", convergence_);
  archive.item("recorded", recorded_);
  archive.item("asked", asked_);
  archive.item("reason", reason_);
}

}  // namespace buffon
