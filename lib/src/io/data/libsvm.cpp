// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <limits>

#include "sparse.hpp"
#include "text_numbers.hpp"

namespace buffon::io_detail {

Table read_libsvm_table(Source& bytes, const Request& request) {
  Lines lines(bytes, request.budget);
  SparseCollector rows(request);
  std::string_view line;
  std::int64_t row = 0, columns = 0;
  bool stopped = false;
  while (lines.next(line)) {
    Words words(line.substr(0, line.find('#')), line, lines.number(), request.source);
    std::string_view word;
    if (!words.next(word)) continue;  // nothing, or a comment
    if (row >= request.rows.end) {
      stopped = true;
      break;
    }
    const bool kept = request.rows.holds(row++);
    if (word.find(':') == std::string_view::npos) {
      words.number(word);  // the label; it is not used
      if (!words.next(word)) word = {};
    }
    if (word.starts_with("qid:") && !words.next(word)) word = {};  // the group of a ranking; it is not used
    std::int64_t before = 0;
    for (bool more = !word.empty(); more; more = words.next(word)) {
      const auto [index, value] = words.pair(word);
      if (index < 1) words.refuse(word, "columns are counted from 1 in libsvm files", "add 1 to all the indices");
      if (index <= before) words.refuse(word, "the indices of a line must ascend", "sort the entries of the line, each index once");
      if (index > std::numeric_limits<std::int32_t>::max()) words.refuse(word, "the index is beyond 2147483647", "number the columns from 1");
      before = index;
      if (kept) rows.entry(index - 1, value);
    }
    columns = std::max(columns, before);
    if (kept) rows.end_row();
  }
  request.rows.check(stopped ? request.rows.end : row, request.source);
  return std::move(rows).finish(columns, stopped ? -1 : row);
}

}  // namespace buffon::io_detail
