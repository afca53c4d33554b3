// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/random/item_draws.hpp>

#include <algorithm>

#include "kernel_table.hpp"

namespace buffon {
namespace {

/// Items made at once: enough for the bulk kernels, at most 16 kilobytes of normals where an item has fewer.
Index items_at_once(Index normals) { return std::clamp<Index>(2048 / std::max<Index>(normals, 1), 1, 128); }

}  // namespace

ItemDraws::ItemDraws(const Stream& stream, Index normals)
    : normal_stream_(stream.child("normals")),
      uniform_stream_(stream.child("uniforms")),
      normals_(normals, items_at_once(normals)),
      uniforms_(uniforms_kept, items_at_once(normals)),
      exponentials_(items_at_once(normals)) {}

void ItemDraws::fill(std::uint64_t item) {
  held_ = static_cast<std::uint64_t>(uniforms_.cols());
  first_ = item;  // items mostly come in order
  if (normals_.rows() > 0) normal_stream_.normals(first_, normals_);
  uniform_stream_.uniforms(first_, uniforms_);
  exponentials_ = uniforms_.row(0).transpose();
  kernels().log(exponentials_.data(), exponentials_.data(), held_);
  exponentials_ = -exponentials_;
}

double ItemDraws::further(Index draw) {
  if (draw % 2 == 1) return second_;
  const scalar::Words words =
      scalar::item_words(uniform_stream_.key0(), uniform_stream_.key1(), uniform_stream_.id(), item_, static_cast<std::uint32_t>(draw / 2));
  second_ = scalar::uniform(words.w[2], words.w[3]);
  return scalar::uniform(words.w[0], words.w[1]);
}

}  // namespace buffon
