// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/random/stream.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>
#include <buffon/random/claims.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/random/scalar_kernels.hpp>

using namespace buffon;

namespace {

using Fill = void (Stream::*)(std::uint64_t, MutMatrix) const;
using Sequence = void (Stream::*)(std::uint64_t, std::span<double>) const;

std::uint64_t integer(const Stream& s, std::uint64_t item, std::uint64_t bound) {
  std::uint32_t w[4];
  s.words(item, 0, w);
  return w[0] % bound;
}

/// How the process ends that runs `action`, and what it writes to stderr.
template <class Action>
std::pair<int, std::string> ending_of(Action action) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);
    action();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[256];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFSIGNALED(status) ? WTERMSIG(status) : 0, text};
}

}  // namespace

TEST_CASE("every column of a matrix is its item, whatever the chunk, the height and the stride") {
  const Stream s = Stream(7).child("chunks"), choices(8);
  for (const Fill fill : {&Stream::uniforms, &Stream::normals, &Stream::inverse_normals}) {
    for (std::uint64_t trial = 0; trial < 60; ++trial) {
      const auto rows = static_cast<Index>(integer(choices, 4 * trial, trial % 7 == 0 ? 300 : 9));
      const auto cols = 1 + static_cast<Index>(integer(choices, 4 * trial + 1, 200));
      const std::uint64_t first = trial % 5 == 0 ? ~std::uint64_t{0} - 50 : integer(choices, 4 * trial + 2, 1000);
      Eigen::MatrixXd whole(rows, cols);
      (s.*fill)(first, whole);
      // chunks of random width, as blocks of a wider matrix
      Eigen::MatrixXd frame = Eigen::MatrixXd::Constant(rows + 3, cols, -99);
      for (Index at = 0; at < cols;) {
        const Index width = std::min<Index>(cols - at, 1 + static_cast<Index>(integer(choices, 4 * trial + 3 + static_cast<std::uint64_t>(at) * 1000, 90)));
        (s.*fill)(first + static_cast<std::uint64_t>(at), frame.block(1, at, rows, width));
        at += width;
      }
      CHECK((frame.middleRows(1, rows).array() == whole.array()).all());
      CHECK((frame.topRows(1).array() == -99).all());
      CHECK((frame.bottomRows(2).array() == -99).all());
      // fewer rows of the same items are the upper rows
      Eigen::MatrixXd upper(rows / 2, cols);
      (s.*fill)(first, upper);
      CHECK((upper.array() == whole.topRows(rows / 2).array()).all());
    }
  }
}

TEST_CASE("rows 2k and 2k + 1 of an item come from draw block k") {
  const Stream s(9);
  Eigen::MatrixXd u(7, 3), z(7, 3), q(7, 3);
  s.uniforms(40, u);
  s.normals(40, z);
  s.inverse_normals(40, q);
  for (Index c = 0; c < 3; ++c) {
    for (Index r = 0; r < 7; ++r) {
      std::uint32_t w[4];
      s.words(40 + static_cast<std::uint64_t>(c), static_cast<std::uint32_t>(r / 2), w);
      const scalar::Pair pair = scalar::normal_pair(w[0], w[1], w[2], w[3]);
      CHECK(z(r, c) == (r % 2 == 0 ? pair.a : pair.b));
      CHECK(u(r, c) == scalar::uniform(w[r % 2 * 2], w[r % 2 * 2 + 1]));
      CHECK(q(r, c) == scalar::inverse_normal(u(r, c)));
    }
  }
}

TEST_CASE("a sequence is the same in any chunks and wraps around at 2^64") {
  const Stream s(10), choices(12);
  for (const Sequence fill : {&Stream::fill_uniforms, &Stream::fill_normals}) {
    for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{12345}, ~std::uint64_t{0} - 332, ~std::uint64_t{0}}) {
      std::vector<double> whole(1001), parts(1001);
      (s.*fill)(first, whole);
      for (std::size_t at = 0, k = 0; at < parts.size(); ++k) {
        const std::size_t n = std::min<std::size_t>(parts.size() - at, integer(choices, k, 140));
        (s.*fill)(first + at, std::span(parts).subspan(at, n));
        at += n;
      }
      CHECK(parts == whole);
    }
    std::vector<double> before(4), after(2);
    (s.*fill)(~std::uint64_t{0} - 1, before);
    (s.*fill)(0, after);
    CHECK(before[2] == after[0]);
    CHECK(before[3] == after[1]);
  }
  // two elements per item
  std::vector<double> sequence(20);
  Eigen::MatrixXd pairs(2, 10);
  s.fill_normals(14, sequence);
  s.normals(7, pairs);
  CHECK(Eigen::Map<Eigen::MatrixXd>(sequence.data(), 2, 10) == pairs);
}

TEST_CASE("nothing is written where nothing is asked for") {
  const Stream s(1);
  double guard = 5;
  s.fill_normals(3, std::span<double>(&guard, 0));
  s.fill_uniforms(~std::uint64_t{0}, std::span<double>(&guard, 0));
  CHECK(guard == 5);
  Eigen::MatrixXd none(0, 4), narrow(4, 0);
  s.normals(0, none);
  s.normals(0, narrow);
  CHECK(none.size() + narrow.size() == 0);
}

TEST_CASE("seeds, names, numbers and paths lead to different streams") {
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> seen;
  std::size_t made = 0;
  const auto add = [&](const Stream& s) {
    seen.emplace(s.key0(), s.key1(), s.id());
    ++made;
  };
  for (std::uint64_t seed = 0; seed < 2000; ++seed) add(Stream(seed));
  for (int bit = 11; bit < 64; ++bit) add(Stream(std::uint64_t{1} << bit));
  const Stream root(1);
  using namespace std::string_literals;
  for (const auto& name : {"a"s, "b"s, "ab"s, "a "s, ""s, "\0"s, "\0\0"s, "a\0"s, "exactly8"s, "exactly8\0"s, "longer than eight"s, "longer than eighu"s}) {
    for (std::uint64_t number = 0; number < 500; ++number) add(root.child(name, number));
  }
  add(root.peek("a").child("b"));
  add(root.peek("b").child("a"));
  add(root.peek("a").child("a"));
  CHECK(seen.size() == made);
}

TEST_CASE("a stream is a pure function of its seed and names") {
  CHECK(Stream(5).child("x", 3).child("y").key0() == Stream(5).peek("x", 3).peek("y").key0());
  // the derivation itself is pinned: it belongs to stream_version 1
  CHECK(stream_version == 1);
  const Stream s = Stream(5).child("proposal", 3);
  CHECK(s.key0() == 3138171631u);
  CHECK(s.key1() == 3753111406u);
  CHECK(s.id() == 3573975824u);
}

TEST_CASE("with checking on, a second claim of a stream aborts and names it") {
  const bool before = stream_checks();
  set_stream_checks(true);
  const auto [signal, text] = ending_of([] {
    const Stream part = Stream(1).child("part");
    part.child("noise", 4);
    part.child("noise", 5);
    part.child("noise", 4);
  });
  CHECK(signal == SIGABRT);
  CHECK(text.find("seed 1 / part 0 / noise 4") != std::string::npos);
  // through a copy of the parent as well
  CHECK(ending_of([] {
          const Stream root(1);
          const Stream copy = root;
          root.child("a");
          copy.child("a");
        }).first == SIGABRT);
  // not: other names, other roots of one seed, peeking, and what lies under a peeked stream
  CHECK(ending_of([] {
          const Stream root(1);
          root.child("a").child("x");
          root.child("b").child("x");
          root.child("a", 1);
          root.peek("a").child("x");
          root.peek("a").child("x");
          Stream(1).child("a");
        }).first == 0);
  set_stream_checks(false);
  CHECK(ending_of([] {
          const Stream root(1);
          root.child("a");
          root.child("a");
        }).first == 0);
  set_stream_checks(before);
}
