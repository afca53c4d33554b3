// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

using namespace buffon;

namespace {

// A sum whose value depends on the order of additions, so that a wrong order shows.
double awkward_sum(int threads, std::int64_t n, std::int64_t block) {
  Context context(threads);
  return reduce_blocks<double>(
      context, n, block,
      [](const Block& b) {
        double s = 0;
        for (std::int64_t i = b.begin; i < b.end; ++i) s += std::sin(static_cast<double>(i)) * std::exp2(static_cast<double>(i % 61));
        return s;
      },
      [](double& into, double from) { into += from; });
}

}  // namespace

TEST_CASE("reductions have the same bits on 1, 2, 3 and 8 threads") {
  for (const std::int64_t n : {0, 1, 7, 4096, 100003}) {
    const double reference = awkward_sum(1, n, 128);
    for (const int threads : {2, 3, 8}) CHECK(awkward_sum(threads, n, 128) == reference);
  }
}

TEST_CASE("the merge tree depends on the number of parts only") {
  const auto shape =
      merge_tree(std::vector<std::string>{"a", "b", "c", "d", "e"}, [](std::string& into, const std::string& from) { into = "(" + into + from + ")"; });
  CHECK(shape == "(((ab)(cd))e)");
  CHECK(merge_tree(std::vector<int>{}, [](int&, int) {}) == 0);
}

TEST_CASE("every item belongs to exactly one block") {
  std::vector<int> seen(1001, 0);
  Context context(3);
  for_blocks(context, 1001, 10, [&](const Block& b) {
    for (std::int64_t i = b.begin; i < b.end; ++i) ++seen[static_cast<std::size_t>(i)];
  });
  CHECK(std::all_of(seen.begin(), seen.end(), [](int k) { return k == 1; }));
}

TEST_CASE("an exception in a block reaches the caller on any number of threads") {
  for (const int threads : {1, 2, 3}) {
    Context context(threads);
    CHECK_THROWS_WITH(for_blocks(context, 100, 1,
                                 [](const Block& b) {
                                   if (b.index == 17) throw std::runtime_error("block 17");
                                 }),
                      "block 17");
  }
}

TEST_CASE("a stop request ends a loop as interrupted") {
  std::stop_source source;
  Context context(2, source.get_token());
  std::atomic<int> done = 0;
  try {
    for_blocks(context, 100000, 1, [&](const Block&) {
      if (++done == 10) source.request_stop();
    });
    FAIL("not interrupted");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::interrupted);
  }
  CHECK(done < 100000);
}

TEST_CASE("blocks may start loops of their own") {
  Context context(3);
  const auto total = reduce_blocks<std::int64_t>(
      context, 20, 3,
      [&](const Block& outer) {
        return reduce_blocks<std::int64_t>(
            context, outer.size() * 10, 4, [](const Block& inner) { return inner.size(); }, [](std::int64_t& into, std::int64_t from) { into += from; });
      },
      [](std::int64_t& into, std::int64_t from) { into += from; });
  CHECK(total == 200);
}

TEST_CASE("a negative thread count is refused") { CHECK_THROWS_AS(Context(-1), Error); }

TEST_CASE("contexts that live together keep their own numbers of threads") {
  Context one(1);
  Context four(4);
  Context two(2);
  std::mutex guard;
  std::set<std::thread::id> workers;
  std::atomic<int> inside = 0;
  for_blocks(four, 4, 1, [&](const Block&) {
    ++inside;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (inside < 4 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();  // all four blocks must run at once
    const std::scoped_lock lock(guard);
    workers.insert(std::this_thread::get_id());
  });
  CHECK(workers.size() == 4);
}
