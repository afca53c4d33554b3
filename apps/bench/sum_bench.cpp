// SPDX-License-Identifier: BSD-3-Clause
// Sums of doubles, in cache and in memory, on every instruction set, against a plain loop over 32 SIMD lanes of the same width.
// Every contender sums the same values; a unit of work is 10⁹ values.
#include <buffon/random/kernel_variant.hpp>
#include <buffon/stats/sum.hpp>

#include <immintrin.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "interleave.hpp"

using namespace buffon;

namespace {

double serial(std::span<const double> x) {
  double s = 0;
  for (const double v : x) s += v;
  return s;
}

// 32 lanes in registers for the whole array, written for the widest instruction set that the kernels use.
__attribute__((target("avx512f"))) double lanes_512(std::span<const double> x) {
  __m512d a = _mm512_setzero_pd(), b = a, c = a, d = a;
  const double* p = x.data();
  for (std::size_t i = 0; i + 32 <= x.size(); i += 32) {
    a = _mm512_add_pd(a, _mm512_loadu_pd(p + i));
    b = _mm512_add_pd(b, _mm512_loadu_pd(p + i + 8));
    c = _mm512_add_pd(c, _mm512_loadu_pd(p + i + 16));
    d = _mm512_add_pd(d, _mm512_loadu_pd(p + i + 24));
  }
  const __m512d s = _mm512_add_pd(_mm512_add_pd(a, c), _mm512_add_pd(b, d));
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

__attribute__((target("avx2"))) double lanes_256(std::span<const double> x) {
  __m256d s[8];
  for (auto& v : s) v = _mm256_setzero_pd();
  const double* p = x.data();
  for (std::size_t i = 0; i + 32 <= x.size(); i += 32) {
    for (std::size_t v = 0; v < 8; ++v) s[v] = _mm256_add_pd(s[v], _mm256_loadu_pd(p + i + 4 * v));
  }
  double total = 0;
  for (const auto& v : s) total += (v[0] + v[1]) + (v[2] + v[3]);
  return total;
}

double lanes_128(std::span<const double> x) {
  __m128d s[16];
  for (auto& v : s) v = _mm_setzero_pd();
  const double* p = x.data();
  for (std::size_t i = 0; i + 32 <= x.size(); i += 32) {
    for (std::size_t v = 0; v < 16; ++v) s[v] = _mm_add_pd(s[v], _mm_loadu_pd(p + i + 2 * v));
  }
  double total = 0;
  for (const auto& v : s) total += v[0] + v[1];
  return total;
}

double plain_lanes(std::span<const double> x) {
  if (kernel_variant() == "x86-64-v4") return lanes_512(x);
  if (kernel_variant() == "x86-64-v3") return lanes_256(x);
  return lanes_128(x);
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("sum_bench", argc, argv);
  volatile double result = 0;
  for (const auto variant : available_kernel_variants()) {
    force_kernel_variant(variant);
    for (const std::size_t n : {std::size_t{1} << 12, std::size_t{1} << 15, std::size_t{1} << 22}) {
      std::vector<double> storage(n + 8);
      // from a cache line on: where vectors straddle lines depends on the allocator, and is worth a third
      const std::span<double> x(storage.data() + (64 - reinterpret_cast<std::uintptr_t>(storage.data()) % 64) % 64 / sizeof(double), n);
      for (std::size_t i = 0; i < n; ++i) x[i] = 1.0 / static_cast<double>(i + 1);
      const std::string of = ", " + std::string(variant) + ", " + std::to_string(n) + " values";
      const double work = 1e-9 * static_cast<double>(n);
      report.compare(
          "sum" + of, "G/s", work,
          {{"sum", [&] { result = sum(x); }}, {"plain loop over 32 lanes", [&] { result = plain_lanes(x); }}, {"serial loop", [&] { result = serial(x); }}});
      report.compare("compensated sum" + of, "G/s", work,
                     {{"compensated_sum", [&] { result = compensated_sum(x); }}, {"plain loop over 32 lanes", [&] { result = plain_lanes(x); }}});
    }
  }
  return report.finish();
}
