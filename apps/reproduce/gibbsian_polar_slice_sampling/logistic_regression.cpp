// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/regression.hpp>
#include <buffon/stats/chain_diagnostics.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include "cases.hpp"

namespace buffon::reproduce::gibbsian_polar_slice_sampling {
namespace {

constexpr Index features = 54, d = features + 1;
constexpr double covertype_rows = 581012, training_share = 0.1;

struct Rows {
  Eigen::MatrixXd design;  ///< features, not standardised; n × 54
  Eigen::VectorXd label;   ///< 0 or 1
};

/// The file of the UCI repository: 54 features and the class, 1 … 7, in each line, no names.
Rows read_covertype(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in && text.empty()) {
    throw Error(ErrorCategory::no_input, {.doing = "reading the data set covertype",
                                          .key = "--data",
                                          .value = file.string(),
                                          .rule = "cannot be read",
                                          .remedy = "Give the file covtype.data of the UCI repository, unpacked"});
  }
  std::vector<double> numbers;
  int line = 1;
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    double value = 0;
    const auto [rest, error] = std::from_chars(at, end, value);
    const auto place = static_cast<Index>(numbers.size()) % (features + 1);
    const char separator = rest < end ? *rest : '\n';
    if (error != std::errc() || separator != (place == features ? '\n' : ',')) {
      throw Error(ErrorCategory::data,
                  {.doing = "reading the data set covertype", .rule = "a line must be 55 numbers, separated by commas", .remedy = "Give the file covtype.data"},
                  {.file = file.string(), .line = line});
    }
    numbers.push_back(value);
    line += place == features ? 1 : 0;
    at = rest + 1;
  }
  const Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, features + 1, Eigen::RowMajor>> all(
      numbers.data(), static_cast<Index>(numbers.size()) / (features + 1), features + 1);
  return {all.leftCols(features), (all.col(features).array() == 2).cast<double>()};
}

/// Data of the same shape: 10 correlated measurements, one of 4 areas, one of 40 kinds of soil with unequal frequencies, and a response that
/// a logistic regression tells with an accuracy of about 3/4.
Rows generate(const Stream& stream, Index n) {
  constexpr Index measured = 10, areas = 4, soils = 40, factors = 3;
  Eigen::MatrixXd loadings(measured, factors), common(factors, n), own(measured, n), u(3, n), beta(features, 1);
  stream.child("loadings").normals(0, loadings);
  stream.child("factors").normals(0, common);
  stream.child("measurements").normals(0, own);
  stream.child("kinds").uniforms(0, u);
  stream.child("coefficients").normals(0, beta);
  Rows rows{Eigen::MatrixXd::Zero(n, features), Eigen::VectorXd(n)};
  rows.design.leftCols(measured) = (loadings * common + own).transpose();
  Eigen::VectorXd soil_share = Eigen::ArrayXd::LinSpaced(soils, 1, static_cast<double>(soils)).inverse();
  soil_share /= soil_share.sum();
  for (Index i = 0; i < n; ++i) {
    const auto area = std::min(static_cast<Index>(u(0, i) * static_cast<double>(areas)), areas - 1);
    Index soil = 0;
    for (double rest = u(1, i) - soil_share(0); rest > 0 && soil + 1 < soils; rest -= soil_share(soil)) ++soil;
    rows.design(i, measured + area) = rows.design(i, measured + areas + soil) = 1;
    double eta = 0.35 * rows.design.row(i).head(measured).dot(beta.col(0).head(measured));
    eta += beta(measured + area, 0) + beta(measured + areas + soil, 0);
    rows.label(i) = u(2, i) < 1 / (1 + std::exp(-eta)) ? 1 : 0;
  }
  return rows;
}

/// Features to mean 0 and standard deviation 1 (constant ones stay 0), and a column of ones.
Eigen::MatrixXd standardised(const Eigen::MatrixXd& features_of_rows) {
  Eigen::MatrixXd design = Eigen::MatrixXd::Ones(features_of_rows.rows(), d);
  for (Index j = 0; j < features; ++j) {
    const Eigen::ArrayXd centred = features_of_rows.col(j).array() - features_of_rows.col(j).mean();
    const double scale = std::sqrt(centred.square().mean());
    design.col(j) = scale > 0 ? Eigen::ArrayXd(centred / scale) : Eigen::ArrayXd::Zero(centred.size());
  }
  return design;
}

double accuracy(const Eigen::MatrixXd& design, const Eigen::VectorXd& label, const Eigen::VectorXd& beta) {
  return (((design * beta).array() > 0).cast<double>() == label.array()).cast<double>().mean();
}

struct Paper {
  const char *evaluations, *time, *step, *train, *test;
};
constexpr std::array<Paper, 3> paper = {
    {{"23.55", "311.4", "0.0268", "0.7552", "0.75571"}, {"9.12", "179.3", "0.0125", "0.75472", "0.75583"}, {"10.81", "116.2", "0.0115", "0.75506", "0.75585"}}};

}  // namespace

// Prior N(0, 0.1² I), x0 drawn from it, w = 0.01, 5000 iterations of which half are burn-in; 10 % of the rows are for training. The
// elliptical sampler proposes from the prior.
void logistic_regression(const ReproduceOptions& options, ReproduceTable& table) {
  const Stream root = Stream(options.seed).child("logistic regression");
  const bool given = !options.data.empty();
  const std::string part = given ? "5, covertype" : "5, logistic regression on generated data";
  constexpr double deviation = 0.1;
  const Rows rows = given ? read_covertype(options.data)
                          : generate(root.child("data"), 2 * std::max<Index>(2000, std::llround(training_share * covertype_rows * options.scale)));
  const Eigen::MatrixXd all = standardised(rows.design);

  // A random part for training.
  const Index n = all.rows();
  Eigen::MatrixXd keys(1, n);
  root.child("training rows").uniforms(0, keys);
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  std::sort(order.begin(), order.end(), [&](Index a, Index b) { return keys(0, a) < keys(0, b); });
  const Index training = given ? static_cast<Index>(static_cast<double>(n) * training_share) : n / 2;
  Eigen::MatrixXd train(training, d), test(n - training, d);
  Eigen::VectorXd train_label(training), test_label(n - training);
  for (Index i = 0; i < n; ++i) {
    const Index from = order[static_cast<std::size_t>(i)];
    if (i < training) {
      train.row(i) = all.row(from);
      train_label(i) = rows.label(from);
    } else {
      test.row(i - training) = all.row(from);
      test_label(i - training) = rows.label(from);
    }
  }
  const auto density = regression_density(train, {}, logistic_likelihood(train_label), {Eigen::VectorXd::Zero(d), Eigen::VectorXd::Constant(d, deviation)});
  const AffineFrame prior = AffineFrame::diagonal(Eigen::VectorXd::Zero(d), Eigen::VectorXd::Constant(d, deviation));
  const std::int64_t iterations = scaled(options, 5000, 2000);
  const std::vector<Contestant> contestants = {
      {"polar (GPSS)", [&] { return polar(density, 0.01); }, iterations},
      {"hit-and-run (HRUSS)", [&] { return hit_and_run(density, 0.01); }, iterations},
      {"elliptical (ESS, prior)", [&] { return elliptical(density, prior); }, iterations},
  };
  Eigen::MatrixXd start(d, 1);
  root.child("start").normals(0, start);
  const auto observe = [](const Eigen::VectorXd& x, Eigen::Ref<Eigen::RowVectorXd> out) { out(0) = x(1); };
  const auto traces = run_chains(options, root, contestants, deviation * start, 1, observe, table);

  const std::string other_data = given ? "" : "not the paper's data: its figures stand beside for their size only";
  std::vector<std::string> evaluations;
  for (const Paper& p : paper) evaluations.emplace_back(p.evaluations);
  evaluation_rows(part, contestants, traces, evaluations, table);
  std::array<double, 3> tested{};
  for (std::size_t k = 0; k < 3; ++k) {
    const std::string& name = contestants[k].name;
    const auto kept = static_cast<Index>(iterations - iterations / 2);
    table.rows.push_back(shown_row(part, name + ": autocorrelation time of the second coordinate",
                                   integrated_autocorrelation_time(traces[k].values.col(0).tail(kept)), paper[k].time, other_data));
    table.rows.push_back(shown_row(part, name + ": mean step", traces[k].mean_step, paper[k].step, other_data));
    table.rows.push_back(shown_row(part, name + ": training accuracy of the mean", accuracy(train, train_label, traces[k].mean), paper[k].train, other_data));
    tested[k] = accuracy(test, test_label, traces[k].mean);
    table.rows.push_back(shown_row(part, name + ": test accuracy of the mean", tested[k], paper[k].test, other_data));
  }
  // The paper's three figures lie within 0.0002 of each other; 0.005 covers means of chains this short and of fewer rows.
  const double spread = *std::max_element(tested.begin(), tested.end()) - *std::min_element(tested.begin(), tested.end());
  table.rows.push_back(judged_row(part, "spread of the test accuracies of the three samplers", spread, "0.0001", "at most 0.005", spread <= 0.005));
  if (!given) {
    table.warnings.push_back("The fifth experiment ran on generated data of the shape of covertype (" + std::to_string(training) +
                             " rows for training). `--data covtype.data` takes the paper's data.");
  }
}

}  // namespace buffon::reproduce::gibbsian_polar_slice_sampling
