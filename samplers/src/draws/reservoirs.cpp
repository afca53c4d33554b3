// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/reservoirs.hpp>

#include "checked_weights.hpp"
#include "item_numbers.hpp"

#include <algorithm>
#include <limits>

#include <buffon/core/archive.hpp>
#include <buffon/random/variates.hpp>

namespace buffon {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

bool earlier(const KeyedRow& a, const KeyedRow& b) { return a.key < b.key || (a.key == b.key && a.row < b.row); }

}  // namespace

UniformReservoir::UniformReservoir(Index k, const Stream& stream) : gaps_(stream.child("gaps")), slots_(stream.child("slots")), k_(k) {
  draws::check_count(k, 1, "k", "making a reservoir");
}

void UniformReservoir::jump() {
  const auto [greatest, gap] = draws::uniforms(gaps_, static_cast<std::uint64_t>(jumps_++));
  log_greatest_ += scalar::log(greatest) / static_cast<double>(k_);
  const double over = scalar::log(gap) / draws::log_1_plus(-scalar::exp(log_greatest_));
  next_ = over < 0x1p62 ? seen_ + static_cast<std::int64_t>(over) : never;  // not so where nothing is kept any more, 0/0 included
}

void UniformReservoir::push(std::int64_t row) {
  if (seen_ < k_) {
    rows_.push_back(row);
    next_ = ++seen_;
    if (seen_ == k_) jump();
    return;
  }
  if (seen_ < next_) {
    ++seen_;
    return;
  }
  ++seen_;
  rows_[uniform_integer(slots_, static_cast<std::uint64_t>(jumps_), static_cast<std::uint64_t>(k_))] = row;
  jump();
}

void UniformReservoir::skip(std::int64_t rows) {
  if (rows < 0 || rows > passed_over()) {
    throw Error(ErrorCategory::usage, {.doing = "skipping rows of a reservoir",
                                       .key = "rows",
                                       .value = std::to_string(rows),
                                       .rule = "must be in [0, " + std::to_string(passed_over()) + "], the rows that will be passed over"});
  }
  seen_ += rows;
}

void UniformReservoir::describe_state(Archive& archive) {
  archive.item("k", k_);
  archive.item("seen", seen_);
  archive.item("next", next_);
  archive.item("jumps", jumps_);
  archive.item("log_greatest", log_greatest_);
  archive.item("rows", rows_);
}

WeightedReservoir::WeightedReservoir(Index k, const Stream& stream) : clocks_(stream.child("clocks")), k_(k) {
  draws::check_count(k, 1, "k", "making a weighted reservoir");
}

void WeightedReservoir::insert(std::int64_t row, double time) {
  kept_.push_back({static_cast<Index>(row), time});
  std::push_heap(kept_.begin(), kept_.end(), earlier);
}

void WeightedReservoir::push(std::int64_t row, double weight) {
  draws::check_weight(weight, row, "adding a row to a weighted reservoir");
  ++seen_;
  if (weight == 0) return;
  weight_seen_ += weight;
  const bool full = static_cast<std::int64_t>(kept_.size()) == k_;
  if (full && (left_ -= weight) > 0) return;
  const auto [clock, gap] = draws::uniforms(clocks_, static_cast<std::uint64_t>(drawn_++));
  if (full) {
    // An exponential of rate w given that it is below the latest time τ: −log(1 − u (1 − e^{−wτ})) / w.
    const double latest = kept_.front().key;
    const double time = std::min(latest, -draws::log_1_plus(-clock * draws::one_minus_exp(weight * latest)) / weight);
    std::pop_heap(kept_.begin(), kept_.end(), earlier);
    kept_.pop_back();
    insert(row, time);
  } else {
    insert(row, -scalar::log(clock) / weight);
  }
  if (static_cast<std::int64_t>(kept_.size()) == k_) left_ = -scalar::log(gap) / kept_.front().key;
}

std::vector<KeyedRow> WeightedReservoir::sorted() const {
  std::vector<KeyedRow> rows = kept_;
  std::sort(rows.begin(), rows.end(), earlier);
  for (KeyedRow& row : rows) row.key = -scalar::log(row.key);
  return rows;
}

std::vector<std::int64_t> WeightedReservoir::rows() const {
  std::vector<std::int64_t> rows;
  for (const KeyedRow& kept : sorted()) rows.push_back(kept.row);
  return rows;
}

void WeightedReservoir::describe_state(Archive& archive) {
  archive.item("k", k_);
  archive.item("seen", seen_);
  archive.item("drawn", drawn_);
  archive.item("weight_seen", weight_seen_);
  archive.item("left", left_);
  archive.item("kept", kept_);
}

}  // namespace buffon
