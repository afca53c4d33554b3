// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/binary_archive.hpp>

#include <bit>
#include <cstring>
#include <limits>

namespace buffon {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints and .npy files are written in the machine's little-endian order");

// One letter per type; a wrong letter means that the listing of the state has changed.
constexpr char tag_bool = 'b', tag_int = 'i', tag_unsigned = 'u', tag_double = 'd', tag_text = 's', tag_doubles = 'D', tag_ints = 'I', tag_texts = 'S',
               tag_vector = 'V', tag_matrix = 'M', tag_begin = '{', tag_end = '}';

}  // namespace

std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t sum = 0xcbf29ce484222325u;
  for (const char c : bytes) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return sum;
}

// ---- writing

void BinaryWriter::head(char tag, std::string_view name) {
  bytes_ += tag;
  number(name.size());
  bytes_ += name;
}

void BinaryWriter::number(std::uint64_t value) { block(&value, sizeof value); }

void BinaryWriter::block(const void* data, std::size_t size) {
  if (size > 0) bytes_.append(static_cast<const char*>(data), size);
}

void BinaryWriter::item(std::string_view name, bool& value) {
  head(tag_bool, name);
  bytes_ += static_cast<char>(value ? 1 : 0);
}

void BinaryWriter::item(std::string_view name, std::int64_t& value) {
  head(tag_int, name);
  number(static_cast<std::uint64_t>(value));
}

void BinaryWriter::item(std::string_view name, std::uint64_t& value) {
  head(tag_unsigned, name);
  number(value);
}

void BinaryWriter::item(std::string_view name, double& value) {
  head(tag_double, name);
  block(&value, sizeof value);
}

void BinaryWriter::item(std::string_view name, std::string& value) {
  head(tag_text, name);
  number(value.size());
  bytes_ += value;
}

void BinaryWriter::item(std::string_view name, std::vector<double>& value) {
  head(tag_doubles, name);
  number(value.size());
  block(value.data(), value.size() * sizeof(double));
}

void BinaryWriter::item(std::string_view name, std::vector<std::int64_t>& value) {
  head(tag_ints, name);
  number(value.size());
  block(value.data(), value.size() * sizeof(std::int64_t));
}

void BinaryWriter::item(std::string_view name, std::vector<std::string>& value) {
  head(tag_texts, name);
  number(value.size());
  for (const std::string& text : value) {
    number(text.size());
    bytes_ += text;
  }
}

void BinaryWriter::item(std::string_view name, Eigen::VectorXd& value) {
  head(tag_vector, name);
  number(static_cast<std::uint64_t>(value.size()));
  block(value.data(), static_cast<std::size_t>(value.size()) * sizeof(double));
}

void BinaryWriter::item(std::string_view name, Eigen::MatrixXd& value) {
  head(tag_matrix, name);
  number(static_cast<std::uint64_t>(value.rows()));
  number(static_cast<std::uint64_t>(value.cols()));
  block(value.data(), static_cast<std::size_t>(value.size()) * sizeof(double));
}

void BinaryWriter::begin(std::string_view name) { head(tag_begin, name); }
void BinaryWriter::end() { bytes_ += tag_end; }

// ---- reading

void BinaryReader::refuse(std::string_view name, const std::string& why) const {
  throw Error(ErrorCategory::data, {.doing = "reading saved state", .key = path_ + std::string(name), .rule = why});
}

std::uint64_t BinaryReader::number(std::string_view name) {
  std::uint64_t value = 0;
  std::memcpy(&value, block(name, 1, sizeof value).data(), sizeof value);
  return value;
}

std::string_view BinaryReader::block(std::string_view name, std::uint64_t count, std::size_t width) {
  if (count > left_.size() / width) refuse(name, "is cut off");
  const std::string_view data = left_.substr(0, static_cast<std::size_t>(count) * width);
  left_.remove_prefix(data.size());
  return data;
}

void BinaryReader::head(char tag, std::string_view name) {
  if (left_.empty() || left_.front() != tag) refuse(name, "has another type here than in the saved state");
  left_.remove_prefix(1);
  const std::string_view found = block(name, number(name), 1);
  if (found != name) refuse(name, "is called \"" + std::string(found.substr(0, 80)) + "\" in the saved state");
}

void BinaryReader::item(std::string_view name, bool& value) {
  head(tag_bool, name);
  const char byte = block(name, 1, 1).front();
  if (byte != 0 && byte != 1) refuse(name, "must be true or false");
  value = byte == 1;
}

void BinaryReader::item(std::string_view name, std::int64_t& value) {
  head(tag_int, name);
  value = static_cast<std::int64_t>(number(name));
}

void BinaryReader::item(std::string_view name, std::uint64_t& value) {
  head(tag_unsigned, name);
  value = number(name);
}

void BinaryReader::item(std::string_view name, double& value) {
  head(tag_double, name);
  std::memcpy(&value, block(name, 1, sizeof value).data(), sizeof value);
}

void BinaryReader::item(std::string_view name, std::string& value) {
  head(tag_text, name);
  value = block(name, number(name), 1);
}

void BinaryReader::item(std::string_view name, std::vector<double>& value) {
  head(tag_doubles, name);
  const std::string_view data = block(name, number(name), sizeof(double));
  value.resize(data.size() / sizeof(double));
  if (!data.empty()) std::memcpy(value.data(), data.data(), data.size());
}

void BinaryReader::item(std::string_view name, std::vector<std::int64_t>& value) {
  head(tag_ints, name);
  const std::string_view data = block(name, number(name), sizeof(std::int64_t));
  value.resize(data.size() / sizeof(std::int64_t));
  if (!data.empty()) std::memcpy(value.data(), data.data(), data.size());
}

void BinaryReader::item(std::string_view name, std::vector<std::string>& value) {
  head(tag_texts, name);
  const std::uint64_t size = number(name);
  if (size > left_.size() / sizeof(std::uint64_t)) refuse(name, "is cut off");  // every text has its own size in front
  value.clear();
  for (std::uint64_t i = 0; i < size; ++i) value.emplace_back(block(name, number(name), 1));
}

void BinaryReader::item(std::string_view name, Eigen::VectorXd& value) {
  head(tag_vector, name);
  const std::string_view data = block(name, number(name), sizeof(double));
  value.resize(static_cast<Eigen::Index>(data.size() / sizeof(double)));
  if (!data.empty()) std::memcpy(value.data(), data.data(), data.size());
}

void BinaryReader::item(std::string_view name, Eigen::MatrixXd& value) {
  head(tag_matrix, name);
  const std::uint64_t rows = number(name), cols = number(name);
  constexpr std::uint64_t most = std::numeric_limits<std::int32_t>::max();
  if (rows > 0 && cols > left_.size() / sizeof(double) / rows) refuse(name, "is cut off");
  if ((cols == 0 && rows > most) || (rows == 0 && cols > most)) refuse(name, "has an absurd size");
  const std::string_view data = block(name, rows * cols, sizeof(double));
  value.resize(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
  if (!data.empty()) std::memcpy(value.data(), data.data(), data.size());
}

void BinaryReader::begin(std::string_view name) {
  head(tag_begin, name);
  path_ += name;
  path_ += '.';
}

void BinaryReader::end() {
  if (left_.empty() || left_.front() != tag_end) refuse("", "holds more in the saved state than is asked for");
  left_.remove_prefix(1);
  const std::size_t dot = path_.find_last_of('.', path_.size() - 2);
  path_.resize(dot == std::string::npos ? 0 : dot + 1);
}

std::size_t BinaryReader::checked_size(std::int64_t size) {
  // Every element of a list takes at least its opening and closing tag and the size of its name.
  if (size < 0 || static_cast<std::uint64_t>(size) > left_.size() / (sizeof(std::uint64_t) + 2)) refuse("size", "is larger than the saved state");
  return static_cast<std::size_t>(size);
}

void BinaryReader::finish() const {
  if (!left_.empty()) refuse("state", "holds more than is asked for");
}

}  // namespace buffon
