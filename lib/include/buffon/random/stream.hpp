// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace buffon {

/// Version of the rules that turn (seed, names, item) into numbers. It stands in every result; it changes only in a minor
/// release, and the changelog says so.
inline constexpr int stream_version = 1;

/// A stream of random bits: a *pure function* of (seed, path of names, item, draw). Nothing is consumed and nothing has a
/// "next" number: an item (sample i, chain c at iteration t, row r) is addressed by its 64-bit index, and its draws by a
/// block number inside the item. Copies are cheap and thread-safe.
///
///     Stream root(seed);
///     Stream pilot = root.child("pilot");
///     Eigen::MatrixXd z(d, n);
///     pilot.normals(0, z);                // column c = item c
///     pilot.normals(100, z.leftCols(1));  // the same numbers as column 100 of the call above
///
/// Generator: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011).
/// Counter words: [draw block | item low | item high | stream id]; key (64 bits) and stream id (32 bits) are derived from
/// the seed and the names by the same hash.
class Stream {
 public:
  explicit Stream(std::uint64_t seed);

  /// The stream of a named part of the work. Every name (with its number) may be taken from a parent once: debug builds
  /// abort on the second claim, since two pieces of code would then share random numbers. `sibling`-free by design:
  /// the claim is remembered by the root that `Stream(seed)` made, so two roots with one seed do not disturb each other.
  Stream child(std::string_view name, std::uint64_t number = 0) const;

  /// The same stream without claiming it; for code that re-creates a stream on purpose (resuming, tests).
  Stream peek(std::string_view name, std::uint64_t number = 0) const;

  /// Four random words of draw block `draw` of item `item`.
  void words(std::uint64_t item, std::uint32_t draw, std::uint32_t (&out)[4]) const;

  /// Uniforms in (0, 1): column c of `out` = item `first + c`, row r = draw r; 53-bit grain, never 0 nor 1.
  void uniforms(std::uint64_t first, MutMatrix out) const;
  /// Standard normals by Box–Muller; layout as `uniforms`. Rows 2k and 2k+1 of an item come from draw block k.
  void normals(std::uint64_t first, MutMatrix out) const;
  /// Standard normals by the inverse cdf, one word pair each: monotone in the uniform of the same address.
  void inverse_normals(std::uint64_t first, MutMatrix out) const;

  /// One-dimensional bulk: element i of `out` is element `first + i` of an endless sequence (two per item).
  void fill_uniforms(std::uint64_t first, std::span<double> out) const;
  void fill_normals(std::uint64_t first, std::span<double> out) const;
  /// One-dimensional bulk of raw 64-bit words (two per item).
  void fill_words(std::uint64_t first, std::span<std::uint64_t> out) const;

  /// Key and id, for kernels that fuse generation with use (and for tests against Random123).
  std::uint32_t key0() const { return key_[0]; }
  std::uint32_t key1() const { return key_[1]; }
  std::uint32_t id() const { return id_; }

 private:
  struct Claims;
  Stream() = default;
  std::uint32_t key_[2] = {0, 0};
  std::uint32_t id_ = 0;
  std::shared_ptr<Claims> claims_;  ///< names taken so far; used by debug builds of the library only
};

}  // namespace buffon
