// SPDX-License-Identifier: BSD-3-Clause
#include "kmeans_parallel.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <buffon/core/archive.hpp>
#include <buffon/parallel/blocks.hpp>

#include "../draws/item_numbers.hpp"
#include "centre_rule.hpp"

namespace buffon {
namespace {

constexpr std::int64_t rows_per_block = 4096;
constexpr std::int64_t candidates_per_block = 512;

/// Position of the first of the shares at which their running sum passes u × total; of a positive share.
std::size_t position_at(const std::vector<double>& shares, double total, double u) {
  const double point = u * total;
  double sum = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (!(shares[i] > 0)) continue;
    last = i;
    if (point < (sum += shares[i])) break;
  }
  return last;
}

}  // namespace

std::vector<Index> oversampled_rows(const NearestCentres& nearest, double expected, const Stream& stream, Context& context) {
  const DataSet& data = nearest.distances().data();
  using Rows = std::vector<Index>;
  return reduce_blocks<Rows>(
      context, data.rows(), rows_per_block,
      [&](const Block& block) {
        std::vector<double> u(static_cast<std::size_t>(block.size()));
        stream.fill_uniforms(static_cast<std::uint64_t>(block.begin), u);
        Rows rows;
        for (Index row = block.begin; row < block.end; ++row) {
          const double share = data.weight(row) * nearest.squared(row);
          if (u[static_cast<std::size_t>(row - block.begin)] * nearest.total() < expected * share) rows.push_back(row);
        }
        return rows;
      },
      [](Rows& into, const Rows& from) { into.insert(into.end(), from.begin(), from.end()); });
}

std::vector<double> masses_of_centres(const NearestCentres& nearest) {
  const DataSet& data = nearest.distances().data();
  std::vector<double> masses(nearest.centres().size());
  for (Index row = 0; row < data.rows(); ++row) masses[static_cast<std::size_t>(nearest.label(row))] += data.weight(row);
  return masses;
}

CandidateDraws::CandidateDraws(std::shared_ptr<const RowDistances> distances, const std::vector<std::int64_t>& rows, const std::vector<double>& masses)
    : distances_(std::move(distances)), rows_(rows), masses_(masses), squared_(rows.size(), std::numeric_limits<double>::infinity()), shares_(rows.size()) {}

void CandidateDraws::add(Index centre, Context& context) {
  for_blocks(context, size(), candidates_per_block, [&](const Block& block) {
    for (auto i = static_cast<std::size_t>(block.begin); i < static_cast<std::size_t>(block.end); ++i) {
      squared_[i] = std::min(squared_[i], distances_->between(static_cast<Index>(rows_[i]), centre));
      shares_[i] = masses_[i] * squared_[i];
    }
  });
  ++centres_;
  total_ = 0;
  for (const double share : shares_) total_ += share;
}

Index CandidateDraws::draw(double u) const { return static_cast<Index>(rows_[position_at(shares_, total_, u)]); }

namespace {

/// Bahmani, Moseley, Vattani, Kumar, Vassilvitskii, "Scalable k-means++", 2012: `rounds` passes that add rows to the first centre, then weighted k-means++ on
/// the rows that were kept. Where those lie on the centres before there are k of them, further centres are drawn by D² from all rows.
class KmeansParallelRule final : public CentreRule {
 public:
  explicit KmeansParallelRule(RuleParts parts)
      : distances_(std::move(parts.distances)),
        rounds_(parts.stream.child("rounds")),
        reduction_(parts.stream.child("reduction")),
        expected_(parts.options.oversampling * static_cast<double>(parts.options.k)),
        rounds_wanted_(parts.options.rounds) {}

  std::optional<Index> next(const std::vector<Index>& chosen, SeedingCounts& counts, Context& context) override {
    if (candidates_.empty()) oversample(chosen.front(), counts, context);
    if (!draws_) draws_.emplace(distances_, candidates_, masses_);
    counts.distances += draws_->size();
    while (draws_->centres() < chosen.size()) draws_->add(chosen[draws_->centres()], context);
    const double u = draws::uniform(reduction_, chosen.size());
    if (draws_->total() > 0) {
      ++counts.trials;
      return draws_->draw(u);
    }
    if (!all_) all_.emplace(distances_);
    all_->add(context, std::span(chosen).subspan(all_->centres().size()));
    counts.distances += distances_->rows() * (static_cast<std::int64_t>(chosen.size()) - std::exchange(passed_, static_cast<std::int64_t>(chosen.size())));
    if (!(all_->total() > 0)) return std::nullopt;
    ++counts.trials;
    return all_->draw(u);
  }

  void describe_state(Archive& archive) override {
    archive.item("candidates", candidates_);
    archive.item("masses", masses_);
    archive.item("passed", passed_);
    if (archive.loading()) draws_.reset();
  }

 private:
  void oversample(Index first, SeedingCounts& counts, Context& context) {
    NearestCentres nearest(distances_, true);
    std::vector<Index> fresh = {first};
    for (std::int64_t round = 0;; ++round) {
      nearest.add(context, fresh);
      if (round == rounds_wanted_ || !(nearest.total() > 0)) break;
      fresh = oversampled_rows(nearest, expected_, rounds_.peek("round", static_cast<std::uint64_t>(round)), context);
    }
    counts.distances += nearest.evaluations();
    candidates_.assign(nearest.centres().begin(), nearest.centres().end());
    masses_ = masses_of_centres(nearest);
  }

  std::shared_ptr<const RowDistances> distances_;
  Stream rounds_;     ///< child "round", r: element i belongs to row i
  Stream reduction_;  ///< item t: the draw of centre t
  double expected_;
  std::int64_t rounds_wanted_;
  std::int64_t passed_ = 0;  ///< centres of the last draw from all rows
  std::vector<std::int64_t> candidates_;
  std::vector<double> masses_;
  std::optional<CandidateDraws> draws_;
  std::optional<NearestCentres> all_;
};

}  // namespace

std::unique_ptr<CentreRule> make_kmeans_parallel_rule(RuleParts parts) { return std::make_unique<KmeansParallelRule>(std::move(parts)); }

}  // namespace buffon
