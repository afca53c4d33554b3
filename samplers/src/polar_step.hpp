// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "great_circle.hpp"
#include "slice_bracket.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include <buffon/model/log_density.hpp>
#include <buffon/samplers/affine_frame.hpp>

namespace buffon::slices {

/// log r of a radius: `scalar::log_positive` with its polynomial summed in pairs, which is faster where every step waits for the one before; at
/// most 2 ulp off.
inline double log_radius(double r) {
  if (!(r >= 0x1p-1022 && r <= std::numeric_limits<double>::max())) return scalar::log(r);
  const std::uint64_t sqrt_half = 0x3FE6A09E667F3BCDu;
  const std::uint64_t shifted = scalar::bits_of(r) + (0x3FF0000000000000u - sqrt_half);
  const double k = scalar::double_of((shifted >> 52) | 0x4330000000000000u) - (4503599627370496.0 + 1023.0);
  const double f = scalar::double_of((shifted & 0x000FFFFFFFFFFFFFu) + sqrt_half) - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s, z2 = z * z, z4 = z2 * z2;
  const double h = 0.5 * f * f;
  const double rest = ((0x1.5555555555592p-1 + 0x1.999999997fe06p-2 * z) + z2 * (0x1.24924941ed71ep-2 + 0x1.c71c520c013abp-3 * z)) +
                      z4 * ((0x1.74663e6c400d5p-3 + 0x1.39a1c611be37ep-3 * z) + z2 * 0x1.2f04fab3a3dc2p-3);
  return k * 0x1.62e42fefa3000p-1 - ((h - (s * (h + z * rest) + k * 0x1.3de6af278ece6p-42)) - f);
}

/// x = centre + r A θ. The probe's first vector is A θ.
struct PolarState {
  GreatCircle circle;
  double radius = 0;
  Eigen::VectorXd image = {};  ///< of the circle's tangent: A z

  /// At the centre the coordinates are singular; a chain that a change of the frame leaves there goes on from this radius.
  static constexpr double least_radius = 1e-150;

  void represent(const Eigen::VectorXd& point, const AffineFrame& frame, DensityProbe& probe) {
    frame.coordinates(point, image);
    radius = image.norm();
    if (!(radius > 0)) image = Eigen::VectorXd::Unit(point.size(), 0);
    circle.set_point(image);
    radius = std::max(radius, least_radius);
    frame.direction(circle.point(), image);
    probe.set_centre(frame.centre());
    probe.set_first(image);
  }
};

/// The rules of Algorithm 1.
struct PolarRules : ExactRules {
  /// Power of r in the slice function r^e p(x).
  static double exponent(double dimension) { return dimension - 1; }
  /// log t from the log of the slice function at the current point and an exponential.
  static double level(double height, double exponential) { return height - exponential; }
};

/// One transition.
/// @param evaluate (a, b) → log p(centre + a A θ + b A z)
/// @param accept   takes (a, b, log p): the new point
template <class Rules, class Evaluate, class Accept>
void polar_step(Rules& rules, PolarState& state, const AffineFrame& frame, DensityProbe& probe, SliceCounts& counts, const Expansion& how, ItemDraws& draws,
                double log_density, Evaluate&& evaluate, Accept&& accept) {
  const double power = rules.exponent(static_cast<double>(frame.dimension()));
  const double radius = state.radius, radial = power * log_radius(radius);
  const double level = rules.level(radial + log_density, draws.exponential());

  Angle angle;
  double per_length = 0;
  if (state.circle.draw(draws.normals())) {
    frame.direction(state.circle.tangent(), state.image);
    probe.set_second(state.image);
    per_length = state.circle.inverse_length();
    angle = shrink_angle(rules, draws, counts, [&](double cosine, double sine, double& value) {
      value = evaluate(radius * cosine, radius * sine * per_length);
      return radial + value > level;
    });
  } else {
    ++counts.stuck;
  }

  const double a = angle.cosine, b = angle.sine * per_length;
  const Spot spot = search_line(rules, draws, counts, how, radius, [&](double s, double& value) {
    value = evaluate(s * a, s * b);
    return power * log_radius(s) + value > level;
  });
  if (spot.found) {
    state.radius = spot.at;
    accept(spot.at * a, spot.at * b, spot.log_density);
  } else if (angle.found) {
    accept(radius * a, radius * b, angle.log_density);
  }
  if (angle.found) {
    const double factor = state.circle.turn(a, b);
    probe.turn(factor * a, factor * b);
  }
}

}  // namespace buffon::slices
