// SPDX-License-Identifier: BSD-3-Clause
#include "grouped_rows.hpp"

#include <buffon/parallel/blocks.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <variant>

namespace buffon {
namespace {

/// Groups of a block of the parallel loop, and members from which on it pays.
constexpr std::int64_t block_size = 8;
constexpr std::int64_t parallel_from = 1 << 15;

/// Members of a group that may be lowered.
struct Scratch {
  std::vector<Index> rows;
  std::vector<std::size_t> places;  ///< in the group
  std::vector<double> squared;
};

/// Distances to the mean; of sparse rows to 0, where no difference loses digits.
std::vector<double> radii(const RowDistances& distances, Context& context) {
  std::vector<double> radius(static_cast<std::size_t>(distances.rows()));
  std::visit(
      [&](const auto& x) {
        if constexpr (requires { x.stride; }) {
          const std::vector<double>& squared = distances.squared_from_mean(context);
          for (std::size_t i = 0; i < radius.size(); ++i) radius[i] = std::sqrt(squared[i]);
        } else {
          for (Index i = 0; i < x.rows; ++i) {
            double sum = 0;
            for (std::int64_t e = x.first[i]; e < x.first[i + 1]; ++e) sum += static_cast<double>(x.value[e]) * static_cast<double>(x.value[e]);
            radius[static_cast<std::size_t>(i)] = std::sqrt(sum);
          }
        }
      },
      distances.data().numbers());
  return radius;
}

}  // namespace

// A computed squared distance lies within (1 ± γ) of the true one plus or minus ω: γ = (d + 3) ε for sums of d squares of rounded differences, and half
// as much again for higher orders; ω = d times the smallest normal number for squares that underflow. With computed values a = ‖c − a‖², D, x = ‖x − c‖²:
// a ≥ 4 D (1 + 4 γ') + 16 ω implies x ≥ D for γ' ≥ 2 γ, which factor and offset hold with room. Likewise t² ≥ D (1 + 4 γ') + ω implies it for any
// t ≤ ‖x − c‖; radii are computed in double, from d squares.
GroupedRows::GroupedRows(std::shared_ptr<const RowDistances> distances, const NearestCentres& nearest, Context& context)
    : distances_(std::move(distances)),
      centres_(nearest.centres()),
      groups_(centres_.size()),
      radius_(radii(*distances_, context)),
      shares_(distances_->data_set()) {
  const bool single = distances_->single();
  const auto d = static_cast<double>(distances_->data().columns());
  const double epsilon = single ? static_cast<double>(std::numeric_limits<float>::epsilon()) : std::numeric_limits<double>::epsilon();
  factor_ = 4 * (1 + 16 * (d + 4) * epsilon);
  offset_ = 64 * d * (single ? static_cast<double>(std::numeric_limits<float>::min()) : std::numeric_limits<double>::min());
  radius_error_ = 4 * (d + 4) * std::numeric_limits<double>::epsilon();
  const Index n = distances_->rows();
  squared_.resize(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i) {
    const double squared = nearest.squared(i);
    squared_[static_cast<std::size_t>(i)] = squared;
    groups_[static_cast<std::size_t>(nearest.label(i))].members.push_back({i, squared});
  }
  for (Group& group : groups_) group.sort();
  shares_.renew(0, n, squared_.data());
  shares_.finish();
}

void GroupedRows::Group::sort() {
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.squared > b.squared || (a.squared == b.squared && a.row < b.row); });
}

GroupedRows::Lowering GroupedRows::lowering(Context& context, Index centre) const {
  Lowering found;
  found.centre = centre;
  std::vector<double> apart;  // ‖c − a‖² of the groups
  std::int64_t members = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const double between = distances_->between(centre, centres_[g]);
    if (between >= factor_ * groups_[g].largest() + offset_ && between <= std::numeric_limits<float>::max()) continue;
    found.groups.push_back({g});
    apart.push_back(between <= std::numeric_limits<float>::max() ? between : 0);  // an overflow tells nothing
    members += static_cast<std::int64_t>(groups_[g].members.size());
  }
  found.evaluations = static_cast<std::int64_t>(groups_.size());

  const double own_radius = radius_[static_cast<std::size_t>(centre)];
  const auto lower_group = [&](std::size_t i, Scratch& scratch) {
    Lowering::Group& lowered = found.groups[i];
    const std::vector<Member>& members_here = groups_[lowered.group].members;
    const double bound = (apart[i] - offset_) / factor_;  // D from which on a row may be lowered; its rounding is far within the margin
    const auto end = std::partition_point(members_here.begin(), members_here.end(), [&](const Member& member) { return member.squared > bound; });
    const auto count = static_cast<std::size_t>(end - members_here.begin());
    scratch.rows.resize(count);
    scratch.places.resize(count);
    std::size_t near = 0;
    for (std::size_t l = 0; l < count; ++l) {
      const Member& member = members_here[l];
      const double radius = radius_[static_cast<std::size_t>(member.row)];
      const double apart_at_least = std::abs(radius - own_radius) - radius_error_ * (radius + own_radius);
      scratch.rows[near] = member.row;
      scratch.places[near] = l;
      near += apart_at_least <= 0 || apart_at_least * apart_at_least < 0.25 * factor_ * member.squared + offset_;
    }
    scratch.rows.resize(near);
    scratch.squared.resize(near);
    distances_->between(scratch.rows, centre, scratch.squared);
    lowered.evaluations = static_cast<std::int64_t>(near);
    for (std::size_t l = 0; l < near; ++l) {
      const Member& member = members_here[scratch.places[l]];
      if (!(scratch.squared[l] < member.squared)) continue;
      lowered.members.push_back({static_cast<std::int64_t>(scratch.places[l]), scratch.squared[l]});
      lowered.gain += distances_->data().weight(member.row) * (member.squared - scratch.squared[l]);
    }
  };
  if (members < parallel_from || context.threads() == 1) {
    context.throw_if_stopped();
    Scratch scratch;
    for (std::size_t i = 0; i < found.groups.size(); ++i) lower_group(i, scratch);
  } else {
    for_blocks(context, static_cast<std::int64_t>(found.groups.size()), block_size, [&](const Block& block) {
      Scratch scratch;
      for (std::int64_t i = block.begin; i < block.end; ++i) lower_group(static_cast<std::size_t>(i), scratch);
    });
  }
  for (const Lowering::Group& group : found.groups) {
    found.gain += group.gain;
    found.evaluations += group.evaluations;
  }
  return found;
}

void GroupedRows::add(const Lowering& lowering) {
  Group added;
  std::vector<Index> leaves;
  for (const Lowering::Group& lowered : lowering.groups) {
    if (lowered.members.empty()) continue;
    Group& group = groups_[lowered.group];
    std::size_t kept = static_cast<std::size_t>(lowered.members.front().place);
    auto next = lowered.members.begin();
    for (std::size_t m = kept; m < group.members.size(); ++m) {
      const Member member = group.members[m];
      if (next == lowered.members.end() || static_cast<std::size_t>(next->place) != m) {
        group.members[kept++] = member;
        continue;
      }
      squared_[static_cast<std::size_t>(member.row)] = next->squared;
      leaves.push_back(member.row / RowShares::leaf_rows);
      added.members.push_back({member.row, next->squared});
      ++next;
    }
    group.members.resize(kept);
  }
  added.sort();
  centres_.push_back(lowering.centre);
  groups_.push_back(std::move(added));
  std::sort(leaves.begin(), leaves.end());
  leaves.erase(std::unique(leaves.begin(), leaves.end()), leaves.end());
  for (const Index leaf : leaves) {
    shares_.renew(leaf * RowShares::leaf_rows, std::min((leaf + 1) * RowShares::leaf_rows, distances_->rows()), squared_.data());
  }
  shares_.finish();
}

}  // namespace buffon
