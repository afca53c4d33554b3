// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "node.hpp"

namespace buffon::config {

/// Nodes of the types that options have.
inline Node to_node(bool value) { return boolean_node(value); }
inline Node to_node(std::int64_t value) { return integer_node(value); }
inline Node to_node(double value) { return real_node(value); }
inline Node to_node(const std::string& value) { return text_node(value); }
template <class T>
Node to_node(const std::vector<T>& values) {
  Node node = array_node();
  for (const auto& value : values) node.elements.push_back(to_node(value));
  return node;
}

}  // namespace buffon::config
