// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/archive.hpp>
#include <buffon/io/job.hpp>
#include <buffon/io/run_exchange.hpp>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

namespace buffon {

/// What one shard did in one loop.
struct ShardLoop {
  std::int64_t first_block = 0;  ///< number of its first block over the whole run
  std::int64_t blocks = 0;
  bool everywhere = false;  ///< every block was done here
  std::int64_t evaluations = 0;
  std::int64_t replaced = 0;
  std::vector<std::string> parts;  ///< what the blocks done here came to, in their order
  void describe_state(Archive& archive);
};

/// A shard does the blocks b of the whole run with b mod K = k − 1 and keeps what they come to below `directory`, a file
/// for every checkpoint.
class ShardWriter final : public RunExchange {
 public:
  /// @param digest of the configuration
  ShardWriter(std::filesystem::path directory, const Shard& shard, std::string digest);

  int participants() const override { return static_cast<int>(shard_.count); }
  std::vector<bool> begin(std::int64_t blocks, Needed needed) override;
  bool complete(const std::function<void(std::int64_t, Archive&)>& describe) override;
  void restore(const Position& position) override;
  void save(const Position& until) override;
  std::size_t unsaved() const override { return unsaved_; }

 private:
  std::filesystem::path directory_;
  Shard shard_;
  std::string digest_;
  std::vector<bool> here_;
  bool everywhere_ = false;
  std::deque<ShardLoop> pending_;  ///< the last of the loops before `position()`
  std::size_t unsaved_ = 0;
};

}  // namespace buffon
