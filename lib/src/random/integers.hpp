// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

#include <buffon/random/stream.hpp>

namespace buffon {

__extension__ using Wide = unsigned __int128;

/// Lemire's bounded integers: `next(t)` gives the t-th 64-bit word; nearly always only t = 0 is asked for.
template <class Next>
std::uint64_t bounded(std::uint64_t bound, Next next) {
  Wide product = static_cast<Wide>(next(0)) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t surplus = (0 - bound) % bound;  // 2⁶⁴ mod bound
    for (std::uint32_t t = 1; static_cast<std::uint64_t>(product) < surplus; ++t) product = static_cast<Wide>(next(t)) * bound;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t first_word(const Stream& stream, std::uint64_t item, std::uint32_t draw) {
  std::uint32_t w[4];
  stream.words(item, draw, w);
  return static_cast<std::uint64_t>(w[1]) << 32 | w[0];
}

/// The sum of weights after checking them; `doing` names the table being built.
double checked_total(std::span<const double> weights, const char* doing);

}  // namespace buffon
