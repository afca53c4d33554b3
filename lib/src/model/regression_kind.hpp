// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/target_kind.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace buffon::detail {

/// The posterior of a generalised linear model for a data file.
struct RegressionOptions {
  enum class Family { logistic, poisson, gaussian };
  Family family = Family::logistic;
  std::string data;
  std::string response;
  std::vector<std::string> predictors = {};
  bool intercept = true;
  std::string offset = {};
  bool standardise = false;
  std::vector<double> prior_mean = {0};
  std::vector<double> prior_std_dev = {10};
  std::optional<double> sigma = {};
  double log_sigma_mean = 0;
  double log_sigma_std_dev = 10;
};
void describe(OptionVisitor& visitor, RegressionOptions& options);
MadeDensity make(const RegressionOptions& options, const TargetSetting& setting);

}  // namespace buffon::detail
