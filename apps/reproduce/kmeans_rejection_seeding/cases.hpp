// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/data_set.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/kmeans_seeding.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../reproduce.hpp"

// P. Shah, S. Agrawal, R. Jaiswal, "A new rejection sampling approach to k-means++ with improved trade-offs", arXiv:2502.02085 (2025).
namespace buffon::reproduce::kmeans_rejection_seeding {

/// The paper's figures for a data set, where it has them.
struct PaperFigures {
  double rejection_cost = 0, afk_cost = 0;                      ///< means of 20 runs
  double rejection_seconds = 0, afk_seconds = 0;                ///< of NumPy code that draws every proposal by a pass over the data
  std::optional<double> cost_5 = {}, cost_100 = {};             ///< k = 5 and 100
  std::optional<double> cap_5 = {}, cap_50 = {}, cap_150 = {};  ///< at most m trials, 40 runs
};

struct Set {
  std::string name;
  std::shared_ptr<const DataSet> data;
  std::int64_t k = 50;
  std::optional<PaperFigures> paper = {};
  std::string note = {};
};

/// Hands of five cards: suit (1 … 4) and rank (1 … 13) of each, dealt without replacement from a shuffled deck, as the paper's data set
/// "Poker" has them: 1,025,010 rows of 10 columns.
std::shared_ptr<const DataSet> poker_hands(const Stream& stream, Index n);

/// The data sets to work on: poker hands, and every file that --data names.
std::vector<Set> sets_of(const ReproduceOptions& options, ReproduceTable& table);

/// Costs and seconds of several seedings.
struct Runs {
  std::vector<double> costs, seconds;
  SeedingCounts counts;  ///< summed

  Estimate cost() const;
  double std_dev() const;
  double median_seconds() const;
};
Runs run(const ReproduceOptions& options, const Set& set, KmeansSeedingOptions seeding, std::int64_t runs, const Stream& stream);

}  // namespace buffon::reproduce::kmeans_rejection_seeding
