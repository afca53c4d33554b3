// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/denoiser.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/samplers/diffusion.hpp>
#include <buffon/stats/sample_set.hpp>

#include <optional>
#include <vector>

namespace buffon {

class Archive;

/// Means and variances of samples with standard errors, and distances to a known law.
struct SampleMoments {
  std::vector<double> mean, mean_error, variance, variance_error;  ///< of every coordinate
  double overall = 0, overall_error = 0;                           ///< average of all coordinates
  double square = 0, square_error = 0;                             ///< average of their squares
  bool compared = false;
  LawDistance distance;

  void describe_state(Archive& archive);
};

/// The same bits for every number of threads. At least two samples for errors, else NaN.
SampleMoments sample_moments(const SampleSet& samples, const std::optional<KnownLaw>& law, Context& context);

}  // namespace buffon
