// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/archive.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// Saves state as bytes: every item is a type tag, its name and its value, little-endian, so that loading can check that it
/// reads what was written. Doubles keep all their bits.
class BinaryWriter final : public Archive {
 public:
  bool loading() const override { return false; }
  void item(std::string_view name, bool& value) override;
  void item(std::string_view name, std::int64_t& value) override;
  void item(std::string_view name, std::uint64_t& value) override;
  void item(std::string_view name, double& value) override;
  void item(std::string_view name, std::string& value) override;
  void item(std::string_view name, std::vector<double>& value) override;
  void item(std::string_view name, std::vector<std::int64_t>& value) override;
  void item(std::string_view name, std::vector<std::string>& value) override;
  void item(std::string_view name, Eigen::VectorXd& value) override;
  void item(std::string_view name, Eigen::MatrixXd& value) override;
  using Archive::item;

  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }

 protected:
  void begin(std::string_view name) override;
  void end() override;
  std::size_t checked_size(std::int64_t size) override { return static_cast<std::size_t>(size); }

 private:
  void head(char tag, std::string_view name);
  void number(std::uint64_t value);
  void block(const void* data, std::size_t size);
  std::string bytes_;
};

/// Loads what `BinaryWriter` saved. Every type, name and size is checked against the bytes that are left.
/// @throws Error(data) that names the item, at the first thing that does not fit
class BinaryReader final : public Archive {
 public:
  /// @param bytes must outlive the reader
  explicit BinaryReader(std::string_view bytes) : left_(bytes) {}

  bool loading() const override { return true; }
  void item(std::string_view name, bool& value) override;
  void item(std::string_view name, std::int64_t& value) override;
  void item(std::string_view name, std::uint64_t& value) override;
  void item(std::string_view name, double& value) override;
  void item(std::string_view name, std::string& value) override;
  void item(std::string_view name, std::vector<double>& value) override;
  void item(std::string_view name, std::vector<std::int64_t>& value) override;
  void item(std::string_view name, std::vector<std::string>& value) override;
  void item(std::string_view name, Eigen::VectorXd& value) override;
  void item(std::string_view name, Eigen::MatrixXd& value) override;
  using Archive::item;

  /// @throws Error(data) when something is left over
  void finish() const;

 protected:
  void begin(std::string_view name) override;
  void end() override;
  std::size_t checked_size(std::int64_t size) override;

 private:
  void head(char tag, std::string_view name);
  std::uint64_t number(std::string_view name);
  std::string_view block(std::string_view name, std::uint64_t count, std::size_t width);
  [[noreturn]] void refuse(std::string_view name, const std::string& why) const;
  std::string_view left_;
  std::string path_;  ///< names of the objects that are open, for messages
};

/// 64-bit FNV-1a. Its steps are bijections, so that a single changed byte always changes the sum.
std::uint64_t checksum(std::string_view bytes);

}  // namespace buffon
