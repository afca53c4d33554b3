// SPDX-License-Identifier: BSD-3-Clause
#include "regression_kind.hpp"

#include <buffon/core/error.hpp>
#include <buffon/model/regression.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "csv.hpp"

namespace buffon::detail {
namespace {

constexpr std::array<std::string_view, 3> family_names = {"logistic", "poisson", "gaussian"};

[[noreturn]] void refuse_regression(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(
      ErrorCategory::configuration,
      {.doing = "making the density of a regression", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

Index column_of(const CsvTable& table, const std::string& name, const std::string& key) {
  const auto found = std::find(table.names.begin(), table.names.end(), name);
  if (found != table.names.end()) return found - table.names.begin();
  const std::string_view near = nearest(name, table.names);
  std::string all;
  for (std::size_t j = 0; j < std::min<std::size_t>(table.names.size(), 20); ++j) all += (j > 0 ? ", " : "") + table.names[j];
  refuse_regression(key, "\"" + name + "\"", "is not a column of the data",
                    (near.empty() ? "" : "Did you mean \"" + std::string(near) + "\"? ") + "There are " + all + (table.names.size() > 20 ? ", …" : ""));
}

/// A name of a parameter from that of a column: letters, digits and _, no digit first, no __ at the end, not taken yet.
std::string coefficient_name(const std::string& column, std::set<std::string>& taken) {
  std::string name;
  for (const char c : column) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (kept || name.empty() || name.back() != '_') name += kept ? c : '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  if (name.empty() || name.front() < 'A') name = "b_" + name;
  if (name.back() == '_') name += "x";
  std::string free = name;
  for (int k = 2; !taken.insert(free).second; ++k) free = name + "_" + std::to_string(k);
  return free;
}

/// One number for all, or one for each of `size`.
Eigen::VectorXd spread(const char* key, const std::vector<double>& given, Index size) {
  if (given.size() == 1) return Eigen::VectorXd::Constant(size, given[0]);
  if (static_cast<Index>(given.size()) != size) {
    refuse_regression(key, std::to_string(given.size()) + " numbers", "must have one number, or one for each of the " + std::to_string(size) + " coefficients",
                      "The intercept comes first");
  }
  return Eigen::Map<const Eigen::VectorXd>(given.data(), size);
}

std::shared_ptr<const RegressionLikelihood> likelihood_of(const RegressionOptions& options, const Eigen::VectorXd& y) {
  switch (options.family) {
    case RegressionOptions::Family::logistic:
      return logistic_likelihood(y);
    case RegressionOptions::Family::poisson:
      return poisson_likelihood(y);
    case RegressionOptions::Family::gaussian:
      break;
  }
  return options.sigma ? gaussian_likelihood(y, *options.sigma) : gaussian_likelihood(y);
}

}  // namespace

void describe(OptionVisitor& v, RegressionOptions& o) {
  v.on({.name = "family", .meaning = "law of the response: logistic (0 or 1), poisson (counts, log link) or gaussian"}, o.family, family_names);
  v.on({.name = "data", .meaning = "CSV file, relative to this file: a line of names, then a number in every field", .required = true}, o.data);
  v.on({.name = "response", .meaning = "column of the response", .required = true}, o.response);
  v.on({.name = "predictors", .meaning = "columns of the predictors; none = all others"}, o.predictors);
  v.on({.name = "intercept", .meaning = "whether a constant is added, the first coefficient"}, o.intercept);
  v.on({.name = "offset", .meaning = "column added to the linear predictor as it is; empty = none"}, o.offset);
  v.on({.name = "standardise",
        .meaning = "whether predictors are brought to mean 0 and standard deviation 1; coefficients and priors are then those of the "
                   "standardised ones"},
       o.standardise);
  v.on({.name = "prior_mean", .meaning = "means of the normal priors: one number for all coefficients, or one each", .size_min = 1}, o.prior_mean);
  v.on({.name = "prior_std_dev",
        .meaning = "standard deviations of the normal priors: one number for all coefficients, or one each; 0 = flat",
        .range = at_least(0),
        .size_min = 1},
       o.prior_std_dev);
  v.on({.name = "sigma",
        .meaning = "standard deviation of the errors where it is known (gaussian); not given = a parameter log_sigma, stored as sigma too",
        .range = strictly_between(0, std::numeric_limits<double>::infinity())},
       o.sigma);
  v.on({.name = "log_sigma_mean", .meaning = "mean of the normal prior of log_sigma (gaussian)"}, o.log_sigma_mean);
  v.on({.name = "log_sigma_std_dev", .meaning = "standard deviation of the normal prior of log_sigma (gaussian); 0 = flat", .range = at_least(0)},
       o.log_sigma_std_dev);
}

MadeDensity make(const RegressionOptions& options, const TargetSetting& setting) {
  const CsvTable table = read_csv(setting.base_directory / options.data);
  const Index response = column_of(table, options.response, "response");
  const Index offset = options.offset.empty() ? -1 : column_of(table, options.offset, "offset");
  if (offset == response) refuse_regression("offset", "\"" + options.offset + "\"", "is the response", "Leave it out");
  if (options.family != RegressionOptions::Family::gaussian && options.sigma) {
    refuse_regression("sigma", to_text(*options.sigma), "has no meaning but for family = \"gaussian\"", "Leave it out");
  }
  std::vector<Index> columns;
  for (const std::string& name : options.predictors) {
    columns.push_back(column_of(table, name, "predictors"));
    if (columns.back() == response || std::count(columns.begin(), columns.end(), columns.back()) > 1) {
      refuse_regression("predictors", "\"" + name + "\"", columns.back() == response ? "is the response" : "is there twice", "Leave it out");
    }
  }
  if (columns.empty()) {
    for (Index j = 0; j < table.values.cols(); ++j) {
      if (j != response && j != offset) columns.push_back(j);
    }
  }
  const Index n = table.values.rows(), first = options.intercept ? 1 : 0, count = first + static_cast<Index>(columns.size());
  if (count == 0) refuse_regression("predictors", "none", "must be at least one where there is no intercept", "Add predictors or the intercept");

  std::vector<Parameter> parameters;
  const bool own_sigma = options.family == RegressionOptions::Family::gaussian && !options.sigma;
  std::set<std::string> taken;
  if (own_sigma) taken = {"log_sigma", "sigma"};
  if (options.intercept) parameters.push_back({.name = coefficient_name("intercept", taken)});
  Eigen::MatrixXd design = Eigen::MatrixXd::Ones(n, count);
  for (std::size_t k = 0; k < columns.size(); ++k) {
    const std::string& name = table.names[static_cast<std::size_t>(columns[k])];
    parameters.push_back({.name = coefficient_name(name, taken)});
    auto column = design.col(first + static_cast<Index>(k));
    column = table.values.col(columns[k]);
    if (options.standardise) {
      const double largest = column.cwiseAbs().maxCoeff();
      column.array() -= column.mean();
      const double scale = std::sqrt(column.squaredNorm() / static_cast<double>(std::max<Index>(n - 1, 1)));
      if (!(scale > 1e-12 * largest))
        refuse_regression("standardise", "\"" + name + "\"", "is a constant column, which has no standard deviation", "Leave it out of the predictors");
      column /= scale;
    }
  }

  RegressionPrior prior{spread("prior_mean", options.prior_mean, count), spread("prior_std_dev", options.prior_std_dev, count)};
  MadeDensity made;
  if (own_sigma) {
    parameters.push_back({.name = "log_sigma"});
    prior.mean.conservativeResize(count + 1);
    prior.std_dev.conservativeResize(count + 1);
    prior.mean(count) = options.log_sigma_mean;
    prior.std_dev(count) = options.log_sigma_std_dev;
    made.generated = make_point_model(count + 1, "sigma", [count](const Eigen::VectorXd& x) { return std::exp(x(count)); });
  }
  prior.std_dev = (prior.std_dev.array() == 0).select(std::numeric_limits<double>::infinity(), prior.std_dev);
  const Eigen::VectorXd offsets = offset >= 0 ? Eigen::VectorXd(table.values.col(offset)) : Eigen::VectorXd();
  try {
    made.density = regression_density(std::move(design), offsets, likelihood_of(options, table.values.col(response)), std::move(prior));
  } catch (const Error& error) {
    // y(ROW) of the likelihood is a field of the response.
    const std::string& key = error.text().key;
    if (!key.starts_with("y(")) throw;
    refuse_regression("response", "\"" + options.response + "\" with " + error.text().value + " in row " + key.substr(2, key.size() - 3) + " of the data",
                      error.text().rule, error.text().remedy);
  }
  made.parameters = std::move(parameters);
  return made;
}

}  // namespace buffon::detail
