// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/random/stream.hpp>
#include <buffon/samplers/nearest_centres.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace buffon {

class Context;

/// A round of k-means||: every row by itself with probability min(1, l w_i D_i / Σ w D), l the expected number; in ascending order. Row i is item i of the
/// one-dimensional sequence of the stream.
std::vector<Index> oversampled_rows(const NearestCentres& nearest, double expected, const Stream& stream, Context& context);

/// Σ w over the rows nearest to each of the centres of `nearest`, which keeps labels.
std::vector<double> masses_of_centres(const NearestCentres& nearest);

/// Rows with masses of their own, drawn by mass times squared distance to a growing list of centres: weighted k-means++ on a few rows.
class CandidateDraws {
 public:
  CandidateDraws(std::shared_ptr<const RowDistances> distances, const std::vector<std::int64_t>& rows, const std::vector<double>& masses);

  void add(Index centre, Context& context);
  std::int64_t size() const { return static_cast<std::int64_t>(rows_.size()); }
  std::size_t centres() const { return centres_; }
  /// Σ mass × squared distance.
  double total() const { return total_; }
  Index draw(double u) const;

 private:
  std::shared_ptr<const RowDistances> distances_;
  std::vector<std::int64_t> rows_;
  std::vector<double> masses_, squared_, shares_;
  std::size_t centres_ = 0;
  double total_ = 0;
};

}  // namespace buffon
