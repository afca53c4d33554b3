// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/stats/chain_draws.hpp>

#include <filesystem>
#include <string>

namespace buffon {

/// Attributes of every group of a file of draws.
struct InferenceAttributes {
  std::string sampler;     ///< name of the method
  std::string version;     ///< of the library
  std::string created_at;  ///< ISO 8601, UTC; empty = not written
  double warmup_seconds = 0;
  double sampling_seconds = 0;
};

/// Whether this build can write netCDF.
bool netcdf_available();

/// Writes draws as netCDF-4 in the layout of ArviZ InferenceData: groups `posterior` and `sample_stats`, and `warmup_posterior` and
/// `warmup_sample_stats` where the warm-up was kept. Variables have the dimensions chain, draw and, where they are vectors, NAME_dim_0. Sampler
/// columns lose their `__`; accept_stat__ is `acceptance_rate`, and `diverging` is false throughout.
/// @throws Error(configuration) in a build without netCDF, Error(data) when the file cannot be written
void write_inference_data(const std::filesystem::path& file, const ChainDraws& draws, const InferenceAttributes& attributes);

}  // namespace buffon
