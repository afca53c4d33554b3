// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/random/stream.hpp>

#include <string>
#include <vector>

namespace buffon {

/// One named input.
struct Input {
  std::string name;
  Marginal law;
};

/// Joint law of d inputs: independent marginals, or marginals coupled by a Gaussian copula.
/// The isoprobabilistic transform T maps x to u ~ N(0, I_d): u = L⁻¹ Φ⁻¹(F(x)), L Lᵀ = R the copula's correlation.
/// Exact in the tails: survival functions are used above the median, log-space below and above what a double can hold.
class JointLaw {
 public:
  JointLaw() = default;
  /// @param correlation R of the normal scores, d × d, symmetric positive definite with unit diagonal; empty = independent
  /// @throws Error(configuration) naming the pair when R is not positive definite, or a duplicate name
  explicit JointLaw(std::vector<Input> inputs, Eigen::MatrixXd correlation = {});

  Index size() const { return static_cast<Index>(inputs_.size()); }
  const std::vector<Input>& inputs() const { return inputs_; }
  std::vector<std::string> names() const;
  bool independent() const { return cholesky_.size() == 0; }
  const Eigen::MatrixXd& correlation() const { return correlation_; }

  /// x = T⁻¹(u), column by column. u, x: d × n; may be the same matrix.
  void from_standard(const ConstMatrix& u, MutMatrix x) const;
  /// u = T(x). Points outside the support give non-finite u.
  void to_standard(const ConstMatrix& x, MutMatrix u) const;
  /// log f(x) per column, −∞ outside the support. log_density: n.
  void log_density(const ConstMatrix& x, MutVector log_density) const;
  /// n draws, column c = item first + c of the stream.
  void sample(const Stream& stream, std::uint64_t first, MutMatrix x) const;

 private:
  std::vector<Input> inputs_;
  Eigen::MatrixXd correlation_;  ///< empty when independent
  Eigen::MatrixXd cholesky_;     ///< lower factor of R, empty when independent
};

}  // namespace buffon
