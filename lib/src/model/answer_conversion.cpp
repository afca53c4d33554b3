// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/answer_conversion.hpp>

#include <array>
#include <cmath>
#include <utility>

#include <buffon/core/error.hpp>

namespace buffon {
namespace {

/// A quantity as x_factor x + answer_factor answer.
using Affine = Conversion;

Affine sum(double p, const Affine& a, double q, const Affine& b) { return {p * a.x_factor + q * b.x_factor, p * a.answer_factor + q * b.answer_factor}; }

/// D and E[ε | x] from an answer; not finite where the answer does not determine them.
struct Parts {
  Affine data, noise;
};
Parts parts(Answer from, const NoiseLevel& level, const NoiseSchedule& schedule) {
  const double a = level.alpha, s = level.sigma;
  switch (from) {
    case Answer::data:
      return {{0, 1}, {1 / s, -a / s}};
    case Answer::noise:
      return {{1 / a, -s / a}, {0, 1}};
    case Answer::v:
      return {{a, -s}, {s, a}};
    case Answer::velocity: {
      const auto [slope_a, slope_s] = schedule.slopes(level.time);
      const double w = s * slope_a - a * slope_s;
      return {{-slope_s / w, s / w}, {slope_a / w, -a / w}};
    }
    case Answer::score:
      return {{1 / a, s * s / a}, {0, -s}};
    case Answer::edm: {
      // D = c_skip x / a + c_out F; E[ε | x] = (x − a D) / s
      const double d = edm_deviation, variance = s * s + d * d * a * a, root = std::sqrt(variance);
      return {{d * d * a / variance, s * d / root}, {s / variance, -a * d / root}};
    }
  }
  return {};
}

/// An answer from D and E[ε | x].
Affine assembled(Answer to, const Parts& known, const NoiseLevel& level, const NoiseSchedule& schedule) {
  const double a = level.alpha, s = level.sigma;
  switch (to) {
    case Answer::data:
      return known.data;
    case Answer::noise:
      return known.noise;
    case Answer::v:
      return sum(a, known.noise, -s, known.data);
    case Answer::velocity: {
      const auto [slope_a, slope_s] = schedule.slopes(level.time);
      return sum(slope_a, known.data, slope_s, known.noise);
    }
    case Answer::score:
      return {-known.noise.x_factor / s, -known.noise.answer_factor / s};
    case Answer::edm: {
      const double d = edm_deviation, variance = s * s + d * d * a * a, root = std::sqrt(variance), c_out = s * d / root;
      return {(known.data.x_factor - d * d * a / variance) / c_out, known.data.answer_factor / c_out};
    }
  }
  return {};
}

[[noreturn]] void refuse(Answer from, Answer to, const NoiseLevel& level, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::configuration, {.doing = std::string("computing the ") + name(to) + " from a model that answers " + name(from),
                                             .key = "level",
                                             .value = "alpha " + to_text(level.alpha) + ", sigma " + to_text(level.sigma),
                                             .rule = std::move(rule),
                                             .remedy = std::move(remedy)});
}

}  // namespace

const char* name(Answer answer) {
  static constexpr std::array<const char*, 6> names = {"data", "noise", "v", "velocity", "score", "edm"};
  return names[static_cast<std::size_t>(answer)];
}

Conversion conversion(Answer from, Answer to, const NoiseLevel& level, const NoiseSchedule& schedule) {
  if (from == to) return {0, 1};
  if ((from == Answer::v || to == Answer::v) && std::abs(level.alpha * level.alpha + level.sigma * level.sigma - 1) > 1e-6) {
    refuse(from, to, level, "must have alpha² + sigma² = 1", "take a schedule that preserves variance, or a model that answers velocity");
  }
  const Affine wanted = assembled(to, parts(from, level, schedule), level, schedule);
  if (std::isfinite(wanted.x_factor) && std::isfinite(wanted.answer_factor)) return wanted;
  refuse(from, to, level, "does not let the one follow from the other",
         level.alpha == 0 ? "begin where alpha > 0, or take a model that answers data or velocity" : "end where sigma > 0, or take a solver that keeps data");
}

}  // namespace buffon
