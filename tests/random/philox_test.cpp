// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/random/scalar_kernels.hpp>
#include <buffon/random/stream.hpp>

#include <cstdint>
#include <vector>

#include <Random123/philox.h>
#include <doctest/doctest.h>

using namespace buffon;

TEST_CASE("Philox gives the known-answer vectors published with Random123") {
  struct Known {
    std::uint32_t counter[4], key[2], answer[4];
  };
  const Known known[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const Known& k : known) {
    const scalar::Words w = scalar::philox(k.counter[0], k.counter[1], k.counter[2], k.counter[3], k.key[0], k.key[1]);
    for (int i = 0; i < 4; ++i) CHECK(w.w[i] == k.answer[i]);
  }
}

TEST_CASE("words of a stream are Random123's Philox4x32-10 of (draw, item, id) under the stream's key") {
  const Stream s = Stream(20240229).child("a");
  r123::Philox4x32 philox;
  for (const std::uint64_t item : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0xffffffff}, std::uint64_t{0x100000000}, ~std::uint64_t{0}}) {
    for (const std::uint32_t draw : {0u, 1u, 77u, 0xffffffffu}) {
      const r123::Philox4x32::ctr_type counter = {{draw, static_cast<std::uint32_t>(item), static_cast<std::uint32_t>(item >> 32), s.id()}};
      const r123::Philox4x32::key_type key = {{s.key0(), s.key1()}};
      const auto expected = philox(counter, key);
      std::uint32_t got[4];
      s.words(item, draw, got);
      for (std::size_t i = 0; i < 4; ++i) CHECK(got[i] == expected[i]);
    }
  }
}

TEST_CASE("bulk words are the words of the addressed items") {
  const Stream s(3);
  std::vector<std::uint64_t> bulk(401);
  s.fill_words(5, bulk);
  for (std::size_t i = 0; i < bulk.size(); ++i) {
    std::uint32_t w[4];
    s.words((5 + i) / 2, 0, w);
    const std::size_t h = 2 * ((5 + i) % 2);
    CHECK(bulk[i] == (static_cast<std::uint64_t>(w[h + 1]) << 32 | w[h]));
  }
}
