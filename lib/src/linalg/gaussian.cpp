// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/error.hpp>
#include <buffon/linalg/gaussian.hpp>
#include <buffon/random/scalar_kernels.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "dense_kernels.hpp"

namespace buffon {
namespace {

constexpr const char* making = "making a normal law";

// Lower Cholesky factor by columns; false when a pivot is not clearly above its rounding error.
bool factorise(const Eigen::MatrixXd& a, Eigen::MatrixXd& lower) {
  const Index d = a.rows();
  lower.setZero(d, d);
  for (Index k = 0; k < d; ++k) {
    double pivot = a(k, k);
    for (Index l = 0; l < k; ++l) pivot -= lower(k, l) * lower(k, l);
    if (!(pivot > 4 * static_cast<double>(d) * std::numeric_limits<double>::epsilon() * a(k, k)) || !std::isfinite(pivot)) return false;
    lower(k, k) = std::sqrt(pivot);
    for (Index i = k + 1; i < d; ++i) {
      double s = a(i, k);
      for (Index l = 0; l < k; ++l) s -= lower(i, l) * lower(k, l);
      lower(i, k) = s / lower(k, k);
    }
  }
  return true;
}

void require_size(const char* doing, const char* what, Index found, Index expected) {
  if (found == expected) return;
  throw Error(ErrorCategory::usage, {.doing = doing, .key = what, .value = std::to_string(found), .rule = "must be " + std::to_string(expected)});
}

// Copies up to 32 columns into a tile; missing points repeat the first one.
void load_tile(const ConstMatrix& x, Index first, Index points, double* tile) {
  for (Index p = 0; p < tile_points; ++p) {
    const double* source = x.data() + (first + (p < points ? p : 0)) * x.outerStride();
    for (Index i = 0; i < x.rows(); ++i) tile[i * tile_points + p] = source[i];
  }
}

}  // namespace

Gaussian Gaussian::standard(Index dimension) {
  Gaussian g;
  g.mean_ = Eigen::VectorXd::Zero(dimension);
  g.lower_ = Eigen::MatrixXd::Identity(dimension, dimension);
  g.diagonal_ = true;
  g.prepare();
  return g;
}

Gaussian Gaussian::from_cholesky(const ConstVector& mean, const ConstMatrix& lower) {
  require_size(making, "rows of the factor", lower.rows(), mean.size());
  require_size(making, "columns of the factor", lower.cols(), mean.size());
  Gaussian g;
  g.mean_ = mean;
  g.lower_ = lower.triangularView<Eigen::Lower>();
  if (!(lower.diagonal().array() > 0).all() || !g.lower_.allFinite() || !mean.allFinite()) {
    throw Error(ErrorCategory::numeric, {.doing = making, .key = "factor", .rule = "must be finite with a positive diagonal, the mean finite"});
  }
  g.diagonal_ = g.lower_.isDiagonal(0);
  g.prepare();
  return g;
}

Gaussian Gaussian::from_covariance(const ConstVector& mean, const ConstMatrix& covariance, const GaussianShape& shape) {
  const Index d = mean.size();
  require_size(making, "rows of the covariance", covariance.rows(), d);
  require_size(making, "columns of the covariance", covariance.cols(), d);
  if (shape.scale.size() != 0) require_size(making, "variances of the ridge", shape.scale.size(), d);
  if (!(shape.ridge >= 0)) throw Error(ErrorCategory::usage, {.doing = making, .key = "ridge", .value = to_text(shape.ridge), .rule = "must not be negative"});
  if (!mean.allFinite() || !covariance.allFinite()) {
    throw Error(ErrorCategory::numeric, {.doing = making, .key = "mean and covariance", .rule = "must be finite"});
  }
  const Eigen::VectorXd scale = shape.scale.size() != 0 ? shape.scale : Eigen::VectorXd(covariance.diagonal());
  Eigen::MatrixXd symmetric = covariance;
  if (shape.diagonal) symmetric = Eigen::MatrixXd(covariance.diagonal().asDiagonal());

  Gaussian g;
  g.mean_ = mean;
  g.diagonal_ = shape.diagonal;
  for (g.ridge_ = shape.ridge;; g.ridge_ = g.ridge_ == 0 ? 1e-12 : 10 * g.ridge_) {
    Eigen::MatrixXd a = symmetric;
    a.diagonal() += g.ridge_ * scale;
    if (factorise(a, g.lower_)) break;
    if (g.ridge_ >= 1) {
      throw Error(ErrorCategory::numeric,
                  {.doing = making,
                   .key = "covariance",
                   .value = "smallest variance " + to_text(symmetric.diagonal().minCoeff()) + ", smallest scale of the ridge " + to_text(scale.minCoeff()),
                   .rule = "must be positive definite, also after a ridge of " + to_text(g.ridge_),
                   .remedy = "leave out coordinates that do not vary, or give a positive scale"});
    }
  }
  g.prepare();
  return g;
}

void Gaussian::prepare() {
  const Index d = dimension();
  inverse_diagonal_ = lower_.diagonal().cwiseInverse();
  rows_.resize(diagonal_ ? 0 : d * (d - 1) / 2);
  double log_diagonal = 0;
  Index at = 0;
  for (Index i = 0; i < d; ++i) {
    log_diagonal += scalar::log(lower_(i, i));
    for (Index k = 0; k < i && !diagonal_; ++k) rows_[at++] = lower_(i, k);
  }
  log_determinant_ = 2 * log_diagonal;
  constant_ = -0.5 * static_cast<double>(d) * 1.8378770664093455 - log_diagonal;  // log 2π
}

Eigen::MatrixXd Gaussian::covariance() const {
  const Index d = dimension();
  Eigen::MatrixXd c(d, d);
  for (Index j = 0; j < d; ++j) {
    for (Index i = j; i < d; ++i) {
      double s = 0;
      for (Index k = 0; k <= j; ++k) s += lower_(i, k) * lower_(j, k);
      c(i, j) = c(j, i) = s;
    }
  }
  return c;
}

void Gaussian::tile_log_density(const double* tile, double* scratch, double* out) const {
  const auto d = static_cast<std::uint64_t>(dimension());
  const DenseKernels& kernels = dense_kernels();
  if (diagonal_) {
    kernels.diagonal_gaussian(tile, d, mean_.data(), inverse_diagonal_.data(), constant_, out);
  } else {
    kernels.gaussian(tile, d, mean_.data(), rows_.data(), inverse_diagonal_.data(), constant_, scratch, out);
  }
}

void Gaussian::log_density(const ConstMatrix& x, MutVector out) const {
  require_size("evaluating a normal log density", "length of the result", out.size(), x.cols());
  log_densities(std::span<const Gaussian>(this, 1), x, Eigen::Map<Eigen::MatrixXd>(out.data(), 1, out.size()));
}

void log_densities(std::span<const Gaussian> laws, const ConstMatrix& x, MutMatrix out) {
  constexpr const char* doing = "evaluating normal log densities";
  const Index d = x.rows(), n = x.cols(), count = static_cast<Index>(laws.size());
  require_size(doing, "rows of the result", out.rows(), count);
  require_size(doing, "columns of the result", out.cols(), n);
  for (const Gaussian& g : laws) require_size(doing, "dimension of the points", d, g.dimension());
  // Blocks of eight tiles stay in cache while all laws pass over them; results of eight laws are written side by side, since
  // a column of `out` holds the laws.
  constexpr Index tiles = 8, block = tiles * tile_points, group = 8;
  std::vector<double> points(static_cast<std::size_t>(d * block)), scratch(static_cast<std::size_t>(d * tile_points));
  std::array<std::array<double, block>, group> values;
  for (Index first = 0; first < n; first += block) {
    const Index size = std::min(block, n - first);
    for (Index t = 0; t * tile_points < size; ++t) {
      load_tile(x, first + t * tile_points, std::min<Index>(tile_points, size - t * tile_points), points.data() + t * d * tile_points);
    }
    for (Index j = 0; j < count; j += group) {
      const Index some = std::min(group, count - j);
      for (Index l = 0; l < some; ++l) {
        for (Index t = 0; t * tile_points < size; ++t) {
          laws[static_cast<std::size_t>(j + l)].tile_log_density(points.data() + t * d * tile_points, scratch.data(),
                                                                 values[static_cast<std::size_t>(l)].data() + t * tile_points);
        }
      }
      for (Index c = 0; c < size; ++c) {
        double* column = &out(j, first + c);
        for (Index l = 0; l < some; ++l) column[l] = values[static_cast<std::size_t>(l)][static_cast<std::size_t>(c)];
      }
    }
  }
}

void Gaussian::transform(MutMatrix z) const {
  const Index d = dimension();
  require_size("drawing from a normal law", "rows of the points", z.rows(), d);
  for (Index c = 0; c < z.cols(); ++c) {
    double* y = z.data() + c * z.outerStride();
    // From the last column of L to the first: y_k is still the standard normal when its column is used.
    for (Index k = d - 1; k >= 0; --k) {
      const double normal = y[k];
      const double* column = lower_.data() + k * d;
      y[k] = column[k] * normal;
      if (diagonal_) continue;
      for (Index i = k + 1; i < d; ++i) y[i] += column[i] * normal;
    }
    for (Index i = 0; i < d; ++i) y[i] += mean_[i];
  }
}

void Gaussian::describe_state(Archive& archive) {
  archive.item("mean", mean_);
  archive.item("lower", lower_);
  archive.item("ridge", ridge_);
  archive.item("diagonal", diagonal_);
  if (archive.loading()) prepare();
}

}  // namespace buffon
