// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/random/alias.hpp>

#include <algorithm>
#include <array>

#include <buffon/random/scalar_kernels.hpp>

#include "integers.hpp"
#include "kernel_table.hpp"

namespace buffon {

namespace {
constexpr Wide full = Wide{1} << 53;  // what a column holds, in grains of a uniform
}

// All arithmetic is on whole grains, so that the construction is exact: category k owns n·2⁵³·w_k/Σw grains, rounded down, the
// heaviest one the rest, and every column holds 2⁵³ of them.
AliasTable::AliasTable(std::span<const double> weights) {
  const double total = checked_total(weights, "building an alias table");
  const std::size_t n = weights.size();
  std::vector<Wide> owned(n);
  Wide sum = 0;
  for (std::size_t k = 0; k < n; ++k) {
    owned[k] = static_cast<Wide>(weights[k] / total * static_cast<double>(n) * 0x1p53);
    sum += owned[k];
  }
  owned[static_cast<std::size_t>(std::max_element(owned.begin(), owned.end()) - owned.begin())] += full * n - sum;
  std::vector<std::size_t> small, large;
  for (std::size_t k = 0; k < n; ++k) (owned[k] < full ? small : large).push_back(k);
  columns_.resize(n);
  while (!small.empty()) {
    const std::size_t s = small.back(), l = large.back();
    small.pop_back();
    columns_[s] = {static_cast<std::uint64_t>(owned[s]), static_cast<Index>(l)};
    owned[l] -= full - owned[s];
    if (owned[l] < full) {
      large.pop_back();
      small.push_back(l);
    }
  }
  for (const std::size_t k : large) columns_[k] = {static_cast<std::uint64_t>(full), static_cast<Index>(k)};
}

Index AliasTable::pick(std::uint64_t column, std::uint64_t word) const {
  const Column c = columns_[column];
  const Index taken = -static_cast<Index>(word >> 11 >= c.keep);  // all ones or zero: a branch here would be mispredicted half of the time
  return static_cast<Index>(column) ^ ((static_cast<Index>(column) ^ c.alias) & taken);
}

Index AliasTable::draw(const Stream& stream, std::uint64_t item) const {
  std::uint32_t w[4];
  stream.words(item, 0, w);
  const auto column = bounded(columns_.size(), [&](std::uint32_t t) { return t == 0 ? scalar::word64(w[0], w[1]) : first_word(stream, item, t); });
  return pick(column, scalar::word64(w[2], w[3]));
}

void AliasTable::draw(const Stream& stream, std::uint64_t first, std::span<Index> out) const {
  constexpr std::size_t chunk = 512;
  std::array<std::uint64_t, 2 * chunk> words;
  for (std::size_t begin = 0; begin < out.size(); begin += chunk) {
    const std::size_t n = std::min(chunk, out.size() - begin);
    const std::uint64_t item = first + begin;
    kernels().words({stream.key0(), stream.key1(), stream.id()}, item, n, 2, words.data(), 2);
    for (std::size_t i = 0; i < n; ++i) {
      const auto column = bounded(columns_.size(), [&](std::uint32_t t) { return t == 0 ? words[2 * i] : first_word(stream, item + i, t); });
      out[begin + i] = pick(column, words[2 * i + 1]);
    }
  }
}

std::vector<double> AliasTable::probabilities() const {
  std::vector<Wide> owned(columns_.size());
  for (std::size_t k = 0; k < columns_.size(); ++k) {
    owned[k] += columns_[k].keep;
    owned[static_cast<std::size_t>(columns_[k].alias)] += full - columns_[k].keep;
  }
  std::vector<double> p;
  for (const Wide grains : owned) p.push_back(static_cast<double>(grains) * 0x1p-53 / static_cast<double>(columns_.size()));
  return p;
}

}  // namespace buffon
