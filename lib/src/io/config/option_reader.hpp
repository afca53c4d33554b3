// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/io/option_list.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node.hpp"

namespace buffon::config {

/// A table of a configuration with what messages say about it.
struct Section {
  const Document* document;
  const Node* table;
  std::string path;   ///< "options", "inputs[2]"; empty = the top level
  std::string doing;  ///< "reading the options of aiscv"

  std::string key(std::string_view name) const { return path.empty() ? path_step(name) : path + "." + path_step(name); }
  /// Error at a place of the document.
  [[noreturn]] void fail(const Origin& where, std::string key, std::string value, std::string rule, std::string remedy = {}) const;
};

/// Reads one table into options: types, ranges, words and sizes are checked against the description, the place of a
/// fault is named. Keys that are not visited are not touched; see `check_keys`.
class OptionReader : public OptionVisitor {
 public:
  explicit OptionReader(Section section) : section_(std::move(section)) {}

  using OptionVisitor::on;
  void on(const Field& field, bool& value) override { read(field, value); }
  void on(const Field& field, std::int64_t& value) override { read(field, value); }
  void on(const Field& field, double& value) override { read(field, value); }
  void on(const Field& field, std::string& value) override { read(field, value); }
  void on(const Field& field, std::optional<double>& value) override;
  void on(const Field& field, std::vector<double>& value) override { read(field, value); }
  void on(const Field& field, std::vector<std::int64_t>& value) override { read(field, value); }
  void on(const Field& field, std::vector<std::string>& value) override { read(field, value); }
  void on(const Field& field, std::vector<std::vector<std::string>>& value) override { read(field, value); }
  void on(const Field& field, std::vector<std::vector<double>>& value) override { read(field, value); }
  void on(const Field& field, std::vector<std::vector<std::vector<double>>>& value) override { read(field, value); }

  /// All visited options with the values that hold after reading, defaults included.
  Node take_resolved() { return std::move(resolved_); }

 protected:
  const Section& section() const { return section_; }
  /// Notes an option that the reader of a derived class has read.
  void note(const Field& field, Node value);

 private:
  template <class T>
  void read(const Field& field, T& value);
  const Node* find(const Field& field);

  void convert(const Field& field, const Node& node, const std::string& key, bool& value) const;
  void convert(const Field& field, const Node& node, const std::string& key, std::int64_t& value) const;
  void convert(const Field& field, const Node& node, const std::string& key, double& value) const;
  void convert(const Field& field, const Node& node, const std::string& key, std::string& value) const;
  template <class T>
  void convert(const Field& field, const Node& node, const std::string& key, std::vector<T>& value) const;
  void check_range(const Field& field, const Node& node, const std::string& key, double value) const;

  Section section_;
  std::vector<std::string> visited_;
  bool infinite_default_ = false;
  Node resolved_;
};

/// Every key of the table must be one of `keys`. @throws Error(configuration) with the nearest key and the list
void check_keys(const Section& section, const std::vector<std::string>& keys);

/// Names of listed options, appended to `keys`.
void append_names(std::vector<std::string>& keys, const std::vector<ListedOption>& options);

/// The error with the place of the key that it names in the section, or of the section itself.
Error locate_error(const Section& section, const Error& error);

/// The place of "stages[1].variables[0].mean", as far as the document has it.
Origin find_place(const Document& document, std::string_view key);

/// Calls `work`; an Error without a place gets that of the key it names in the section, or of the section itself.
template <class Work>
auto located(const Section& section, Work&& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (!error.where().file.empty()) throw;
    throw locate_error(section, error);
  }
}

}  // namespace buffon::config
