// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/samplers/chains.hpp>
#include <buffon/samplers/slice_kernel.hpp>

#include <cstdint>
#include <memory>

namespace buffon {

namespace slices {
class GreatCircle;
}

struct GeodesicSliceOptions {
  enum class Search { shrink, reject };
  Search search = Search::shrink;  ///< reject draws angles anew until one is accepted; reversible too, costlier on small slices
};
void describe(OptionVisitor& visitor, GeodesicSliceOptions& options);

/// Geodesic slice sampling on the sphere (Habeck, Hasenpflug, Kodgirwar, Rudolf, "Geodesic slice sampling on the sphere", 2023): a point on a
/// random great circle through x. The density is one with respect to the surface measure of S^{d−1}, d ≥ 2; it is evaluated at
/// |x| = 1 only. No tuning.
class GeodesicSlice final : public SliceKernel {
 public:
  /// @throws Error(configuration) for options out of range or a dimension that it cannot have
  explicit GeodesicSlice(std::shared_ptr<const LogDensity> density, const GeodesicSliceOptions& options = {});
  ~GeodesicSlice() override;
  Index normals() const override { return dimension(); }
  bool tunable() const override { return false; }
  bool on_sphere() const override { return true; }
  /// @throws Error(usage) always
  void set_frame(AffineFrame frame) override;

 private:
  void represent() override;
  void transition(ItemDraws& draws) override;
  void check_start() const override;

  GeodesicSliceOptions options_;
  std::unique_ptr<slices::GreatCircle> circle_;
};

/// Options of a run: those of the chains and those of the kernel, in one table of a configuration.
struct GeodesicSliceRunOptions : ChainOptions {
  GeodesicSliceOptions kernel = {};
};
void describe(OptionVisitor& visitor, GeodesicSliceRunOptions& options);

/// Chains of GeodesicSlice as a resumable method; `result()` has draws, summary and verdict.
class GeodesicSliceChains final : public Chains {
 public:
  GeodesicSliceChains(std::shared_ptr<const Target> target, const GeodesicSliceRunOptions& options, const Stream& stream);
};

/// Runs the chains to their end.
ChainResult geodesic_slice(std::shared_ptr<const Target> target, const GeodesicSliceRunOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
