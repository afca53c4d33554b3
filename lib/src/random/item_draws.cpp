// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/random/item_draws.hpp>
#include <buffon/random/scalar_kernels.hpp>

#include <algorithm>

namespace buffon {
namespace {

/// Items made at once: enough for the bulk kernels, at most a few kilobytes.
Index items_at_once(Index normals) { return std::clamp<Index>(2048 / std::max<Index>(normals, 1), 1, 32); }

}  // namespace

ItemDraws::ItemDraws(const Stream& stream, Index normals)
    : normal_stream_(stream.child("normals")),
      uniform_stream_(stream.child("uniforms")),
      normals_(normals, items_at_once(normals)),
      uniforms_(uniforms_kept, items_at_once(normals)) {}

void ItemDraws::begin(std::uint64_t item) {
  const auto kept = static_cast<std::uint64_t>(normals_.cols());
  if (!filled_ || item < first_ || item - first_ >= kept) {
    first_ = item - item % kept;
    if (normals_.rows() > 0) normal_stream_.normals(first_, normals_);
    uniform_stream_.uniforms(first_, uniforms_);
    filled_ = true;
  }
  item_ = item;
  column_ = static_cast<Index>(item - first_);
  next_ = 0;
}

double ItemDraws::uniform() {
  const Index draw = next_++;
  if (draw < uniforms_kept) return uniforms_(draw, column_);
  if (draw % 2 == 1) return second_;
  const scalar::Words words =
      scalar::item_words(uniform_stream_.key0(), uniform_stream_.key1(), uniform_stream_.id(), item_, static_cast<std::uint32_t>(draw / 2));
  second_ = scalar::uniform(words.w[2], words.w[3]);
  return scalar::uniform(words.w[0], words.w[1]);
}

double ItemDraws::exponential() { return -scalar::log_positive(uniform(), 0.0); }

}  // namespace buffon
