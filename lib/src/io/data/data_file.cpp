// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>
#include <buffon/io/data_file.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "table.hpp"

namespace buffon {
namespace {

constexpr std::array<std::string_view, 6> format_names = {"automatic", "npy", "csv", "hdf5", "libsvm", "matrix_market"};
constexpr std::array<std::string_view, 3> header_names = {"automatic", "yes", "no"};
constexpr std::array<std::string_view, 3> scale_names = {"none", "centre", "standardise"};

}  // namespace

void describe(OptionVisitor& v, DataFileOptions& o) {
  v.on({.name = "file", .meaning = "file of the data, relative to this file; \"-\" = standard input. Each format may be gz-compressed", .required = true},
       o.file);
  v.on({.name = "format",
        .meaning = "npy, csv, hdf5, libsvm or matrix_market; automatic = by the first bytes, then by the name (.npy, .csv, .h5, .hdf5, .svm, .libsvm, .mtx, "
                   "each also with .gz)"},
       o.format, format_names);
  v.on({.name = "dataset", .meaning = "hdf5: path of the array in the file; empty = the only one"}, o.dataset);
  v.on({.name = "header", .meaning = "csv: whether the first line holds names; automatic = when none of its fields is a number"}, o.header, header_names);
  v.on({.name = "columns", .meaning = "columns by name, by number from 0, or as ranges \"0:27\" without their end; none = all"}, o.columns);
  v.on({.name = "rows", .meaning = "rows \"begin:end\" or \"begin:end:step\", from 0, without the end; empty = all"}, o.rows);
  v.on({.name = "weights",
        .meaning = "weights of the rows: a column by name or number, which then is none of the columns, or a file with one number for each row; empty = all 1"},
       o.weights);
  v.on({.name = "scale",
        .meaning =
            "none; centre = subtracts the mean of every column; standardise = divides by its standard deviation as well (n in the denominator) and leaves out "
            "constant columns. Weights count"},
       o.scale, scale_names);
}

namespace {

using namespace io_detail;

Table read_file_table(const std::string& file, const std::filesystem::path& base, const DataFileOptions& options, MemoryBudget& budget) {
  const bool standard_input = file == "-";
  const std::filesystem::path path = standard_input ? std::filesystem::path("-") : base / file;
  return read_table(std::make_unique<FileBytes>(path), standard_input ? std::filesystem::path() : path,
                    {options, parse_rows(options.rows), budget.source(), budget});
}

std::string source_name(const std::string& file, const std::filesystem::path& base) { return file == "-" ? "the standard input" : (base / file).string(); }

/// One number for each row of the data's source; the same rows are taken.
std::vector<double> read_weights(const DataFileOptions& options, const std::filesystem::path& base, const Table& table, MemoryBudget& budget) {
  const DataFileOptions alone = {.file = options.weights, .rows = options.rows};
  MemoryBudget rest(source_name(alone.file, base), budget.left());
  const auto refuse = [&](std::string rule, std::string remedy) {
    throw Error(ErrorCategory::data, {.doing = "reading the weights of " + budget.source(),
                                      .key = "data.weights",
                                      .value = "\"" + options.weights + "\"",
                                      .rule = std::move(rule),
                                      .remedy = std::move(remedy)});
  };
  if (options.file == "-" && alone.file == "-") refuse("cannot be the standard input, which holds the data", "give the weights in a file");
  Table weights = [&] {
    try {
      return read_file_table(alone.file, base, alone, rest);
    } catch (const Error& error) {
      if (error.category() != ErrorCategory::no_input) throw;
      throw Error(ErrorCategory::no_input, {.doing = error.text().doing,
                                            .key = "data.weights",
                                            .value = "\"" + options.weights + "\"",
                                            .rule = "is neither a column of the data nor a file that can be read (" + error.text().rule + ")",
                                            .remedy = "give a column by name or number, or a file with one number for each row"});
    }
  }();
  if (weights.source_rows >= 0 && table.source_rows >= 0 && weights.source_rows != table.source_rows) {
    refuse("has " + std::to_string(weights.source_rows) + " rows, and the data have " + std::to_string(table.source_rows),
           "give one number for each row of the data");
  }
  const DataSet checked(weights.numbers, std::move(weights.about));
  if (checked.columns() != 1) refuse("has " + std::to_string(checked.columns()) + " columns", "give one number for each row");
  std::vector<double> numbers(static_cast<std::size_t>(checked.rows()));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = checked.point(static_cast<Index>(i))[0];
  return numbers;
}

}  // namespace

std::shared_ptr<const DataSet> read_data(const DataFileOptions& options, const std::filesystem::path& base) {
  check_options("the data", options);
  parse_rows(options.rows);
  MemoryBudget budget(source_name(options.file, base), available_memory());
  Table table = read_file_table(options.file, base, options, budget);
  if (!options.weights.empty() && table.about.weights.empty()) {
    table.about.weights = read_weights(options, base, table, budget);
    table.about.weights_from_file = true;
  }
  return scaled(std::move(table), options.scale);
}

}  // namespace buffon
