// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/denoiser.hpp>
#include <buffon/random/stream.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace buffon {

/// A law of data whose denoiser D(x) = E[x₀ | x] is a formula: what solvers are tested and compared on. All of it runs through the operations of a
/// backend, in the type of the views; answers `data`. At sigma = 0 the answer is x / alpha.
class ExactDenoiser : public Denoiser {
 public:
  virtual Eigen::VectorXd mean() const = 0;        ///< of the data
  virtual Eigen::MatrixXd covariance() const = 0;  ///< n × n
  virtual double total_variance() const = 0;       ///< its trace
  /// E[(y ∘ y) (y ∘ y)′] of y = basis′ (x₀ − mean): what the errors of sample covariances follow from.
  /// @param basis n × n, orthonormal
  virtual Eigen::MatrixXd squares(const Eigen::MatrixXd& basis) const = 0;
  /// Draws of alpha x₀ + sigma ε; alpha = 1 and sigma = 0 give data. Column c is item first + c of children of the stream.
  /// @param labels component of every column, −1 = any; empty: any
  virtual void sample(const Stream& stream, std::uint64_t first, const NoiseLevel& level, MutMatrix x, std::span<const std::int32_t> labels = {}) const = 0;
  /// Where the probability flow takes starts from one level to another, where that is a formula.
  virtual std::optional<Eigen::MatrixXd> endpoints(const ConstMatrix&, const NoiseLevel& /*first*/, const NoiseLevel& /*last*/) const { return std::nullopt; }
};

/// Data N(mean, covariance). D = m + U diag(alpha d / v) U′ (x − alpha m), v = alpha² d + sigma²; the flow is known between any two levels:
/// x_t = alpha_t m + U diag(√(v_t / v_s)) U′ (x_s − alpha_s m).
/// @param covariance n × n, symmetric, no eigenvalue below 0. @throws Error(configuration)
std::shared_ptr<const ExactDenoiser> gaussian_denoiser(const Eigen::VectorXd& mean, const Eigen::MatrixXd& covariance);
/// The same with a diagonal covariance: no products of matrices.
std::shared_ptr<const ExactDenoiser> gaussian_denoiser(const Eigen::VectorXd& mean, const Eigen::VectorXd& variances);

/// Data Σ_k w_k N(m_k, S_k); label k is component k. With stacked eigenbases one product gives the coordinates of a batch in all of them, a softmax the
/// shares, another product the answer: 4 n² K flops per sample.
/// @param weights K positive numbers, taken relative to their sum
/// @param means n × K
/// @param covariances K of n × n. @throws Error(configuration)
std::shared_ptr<const ExactDenoiser> mixture_denoiser(const Eigen::VectorXd& weights, const Eigen::MatrixXd& means,
                                                      const std::vector<Eigen::MatrixXd>& covariances);
/// The same with S_k = variances_k I: 4 n K flops per sample. Squared distances come from one product, in float32, float64 or by differences, as the
/// level asks: the expanded square loses digits where sigma is small beside the spread of the means.
std::shared_ptr<const ExactDenoiser> mixture_denoiser(const Eigen::VectorXd& weights, const Eigen::MatrixXd& means, const Eigen::VectorXd& variances);

/// A finite set of data, every point as likely as every other, each with a normal of this deviation around it; 0: the points themselves, on which the
/// probability flow then ends. Takes no labels.
/// @param points n × N
std::shared_ptr<const ExactDenoiser> points_denoiser(const Eigen::MatrixXd& points, double deviation = 0);

/// Models of a name: g3 (three Gaussians in the plane, order tests), f4 (four, far apart), p1, p2 (pairs), t1 (three narrow ones on a line).
/// @throws Error(configuration) with the names
std::shared_ptr<const ExactDenoiser> named_denoiser(const std::string& name);
const std::vector<std::string>& denoiser_names();

/// The law of all classes of such a model together.
/// @param components Gaussians, or points
/// @param most_covariance the largest dimension for which the covariance is written down
KnownLaw known_law(const std::shared_ptr<const ExactDenoiser>& model, std::int64_t components, Index most_covariance = 256);

}  // namespace buffon
