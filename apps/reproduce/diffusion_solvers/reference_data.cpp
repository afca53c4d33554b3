// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>

#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cases.hpp"

namespace buffon::reproduce::diffusion_solvers {
namespace {

/// Errors at 6, 12, …, 384 calls on the grid uniform in lambda, as the reference prints them; 0 = it prints none.
struct PrintedLine {
  const char* solver;
  int calls_per_step;
  std::array<double, 7> rms;
};
constexpr std::array<PrintedLine, 24> printed = {{
    {"ddim", 1, {4.236e-1, 2.294e-1, 1.276e-1, 7.149e-2, 3.816e-2, 1.904e-2, 9.239e-3}},
    {"dpm2s-mid", 2, {1.81, 2.713e-1, 4.820e-2, 1.083e-2, 2.588e-3, 6.335e-4, 1.568e-4}},
    {"dpm3s", 3, {2.778e-1, 1.633e-1, 1.781e-2, 9.199e-4, 1.371e-4, 1.972e-5, 2.642e-6}},
    {"dpmpp2s", 2, {3.531e-1, 1.487e-1, 6.013e-2, 1.908e-2, 5.158e-3, 1.359e-3, 3.508e-4}},
    {"dpmpp3s", 3, {2.405e-1, 8.284e-2, 2.111e-2, 4.166e-3, 6.959e-4, 1.019e-4, 1.380e-5}},
    {"dpmpp2m-mid", 1, {1.659e-1, 7.495e-2, 1.986e-2, 4.975e-3, 1.241e-3, 3.087e-4, 7.689e-5}},
    {"dpmpp2m-heun", 1, {2.755e-1, 9.810e-2, 2.180e-2, 5.133e-3, 1.248e-3, 3.074e-4, 7.624e-5}},
    {"dpmpp3m-public", 1, {3.643e-1, 2.510e-2, 5.115e-3, 1.049e-3, 2.418e-4, 5.981e-5, 1.499e-5}},
    {"dpmpp3m-consistent", 1, {4.120e-1, 2.514e-2, 5.337e-3, 6.692e-4, 7.497e-5, 8.929e-6, 1.098e-6}},
    {"expab4-x0", 1, {2.141e-1, 3.085e-2, 2.103e-3, 1.354e-4, 1.798e-5, 1.398e-6, 9.346e-8}},
    {"tab1", 1, {2.755e-1, 1.150e-1, 4.524e-2, 1.367e-2, 3.668e-3, 9.555e-4, 2.443e-4}},
    {"tab2", 1, {1.918e-1, 7.097e-2, 1.868e-2, 3.469e-3, 5.329e-4, 7.359e-5, 9.656e-6}},
    {"tab3", 1, {1.441e-1, 4.783e-2, 9.446e-3, 1.193e-3, 1.040e-4, 7.536e-6, 5.072e-7}},
    {"rhoab1", 1, {3.673e-1, 1.528e-1, 6.216e-2, 1.978e-2, 5.275e-3, 1.373e-3, 3.519e-4}},
    {"rhoab3", 1, {3.557e-1, 1.247e-1, 3.167e-2, 4.039e-3, 3.717e-4, 2.828e-5, 1.953e-6}},
    {"rho-heun(edm)", 2, {4.26, 5.577e-1, 1.027e-1, 2.293e-2, 5.597e-3, 1.389e-3, 3.458e-4}},
    {"rho-kutta3", 3, {4.32, 1.801e-1, 2.862e-2, 3.707e-3, 4.544e-4, 5.533e-5, 6.908e-6}},
    {"rho-rk4", 4, {0, 9.365e-1, 6.621e-2, 3.906e-3, 2.502e-4, 1.573e-5, 9.850e-7}},
    {"ipndm4", 1, {1.061e-1, 2.550e-2, 6.992e-3, 2.179e-3, 5.852e-4, 1.480e-4, 3.705e-5}},
    {"s-pndm", 1, {1.850e-1, 8.044e-2, 2.995e-2, 8.513e-3, 2.257e-3, 5.829e-4, 1.483e-4}},
    {"f-pndm", 1, {1.436e-1, 2.569e-2, 7.005e-3, 2.180e-3, 5.854e-4, 1.481e-4, 3.707e-5}},
    {"unipc1-x0-bh2", 1, {3.618e-1, 1.415e-1, 5.367e-2, 1.550e-2, 3.940e-3, 9.977e-4, 2.515e-4}},
    {"unipc2-x0-bh2", 1, {1.760e-1, 4.887e-2, 7.471e-3, 1.071e-3, 1.330e-4, 1.621e-5, 1.991e-6}},
    {"unipc3-x0-bh2", 1, {3.720e-1, 2.815e-2, 3.176e-3, 1.435e-4, 1.601e-5, 1.357e-6, 9.602e-8}},
}};

/// Errors at 12, 48 and 192 calls on other grids, as the reference prints them; solvers of one call a step.
struct PrintedGrid {
  const char *grid, *solver;
  std::array<double, 3> rms;
};
constexpr std::array<PrintedGrid, 12> printed_grids = {{{"t", "ddim", {1.872e-1, 5.586e-2, 1.418e-2}},
                                                        {"t", "dpmpp2m-mid", {3.450e-1, 4.283e-2, 3.282e-3}},
                                                        {"t", "tab2", {7.199e-2, 1.193e-3, 9.159e-5}},
                                                        {"t", "unipc3-x0-bh2", {2.11, 1.239e-1, 3.848e-3}},
                                                        {"edm", "ddim", {2.572e-1, 7.987e-2, 2.173e-2}},
                                                        {"edm", "dpmpp2m-mid", {1.531e-1, 7.736e-3, 4.538e-4}},
                                                        {"edm", "unipc3-x0-bh2", {2.091e-1, 5.640e-4, 3.523e-6}},
                                                        {"quad", "ddim", {1.513e-1, 4.610e-2, 1.142e-2}},
                                                        {"quad", "dpmpp2m-mid", {4.773e-2, 2.556e-3, 1.477e-4}},
                                                        {"quad", "tab3", {1.732e-2, 1.615e-4, 9.427e-7}},
                                                        {"quad", "ipndm4", {1.054e-2, 9.045e-4, 5.863e-5}},
                                                        {"quad", "unipc3-x0-bh2", {1.580e-1, 4.475e-4, 1.701e-6}}}};

std::vector<ReferenceError> from_file(const std::filesystem::path& path) {
  std::vector<ReferenceError> errors;
  std::ifstream in(path);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line.front() == '#' || line.starts_with("solver,")) continue;
    std::istringstream fields(line);
    ReferenceError error;
    char comma = 0;
    std::getline(fields, error.solver, ',');
    std::getline(fields, error.grid, ',');
    fields >> error.steps >> comma >> error.calls_per_step >> comma >> error.rms;
    if (fields.fail() || error.steps < 1 || !(error.rms > 0)) {
      throw Error(ErrorCategory::data, {.doing = "reading " + path.string(),
                                        .key = "line " + std::to_string(number),
                                        .value = line,
                                        .rule = "must be solver, grid, steps, calls a step, error",
                                        .remedy = "give the folder of the reference data"});
    }
    errors.push_back(error);
  }
  return errors;
}

}  // namespace

std::filesystem::path data_folder(const ReproduceOptions& options) {
  if (!options.data.empty()) return options.data;
  const char* shared = std::getenv("BUFFON_SHARED_DATA");
  return shared != nullptr ? shared : "";
}

std::filesystem::path reference_file(const ReproduceOptions& options, const std::string& name) {
  const std::filesystem::path folder = data_folder(options);
  if (folder.empty()) return {};
  for (const std::filesystem::path& path : {folder / name, folder / "diffusion-ref" / name}) {
    if (std::filesystem::exists(path)) return path;
  }
  return {};
}

std::vector<ReferenceError> reference_errors(const ReproduceOptions& options, ReproduceTable& table) {
  const std::filesystem::path file = reference_file(options, "g3_vp_convergence.csv");
  if (!file.empty()) return from_file(file);
  if (!options.data.empty()) {
    throw Error(ErrorCategory::no_input, {.doing = "looking for reference numbers",
                                          .key = "--data",
                                          .value = options.data.string(),
                                          .rule = "has no file g3_vp_convergence.csv, nor in a subfolder diffusion-ref",
                                          .remedy = "name the folder that has it, or leave --data out"});
  }
  table.warnings.push_back(
      "Compared with the table that the reference prints, 24 solvers to four digits and 12 lines on other grids; `--data FOLDER` with g3_vp_convergence.csv "
      "takes all 34 solvers on four grids.");
  std::vector<ReferenceError> errors;
  for (const PrintedLine& line : printed) {
    for (std::size_t i = 0; i < line.rms.size(); ++i) {
      if (line.rms[i] > 0) errors.push_back({line.solver, "logsnr", (6 << i) / line.calls_per_step, line.calls_per_step, line.rms[i]});
    }
  }
  for (const PrintedGrid& line : printed_grids) {
    for (std::size_t i = 0; i < line.rms.size(); ++i) errors.push_back({line.solver, line.grid, 12 << (2 * i), 1, line.rms[i]});
  }
  return errors;
}

}  // namespace buffon::reproduce::diffusion_solvers
