// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/linalg/log_space.hpp>
#include <buffon/linalg/vector_math.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace buffon {
namespace {

using constants::infinity;

// Maximum; NaN if there is one.
double largest(const double* x, Index n) {
  double max = -infinity;
  bool bad = false;
  for (Index i = 0; i < n; ++i) {
    max = x[i] > max ? x[i] : max;
    bad |= x[i] != x[i];
  }
  return bad ? std::numeric_limits<double>::quiet_NaN() : max;
}

double lane_sum(const double* x, Index n) {
  double s[8] = {};
  Index i = 0;
  for (; i + 8 <= n; i += 8) {
    for (Index l = 0; l < 8; ++l) s[l] += x[i + l];
  }
  for (Index l = 0; i < n; ++i, ++l) s[l] += x[i];
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

}  // namespace

double log_sum_exp(const ConstVector& x) {
  double result = 0;
  log_sum_exp_columns(x, Eigen::VectorXd::Zero(x.size()), Eigen::Map<Eigen::VectorXd>(&result, 1));
  return result;
}

void log_sum_exp_columns(const ConstMatrix& x, const ConstVector& log_weights, MutVector out) {
  const Index rows = x.rows(), n = x.cols();
  if (log_weights.size() != rows || out.size() != n) {
    throw Error(ErrorCategory::usage, {.doing = "summing exponentials over " + std::to_string(rows) + " rows and " + std::to_string(n) + " columns",
                                       .key = "log_weights, out",
                                       .value = std::to_string(log_weights.size()) + ", " + std::to_string(out.size()) + " entries",
                                       .rule = "must have one weight per row and one result per column"});
  }
  if (rows == 0) return out.setConstant(-infinity), void();
  // Groups of columns that stay in cache; exp of the whole group at once.
  const Index group = std::clamp<Index>(2048 / rows, 1, n > 0 ? n : 1);
  std::vector<double> terms(static_cast<std::size_t>(rows * group)), max(static_cast<std::size_t>(group)), sums(static_cast<std::size_t>(group));
  for (Index first = 0; first < n; first += group) {
    const Index columns = std::min(group, n - first);
    for (Index c = 0; c < columns; ++c) {
      double* t = terms.data() + c * rows;
      const double* source = x.data() + (first + c) * x.outerStride();
      for (Index j = 0; j < rows; ++j) t[j] = log_weights[j] == -infinity ? -infinity : log_weights[j] + source[j];
      const double m = largest(t, rows);
      max[static_cast<std::size_t>(c)] = m;
      const double shift = std::isfinite(m) ? m : 0;
      for (Index j = 0; j < rows; ++j) t[j] -= shift;
    }
    const std::span<double> used(terms.data(), static_cast<std::size_t>(rows * columns));
    vector_exp(used, used);
    const std::span<double> totals(sums.data(), static_cast<std::size_t>(columns));
    for (Index c = 0; c < columns; ++c) totals[static_cast<std::size_t>(c)] = lane_sum(terms.data() + c * rows, rows);
    vector_log(totals, totals);
    for (Index c = 0; c < columns; ++c) {
      const double m = max[static_cast<std::size_t>(c)];
      out[first + c] = std::isfinite(m) ? m + totals[static_cast<std::size_t>(c)] : m;
    }
  }
}

}  // namespace buffon
