// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/teleport.hpp>

#include <Eigen/Eigenvalues>

#include <cmath>
#include <utility>

#include <buffon/core/error.hpp>

#include "columns.hpp"

namespace buffon {
namespace {

[[noreturn]] void refuse_teleport(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::configuration, {.doing = "jumping along the flow of Gaussian data",
                                             .key = std::move(key),
                                             .value = std::move(value),
                                             .rule = std::move(rule),
                                             .remedy = std::move(remedy)});
}

}  // namespace

Teleport::Teleport(Eigen::VectorXd mean, const Eigen::MatrixXd& covariance) : mean_(std::move(mean)), rest_(0) {
  if (covariance.rows() != mean_.size() || covariance.cols() != mean_.size() || !covariance.isApprox(covariance.transpose(), 1e-10)) {
    refuse_teleport("covariance", std::to_string(covariance.rows()) + " x " + std::to_string(covariance.cols()), "must be symmetric, of the size of the mean",
                    "give the covariance of the data");
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solved(covariance);
  directions_ = solved.eigenvectors();
  variances_ = solved.eigenvalues();
  const double scale = variances_.cwiseAbs().maxCoeff();
  if (variances_.minCoeff() < -1e-10 * scale)
    refuse_teleport("covariance", to_text(variances_.minCoeff()), "must have no negative eigenvalue", "check its entries");
  variances_ = variances_.cwiseMax(0);
}

Teleport::Teleport(Eigen::VectorXd mean, Eigen::MatrixXd directions, Eigen::VectorXd variances, double rest)
    : mean_(std::move(mean)), variances_(std::move(variances)), directions_(std::move(directions)), rest_(rest) {
  const Index r = variances_.size();
  if (directions_.rows() != mean_.size() || directions_.cols() != r ||
      (r > 0 && !(directions_.transpose() * directions_).isApprox(Eigen::MatrixXd::Identity(r, r), 1e-8))) {
    refuse_teleport("directions", std::to_string(directions_.rows()) + " x " + std::to_string(directions_.cols()),
                    "must be orthonormal columns of the size of the mean, one for each variance", "take eigenvectors of the covariance");
  }
  if (!(rest >= 0) || (r > 0 && !(variances_.minCoeff() >= 0))) refuse_teleport("variances", to_text(rest), "must not be negative", "check the variances");
}

void Teleport::operator()(backend::Queue& queue, backend::View x, const NoiseLevel& from, const NoiseLevel& to) const {
  if (from.sigma == 0) refuse_teleport("from", "sigma = 0", "must be a level with noise", "jump from the noise to the data");
  const auto gain = [&](double variance) {
    return std::sqrt((to.alpha * to.alpha * variance + to.sigma * to.sigma) / (from.alpha * from.alpha * variance + from.sigma * from.sigma));
  };
  const double q = gain(rest_);
  const Index n = x.rows, r = variances_.size(), columns = x.columns;
  using backend::Matrix;
  // U′ x, its rows scaled by g − q; all that belongs to the mean is one offset: alpha_t m − alpha_s (q m + U diag(g − q) U′ m).
  const Matrix directions(queue.device(), n, r, x.type), coordinates(queue.device(), r, columns, x.type), ones(queue.device(), n, 1, x.type),
      scales(queue.device(), r, 1, BUFFON_F64), offset(queue.device(), n, 1, BUFFON_F64), moved(queue.device(), n, columns, x.type);
  const Eigen::VectorXd scale = variances_.unaryExpr(gain).array() - q;
  Eigen::VectorXd constant = (to.alpha - from.alpha * q) * mean_;
  if (r > 0) {
    constant -= from.alpha * (directions_ * (scale.asDiagonal() * (directions_.transpose() * mean_)));
    queue.upload(directions, directions_);
    queue.upload(scales, scale);
    queue.product(coordinates, directions, true, x);
    queue.combine(coordinates, std::vector<buffon_term>{{coordinates, 1, static_cast<const double*>(scales.view().data), nullptr}});
    queue.product(moved, directions, false, coordinates);
  } else {
    queue.fill(moved, BUFFON_CONSTANT, 0, Stream(0), 0);
  }
  queue.fill(ones, BUFFON_CONSTANT, 1, Stream(0), 0);
  queue.upload(offset, constant);
  backend::View one = ones;
  one.columns = columns;
  one.stride = 0;  // the same column for every sample
  queue.combine(x, std::vector<buffon_term>{plain_term(x, q), plain_term(moved), {one, 1, static_cast<const double*>(offset.view().data), nullptr}});
  queue.synchronise();  // before memory of its own goes
}

}  // namespace buffon
