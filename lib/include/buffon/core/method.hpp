// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace buffon {

class Archive;
class Context;
struct Outcome;
struct Progress;

/// What a run holds in memory at once, as far as it grows in proportion to an option.
struct MemoryNeed {
  std::int64_t amount = 0;  ///< the option's value
  double bytes = 0;         ///< estimate from above; 0 = bounded, whatever the option is
  std::string option = "max_evaluations";
  std::string remedy = "use a method whose memory does not grow: plain_monte_carlo, sobol";  ///< besides a smaller value
};

/// A method is a resumable computation. The free function that a user calls is the loop over `step`; the command line
/// drives the same object and saves between rounds; a test steps it by hand.
///
/// Contract: `step` does one bounded round whose blocks run in parallel inside; state between two steps is complete in
/// `describe_state`; the state after k steps is a pure function of options, model and stream, whatever the thread count
/// and however often it was saved and loaded. If `step` throws, the object must be thrown away; the last saved state stands.
class Method {
 public:
  virtual ~Method() = default;

  /// One bounded round. Throws Error(interrupted) at a block boundary when the context's stop token fires.
  virtual void step(Context& context) = 0;

  virtual bool finished() const = 0;

  /// Asks for an orderly end at this round boundary ("the time limit was reached"): afterwards `finished()` is true or
  /// will be after the rounds that a valid result still needs. Part of the state.
  virtual void stop(const std::string& reason) = 0;

  /// Fraction done and the current estimate, cheap enough to be called after every round.
  virtual Progress progress() const = 0;

  /// Everything to report, valid after any number of steps (with what is known so far). Before the first step it already lists
  /// the estimates by name, with NaN for values.
  virtual Outcome outcome() const = 0;

  virtual MemoryNeed memory_need() const { return {}; }

  /// Lists the state once, for saving and for loading.
  virtual void describe_state(Archive& archive) = 0;
};

/// Runs a method to its end.
void run_to_end(Method& method, Context& context);

}  // namespace buffon
