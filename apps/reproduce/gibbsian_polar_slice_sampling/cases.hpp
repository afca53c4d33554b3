// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/log_density.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/slice_kernel.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../reproduce.hpp"

// P. Schär, M. Habeck, D. Rudolf, "Gibbsian polar slice sampling", ICML 2023, arXiv:2302.03945: one long chain of each sampler
// on five targets, untuned, with the paper's starting points and brackets.
namespace buffon::reproduce::gibbsian_polar_slice_sampling {

/// A sampler of an experiment, with what the paper says of it.
struct Contestant {
  std::string name;
  std::function<std::unique_ptr<SliceKernel>()> make;
  std::int64_t iterations;
};

/// What a chain leaves behind.
struct Trace {
  Eigen::MatrixXd values;       ///< iterations × statistics
  Eigen::VectorXd evaluations;  ///< of every iteration
  double mean_step = 0;         ///< mean of |x_{i+1} − x_i|
  Eigen::VectorXd mean;         ///< of the points of the last half
};

/// Statistics of a point, written to `out`.
using Observe = std::function<void(const Eigen::VectorXd& x, Eigen::Ref<Eigen::RowVectorXd> out)>;

/// One chain of every contestant from x0, in parallel. Stream: (name of the contestant).
std::vector<Trace> run_chains(const ReproduceOptions& options, const Stream& stream, const std::vector<Contestant>& contestants, const Eigen::VectorXd& x0,
                              Index statistics, const Observe& observe, ReproduceTable& table);

/// @param max_expansions as in PolarSliceOptions
std::unique_ptr<SliceKernel> polar(std::shared_ptr<const LogDensity> density, double width, std::int64_t max_expansions = 0);
std::unique_ptr<SliceKernel> hit_and_run(std::shared_ptr<const LogDensity> density, double width);
/// With the ellipses of N(0, A Aᵀ).
std::unique_ptr<SliceKernel> elliptical(std::shared_ptr<const LogDensity> density, AffineFrame frame);

/// The paper's iterations times the scale, at least `least`.
std::int64_t scaled(const ReproduceOptions& options, double iterations, std::int64_t least);

/// Rows "evaluations per iteration" (mean, and quantiles in the note) of every contestant.
void evaluation_rows(const std::string& part, const std::vector<Contestant>& contestants, const std::vector<Trace>& traces,
                     const std::vector<std::string>& paper, ReproduceTable& table);

/// Mean of a statistic of a chain with its Monte Carlo error.
Estimate mean_of(const Eigen::VectorXd& values);

/// A row that compares with an exact value: holds within 4 standard errors.
ReproduceRow exact_row(std::string part, std::string quantity, const Estimate& ours, double exact);
/// A row that only shows a number.
ReproduceRow shown_row(std::string part, std::string quantity, double ours, std::string paper = {}, std::string note = {});
/// A row with a criterion.
ReproduceRow judged_row(std::string part, std::string quantity, double ours, std::string paper, std::string criterion, bool holds, std::string note = {});

void cauchy(const ReproduceOptions& options, ReproduceTable& table);
void hyperplane_disk(const ReproduceOptions& options, ReproduceTable& table);
void axial_modes(const ReproduceOptions& options, ReproduceTable& table);
void funnel(const ReproduceOptions& options, ReproduceTable& table);
void logistic_regression(const ReproduceOptions& options, ReproduceTable& table);

}  // namespace buffon::reproduce::gibbsian_polar_slice_sampling
