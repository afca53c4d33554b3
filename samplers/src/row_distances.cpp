// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/row_distances.hpp>

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include <buffon/parallel/blocks.hpp>
#include <buffon/samplers/row_shares.hpp>

namespace buffon {
namespace {

constexpr Index lanes = 8;

template <class T>
T fold(T* lane) {
  for (Index half = lanes / 2; half > 0; half /= 2) {
    for (Index l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

template <class T>
T squared_distance(const T* a, const T* b, Index d) {
  if (d < lanes) {
    T sum = 0;
    for (Index j = 0; j < d; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
  }
  T lane[lanes] = {};
  for (Index j = 0; j < d; ++j) lane[j % lanes] += (a[j] - b[j]) * (a[j] - b[j]);
  return fold(lane);
}

template <class T>
T squared_distance(const DenseRows<T>& x, Index a, Index b) {
  return squared_distance(x.row(a), x.row(b), x.columns);
}

/// Over the columns of either row in ascending order, in double.
template <class T>
double squared_distance(const SparseRows<T>& x, Index a, Index b) {
  std::int64_t p = x.first[a], q = x.first[b];
  const std::int64_t p_end = x.first[a + 1], q_end = x.first[b + 1];
  double sum = 0;
  while (p < p_end && q < q_end) {
    const std::int32_t i = x.column[p], j = x.column[q];
    const double u = i <= j ? static_cast<double>(x.value[p]) : 0, v = j <= i ? static_cast<double>(x.value[q]) : 0;
    sum += (u - v) * (u - v);
    p += i <= j;
    q += j <= i;
  }
  for (; p < p_end; ++p) sum += static_cast<double>(x.value[p]) * static_cast<double>(x.value[p]);
  for (; q < q_end; ++q) sum += static_cast<double>(x.value[q]) * static_cast<double>(x.value[q]);
  return sum;
}

template <class Rows, class T>
void lower_rows(const Rows& x, Index begin, Index end, std::span<const Index> centres, T* squared, std::int32_t* labels, std::int32_t first_label) {
  for (Index i = begin; i < end; ++i) {
    T& best = squared[i - begin];
    for (std::size_t c = 0; c < centres.size(); ++c) {
      const auto d = static_cast<T>(squared_distance(x, i, centres[c]));
      if (!(d < best)) continue;
      best = d;
      if (labels != nullptr) labels[i - begin] = first_label + static_cast<std::int32_t>(c);
    }
  }
}

template <class T>
void add_row(const DenseRows<T>& x, Index row, double weight, Eigen::VectorXd& sum) {
  for (Index j = 0; j < x.columns; ++j) sum[j] += weight * static_cast<double>(x.row(row)[j]);
}

template <class T>
void add_row(const SparseRows<T>& x, Index row, double weight, Eigen::VectorXd& sum) {
  for (std::int64_t e = x.first[row]; e < x.first[row + 1]; ++e) sum[x.column[e]] += weight * static_cast<double>(x.value[e]);
}

template <class T>
double squared_from(const DenseRows<T>& x, Index row, const Eigen::VectorXd& point, double) {
  double lane[lanes] = {};
  for (Index j = 0; j < x.columns; ++j) {
    const double u = static_cast<double>(x.row(row)[j]) - point[j];
    lane[j % lanes] += u * u;
  }
  return fold(lane);
}

template <class T>
double squared_from(const SparseRows<T>& x, Index row, const Eigen::VectorXd& point, double squared_norm) {
  double sum = 0;
  for (std::int64_t e = x.first[row]; e < x.first[row + 1]; ++e) {
    const auto v = static_cast<double>(x.value[e]);
    sum += v * (v - 2 * point[x.column[e]]);
  }
  return std::max(0.0, sum + squared_norm);
}

constexpr Index block_rows = 4096;

}  // namespace

struct RowDistances::Parts {
  std::mutex guard;
  std::optional<Eigen::VectorXd> mean;
  std::optional<std::vector<double>> squared_from_mean;
};

RowDistances::RowDistances(std::shared_ptr<const DataSet> data) : data_(std::move(data)), parts_(std::make_unique<Parts>()) {}
RowDistances::~RowDistances() = default;

double RowDistances::between(Index a, Index b) const {
  return std::visit([&](const auto& x) { return static_cast<double>(squared_distance(x, a, b)); }, data_->numbers());
}

bool RowDistances::within(Index a, Index b, double bound) const { return between(a, b) <= bound; }

bool RowDistances::single() const { return std::holds_alternative<DenseRows<float>>(data_->numbers()); }

void RowDistances::lower(Index begin, Index end, std::span<const Index> centres, float* squared, std::int32_t* labels, std::int32_t first_label) const {
  lower_rows(std::get<DenseRows<float>>(data_->numbers()), begin, end, centres, squared, labels, first_label);
}

void RowDistances::lower(Index begin, Index end, std::span<const Index> centres, double* squared, std::int32_t* labels, std::int32_t first_label) const {
  std::visit(
      [&](const auto& x) {
        if constexpr (!std::is_same_v<decltype(x), const DenseRows<float>&>) lower_rows(x, begin, end, centres, squared, labels, first_label);
      },
      data_->numbers());
}

namespace {

template <class T>
void lowered_totals(const RowDistances& distances, Index begin, Index end, std::span<const Index> candidates, const T* squared, double* totals) {
  const double* weights = distances.data().weighted() ? distances.data().about().weights.data() + begin : nullptr;
  std::vector<T> lowered;
  std::vector<double> leaves;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    lowered.assign(squared, squared + (end - begin));
    distances.lower(begin, end, candidates.subspan(c, 1), lowered.data());
    leaves.clear();
    for (Index i = 0; i < end - begin; i += RowShares::leaf_rows) {
      leaves.push_back(RowShares::leaf_total(lowered.data() + i, weights == nullptr ? nullptr : weights + i, std::min(RowShares::leaf_rows, end - begin - i)));
    }
    totals[c] = RowShares::block_total(leaves.data(), static_cast<Index>(leaves.size()));
  }
}

}  // namespace

void RowDistances::totals_with(Index begin, Index end, std::span<const Index> candidates, const float* squared, double* totals) const {
  lowered_totals(*this, begin, end, candidates, squared, totals);
}

void RowDistances::totals_with(Index begin, Index end, std::span<const Index> candidates, const double* squared, double* totals) const {
  lowered_totals(*this, begin, end, candidates, squared, totals);
}

const Eigen::VectorXd& RowDistances::mean(Context& context) const {
  const std::scoped_lock lock(parts_->guard);
  if (!parts_->mean) {
    struct Sum {
      Eigen::VectorXd of_rows;
      double of_weights = 0;
    };
    const Sum sum = reduce_blocks<Sum>(
        context, rows(), block_rows,
        [&](const Block& block) {
          Sum s{Eigen::VectorXd::Zero(data_->columns()), 0};
          std::visit(
              [&](const auto& x) {
                for (Index i = block.begin; i < block.end; ++i) {
                  add_row(x, i, data_->weight(i), s.of_rows);
                  s.of_weights += data_->weight(i);
                }
              },
              data_->numbers());
          return s;
        },
        [](Sum& into, const Sum& from) {
          into.of_rows += from.of_rows;
          into.of_weights += from.of_weights;
        });
    parts_->mean = sum.of_rows / sum.of_weights;
  }
  return *parts_->mean;
}

const std::vector<double>& RowDistances::squared_from_mean(Context& context) const {
  const Eigen::VectorXd& centre = mean(context);
  const std::scoped_lock lock(parts_->guard);
  if (!parts_->squared_from_mean) {
    std::vector<double> out(static_cast<std::size_t>(rows()));
    const double squared_norm = centre.squaredNorm();
    for_blocks(context, rows(), block_rows, [&](const Block& block) {
      std::visit(
          [&](const auto& x) {
            for (Index i = block.begin; i < block.end; ++i) out[static_cast<std::size_t>(i)] = squared_from(x, i, centre, squared_norm);
          },
          data_->numbers());
    });
    parts_->squared_from_mean = std::move(out);
  }
  return *parts_->squared_from_mean;
}

}  // namespace buffon
