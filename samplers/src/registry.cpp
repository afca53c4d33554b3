// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/registry.hpp>

#include <buffon/samplers/clustering_sensitivity.hpp>
#include <buffon/samplers/coordinate_slice.hpp>
#include <buffon/samplers/diffusion.hpp>
#include <buffon/samplers/elliptical_slice.hpp>
#include <buffon/samplers/geodesic_slice.hpp>
#include <buffon/samplers/hit_and_run_slice.hpp>
#include <buffon/samplers/kmeans_seeding.hpp>
#include <buffon/samplers/lightweight_coreset.hpp>
#include <buffon/samplers/polar_slice.hpp>
#include <buffon/samplers/row_sampling.hpp>

namespace buffon {

const std::vector<MethodEntry>& sampler_methods() {
  static const std::vector<MethodEntry> entries = {
      method_entry<PolarSliceChains, PolarSliceRunOptions>(
          "polar_slice", "Gibbsian polar slice sampling",
          "Draws from a density without gradients, with mixing that heavy tails and dimension hardly slow; the "
          "sampler to begin with"),
      method_entry<EllipticalSliceChains, EllipticalSliceRunOptions>(
          "elliptical_slice", "Elliptical slice sampling",
          "Draws from a Gaussian prior times a likelihood, or from a density near a Gaussian, at the fewest evaluations per draw"),
      method_entry<HitAndRunSliceChains, HitAndRunSliceRunOptions>("hit_and_run_slice", "Hit-and-run uniform slice sampling",
                                                                   "Draws from a density along random lines; simple and robust, any dimension from 1"),
      method_entry<CoordinateSliceChains, CoordinateSliceRunOptions>(
          "coordinate_slice", "Coordinate-wise slice sampling",
          "Draws from a density one coordinate after the other; for one dimension, or coordinates that hardly depend on each other"),
      method_entry<GeodesicSliceChains, GeodesicSliceRunOptions>("geodesic_slice", "Geodesic slice sampling on the sphere",
                                                                 "Draws from a density of unit vectors along great circles, without tuning"),
      method_entry<KmeansSeeding, KmeansSeedingOptions>("kmeans_seeding", "k-means++ seeding",
                                                        "Chooses k rows of a data set by D² sampling, exactly and without k passes; labels, cost and refined "
                                                        "centres on request"),
      method_entry<LightweightCoreset, LightweightCoresetOptions>(
          "lightweight_coreset", "Lightweight coreset", "Draws a weighted sample of rows on which k-means costs, for any centres, estimate those of all rows"),
      method_entry<ClusteringSensitivity, ClusteringSensitivityOptions>(
          "clustering_sensitivity", "Clustering sensitivity sampling",
          "Chooses the rows whose costly losses are worth evaluating, by clusters of cheap coordinates, and estimates the total loss"),
      method_entry<RowSampling, RowSamplingOptions>("row_sampling", "Row sampling",
                                                    "Draws rows uniformly, by size or by groups, with weights and error bars for the means of all columns"),
      method_entry<Diffusion, DiffusionOptions>("diffusion", "Diffusion and flow sampling",
                                                "Draws samples of a denoising model, exact or a network, by one of many solvers of its reverse process",
                                                {true, {}}),
  };
  return entries;
}

}  // namespace buffon
