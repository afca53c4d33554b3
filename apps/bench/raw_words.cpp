// SPDX-License-Identifier: BSD-3-Clause

// Endless random words on standard output, for outside test batteries (tests/statistical/dieharder.sh):
//     raw_words items|draws|streams|seeds [seed]
// items: one stream, item after item. draws: 256 draw blocks of each item. streams, seeds: 256 of them, a block of each in turn.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <buffon/random/stream.hpp>

using namespace buffon;

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  constexpr std::uint64_t width = 256;
  std::vector<Stream> side;
  for (std::uint64_t k = 0; k < width; ++k)
    side.push_back(mode == "seeds" ? Stream(seed + k) : mode == "streams" ? Stream(seed).child("stream", k) : Stream(seed));
  const bool bulk = mode == "items";
  if (!bulk && mode != "draws" && mode != "streams" && mode != "seeds") {
    std::fprintf(stderr, "usage: raw_words items|draws|streams|seeds [seed]\n");
    return 64;
  }
  std::vector<std::uint64_t> words(2 * width);
  for (std::uint64_t item = 0;; ++item) {
    if (bulk) {
      side[0].fill_words(item * words.size(), words);
    } else {
      for (std::uint64_t k = 0; k < width; ++k) {
        std::uint32_t w[4];
        side[k].words(item, mode == "draws" ? static_cast<std::uint32_t>(k) : 0, w);
        words[2 * k] = static_cast<std::uint64_t>(w[1]) << 32 | w[0];
        words[2 * k + 1] = static_cast<std::uint64_t>(w[3]) << 32 | w[2];
      }
    }
    if (std::fwrite(words.data(), sizeof words[0], words.size(), stdout) != words.size()) return 0;  // the reader has enough
  }
}
