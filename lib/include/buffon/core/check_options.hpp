// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>

#include <string>
#include <string_view>

namespace buffon {

/// Checks values of options against what `describe` says of them: ranges, words, sizes of lists; numbers are never NaN.
/// Kernels call `check_options` first, so that a library user gets the same rules as a configuration file.
class OptionChecker : public OptionVisitor {
 public:
  /// @param doing what is being done, for messages, e.g. "checking the options of sobol"
  explicit OptionChecker(std::string doing) : doing_(std::move(doing)) {}

  using OptionVisitor::on;
  void on(const Field& field, bool& value) override;
  void on(const Field& field, std::int64_t& value) override;
  void on(const Field& field, double& value) override;
  void on(const Field& field, std::string& value) override;
  void on(const Field& field, std::optional<double>& value) override;
  void on(const Field& field, std::vector<double>& value) override;
  void on(const Field& field, std::vector<std::int64_t>& value) override;
  void on(const Field& field, std::vector<std::string>& value) override;
  void on(const Field& field, std::vector<std::vector<std::string>>& value) override;
  void on(const Field& field, std::vector<std::vector<double>>& value) override;
  void on(const Field& field, std::vector<std::vector<std::vector<double>>>& value) override;

 private:
  void number(const Field& field, double value) const;
  void word(const Field& field, const std::string& value) const;
  void size(const Field& field, std::size_t value) const;
  std::string doing_;
};

/// @throws Error(configuration) naming key (`options.NAME`), value and rule of the first option that breaks one
template <class Options>
void check_options(std::string_view method, Options options) {
  OptionChecker checker("checking the options of " + std::string(method));
  describe(checker, options);
}

}  // namespace buffon
