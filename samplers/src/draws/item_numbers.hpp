// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include <buffon/random/scalar_kernels.hpp>
#include <buffon/random/stream.hpp>

namespace buffon::draws {

/// Two uniforms in (0, 1) of one draw block of an item.
struct Uniforms {
  double first, second;
};
inline Uniforms uniforms(const Stream& stream, std::uint64_t item, std::uint32_t block = 0) {
  const scalar::Words words = scalar::item_words(stream.key0(), stream.key1(), stream.id(), item, block);
  return {scalar::uniform(words.w[0], words.w[1]), scalar::uniform(words.w[2], words.w[3])};
}
inline double uniform(const Stream& stream, std::uint64_t item) { return uniforms(stream, item).first; }

/// log(1 + x), x > −1: the rounding error of 1 + x is undone to first order.
inline double log_1_plus(double x) {
  const double sum = 1 + x;
  return sum == 1 ? x : scalar::log(sum) * (x / (sum - 1));
}
/// 1 − exp(−x), x >= 0, to a few ulp: (1 − e) x / −log(e) with e = exp(−x) rounded.
inline double one_minus_exp(double x) {
  const double e = scalar::exp(-x);
  if (e == 1) return x;
  return e < 0.5 ? 1 - e : (1 - e) * (x / -scalar::log(e));
}

}  // namespace buffon::draws
