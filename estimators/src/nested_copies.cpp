// SPDX-License-Identifier: BSD-3-Clause
#include "nested_copies.hpp"

#include <buffon/core/archive.hpp>
#include <buffon/core/error.hpp>
#include <buffon/model/model.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace buffon {
namespace {

constexpr std::int64_t most_children = std::int64_t{1} << 62;

template <int rows>
void replicate(const double* from, double* to, Index stride, Index times) {
  for (Index i = 0; i < times; ++i, to += stride) {
    for (int row = 0; row < rows; ++row) to[row] = from[row];
  }
}

// Writes a path of `rows` values `times` times, one every `stride`. Most paths are short, and then a loop of known length is
// several times quicker than a copy.
void replicate(const double* from, Index rows, double* to, Index stride, Index times) {
  switch (rows) {
    case 0:
      return;
    case 1:
      return replicate<1>(from, to, stride, times);
    case 2:
      return replicate<2>(from, to, stride, times);
    case 3:
      return replicate<3>(from, to, stride, times);
    default:
      for (Index i = 0; i < times; ++i, to += stride) std::copy_n(from, rows, to);
  }
}

std::span<double> span_of(double* data, Index size) { return {data, static_cast<std::size_t>(size)}; }

}  // namespace

LevelLaw::LevelLaw(double r, std::int64_t n0, std::int64_t from, std::int64_t to) : rate(r), base(n0), first(from), last(to) {
  const double total = last < most_levels ? -std::expm1(static_cast<double>(last - first + 1) * std::log1p(-rate)) : 1;
  for (std::int64_t n = first; n <= last; ++n) {
    const double tail = std::pow(1 - rate, static_cast<double>(n - first));
    probabilities.push_back(first == last ? 1 : rate * tail / total);
    survivals.push_back(n == last ? 0 : (tail * (1 - rate) - (1 - total)) / total);
  }
}

std::int64_t LevelLaw::level(double uniform) const {
  constexpr std::size_t likely = 8;  // counted without branches
  std::size_t k = 0;
  if (survivals.size() > likely) {
    for (std::size_t i = 0; i < likely; ++i) k += uniform < survivals[i] ? 1 : 0;
    if (k < likely) return first + static_cast<std::int64_t>(k);
  }
  while (uniform < survivals[k]) ++k;
  return first + static_cast<std::int64_t>(k);
}

double LevelLaw::mean_children() const {
  if (last == most_levels) return rate > 0.5 ? static_cast<double>(base) * rate / (2 * rate - 1) : std::numeric_limits<double>::infinity();
  double mean = 0;
  for (std::int64_t n = first; n <= last; ++n) mean += probability(n) * std::ldexp(static_cast<double>(base), static_cast<int>(n));
  return mean;
}

double LevelSums::variance() const {
  if (nodes < 2) return std::numeric_limits<double>::quiet_NaN();
  return std::max(0.0, sum_squares - sum * mean()) / static_cast<double>(nodes - 1);
}

double LevelSums::kurtosis() const {
  const double v = variance();
  return sum_fourth / (static_cast<double>(nodes) * v * v);
}

void LevelSums::merge(const LevelSums& other) {
  nodes += other.nodes;
  sum += other.sum;
  sum_squares += other.sum_squares;
  sum_fourth += other.sum_fourth;
  fine += other.fine;
  fine_squares += other.fine_squares;
}

void LevelSums::describe_state(Archive& archive) {
  archive.item("nodes", nodes);
  archive.item("sum", sum);
  archive.item("sum_squares", sum_squares);
  archive.item("sum_fourth", sum_fourth);
  archive.item("fine", fine);
  archive.item("fine_squares", fine_squares);
}

std::int64_t LevelTally::highest(Index depth) const {
  std::int64_t level = LevelLaw::most_levels;
  while (level >= 0 && at(depth, level).nodes == 0) --level;
  return level;
}

void LevelTally::merge(const LevelTally& other) {
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i].merge(other.sums[i]);
  leaves += other.leaves;
}

void LevelTally::describe_state(Archive& archive) {
  // The levels that were seen only: a block's share of a run is saved in this form.
  std::vector<std::int64_t> places;
  std::vector<LevelSums> seen;
  auto places_in_all = static_cast<std::int64_t>(sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (sums[i].nodes == 0) continue;
    places.push_back(static_cast<std::int64_t>(i));
    seen.push_back(sums[i]);
  }
  archive.item("size", places_in_all);
  archive.item("places", places);
  archive.item("sums", seen);
  archive.item("leaves", leaves);
  if (!archive.loading()) return;
  constexpr std::int64_t most = 4096 * (LevelLaw::most_levels + 1);
  const auto outside = [&](std::int64_t place) { return place < 0 || place >= places_in_all; };
  if (places_in_all < 0 || places_in_all > most || places.size() != seen.size() || std::any_of(places.begin(), places.end(), outside)) {
    throw Error(ErrorCategory::data, {.doing = "loading sums by level", .rule = "has levels that do not exist"});
  }
  sums.assign(static_cast<std::size_t>(places_in_all), {});
  for (std::size_t i = 0; i < places.size(); ++i) sums[static_cast<std::size_t>(places[i])] = seen[i];
}

/// The nodes of one depth that are being worked on, and where their children's values go.
struct NestedCopies::Stage {
  struct Run {
    Index owner;  ///< node of the depth above
    bool odd;     ///< the first child of the run has an odd number
    Index size;
  };

  Stage(Stream normals_stream, Stream uniforms_stream) : normals(std::move(normals_stream)), uniforms(std::move(uniforms_stream)) {}

  Stream normals, uniforms;
  std::uint64_t drawn = 0;   ///< nodes so far
  Index past = 0, size = 0;  ///< components before y^d, of y^d
  Index drawn_normals = 0;   ///< per node
  Eigen::MatrixXd path, z;   ///< (past + size) × chunk, normals × chunk
  Eigen::VectorXd value;     ///< of a node, when it is known
  Eigen::VectorXd uniform;   ///< that choose the levels
  std::vector<std::int64_t> level;
  Eigen::VectorXd odd, even;  ///< Σ of the children with odd and even number, then their means
  Eigen::VectorXd mean;       ///< inner value of the link
  std::vector<Run> runs;      ///< owners of the nodes, in order
  std::vector<Index> split;   ///< nodes with N ≥ 1
  Eigen::MatrixXd split_path;
  Eigen::VectorXd split_inner, split_link;
};

NestedCopies::NestedCopies(const NestedProblem& problem, const std::vector<LevelLaw>& laws) : problem_(problem), laws_(laws) {}
NestedCopies::~NestedCopies() = default;

void NestedCopies::run(Context& context, const Stream& stream, MutVector values, LevelTally& tally) {
  Index past = 0;
  for (Index d = 0; d <= problem_.depth(); ++d) {
    const auto number = static_cast<std::uint64_t>(d);
    Stage s(stream.peek("path", number), stream.peek("level", number));
    s.past = past;
    s.size = static_cast<Index>(problem_.names(d).size());
    s.drawn_normals = problem_.normals(d);
    past += s.size;
    s.path.resize(past, chunk);
    s.z.resize(s.drawn_normals, chunk);
    s.value.resize(chunk);
    s.mean.setZero(chunk);
    if (d < problem_.depth()) {
      s.uniform.resize(chunk);
      s.level.resize(static_cast<std::size_t>(chunk));
      s.odd.resize(chunk);
      s.even.resize(chunk);
      s.split_path.resize(past, chunk);
      s.split_inner.resize(chunk);
      s.split_link.resize(chunk);
    }
    stages_.push_back(std::move(s));
  }
  for (Index done = 0; done < values.size(); done += chunk) {
    const Index n = std::min(chunk, values.size() - done);
    evaluate(context, 0, n, tally);
    values.segment(done, n) = stages_.front().value.head(n);
  }
}

void NestedCopies::evaluate(Context& context, Index d, Index n, LevelTally& tally) {
  draw(d, n);
  if (d == problem_.depth()) {
    Stage& s = stages_[static_cast<std::size_t>(d)];
    evaluate_link(d, s.path.leftCols(n), s.mean.head(n), s.value.head(n));
    tally.leaves += n;
    return;
  }
  visit_children(context, d, n, tally);
  combine(d, n, tally);
}

void NestedCopies::draw(Index d, Index n) {
  Stage& s = stages_[static_cast<std::size_t>(d)];
  const Index k = s.drawn_normals;
  if (k > 0) s.normals.fill_normals(s.drawn * static_cast<std::uint64_t>(k), span_of(s.z.data(), k * n));
  if (s.size > 0) problem_.sample(d, s.path.topLeftCorner(s.past, n), s.z.leftCols(n), s.path.block(s.past, 0, s.size, n));
  if (d < problem_.depth()) {
    const LevelLaw& law = laws_[static_cast<std::size_t>(d)];
    if (law.first < law.last) s.uniforms.fill_uniforms(s.drawn, span_of(s.uniform.data(), n));
    for (Index i = 0; i < n; ++i) s.level[static_cast<std::size_t>(i)] = law.first < law.last ? law.level(s.uniform(i)) : law.first;
  }
  s.drawn += static_cast<std::uint64_t>(n);
}

void NestedCopies::visit_children(Context& context, Index d, Index n, LevelTally& tally) {
  Stage& s = stages_[static_cast<std::size_t>(d)];
  Stage& child = stages_[static_cast<std::size_t>(d + 1)];
  const LevelLaw& law = laws_[static_cast<std::size_t>(d)];
  s.odd.head(n).setZero();
  s.even.head(n).setZero();
  child.runs.clear();
  Index filled = 0;
  const auto flush = [&] {
    context.throw_if_stopped();
    evaluate(context, d + 1, filled, tally);
    const double* value = child.value.data();
    for (const Stage::Run& run : child.runs) {
      double first = 0, second = 0;
      (run.odd ? first : second) = s.odd(run.owner);
      (run.odd ? second : first) = s.even(run.owner);
      Index i = 0;
      for (; i + 1 < run.size; i += 2) {
        first += value[i];
        second += value[i + 1];
      }
      if (i < run.size) first += value[i];
      s.odd(run.owner) = run.odd ? first : second;
      s.even(run.owner) = run.odd ? second : first;
      value += run.size;
    }
    child.runs.clear();
    filled = 0;
  };
  const Index rows = child.past;
  for (Index i = 0; i < n; ++i) {
    const std::int64_t level = s.level[static_cast<std::size_t>(i)];
    if (level >= LevelLaw::most_levels || law.base > (most_children >> level)) {
      throw Error(ErrorCategory::numeric, {.doing = "drawing a level at depth " + std::to_string(d),
                                           .key = "level",
                                           .value = std::to_string(level),
                                           .rule = "is too high: base_samples · 2^level must stay below 2^62, and to cut it off would bias the estimate",
                                           .remedy = "give a larger rate"});
    }
    const double* from = s.path.data() + i * s.path.rows();
    std::int64_t left = law.base << level;
    bool odd = true;
    while (left > 0) {
      const auto take = static_cast<Index>(std::min<std::int64_t>(left, chunk - filled));
      double* to = child.path.data() + filled * child.path.rows();
      replicate(from, rows, to, child.path.rows(), take);
      child.runs.push_back({i, odd, take});
      if (take % 2 == 1) odd = !odd;
      filled += take;
      left -= take;
      if (filled == chunk) flush();
    }
  }
  if (filled > 0) flush();
}

void NestedCopies::combine(Index d, Index n, LevelTally& tally) {
  Stage& s = stages_[static_cast<std::size_t>(d)];
  const LevelLaw& law = laws_[static_cast<std::size_t>(d)];
  s.split.clear();
  for (Index i = 0; i < n; ++i) {
    const std::int64_t level = s.level[static_cast<std::size_t>(i)];
    if (level == 0) {
      s.mean(i) = (s.odd(i) + s.even(i)) / static_cast<double>(law.base);
    } else {
      const auto half = static_cast<double>(law.base << (level - 1));
      s.odd(i) /= half;
      s.even(i) /= half;
      s.mean(i) = 0.5 * (s.odd(i) + s.even(i));
      s.split.push_back(i);
    }
  }
  evaluate_link(d, s.path.leftCols(n), s.mean.head(n), s.value.head(n));
  for (Index i = 0; i < n; ++i) {
    LevelSums& sums = tally.at(d, s.level[static_cast<std::size_t>(i)]);
    sums.fine += s.value(i);
    sums.fine_squares += s.value(i) * s.value(i);
  }
  const auto m = static_cast<Index>(s.split.size());
  if (m > 0) {
    const Index rows = s.path.rows();
    for (Index j = 0; j < m; ++j) {
      const double* from = s.path.data() + s.split[static_cast<std::size_t>(j)] * rows;
      std::copy(from, from + rows, s.split_path.data() + j * rows);
    }
    for (Eigen::VectorXd* half : {&s.odd, &s.even}) {
      for (Index j = 0; j < m; ++j) s.split_inner(j) = (*half)(s.split[static_cast<std::size_t>(j)]);
      evaluate_link(d, s.split_path.leftCols(m), s.split_inner.head(m), s.split_link.head(m));
      for (Index j = 0; j < m; ++j) s.value(s.split[static_cast<std::size_t>(j)]) -= 0.5 * s.split_link(j);
    }
  }
  for (Index i = 0; i < n; ++i) {
    const std::int64_t level = s.level[static_cast<std::size_t>(i)];
    const double delta = s.value(i);
    LevelSums& sums = tally.at(d, level);
    ++sums.nodes;
    sums.sum += delta;
    const double square = delta * delta;
    sums.sum_squares += square;
    sums.sum_fourth += square * square;
    s.value(i) = delta / law.probability(level);
  }
}

void NestedCopies::evaluate_link(Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) const {
  problem_.link(d, path, inner, out);
  // A sum is finite when all its terms are, but for an overflow, which the search below tells apart.
  if (std::isfinite(out.sum())) return;
  for (Index i = 0; i < out.size(); ++i) {
    if (std::isfinite(out(i))) continue;
    std::vector<std::string> names;
    std::string text;
    for (Index e = 0; e <= d; ++e) names.insert(names.end(), problem_.names(e).begin(), problem_.names(e).end());
    for (std::size_t k = 0; k < names.size(); ++k) text += (k == 0 ? "" : ", ") + names[k] + " = " + to_text(path(static_cast<Index>(k), i));
    if (d < problem_.depth()) text += (text.empty() ? "z = " : ", z = ") + to_text(inner(i));
    throw ModelError({.doing = "evaluating the link of depth " + std::to_string(d) + " at " + text,
                      .key = "link",
                      .value = to_text(out(i)),
                      .rule = "must be finite",
                      .remedy = "a link must be defined for every path and every real inner value, since inner values are noisy"},
                     names, path.col(i), {"link"}, out.segment(i, 1), "");
  }
}

}  // namespace buffon
