// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/random/scalar_kernels.hpp>
#include <buffon/random/stream.hpp>

#include <cstdint>

namespace buffon {

/// The random numbers of one item after the other, in the order in which an algorithm asks for them: for kernels that need a
/// fixed number of normals and an unknown number of uniforms per item (an iteration of a chain). A pure function of
/// (stream, item); numbers of the items that follow are made with it, which changes no bit. Streams: children "normals" and "uniforms".
/// Not thread-safe; one object per chain.
///
///     ItemDraws draws(stream.child("chain", c), d);
///     for (t = 0; t < n; ++t) { draws.begin(t); kernel.step(draws); }
class ItemDraws {
 public:
  /// @param normals standard normals of every item, ≥ 0
  ItemDraws(const Stream& stream, Index normals);

  /// Addresses an item: its draws begin anew.
  void begin(std::uint64_t item) {
    if (item - first_ >= held_) fill(item);  // below first_ the difference wraps to a large number
    item_ = item;
    column_ = static_cast<Index>(item - first_);
    next_ = 0;
  }

  /// The standard normals of the item.
  Eigen::Map<const Eigen::VectorXd> normals() const { return {normals_.data() + normals_.rows() * column_, normals_.rows()}; }
  /// The next uniform of the item, in (0, 1).
  double uniform() {
    const Index draw = next_++;
    return draw < uniforms_kept ? uniforms_(draw, column_) : further(draw);
  }
  /// −log of the next uniform: exponential with mean 1.
  double exponential() {
    if (next_ > 0) return -scalar::log_positive(uniform(), 0.0);
    next_ = 1;
    return exponentials_(column_);
  }

 private:
  void fill(std::uint64_t item);
  double further(Index draw);

  static constexpr Index uniforms_kept = 8;  ///< of an item, an even number; further ones are made two by two

  Stream normal_stream_, uniform_stream_;
  Eigen::MatrixXd normals_, uniforms_;  ///< items first_, first_ + 1, … as columns
  Eigen::VectorXd exponentials_;        ///< −log of the first uniform of each: most algorithms begin with one
  std::uint64_t first_ = 0, held_ = 0, item_ = 0;
  Index column_ = 0, next_ = 0;
  double second_ = 0;  ///< of the two made last
};

}  // namespace buffon
