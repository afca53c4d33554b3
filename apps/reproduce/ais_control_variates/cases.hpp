// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/problem.hpp>
#include <buffon/random/stream.hpp>

#include <cstdint>
#include <vector>

#include "../reproduce.hpp"

// J. Demange-Chryst, F. Bachoc, J. Morio, "Efficient estimation of multiple expectations with the same sample by adaptive
// importance sampling and control variates", Statistics and Computing 33 (2023), arXiv:2212.00568: the three numerical
// examples. Every example runs the method many times with 20,000 points and compares Σ_j w_j Var(Î_j).
namespace buffon::reproduce::ais_control_variates {

inline constexpr std::int64_t budget = 20000;  ///< points per run, as in the paper
inline constexpr std::int64_t paper_repetitions = 200;

/// Runs of one estimator: estimate j of repetition r at (j, r), and half the width of its interval.
struct Repetitions {
  Eigen::MatrixXd values;
  Eigen::MatrixXd half_widths;
};

/// Σ_j w_j Var(Î_j) over the repetitions, with its standard error from the spread between repetitions.
Estimate criterion(const Eigen::MatrixXd& values, const Eigen::VectorXd& weights);

/// Share of intervals that hold the exact value, with its standard error; repetitions are independent, the intervals
/// inside one are not.
Estimate coverage(const Repetitions& repetitions, const Eigen::VectorXd& exact);

/// A row whose criterion is that our Σ_j w_j Var(Î_j) is at most 1.5 times the paper's.
ReproduceRow criterion_row(std::string part, std::string quantity, std::string paper_text, double paper, const Estimate& ours);
/// A row that only shows a number.
ReproduceRow reference_row(std::string part, std::string quantity, std::string paper_text, const Estimate& ours, std::string note);
/// A row whose criterion is a coverage between 90 and 99 percent, up to what this many repetitions can tell.
ReproduceRow coverage_row(std::string part, const Estimate& coverage);

std::int64_t repetitions(const ReproduceOptions& options);

/// The examples add their rows; `from` and `to` are the part of the progress bar that is theirs.
void gaussian_moments(const ReproduceOptions& options, double from, double to, ReproduceTable& table);
void cantilever_laws(const ReproduceOptions& options, double from, double to, ReproduceTable& table);
void cantilever_indices(const ReproduceOptions& options, double from, double to, ReproduceTable& table);

}  // namespace buffon::reproduce::ais_control_variates
