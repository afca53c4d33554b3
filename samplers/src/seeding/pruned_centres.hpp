// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/nearest_centres.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "grouped_rows.hpp"

namespace buffon {

/// D_i for centres that come one by one: whole passes for the first, when few rows could be left out, groups afterwards.
class PrunedCentres {
 public:
  explicit PrunedCentres(std::shared_ptr<const RowDistances> distances) : distances_(std::move(distances)) {}

  /// Takes in the centres that are new.
  /// @param counted the last one was the best of candidates, and its distances were counted then
  /// @returns distances evaluated for the last one
  std::int64_t track(const std::vector<Index>& chosen, Context& context, bool counted = false);
  std::int64_t centres() const { return static_cast<std::int64_t>(first_ ? first_->centres().size() : groups_ ? groups_->centres() : 0); }
  double total() const { return first_ ? first_->total() : groups_->total(); }
  Index draw(double u) const { return first_ ? first_->draw(u) : groups_->draw(u); }

  /// The candidate that leaves the lowest total, the first of equals. Adds to `evaluations`.
  Index best(std::span<const Index> candidates, std::int64_t& evaluations, Context& context);

 private:
  static constexpr std::size_t grouped_from = 128;

  std::shared_ptr<const RowDistances> distances_;
  std::unique_ptr<NearestCentres> first_;  ///< until there are enough centres
  std::unique_ptr<GroupedRows> groups_;
  std::optional<GroupedRows::Lowering> next_;  ///< of the best candidate, which is likely to come next
};

}  // namespace buffon
