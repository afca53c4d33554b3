// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/parallel/exchange.hpp>

#include <barrier>
#include <cstdint>
#include <functional>
#include <memory_archive.hpp>
#include <string>
#include <vector>

namespace buffon::testing {

/// What participants in threads of one process have in common.
struct ExchangeTable {
  explicit ExchangeTable(int size) : barrier(size) {}
  std::barrier<> barrier;
  std::vector<std::string> parts;
};

/// The participant `rank` of several; `next` counts blocks over all loops.
class ThreadExchange : public BlockExchange {
 public:
  ThreadExchange(ExchangeTable& table, int rank, int size) : table_(table), rank_(rank), size_(size) {}
  int participants() const override { return size_; }
  std::vector<bool> begin(std::int64_t blocks, Needed) override {
    if (rank_ == 0) table_.parts.assign(static_cast<std::size_t>(blocks), "");
    table_.barrier.arrive_and_wait();
    here_.assign(static_cast<std::size_t>(blocks), false);
    for (std::int64_t b = 0; b < blocks; ++b) here_[static_cast<std::size_t>(b)] = (next_ + b) % size_ == rank_;
    next_ += blocks;
    return here_;
  }
  bool complete(const std::function<void(std::int64_t, Archive&)>& describe) override {
    for (std::size_t b = 0; b < here_.size(); ++b) {
      if (!here_[b]) continue;
      MemoryArchive archive;
      describe(static_cast<std::int64_t>(b), archive);
      table_.parts[b] = archive.bytes();
    }
    table_.barrier.arrive_and_wait();
    for (std::size_t b = 0; b < here_.size(); ++b) {
      if (here_[b]) continue;
      MemoryArchive archive(table_.parts[b]);
      describe(static_cast<std::int64_t>(b), archive);
    }
    table_.barrier.arrive_and_wait();
    return true;
  }

 private:
  ExchangeTable& table_;
  int rank_, size_;
  std::int64_t next_ = 0;
  std::vector<bool> here_;
};

}  // namespace buffon::testing
