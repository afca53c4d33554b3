// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/samplers/chains.hpp>
#include <buffon/samplers/slice_kernel.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace buffon {

struct EllipticalSliceOptions {
  std::vector<double> prior_mean = {};        ///< d numbers; one = for all; empty = 0 (with a prior)
  std::vector<double> prior_covariance = {};  ///< of the prior: one variance for all, d variances, or d · d numbers; empty = no prior
};
void describe(OptionVisitor& visitor, EllipticalSliceOptions& options);

/// Elliptical slice sampling (Murray, Adams, MacKay 2010): a point on a random ellipse through x by shrinkage, no tuning. With a Gaussian prior
/// N(m, S) the density is the likelihood and the target prior × likelihood; without, the target is the density itself and the ellipse that of
/// the frame, log L = log p + |y|²/2 (good where the target is near the frame's Gaussian, with tails not heavier).
class EllipticalSlice final : public SliceKernel {
 public:
  /// @throws Error(configuration) for options out of range or a dimension that it cannot have
  explicit EllipticalSlice(std::shared_ptr<const LogDensity> density, const EllipticalSliceOptions& options = {});
  Index normals() const override { return dimension(); }
  /// With a prior that of prior × likelihood, up to the constant of the prior.
  double log_density() const override;
  bool tunable() const override { return !prior_; }
  /// @throws Error(usage) with a prior, whose Gaussian is the frame
  void set_frame(AffineFrame frame) override;

 private:
  void represent() override;
  void transition(ItemDraws& draws) override;

  bool prior_;
  Eigen::VectorXd coordinates_, image_;  ///< y of the point; A ν
  double square_ = 0;                    ///< |y|²
};

/// Options of a run: those of the chains and those of the kernel, in one table of a configuration.
struct EllipticalSliceRunOptions : ChainOptions {
  EllipticalSliceOptions kernel = {};
};
void describe(OptionVisitor& visitor, EllipticalSliceRunOptions& options);

/// Chains of EllipticalSlice as a resumable method; `result()` has draws, summary and verdict.
class EllipticalSliceChains final : public Chains {
 public:
  EllipticalSliceChains(std::shared_ptr<const Target> target, const EllipticalSliceRunOptions& options, const Stream& stream);
};

/// Runs the chains to their end.
ChainResult elliptical_slice(std::shared_ptr<const Target> target, const EllipticalSliceRunOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
