// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/random/claims.hpp>
#include <buffon/random/scalar_kernels.hpp>
#include <buffon/random/stream.hpp>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include "kernel_table.hpp"

namespace buffon {
namespace {

#if defined(BUFFON_CHECK_STREAMS)
std::atomic<bool> checking = true;
#else
std::atomic<bool> checking = false;
#endif

/// One step of the derivation, a block cipher in Davies–Meyer form: h ← philox(counter h, key m) ⊕ h.
void absorb(std::array<std::uint32_t, 4>& h, std::uint64_t m) {
  const scalar::Words r = scalar::philox(h[0], h[1], h[2], h[3], static_cast<std::uint32_t>(m), static_cast<std::uint32_t>(m >> 32));
  for (std::size_t i = 0; i < 4; ++i) h[i] ^= r.w[i];
}

using Identity = std::array<std::uint32_t, 3>;

}  // namespace

bool stream_checks() { return checking.load(); }
void set_stream_checks(bool on) { checking.store(on); }

struct Stream::Claims {
  std::mutex mutex;
  std::map<Identity, std::string> taken;  // with the path of names, for the message
};

Stream::Stream(std::uint64_t seed) {
  // "buffon" in ASCII, and the version of the rules
  std::array<std::uint32_t, 4> h = {0x66667562u, 0x00006E6Fu, 0u, static_cast<std::uint32_t>(stream_version)};
  absorb(h, seed);
  key_[0] = h[0];
  key_[1] = h[1];
  id_ = h[2];
  if (stream_checks()) {
    claims_ = std::make_shared<Claims>();
    claims_->taken.emplace(Identity{key_[0], key_[1], id_}, "seed " + std::to_string(seed));
  }
}

Stream Stream::peek(std::string_view name, std::uint64_t number) const {
  std::array<std::uint32_t, 4> h = {key_[0], key_[1], id_, 0x6C696863u};  // "chil"
  absorb(h, number);
  absorb(h, name.size());
  for (std::size_t begin = 0; begin < name.size(); begin += 8) {
    std::uint64_t chunk = 0;
    for (std::size_t i = begin; i < name.size() && i < begin + 8; ++i) {
      chunk |= static_cast<std::uint64_t>(static_cast<unsigned char>(name[i])) << (8 * (i - begin));
    }
    absorb(h, chunk);
  }
  Stream made;
  made.key_[0] = h[0];
  made.key_[1] = h[1];
  made.id_ = h[2];
  return made;
}

Stream Stream::child(std::string_view name, std::uint64_t number) const {
  Stream made = peek(name, number);
  if (claims_ != nullptr) {
    const std::lock_guard lock(claims_->mutex);
    const std::string path = claims_->taken[Identity{key_[0], key_[1], id_}] + " / " + std::string(name) + " " + std::to_string(number);
    if (!claims_->taken.emplace(Identity{made.key_[0], made.key_[1], made.id_}, path).second) {
      std::fprintf(stderr, "buffon: the random stream \"%s\" is claimed a second time; two pieces of code would share random numbers\n", path.c_str());
      std::abort();
    }
    made.claims_ = claims_;
  }
  return made;
}

void Stream::words(std::uint64_t item, std::uint32_t draw, std::uint32_t (&out)[4]) const {
  const scalar::Words r = scalar::item_words(key_[0], key_[1], id_, item, draw);
  for (int i = 0; i < 4; ++i) out[i] = r.w[i];
}

namespace {

using Generate = void (*)(const KernelStream&, std::uint64_t, std::uint64_t, std::uint64_t, double*, std::uint64_t);

void fill_matrix(Generate generate, const Stream& s, std::uint64_t first, MutMatrix& out) {
  generate({s.key0(), s.key1(), s.id()}, first, static_cast<std::uint64_t>(out.cols()), static_cast<std::uint64_t>(out.rows()), out.data(),
           static_cast<std::uint64_t>(out.outerStride()));
}

/// Elements first, first + 1, … of the sequence that has two values per item.
template <class T>
void fill_sequence(void (*generate)(const KernelStream&, std::uint64_t, std::uint64_t, std::uint64_t, T*, std::uint64_t), const Stream& s, std::uint64_t first,
                   std::span<T> out) {
  const std::uint64_t before_wrap = 0 - first;  // elements up to 2⁶⁴, 0 for all of them
  if (before_wrap != 0 && out.size() > before_wrap) {
    fill_sequence(generate, s, first, out.first(before_wrap));
    fill_sequence(generate, s, 0, out.subspan(before_wrap));
    return;
  }
  const KernelStream stream = {s.key0(), s.key1(), s.id()};
  T pair[2];
  if (first % 2 == 1 && !out.empty()) {
    generate(stream, first / 2, 1, 2, pair, 2);
    out[0] = pair[1];
    out = out.subspan(1);
    ++first;
  }
  generate(stream, first / 2, out.size() / 2, 2, out.data(), 2);
  if (out.size() % 2 == 1) {
    generate(stream, first / 2 + out.size() / 2, 1, 2, pair, 2);
    out.back() = pair[0];
  }
}

}  // namespace

void Stream::uniforms(std::uint64_t first, MutMatrix out) const { fill_matrix(kernels().uniforms, *this, first, out); }
void Stream::normals(std::uint64_t first, MutMatrix out) const { fill_matrix(kernels().normals, *this, first, out); }
void Stream::inverse_normals(std::uint64_t first, MutMatrix out) const { fill_matrix(kernels().inverse_normals, *this, first, out); }

void Stream::fill_uniforms(std::uint64_t first, std::span<double> out) const { fill_sequence(kernels().uniforms, *this, first, out); }
void Stream::fill_normals(std::uint64_t first, std::span<double> out) const { fill_sequence(kernels().normals, *this, first, out); }
void Stream::fill_words(std::uint64_t first, std::span<std::uint64_t> out) const { fill_sequence(kernels().words, *this, first, out); }

}  // namespace buffon
