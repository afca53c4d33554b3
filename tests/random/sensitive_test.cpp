// SPDX-License-Identifier: BSD-3-Clause

// Five tests that catch what counter-based generators get wrong: structure between neighbouring items, draw blocks, streams and
// seeds. Each runs on words interleaved from them, at level 1e-6, and each must reject generators that are made wrong on purpose.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <buffon/random/scalar_kernels.hpp>
#include <buffon/random/stream.hpp>

#include "statistical.hpp"

using namespace buffon;
using namespace buffon::testing;

namespace {

using Words = std::vector<std::uint64_t>;

constexpr std::size_t count = std::size_t{1} << 18;
constexpr std::size_t width = 256;  // streams, seeds or draw blocks side by side

std::uint64_t joined(const std::uint32_t (&w)[4], std::size_t half) { return scalar::word64(w[2 * half], w[2 * half + 1]); }

// --- the words under test ------------------------------------------------------------------------------------------

Words neighbouring_items() {
  Words words(count);
  Stream(101).child("items").fill_words(0, words);
  return words;
}

/// First words only: the counter moves by one item from word to word.
Words one_word_per_item() {
  Words words;
  const Stream s = Stream(102).child("items");
  for (std::uint64_t item = 0; item < count; ++item) {
    std::uint32_t w[4];
    s.words(item, 0, w);
    words.push_back(joined(w, 0));
  }
  return words;
}

Words neighbouring_draws() {
  Words words;
  const Stream s = Stream(103).child("draws");
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t w[4];
    s.words(i / width, static_cast<std::uint32_t>(i % width), w);
    words.push_back(joined(w, 0));
  }
  return words;
}

Words interleaved(const std::function<Stream(std::uint64_t)>& stream) {
  std::vector<Stream> side;
  for (std::uint64_t k = 0; k < width; ++k) side.push_back(stream(k));
  Words words;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t w[4];
    side[i % width].words(i / width, 0, w);
    words.push_back(joined(w, 0));
  }
  return words;
}

struct Source {
  std::string name;
  Words words;
};

const std::vector<Source>& good() {
  static const std::vector<Source> all = {
      {"neighbouring items", neighbouring_items()},
      {"one word per item", one_word_per_item()},
      {"neighbouring draw blocks", neighbouring_draws()},
      {"streams of neighbouring numbers", interleaved([root = Stream(104)](std::uint64_t k) { return root.peek("part", k); })},
      {"streams of neighbouring names", interleaved([root = Stream(105)](std::uint64_t k) { return root.peek("part" + std::to_string(k)); })},
      {"neighbouring seeds", interleaved([](std::uint64_t k) { return Stream(k); })},
  };
  return all;
}

// --- generators that are wrong on purpose --------------------------------------------------------------------------

/// Philox with too few rounds.
Words rounds(int n) {
  Words words;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t c0 = 0, c1 = i, c2 = 0, c3 = 7, k0 = 0x12345678, k1 = 0x9abcdef0;
    for (int r = 0; r < n; ++r) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0, p1 = std::uint64_t{0xCD9E8D57} * c2;
      c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
      c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c1 = static_cast<std::uint32_t>(p1);
      c3 = static_cast<std::uint32_t>(p0);
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    words.push_back(scalar::word64(c0, c1));
  }
  return words;
}

/// Streams whose numbers lost their lowest bit on the way to the key: pairs of them are equal.
Words shared_streams() {
  return interleaved([root = Stream(106)](std::uint64_t k) { return root.peek("part", k / 2); });
}

/// Marsaglia's 64-bit shift register: every word is a linear function of the bits of the one before.
Words shift_register() {
  Words words;
  std::uint64_t x = 88172645463325252u;
  for (std::size_t i = 0; i < count; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    words.push_back(x);
  }
  return words;
}

/// Linear congruential generator modulo 2⁶⁴, whole words.
Words congruential() {
  Words words;
  std::uint64_t x = 1;
  for (std::size_t i = 0; i < count; ++i) words.push_back(x = x * 6364136223846793005u + 1442695040888963407u);
  return words;
}

// --- the tests: p values -------------------------------------------------------------------------------------------

/// Marsaglia's birthday spacings: 4096 birthdays in a year of 2³² days; the number of equal spacings is Poisson with mean
/// 4096³/2³⁴ = 4, summed over the whole sample.
double birthday_spacings(const Words& words, int shift) {
  constexpr std::size_t m = 4096;
  double equal = 0;
  const std::size_t years = words.size() / m;
  for (std::size_t y = 0; y < years; ++y) {
    std::vector<std::uint32_t> days;
    for (std::size_t i = 0; i < m; ++i) days.push_back(static_cast<std::uint32_t>(words[y * m + i] >> shift));
    std::sort(days.begin(), days.end());
    for (std::size_t i = m - 1; i > 0; --i) days[i] -= days[i - 1];
    std::sort(days.begin(), days.end());
    for (std::size_t i = 1; i < m; ++i) equal += days[i] == days[i - 1];
  }
  return poisson_p(equal, 4.0 * static_cast<double>(years));
}

/// Collisions of 2¹⁸ balls in 2²⁴ urns; about Poisson with mean n − m(1 − (1 − 1/m)ⁿ).
double collisions(const Words& words, int shift) {
  constexpr double m = 1 << 24;
  std::vector<bool> taken(1 << 24);
  double hits = 0;
  for (const std::uint64_t w : words) {
    const std::size_t urn = (w >> shift) & 0xffffff;
    hits += taken[urn];
    taken[urn] = true;
  }
  const double n = static_cast<double>(words.size());
  return poisson_p(hits, n + m * std::expm1(n * std::log1p(-1 / m)));
}

/// Knuth's gap test: distances between words whose four bits at `shift` are zero are geometric with p = 1/16.
double gaps(const Words& words, int shift) {
  std::vector<double> seen(120), expected(120);
  double total = 0;
  std::size_t gap = 0;
  for (const std::uint64_t w : words) {
    if (((w >> shift) & 15) != 0) {
      ++gap;
      continue;
    }
    seen[std::min<std::size_t>(gap, 119)] += 1;
    total += 1;
    gap = 0;
  }
  for (std::size_t k = 0; k < 119; ++k) expected[k] = total * std::pow(15.0 / 16, static_cast<double>(k)) / 16;
  expected[119] = total * std::pow(15.0 / 16, 119.0);
  return std::min(chi_square_p(seen, expected),
                  z_p((total - static_cast<double>(words.size()) / 16) / std::sqrt(static_cast<double>(words.size()) * 15 / 256)));
}

/// Ranks over GF(2) of 64×64 matrices, a word a row: 64, 63, or less with the limit probabilities 0.2888, 0.5776, 0.1336.
double ranks(const Words& words) {
  std::array<double, 3> seen{}, expected{};
  for (std::size_t begin = 0; begin + 64 <= words.size(); begin += 64) {
    std::array<std::uint64_t, 64> rows;
    std::copy_n(words.begin() + static_cast<std::ptrdiff_t>(begin), 64, rows.begin());
    std::size_t rank = 0;
    for (int bit = 0; bit < 64; ++bit) {
      std::size_t pivot = rank;
      while (pivot < 64 && (rows[pivot] >> bit & 1) == 0) ++pivot;
      if (pivot == 64) continue;
      std::swap(rows[rank], rows[pivot]);
      for (std::size_t r = rank + 1; r < 64; ++r) rows[r] ^= (rows[r] >> bit & 1) != 0 ? rows[rank] : 0;
      ++rank;
    }
    seen[std::min<std::size_t>(2, 64 - rank)] += 1;
  }
  double full = 1;
  for (int k = 1; k <= 64; ++k) full *= 1 - std::exp2(-k);
  const double total = static_cast<double>(words.size() / 64);
  expected = {full * total, 2 * full * total, 0};  // rank n − 1 has twice the probability of rank n
  expected[2] = total - expected[0] - expected[1];
  return chi_square_p(seen, expected);
}

/// Classes of the number of ones of a word and of the word `lag` later: a 5 × 5 table against the product of binomials.
double weight_dependency(const Words& words, std::size_t lag) {
  const auto of = [](int ones) { return ones <= 28 ? 0 : ones <= 31 ? 1 : ones == 32 ? 2 : ones <= 35 ? 3 : 4; };
  std::array<double, 5> p{};
  for (int k = 0; k <= 64; ++k) p[static_cast<std::size_t>(of(k))] += std::exp(std::lgamma(65) - std::lgamma(k + 1) - std::lgamma(65 - k) - 64 * std::log(2.0));
  std::vector<double> seen(25), expected;
  double total = 0;
  // disjoint pairs, so that the cells of the table are independent draws
  for (std::size_t i = 0; i + lag < words.size(); i += (i % lag == lag - 1 ? lag + 1 : 1)) {
    seen[static_cast<std::size_t>(5 * of(std::popcount(words[i])) + of(std::popcount(words[i + lag])))] += 1;
    total += 1;
  }
  for (const double a : p) {
    for (const double b : p) expected.push_back(total * a * b);
  }
  return chi_square_p(seen, expected);
}

/// A test that rejects a wrong generator at one of its shifts or lags does so by the smallest of these p values.
double worst_birthdays(const Words& w) { return std::min(birthday_spacings(w, 0), birthday_spacings(w, 32)); }
double worst_collisions(const Words& w) { return std::min(collisions(w, 0), collisions(w, 40)); }
double worst_gaps(const Words& w) { return std::min({gaps(w, 0), gaps(w, 30), gaps(w, 60)}); }
double worst_weights(const Words& w) { return std::min({weight_dependency(w, 1), weight_dependency(w, 2), weight_dependency(w, width)}); }

}  // namespace

TEST_CASE("interleaved items, draw blocks, streams and seeds pass five sensitive tests") {
  for (const Source& source : good()) {
    CAPTURE(source.name);
    CHECK(worst_birthdays(source.words) > level);
    CHECK(worst_collisions(source.words) > level);
    CHECK(worst_gaps(source.words) > level);
    CHECK(ranks(source.words) > level);
    CHECK(worst_weights(source.words) > level);
  }
}

TEST_CASE("each of the five tests rejects Philox with half of its rounds") {
  const Words weak = rounds(5);
  CHECK(worst_birthdays(weak) < level);
  CHECK(worst_collisions(weak) < level);
  CHECK(worst_gaps(weak) < level);
  CHECK(ranks(weak) < level);
  CHECK(worst_weights(weak) < level);
}

TEST_CASE("streams that share their numbers in pairs are rejected by four of the five tests") {
  const Words shared = shared_streams();
  CHECK(worst_birthdays(shared) < level);
  CHECK(worst_collisions(shared) < level);
  CHECK(ranks(shared) < level);
  CHECK(worst_weights(shared) < level);
}

TEST_CASE("matrix ranks reject a shift register, and collisions, gaps and weights a congruential generator") {
  CHECK(ranks(shift_register()) < level);
  const Words lcg = congruential();
  CHECK(worst_collisions(lcg) < level);
  CHECK(worst_gaps(lcg) < level);
  CHECK(worst_weights(lcg) < level);
}
