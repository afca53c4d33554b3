// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/model/data_set.hpp>
#include <buffon/random/stream.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace buffon {

class Context;
class NearestCentres;

struct ClusteringSensitivityOptions {
  std::int64_t k = 0;                 ///< centres, at least 1; required
  std::int64_t size = 0;              ///< draws; 0 = as many as epsilon and delta need
  double epsilon = 0.1;               ///< for size = 0, see ClusteringSensitivityResult::bound
  double delta = 0.05;                ///< probability with which the bound may fail
  double power = 2;                   ///< z of the distances ‖x − c‖^z: 1 for losses that are Lipschitz, 2 for squared distances
  std::optional<double> lambda = {};  ///< loss per distance^z; estimated if not given
  std::int64_t lambda_pairs = 300;    ///< rows whose losses estimate it
  double lambda_quantile = 0.95;      ///< of |l(x) − proxy| / v(x) over them
  std::int64_t members = 0;           ///< losses per cluster that are averaged in place of the centre's own; 0 = the centre's
  std::int64_t lloyd_rounds = 0;      ///< refine the centres before they are rounded to rows
  std::string loss = "";  ///< column of the losses, by name or number, empty = the last; it is no coordinate then. For the constructor without a function
};
void describe(OptionVisitor& visitor, ClusteringSensitivityOptions& options);

/// Loss of a row, >= 0 and finite. Called on one thread, once per row at most.
using RowLoss = std::function<double(Index row)>;

struct ClusteringSensitivityResult {
  std::vector<Index> rows;           ///< distinct, in the order of their first draw
  std::vector<std::int64_t> counts;  ///< how often each was drawn
  std::vector<double> weights;       ///< count × w / (s π): Σ weight × f over them estimates Σ w f over all rows
  std::vector<Index> centres;        ///< rows
  std::vector<double> proxies;       ///< of every centre: the loss that stands for its rows
  double lambda = 0;
  double phi = 0;          ///< Φ = Σ w v
  double total_score = 0;  ///< B = Σ w (proxy + lambda v)
  double epsilon = 0;      ///< that the draws reach
  double bound = 0;        ///< epsilon B: with probability 1 − delta the estimate is so near, if |l(x) − proxy| <= lambda v(x) for all rows
  double total_loss = 0, std_error = 0;
  std::int64_t queries = 0;  ///< losses evaluated
};

/// Scores of all rows: w (proxy of the nearest centre + lambda ‖x − c‖^z).
struct SensitivityScores {
  std::vector<double> scores;
  double total = 0;  ///< B
  double phi = 0;    ///< Σ w v
};
/// @param nearest keeps labels. @param proxies one per centre
SensitivityScores sensitivity_scores(const NearestCentres& nearest, std::span<const double> proxies, double lambda, double power, Context& context);

/// Draws s that reach epsilon, ⌈(2 + 2 epsilon / 3) ln(2 / delta) / epsilon²⌉, and the epsilon of s draws.
double sensitivity_size(double epsilon, double delta);
double sensitivity_epsilon(double draws, double delta);

/// Chooses rows for which a costly loss l is worth evaluating, from coordinates that are cheap (Axiotis and others, "Data-efficient learning via
/// clustering-based sensitivity sampling", 2024): k centres by D² sampling, their losses as proxies for the rows nearest to them, and s draws with replacement
/// with π ∝ w (proxy + lambda v), v = ‖x − c‖^z. Estimates Σ w l by the mean of the w l / π.
///
/// If |l(x) − proxy| <= lambda v(x) for every row, all terms are at most B = Σ w (proxy + lambda v) <= Σ w l + 2 lambda Φ, and Bernstein's inequality
/// bounds the error by epsilon B with probability 1 − delta. The estimate itself is unbiased, and its standard error right, without that assumption, as long
/// as no row of positive loss has score 0.
///
/// Cost: that of the seeding, one pass of k distances per row, k + lambda_pairs (+ k members) losses, and those of the draws. Streams: children "seeding",
/// "pairs" (item = pair), "members" (item = cluster, member), "draws" (item = draw).
class ClusteringSensitivity : public Method {
 public:
  /// Losses are a column of the data, options.loss.
  ClusteringSensitivity(std::shared_ptr<const DataSet> data, const ClusteringSensitivityOptions& options, const Stream& stream);
  /// All columns are coordinates; options.loss is not used.
  ClusteringSensitivity(std::shared_ptr<const DataSet> data, RowLoss loss, const ClusteringSensitivityOptions& options, const Stream& stream);
  ~ClusteringSensitivity() override;

  void step(Context& context) override;
  bool finished() const override;
  void stop(const std::string& reason) override;
  Progress progress() const override;
  Outcome outcome() const override;
  MemoryNeed memory_need() const override;
  void describe_state(Archive& archive) override;

  ClusteringSensitivityResult result() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

ClusteringSensitivityResult clustering_sensitivity(std::shared_ptr<const DataSet> data, RowLoss loss, const ClusteringSensitivityOptions& options,
                                                   const Stream& stream, Context& context);

}  // namespace buffon
