// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/samplers/chains.hpp>
#include <buffon/samplers/slice_kernel.hpp>

#include <cstdint>
#include <memory>

namespace buffon {

struct HitAndRunSliceOptions {
  double width = 0;                 ///< bracket, in the frame; 0 = 1 in a frame without scale, else 3
  std::int64_t max_expansions = 0;  ///< as in PolarSliceOptions
};
void describe(OptionVisitor& visitor, HitAndRunSliceOptions& options);

/// Hit-and-run uniform slice sampling (MacKay 2003, chapter 29): level t ~ U(0, p(x)), a uniform direction in the frame, the new point on
/// that line by stepping-out and shrinkage.
class HitAndRunSlice final : public SliceKernel {
 public:
  /// @throws Error(configuration) for options out of range or a dimension that it cannot have
  explicit HitAndRunSlice(std::shared_ptr<const LogDensity> density, const HitAndRunSliceOptions& options = {});
  Index normals() const override { return dimension(); }

 private:
  void represent() override;
  void transition(ItemDraws& draws) override;

  HitAndRunSliceOptions options_;
  Eigen::VectorXd image_;  ///< A z, z the normals of the step
};

/// Options of a run: those of the chains and those of the kernel, in one table of a configuration.
struct HitAndRunSliceRunOptions : ChainOptions {
  /// A limit: a chain that begins far from the mass meets slices without an end that doubles can tell.
  HitAndRunSliceOptions kernel = {.max_expansions = 100};
};
void describe(OptionVisitor& visitor, HitAndRunSliceRunOptions& options);

/// Chains of HitAndRunSlice as a resumable method; `result()` has draws, summary and verdict.
class HitAndRunSliceChains final : public Chains {
 public:
  HitAndRunSliceChains(std::shared_ptr<const Target> target, const HitAndRunSliceRunOptions& options, const Stream& stream);
};

/// Runs the chains to their end.
ChainResult hit_and_run_slice(std::shared_ptr<const Target> target, const HitAndRunSliceRunOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
