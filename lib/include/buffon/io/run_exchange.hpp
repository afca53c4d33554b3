// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/error.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/parallel/exchange.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace buffon {

/// A BlockExchange of a run: it can go on from a round boundary and counts what happens at other places.
class RunExchange : public BlockExchange {
 public:
  /// Loops completed and blocks in them, over the whole run.
  struct Position {
    std::int64_t loops = 0;
    std::int64_t blocks = 0;
  };

  const Position& position() const { return position_; }
  /// Goes on from a round boundary.
  virtual void restore(const Position& position) { position_ = position; }
  /// Puts on disk what belongs to the loops before `until`; called before the checkpoint of this boundary is written.
  virtual void save(const Position&) {}
  /// Bytes that wait for `save`.
  virtual std::size_t unsaved() const { return 0; }

  /// Tells where the counts of this process are found. Evaluations at other places are added to those of `context`.
  void watch(Context& context, std::function<std::int64_t()> replaced);
  /// Replaced points at other places.
  std::int64_t replaced_elsewhere() const { return replaced_elsewhere_; }

 protected:
  struct Tally {
    std::int64_t evaluations = 0;
    std::int64_t replaced = 0;
  };
  void begin_loop();
  /// Of this process since `begin_loop`.
  Tally tally() const;
  void end_loop(std::int64_t blocks, const Tally& elsewhere);

 private:
  Position position_;
  Context* context_ = nullptr;
  std::function<std::int64_t()> replaced_;
  Tally start_;
  std::int64_t replaced_elsewhere_ = 0;
};

/// Processes that run one job together and communicate. Every function but `rank` and `fail` is called by all of them in
/// the same order, and throws on all of them the error of the one that failed.
class Team : public RunExchange {
 public:
  virtual int rank() const = 0;  ///< 0 is the one that keeps the run directory

  struct Standing {
    bool finished = false;  ///< the method's end; must be the same everywhere
    bool stop = false;      ///< a stop was requested
    bool limit = false;     ///< the time is over
  };
  /// At a round boundary: what holds for one holds for all. After `finished` or `stop` the team is dissolved.
  /// @throws Error(numeric) when the ranks have come to different numbers
  virtual Standing agree(const Standing& here) = 0;

  /// The bytes of rank 0, everywhere.
  virtual std::string from_first(const std::string& bytes) = 0;

  /// Makes the others' next call throw `error`. Nothing happens when they know already, or are gone.
  virtual void fail(const Error& error) = 0;
};

}  // namespace buffon
