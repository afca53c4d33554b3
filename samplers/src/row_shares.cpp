// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/row_shares.hpp>

#include <algorithm>
#include <utility>

#include <buffon/linalg/row_distance_kernels.hpp>
#include <buffon/parallel/blocks.hpp>

namespace buffon {
namespace {

constexpr Index sum_lanes = 16;

/// Σ term(i), i < count <= 64.
template <class Term>
double lane_sum(Index count, Term&& term) {
  double lane[sum_lanes] = {};
  for (Index i = 0; i < count; ++i) lane[i % sum_lanes] += term(i);
  for (Index half = sum_lanes / 2; half > 0; half /= 2) {
    for (Index l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

/// The first of `count` shares whose end lies beyond `point`, which becomes the place inside it; the last positive one where rounding leaves none.
template <class Share>
Index locate(Index count, double& point, Share&& share) {
  Index last = 0;
  double before = 0, end = 0;
  for (Index i = 0; i < count; ++i) {
    const double s = share(i);
    if (!(s > 0)) continue;
    last = i;
    before = end;
    end += s;
    if (end > point) break;
  }
  point -= before;
  return last;
}

template <class T>
double term(const double* weights, const T* squared, Index i) {
  const auto d = static_cast<double>(squared[i]);
  return weights == nullptr ? d : weights[i] * d;
}

template <class T>
double sum_of_leaf(const T* squared, const double* weights, Index count) {
  if (count < leaf_rows) return lane_sum(count, [&](Index i) { return term(weights, squared, i); });
  double sum;
  row_distance_kernels<T>().leaf_sums(squared, weights, 1, &sum);
  return sum;
}

template <class T>
void renew_leaves(Index begin, Index end, Index rows, const double* weights, const T* squared, std::vector<double>& leaves) {
  if (begin >= end) return;
  const Index first = begin / leaf_rows, last = (end - 1) / leaf_rows + 1, whole = std::min(last, rows / leaf_rows);
  const auto at = [&](Index leaf) { return weights == nullptr ? nullptr : weights + leaf * leaf_rows; };
  if (first < whole) row_distance_kernels<T>().leaf_sums(squared + first * leaf_rows, at(first), whole - first, &leaves[static_cast<std::size_t>(first)]);
  if (whole < last) leaves[static_cast<std::size_t>(whole)] = sum_of_leaf(squared + whole * leaf_rows, at(whole), rows - whole * leaf_rows);
}

template <class T>
Index draw_row(double u, Index rows, const double* weights, const T* squared, const std::vector<double>& leaves, const std::vector<double>& ends) {
  constexpr Index leaves_per_block = RowShares::block_rows / leaf_rows;
  double point = u * ends.back();
  auto block = std::upper_bound(ends.begin(), ends.end(), point);
  if (block == ends.end()) block = std::lower_bound(ends.begin(), ends.end(), ends.back());
  if (block != ends.begin()) point -= *(block - 1);
  Index leaf = (block - ends.begin()) * leaves_per_block;
  leaf +=
      locate(std::min(leaves_per_block, static_cast<Index>(leaves.size()) - leaf), point, [&](Index i) { return leaves[static_cast<std::size_t>(leaf + i)]; });
  const Index first = leaf * leaf_rows;
  return first + locate(std::min(leaf_rows, rows - first), point, [&](Index i) { return term(weights, squared, first + i); });
}

}  // namespace

RowShares::RowShares(std::shared_ptr<const DataSet> data)
    : data_(std::move(data)),
      weights_(data_->weighted() ? data_->about().weights.data() : nullptr),
      leaves_(static_cast<std::size_t>(block_count(data_->rows(), leaf_rows)), 0.0),
      ends_(static_cast<std::size_t>(block_count(data_->rows(), block_rows)), 0.0) {}

void RowShares::renew(Index begin, Index end, const float* squared) { renew_leaves(begin, end, data_->rows(), weights_, squared, leaves_); }
void RowShares::renew(Index begin, Index end, const double* squared) { renew_leaves(begin, end, data_->rows(), weights_, squared, leaves_); }

double RowShares::leaf_total(const float* squared, const double* weights, Index count) { return sum_of_leaf(squared, weights, count); }
double RowShares::leaf_total(const double* squared, const double* weights, Index count) { return sum_of_leaf(squared, weights, count); }

double RowShares::block_total(const double* leaves, Index count) {
  return lane_sum(count, [&](Index i) { return leaves[i]; });
}

double RowShares::tree_total(std::vector<double> blocks) {
  return merge_tree(std::move(blocks), [](double& into, double from) { into += from; });
}

void RowShares::finish() {
  constexpr Index leaves_per_block = block_rows / leaf_rows;
  for (std::size_t b = 0; b < ends_.size(); ++b) {
    const Index first = static_cast<Index>(b) * leaves_per_block;
    ends_[b] = block_total(leaves_.data() + first, std::min(leaves_per_block, static_cast<Index>(leaves_.size()) - first));
  }
  total_ = tree_total(ends_);
  for (std::size_t b = 1; b < ends_.size(); ++b) ends_[b] += ends_[b - 1];
}

Index RowShares::draw(double u, const float* squared) const { return draw_row(u, data_->rows(), weights_, squared, leaves_, ends_); }
Index RowShares::draw(double u, const double* squared) const { return draw_row(u, data_->rows(), weights_, squared, leaves_, ends_); }

}  // namespace buffon
