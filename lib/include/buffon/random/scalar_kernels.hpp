// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// The number kernels of buffon, one item at a time: random words, uniforms, normals, exp, log and Φ. Only + − × ÷ √ and integer
// operations, so that every compiler, vector width and device gives the same bits when contraction is off
// (`-ffp-contract=off`, nvcc: `--fmad=false`). The library compiles loops over these functions once per instruction set;
// other code may call them where generation is fused with use. Every function has internal linkage: a copy compiled for one
// instruction set can never be linked into code for another.

#include <stdint.h>

#if defined(__CUDACC__)
#define BUFFON_HOST_DEVICE __host__ __device__
#define BUFFON_SCALAR static __forceinline__ BUFFON_HOST_DEVICE
#else
#define BUFFON_HOST_DEVICE
#define BUFFON_SCALAR static inline __attribute__((always_inline))
#endif

namespace buffon::scalar {

// ------------------------------------------------------------------------------------------------------------------
// bits

BUFFON_SCALAR uint64_t bits_of(double x) { return __builtin_bit_cast(uint64_t, x); }
BUFFON_SCALAR double double_of(uint64_t b) { return __builtin_bit_cast(double, b); }
/// mask ? a : b with mask all ones or all zeros.
BUFFON_SCALAR uint64_t select_bits(uint64_t mask, uint64_t a, uint64_t b) { return b ^ (mask & (a ^ b)); }

#if defined(__CUDA_ARCH__)
BUFFON_SCALAR double square_root(double x) { return __dsqrt_rn(x); }
#else
BUFFON_SCALAR double square_root(double x) { return __builtin_sqrt(x); }
#endif

// ------------------------------------------------------------------------------------------------------------------
// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011)

struct Words {
  uint32_t w[4];
};

BUFFON_SCALAR Words philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = static_cast<uint64_t>(0xD2511F53u) * c0;
    const uint64_t p1 = static_cast<uint64_t>(0xCD9E8D57u) * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ key0;
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ key1;
    c1 = static_cast<uint32_t>(p1);
    c3 = static_cast<uint32_t>(p0);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return Words{{c0, c1, c2, c3}};
}

/// The words of draw block `draw` of item `item` of the stream (key0, key1, id).
BUFFON_SCALAR Words item_words(uint32_t key0, uint32_t key1, uint32_t id, uint64_t item, uint32_t draw) {
  return philox(draw, static_cast<uint32_t>(item), static_cast<uint32_t>(item >> 32), id, key0, key1);
}

BUFFON_SCALAR uint64_t word64(uint32_t low, uint32_t high) { return static_cast<uint64_t>(high) << 32 | low; }

// ------------------------------------------------------------------------------------------------------------------
// uniforms; `low`, `high` are the halves of a 64-bit word

/// The upper 53 bits of the word as a whole number plus `offset` (0 or 1), exactly.
BUFFON_SCALAR double grains(uint32_t low, uint32_t high, double offset) {
  const double upper = static_cast<double>(static_cast<int32_t>(high ^ 0x80000000u));  // high − 2³¹
  const double lower = static_cast<double>(static_cast<int32_t>(low >> 11));
  return upper * 2097152.0 + (4503599627370496.0 + offset + lower);
}

/// Uniform in (0, 1) with grain 2⁻⁵³: k·2⁻⁵³ for the upper 53 bits k; 2⁻⁵⁴, the middle of the first cell, for k = 0.
BUFFON_SCALAR double uniform(uint32_t low, uint32_t high) {
  const double k = grains(low, high, 0.0);
  return (k == 0.0 ? 0.5 : k) * 0x1p-53;
}

// ------------------------------------------------------------------------------------------------------------------
// log

/// log(x) for positive normal x plus `scale`·log 2. x = 2ᵏ·m, √½ ≤ m < √2, f = m − 1, s = f / (2 + f),
/// log(1 + f) = f − f²/2 + s·(f²/2 + R(s²)), R minimax of degree 7 without constant term (relative error 2⁻⁵⁹).
BUFFON_SCALAR double log_positive(double x, double scale) {
  const uint64_t sqrt_half = 0x3FE6A09E667F3BCDu;
  const uint64_t shifted = bits_of(x) + (0x3FF0000000000000u - sqrt_half);
  const double k = double_of((shifted >> 52) | 0x4330000000000000u) - (4503599627370496.0 + 1023.0) + scale;
  const double f = double_of((shifted & 0x000FFFFFFFFFFFFFu) + sqrt_half) - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double h = 0.5 * f * f;
  double r = 0x1.2f04fab3a3dc2p-3;
  r = r * z + 0x1.39a1c611be37ep-3;
  r = r * z + 0x1.74663e6c400d5p-3;
  r = r * z + 0x1.c71c520c013abp-3;
  r = r * z + 0x1.24924941ed71ep-2;
  r = r * z + 0x1.999999997fe06p-2;
  r = r * z + 0x1.5555555555592p-1;
  r = r * z;
  return k * 0x1.62e42fefa3000p-1 - ((h - (s * (h + r) + k * 0x1.3de6af278ece6p-42)) - f);
}

/// log on the whole line: −∞ at ±0, NaN below 0, +∞ at +∞, NaN at NaN; at most 1 ulp elsewhere.
BUFFON_SCALAR double log(double x) {
  const bool tiny = x < 0x1p-1022;
  const double y = log_positive(tiny ? x * 0x1p54 : x, tiny ? -54.0 : 0.0);
  const double infinity = double_of(0x7FF0000000000000u);
  const double at_ends = x == 0.0 ? -infinity : (x == infinity ? infinity : double_of(0x7FF8000000000000u));
  return x > 0.0 && x < infinity ? y : at_ends;
}

// ------------------------------------------------------------------------------------------------------------------
// exp

/// exp(r) − 1 for |r| ≤ ½ log 2 and a little more: r + r²·P(r), P minimax of degree 9 (relative error 2⁻⁵⁸).
BUFFON_SCALAR double expm1_reduced(double r) {
  double p = 0x1.ad7ed24265bf6p-26;
  p = p * r + 0x1.28adcc4eb648bp-22;
  p = p * r + 0x1.71df2648fc4fdp-19;
  p = p * r + 0x1.a01999b083b80p-16;
  p = p * r + 0x1.a01a0129a903fp-13;
  p = p * r + 0x1.6c16c18449cc1p-10;
  p = p * r + 0x1.1111111127e9dp-7;
  p = p * r + 0x1.55555555507f8p-5;
  p = p * r + 0x1.55555555554f9p-3;
  p = p * r + 0x1.000000000000ap-1;
  return r + r * r * p;
}

/// y·2ᵏ for −1100 ≤ k ≤ 1024, rounded once, with `biased` = k + 2048: two factors, since 2ᵏ may be no double.
BUFFON_SCALAR double scale_by_power(double y, uint64_t biased) {
  const uint64_t half = biased >> 1;
  return y * double_of((half - 1) << 52) * double_of((biased - half - 1) << 52);
}

/// exp on the whole line, at most 1.5 ulp, also where the result is subnormal. x = k·log 2 + r, |r| ≤ ½ log 2.
BUFFON_SCALAR double exp(double x) {
  const double above = x < 710.0 ? x : 710.0;
  const double t = above > -746.0 ? above : -746.0;
  const double magic = 6755399441055744.0;  // 1.5·2⁵²: the sum's low bits are the nearest whole number
  const double shifted = t * 0x1.71547652b82fep+0 + magic;
  const double k = shifted - magic;
  const double r = (t - k * 0x1.62e42fefa3000p-1) - k * 0x1.3de6af278ece6p-42;
  const double y = scale_by_power(1.0 + expm1_reduced(r), bits_of(shifted) - bits_of(magic) + 2048);
  return x == x ? y : x;
}

// ------------------------------------------------------------------------------------------------------------------
// sine and cosine

/// sin(x + quarter·π/2) for |x| ≤ 1e6. x = k·π/2 + r with π/2 in three parts, the first two of 33 bits, so that their multiples are
/// exact; Taylor polynomials of sin r and cos r, |r| ≤ π/4 (remainders below 1e-18).
BUFFON_SCALAR double sine_near(double x, uint64_t quarter) {
  const double magic = 6755399441055744.0;  // as in exp
  const double shifted = x * 0x1.45f306dc9c883p-1 + magic;
  const double k = shifted - magic;
  const double r = ((x - k * 0x1.921fb54400000p+0) - k * 0x1.0b4611a600000p-34) - k * 0x1.3198a2e037073p-69;
  const double z = r * r;
  double s = 0x1.952c77030ad4ap-49;
  s = s * z - 0x1.ae7f3e733b81fp-41;
  s = s * z + 0x1.6124613a86d09p-33;
  s = s * z - 0x1.ae64567f544e4p-26;
  s = s * z + 0x1.71de3a556c734p-19;
  s = s * z - 0x1.a01a01a01a01ap-13;
  s = s * z + 0x1.1111111111111p-7;
  s = s * z - 0x1.5555555555555p-3;
  const double sine = r + r * z * s;
  double c = 0x1.ae7f3e733b81fp-45;
  c = c * z - 0x1.93974a8c07c9dp-37;
  c = c * z + 0x1.1eed8eff8d898p-29;
  c = c * z - 0x1.27e4fb7789f5cp-22;
  c = c * z + 0x1.a01a01a01a01ap-16;
  c = c * z - 0x1.6c16c16c16c17p-10;
  c = c * z + 0x1.5555555555555p-5;
  const double half = 0.5 * z;
  const double rest = 1.0 - half;
  const double cosine = rest + (((1.0 - rest) - half) + z * z * c);
  const uint64_t q = bits_of(shifted) + quarter;
  const uint64_t odd = 0 - (q & 1);
  return double_of(select_bits(odd, bits_of(cosine), bits_of(sine)) ^ (q & 2) << 62);
}

// ------------------------------------------------------------------------------------------------------------------
// the normal law

/// e^{a²/2} Φ(−a) for 0 ≤ a ≤ 39, at most 2 ε relative: 1 / (√(2π) a + R(a)), R a quotient of polynomials of degrees 9 and 10,
/// 2 at 0, minimax in the relative error of the result (2⁻⁵⁷). All coefficients are positive, so nothing cancels, and the
/// rounding errors of R weigh little where a is large.
BUFFON_SCALAR double normal_tail_factor(double a) {
  double above = 0x1.81f689fd6871ap-20;
  above = above * a + 0x1.69dee988df394p-15;
  above = above * a + 0x1.4d858f709652ap-11;
  above = above * a + 0x1.87f10866757efp-8;
  above = above * a + 0x1.41d7fff7aafd0p-5;
  above = above * a + 0x1.7e8f02c1795d2p-3;
  above = above * a + 0x1.4a021387e5958p-1;
  above = above * a + 0x1.916adf8e5f8fbp+0;
  above = above * a + 0x1.3cfaad9d6bf0cp+1;
  above = above * a + 0x1p+1;
  double below = 0x1.33f4364595958p-21;
  below = below * a + 0x1.20bb2863b54f1p-16;
  below = below * a + 0x1.0b5095396a73ap-12;
  below = below * a + 0x1.3d3c4ad967aefp-9;
  below = below * a + 0x1.090dc50e3a69dp-6;
  below = below * a + 0x1.445c1b6f420b9p-4;
  below = below * a + 0x1.25dfb01437315p-2;
  below = below * a + 0x1.85a11bc01ed09p-1;
  below = below * a + 0x1.6b31bdf2d1791p+0;
  below = below * a + 0x1.b191b5fe2cae7p+0;
  below = below * a + 0x1p+0;
  return 1.0 / (a * 0x1.40d931ff62706p+1 + above / below);
}

/// Φ(−a) for a ≥ 0, at most 3 ε relative while it is a normal number (a ≤ 37.5), with gradual underflow to 0 at 38.5. The square
/// in exp(−a²/2) is split as a² = c² + (a − c)(a + c) with 26 bits in c, so that c² is exact; never above ½; NaN is kept.
BUFFON_SCALAR double normal_tail(double a) {
  const double t = a < 39.0 ? a : 39.0;
  const double c = double_of(bits_of(t) & 0xFFFFFFFFF8000000u);
  const double square = -0.5 * (c * c);
  const double magic = 6755399441055744.0;  // as in exp
  const double shifted = square * 0x1.71547652b82fep+0 + magic;
  const double k = shifted - magic;
  const double r = ((square - k * 0x1.62e42fefa3000p-1) - k * 0x1.3de6af278ece6p-42) - 0.5 * ((t - c) * (t + c));
  const double factor = normal_tail_factor(t);
  const double y = scale_by_power(factor + factor * expm1_reduced(r), bits_of(shifted) - bits_of(magic) + 2048);
  const double bounded = y < 0.5 ? y : 0.5;
  return a == a ? bounded : a;
}

/// Φ(x): the tail itself below 0, 1 minus the other tail above.
BUFFON_SCALAR double normal_cdf(double x) {
  const double tail = normal_tail(x < 0.0 ? -x : x);
  return x > 0.0 ? 1.0 - tail : tail;
}

/// log Φ(x) for x ≥ −37.5: log of the tail t below 0, log(1 − t) above, there with the rounding error of 1 − t to first order.
BUFFON_SCALAR double log_normal_cdf(double x) {
  const double tail = normal_tail(x < 0.0 ? -x : x);
  const double whole = 1.0 - tail;
  const double rest = (1.0 - whole) - tail;
  const double y = log_positive(x > 0.0 ? whole : tail, 0.0);
  return x > 0.0 ? y + (rest + rest * tail) : y;
}

// ------------------------------------------------------------------------------------------------------------------
// normals

struct Pair {
  double a, b;
};

/// Two independent standard normals by Box–Muller: R = √(−2 log u) with u = (k + 1)·2⁻⁵³ ∈ (0, 1] from the first word
/// (so R ≤ 8.57), angle 2πv from the second word, v ≡ (w + ½ grain)/2⁶⁴; a = R cos 2πv, b = R sin 2πv.
BUFFON_SCALAR Pair normal_pair(uint32_t w0, uint32_t w1, uint32_t w2, uint32_t w3) {
  const double radius = square_root(-2.0 * log_positive(grains(w0, w1, 1.0) * 0x1p-53, 0.0));
  // Quarter turns: nearest whole number (two bits), and the signed rest t in (−½, ½), an odd multiple of 2⁻⁵³.
  const uint64_t w = word64(w2, w3);
  const uint64_t quarter = (w + (uint64_t{1} << 61)) >> 62;
  const uint64_t rest = (w << 2) ^ (uint64_t{1} << 63);
  const double t = (double_of((rest >> 12) | 0x3FF0000000000000u) - 1.5) + 0x1p-53;
  // sin(πt/2) and cos(πt/2), minimax in t² (relative errors 2⁻⁵⁸ and 2⁻⁶⁴)
  const double z = t * t;
  double p = 0x1.e40350fc93ab5p-25;
  p = p * z - 0x1.e300a5028df73p-19;
  p = p * z + 0x1.5078301a0d8f1p-13;
  p = p * z - 0x1.32d2cce331ff9p-8;
  p = p * z + 0x1.466bc67758d76p-4;
  p = p * z - 0x1.4abbce625be47p-1;
  const double sine = t * 0x1.921fb54442d18p+0 + (t * 0x1.1a62633145c07p-54 + t * z * p);
  double q = -0x1.b26f75749a973p-28;
  q = q * z + 0x1.f9cc695fce785p-22;
  q = q * z - 0x1.a6d1ecb576237p-16;
  q = q * z + 0x1.e1f50683b1ffdp-11;
  q = q * z - 0x1.55d3c7e3c95a7p-6;
  q = q * z + 0x1.03c1f081b5ab0p-2;
  q = q * z - 0x1.3bd3cc9be45dep+0;
  const double cosine = 1.0 + z * q;
  // turn by `quarter`: 0 (c, s), 1 (−s, c), 2 (−c, −s), 3 (s, −c)
  const uint64_t swap = 0 - (quarter & 1);
  const uint64_t sign_a = ((quarter + 1) & 2) << 62;
  const uint64_t sign_b = (quarter & 2) << 62;
  const double c = double_of(select_bits(swap, bits_of(sine), bits_of(cosine)) ^ sign_a);
  const double s = double_of(select_bits(swap, bits_of(cosine), bits_of(sine)) ^ sign_b);
  return Pair{radius * c, radius * s};
}

/// Numerator and denominator of Φ⁻¹(u), 0 < u < 1, by the rational approximations of Wichura, "Algorithm AS 241: the percentage points of the normal
/// distribution", 1988 (PPND16, relative error about 1e-16 before rounding). `1 − u` must be exact, as it
/// is for `uniform`. Here near the median, as a function of q = u − ½, |q| ≤ 0.425.
struct Ratio {
  double above, below;
};

BUFFON_SCALAR Ratio inverse_normal_central(double q) {
  const double r = 0.180625 - q * q;
  double a = 2.5090809287301226727e3;
  a = a * r + 3.3430575583588128105e4;
  a = a * r + 6.7265770927008700853e4;
  a = a * r + 4.5921953931549871457e4;
  a = a * r + 1.3731693765509461125e4;
  a = a * r + 1.9715909503065514427e3;
  a = a * r + 1.3314166789178437745e2;
  a = a * r + 3.3871328727963666080e0;
  double b = 5.2264952788528545610e3;
  b = b * r + 2.8729085735721942674e4;
  b = b * r + 3.9307895800092710610e4;
  b = b * r + 2.1213794301586595867e4;
  b = b * r + 5.3941960214247511077e3;
  b = b * r + 6.8718700749205790830e2;
  b = b * r + 4.2313330701600911252e1;
  b = b * r + 1.0;
  return Ratio{q * a, b};
}

/// −Φ⁻¹ of a tail probability p with r = √(−log p) in [1.2, 5].
BUFFON_SCALAR Ratio inverse_normal_tail(double root) {
  const double r = root - 1.6;
  double a = 7.74545014278341407640e-4;
  a = a * r + 2.27238449892691845833e-2;
  a = a * r + 2.41780725177450611770e-1;
  a = a * r + 1.27045825245236838258e0;
  a = a * r + 3.64784832476320460504e0;
  a = a * r + 5.76949722146069140550e0;
  a = a * r + 4.63033784615654529590e0;
  a = a * r + 1.42343711074968357734e0;
  double b = 1.05075007164441684324e-9;
  b = b * r + 5.47593808499534494600e-4;
  b = b * r + 1.51986665636164571966e-2;
  b = b * r + 1.48103976427480074590e-1;
  b = b * r + 6.89767334985100004550e-1;
  b = b * r + 1.67638483018380384940e0;
  b = b * r + 2.05319162663775882187e0;
  b = b * r + 1.0;
  return Ratio{a, b};
}

/// −Φ⁻¹ of a tail probability p with r = √(−log p) > 5.
BUFFON_SCALAR Ratio inverse_normal_far_tail(double root) {
  const double r = root - 5.0;
  double a = 2.01033439929228813265e-7;
  a = a * r + 2.71155556874348757815e-5;
  a = a * r + 1.24266094738807843860e-3;
  a = a * r + 2.65321895265761230930e-2;
  a = a * r + 2.96560571828504891230e-1;
  a = a * r + 1.78482653991729133580e0;
  a = a * r + 5.46378491116411436990e0;
  a = a * r + 6.65790464350110377720e0;
  double b = 2.04426310338993978564e-15;
  b = b * r + 1.42151175831644588870e-7;
  b = b * r + 1.84631831751005468180e-5;
  b = b * r + 7.86869131145613259100e-4;
  b = b * r + 1.48753612908506148525e-2;
  b = b * r + 1.36929880922735805310e-1;
  b = b * r + 5.99832206555887937690e-1;
  b = b * r + 1.0;
  return Ratio{a, b};
}

/// √(−log min(u, 1 − u)), the variable of the tails.
BUFFON_SCALAR double inverse_normal_root(double u) { return square_root(-log_positive(u < 0.5 ? u : 1.0 - u, 0.0)); }

/// Φ⁻¹(u) where √(−log min(u, 1 − u)) ≤ 5: everything but 2.8e-11 of the probability. Branch-free, one division for both.
BUFFON_SCALAR double inverse_normal_near(double u) {
  const double q = u - 0.5;
  const Ratio centre = inverse_normal_central(q);
  const Ratio tail = inverse_normal_tail(inverse_normal_root(u));
  const uint64_t sign = bits_of(q) & (uint64_t{1} << 63);
  const bool central = double_of(bits_of(q) ^ sign) <= 0.425;
  const double above = central ? centre.above : double_of(bits_of(tail.above) ^ sign);
  const double below = central ? centre.below : tail.below;
  return above / below;
}

/// Tail probability below which the third approximation is used; exp(−25) = 1.39e-11.
constexpr double inverse_normal_far_limit = 1.388794386496402e-11;

/// Φ⁻¹(u), 0 < u < 1.
BUFFON_SCALAR double inverse_normal(double u) {
  if ((u < 0.5 ? u : 1.0 - u) >= inverse_normal_far_limit) return inverse_normal_near(u);
  const Ratio tail = inverse_normal_far_tail(inverse_normal_root(u));
  return (u < 0.5 ? -tail.above : tail.above) / tail.below;
}

}  // namespace buffon::scalar
