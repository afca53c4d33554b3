// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/samplers/chains.hpp>
#include <buffon/samplers/slice_kernel.hpp>

#include <cstdint>
#include <memory>

namespace buffon {

namespace slices {
struct PolarState;
}

struct PolarSliceOptions {
  double width = 0;  ///< radial bracket, in the frame; 0 = 1 in a frame without scale, else √d / 2
  enum class Expansion { step_out, doubling };
  Expansion expand = Expansion::step_out;  ///< doubling costs a logarithm of the bracket on heavy tails (Neal 2003)
  std::int64_t max_expansions = 0;         ///< most widenings, divided between the ends at random (Neal's limit m − 1); 0 = no limit
};
void describe(OptionVisitor& visitor, PolarSliceOptions& options);

/// Gibbsian polar slice sampling (Schär, Habeck, Rudolf, "Gibbsian polar slice sampling", ICML 2023, Algorithm 1): with x = r θ in the frame,
/// one level t ~ U(0, r^{d−1} p(x)), then the direction θ on a random great circle by shrinkage, then the radius r by stepping-out (or
/// doubling) and shrinkage. Dimension-free mixing on rotationally invariant targets, heavy tails included; needs a centre near
/// the mass, which the warm-up finds. d ≥ 2. At least 3 to 4 evaluations per step; O(d) besides, O(d²) with a full frame.
class PolarSlice final : public SliceKernel {
 public:
  /// @throws Error(configuration) for options out of range or a dimension that it cannot have
  explicit PolarSlice(std::shared_ptr<const LogDensity> density, const PolarSliceOptions& options = {});
  ~PolarSlice() override;
  Index normals() const override { return dimension(); }

 private:
  void represent() override;
  void transition(ItemDraws& draws) override;
  void check_start() const override;

  PolarSliceOptions options_;
  std::unique_ptr<slices::PolarState> state_;
};

/// Options of a run: those of the chains and those of the kernel, in one table of a configuration.
struct PolarSliceRunOptions : ChainOptions {
  /// Doubling: a chain that begins far from the mass, or in heavy tails, meets slices 10⁵ widths long and longer.
  PolarSliceOptions kernel = {.expand = PolarSliceOptions::Expansion::doubling};
};
void describe(OptionVisitor& visitor, PolarSliceRunOptions& options);

/// Chains of PolarSlice as a resumable method; `result()` has draws, summary and verdict.
class PolarSliceChains final : public Chains {
 public:
  PolarSliceChains(std::shared_ptr<const Target> target, const PolarSliceRunOptions& options, const Stream& stream);
};

/// Runs the chains to their end.
ChainResult polar_slice(std::shared_ptr<const Target> target, const PolarSliceRunOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
