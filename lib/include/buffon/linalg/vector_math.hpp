// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>

namespace buffon {

/// y[i] = exp(x[i]), at most 1.5 ulp, the same bits on every CPU and compiler. Full range: 0 at −∞, ∞ at +∞ and above 709.79,
/// subnormal results, NaN kept. `x` and `y` have one length and are the same array or disjoint.
void vector_exp(std::span<const double> x, std::span<double> y);

/// y[i] = log(x[i]), at most 1 ulp, the same bits on every CPU and compiler. Full range: −∞ at ±0, NaN below 0, +∞ at +∞,
/// subnormal arguments, NaN kept. `x` and `y` as in `vector_exp`.
void vector_log(std::span<const double> x, std::span<double> y);

/// y[i] = sin(x[i]) and cos(x[i]), within 2.5 ulp (of 2⁻²⁰ where the result is smaller), the same bits on every CPU and compiler for
/// |x| ≤ 1e6; beyond, the system's functions. `x` and `y` as in `vector_exp`.
void vector_sin(std::span<const double> x, std::span<double> y);
void vector_cos(std::span<const double> x, std::span<double> y);

/// y[i] = Φ(x[i]), the bits of `normal_cdf`, the same on every CPU and compiler: at most 4 ε relative while the value is a normal
/// number (x ≥ −37.5), NaN kept. `x` and `y` as in `vector_exp`.
void vector_normal_cdf(std::span<const double> x, std::span<double> y);

/// y[i] = log Φ(x[i]), the bits of `log_normal_cdf`. The same on every CPU and compiler for x ≥ −20, one by one with the
/// system's functions below. `x` and `y` as in `vector_exp`.
void vector_log_normal_cdf(std::span<const double> x, std::span<double> y);

}  // namespace buffon
