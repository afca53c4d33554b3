// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace buffon {

class Archive;

/// Who needs the outcome of a loop whose blocks are divided among participants.
enum class Needed {
  at_the_end,  ///< the result of the run alone: participants that do not communicate go on without it
  everywhere   ///< what follows: participants that do not communicate do every block themselves
};

/// Divides the blocks of loops among participants (processes) that run one job, each with a method object of its own. All
/// begin and complete the same loops in the same order.
class BlockExchange {
 public:
  virtual ~BlockExchange() = default;

  virtual int participants() const = 0;

  /// Begins a loop. @returns for every block whether it is done here
  virtual std::vector<bool> begin(std::int64_t blocks, Needed needed) = 0;

  /// Ends the loop: what `describe(block, archive)` lists is saved for the blocks done here and loaded for the others.
  /// @returns false when the others' blocks are not at hand; nothing was loaded then
  virtual bool complete(const std::function<void(std::int64_t, Archive&)>& describe) = 0;
};

}  // namespace buffon
