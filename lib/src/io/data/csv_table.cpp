// SPDX-License-Identifier: BSD-3-Clause
#include "../../model/csv.hpp"

#include <buffon/core/error.hpp>

#include <optional>

#include "table.hpp"

namespace buffon::io_detail {

Table read_csv_table(Source& bytes, const Request& request) {
  detail::CsvRows csv(request.source);
  Lines lines(bytes, request.budget);
  std::string_view line;
  const auto blank = [](std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; };
  if (!lines.next(line) || blank(line)) csv.refuse(line, 1, line.data(), -1, {}, "the table is empty", "Give one line of numbers for each row");
  std::optional<bool> header;
  if (request.options.header != CsvHeader::automatic) header = request.options.header == CsvHeader::yes;
  bool pending = !csv.begin(line, header);  // the first line is one of numbers

  ColumnChoice choice = choose_columns(request.options, csv.names(), csv.columns(), request.source);
  csv.choose(choice.places(csv.columns()));
  const std::int64_t d = choice.count();
  RowCollector<double> rows(request, std::move(choice));
  std::vector<double> numbers(static_cast<std::size_t>(d + 1));
  std::int64_t row = 0, kept = 0, empty = 0;  // `empty`: number of a line without text, which only the end of the file may have
  bool stopped = false;
  while (pending || lines.next(line)) {
    pending = false;
    if (blank(line)) {
      if (empty == 0) empty = lines.number();
      continue;
    }
    if (empty > 0) csv.refuse(line, empty, line.data(), -1, {}, "the line is empty", "Give numbers, or leave out the line");
    if (row >= request.rows.end) {
      stopped = true;
      break;
    }
    if (request.rows.holds(row++)) {
      if (rows.weighted()) {
        csv.read(line, lines.number(), numbers.data());
        std::copy_n(numbers.data(), d, rows.append(1));
        *rows.append_weights(1) = numbers[static_cast<std::size_t>(d)];
      } else {
        csv.read(line, lines.number(), rows.append(1));
      }
      ++kept;
    }
  }
  if (row == 0) csv.refuse(line, 1, line.data(), -1, {}, "the table has no rows", "Give one line of numbers for each row");
  request.rows.check(stopped ? request.rows.end : row, request.source);
  return std::move(rows).finish(kept, stopped ? -1 : row);
}

}  // namespace buffon::io_detail
