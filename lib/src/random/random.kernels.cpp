// SPDX-License-Identifier: BSD-3-Clause

// Loops over the scalar kernels, compiled once per instruction set (lib/CMakeLists.txt). BUFFON_KERNELS names the namespace of
// this compilation. Nothing with external linkage may enter from a header: the linker could then pick a copy compiled for an
// instruction set that the machine lacks.

#include "../compiled_for.hpp"
#include "kernel_table.hpp"

#include <buffon/random/scalar_kernels.hpp>

#if defined(__SSE2__)
#include <immintrin.h>  // its functions are always inlined
#endif

namespace buffon::BUFFON_KERNELS {
namespace {

constexpr int block = 64;

/// Counters of a block of draws, structure of arrays, and the words made of them.
struct Counters {
  uint32_t draw[block];
  uint32_t low[block];
  uint32_t high[block];
};

struct Bits {
  uint32_t w0[block];
  uint32_t w1[block];
  uint32_t w2[block];
  uint32_t w3[block];
};

/// Runs through the draw blocks of items item, item + 1, … with `draws` blocks each.
struct Position {
  uint64_t item;
  uint64_t draws;
  uint64_t draw;
};

inline void number(Position& at, Counters& c) {
  if ((at.draws & (at.draws - 1)) == 0 && at.draws <= block) {  // then every block begins with an item, and the loop vectorises
    const int shift = __builtin_ctzll(at.draws);
    for (int i = 0; i < block; ++i) {
      const uint64_t item = at.item + static_cast<uint64_t>(i >> shift);
      c.draw[i] = static_cast<uint32_t>(i) & static_cast<uint32_t>(at.draws - 1);
      c.low[i] = static_cast<uint32_t>(item);
      c.high[i] = static_cast<uint32_t>(item >> 32);
    }
    at.item += static_cast<uint64_t>(block >> shift);
    return;
  }
  for (int i = 0; i < block; ++i) {
    c.draw[i] = static_cast<uint32_t>(at.draw);
    c.low[i] = static_cast<uint32_t>(at.item);
    c.high[i] = static_cast<uint32_t>(at.item >> 32);
    if (++at.draw == at.draws) {
      at.draw = 0;
      ++at.item;
    }
  }
}

#if defined(__SSE2__)

// 64-bit lanes of a register. A product of 32-bit words takes the lower half of each lane, so the upper halves may hold anything.
#if defined(__AVX512F__)
typedef uint64_t Lanes __attribute__((vector_size(64)));
inline Lanes product(Lanes a, Lanes b) { return reinterpret_cast<Lanes>(_mm512_mul_epu32(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b))); }
#elif defined(__AVX2__)
typedef uint64_t Lanes __attribute__((vector_size(32)));
inline Lanes product(Lanes a, Lanes b) { return reinterpret_cast<Lanes>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b))); }
#else
typedef uint64_t Lanes __attribute__((vector_size(16)));
inline Lanes product(Lanes a, Lanes b) { return reinterpret_cast<Lanes>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b))); }
#endif

inline Lanes load(const uint32_t* from) {
  Lanes x;
  __builtin_memcpy(&x, from, sizeof x);
  return x;
}

/// The lower halves of `even` and `odd` in turns.
inline void store(uint32_t* to, Lanes even, Lanes odd) {
  const Lanes x = (even & uint64_t{0xFFFFFFFF}) | (odd << 32);
  __builtin_memcpy(to, &x, sizeof x);
}

/// `scalar::philox` for as many counters as a register has words, those at even places apart from those at odd ones: then no word changes its place
/// between rounds.
inline void philox_block(const KernelStream& s, const Counters& c, Bits& w) {
  constexpr int words = sizeof(Lanes) / sizeof(uint32_t);
  static_assert(block % words == 0);
  const Lanes zero = {};
  const Lanes factor0 = zero + uint64_t{0xD2511F53u}, factor1 = zero + uint64_t{0xCD9E8D57u}, id = zero + uint64_t{s.id};
  for (int i = 0; i < block; i += words) {
    const Lanes draw = load(c.draw + i), low = load(c.low + i), high = load(c.high + i);
    Lanes c0[2] = {draw, draw >> 32}, c1[2] = {low, low >> 32}, c2[2] = {high, high >> 32}, c3[2] = {id, id};
    uint32_t key0 = s.key0, key1 = s.key1;
    for (int round = 0; round < 10; ++round) {
      const Lanes keys0 = zero + uint64_t{key0}, keys1 = zero + uint64_t{key1};
      for (int k = 0; k < 2; ++k) {
        const Lanes p0 = product(c0[k], factor0), p1 = product(c2[k], factor1);
        c0[k] = (p1 >> 32) ^ c1[k] ^ keys0;
        c2[k] = (p0 >> 32) ^ c3[k] ^ keys1;
        c1[k] = p1;
        c3[k] = p0;
      }
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    store(w.w0 + i, c0[0], c0[1]);
    store(w.w1 + i, c1[0], c1[1]);
    store(w.w2 + i, c2[0], c2[1]);
    store(w.w3 + i, c3[0], c3[1]);
  }
}

#else

inline void philox_block(const KernelStream& s, const Counters& c, Bits& w) {
  for (int i = 0; i < block; ++i) {
    const scalar::Words r = scalar::philox(c.draw[i], c.low[i], c.high[i], s.id, s.key0, s.key1);
    w.w0[i] = r.w[0];
    w.w1[i] = r.w[1];
    w.w2[i] = r.w[2];
    w.w3[i] = r.w[3];
  }
}

#endif

struct MakeWords {
  using Value = uint64_t;
  static void run(const Bits& w, uint64_t* a, uint64_t* b) {
    for (int i = 0; i < block; ++i) {
      a[i] = scalar::word64(w.w0[i], w.w1[i]);
      b[i] = scalar::word64(w.w2[i], w.w3[i]);
    }
  }
};

struct MakeUniforms {
  using Value = double;
  static void run(const Bits& w, double* a, double* b) {
    for (int i = 0; i < block; ++i) a[i] = scalar::uniform(w.w0[i], w.w1[i]);
    for (int i = 0; i < block; ++i) b[i] = scalar::uniform(w.w2[i], w.w3[i]);
  }
};

struct MakeNormals {
  using Value = double;
  static void run(const Bits& w, double* a, double* b) {
    for (int i = 0; i < block; ++i) {
      const scalar::Pair p = scalar::normal_pair(w.w0[i], w.w1[i], w.w2[i], w.w3[i]);
      a[i] = p.a;
      b[i] = p.b;
    }
  }
};

inline void invert(double* u) {
  double z[block];
  uint64_t below_limit = 0;  // the sign bit of a difference of bit patterns orders positive doubles, and gcc vectorises its "or"
  for (int i = 0; i < block; ++i) {
    below_limit |= scalar::bits_of(u[i] < 0.5 ? u[i] : 1.0 - u[i]) - scalar::bits_of(scalar::inverse_normal_far_limit);
  }
  for (int i = 0; i < block; ++i) z[i] = scalar::inverse_normal_near(u[i]);
  if (below_limit >> 63 != 0) {
    for (int i = 0; i < block; ++i) z[i] = scalar::inverse_normal(u[i]);
  }
  for (int i = 0; i < block; ++i) u[i] = z[i];
}

struct MakeInverseNormals {
  using Value = double;
  static void run(const Bits& w, double* a, double* b) {
    MakeUniforms::run(w, a, b);
    invert(a);
    invert(b);
  }
};

/// `rows` values of each of `items` items; item c goes to out[c·stride + 0 … rows − 1].
template <class Make>
void generate(const KernelStream& stream, uint64_t first, uint64_t items, uint64_t rows, typename Make::Value* out, uint64_t stride) {
  if (rows == 0) return;
  Counters counters;
  Bits bits;
  typename Make::Value a[block];
  typename Make::Value b[block];
  Position at{first, (rows + 1) / 2, 0};
  const bool pairs = rows % 2 == 0 && (stride == rows || items == 1);  // then pair j of the whole call goes to out[2j], out[2j + 1]
  uint64_t left = items * at.draws;
  uint64_t row = 0;
  while (left > 0) {
    const int n = left < block ? static_cast<int>(left) : block;
    number(at, counters);
    philox_block(stream, counters, bits);
    Make::run(bits, a, b);
    if (pairs) {
      for (int i = 0; i < n; ++i) {
        out[2 * i] = a[i];
        out[2 * i + 1] = b[i];
      }
      out += 2 * n;
    } else {
      for (int i = 0; i < n; ++i) {
        out[row] = a[i];
        if (row + 1 < rows) out[row + 1] = b[i];
        row += 2;
        if (row >= rows) {
          row = 0;
          out += stride;
        }
      }
    }
    left -= static_cast<uint64_t>(n);
  }
}

void map_exp(const double* x, double* y, uint64_t n) {
  for (uint64_t i = 0; i < n; ++i) y[i] = scalar::exp(x[i]);
}

void map_log(const double* x, double* y, uint64_t n) {
  for (uint64_t i = 0; i < n; ++i) y[i] = scalar::log(x[i]);
}

template <uint64_t quarter>
void map_sine(const double* x, double* y, uint64_t n) {
  for (uint64_t i = 0; i < n; ++i) y[i] = scalar::sine_near(x[i], quarter);
}

void map_normal_cdf(const double* x, double* y, uint64_t n) {
  for (uint64_t i = 0; i < n; ++i) y[i] = scalar::normal_cdf(x[i]);
}

void map_log_normal_cdf(const double* x, double* y, uint64_t n) {
  for (uint64_t i = 0; i < n; ++i) y[i] = scalar::log_normal_cdf(x[i]);
}

}  // namespace

extern const KernelTable table;
const KernelTable table = {
    BUFFON_COMPILED_FOR, generate<MakeWords>, generate<MakeUniforms>, generate<MakeNormals>, generate<MakeInverseNormals>, map_exp, map_log,
    map_sine<0>,         map_sine<1>,         map_normal_cdf,         map_log_normal_cdf};

}  // namespace buffon::BUFFON_KERNELS
