// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// Saves or loads named state. A class lists its state once, in `describe_state(Archive&)`; the same listing serves
/// both directions, so that what is written is what is read. Doubles keep all their bits.
class Archive {
 public:
  virtual ~Archive() = default;

  /// True when values are being read into the arguments, false when they are being written out.
  virtual bool loading() const = 0;

  virtual void item(std::string_view name, bool& value) = 0;
  virtual void item(std::string_view name, std::int64_t& value) = 0;
  virtual void item(std::string_view name, std::uint64_t& value) = 0;
  virtual void item(std::string_view name, double& value) = 0;
  virtual void item(std::string_view name, std::string& value) = 0;
  virtual void item(std::string_view name, std::vector<double>& value) = 0;
  virtual void item(std::string_view name, std::vector<std::int64_t>& value) = 0;
  virtual void item(std::string_view name, std::vector<std::string>& value) = 0;
  virtual void item(std::string_view name, Eigen::VectorXd& value) = 0;
  virtual void item(std::string_view name, Eigen::MatrixXd& value) = 0;

  /// A nested object with its own `describe_state`.
  template <class T>
  requires requires(T& t, Archive& a) { t.describe_state(a); }
  void item(std::string_view name, T& object) {
    begin(name);
    object.describe_state(*this);
    end();
  }

  /// A list of nested objects; loading resizes it, so T must be default-constructible.
  template <class T>
  requires requires(T& t, Archive& a) { t.describe_state(a); }
  void item(std::string_view name, std::vector<T>& list) {
    begin(name);
    auto size = static_cast<std::int64_t>(list.size());
    item("size", size);
    if (loading()) list.resize(checked_size(size));
    for (auto& object : list) item("element", object);
    end();
  }

  /// An enumeration, kept as its number.
  template <class Enum>
  requires std::is_enum_v<Enum>
  void item(std::string_view name, Enum& value) {
    auto number = static_cast<std::int64_t>(value);
    item(name, number);
    value = static_cast<Enum>(number);
  }

 protected:
  virtual void begin(std::string_view name) = 0;
  virtual void end() = 0;
  /// Refuses sizes that the archive cannot hold (a damaged file must not cause a huge allocation).
  virtual std::size_t checked_size(std::int64_t size) = 0;
};

}  // namespace buffon
