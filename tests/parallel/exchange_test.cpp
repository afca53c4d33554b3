// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/parallel/blocks.hpp>

#include <doctest/doctest.h>
#include <thread_exchange.hpp>

#include <cmath>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace buffon;
using buffon::testing::ExchangeTable;
using buffon::testing::ThreadExchange;

namespace {

/// A participant that does every second block and hears nothing of the others.
class Alone : public BlockExchange {
 public:
  int participants() const override { return 2; }
  std::vector<bool> begin(std::int64_t blocks, Needed needed) override {
    all_ = needed == Needed::everywhere;
    std::vector<bool> here(static_cast<std::size_t>(blocks), true);
    for (std::size_t b = 1; b < here.size() && !all_; b += 2) here[b] = false;
    return here;
  }
  bool complete(const std::function<void(std::int64_t, Archive&)>&) override { return all_; }

 private:
  bool all_ = false;
};

/// A sum whose value depends on the order of additions, and how many blocks were done here.
struct Sum {
  double value = 0;
  void describe_state(Archive& archive) { archive.item("value", value); }
};

std::pair<double, std::int64_t> awkward_sum(Context& context, std::int64_t n) {
  std::atomic<std::int64_t> done = 0;
  const std::optional<Sum> sum = reduce_shared<Sum>(
      context, n, 128,
      [&](const Block& b) {
        ++done;
        Sum s;
        for (std::int64_t i = b.begin; i < b.end; ++i) s.value += std::sin(static_cast<double>(i)) * std::exp2(static_cast<double>(i % 61));
        return s;
      },
      [](Sum& into, const Sum& from) { into.value += from.value; });
  return {sum ? sum->value : std::nan(""), done.load()};
}

}  // namespace

TEST_CASE("blocks divided among 2, 3 and 5 participants give each the bits of one process, and every block is done once") {
  Context single(1);
  for (const int size : {2, 3, 5}) {
    ExchangeTable table(size);
    std::vector<std::vector<std::pair<double, std::int64_t>>> found(static_cast<std::size_t>(size));
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < size; ++rank) {
      threads.emplace_back([&, rank] {
        ThreadExchange exchange(table, rank, size);
        Context context(1 + rank % 2);
        context.set_exchange(&exchange);
        CHECK(context.participants() == size);
        for (const std::int64_t n : {1, 500, 100003}) found[static_cast<std::size_t>(rank)].push_back(awkward_sum(context, n));
      });
    }
    threads.clear();
    std::size_t loop = 0;
    for (const std::int64_t n : {1, 500, 100003}) {
      std::int64_t done = 0;
      for (const auto& list : found) {
        CHECK(list[loop].first == awkward_sum(single, n).first);
        done += list[loop].second;
      }
      CHECK(done == block_count(n, 128));
      ++loop;
    }
  }
}

TEST_CASE("a participant that hears nothing of the others has no sum, but all of what is needed everywhere") {
  Alone exchange;
  Context context(2);
  context.set_exchange(&exchange);
  const auto [value, done] = awkward_sum(context, 1280);
  CHECK(std::isnan(value));
  CHECK(done == 5);
  std::vector<int> seen(100, 0);
  const bool all = for_shared_blocks(
      context, 100, 7, Needed::everywhere,
      [&](const Block& b) {
        for (std::int64_t i = b.begin; i < b.end; ++i) ++seen[static_cast<std::size_t>(i)];
      },
      [](std::int64_t, Archive&) {});
  CHECK(all);
  CHECK(seen == std::vector<int>(100, 1));
}
