// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../../samplers/src/seeding/centre_rule.hpp"
#include "../../samplers/src/seeding/snapshot_rule.hpp"

#include <buffon/model/data_set.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/random/stream.hpp>

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// Small data sets and rules for tests of seeding.
namespace buffon::testing {

using SharedData = std::shared_ptr<const DataSet>;
using MakeRule = std::function<std::unique_ptr<CentreRule>(RuleParts)>;

/// Snapshots that are taken after every second trial or so, or never after the first.
inline std::unique_ptr<CentreRule> restless_snapshot(RuleParts parts) {
  return make_snapshot_rule(std::move(parts), {.trial = 1, .distance = 0, .pass = 0, .rebuild = 0, .range = 2});
}
inline std::unique_ptr<CentreRule> stale_snapshot(RuleParts parts) { return make_snapshot_rule(std::move(parts), {.share = 1e300, .most = 1e300}); }

/// Rules whose next centre has probability ∝ w D².
inline const std::vector<std::pair<std::string, MakeRule>>& exact_rules() {
  static const std::vector<std::pair<std::string, MakeRule>> rules = {{"exact", make_exact_rule},
                                                                      {"pruned", make_pruned_rule},
                                                                      {"rejection", make_rejection_rule},
                                                                      {"snapshot", [](RuleParts parts) { return make_snapshot_rule(std::move(parts)); }},
                                                                      {"restless snapshot", restless_snapshot},
                                                                      {"stale snapshot", stale_snapshot}};
  return rules;
}

inline RuleParts parts_of(const std::shared_ptr<const RowDistances>& distances, const Stream& stream, KmeansSeedingOptions options = {.k = 3}) {
  return {distances, options, stream};
}

/// D² of every row for the centres, in double.
inline std::vector<double> squared_distances(const DataSet& data, const std::vector<Index>& centres) {
  std::vector<double> squared;
  for (Index i = 0; i < data.rows(); ++i) {
    double least = std::numeric_limits<double>::infinity();
    for (const Index c : centres) least = std::min(least, (data.point(i) - data.point(c)).squaredNorm());
    squared.push_back(least);
  }
  return squared;
}

/// w D² / Σ w D².
inline std::vector<double> d2_law(const DataSet& data, const std::vector<Index>& centres) {
  std::vector<double> p = squared_distances(data, centres);
  double sum = 0;
  for (Index i = 0; i < data.rows(); ++i) sum += p[static_cast<std::size_t>(i)] *= data.weight(i);
  for (double& x : p) x /= sum;
  return p;
}

/// w / Σ w.
inline std::vector<double> weight_law(const DataSet& data) {
  std::vector<double> p;
  double sum = 0;
  for (Index i = 0; i < data.rows(); ++i) sum += data.weight(i);
  for (Index i = 0; i < data.rows(); ++i) p.push_back(data.weight(i) / sum);
  return p;
}

/// n points of d standard normals times `scale`.
inline Eigen::MatrixXd normal_points(Index d, Index n, std::uint64_t seed, double scale = 1) {
  Eigen::MatrixXd x(d, n);
  Stream(seed).normals(0, x);
  return scale * x;
}

/// As `from_points`, in single precision.
inline SharedData single_rows(const Eigen::MatrixXd& points, std::vector<double> weights = {}) {
  auto numbers = std::make_shared<Eigen::MatrixXf>(points.cast<float>());
  const DenseRows<float> rows{numbers->data(), points.cols(), points.rows(), points.rows()};
  return std::make_shared<DataSet>(DataSet::Numbers(rows), DataSet::About{.weights = std::move(weights), .storage = numbers});
}

/// The same rows as compressed sparse ones; zeros are left out.
inline SharedData sparse_rows(const Eigen::MatrixXd& points, std::vector<double> weights = {}) {
  struct Storage {
    std::vector<std::int64_t> first{0};
    std::vector<std::int32_t> column;
    std::vector<double> value;
  };
  auto s = std::make_shared<Storage>();
  for (Index i = 0; i < points.cols(); ++i) {
    for (Index j = 0; j < points.rows(); ++j) {
      if (points(j, i) == 0) continue;
      s->column.push_back(static_cast<std::int32_t>(j));
      s->value.push_back(points(j, i));
    }
    s->first.push_back(static_cast<std::int64_t>(s->value.size()));
  }
  const SparseRows<double> rows{s->first.data(), s->column.data(), s->value.data(), points.cols(), points.rows()};
  return std::make_shared<DataSet>(DataSet::Numbers(rows), DataSet::About{.weights = std::move(weights), .storage = s});
}

}  // namespace buffon::testing
