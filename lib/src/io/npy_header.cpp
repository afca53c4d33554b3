// SPDX-License-Identifier: BSD-3-Clause
#include "npy_header.hpp"

#include <buffon/core/error.hpp>

#include <charconv>

namespace buffon::io_detail {
namespace {

[[noreturn]] void refuse(const std::string& name, std::string rule, std::string remedy = {}) {
  throw Error(ErrorCategory::data, {.doing = "reading " + name, .rule = std::move(rule), .remedy = std::move(remedy)});
}

/// A dictionary of Python as far as NumPy writes it here: texts, truth values and tuples of whole numbers.
class Dictionary {
 public:
  Dictionary(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

  bool take(char c) {
    skip_blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) refuse(name_, std::string("its header is no dictionary: '") + c + "' is missing");
  }
  std::string text() {
    skip_blanks();
    if (rest_.starts_with('[')) refuse(name_, "its type is a record of several fields", "save one array of numbers: numpy.save(file, array[\"field\"])");
    const char quote = rest_.empty() ? ' ' : rest_.front();
    const std::size_t end = quote == '\'' || quote == '"' ? rest_.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) refuse(name_, "its header lacks a text where one must be");
    const std::string found(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return found;
  }
  bool truth() {
    skip_blanks();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    refuse(name_, "its fortran_order is neither True nor False");
  }
  std::vector<std::int64_t> sizes() {
    std::vector<std::int64_t> found;
    expect('(');
    while (!take(')')) {
      skip_blanks();
      std::int64_t size = 0;
      const auto [next, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (problem != std::errc() || size < 0 || found.size() == 32) refuse(name_, "its shape is not made of a few whole numbers from 0 to 2^63 - 1");
      rest_.remove_prefix(static_cast<std::size_t>(next - rest_.data()));
      found.push_back(size);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return found;
  }
  void end() {
    skip_blanks();
    if (!rest_.empty()) refuse(name_, "its header goes on after the dictionary");
  }

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  std::string_view rest_;
  const std::string& name_;
};

}  // namespace

NpyPrefix read_npy_prefix(std::string_view beginning, const std::string& name) {
  if (beginning.size() < npy_prefix_most || !beginning.starts_with(npy_magic)) refuse(name, "this is not an .npy file");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(beginning[i])); };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3) refuse(name, "its format version is " + std::to_string(version) + ", and must be 1, 2 or 3");
  const NpyPrefix prefix =
      version == 1 ? NpyPrefix{10, byte(8) + (byte(9) << 8)} : NpyPrefix{12, byte(8) + (byte(9) << 8) + (byte(10) << 16) + (byte(11) << 24)};
  if (prefix.header_length > (1U << 20)) refuse(name, "its header claims " + std::to_string(prefix.header_length) + " bytes, and one MiB is the most");
  return prefix;
}

NpyHeader read_npy_header(std::string_view text, const std::string& name) {
  Dictionary dictionary(text, name);
  NpyHeader header;
  bool has_descr = false, has_order = false, has_shape = false;
  dictionary.expect('{');
  while (!dictionary.take('}')) {
    const std::string key = dictionary.text();
    dictionary.expect(':');
    bool* seen = key == "descr" ? &has_descr : key == "fortran_order" ? &has_order : key == "shape" ? &has_shape : nullptr;
    if (seen == nullptr || *seen) refuse(name, "its header has a key too many");
    *seen = true;
    if (seen == &has_descr) header.descr = dictionary.text();
    if (seen == &has_order) header.fortran_order = dictionary.truth();
    if (seen == &has_shape) header.shape = dictionary.sizes();
    if (!dictionary.take(',')) {
      dictionary.expect('}');
      break;
    }
  }
  dictionary.end();
  if (!has_descr || !has_order || !has_shape) refuse(name, "its header must say descr, fortran_order and shape");
  return header;
}

}  // namespace buffon::io_detail
