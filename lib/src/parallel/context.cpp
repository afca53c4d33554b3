// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/parallel/context.hpp>

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <sched.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <string>
#include <utility>

namespace buffon {
namespace {

constexpr int max_threads = 4096;

// oneTBB allows as many workers as there are CPUs unless told otherwise, and of several limits the smallest holds. One limit
// for the whole process, far above any arena, leaves each arena its own number of threads, also above the number of CPUs.
void lift_worker_limit() { static const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, max_threads); }

}  // namespace

struct Context::Arena {
  explicit Arena(int threads) : arena((lift_worker_limit(), threads)) {}
  tbb::task_arena arena;
};

int available_cpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  return std::max(1, CPU_COUNT(&mask));
}

Context::Context(int threads, std::stop_token stop)
    : threads_(threads == 0 ? available_cpus() : threads), stop_(std::move(stop)), evaluations_(std::make_unique<std::atomic<std::int64_t>>(0)) {
  if (threads < 0 || threads > max_threads) {
    throw Error(ErrorCategory::usage, {.doing = "starting worker threads",
                                       .key = "threads",
                                       .value = std::to_string(threads),
                                       .rule = "must be in [0, " + std::to_string(max_threads) + "]",
                                       .remedy = "give 0 to use every CPU that the process may use"});
  }
  arena_ = std::make_unique<Arena>(threads_);
}

Context::~Context() = default;
Context::Context(Context&&) noexcept = default;
Context& Context::operator=(Context&&) noexcept = default;

void Context::throw_if_stopped() const {
  if (stop_requested()) throw Error(ErrorCategory::interrupted, {.doing = "running", .rule = "a stop was requested"});
}

std::int64_t Context::evaluations() const { return evaluations_->load(std::memory_order_relaxed); }
void Context::add_evaluations(std::int64_t n) { evaluations_->fetch_add(n, std::memory_order_relaxed); }

int Context::participants() const { return exchange_ == nullptr ? 1 : exchange_->participants(); }

namespace detail {
namespace {

Block block_at(std::int64_t index, std::int64_t items, std::int64_t block_size) {
  const std::int64_t begin = index * block_size;
  return {index, begin, std::min(items, begin + block_size)};
}

}  // namespace

void for_blocks(Context& context, std::int64_t items, std::int64_t block_size, BlockFunction function, void* closure) {
  if (items < 0 || block_size < 1) {
    throw Error(ErrorCategory::internal, {.doing = "dividing work into blocks",
                                          .key = "block_size",
                                          .value = std::to_string(block_size),
                                          .rule = "must be at least 1 for a non-negative number of items"});
  }
  const std::int64_t blocks = block_count(items, block_size);
  if (context.threads() == 1 || blocks <= 1) {
    for (std::int64_t i = 0; i < blocks; ++i) {
      context.throw_if_stopped();
      function(closure, block_at(i, items, block_size));
    }
    return;
  }

  // `opened` and `closed` order the caller's memory with that of the blocks. oneTBB does so too, but out of sight of the
  // thread sanitizer; two atomic operations a block make every real race of a body visible to it.
  std::atomic<bool> opened = false;
  std::atomic<std::int64_t> closed = 0;
  std::atomic<bool> broken = false;
  std::mutex guard;
  std::int64_t failed = blocks;  // lowest block that threw
  std::exception_ptr error;
  const auto run_block = [&](std::int64_t i) {
    try {
      context.throw_if_stopped();
      function(closure, block_at(i, items, block_size));
    } catch (...) {
      broken = true;
      const std::scoped_lock lock(guard);
      if (i < failed) {
        failed = i;
        error = std::current_exception();
      }
    }
  };
  opened.store(true, std::memory_order_release);
  context.arena().arena.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::int64_t>(0, blocks, 1),
        [&](const tbb::blocked_range<std::int64_t>& range) {
          if (!opened.load(std::memory_order_acquire)) return;
          for (std::int64_t i = range.begin(); i < range.end() && !broken.load(std::memory_order_relaxed); ++i) run_block(i);
          closed.fetch_add(range.end() - range.begin(), std::memory_order_acq_rel);
        },
        tbb::simple_partitioner());
  });
  closed.load(std::memory_order_acquire);
  if (error) std::rethrow_exception(error);
}

bool for_shared_blocks(Context& context, std::int64_t items, std::int64_t block_size, Needed needed, BlockFunction function, void* closure,
                       const std::function<void(std::int64_t, Archive&)>& describe) {
  BlockExchange* exchange = context.exchange();
  if (exchange == nullptr) {
    for_blocks(context, items, block_size, function, closure);
    return true;
  }
  const std::vector<bool> here = exchange->begin(block_count(items, block_size), needed);
  std::vector<std::int64_t> own;
  for (std::size_t i = 0; i < here.size(); ++i) {
    if (here[i]) own.push_back(static_cast<std::int64_t>(i));
  }
  buffon::for_blocks(context, static_cast<std::int64_t>(own.size()), 1,
                     [&](const Block& position) { function(closure, block_at(own[static_cast<std::size_t>(position.index)], items, block_size)); });
  return exchange->complete(describe);
}

}  // namespace detail
}  // namespace buffon
