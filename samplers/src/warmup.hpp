// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/samplers/affine_frame.hpp>
#include <buffon/samplers/chains.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace buffon {

class Context;

/// Words of Tuning, in the order of its values.
std::string_view name(Tuning tuning);

/// A stage of the warm-up, in transitions of a chain: [begin, end), of which every `stride`-th of [pooled, end) is kept.
struct WarmupStage {
  std::int64_t index = 0, begin = 0, pooled = 0, end = 0, stride = 1;
  /// Points that every chain keeps.
  std::int64_t kept() const { return (end - pooled + stride - 1) / stride; }
  bool keeps(std::int64_t transition) const { return transition >= pooled && (transition - pooled) % stride == 0; }
};

inline constexpr std::int64_t warmup_stages = 4;

/// The stage that transition t < warmup belongs to; lengths 1 : 2 : 4 : 8. About max(10,000, 20 d) points are kept at most, and one per chain at least.
WarmupStage warmup_stage(std::int64_t t, std::int64_t warmup, std::int64_t chains, Index dimension);

struct LearntFrame {
  AffineFrame frame;
  Tuning tuned = Tuning::none;  ///< what the frame is
  std::string note;             ///< why it is not what was wanted; empty = it is
};

/// The frame of a set of points, as far down the ladder of `Tuning` as it must.
/// @param points d × n, chain after chain, in order
LearntFrame learn_frame(Context& context, Tuning wanted, const ConstMatrix& points, std::int64_t chains);

/// The frame with its centre moved off the points, if one of them lies in it: directions from the centre are undefined there.
/// @param points d × chains
AffineFrame keep_off(const AffineFrame& frame, const ConstMatrix& points);

}  // namespace buffon
