// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/backend/backend.hpp>
#include <buffon/samplers/diffusion/batch_solver.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "../reproduce.hpp"
#include "reference_solvers.hpp"

// Solvers of diffusion models on models whose flow is known, against reference numbers of independent implementations in NumPy, in float64.
namespace buffon::reproduce::diffusion_solvers {

/// A run of the reference.
struct ReferenceError {
  std::string solver;  ///< name of the reference
  std::string grid;    ///< "logsnr", "t", "edm" or "quad"
  int steps = 0, calls_per_step = 1;
  double rms = 0;
};

/// The folder of reference data: the one that --data names, else the one that the environment variable BUFFON_SHARED_DATA names; empty = none.
std::filesystem::path data_folder(const ReproduceOptions& options);
/// A file of the folder, or of its subfolder "diffusion-ref"; empty = it is not there.
std::filesystem::path reference_file(const ReproduceOptions& options, const std::string& name);

/// 948 errors from the file g3_vp_convergence.csv, else the part of them that the reference printed, to four digits.
std::vector<ReferenceError> reference_errors(const ReproduceOptions& options, ReproduceTable& table);

/// Starts and exact ends of the mixture G3 under a schedule, and errors of solvers between them.
class ExactFlow {
 public:
  explicit ExactFlow(std::shared_ptr<const NoiseSchedule> schedule);
  /// Root mean square over 64 starts of the distance of a solver's end from the exact one, from time 1 to 1e-3.
  double rms(const SolverSetting& setting, GridSpacing spacing, int steps);
  /// Model calls of a step.
  int calls_per_step(const SolverSetting& setting) const;
  /// A row that compares the exact ends with a file of them, where it is there.
  void compare_ends(const ReproduceOptions& options, const std::string& name, ReproduceTable& table) const;
  std::int64_t evaluations() const { return solver_.calls() * starts_.cols(); }

 private:
  DiffusionModel model_;
  backend::Queue queue_;
  BatchSolver solver_;
  Eigen::MatrixXd starts_, ends_;
  backend::Matrix x_;
};

/// Columns of calls up to 384 times the scale, the three coarsest in any case.
std::vector<int> columns_of(const ReproduceOptions& options, int first, std::size_t count);
std::string in_short(double x);
/// A row about all columns of a line of a table: the finest error is shown, all must be within 2 % of the reference.
ReproduceRow line_row(std::string part, const std::string& solver, const std::vector<int>& calls, const std::vector<double>& ours,
                      const std::vector<double>& reference);
ReproduceRow order_row(std::string part, const std::string& solver, double ours, double expected);

void convergence(const ReproduceOptions& options, ReproduceTable& table);
void linear_flow(const ReproduceOptions& options, ReproduceTable& table);
void gaussian_laws(const ReproduceOptions& options, ReproduceTable& table);
void flow_network(const ReproduceOptions& options, ReproduceTable& table);

}  // namespace buffon::reproduce::diffusion_solvers
