// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>

#include "cases.hpp"

namespace buffon::reproduce::ais_control_variates {

std::int64_t repetitions(const ReproduceOptions& options) {
  return std::max<std::int64_t>(10, std::llround(options.scale * static_cast<double>(paper_repetitions)));
}

Estimate criterion(const Eigen::MatrixXd& values, const Eigen::VectorXd& weights) {
  const auto runs = static_cast<double>(values.cols());
  const Eigen::VectorXd mean = values.rowwise().mean();
  const Eigen::VectorXd share = (values.colwise() - mean).array().square().matrix().transpose() * weights;  // of each run
  const double sum = share.sum() / (runs - 1);
  const double spread = std::sqrt((share.array() - share.mean()).square().sum() / (runs - 1));
  return normal_estimate(sum, spread / std::sqrt(runs), runs);
}

Estimate coverage(const Repetitions& r, const Eigen::VectorXd& exact) {
  const auto runs = static_cast<double>(r.values.cols());
  const Eigen::ArrayXXd miss = (r.values.colwise() - exact).array().abs();
  const Eigen::VectorXd share = (miss <= r.half_widths.array()).cast<double>().matrix().colwise().mean().transpose();
  const double mean = share.mean();
  const double spread = std::sqrt((share.array() - mean).square().sum() / (runs - 1));
  return normal_estimate(mean, spread / std::sqrt(runs), runs);
}

ReproduceRow criterion_row(std::string part, std::string quantity, std::string paper_text, double paper, const Estimate& ours) {
  ReproduceRow row{.part = std::move(part), .quantity = std::move(quantity), .paper = std::move(paper_text), .ours = ours};
  row.ratio = ours.value / paper;
  row.criterion = "at most 1.5 x paper";
  row.holds = *row.ratio <= 1.5;
  return row;
}

ReproduceRow reference_row(std::string part, std::string quantity, std::string paper_text, const Estimate& ours, std::string note) {
  return {.part = std::move(part), .quantity = std::move(quantity), .paper = std::move(paper_text), .ours = ours, .note = std::move(note)};
}

ReproduceRow coverage_row(std::string part, const Estimate& share) {
  ReproduceRow row{.part = std::move(part), .quantity = "coverage of 95 % intervals", .exact = 0.95, .ours = share};
  row.criterion = "0.90 .. 0.99, within 3 standard errors";
  row.holds = share.value + 3 * share.std_error >= 0.90 && share.value - 3 * share.std_error <= 0.99;
  return row;
}

}  // namespace buffon::reproduce::ais_control_variates
