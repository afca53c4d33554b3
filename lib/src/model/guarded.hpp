// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/error.hpp>
#include <buffon/model/model.hpp>

#include <exception>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace buffon::detail {

/// "x = 1, y = 2.5", the first names of many.
std::string describe_point(const std::vector<std::string>& names, const Eigen::VectorXd& point);

/// What the current exception says; rethrows those that are not the failure of a point.
inline std::string failure_of_point() {
  try {
    throw;
  } catch (const Error& error) {
    switch (error.category()) {
      case ErrorCategory::model:
      case ErrorCategory::numeric:
      case ErrorCategory::data:
        return error.what();
      default:
        throw;
    }
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

/// Calls `evaluate(points, values)`, which returns failures; when it throws, calls it point by point to find the culprits.
template <class Evaluate>
std::vector<PointFailure> guarded(const ConstMatrix& points, MutMatrix values, Evaluate&& evaluate) {
  std::string of_batch;
  try {
    return evaluate(points, values);
  } catch (...) {
    of_batch = failure_of_point();
  }
  std::vector<PointFailure> failures;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (points.cols() == 1) {
    values.setConstant(nan);
    failures.push_back({0, std::move(of_batch)});
    return failures;
  }
  for (Index i = 0; i < points.cols(); ++i) {
    try {
      for (auto& failure : evaluate(ConstMatrix(points.col(i)), MutMatrix(values.middleCols(i, 1)))) failures.push_back({i, std::move(failure.message)});
    } catch (...) {
      values.col(i).setConstant(nan);
      failures.push_back({i, failure_of_point()});
    }
  }
  if (failures.empty()) {
    values.setConstant(nan);
    const std::string message = of_batch + " (thrown for a batch of " + std::to_string(points.cols()) + " points; none of them failed alone)";
    for (Index i = 0; i < points.cols(); ++i) failures.push_back({i, message});
  }
  return failures;
}

}  // namespace buffon::detail
