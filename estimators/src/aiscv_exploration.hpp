// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/archive.hpp>
#include <buffon/estimators/aiscv.hpp>
#include <buffon/estimators/mixture_sample.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/random/stream.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

/// One line of the table of rounds.
struct AiscvRound {
  std::string label;
  std::int64_t points = 0;      ///< exploration points in all
  double criterion = 0;         ///< Σ w_j V_j / points that would be left for the final sample
  double smallest_size = 0;     ///< smallest effective number of points behind a fitted density
  double largest_share = 0;     ///< largest α_j
  double alpha_iterations = 0;  ///< iterations of the α update
  void describe_state(Archive& archive);
};

/// The exploration of ME-AISCV: all points so far with their values and densities, and what is fitted to them. Everything
/// stays valid between rounds. Functions are used in units of 2^exponent_j, chosen at the first sight of φ_j, so that squares
/// of functions of any scale stay in range and the unit of a function has no influence.
class AiscvExploration {
 public:
  AiscvExploration(std::shared_ptr<const Integrands> integrands, const AiscvOptions& options, const Stream& stream);

  void pilot(Context& context);
  /// One level of tempering, or none when no event needs one (then `tempering()` is false).
  void temper(Context& context);
  /// Fit, mixture weights, a batch from the new law, control parameters, and the decision whether to go on.
  void adapt(Context& context);

  /// Points that max_evaluations pays for, those of the final sample included.
  std::int64_t points_in_all() const { return options_.max_evaluations / integrands_->calls_per_point(); }
  std::int64_t used() const { return x_.cols(); }
  bool tempering() const { return tempering_; }
  bool finished() const { return finished_; }
  /// Law and control parameters of the final sample; h_0 without controls before the first adaptation.
  AuxiliaryMixture final_law() const;
  std::int64_t rounds() const { return static_cast<std::int64_t>(rounds_.size()); }
  const std::vector<AiscvRound>& round_list() const { return rounds_; }
  const std::vector<std::int64_t>& exponents() const { return exponents_; }
  Eigen::VectorXd weights() const { return log_weights_.array().exp(); }
  const Eigen::VectorXd& estimates() const { return mean_; }  ///< Î_j of the exploration, in units of 2^exponent
  const std::string& stop_reason() const { return stop_reason_; }
  /// @param poor_final whether the final sample does not support the estimate of integrand j (or there is none yet)
  std::vector<std::string> warnings(const std::function<bool(Index)>& poor_final) const;

  void release_points();  ///< forgets the points: the final sample does not need them
  std::int64_t spent() const { return spent_; }
  void describe_state(Archive& archive);

 private:
  Index count() const { return integrands_->count(); }
  Index law_row(Index j) const { return integrands_->common_law() ? 0 : j; }
  double unit(Index j) const;
  std::int64_t cap() const;    ///< N_1
  std::int64_t batch() const;  ///< N_k
  Eigen::VectorXd log_law(Context& context, const AuxiliaryMixture& law, const ConstMatrix& x, const ConstMatrix& log_f) const;
  void draw(Context& context, const AuxiliaryMixture& law, std::int64_t points);
  Eigen::VectorXd ratios_to_sample(const ConstVector& log_density) const;  ///< exp(log density − log h) at all points
  void summarise();                                                        ///< exponents, Î, V and criterion weights from all points
  GaussianFit fit_settings() const;
  Eigen::MatrixXd law_factor(const Eigen::VectorXd& ratio) const;  ///< Cholesky factor of the covariance of f_j, from the weights f_j / h
  Eigen::VectorXd scaled_weights() const;                          ///< criterion weights for functions in their units, largest 1
  void renew_weights(const Eigen::VectorXd& standard_errors);

  std::shared_ptr<const Integrands> integrands_;
  AiscvOptions options_;
  Stream points_stream_;
  Stream fit_stream_;

  Eigen::MatrixXd x_, phi_, log_f_, level_;
  Eigen::VectorXd log_mix_;  ///< log Σ_k n_k q_k, so that h = exp(log_mix) / n
  std::vector<AuxiliaryMixture> laws_;
  std::vector<std::int64_t> law_points_;
  Eigen::VectorXd scale_;  ///< variances that the ridge is relative to

  std::vector<std::int64_t> exponents_, seen_, pilot_seen_;
  Eigen::VectorXd mean_, variance_, log_weights_;
  Eigen::VectorXd law_variance_;  ///< V_j per point under the newest law, from its own batch
  AuxiliaryMixture law_, previous_;
  std::vector<AiscvRound> rounds_;

  std::vector<GaussianMixture> tempered_;  ///< current densities of the events on their way
  std::vector<std::int64_t> temper_state_;
  std::vector<double> threshold_;
  bool tempering_ = false, finished_ = false, adapted_ = false, use_previous_ = false;
  std::int64_t spent_ = 0, adaptations_ = 0, levels_done_ = 0;
  std::vector<std::int64_t> thin_, stuck_;  ///< integrands whose density rests on few points; events whose tempering stalled
  std::string stop_reason_;
};

}  // namespace buffon
