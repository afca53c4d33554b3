// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/archive.hpp>
#include <buffon/core/types.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace buffon {

/// Lists numbers [begin, end) of a vector of another kind than archives hold.
template <class Kept, class T>
void list_part(Archive& archive, std::string_view name, std::vector<T>& numbers, Index begin, Index end) {
  std::vector<Kept> part;
  if (!archive.loading()) part.assign(numbers.begin() + begin, numbers.begin() + end);
  archive.item(name, part);
  if (archive.loading()) std::transform(part.begin(), part.end(), numbers.begin() + begin, [](Kept v) { return static_cast<T>(v); });
}

}  // namespace buffon
