// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/clustering.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/samplers/row_shares.hpp>

#include "add_row.hpp"
#include "archive_part.hpp"
#include "dense_passes.hpp"

namespace buffon {
namespace {

constexpr Index block_rows = 512;  // rows per block of assignments and of sums for new centres

void check_shape(const DataSet& data, const ConstMatrix& centres) {
  const auto refuse = [](std::string key, std::string value, std::string rule, std::string remedy) {
    throw Error(ErrorCategory::usage,
                {.doing = "assigning rows to centres", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
  };
  if (centres.rows() != data.columns()) {
    refuse("rows of the matrix of centres", std::to_string(centres.rows()), "must be the columns of the data, " + std::to_string(data.columns()),
           "give one centre per column of the matrix");
  }
  if (centres.cols() < 1 || centres.cols() > std::numeric_limits<std::int32_t>::max()) {
    refuse("number of centres", std::to_string(centres.cols()), "must be at least 1 and fit 32 bits", "give at least one centre");
  }
  if (!centres.allFinite()) refuse("centres", "a number that is not finite", "must all be finite", "repair the centres");
}

/// Rows of a data set with what passes over them keep.
class Rows {
 public:
  explicit Rows(const DataSet& data) : data_(data), rows_(of(data)) {}

  const DataSet& data() const { return data_; }
  Index rows() const { return data_.rows(); }
  Assignment assign(const ConstMatrix& centres, Context& context) const {
    check_shape(data_, centres);
    return std::visit([&](const auto& x) { return assign_to(x, centres, context); }, rows_);
  }
  /// Adds weight × row.
  void add_row(Index row, double weight, Eigen::Ref<Eigen::VectorXd> sum) const {
    std::visit([&](const auto& x) { buffon::add_row(x, row, weight, sum); }, data_.numbers());
  }

 private:
  using Kinds = std::variant<DensePasses<float>, DensePasses<double>, SparseRows<float>, SparseRows<double>>;
  static Kinds of(const DataSet& data) {
    return std::visit(
        [](const auto& x) -> Kinds {
          if constexpr (requires { x.stride; }) {
            return DensePasses(x);
          } else {
            return x;
          }
        },
        data.numbers());
  }

  /// Fills the assignment by `nearest(begin, end, squared, labels)`, which works in the precision T, and sums the cost.
  template <class T, class Nearest>
  Assignment collect(Index centres, Context& context, Nearest&& nearest) const {
    const auto n = static_cast<std::size_t>(rows());
    Assignment out;
    out.labels.resize(n);
    out.squared.resize(n);
    out.evaluations = rows() * centres;
    std::vector<double> leaves(static_cast<std::size_t>(block_count(rows(), RowShares::leaf_rows)));
    const auto assign_block = [&](const Block& block) {
      T squared[block_rows];
      std::fill(squared, squared + block_rows, std::numeric_limits<T>::infinity());
      nearest(block.begin, block.end, squared, out.labels.data() + block.begin);
      std::transform(squared, squared + block.size(), out.squared.begin() + block.begin, [](T d) { return static_cast<float>(d); });
      for (Index i = block.begin; i < block.end; i += RowShares::leaf_rows) {
        leaves[static_cast<std::size_t>(i / RowShares::leaf_rows)] = RowShares::leaf_total(
            squared + (i - block.begin), data_.weighted() ? data_.about().weights.data() + i : nullptr, std::min(RowShares::leaf_rows, block.end - i));
      }
    };
    for_shared_blocks(context, rows(), block_rows, Needed::everywhere, assign_block, [&](std::int64_t block, Archive& archive) {
      const Index begin = block * block_rows, end = std::min(begin + block_rows, rows());
      list_part<std::int64_t>(archive, "labels", out.labels, begin, end);
      list_part<double>(archive, "squared", out.squared, begin, end);
      list_part<double>(archive, "leaves", leaves, begin / RowShares::leaf_rows, block_count(end, RowShares::leaf_rows));
    });
    constexpr Index leaves_per_block = RowShares::block_rows / RowShares::leaf_rows;
    const auto count = static_cast<Index>(leaves.size());
    std::vector<double> blocks;
    for (Index l = 0; l < count; l += leaves_per_block) blocks.push_back(RowShares::block_total(leaves.data() + l, std::min(leaves_per_block, count - l)));
    out.cost = RowShares::tree_total(std::move(blocks));
    return out;
  }

  template <class T>
  Assignment assign_to(const DensePasses<T>& x, const ConstMatrix& centres, Context& context) const {
    const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> c = centres.template cast<T>();
    return collect<T>(centres.cols(), context,
                      [&](Index begin, Index end, T* squared, std::int32_t* labels) { x.lower(begin, end, c.data(), c.cols(), squared, labels, 0, nullptr); });
  }

  /// ‖x_i − c‖² by differences, column by column.
  template <class T>
  static double by_differences(const SparseRows<T>& x, Index i, const Eigen::Ref<const Eigen::VectorXd>& c) {
    double sum = 0;
    std::int64_t e = x.first[i];
    for (Index j = 0; j < x.columns; ++j) {
      const bool entry = e < x.first[i + 1] && x.column[e] == j;
      const double u = (entry ? static_cast<double>(x.value[e++]) : 0) - c[j];
      sum += u * u;
    }
    return sum;
  }

  /// ‖x‖² − 2 x·c + ‖c‖², the centres not being sparse; centres as near as its rounding are compared by differences.
  template <class T>
  Assignment assign_to(const SparseRows<T>& x, const ConstMatrix& centres, Context& context) const {
    const Eigen::MatrixXd by_column = centres.transpose();  // the centres' numbers of one column in one piece
    const Eigen::VectorXd norms = centres.colwise().squaredNorm();
    const double largest_norm = norms.maxCoeff();
    return collect<double>(centres.cols(), context, [&](Index begin, Index end, double* squared, std::int32_t* labels) {
      Eigen::VectorXd d(centres.cols());
      for (Index i = begin; i < end; ++i) {
        d = norms;
        double size = 0;
        for (std::int64_t e = x.first[i]; e < x.first[i + 1]; ++e) {
          const auto v = static_cast<double>(x.value[e]);
          d.array() += v * (v - 2 * by_column.col(x.column[e]).array());
          size += v * v;
        }
        const auto terms = static_cast<double>(x.first[i + 1] - x.first[i] + 64);
        const double rounding = 4 * (terms + 4) * std::numeric_limits<double>::epsilon() * (size + largest_norm), limit = d.minCoeff() + 2 * rounding;
        Index nearest = -1;
        double least = 0;
        for (Index c = 0; c < d.size(); ++c) {
          if (d[c] > limit) continue;
          const double distance = d[c] > 1e6 * rounding ? d[c] : by_differences(x, i, centres.col(c));
          if (nearest >= 0 && !(distance < least)) continue;
          nearest = c;
          least = distance;
        }
        squared[i - begin] = least;
        labels[i - begin] = static_cast<std::int32_t>(nearest);
      }
    });
  }

  const DataSet& data_;
  Kinds rows_;
};

}  // namespace

Assignment assign(const DataSet& data, const ConstMatrix& centres, Context& context) { return Rows(data).assign(centres, context); }

namespace {

/// Weight and weighted sum of the rows of every centre, in blocks of rows that are merged in a tree. The blocks are few, so that their sums need
/// little memory beside that of the data, and their number follows from the sizes alone.
struct Sums {
  Eigen::MatrixXd of_rows;     // d × k
  Eigen::VectorXd of_weights;  // k
};

Sums sums_of(const Rows& rows, const std::vector<std::int32_t>& labels, Index k, Context& context) {
  const Index d = rows.data().columns(), n = rows.rows();
  const Index size = std::max<Index>(block_rows, 1 + n / 64);
  return reduce_blocks<Sums>(
      context, n, std::max(size, k),
      [&](const Block& block) {
        Sums s{Eigen::MatrixXd::Zero(d, k), Eigen::VectorXd::Zero(k)};
        for (Index i = block.begin; i < block.end; ++i) {
          const Index c = labels[static_cast<std::size_t>(i)];
          const double w = rows.data().weight(i);
          rows.add_row(i, w, s.of_rows.col(c));
          s.of_weights[c] += w;
        }
        return s;
      },
      [](Sums& into, const Sums& from) {
        into.of_rows += from.of_rows;
        into.of_weights += from.of_weights;
      });
}

/// Mean over the columns of the (weighted) variance of a column.
double mean_variance(const Rows& rows, Context& context) {
  const std::vector<std::int32_t> one(static_cast<std::size_t>(rows.rows()), 0);
  const Sums sums = sums_of(rows, one, 1, context);
  const Eigen::VectorXd mean = sums.of_rows.col(0) / sums.of_weights[0];
  return rows.assign(mean, context).cost / sums.of_weights[0] / static_cast<double>(mean.size());
}

/// The row of positive weight that lies farthest from its centre, the first of equals; nothing where all lie on their centres.
std::optional<Index> farthest(const Rows& rows, const std::vector<float>& squared) {
  std::optional<Index> found;
  float largest = 0;
  for (Index i = 0; i < rows.rows(); ++i) {
    const float s = squared[static_cast<std::size_t>(i)];
    if (!(s > largest) || !(rows.data().weight(i) > 0)) continue;
    largest = s;
    found = i;
  }
  return found;
}

/// The centres of the next round. Centres without rows take the farthest rows, one each, which no longer count for the centres they had.
Eigen::MatrixXd moved(const Rows& rows, const Assignment& now, const Eigen::MatrixXd& centres, Context& context) {
  Sums sums = sums_of(rows, now.labels, centres.cols(), context);
  Eigen::MatrixXd next = centres;
  std::vector<float> squared;
  for (Index c = 0; c < centres.cols(); ++c) {
    if (sums.of_weights[c] > 0) continue;
    if (squared.empty()) squared = now.squared;
    const std::optional<Index> row = farthest(rows, squared);
    if (!row) continue;
    const auto at = static_cast<std::size_t>(*row);
    squared[at] = 0;
    next.col(c) = rows.data().point(*row);
    const Index before = now.labels[at];
    const double w = rows.data().weight(*row);
    if (sums.of_weights[before] - w > 1e-9 * w) {  // more than the rounding of its last row is left
      rows.add_row(*row, -w, sums.of_rows.col(before));
      sums.of_weights[before] -= w;
    }
  }
  for (Index c = 0; c < centres.cols(); ++c) {
    if (sums.of_weights[c] > 0) next.col(c) = sums.of_rows.col(c) / sums.of_weights[c];
  }
  return next;
}

}  // namespace

LloydResult lloyd(const DataSet& data, Eigen::MatrixXd centres, const LloydOptions& options, Context& context) {
  const auto refuse = [](std::string key, std::string value) {
    throw Error(ErrorCategory::usage, {.doing = "refining centres by Lloyd's iteration",
                                       .key = std::move(key),
                                       .value = std::move(value),
                                       .rule = "must be at least 0",
                                       .remedy = "leave it out for its default"});
  };
  if (options.max_rounds < 0) refuse("max_rounds", std::to_string(options.max_rounds));
  if (!(options.tolerance >= 0)) refuse("tolerance", to_text(options.tolerance));
  const Rows rows(data);
  LloydResult out;
  out.centres = std::move(centres);
  out.assignment = rows.assign(out.centres, context);
  out.costs.push_back(out.assignment.cost);
  std::int64_t evaluations = out.assignment.evaluations;
  const double least = options.tolerance * mean_variance(rows, context);
  out.stop_reason = "max_rounds reached";
  for (std::int64_t round = 0; round < options.max_rounds; ++round) {
    context.throw_if_stopped();
    Eigen::MatrixXd next = moved(rows, out.assignment, out.centres, context);
    Assignment assignment = rows.assign(next, context);
    evaluations += assignment.evaluations;
    if (assignment.cost > out.assignment.cost) {
      out.converged = true;
      out.stop_reason = "the cost no longer falls";
      break;
    }
    const bool same = assignment.labels == out.assignment.labels;
    const double shift = (next - out.centres).squaredNorm();
    out.centres = std::move(next);
    out.assignment = std::move(assignment);
    out.costs.push_back(out.assignment.cost);
    if (same || shift <= least) {
      out.converged = true;
      out.stop_reason = same ? "no label changes" : "the centres move by less than the tolerance";
      break;
    }
  }
  out.assignment.evaluations = evaluations;
  return out;
}

}  // namespace buffon
