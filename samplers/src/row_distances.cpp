// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/row_distances.hpp>

#include "add_row.hpp"
#include "dense_passes.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/samplers/row_shares.hpp>

namespace buffon {
namespace {

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

/// Rows as centres, one after the other.
template <class T>
std::vector<T> gathered(const DenseRows<T>& x, std::span<const Index> rows) {
  std::vector<T> out;
  out.reserve(rows.size() * static_cast<std::size_t>(x.columns));
  for (const Index row : rows) out.insert(out.end(), x.row(row), x.row(row) + x.columns);
  return out;
}

template <class T>
void lower_sparse(const SparseRows<T>& x, Index begin, Index end, std::span<const Index> centres, double* squared, std::int32_t* labels,
                  std::int32_t first_label, std::uint8_t* changed) {
  for (Index i = begin; i < end; ++i) {
    double& best = squared[i - begin];
    for (std::size_t c = 0; c < centres.size(); ++c) {
      const double d = squared_distance(x, i, centres[c]);
      if (!(d < best)) continue;
      best = d;
      if (changed != nullptr) changed[(i - begin) / leaf_rows] = 1;
      if (labels != nullptr) labels[i - begin] = first_label + static_cast<std::int32_t>(c);
    }
  }
}

template <class T>
double squared_from(const DenseRows<T>& x, Index row, const Eigen::VectorXd& point, double) {
  constexpr Index lanes = 8;
  const T* const numbers = x.row(row);
  const double* const centre = point.data();
  double lane[lanes] = {};
  const auto add = [&](Index j, Index l) {
    const double u = static_cast<double>(numbers[j + l]) - centre[j + l];
    lane[l] += u * u;
  };
  Index j = 0;
  for (; j + lanes <= x.columns; j += lanes) {
    for (Index l = 0; l < lanes; ++l) add(j, l);
  }
  for (Index l = 0; j + l < x.columns; ++l) add(j, l);
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

template <class T>
double squared_from(const SparseRows<T>& x, Index row, const Eigen::VectorXd& point, double squared_norm) {
  double sum = 0, size = squared_norm;
  for (std::int64_t e = x.first[row]; e < x.first[row + 1]; ++e) {
    const auto v = static_cast<double>(x.value[e]);
    sum += v * (v - 2 * point[x.column[e]]);
    size += v * v;
  }
  // Terms are at most 2 (v² + mean²), so that this is never below the true number.
  const auto terms = static_cast<double>(x.first[row + 1] - x.first[row] + point.size());
  return std::max(0.0, sum + squared_norm) + 4 * (terms + 4) * std::numeric_limits<double>::epsilon() * size;
}

constexpr Index block_rows = RowShares::block_rows;

/// Rows that lie apart are fetched so many before they are needed, so much of each.
constexpr std::size_t fetched_ahead = 8;
constexpr Index fetched_bytes = 256, cache_line = 64;

template <class T>
void prefetch(const DenseRows<T>& x, Index row) {
  const char* const begin = reinterpret_cast<const char*>(x.row(row));
  const Index bytes = std::min(fetched_bytes, x.columns * static_cast<Index>(sizeof(T)));
  for (Index at = 0; at < bytes; at += cache_line) __builtin_prefetch(begin + at);
  __builtin_prefetch(begin + bytes - 1);
}

}  // namespace

struct RowDistances::Parts {
  std::variant<DensePasses<float>, DensePasses<double>, SparseRows<float>, SparseRows<double>> rows;
  std::mutex guard = {};
  std::optional<Eigen::VectorXd> mean = {};
  std::optional<std::vector<double>> squared_from_mean = {};

  static decltype(rows) of(const DataSet& data) {
    return std::visit(
        [](const auto& x) -> decltype(rows) {
          if constexpr (requires { x.stride; }) {
            return DensePasses(x);
          } else {
            return x;
          }
        },
        data.numbers());
  }

  template <class T>
  void lower(Index begin, Index end, std::span<const Index> centres, T* squared, std::int32_t* labels, std::int32_t first_label, std::uint8_t* changed) const {
    std::visit(
        [&](const auto& x) {
          if constexpr (std::is_same_v<decltype(x), const DensePasses<T>&>) {
            x.lower(begin, end, gathered(x.rows(), centres).data(), static_cast<Index>(centres.size()), squared, labels, first_label, changed);
          } else if constexpr (requires { x.value; } && std::is_same_v<T, double>) {
            lower_sparse(x, begin, end, centres, squared, labels, first_label, changed);
          } else {
            throw Error(ErrorCategory::internal, {.doing = "lowering distances", .rule = "must be kept in the precision of the data"});
          }
        },
        rows);
  }

  template <class T>
  void totals_with(const DataSet& data, Index begin, Index end, std::span<const Index> candidates, const T* squared, double* totals) const {
    const double* weights = data.weighted() ? data.about().weights.data() + begin : nullptr;
    if (const auto* x = std::get_if<DensePasses<T>>(&rows)) {
      x->totals_with(begin, end, gathered(x->rows(), candidates).data(), static_cast<Index>(candidates.size()), squared, weights, totals);
      return;
    }
    std::vector<T> lowered;
    std::vector<double> leaves;
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      lowered.assign(squared, squared + (end - begin));
      lower(begin, end, candidates.subspan(c, 1), lowered.data(), nullptr, 0, nullptr);
      leaves.clear();
      for (Index i = 0; i < end - begin; i += leaf_rows) {
        leaves.push_back(RowShares::leaf_total(lowered.data() + i, weights == nullptr ? nullptr : weights + i, std::min(leaf_rows, end - begin - i)));
      }
      totals[c] = RowShares::block_total(leaves.data(), static_cast<Index>(leaves.size()));
    }
  }
};

RowDistances::RowDistances(std::shared_ptr<const DataSet> data) : data_(std::move(data)), parts_(new Parts{Parts::of(*data_)}) {}
RowDistances::~RowDistances() = default;

double RowDistances::between(Index a, Index b) const {
  return std::visit(
      [&](const auto& x) {
        if constexpr (requires { x.value; }) {
          return squared_distance(x, a, b);
        } else {
          return static_cast<double>(x.between(a, b));
        }
      },
      parts_->rows);
}

void RowDistances::between(std::span<const Index> rows, Index b, std::span<double> squared) const {
  std::visit(
      [&](const auto& x) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
          if constexpr (requires { x.value; }) {
            squared[i] = squared_distance(x, rows[i], b);
          } else {
            if (i + fetched_ahead < rows.size()) prefetch(x.rows(), rows[i + fetched_ahead]);
            squared[i] = static_cast<double>(x.between(rows[i], b));
          }
        }
      },
      parts_->rows);
}

bool RowDistances::within(Index a, Index b, double bound) const { return between(a, b) <= bound; }

bool RowDistances::single() const { return parts_->rows.index() == 0; }

void RowDistances::lower(Index begin, Index end, std::span<const Index> centres, float* squared, std::int32_t* labels, std::int32_t first_label,
                         std::uint8_t* changed) const {
  parts_->lower(begin, end, centres, squared, labels, first_label, changed);
}

void RowDistances::lower(Index begin, Index end, std::span<const Index> centres, double* squared, std::int32_t* labels, std::int32_t first_label,
                         std::uint8_t* changed) const {
  parts_->lower(begin, end, centres, squared, labels, first_label, changed);
}

void RowDistances::totals_with(Index begin, Index end, std::span<const Index> candidates, const float* squared, double* totals) const {
  parts_->totals_with(*data_, begin, end, candidates, squared, totals);
}

void RowDistances::totals_with(Index begin, Index end, std::span<const Index> candidates, const double* squared, double* totals) const {
  parts_->totals_with(*data_, begin, end, candidates, squared, totals);
}

const Eigen::VectorXd& RowDistances::mean(Context& context) const {
  const std::scoped_lock lock(parts_->guard);
  if (!parts_->mean) {
    struct Sum {
      Eigen::VectorXd of_rows;
      double of_weights = 0;
    };
    const Sum sum = reduce_blocks<Sum>(
        context, rows(), std::max<Index>(block_rows, 1 + rows() / 64),  // few sums, each as long as a row
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

void RowDistances::require_range(Context& context, const std::string& method) const {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorCategory::data, {.doing = "measuring distances of " + method,
                                      .rule = "squared distances between rows of " + data_->about().source + " " + what,
                                      .remedy = "set data.scale = \"standardise\", or leave out the columns of such size"});
  };
  // ‖x − y‖² ≤ 4 max s
  using Single = std::numeric_limits<float>;
  using Double = std::numeric_limits<double>;
  const std::string precision = single() ? "single precision" : "double precision";
  const double most = single() ? double{Single::max()} : Double::max(), least = single() ? double{Single::min()} : Double::min(),
               epsilon = single() ? double{Single::epsilon()} : Double::epsilon();
  const std::vector<double>& squared = squared_from_mean(context);
  const double largest = *std::max_element(squared.begin(), squared.end());
  if (!(largest <= most / 8)) refuse("overflow " + precision);
  if (largest > 0 && largest < least / (epsilon * epsilon)) refuse("underflow in " + precision);
  double spread = 0;
  for (Index i = 0; i < rows(); ++i) spread += data_->weight(i) * squared[static_cast<std::size_t>(i)];
  if (!(spread <= Double::max() / 8)) refuse("times their weights overflow");
}

}  // namespace buffon
