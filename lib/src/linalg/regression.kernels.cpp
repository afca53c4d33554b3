// SPDX-License-Identifier: BSD-3-Clause

// Loops over the observations of a regression, compiled once per instruction set as dense.kernels.cpp is. Nothing with external linkage
// may enter from a header.

#include "../compiled_for.hpp"
#include "regression_kernels.hpp"

#include <buffon/random/scalar_kernels.hpp>

namespace buffon::BUFFON_KERNELS {
namespace {

#if defined(__AVX512F__)
constexpr int width = 8;
#elif defined(__AVX2__)
constexpr int width = 4;
#else
constexpr int width = 2;
#endif
typedef double Vector __attribute__((vector_size(width * sizeof(double))));
typedef int64_t Bits __attribute__((vector_size(width * sizeof(int64_t))));

inline Vector load(const double* p) {
  Vector v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store(double* p, Vector v) { __builtin_memcpy(p, &v, sizeof v); }
inline Vector all(double x) { return Vector{} + x; }
inline Bits bits_of(Vector v) { return reinterpret_cast<Bits>(v); }
inline Vector vector_of(Bits v) { return reinterpret_cast<Vector>(v); }

// Observation i belongs to lane i mod 16; lanes are folded by halves. Enough accumulators to hide the latency of an addition, few enough
// for the registers of every instruction set.
constexpr int lanes = 16;
constexpr int vectors = lanes / width;

template <class Operation>
inline double fold(const Vector* total, Operation operation) {
  double lane[lanes];
  for (int v = 0; v < vectors; ++v) store(lane + v * width, total[v]);
  for (int half = lanes / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) lane[l] = operation(lane[l], lane[l + half]);
  }
  return lane[0];
}
struct Sum {
  double operator()(double x, double y) const { return x + y; }
};
struct Product {
  double operator()(double x, double y) const { return x * y; }
};

struct Plane {
  explicit Plane(const PredictorPlane& plane) : c(plane.c), p(plane.p), q(plane.q), a(all(plane.a)), b(all(plane.b)) {}
  Vector at(uint64_t i) const { return load(c + i) + (a * load(p + i) + b * load(q + i)); }
  const double *c, *p, *q;
  Vector a, b;
};

// x = k log 2 + r, |r| ≤ ½ log 2: e^x = 2^k (1 + r + r² P(r)), P as in scalar::expm1_reduced. −708 ≤ x ≤ 709.
inline Vector exp_normal(Vector x) {
  const Vector magic = all(6755399441055744.0);  // 1.5·2⁵²: the sum's low bits are the nearest whole number
  const Vector shifted = x * all(0x1.71547652b82fep+0) + magic;
  const Vector k = shifted - magic;
  const Vector r = (x - k * all(0x1.62e42fefa3000p-1)) - k * all(0x1.3de6af278ece6p-42);
  Vector p = all(0x1.ad7ed24265bf6p-26);
  p = p * r + all(0x1.28adcc4eb648bp-22);
  p = p * r + all(0x1.71df2648fc4fdp-19);
  p = p * r + all(0x1.a01999b083b80p-16);
  p = p * r + all(0x1.a01a0129a903fp-13);
  p = p * r + all(0x1.6c16c18449cc1p-10);
  p = p * r + all(0x1.1111111127e9dp-7);
  p = p * r + all(0x1.55555555507f8p-5);
  p = p * r + all(0x1.55555555554f9p-3);
  p = p * r + all(0x1.000000000000ap-1);
  const Vector y = all(1.0) + (r + r * r * p);
  // The low bits of `shifted` are k, in two's complement; added to the exponent. 2^1023·y with y < 1 … √2 is finite.
  return vector_of(bits_of(y) + (bits_of(shifted) << 52));
}

void product(const double* x, uint64_t n, uint64_t d, const double* v, double* out) {
  constexpr int some = width == 2 ? 4 : 8;  // accumulators
  for (uint64_t block = 0; block < n; block += design_rows, x += design_rows * d, out += design_rows) {
    for (uint64_t first = 0; first < design_rows; first += some * width) {
      Vector total[some];
      for (int s = 0; s < some; ++s) total[s] = all(0);
      const double* column = x + first;
      for (uint64_t j = 0; j < d; ++j, column += design_rows) {
        const Vector factor = all(v[j]);
        for (int s = 0; s < some; ++s) total[s] += factor * load(column + s * width);
      }
      for (int s = 0; s < some; ++s) store(out + first + static_cast<uint64_t>(s * width), total[s]);
    }
  }
}

void predictors(const PredictorPlane& given, uint64_t n, double* eta) {
  const Plane plane(given);
  for (uint64_t i = 0; i < n; i += width) store(eta + i, plane.at(i));
}

void turn(double* p, const double* q, double a, double b, uint64_t n) {
  for (uint64_t i = 0; i < n; i += width) store(p + i, all(a) * load(p + i) + all(b) * load(q + i));
}

// log(1 + e^t) = max(t, 0) + log(1 + e^−|t|). The factors 1 + e^−|t| lie in [1, 2], so that a product of up to 1023 of them is a double:
// one logarithm for all. Its rounding errors add up to less than 2⁻⁵² per factor.
double logistic(const PredictorPlane& given, const double* flip, uint64_t n) {
  constexpr uint64_t product_rows = 960;
  const Plane plane(given);
  const Bits sign = Bits{} + INT64_MIN;
  Vector positive[vectors];
  for (int v = 0; v < vectors; ++v) positive[v] = all(0);
  double logs = 0;
  for (uint64_t first = 0; first < n; first += product_rows) {
    const uint64_t end = n - first < product_rows ? n : first + product_rows;
    Vector factors[vectors];
    for (int v = 0; v < vectors; ++v) factors[v] = all(1);
    for (uint64_t i = first; i < end; i += lanes) {
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) {
        const uint64_t at = i + static_cast<uint64_t>(v * width);
        const Vector t = vector_of(bits_of(plane.at(at)) ^ bits_of(load(flip + at)));
        positive[v] += t < all(0) ? all(0) : t;  // keeps NaN
        const Vector down = vector_of(bits_of(t) | sign);
        const Vector z = down > all(-50) ? down : all(-50);  // 1 + e^−50 = 1
        factors[v] *= all(1) + exp_normal(z);
      }
    }
    logs += scalar::log(fold(factors, Product{}));
  }
  return -(fold(positive, Sum{}) + logs);
}

double poisson(const PredictorPlane& given, const double* y, uint64_t n) {
  const Plane plane(given);
  const Vector infinite = all(__builtin_inf());
  Vector linear[vectors], means[vectors];
  for (int v = 0; v < vectors; ++v) linear[v] = means[v] = all(0);
  for (uint64_t i = 0; i < n; i += lanes) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      const uint64_t at = i + static_cast<uint64_t>(v * width);
      const Vector eta = plane.at(at);
      linear[v] += load(y + at) * eta;
      const Vector low = eta < all(-708) ? all(-708) : eta;  // e^−708 = 3e-308 counts for nothing
      const Vector safe = low < all(709) ? low : all(709);
      means[v] += eta > all(709) ? infinite : exp_normal(safe);
    }
  }
  const double products = fold(linear, Sum{}), mean = fold(means, Sum{});
  if (products != products) return products;
  return mean < __builtin_inf() ? products - mean : -__builtin_inf();
}

double squares(const PredictorPlane& given, const double* y, uint64_t n) {
  const Plane plane(given);
  Vector total[vectors];
  for (int v = 0; v < vectors; ++v) total[v] = all(0);
  for (uint64_t i = 0; i < n; i += lanes) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      const uint64_t at = i + static_cast<uint64_t>(v * width);
      const Vector residual = load(y + at) - plane.at(at);
      total[v] += residual * residual;
    }
  }
  return fold(total, Sum{});
}

}  // namespace

extern const RegressionKernels regression;
const RegressionKernels regression = {BUFFON_COMPILED_FOR, product, predictors, turn, logistic, poisson, squares};

}  // namespace buffon::BUFFON_KERNELS
