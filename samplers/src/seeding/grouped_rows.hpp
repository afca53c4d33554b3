// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/nearest_centres.hpp>
#include <buffon/samplers/row_distances.hpp>
#include <buffon/samplers/row_shares.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace buffon {

class Context;

/// D_i of every row with the rows grouped by nearest centre, so that a new centre c is compared only with rows that it can lower. With a the centre of a row
/// and R² the largest D of its group: ‖x − c‖ ≥ ‖c − a‖ − ‖x − a‖, so nothing changes where ‖c − a‖² ≥ 4 D, for the whole group where ‖c − a‖² ≥ 4 R².
/// Nor does anything change where the distances of x and c to one fixed point differ by √D or more: the rows' mean, or 0 for sparse rows.
/// (E. Raff, "Exact acceleration of K-Means++ and K-Means||", 2021.) The bounds keep a margin for the rounding of all distances: D,
/// the sums and the draws have the bits of `NearestCentres`. Memory: 32 bytes a row, up to twice as much while rows change groups.
class GroupedRows {
 public:
  /// Takes over from a list of centres with labels.
  GroupedRows(std::shared_ptr<const RowDistances> distances, const NearestCentres& nearest, Context& context);

  /// What a new centre would lower.
  struct Lowering {
    struct Member {
      std::int64_t place = 0;  ///< in the group
      double squared = 0;      ///< new D
    };
    struct Group {
      std::size_t group = 0;
      std::vector<Member> members = {};  ///< ascending by place
      double gain = 0;                   ///< Σ w (old D − new D)
      std::int64_t evaluations = 0;
    };
    Index centre = 0;
    std::vector<Group> groups;  ///< ascending
    double gain = 0;            ///< by how much Σ w D falls
    std::int64_t evaluations = 0;
  };
  Lowering lowering(Context& context, Index centre) const;
  /// Adds the centre.
  void add(const Lowering& lowering);

  std::size_t centres() const { return centres_.size(); }
  double total() const { return shares_.total(); }
  Index draw(double u) const { return shares_.draw(u, squared_.data()); }

 private:
  struct Member {
    Index row = 0;
    double squared = 0;
  };
  struct Group {
    std::vector<Member> members;  ///< D falling: a member stays in its place until it leaves
    void sort();
    double largest() const { return members.empty() ? 0 : members.front().squared; }
  };

  std::shared_ptr<const RowDistances> distances_;
  double factor_, offset_;  ///< no member with factor D + offset ≤ ‖c − a‖² can be lowered
  std::vector<Index> centres_;
  std::vector<Group> groups_;
  std::vector<double> squared_;  ///< by row
  std::vector<double> radius_;   ///< of every row, its distance to the fixed point
  double radius_error_;          ///< of that, relative
  RowShares shares_;
};

}  // namespace buffon
