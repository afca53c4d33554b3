// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/model/data_set.hpp>
#include <buffon/random/stream.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace buffon {

class Context;

struct LightweightCoresetOptions {
  std::int64_t size = 0;  ///< draws; 0 = as many as epsilon and delta need
  double epsilon = 0.2;   ///< for size = 0, see LightweightCoresetResult::epsilon
  double delta = 0.05;    ///< probability with which the bound may fail
};
void describe(OptionVisitor& visitor, LightweightCoresetOptions& options);

struct LightweightCoresetResult {
  std::vector<Index> rows;           ///< distinct, in the order of their first draw
  std::vector<std::int64_t> counts;  ///< how often each was drawn
  std::vector<double> weights;       ///< count × w / (m q)
  double spread = 0;                 ///< Δ₁ = Σ w ‖x − mean‖² of all rows
  /// For any set Q of centres that was fixed beforehand, with probability 1 − delta |cost(Q) of the coreset − cost(Q)| <= (epsilon / 2)(cost(Q) + Δ₁).
  double epsilon = 0;
};

/// Lightweight coreset (Bachem, Lucic, Krause, "Scalable k-means clustering via lightweight coresets", 2018): m draws with replacement from
/// q(x) = ½ w / Σ w + ½ w ‖x − mean‖² / Δ₁, a draw weighing w / (m q), so that the weighted cost of the draws for any centres Q is an unbiased estimate of the
/// cost of all rows. Its terms are at most 8 (cost(Q) + Δ₁): d²(x, Q) <= 2 ‖x − mean‖² + 2 d²(mean, Q) and d²(mean, Q) <= 2 (Δ₁ + cost(Q)) / Σ w.
/// Bernstein's inequality then gives m = 64 (1 + epsilon / 6) ln(2 / delta) / epsilon² for one Q; for all sets of k centres at once the paper asks for
/// O((d k log k + log(1/delta)) / epsilon²).
///
/// Two passes over the rows, O(n d); some 40 bytes a row. Draw j is item j of child "draws".
class LightweightCoreset : public Method {
 public:
  LightweightCoreset(std::shared_ptr<const DataSet> data, const LightweightCoresetOptions& options, const Stream& stream);
  ~LightweightCoreset() override;

  void step(Context& context) override;
  bool finished() const override;
  void stop(const std::string& reason) override;
  Progress progress() const override;
  Outcome outcome() const override;
  MemoryNeed memory_need() const override;
  void describe_state(Archive& archive) override;

  LightweightCoresetResult result() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

LightweightCoresetResult lightweight_coreset(std::shared_ptr<const DataSet> data, const LightweightCoresetOptions& options, const Stream& stream,
                                             Context& context);

/// The epsilon that m draws reach, and the draws that an epsilon needs.
double lightweight_coreset_epsilon(double draws, double delta);
double lightweight_coreset_size(double epsilon, double delta);

}  // namespace buffon
