// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>

namespace buffon {

class BlockExchange;

/// How a computation is run: how many threads, whether to stop, how far it is. It never influences the numbers.
class Context {
 public:
  /// @param threads worker threads; 0 = as many as the process's CPU affinity mask allows.
  /// @throws Error(usage) for a negative or absurd (> 4096) number.
  explicit Context(int threads = 0, std::stop_token stop = {});
  ~Context();
  Context(Context&&) noexcept;
  Context& operator=(Context&&) noexcept;

  int threads() const { return threads_; }
  const std::stop_token& stop_token() const { return stop_; }
  bool stop_requested() const { return stop_.stop_requested(); }

  /// Throws Error(interrupted) when a stop was requested. Called by `for_blocks` before every block.
  void throw_if_stopped() const;

  /// Model evaluations done so far under this context, for live progress only; may be read from another thread.
  std::int64_t evaluations() const;
  void add_evaluations(std::int64_t n);

  /// Divides blocks among the processes that run the job together; null in a run of one process. Not owned.
  BlockExchange* exchange() const { return exchange_; }
  void set_exchange(BlockExchange* exchange) { exchange_ = exchange; }
  /// Processes among which the blocks are divided, 1 = this one alone.
  int participants() const;

  struct Arena;  ///< the thread pool, hidden
  Arena& arena() const { return *arena_; }

 private:
  int threads_;
  std::stop_token stop_;
  std::unique_ptr<std::atomic<std::int64_t>> evaluations_;
  std::unique_ptr<Arena> arena_;
  BlockExchange* exchange_ = nullptr;
};

/// Number of CPUs that the process may use (its affinity mask), at least 1.
int available_cpus();

}  // namespace buffon
