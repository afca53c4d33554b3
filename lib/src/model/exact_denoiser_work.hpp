// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/denoiser.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>

namespace buffon {

/// Σ_k w_k N(m_k, U_k diag(d_k) U_k′)
struct MixtureParts {
  std::string name;
  Eigen::VectorXd log_weights;  ///< K, of shares that sum to 1
  Eigen::MatrixXd means;        ///< n × K
  Eigen::MatrixXd basis;        ///< n × K n, U_1 … U_K side by side; empty: all the identity
  Eigen::MatrixXd spectra;      ///< n × K, or 1 × K where every S_k = d_k I
  bool labelled = true;         ///< components are classes

  Index dimension() const { return means.rows(); }
  Index count() const { return means.cols(); }
  bool isotropic() const { return spectra.rows() == 1; }
};

/// Numbers of a batch that are worked on at once.
inline constexpr Index batch_numbers = Index{1} << 20;

/// A mixture's work at one level after another: what depends on the level alone is kept until it changes.
class MixtureWork : public DenoiserWork {
 public:
  /// @param chunk the most columns worked on at once
  MixtureWork(const MixtureParts& parts, backend::Queue& queue, Index columns, buffon_type type, Index chunk);
  void operator()(const DenoiserCall& call, backend::View answer) final;

 protected:
  virtual void at(const NoiseLevel& level) = 0;
  /// @param labels empty: none
  virtual void denoise(backend::View x, backend::View answer, std::span<const std::int32_t> labels) = 0;
  /// 0 for the component of a label, −∞ for the others.
  void forbid(const backend::Matrix& penalty, std::span<const std::int32_t> labels);

  const MixtureParts& parts_;
  backend::Queue& queue_;
  buffon_type type_;
  Index chunk_;

 private:
  void check(const DenoiserCall& call) const;
  std::optional<NoiseLevel> last_;
};

/// Denoisers of one Gaussian, of stacked eigenbases, and of squared distances.
std::unique_ptr<DenoiserWork> gaussian_work(const MixtureParts& parts, backend::Queue& queue, Index columns, buffon_type type);
std::unique_ptr<DenoiserWork> stacked_work(const MixtureParts& parts, backend::Queue& queue, Index columns, buffon_type type);
std::unique_ptr<DenoiserWork> distance_work(const MixtureParts& parts, backend::Queue& queue, Index columns, buffon_type type);

}  // namespace buffon
