// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "sparse.hpp"
#include "text_numbers.hpp"

namespace buffon::io_detail {
namespace {

/// The banner and the line of sizes.
struct Header {
  bool coordinate = false, pattern = false, symmetric = false;
  std::int64_t rows = 0, columns = 0, entries = 0;  ///< entries: lines that follow, of coordinate
};

class Reader {
 public:
  Reader(Source& bytes, const Request& request) : request_(request), lines_(bytes, request.budget) {}

  Table read() {
    read_banner();
    read_sizes();
    request_.rows.check(header_.rows, request_.source);
    return header_.coordinate ? read_coordinate() : read_array();
  }

 private:
  Words words() const { return {line_, line_, lines_.number(), request_.source}; }

  /// The next line that is no comment and not blank.
  bool next_line() {
    while (lines_.next(line_)) {
      if (!line_.starts_with('%') && line_.find_first_not_of(" \t\r") != std::string_view::npos) return true;
    }
    line_ = {};
    return false;
  }

  void read_banner() {
    lines_.next(line_);
    Words banner = words();
    const auto word = [&](const char* what) {
      std::string text(banner.required(what));
      for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      return text;
    };
    if (word("the banner") != "%%matrixmarket" || word("the object") != "matrix")
      banner.refuse(line_, "is no banner of a matrix", "begin with: %%MatrixMarket matrix coordinate real general");
    const std::string layout = word("the format"), field = word("the field"), symmetry = word("the symmetry");
    header_.coordinate = layout == "coordinate";
    header_.pattern = field == "pattern";
    header_.symmetric = symmetry == "symmetric";
    if (!header_.coordinate && layout != "array") banner.refuse(line_, "has a format that is neither coordinate nor array", "write the file in one of them");
    if (field == "complex") banner.refuse(line_, "holds complex numbers", "write real and imaginary parts as two columns");
    if (field != "real" && field != "double" && field != "integer" && !(header_.pattern && header_.coordinate))
      banner.refuse(line_, "has a field that is none of real, integer and, in coordinate format, pattern", "write the file with one of them");
    if (symmetry != "general" && !header_.symmetric)
      banner.refuse(line_, "has a symmetry that is neither general nor symmetric", "write all the entries: general");
  }

  void read_sizes() {
    if (!next_line()) words().refuse(line_, "the file ends before the line of sizes", "give rows, columns and, in coordinate format, entries");
    Words sizes = words();
    const auto size = [&](const char* what, std::int64_t most) {
      const std::string_view word = sizes.required(what);
      const std::int64_t value = sizes.whole_number(word);
      if (value < 0 || value > most) sizes.refuse(word, "must be from 0 to " + std::to_string(most), "give a size that a matrix can have");
      return value;
    };
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    header_.rows = size("the number of rows", most);
    header_.columns = size("the number of columns", most);
    if (header_.coordinate) header_.entries = size("the number of entries", std::numeric_limits<std::int64_t>::max());
    sizes.end();
    if (header_.symmetric && header_.rows != header_.columns) sizes.refuse(line_, "a symmetric matrix must have as many rows as columns", "correct the sizes");
  }

  std::int64_t kept_row(std::int64_t row) const { return (row - request_.rows.begin) / request_.rows.step; }

  Table read_array() {
    request_.budget.take(product(header_.columns, 3 * sizeof(std::int64_t), request_.source));
    RowCollector<double> out(request_, choose_columns(request_.options, {}, header_.columns, request_.source));
    const std::int64_t kept = request_.rows.count(header_.rows), d = out.choice().count();
    const std::vector<std::int64_t> places = out.choice().places(header_.columns);
    out.reserve(kept);
    double* numbers = out.append(kept);
    double* weights = out.weighted() ? out.append_weights(kept) : nullptr;
    const auto put = [&](std::int64_t i, std::int64_t j, double value) {
      const std::int64_t place = places[static_cast<std::size_t>(j)];
      if (place < 0 || !request_.rows.holds(i)) return;
      (place == d ? weights[kept_row(i)] : numbers[kept_row(i) * d + place]) = value;
    };
    // Column by column; of a symmetric matrix the lower triangle.
    std::int64_t i = 0, j = 0;
    while (next_line()) {
      Words row = words();
      for (std::string_view word; row.next(word);) {
        if (j == header_.columns || header_.rows == 0) row.refuse(word, "comes after the last number that the sizes allow", "correct the sizes");
        const double value = row.number(word);
        put(i, j, value);
        if (header_.symmetric) put(j, i, value);
        if (++i == header_.rows) {
          ++j;
          i = header_.symmetric ? j : 0;
        }
      }
    }
    if (j < header_.columns && header_.rows > 0)
      words().refuse(line_, "the file ends in column " + std::to_string(j + 1) + " of " + std::to_string(header_.columns),
                     "the file is cut off: write it again");
    return std::move(out).finish(kept, header_.rows);
  }

  Table read_coordinate() {
    Numbers<std::int32_t> rows(request_.budget), columns(request_.budget);
    Numbers<double> values(request_.budget);
    const auto put = [&](std::int64_t i, std::int64_t j, double value) {
      if (value == 0 || !request_.rows.holds(i)) return;
      rows.push_back(static_cast<std::int32_t>(kept_row(i)));
      columns.push_back(static_cast<std::int32_t>(j));
      values.push_back(value);
    };
    std::int64_t read = 0;
    for (; next_line(); ++read) {
      Words entry = words();
      if (read == header_.entries) entry.refuse(line_, "comes after the last of the " + std::to_string(read) + " entries", "correct the line of sizes");
      const std::int64_t i = index(entry, "the row", header_.rows), j = index(entry, "the column", header_.columns);
      const double value = header_.pattern ? 1 : entry.number(entry.required("the value"));
      entry.end();
      put(i, j, value);
      if (header_.symmetric && i != j) put(j, i, value);
    }
    if (read < header_.entries)
      words().refuse(line_, "the file ends after " + std::to_string(read) + " of " + std::to_string(header_.entries) + " entries",
                     "the file is cut off: write it again");

    SparseCollector out(request_);
    out.take_entries(request_.rows.count(header_.rows), rows, columns, values);
    return std::move(out).finish(header_.columns, header_.rows);
  }

  /// From 1 in the file, from 0 here.
  static std::int64_t index(Words& entry, const char* what, std::int64_t size) {
    const std::string_view word = entry.required(what);
    const std::int64_t value = entry.whole_number(word);
    if (value < 1 || value > size)
      entry.refuse(word, std::string(what) + " must be from 1 to " + std::to_string(size), "correct the entry or the line of sizes");
    return value - 1;
  }

  const Request& request_;
  Lines lines_;
  std::string_view line_;
  Header header_;
};

}  // namespace

Table read_matrix_market_table(Source& bytes, const Request& request) { return Reader(bytes, request).read(); }

}  // namespace buffon::io_detail
