// SPDX-License-Identifier: BSD-3-Clause
#include "exact_denoiser_work.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <buffon/core/error.hpp>

#include "device_views.hpp"

namespace buffon {

MixtureWork::MixtureWork(const MixtureParts& parts, backend::Queue& queue, Index columns, buffon_type type, Index chunk)
    : parts_(parts), queue_(queue), type_(type), chunk_(std::clamp<Index>(chunk, 1, std::max<Index>(1, columns))) {}

void MixtureWork::operator()(const DenoiserCall& call, backend::View answer) {
  check(call);
  device::for_levels(call, chunk_, [&](Index first, Index count, const NoiseLevel& level) {
    const backend::View x = device::columns(call.x, first, count), d = device::columns(answer, first, count);
    if (level.sigma == 0) {
      queue_.combine(d, std::array{device::term(x, 1 / level.alpha)});
      return;
    }
    if (!last_ || last_->alpha != level.alpha || last_->sigma != level.sigma) at(level);
    last_ = level;
    const auto labels = call.labels.empty() ? call.labels : call.labels.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    const bool labelled = std::any_of(labels.begin(), labels.end(), [](std::int32_t label) { return label >= 0; });
    denoise(x, d, labelled ? labels : std::span<const std::int32_t>{});
  });
}

void MixtureWork::forbid(const backend::Matrix& penalty, std::span<const std::int32_t> labels) {
  Eigen::MatrixXd values = Eigen::MatrixXd::Zero(penalty.view().rows, penalty.view().columns);
  for (std::size_t c = 0; c < labels.size(); ++c) {
    if (labels[c] < 0) continue;
    auto column = values.col(static_cast<Index>(c));
    column.setConstant(-std::numeric_limits<double>::infinity());
    column(labels[c]) = 0;
  }
  queue_.upload(penalty, values);
}

void MixtureWork::check(const DenoiserCall& call) const {
  const Index classes = parts_.labelled ? parts_.count() : 0;
  for (const std::int32_t label : call.labels) {
    if (label < classes) continue;
    throw Error(ErrorCategory::usage, {.doing = "asking the model " + parts_.name,
                                       .key = "label",
                                       .value = std::to_string(label),
                                       .rule = classes == 0 ? "is given to a model that takes none" : "must be below " + std::to_string(classes),
                                       .remedy = "-1 means no class"});
  }
}

namespace {

using backend::Matrix;
using backend::Queue;
using backend::View;
using device::columns_times;
using device::factors;
using device::rows_times;
using device::term;

/// D = m + U diag(g)(U′ x − alpha U′ m), g = alpha d / v
class GaussianWork : public MixtureWork {
 public:
  GaussianWork(const MixtureParts& parts, Queue& queue, Index columns, buffon_type type)
      : MixtureWork(parts, queue, columns, type, batch_numbers / parts.dimension()),
        rotated_(parts.basis.size() == 0 ? parts.means : parts.basis.transpose() * parts.means),
        ones_(device::uploaded(queue, Eigen::VectorXd::Ones(parts.dimension()), type)),
        mean_(device::uploaded(queue, parts.means, type)),
        rows_(queue.device(), parts.dimension(), 2, BUFFON_F64) {
    if (parts.basis.size() == 0) return;
    basis_ = device::uploaded(queue, parts.basis, type);
    y_ = Matrix(queue.device(), parts.dimension(), chunk_, type);
  }

 private:
  void at(const NoiseLevel& level) override {
    const bool diagonal = parts_.basis.size() == 0;
    Eigen::MatrixXd rows(parts_.dimension(), 2);
    for (Index j = 0; j < rows.rows(); ++j) {
      const double d = parts_.spectra(parts_.isotropic() ? 0 : j, 0), v = level.alpha * level.alpha * d + level.sigma * level.sigma, gain = level.alpha * d / v;
      rows(j, 0) = gain;
      rows(j, 1) = diagonal ? rotated_(j, 0) * level.sigma * level.sigma / v : -gain * level.alpha * rotated_(j, 0);
    }
    queue_.upload(rows_, rows);
  }
  void denoise(View x, View answer, std::span<const std::int32_t>) override {
    const View ones = device::repeated(ones_, x.columns);
    if (parts_.basis.size() == 0) {
      queue_.combine(answer, std::array{rows_times(x, factors(rows_)), rows_times(ones, factors(rows_, 1))});
      return;
    }
    const View y = y_.columns(0, x.columns);
    queue_.product(y, basis_, true, x);
    queue_.combine(y, std::array{rows_times(y, factors(rows_)), rows_times(ones, factors(rows_, 1))});
    queue_.combine(answer, std::array{term(device::repeated(mean_, x.columns), 1)});
    queue_.product(answer, basis_, false, y, 1, 1);
  }

  Eigen::MatrixXd rotated_;  ///< U′ m
  Matrix ones_, mean_, rows_, basis_, y_;
};

/// y_k = (U_k′ x − alpha U_k′ m_k) / √v_k for all k at once; log w_k = log π_k − ½ Σ_j (y_kj² + log v_kj); D = Σ_k r_k (m_k + U_k (alpha d_k / √v_k) y_k)
class StackedWork : public MixtureWork {
 public:
  StackedWork(const MixtureParts& parts, Queue& queue, Index columns, buffon_type type)
      : MixtureWork(parts, queue, columns, type, batch_numbers / parts.spectra.size()),
        rotated_(parts.spectra.rows(), parts.spectra.cols()),
        basis_(device::uploaded(queue, parts.basis, type)),
        means_(device::uploaded(queue, parts.means, type)),
        ones_(device::uploaded(queue, Eigen::VectorXd::Ones(parts.spectra.size()), type)),
        ones_64_(device::uploaded(queue, Eigen::VectorXd::Ones(parts.count()), BUFFON_F64)),
        rows_(queue.device(), parts.spectra.size(), 3, BUFFON_F64),
        constants_(queue.device(), parts.count(), 1, BUFFON_F64),
        y_(queue.device(), parts.spectra.size(), chunk_, type),
        shares_(queue.device(), parts.count(), chunk_, BUFFON_F64),
        shares_of_type_(queue.device(), parts.count(), type == BUFFON_F64 ? 0 : chunk_, type),
        penalty_(queue.device(), parts.count(), parts.labelled ? chunk_ : 0, BUFFON_F64) {
    const Index n = parts.dimension();
    for (Index k = 0; k < parts.count(); ++k) rotated_.col(k) = parts.basis.middleCols(k * n, n).transpose() * parts.means.col(k);
  }

 private:
  void at(const NoiseLevel& level) override {
    const Eigen::ArrayXXd v = level.alpha * level.alpha * parts_.spectra.array() + level.sigma * level.sigma, root = v.sqrt();
    Eigen::MatrixXd rows(parts_.spectra.size(), 3);
    const auto put = [&](Index column, const Eigen::ArrayXXd& values) { rows.col(column) = Eigen::Map<const Eigen::VectorXd>(values.data(), values.size()); };
    put(0, root.inverse());
    put(1, -level.alpha * rotated_.array() / root);
    put(2, level.alpha * parts_.spectra.array() / root);
    queue_.upload(rows_, rows);
    queue_.upload(constants_, parts_.log_weights - 0.5 * v.log().colwise().sum().transpose().matrix());
  }
  void denoise(View x, View answer, std::span<const std::int32_t> labels) override {
    const Index n = parts_.dimension(), count = x.columns;
    const View y = y_.columns(0, count), shares = shares_.columns(0, count), per_component = device::reshaped(y, n);
    queue_.product(y, basis_, true, x);
    queue_.combine(y, std::array{rows_times(y, factors(rows_)), rows_times(device::repeated(ones_, count), factors(rows_, 1))});
    queue_.reduce(device::reshaped(shares, 1), per_component, BUFFON_SUM_SQUARES);
    std::array<buffon_term, 3> terms = {term(shares, -0.5), rows_times(device::repeated(ones_64_, count), factors(constants_)), {}};
    if (!labels.empty()) {
      forbid(penalty_, labels);
      terms[2] = term(penalty_.columns(0, count), 1);
    }
    queue_.combine(shares, {terms.data(), labels.empty() ? std::size_t{2} : std::size_t{3}});
    queue_.softmax(shares, shares);
    queue_.combine(y, std::array{rows_times(y, factors(rows_, 2))});
    queue_.combine(per_component, std::array{columns_times(per_component, static_cast<const double*>(shares.data))});
    View weights = shares;
    if (type_ != BUFFON_F64) {
      weights = shares_of_type_.columns(0, count);
      queue_.convert(weights, shares);
    }
    queue_.product(answer, means_, false, weights);
    queue_.product(answer, basis_, false, y, 1, 1);
  }

  Eigen::MatrixXd rotated_;  ///< U_k′ m_k
  Matrix basis_, means_, ones_, ones_64_, rows_, constants_, y_, shares_, shares_of_type_, penalty_;
};

}  // namespace

std::unique_ptr<DenoiserWork> gaussian_work(const MixtureParts& parts, Queue& queue, Index columns, buffon_type type) {
  return std::make_unique<GaussianWork>(parts, queue, columns, type);
}
std::unique_ptr<DenoiserWork> stacked_work(const MixtureParts& parts, Queue& queue, Index columns, buffon_type type) {
  return std::make_unique<StackedWork>(parts, queue, columns, type);
}

}  // namespace buffon
