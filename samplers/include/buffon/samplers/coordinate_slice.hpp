// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/samplers/chains.hpp>
#include <buffon/samplers/slice_kernel.hpp>

#include <cstdint>
#include <memory>

namespace buffon {

struct CoordinateSliceOptions {
  double width = 0;  ///< bracket, in the frame; 0 = 1 in a frame without scale, else 3
  enum class Expansion { step_out, doubling };
  Expansion expand = Expansion::step_out;
  std::int64_t max_expansions = 0;  ///< as in PolarSliceOptions
};
void describe(OptionVisitor& visitor, CoordinateSliceOptions& options);

/// Univariate slice sampling of one coordinate of the frame after the other (Neal, "Slice sampling", Annals of Statistics 2003): stepping-out
/// or doubling, and shrinkage. One step is a sweep over all d coordinates. Any d ≥ 1.
class CoordinateSlice final : public SliceKernel {
 public:
  /// @throws Error(configuration) for options out of range or a dimension that it cannot have
  explicit CoordinateSlice(std::shared_ptr<const LogDensity> density, const CoordinateSliceOptions& options = {});
  Index normals() const override { return 0; }

 private:
  void represent() override;
  void transition(ItemDraws& draws) override;

  CoordinateSliceOptions options_;
  Eigen::VectorXd axis_;  ///< a column of A
};

/// Options of a run: those of the chains and those of the kernel, in one table of a configuration.
struct CoordinateSliceRunOptions : ChainOptions {
  /// A limit: a chain that begins far from the mass meets slices without an end that doubles can tell.
  CoordinateSliceOptions kernel = {.max_expansions = 100};
};
void describe(OptionVisitor& visitor, CoordinateSliceRunOptions& options);

/// Chains of CoordinateSlice as a resumable method; `result()` has draws, summary and verdict.
class CoordinateSliceChains final : public Chains {
 public:
  CoordinateSliceChains(std::shared_ptr<const Target> target, const CoordinateSliceRunOptions& options, const Stream& stream);
};

/// Runs the chains to their end.
ChainResult coordinate_slice(std::shared_ptr<const Target> target, const CoordinateSliceRunOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
