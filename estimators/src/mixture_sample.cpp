// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/estimators/mixture_sample.hpp>
#include <buffon/linalg/vector_math.hpp>
#include <buffon/parallel/blocks.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace buffon {
namespace {

using constants::infinity;
constexpr std::int64_t block_points = 1024;
constexpr std::size_t kept_weights = 10000;
constexpr Index kept_largest = 65;
constexpr Index centre_points = 64;

std::span<double> span_of(MutMatrix m) { return {m.data(), static_cast<std::size_t>(m.size())}; }

// The components of a mixture in a row, with the cumulative probabilities that choose among them.
struct Choice {
  explicit Choice(const AuxiliaryMixture& law) {
    double sum = law.initial_share;
    cumulative.push_back(sum);
    part.push_back(nullptr);
    component.push_back(0);
    for (std::size_t k = 0; k < law.densities.size(); ++k) {
      const double alpha = law.alpha(static_cast<Index>(k));
      if (!(alpha > 0)) continue;
      const GaussianMixture& density = law.densities[k];
      for (std::size_t c = 0; c < density.parts.size(); ++c) {
        cumulative.push_back(sum += alpha * density.probabilities[c]);
        part.push_back(&density.parts[c]);
        component.push_back(static_cast<Index>(k) + 1);
      }
    }
  }
  std::size_t operator()(double u) const {
    const auto at = std::upper_bound(cumulative.begin(), cumulative.end(), u * cumulative.back());
    return std::min(static_cast<std::size_t>(at - cumulative.begin()), cumulative.size() - 1);
  }
  std::vector<double> cumulative;
  std::vector<const Gaussian*> part;  // nullptr = h_0
  std::vector<Index> component;
};

// Uniforms that choose components. Stratified: frac(U + i / golden ratio) in 64-bit integers; every one is uniform, and any
// run of them is spread evenly, so that a component of probability p gets np points up to O(log n).
void choice_uniforms(const Stream& stream, std::uint64_t first, bool stratified, MutMatrix u) {
  if (!stratified) {
    stream.uniforms(first, u);
    return;
  }
  std::uint32_t words[4];
  stream.words(0, 0, words);
  const std::uint64_t shift = (static_cast<std::uint64_t>(words[0]) << 32) | words[1];
  constexpr std::uint64_t inverse_golden = 0x9E3779B97F4A7C15u;
  for (Index c = 0; c < u.cols(); ++c) {
    const std::uint64_t position = shift + (first + static_cast<std::uint64_t>(c)) * inverse_golden;
    u(0, c) = (static_cast<double>(position >> 11) + 0.5) * 0x1p-53;
  }
}

// log Σ_k exp(terms(·, k)) row by row; the terms are overwritten.
void log_sum_rows(MutMatrix terms, MutVector out) {
  Eigen::VectorXd peak = terms.rowwise().maxCoeff();
  for (double& p : peak) p = std::isinf(p) ? 0 : p;
  terms.colwise() -= peak;
  vector_exp(span_of(terms), span_of(terms));
  out = terms.rowwise().sum();
  vector_log({out.data(), static_cast<std::size_t>(out.size())}, {out.data(), static_cast<std::size_t>(out.size())});
  out += peak;
}

}  // namespace

void AuxiliaryMixture::describe_state(Archive& archive) {
  archive.item("densities", densities);
  archive.item("alpha", alpha);
  archive.item("initial_share", initial_share);
  archive.item("beta", beta);
}

void AuxiliaryMixture::log_density(const ConstMatrix& x, const ConstVector& log_h, MutVector log_q, MutMatrix log_g) const {
  const Index n = x.cols();
  Eigen::MatrixXd terms(n, static_cast<Index>(densities.size()) + (initial_share > 0 ? 1 : 0));
  Index used = 0;
  for (std::size_t k = 0; k < densities.size(); ++k) {
    const double a = alpha(static_cast<Index>(k));
    const bool wanted = log_g.size() > 0;
    if (densities[k].parts.empty()) {
      if (wanted) log_g.col(static_cast<Index>(k)).setConstant(-infinity);
      continue;
    }
    if (!(a > 0) && !wanted) continue;
    auto term = terms.col(used);
    densities[k].log_density(x, term);
    if (wanted) log_g.col(static_cast<Index>(k)) = term;
    if (!(a > 0)) continue;
    term.array() += std::log(a);
    ++used;
  }
  if (initial_share > 0) terms.col(used++) = log_h.array() + std::log(initial_share);
  log_sum_rows(terms.leftCols(used), log_q);
}

void AuxiliaryMixture::sample(const Integrands& integrands, const Stream& stream, std::uint64_t first, bool stratified, MutMatrix x,
                              std::vector<Index>& component) const {
  component.assign(static_cast<std::size_t>(x.cols()), 0);
  if (densities.empty()) {
    integrands.sample(stream.peek("initial"), first, x);
    return;
  }
  const Choice choose(*this);
  Eigen::MatrixXd u(1, x.cols());
  choice_uniforms(stream.peek("component"), first, stratified, u);
  Eigen::MatrixXd z(x.rows(), x.cols());
  stream.peek("point").normals(first, z);
  if (initial_share > 0) integrands.sample(stream.peek("initial"), first, x);
  std::vector<std::vector<Index>> columns(choose.part.size());
  for (Index c = 0; c < x.cols(); ++c) {
    const std::size_t k = choose(u(0, c));
    component[static_cast<std::size_t>(c)] = choose.component[k];
    columns[k].push_back(c);
  }
  for (std::size_t k = 0; k < columns.size(); ++k) {
    if (choose.part[k] == nullptr || columns[k].empty()) continue;
    Eigen::MatrixXd draws = z(Eigen::all, columns[k]);
    choose.part[k]->transform(draws);
    x(Eigen::all, columns[k]) = draws;
  }
}

// The batch decides who computes a value, never the value: enough batches to occupy many threads with a slow model.
static std::int64_t evaluation_batch(const Integrands& integrands, std::int64_t points) {
  const std::int64_t batch = std::clamp<std::int64_t>(points / 64, 32, block_points);
  return integrands.preferred_batch() > 0 ? std::min<std::int64_t>(batch, integrands.preferred_batch()) : batch;
}

void evaluate_points(Context& context, const Integrands& integrands, const ConstMatrix& x, MutMatrix phi, MutMatrix level) {
  const std::int64_t batch = evaluation_batch(integrands, x.cols() / context.participants());
  for_shared_blocks(
      context, x.cols(), batch, Needed::everywhere,
      [&](const Block& block) {
        const auto points = x.middleCols(block.begin, block.size());
        if (level.rows() > 0) {
          integrands.evaluate_with_levels(context, points, phi.middleCols(block.begin, block.size()), level.middleCols(block.begin, block.size()));
        } else {
          integrands.evaluate(context, points, phi.middleCols(block.begin, block.size()));
        }
      },
      [&](std::int64_t block, Archive& archive) {
        const Index first = block * batch, n = std::min<Index>(batch, x.cols() - first);
        Eigen::MatrixXd values = phi.middleCols(first, n), levels = level.middleCols(level.rows() > 0 ? first : 0, level.rows() > 0 ? n : 0);
        archive.item("values", values);
        archive.item("levels", levels);
        phi.middleCols(first, n) = values;
        if (level.rows() > 0) level.middleCols(first, n) = levels;
      });
}

std::int64_t next_round(std::int64_t done, std::int64_t limit, std::int64_t most) {
  const std::int64_t blocks = std::max<std::int64_t>(1, std::min(done / 4, most) / block_points);
  return std::min(blocks * block_points, limit - done);
}

void MixtureSample::Sums::describe_state(Archive& archive) {
  archive.item("moments", moments);
  archive.item("component_sums", component_sums);
  archive.item("contributions", contributions);
  archive.item("weight_sums", weight_sums);
  archive.item("largest", largest);
  archive.item("hits", hits);
  archive.item("negatives", negatives);
  archive.item("weights", weights);
}

MixtureSample::MixtureSample(std::shared_ptr<const Integrands> integrands, AuxiliaryMixture law, MixtureSampleSettings settings, Stream stream)
    : integrands_(std::move(integrands)), law_(std::move(law)), settings_(std::move(settings)), stream_(std::move(stream)) {
  const auto j = static_cast<std::size_t>(integrands_->count());
  if (settings_.exponents.empty()) settings_.exponents.assign(j, 0);
  sums_.hits.assign(j, 0);
}

bool MixtureSample::plain() const { return law_.densities.empty() && integrands_->common_law(); }

Index MixtureSample::controls() const { return settings_.regression && law_.beta.size() > 0 ? integrands_->count() : 0; }

void MixtureSample::round(Context& context, std::int64_t points) {
  const auto first = static_cast<std::uint64_t>(points_);
  const std::int64_t batch = evaluation_batch(*integrands_, points / context.participants());
  Eigen::MatrixXd known(integrands_->count(), 0);  // values of the first points of the round
  if (points_ == 0) known = choose_centre(context, points);
  std::optional<Sums> sums = reduce_shared<Sums>(
      context, points, block_points,
      [&](const Block& block) {
        Eigen::MatrixXd x(integrands_->dimension(), block.size()), phi(integrands_->count(), block.size());
        std::vector<Index> component;
        law_.sample(*integrands_, stream_, first + static_cast<std::uint64_t>(block.begin), settings_.stratified, x, component);
        const Index done = block.index == 0 ? known.cols() : 0;
        phi.leftCols(done) = known.leftCols(done);
        for_blocks(context, block.size() - done, batch, [&](const Block& part) {
          integrands_->evaluate(context, x.middleCols(done + part.begin, part.size()), phi.middleCols(done + part.begin, part.size()));
        });
        Sums part;
        accumulate(x, phi, component, part);
        return part;
      },
      [&](Sums& into, const Sums& from) { merge(into, from); });
  if (sums && points_ == 0) {
    sums_ = std::move(*sums);
  } else if (sums) {
    merge(sums_, *sums);
  }
  points_ += points;
  if (sums_.weights.size() > kept_weights) sums_.weights.resize(kept_weights);
}

// An error bar comes from the deviations of the terms, so tails are looked for around a centre that no tail can move: the
// medians of the first points. Draws from auxiliary densities follow |φ| f instead: their terms are near-constant where they
// fit, and are looked at as they are.
Eigen::MatrixXd MixtureSample::choose_centre(Context& context, std::int64_t points) {
  const Index count = integrands_->count();
  centre_ = Eigen::VectorXd::Zero(count);
  if (!from_laws()) return Eigen::MatrixXd(count, 0);
  const Index n = std::min<Index>(points, centre_points);
  Eigen::MatrixXd x(integrands_->dimension(), n), phi(count, n), none(0, 0);
  std::vector<Index> component;
  law_.sample(*integrands_, stream_, 0, settings_.stratified, x, component);
  evaluate_points(context, *integrands_, x, phi, none);
  for (Index j = 0; j < count; ++j) {
    Eigen::VectorXd value = phi.row(j).transpose() / unit(j);
    const auto middle = value.begin() + value.size() / 2;
    std::nth_element(value.begin(), middle, value.end());
    centre_(j) = *middle;
  }
  return phi;
}

void MixtureSample::accumulate(const ConstMatrix& x, const ConstMatrix& phi, const std::vector<Index>& component, Sums& sums) const {
  const Index n = x.cols(), count = integrands_->count();
  const Index laws = integrands_->common_law() ? 1 : count;
  const auto densities = static_cast<Index>(law_.densities.size());
  const bool controlled = law_.beta.size() > 0;

  if (plain()) {  // the weights are one, so the summands are the values themselves
    sums.contributions.setZero(count, 4);
    sums.weight_sums.setZero(laws, 3);
    sums.largest.setZero(count, std::min(n, kept_largest));
    sums.hits.assign(static_cast<std::size_t>(count), 0);
    Eigen::VectorXd deviation(n);
    for (Index j = 0; j < count; ++j) {
      std::int64_t zeros = 0, negatives = 0;
      for (Index i = 0; i < n; ++i) {
        zeros += phi(j, i) == 0 ? 1 : 0;
        negatives += phi(j, i) < 0 ? 1 : 0;
      }
      sums.hits[static_cast<std::size_t>(j)] = n - zeros;
      sums.negatives += negatives;
      if (integrands_->has_level(j)) continue;
      deviation = (phi.row(j).array() / unit(j) - centre_(j)).abs().matrix().transpose();
      note_deviations(deviation, j, sums);
    }
    if (std::all_of(settings_.exponents.begin(), settings_.exponents.end(), [](std::int64_t e) { return e == 0; })) {
      sums.moments.add(phi);
      return;
    }
    Eigen::MatrixXd scaled = phi;
    for (Index j = 0; j < count; ++j) scaled.row(j) /= unit(j);
    sums.moments.add(scaled);
    return;
  }

  Eigen::MatrixXd ratio(n, laws);  // f / q
  Eigen::MatrixXd control(n, controlled ? densities : 0);
  Eigen::MatrixXd log_f(laws, n);
  integrands_->log_densities(x, log_f);
  Eigen::VectorXd log_h(n), log_q(n);
  initial_log_density(*integrands_, log_f, log_h);
  law_.log_density(x, log_h, log_q, control);
  control.colwise() -= log_q;
  vector_exp(span_of(control), span_of(control));
  ratio = log_f.transpose();
  ratio.colwise() -= log_q;
  vector_exp(span_of(ratio), span_of(ratio));
  if (sums.weights.size() < kept_weights && !integrands_->common_law()) {
    log_h -= log_q;
    vector_exp(span_of(log_h), span_of(log_h));
    sums.weights.assign(log_h.data(), log_h.data() + n);
  }
  if (sums.weights.empty()) sums.weights.assign(ratio.data(), ratio.data() + n);

  sums.weight_sums.resize(laws, 3);
  for (Index l = 0; l < laws; ++l) sums.weight_sums.row(l) << ratio.col(l).sum(), ratio.col(l).squaredNorm(), ratio.col(l).maxCoeff();

  Eigen::MatrixXd summands(count + controls(), n);
  sums.contributions.resize(count, 4);
  sums.largest.resize(count, std::min(n, kept_largest));
  sums.hits.assign(static_cast<std::size_t>(count), 0);
  Eigen::VectorXd value(n), contribution(n);
  for (Index j = 0; j < count; ++j) {
    const auto weight = ratio.col(laws == 1 ? 0 : j);
    const double inverse = 1 / unit(j);
    std::int64_t hits = 0;
    for (Index i = 0; i < n; ++i) {
      value(i) = phi(j, i) * inverse;
      contribution(i) = weight(i) > 0 ? weight(i) * value(i) : 0;
      hits += contribution(i) != 0 ? 1 : 0;
      sums.negatives += contribution(i) < 0 ? 1 : 0;
    }
    sums.hits[static_cast<std::size_t>(j)] = hits;
    if (controlled) {
      const double beta = law_.beta(j) * inverse;
      summands.row(j) = (beta + (contribution - beta * control.col(j)).array()).matrix().transpose();
    } else {
      summands.row(j) = contribution.transpose();
    }
    sums.contributions.row(j).head(3) << contribution.cwiseAbs().sum(), contribution.squaredNorm(), contribution.dot(value);
    contribution = (contribution.array() - centre_(j)).abs();
    note_deviations(contribution, j, sums);
  }
  if (controls() > 0) summands.bottomRows(count) = control.transpose();
  sums.moments.add(summands);

  if (settings_.stratified) {
    sums.component_sums = Eigen::MatrixXd::Zero(count + 1, densities + 1);
    for (Index i = 0; i < n; ++i) {
      const Index k = component[static_cast<std::size_t>(i)];
      sums.component_sums.col(k).head(count) += summands.col(i).head(count);
      sums.component_sums(count, k) += 1;
    }
  }
}

void MixtureSample::note_deviations(Eigen::VectorXd& deviation, Index j, Sums& sums) const {
  sums.contributions(j, 3) = deviation.squaredNorm();
  const Index kept = sums.largest.cols();
  std::partial_sort(deviation.begin(), deviation.begin() + kept, deviation.end(), std::greater<>());
  sums.largest.row(j) = deviation.head(kept).transpose();
}

void MixtureSample::merge(Sums& into, const Sums& from) const {
  into.moments.merge(from.moments);
  into.component_sums += from.component_sums;
  into.contributions += from.contributions;
  into.weight_sums.leftCols(2) += from.weight_sums.leftCols(2);
  into.weight_sums.col(2) = into.weight_sums.col(2).cwiseMax(from.weight_sums.col(2));
  const Index kept = std::min(kept_largest, into.largest.cols() + from.largest.cols());
  Eigen::MatrixXd largest(into.largest.rows(), kept);
  std::vector<double> both(static_cast<std::size_t>(into.largest.cols() + from.largest.cols()));
  for (Index j = 0; j < largest.rows(); ++j) {
    const auto one = into.largest.row(j);
    const auto other = from.largest.row(j);
    std::merge(one.begin(), one.end(), other.begin(), other.end(), both.begin(), std::greater<>());
    std::copy_n(both.begin(), kept, largest.row(j).begin());
  }
  into.largest = std::move(largest);
  for (std::size_t j = 0; j < into.hits.size(); ++j) into.hits[j] += from.hits[j];
  into.negatives += from.negatives;
  if (into.weights.size() < kept_weights) into.weights.insert(into.weights.end(), from.weights.begin(), from.weights.end());
}

void MixtureSample::describe_state(Archive& archive) {
  archive.item("law", law_);
  archive.item("exponents", settings_.exponents);
  archive.item("points", points_);
  archive.item("centre", centre_);
  archive.item("sums", sums_);
  archive.item("convergence", convergence_);
}

}  // namespace buffon
