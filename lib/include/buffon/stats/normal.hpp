// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace buffon {

/// The standard normal law Φ in plain and in log space, exact in both tails. NaN goes through every function.
/// Accuracies are relative to the value returned (ε = 2.2e-16) and hold for all finite arguments, as tested against
/// 50-digit references.

/// Φ(x) to 4 ε while it is a normal number (x ≥ −37.5); 0 where a double underflows. The same bits on every CPU and compiler.
double normal_cdf(double x);

/// 1 − Φ(x) = Φ(−x), without cancellation.
inline double normal_survival(double x) { return normal_cdf(-x); }

/// log Φ(x) to 4 ε, also where Φ underflows; −x²/2 − log(−x√(2π)) + log(1 − 1/x² + 3/x⁴ − …) far in the lower tail.
double log_normal_cdf(double x);

/// log(1 − Φ(x)).
inline double log_normal_survival(double x) { return log_normal_cdf(-x); }

/// log φ(x) = −x²/2 − log √(2π).
inline double log_normal_pdf(double x) { return -0.5 * x * x - 0.91893853320467274178; }

/// Mills ratio (1 − Φ(x)) / φ(x) for x ≥ 0, to 8 ε; about 1/x for large x.
double normal_mills_ratio(double x);

/// Φ⁻¹(p) to 8 ε (absolute near p = ½, where it is limited by the grain of p); ∓∞ at 0 and 1, NaN outside [0, 1].
double normal_quantile(double p);

/// x with log Φ(x) = log_p, for every log_p ≤ 0, also below the smallest double p; NaN for log_p > 0.
double normal_quantile_from_log(double log_p);

}  // namespace buffon
