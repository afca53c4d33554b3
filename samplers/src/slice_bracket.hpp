// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>

#include <buffon/random/item_draws.hpp>
#include <buffon/random/scalar_kernels.hpp>
#include <buffon/samplers/slice_kernel.hpp>

/// Points of a slice on a circle or a line that holds the current point. `inside` is a callable that says whether a place is in the slice and
/// sets its last argument to the log density there; every call is an evaluation. An update that finds no point leaves the current one and
/// counts as stuck.
namespace buffon::slices {

inline constexpr std::int64_t max_proposals = 10000;  ///< of one update
inline constexpr std::int64_t max_step_outs = 10000;  ///< of one update
inline constexpr int max_doublings = 200;             ///< a factor of 10⁶⁰

/// Exact rules; tests show that wrong ones are noticed.
struct ExactRules {
  /// A refused proposal below it becomes the lower end of the bracket, another one the upper end.
  static double anchor(double current, double /*lower*/, double /*upper*/) { return current; }
};

/// @throws Error(numeric)
[[noreturn]] void refuse_unbounded(const char* what, double from);

/// cos ω and sin ω for |ω| ≤ 7 with errors below 3e-16: an angle is the longest chain of operations of a proposal, so both come at once, and the
/// polynomials (those of `scalar::sine_near`) are summed in pairs.
inline void circle_point(double omega, double& cosine, double& sine) {
  const double magic = 6755399441055744.0;  // 1.5·2⁵²: the sum's low bits are the nearest whole number
  const double shifted = omega * 0x1.45f306dc9c883p-1 + magic;
  const double k = shifted - magic;
  const double r = (omega - k * 0x1.921fb54400000p+0) - k * 0x1.0b4611a626331p-34;
  const double z = r * r, z2 = z * z, z4 = z2 * z2;
  const double s = ((-0x1.5555555555555p-3 + 0x1.1111111111111p-7 * z) + z2 * (-0x1.a01a01a01a01ap-13 + 0x1.71de3a556c734p-19 * z)) +
                   z4 * ((-0x1.ae64567f544e4p-26 + 0x1.6124613a86d09p-33 * z) + z2 * (-0x1.ae7f3e733b81fp-41 + 0x1.952c77030ad4ap-49 * z));
  const double c = ((0x1.5555555555555p-5 - 0x1.6c16c16c16c17p-10 * z) + z2 * (0x1.a01a01a01a01ap-16 - 0x1.27e4fb7789f5cp-22 * z)) +
                   z4 * ((0x1.1eed8eff8d898p-29 - 0x1.93974a8c07c9dp-37 * z) + z2 * 0x1.ae7f3e733b81fp-45);
  const double near_sine = r + r * z * s, near_cosine = 1.0 + (z2 * c - 0.5 * z);
  const std::uint64_t quarter = scalar::bits_of(shifted), odd = 0 - (quarter & 1);
  const std::uint64_t sine_bits = scalar::bits_of(near_sine), cosine_bits = scalar::bits_of(near_cosine);
  sine = scalar::double_of(scalar::select_bits(odd, cosine_bits, sine_bits) ^ (quarter & 2) << 62);
  cosine = scalar::double_of(scalar::select_bits(odd, sine_bits, cosine_bits) ^ ((quarter + 1) & 2) << 62);
}

struct Angle {
  double cosine = 1, sine = 0;
  double log_density = 0;
  bool found = false;
};

template <class Inside>
Angle try_angle(double omega, Inside&& inside) {
  Angle angle;
  circle_point(omega, angle.cosine, angle.sine);
  angle.found = inside(angle.cosine, angle.sine, angle.log_density);
  return angle;
}

/// Shrinkage on the circle (Murray, Adams, MacKay 2010): the first proposal is uniform, the bracket of length 2π around angle 0 begins at it.
/// @param inside of (cosine, sine, log_density&)
template <class Rules, class Inside>
Angle shrink_angle(const Rules& rules, ItemDraws& draws, SliceCounts& counts, Inside&& inside) {
  constexpr double turn = 2 * std::numbers::pi;
  double omega = turn * draws.uniform();
  double lower = omega - turn, upper = omega;
  for (std::int64_t proposals = 1;; ++proposals) {
    const Angle angle = try_angle(omega, inside);
    if (angle.found) return angle;
    ++counts.shrinkages;
    (omega < rules.anchor(0.0, lower, upper) ? lower : upper) = omega;
    if (upper - lower < 1e-13 || proposals == max_proposals) break;
    omega = lower + (upper - lower) * draws.uniform();
  }
  ++counts.stuck;
  return {};
}

/// Uniform angles until one is in the slice.
template <class Inside>
Angle reject_angle(ItemDraws& draws, SliceCounts& counts, Inside&& inside) {
  for (std::int64_t proposals = 0; proposals < max_proposals; ++proposals) {
    const Angle angle = try_angle(2 * std::numbers::pi * draws.uniform(), inside);
    if (angle.found) return angle;
    ++counts.shrinkages;
  }
  ++counts.stuck;
  return {};
}

/// How a bracket on a line grows.
struct Expansion {
  double width = 1;
  bool doubling = false;
  std::int64_t limit = 0;                                   ///< most widenings, 0 = no limit
  double least = -std::numeric_limits<double>::infinity();  ///< the line ends here; nothing is evaluated below
};

struct Spot {
  double at = 0;
  double log_density = 0;
  bool found = false;
};

/// Widens (a, b) by `width` at both ends until they are outside of the slice (Neal 2003, figure 3). With a limit m − 1 the number of steps to
/// the left is at most J, uniform on 0 … m − 1, and to the right m − 1 − J.
template <class Inside>
void step_out(ItemDraws& draws, SliceCounts& counts, const Expansion& how, double& a, double& b, Inside&& inside) {
  std::int64_t left = max_step_outs + 1, right = max_step_outs + 1;
  if (how.limit > 0) {
    left = std::min(how.limit, static_cast<std::int64_t>(static_cast<double>(how.limit + 1) * draws.uniform()));
    right = how.limit - left;
  }
  const double from = a;
  std::int64_t evaluations = 0;
  const auto widen = [&](double end) {
    if (!(end > how.least)) return false;
    if (++evaluations > max_step_outs) refuse_unbounded("stepping out", from);
    double log_density;
    return inside(end, log_density);
  };
  for (; left > 0 && widen(a); --left, ++counts.expansions) a -= how.width;
  for (; right > 0 && widen(b); --right, ++counts.expansions) b += how.width;
}

/// The intervals that doubling went through (Neal 2003, figure 4), each a half of the next.
struct Doublings {
  struct End {
    double at;
    bool inside;
  };
  struct Interval {
    End lower, upper;
  };
  std::array<Interval, max_doublings + 1> intervals;
  int last;
};

template <class Inside>
Doublings::End end_at(double s, const Expansion& how, Inside&& inside) {
  double log_density;
  return {s, s > how.least && inside(s, log_density)};
}

template <class Inside>
void double_out(ItemDraws& draws, SliceCounts& counts, const Expansion& how, double a, double b, Doublings& history, Inside&& inside) {
  const int limit = how.limit > 0 ? static_cast<int>(std::min<std::int64_t>(how.limit, max_doublings)) : max_doublings;
  Doublings::Interval interval{end_at(a, how, inside), end_at(b, how, inside)};
  int k = 0;
  for (; k < limit && (interval.lower.inside || interval.upper.inside); ++k, ++counts.expansions) {
    history.intervals[static_cast<std::size_t>(k)] = interval;
    const double length = interval.upper.at - interval.lower.at;
    if (draws.uniform() < 0.5) {
      interval.lower = end_at(interval.lower.at - length, how, inside);
    } else {
      interval.upper = end_at(interval.upper.at + length, how, inside);
    }
  }
  if (k == max_doublings) refuse_unbounded("doubling", a);
  history.intervals[static_cast<std::size_t>(k)] = interval;
  history.last = k;
}

/// Whether doubling that began at s could have ended at the same interval (Neal 2003, figure 6): of the halves, halves of halves, … that hold s but
/// not the current point none has both ends outside of the slice.
template <class Inside>
bool reachable(const Doublings& history, const Expansion& how, double s, Inside&& inside) {
  Doublings::Interval half{};
  int halvings = history.last;
  for (;; --halvings) {
    if (halvings == 0) return true;
    const Doublings::Interval& larger = history.intervals[static_cast<std::size_t>(halvings)];
    const Doublings::Interval& smaller = history.intervals[static_cast<std::size_t>(halvings - 1)];
    if (s < smaller.lower.at) {
      half = {larger.lower, smaller.lower};
      break;
    }
    if (s >= smaller.upper.at) {
      half = {smaller.upper, larger.upper};
      break;
    }
  }
  for (;;) {
    if (!half.lower.inside && !half.upper.inside) return false;
    if (--halvings == 0) return true;
    const Doublings::End middle = end_at(0.5 * (half.lower.at + half.upper.at), how, inside);
    (s < middle.at ? half.upper : half.lower) = middle;
  }
}

/// A point of the slice on a line, from `current`: a bracket of length `width` laid around it at random is widened, then shrunk to the refused
/// proposals.
/// @param inside of (place, log_density&)
template <class Rules, class Inside>
Spot search_line(const Rules& rules, ItemDraws& draws, SliceCounts& counts, const Expansion& how, double current, Inside&& inside) {
  double a = current - draws.uniform() * how.width, b = a + how.width;
  Doublings history;
  if (how.doubling) {
    double_out(draws, counts, how, a, b, history, inside);
    const Doublings::Interval& interval = history.intervals[static_cast<std::size_t>(history.last)];
    a = interval.lower.at;
    b = interval.upper.at;
  } else {
    step_out(draws, counts, how, a, b, inside);
  }
  a = std::max(a, how.least);
  const double shortest = 1e-100 * (b - a);
  for (std::int64_t proposals = 1;; ++proposals) {
    Spot spot{.at = a + (b - a) * draws.uniform()};
    spot.found = inside(spot.at, spot.log_density) && (!how.doubling || reachable(history, how, spot.at, inside));
    if (spot.found) return spot;
    ++counts.shrinkages;
    (spot.at < rules.anchor(current, a, b) ? a : b) = spot.at;
    if (!(b - a > std::max(shortest, 1e-14 * std::max(std::abs(a), std::abs(b)))) || proposals == max_proposals) break;
  }
  ++counts.stuck;
  return {};
}

}  // namespace buffon::slices
