// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/model/data_set.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/estimate.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

class Context;

enum class RowScheme {
  uniform,           ///< without replacement, every subset equally likely
  with_replacement,  ///< independent draws in proportion to the sizes
  gumbel_top_k,      ///< one after the other without replacement, in proportion to the sizes
  systematic,        ///< without replacement, probabilities exactly in proportion to the sizes, in random order
  stratified         ///< every group by its share, uniformly within
};

struct RowSamplingOptions {
  std::int64_t k = 0;  ///< rows drawn, at least 1; required
  RowScheme scheme = RowScheme::uniform;
  std::string sizes = "";   ///< column (name or number) of numbers >= 0 that chances are in proportion to; empty = the weights of the data
  std::string groups = "";  ///< stratified: column whose different values are the groups
  double level = 0.95;
};
void describe(OptionVisitor& visitor, RowSamplingOptions& options);

struct RowSamplingResult {
  std::vector<Index> rows;           ///< distinct, in the order of their (first) draw
  std::vector<std::int64_t> counts;  ///< how often each was drawn
  std::vector<double> weights;       ///< w / inclusion probability, or count × w / (k p)
  Estimate total_weight;             ///< of Σ w, which is known
  std::vector<Estimate> means;       ///< of the first columns, at most 50
};

/// Draws rows of a data set, with the weights that make sums over them estimates of sums over all rows, and estimates the (weighted) mean of every column.
///
/// Weight ω_i = w_i / π_i of row i, π its inclusion probability (k p for draws with replacement; for gumbel_top_k that given the keys of the other
/// rows, see `KeyedSubset`). The mean is (Σ ω x + b (Σ w − Σ ω)) / Σ w, with Σ w known and b the regression of Σ ω x on Σ ω under the scheme, estimated
/// from the sample: never worse than the plain sum (b = 0) or the ratio (b = the mean itself), up to terms of order 1/k. Its standard error is that
/// of Σ e_i / π_i / Σ w, e_i = w_i (x_i − b):
/// - uniform: n² (1 − k/n) s² / k, s² the sample variance of e; unbiased where all w = 1;
/// - with_replacement: the sample variance of e / p, divided by k;
/// - gumbel_top_k: Σ (1 − π) (e / π)², unbiased since terms are uncorrelated (k >= 2);
/// - systematic: k / (k − 1) Σ (1 − π) (e / π − A)², A the mean of e / π under weights 1 − π (Deville, 1993): an approximation, as for every systematic sample;
/// - stratified: the sum over the groups of n_g² (1 − k_g / n_g) s_g² / k_g.
///
/// Two rows of every group at least, so that its variance can be estimated (one where it has only one). One or two passes over sizes, O(k d) for the means, 16
/// to 56 bytes a row. Streams: child "rows"; "order" for the systematic scheme.
class RowSampling : public Method {
 public:
  RowSampling(std::shared_ptr<const DataSet> data, const RowSamplingOptions& options, const Stream& stream);
  ~RowSampling() override;

  void step(Context& context) override;
  bool finished() const override;
  void stop(const std::string& reason) override;
  Progress progress() const override;
  Outcome outcome() const override;
  MemoryNeed memory_need() const override;
  void describe_state(Archive& archive) override;

  RowSamplingResult result() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

RowSamplingResult row_sampling(std::shared_ptr<const DataSet> data, const RowSamplingOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
