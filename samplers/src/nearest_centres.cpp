// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/nearest_centres.hpp>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include <buffon/core/archive.hpp>
#include <buffon/parallel/blocks.hpp>

#include "archive_part.hpp"

namespace buffon {

NearestCentres::NearestCentres(std::shared_ptr<const RowDistances> distances, bool labels)
    : distances_(std::move(distances)), with_labels_(labels), shares_(distances_->data_set()) {
  const auto n = static_cast<std::size_t>(distances_->rows());
  if (distances_->single()) {
    single_.assign(n, std::numeric_limits<float>::infinity());
  } else {
    double_.assign(n, std::numeric_limits<double>::infinity());
  }
  if (with_labels_) labels_.assign(n, -1);
}

void NearestCentres::add(Context& context, std::span<const Index> centres) {
  const auto first_label = static_cast<std::int32_t>(centres_.size());
  for_shared_blocks(
      context, distances_->rows(), RowShares::block_rows, Needed::everywhere,
      [&](const Block& block) {
        std::int32_t* labels = with_labels_ ? labels_.data() + block.begin : nullptr;
        const auto lower = [&](auto& all) {
          std::uint8_t changed[RowShares::block_rows / RowShares::leaf_rows] = {};
          if (first_label == 0) std::fill(std::begin(changed), std::end(changed), std::uint8_t{1});  // also where a distance overflows
          distances_->lower(block.begin, block.end, centres, all.data() + block.begin, labels, first_label, changed);
          for (Index i = block.begin; i < block.end; i += RowShares::leaf_rows) {
            if (changed[(i - block.begin) / RowShares::leaf_rows] != 0) shares_.renew(i, std::min(i + RowShares::leaf_rows, block.end), all.data());
          }
        };
        if (distances_->single()) {
          lower(single_);
        } else {
          lower(double_);
        }
      },
      [&](std::int64_t block, Archive& archive) {
        const Index begin = block * RowShares::block_rows, end = std::min(begin + RowShares::block_rows, distances_->rows());
        if (distances_->single()) {
          list_part<double>(archive, "squared", single_, begin, end);
        } else {
          list_part<double>(archive, "squared", double_, begin, end);
        }
        if (with_labels_) list_part<std::int64_t>(archive, "labels", labels_, begin, end);
        list_part<double>(archive, "leaves", shares_.leaves(), begin / RowShares::leaf_rows, block_count(end, RowShares::leaf_rows));
      });
  shares_.finish();
  centres_.insert(centres_.end(), centres.begin(), centres.end());
  evaluations_ += distances_->rows() * static_cast<std::int64_t>(centres.size());
}

Index NearestCentres::draw(double u) const { return distances_->single() ? shares_.draw(u, single_.data()) : shares_.draw(u, double_.data()); }

std::vector<double> NearestCentres::totals_with(Context& context, std::span<const Index> candidates) const {
  const auto blocks = static_cast<std::size_t>(block_count(distances_->rows(), RowShares::block_rows));
  std::vector<std::vector<double>> totals(blocks, std::vector<double>(candidates.size()));
  for_shared_blocks(
      context, distances_->rows(), RowShares::block_rows, Needed::everywhere,
      [&](const Block& block) {
        double* of_block = totals[static_cast<std::size_t>(block.index)].data();
        if (distances_->single()) {
          distances_->totals_with(block.begin, block.end, candidates, single_.data() + block.begin, of_block);
        } else {
          distances_->totals_with(block.begin, block.end, candidates, double_.data() + block.begin, of_block);
        }
      },
      [&](std::int64_t block, Archive& archive) { archive.item("totals", totals[static_cast<std::size_t>(block)]); });
  evaluations_ += distances_->rows() * static_cast<std::int64_t>(candidates.size());
  std::vector<double> sums;
  std::vector<double> of_blocks(blocks);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    std::transform(totals.begin(), totals.end(), of_blocks.begin(), [&](const std::vector<double>& of_block) { return of_block[c]; });
    sums.push_back(RowShares::tree_total(of_blocks));
  }
  return sums;
}

}  // namespace buffon
