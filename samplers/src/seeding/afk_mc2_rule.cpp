// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <buffon/core/archive.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/random/variates.hpp>
#include <buffon/samplers/nearest_centres.hpp>

#include "../draws/item_numbers.hpp"
#include "centre_rule.hpp"

namespace buffon {
namespace {

constexpr std::int64_t proposals_per_block = 16;
constexpr std::int64_t proposals_at_once = 4096;

/// Bachem, Lucic, Hassani, Krause, "Fast and provably good seedings for k-means", 2016. Proposals from q(x) = ½ w_x ‖x − c₁‖² / Σ w ‖· − c₁‖² + ½ w_x / Σ w; an
/// independence Metropolis chain of chain_length of them, the first of which is its start, moves from x to y when
/// u D(x) / q(x) < D(y) / q(y); its end is the next centre. A chain that ends on a centre, D = 0, gives way to a draw by D² from all rows.
class AfkMc2Rule final : public CentreRule {
 public:
  explicit AfkMc2Rule(RuleParts parts)
      : distances_(std::move(parts.distances)),
        chains_(parts.stream.child("chains")),
        exact_(parts.stream.child("exact")),
        length_(parts.options.chain_length),
        from_first_(distances_) {
    const DataSet& data = distances_->data();
    if (data.weighted()) by_weight_.emplace(data.about().weights);
    total_weight_ = data.weighted() ? std::accumulate(data.about().weights.begin(), data.about().weights.end(), 0.0) : static_cast<double>(data.rows());
  }

  std::optional<Index> next(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) override {
    if (from_first_.centres().empty()) from_first_.add(context, std::span(chosen).first(1));
    if (chosen.size() == 1) counts.distances += distances_->rows();
    if (!(from_first_.total() > 0)) return std::nullopt;

    const Stream stream = chains_.peek("centre", chosen.size());
    Proposal state;
    std::vector<Proposal> proposals;
    for (std::int64_t begin = 0; begin < length_; begin += proposals_at_once) {
      proposals.resize(static_cast<std::size_t>(std::min(proposals_at_once, length_ - begin)));
      for_blocks(context, static_cast<std::int64_t>(proposals.size()), proposals_per_block, [&](const Block& block) {
        for (std::int64_t j = block.begin; j < block.end; ++j) proposals[static_cast<std::size_t>(j)] = propose(stream, begin + j, chosen);
      });
      for (const Proposal& y : proposals) {
        // D(x) / q(x) up to w: a state of D = 0 always moves
        if (state.row < 0 || state.squared == 0 || y.uniform * state.squared * y.density < y.squared * state.density) state = y;
      }
    }
    counts.trials += length_;
    counts.distances += length_ * static_cast<std::int64_t>(chosen.size());
    if (state.squared > 0) return state.row;
    if (!all_) all_.emplace(distances_);
    all_->add(context, std::span(chosen).subspan(all_->centres().size()));
    counts.distances += distances_->rows() * (static_cast<std::int64_t>(chosen.size()) - std::exchange(passed_, static_cast<std::int64_t>(chosen.size())));
    if (!(all_->total() > 0)) return std::nullopt;
    ++counts.fall_backs;
    return all_->draw(draws::uniform(exact_, chosen.size()));
  }

  void describe_state(Archive& archive) override { archive.item("passed", passed_); }

 private:
  struct Proposal {
    Index row = -1;
    double squared = 0;  ///< to the nearest centre
    double density = 0;  ///< q / w
    double uniform = 0;
  };

  Proposal propose(const Stream& stream, std::int64_t step, const std::vector<Index>& chosen) const {
    const auto item = static_cast<std::uint64_t>(step);
    const auto [part, place] = draws::uniforms(stream, item);
    Proposal y;
    if (part < 0.5) {
      y.row = from_first_.draw(place);
    } else {
      y.row = by_weight_ ? by_weight_->at(place) : std::min(distances_->rows() - 1, static_cast<Index>(place * static_cast<double>(distances_->rows())));
    }
    y.density = from_first_.squared(y.row) / from_first_.total() + 1 / total_weight_;
    y.squared = std::numeric_limits<double>::infinity();
    for (const Index centre : chosen) y.squared = std::min(y.squared, distances_->between(y.row, centre));
    y.uniform = draws::uniforms(stream, item, 1).first;
    return y;
  }

  std::shared_ptr<const RowDistances> distances_;
  Stream chains_;  ///< child "centre", t: item j is proposal j of the chain of centre t
  Stream exact_;   ///< item t: the draw of centre t where its chain ended on a centre
  std::int64_t length_;
  std::int64_t passed_ = 0;  ///< centres of the last draw from all rows
  double total_weight_ = 0;
  NearestCentres from_first_;
  std::optional<CumulativeTable> by_weight_;
  std::optional<NearestCentres> all_;
};

}  // namespace

std::unique_ptr<CentreRule> make_afk_mc2_rule(RuleParts parts) { return std::make_unique<AfkMc2Rule>(std::move(parts)); }

}  // namespace buffon
