// SPDX-License-Identifier: BSD-3-Clause
#include "table.hpp"

#include <initializer_list>
#include <string_view>

#include "../npy_header.hpp"

namespace buffon::io_detail {
namespace {

/// The name without .gz, in lower case, ends with one of these.
bool named(const std::filesystem::path& name, std::initializer_list<std::string_view> endings) {
  std::string text = name.string();
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (text.ends_with(".gz")) text.resize(text.size() - 3);
  for (const std::string_view ending : endings) {
    if (text.ends_with(ending)) return true;
  }
  return false;
}

/// Whether the first line looks like "label index:value …".
bool looks_like_libsvm(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  return text.find(':') != std::string_view::npos && text.find_first_not_of("0123456789+-.eE: \t\r") == std::string_view::npos;
}

DataFormat format_of(Source& bytes, const std::filesystem::path& name) {
  if (bytes.peek(npy_magic.size()) == npy_magic) return DataFormat::npy;
  if (bytes.peek(8) == "\x89HDF\r\n\x1a\n") return DataFormat::hdf5;
  if (bytes.peek(14) == "%%MatrixMarket") return DataFormat::matrix_market;
  if (named(name, {".npy"})) return DataFormat::npy;
  if (named(name, {".h5", ".hdf5"})) return DataFormat::hdf5;
  if (named(name, {".mtx"})) return DataFormat::matrix_market;
  if (named(name, {".svm", ".libsvm"})) return DataFormat::libsvm;
  if (named(name, {".csv"})) return DataFormat::csv;
  return looks_like_libsvm(bytes.peek(4096)) ? DataFormat::libsvm : DataFormat::csv;
}

}  // namespace

void describe_choice(Table& table, const Request& request, ColumnChoice choice, std::int64_t rows) {
  table.about.source = request.source;
  table.about.column_names = std::move(choice.names);
  if (!choice.all) table.about.columns_used = std::move(choice.used);
  table.about.row_numbers = request.rows.numbers(rows);
}

Table read_table(std::unique_ptr<Bytes> opened, const std::filesystem::path& name, const Request& request) {
  const auto* file = dynamic_cast<const FileBytes*>(opened.get());
  if (file != nullptr && file->size() < 0) file = nullptr;  // a pipe
  auto bytes = std::make_unique<Source>(std::move(opened));
  if (is_gzip(bytes->peek(2))) {
    bytes = std::make_unique<Source>(gunzip(std::move(bytes), request.source));
    file = nullptr;
  }
  const DataFormat format = request.options.format == DataFormat::automatic ? format_of(*bytes, name) : request.options.format;
  switch (format) {
    case DataFormat::npy:
      return read_npy_table(*bytes, request, file);
    case DataFormat::hdf5:
      return read_hdf5_table(*bytes, request, file != nullptr ? name : std::filesystem::path());
    case DataFormat::libsvm:
      return read_libsvm_table(*bytes, request);
    case DataFormat::matrix_market:
      return read_matrix_market_table(*bytes, request);
    case DataFormat::automatic:
    case DataFormat::csv:
      break;
  }
  return read_csv_table(*bytes, request);
}

}  // namespace buffon::io_detail
