// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace buffon {

/// Rows of numbers, each row in one piece; a view. T is float or double.
template <class T>
struct DenseRows {
  const T* numbers = nullptr;
  Index rows = 0, columns = 0;
  Index stride = 0;  ///< row i begins at numbers + i stride

  const T* row(Index i) const { return numbers + i * stride; }
};

/// Compressed sparse rows; a view. The entries of row i are first[i] … first[i + 1] − 1, their columns ascend.
template <class T>
struct SparseRows {
  const std::int64_t* first = nullptr;   ///< rows + 1 numbers
  const std::int32_t* column = nullptr;  ///< of every entry
  const T* value = nullptr;              ///< of every entry
  Index rows = 0, columns = 0;
};

/// n rows of d numbers, one row = one point, optionally weighted: what methods work on that choose rows. Immutable; all numbers finite.
/// Single precision stays single precision: integers of at most 16 bits and float32 are held as float, all others as double.
class DataSet {
 public:
  using Numbers = std::variant<DenseRows<float>, DenseRows<double>, SparseRows<float>, SparseRows<double>>;

  /// What comes with the numbers.
  struct About {
    std::string source = "the data";              ///< for messages: the file
    std::vector<double> weights = {};             ///< n numbers >= 0 with a positive sum; empty = all 1
    std::vector<std::string> column_names = {};   ///< d names; empty = none
    std::vector<std::int64_t> row_numbers = {};   ///< of every row its number in the source, from 0; empty = 0, 1, 2, …
    std::vector<std::int64_t> columns_used = {};  ///< of every column its number in the source, from 0; empty = 0, 1, 2, …
    Eigen::VectorXd centre = {}, scale = {};      ///< d each: a number here is (source − centre) / scale; empty = the source's own
    bool weights_from_file = false;               ///< the weights lie in a file of their own
    std::shared_ptr<const void> storage = {};     ///< keeps the numbers alive
  };

  /// @param numbers what the views show must live as long as the data set: in About::storage, or elsewhere
  /// @throws Error(data) for no rows or columns, numbers that are not finite (row and column named), weights that are no weights
  DataSet(Numbers numbers, About about);

  /// Copies points given as columns, d × n. @param weights n, or empty
  static std::shared_ptr<const DataSet> from_points(const ConstMatrix& points, std::vector<double> weights = {});

  Index rows() const;
  Index columns() const;
  bool sparse() const { return numbers_.index() >= 2; }
  const Numbers& numbers() const { return numbers_; }
  const About& about() const { return about_; }

  bool weighted() const { return !about_.weights.empty(); }
  double weight(Index row) const { return about_.weights.empty() ? 1 : about_.weights[static_cast<std::size_t>(row)]; }
  std::int64_t row_number(Index row) const { return about_.row_numbers.empty() ? row : about_.row_numbers[static_cast<std::size_t>(row)]; }

  /// A row as a column vector, d
  Eigen::VectorXd point(Index row) const;
  /// Several rows as columns, d × count
  Eigen::MatrixXd points(const std::vector<Index>& rows) const;

 private:
  Numbers numbers_;
  About about_;
};

}  // namespace buffon
