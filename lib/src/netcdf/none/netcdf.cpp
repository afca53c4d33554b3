// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/netcdf/netcdf.hpp>

namespace buffon {

bool netcdf_available() { return false; }

void write_inference_data(const std::filesystem::path& file, const ChainDraws&, const InferenceAttributes&) {
  throw Error(ErrorCategory::configuration, {.doing = "writing " + file.string(),
                                             .rule = "needs netCDF, which this build does not have",
                                             .remedy = "install the package libnetcdf-dev and build buffon again, which then finds it"});
}

}  // namespace buffon
