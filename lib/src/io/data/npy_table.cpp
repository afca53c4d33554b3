// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "../npy_header.hpp"
#include "table.hpp"

namespace buffon::io_detail {
namespace {

struct Layout {
  std::int64_t rows = 0, columns = 0;
  bool column_major = false;
  bool swapped = false;  ///< the other byte order than this machine's
};

[[noreturn]] void refuse(const Request& request, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::data, {.doing = "reading " + request.source, .rule = std::move(rule), .remedy = std::move(remedy)});
}

template <class From>
From load(const char* bytes, bool swapped) {
  std::array<char, sizeof(From)> raw;
  std::memcpy(raw.data(), bytes, sizeof(From));
  if (swapped) std::reverse(raw.begin(), raw.end());
  return std::bit_cast<From>(raw);
}

/// The numbers of one type: whole numbers of at most 16 bits and single precision become float, all others double.
template <class From>
class NpyReader {
 public:
  using To = std::conditional_t<sizeof(From) <= 2 || std::is_same_v<From, float>, float, double>;
  static constexpr auto width = static_cast<std::int64_t>(sizeof(From));

  NpyReader(Source& bytes, const Request& request, const Layout& layout, const FileBytes* file)
      : bytes_(bytes), request_(request), layout_(layout), file_(file) {}

  Table read() {
    const std::int64_t total = product(product(layout_.rows, layout_.columns, request_.source), width, request_.source);
    if (file_ != nullptr) {
      const std::int64_t held = file_->size() - bytes_.position();
      if (held < total) refuse_short(held, total);
      if (held > total) refuse_long();
    }
    request_.rows.check(layout_.rows, request_.source);
    ColumnChoice choice = choose_columns(request_.options, {}, layout_.columns, request_.source);
    if constexpr (std::is_same_v<From, To>) {
      // What is scaled is changed, so it is copied at once.
      const bool as_it_is = !layout_.column_major && !layout_.swapped && choice.adjacent() && request_.options.scale == DataScale::none;
      if (file_ != nullptr && as_it_is && bytes_.position() % width == 0) return map(std::move(choice));
    }
    RowCollector<To> rows(request_, std::move(choice));
    chosen_ = request_.rows.count(layout_.rows);
    rows.reserve(chosen_);
    if (layout_.column_major) {
      read_columns(rows);
    } else {
      read_rows(rows);
    }
    if (file_ == nullptr && !stopped_ && !bytes_.peek(1).empty()) refuse_long();
    return std::move(rows).finish(chosen_, layout_.rows);
  }

 private:
  void read_rows(RowCollector<To>& out) {
    const std::int64_t row_bytes = layout_.columns * width, d = out.choice().count();
    const std::int64_t block = std::clamp<std::int64_t>((1 << 18) / row_bytes, 1, layout_.rows);
    Numbers<char> buffer(request_.budget);
    char* raw = buffer.append(block * row_bytes);
    const std::int64_t begin = request_.rows.begin, end = std::min(request_.rows.end, layout_.rows);
    get(nullptr, begin * row_bytes, 0);
    for (std::int64_t first = begin; first < end; first += block) {
      const std::int64_t rows = std::min(block, end - first);
      get(raw, rows * row_bytes, first * row_bytes);
      for (std::int64_t i = 0; i < rows; ++i) {
        if (!request_.rows.holds(first + i)) continue;
        const char* row = raw + i * row_bytes;
        To* to = out.append(1);
        if (out.choice().all) {
          for (std::int64_t j = 0; j < d; ++j) to[j] = number<To>(row + j * width, first + i, j);
        } else {
          for (std::int64_t k = 0; k < d; ++k) {
            const std::int64_t j = out.choice().used[static_cast<std::size_t>(k)];
            to[k] = number<To>(row + j * width, first + i, j);
          }
        }
        if (out.weighted()) *out.append_weights(1) = number<double>(row + out.choice().weights * width, first + i, out.choice().weights);
      }
    }
    stopped_ = end < layout_.rows;
  }

  void read_columns(RowCollector<To>& out) {
    const std::int64_t d = out.choice().count(), block = std::min<std::int64_t>((1 << 18) / width, layout_.rows);
    const std::vector<std::int64_t> places = out.choice().places(layout_.columns);
    To* numbers = out.append(chosen_);
    double* weights = out.weighted() ? out.append_weights(chosen_) : nullptr;
    Numbers<char> buffer(request_.budget);
    char* raw = buffer.append(block * width);
    for (std::int64_t j = 0; j < layout_.columns; ++j) {
      const std::int64_t place = places[static_cast<std::size_t>(j)];
      if (place < 0) {
        get(nullptr, layout_.rows * width, j * layout_.rows * width);
        continue;
      }
      std::int64_t kept = 0;
      for (std::int64_t first = 0; first < layout_.rows; first += block) {
        const std::int64_t rows = std::min(block, layout_.rows - first);
        get(raw, rows * width, (j * layout_.rows + first) * width);
        for (std::int64_t i = 0; i < rows; ++i) {
          if (!request_.rows.holds(first + i)) continue;
          if (place == d) {
            weights[kept++] = number<double>(raw + i * width, first + i, j);
          } else {
            numbers[kept++ * d + place] = number<To>(raw + i * width, first + i, j);
          }
        }
      }
    }
  }

  Table map(ColumnChoice choice) {
    const std::int64_t offset = bytes_.position();
    const auto length = static_cast<std::size_t>(file_->size());
    void* mapped = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, file_->descriptor(), 0);
    if (mapped == MAP_FAILED) throw system_failure("mapping", request_.source, ErrorCategory::no_input);
    ::madvise(mapped, length, MADV_WILLNEED);
    Table table;
    table.about.storage = std::shared_ptr<const void>(mapped, [length](const void* p) { ::munmap(const_cast<void*>(p), length); });
    const auto* numbers = reinterpret_cast<const From*>(static_cast<const char*>(mapped) + offset);
    const std::int64_t rows = request_.rows.count(layout_.rows);
    const auto row = [&](std::int64_t i) { return numbers + (request_.rows.begin + i * request_.rows.step) * layout_.columns; };
    if (choice.weights >= 0) {
      request_.budget.take(product(rows, sizeof(double), request_.source));
      for (std::int64_t i = 0; i < rows; ++i) table.about.weights.push_back(static_cast<double>(row(i)[choice.weights]));
    }
    table.numbers = DenseRows<From>{row(0) + choice.used.front(), rows, choice.count(), layout_.columns * (rows > 1 ? request_.rows.step : 1)};
    describe_choice(table, request_, std::move(choice), rows);
    table.source_rows = layout_.rows;
    return table;
  }

  /// @param out null = the bytes are not needed @param before bytes of numbers that came before
  void get(char* out, std::int64_t size, std::int64_t before) {
    const std::int64_t got = out == nullptr ? bytes_.skip(size) : static_cast<std::int64_t>(bytes_.fill(out, static_cast<std::size_t>(size)));
    if (got < size) refuse_short(before + got, layout_.rows * layout_.columns * width);
  }

  template <class T>
  T number(const char* bytes, std::int64_t row, std::int64_t column) const {
    const From value = load<From>(bytes, layout_.swapped);
    if constexpr (std::is_integral_v<From> && sizeof(From) == 8) {
      constexpr auto most = static_cast<From>(std::int64_t{1} << std::numeric_limits<double>::digits);
      bool beyond = value > most;
      if constexpr (std::is_signed_v<From>) beyond = beyond || value < -most;
      if (beyond) {
        throw Error(ErrorCategory::data, {.doing = "reading " + request_.source,
                                          .key = "row " + std::to_string(row) + ", column " + std::to_string(column) + " (both from 0)",
                                          .value = std::to_string(value),
                                          .rule = "is beyond 2^53, where double precision no longer holds every whole number",
                                          .remedy = "leave the column out, or subtract a constant from it"});
      }
    }
    return static_cast<T>(value);
  }

  [[noreturn]] void refuse_short(std::int64_t held, std::int64_t total) const {
    refuse(request_, "is cut off: it holds " + std::to_string(held) + " bytes of numbers where its header says " + std::to_string(total),
           "copy or write the file again");
  }
  [[noreturn]] void refuse_long() const { refuse(request_, "holds more bytes than its header says", "save one array into one file"); }

  Source& bytes_;
  const Request& request_;
  Layout layout_;
  const FileBytes* file_;
  std::int64_t chosen_ = 0;
  bool stopped_ = false;
};

}  // namespace

Table read_npy_table(Source& bytes, const Request& request, const FileBytes* file) {
  const std::string& source = request.source;
  const NpyPrefix prefix = read_npy_prefix(bytes.peek(npy_prefix_most), source);
  bytes.skip(static_cast<std::int64_t>(prefix.size));
  std::string text(prefix.header_length, ' ');
  if (bytes.fill(text.data(), text.size()) < text.size()) refuse(request, "is cut off in its header", "copy or write the file again");
  const NpyHeader header = read_npy_header(text, source);

  Layout layout;
  const std::vector<std::int64_t>& shape = header.shape;
  if (shape.empty() || shape.size() > 2) {
    refuse(request, "is an array of " + std::to_string(shape.size()) + " dimensions, and must have one or two",
           "save rows of numbers: numpy.save(file, array.reshape(len(array), -1))");
  }
  layout.rows = shape[0];
  layout.columns = shape.size() == 2 ? shape[1] : 1;
  if (layout.rows == 0 || layout.columns == 0) {
    refuse(request, "holds " + std::to_string(layout.rows) + " rows of " + std::to_string(layout.columns) + " columns, which are no numbers",
           "give an array that is not empty");
  }
  layout.column_major = header.fortran_order && shape.size() == 2;
  request.budget.take(product(layout.columns, 3 * sizeof(std::int64_t), source));  // the choice of columns

  const std::string_view descr = header.descr;
  const char order = descr.size() == 3 ? descr[0] : ' ';
  const std::string_view type = descr.size() == 3 ? descr.substr(1) : std::string_view();
  layout.swapped = order == (std::endian::native == std::endian::little ? '>' : '<');
  const auto read = [&]<class From>(From) { return NpyReader<From>(bytes, request, layout, file).read(); };
  if (std::string_view("<>|=").find(order) != std::string_view::npos) {
    if (type == "f4") return read(float{});
    if (type == "f8") return read(double{});
    if (type == "u1" || type == "b1") return read(std::uint8_t{});
    if (type == "i1") return read(std::int8_t{});
    if (type == "i2") return read(std::int16_t{});
    if (type == "u2") return read(std::uint16_t{});
    if (type == "i4") return read(std::int32_t{});
    if (type == "u4") return read(std::uint32_t{});
    if (type == "i8") return read(std::int64_t{});
    if (type == "u8") return read(std::uint64_t{});
  }
  refuse(request, "holds numbers of type \"" + header.descr.substr(0, 60) + "\"; types b1, u1, u2, u4, u8, i1, i2, i4, i8, f4 and f8 can be read",
         "save them as one of these: numpy.save(file, array.astype(\"f4\"))");
}

}  // namespace buffon::io_detail
