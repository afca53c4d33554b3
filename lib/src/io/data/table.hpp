// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/io/data_file.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bytes.hpp"
#include "choice.hpp"
#include "memory.hpp"

namespace buffon::io_detail {

/// What a reader is asked for.
struct Request {
  const DataFileOptions& options;
  RowRange rows;
  const std::string& source;  ///< for messages
  MemoryBudget& budget;
};

/// Rows that a reader took from a source: those columns and rows that were chosen, not scaled yet.
struct Table {
  DataSet::Numbers numbers;
  void* own = nullptr;  ///< the dense numbers, which may be changed; null = they are mapped, which only those are that stay as they are
  DataSet::About about;
  std::int64_t source_rows = -1;  ///< rows of the source; −1 = not all were looked at
};

/// Says in the table which rows and columns were chosen.
void describe_choice(Table& table, const Request& request, ColumnChoice choice, std::int64_t rows);

/// Dense rows that grow at the end, with the weights where they are a column.
template <class T>
class RowCollector {
 public:
  RowCollector(const Request& request, ColumnChoice choice)
      : request_(request), choice_(std::move(choice)), numbers_(request.budget), weights_(request.budget) {}

  const ColumnChoice& choice() const { return choice_; }
  bool weighted() const { return choice_.weights >= 0; }
  void reserve(std::int64_t rows) {
    numbers_.reserve(product(rows, choice_.count(), request_.source));
    if (weighted()) weights_.reserve(rows);
  }
  /// Rows that are still to be filled
  T* append(std::int64_t rows) { return numbers_.append(product(rows, choice_.count(), request_.source)); }
  double* append_weights(std::int64_t rows) { return weights_.append(rows); }

  /// @param source_rows as in Table
  Table finish(std::int64_t rows, std::int64_t source_rows) && {
    numbers_.shrink();
    Table table;
    table.about.weights.assign(weights_.data(), weights_.data() + weights_.size());
    const std::shared_ptr<T> own = std::move(numbers_).share();
    table.own = own.get();
    table.numbers = DenseRows<T>{own.get(), rows, choice_.count(), choice_.count()};
    table.about.storage = own;
    describe_choice(table, request_, std::move(choice_), rows);
    table.source_rows = source_rows;
    return table;
  }

 private:
  const Request& request_;
  ColumnChoice choice_;
  Numbers<T> numbers_;
  Numbers<double> weights_;
};

/// @param file where the bytes are those of a file that can be mapped, else null
Table read_npy_table(Source& bytes, const Request& request, const FileBytes* file);
Table read_csv_table(Source& bytes, const Request& request);
Table read_libsvm_table(Source& bytes, const Request& request);
Table read_matrix_market_table(Source& bytes, const Request& request);
/// @param file the path, where the bytes are those of a file as it is; empty = they are read into memory
Table read_hdf5_table(Source& bytes, const Request& request, const std::filesystem::path& file);

/// Centres or standardises the columns, see DataScale. Sparse rows are refused. @throws Error(data)
std::shared_ptr<const DataSet> scaled(Table table, DataScale scale);

/// Reads whatever the options and the first bytes say. @param name of the file, for its ending; empty = none
Table read_table(std::unique_ptr<Bytes> bytes, const std::filesystem::path& name, const Request& request);

}  // namespace buffon::io_detail
