// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/error.hpp>
#include <buffon/core/types.hpp>
#include <buffon/estimators/read.hpp>
#include <buffon/model/nested_problem.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/accumulators.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../reproduce.hpp"

// Y. Syed, G. Wang, "Optimal randomized multilevel Monte Carlo for repeatedly nested expectations", ICML 2023,
// arXiv:2301.04095: READ against nested Monte Carlo on three problems of depth 2.
namespace buffon::reproduce::read {

struct Experiment {
  std::string label;  ///< "E1"
  std::string name;   ///< of the named nested problem
};
inline const std::array<Experiment, 3> experiments = {{{"E1", "sin_gaussian"}, {"E2", "sin_student"}, {"E3", "sigmoid_gaussian"}}};

inline const std::vector<double> paper_rates = {0.74, 0.60};
inline const std::vector<double> own_rates = {0.65, 0.60};  ///< the library's default

std::shared_ptr<const NestedProblem> problem_of(const std::string& name);
double exact_value(const std::string& name);

/// One estimate of a nested expectation and what it cost.
struct Run {
  Estimate value;
  std::int64_t evaluations = 0;
  double variance_per_copy = 0;
};
using Estimator = std::function<Run(const Stream&, Context&)>;
Estimator read_estimator(const std::string& problem, std::vector<double> rates, std::int64_t copies);
Estimator nested_estimator(const std::string& problem, std::vector<std::int64_t> samples);

/// Independent runs, in parallel, each on one thread.
std::vector<Run> repeat(const ReproduceOptions& options, std::int64_t runs, const Stream& stream, const Estimator& estimator, ReproduceTable& table);

/// Mean squared error with its standard error from the spread between the runs.
Estimate mean_squared_error(const std::vector<Run>& runs, double exact);

/// A row that only shows a number.
ReproduceRow reference_row(std::string part, std::string quantity, const Estimate& ours, std::string note);

/// The parts of the report; `from` and `to` are the part of the progress bar that is theirs.
void single_runs(const ReproduceOptions& options, double from, double to, ReproduceTable& table);
void error_against_cost(const ReproduceOptions& options, double from, double to, ReproduceTable& table);
void running_averages(const ReproduceOptions& options, double from, double to, ReproduceTable& table);
void intervals(const ReproduceOptions& options, double from, double to, ReproduceTable& table);
void planning(const ReproduceOptions& options, double from, double to, ReproduceTable& table);

}  // namespace buffon::reproduce::read
