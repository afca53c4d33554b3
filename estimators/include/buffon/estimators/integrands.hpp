// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/outcome.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

class Problem;

/// J integrands on one space of points x: I_j = ∫ φ_j(x) f_j(x) dx, j = 1..J, with one evaluation per point serving all.
/// Estimators that draw from laws of their own (importance sampling, aiscv, sobol_aiscv) work on this; `problem_integrands`
/// makes it from a Problem. All functions are pure and thread-safe.
class Integrands {
 public:
  virtual ~Integrands() = default;

  /// d, of the space the method works in (standard normal space where possible).
  virtual Index dimension() const = 0;
  /// J.
  virtual Index count() const = 0;
  /// Names of the J expectations, distinct.
  virtual const std::vector<std::string>& names() const = 0;
  /// All f_j are one law: then `log_densities` fills one row and h_0 = f.
  virtual bool common_law() const = 0;
  /// The common law is N(0, I_d).
  virtual bool standard_normal() const { return false; }
  /// Model evaluations per point.
  virtual std::int64_t calls_per_point() const = 0;

  /// Draws of the initial law h_0: f when common, else the mixture of the f_j with equal weights, each draw choosing its
  /// law independently. Column c of x (d × n) = item first + c of the stream; `stream.peek` gives further streams.
  virtual void sample(const Stream& stream, std::uint64_t first, MutMatrix x) const = 0;

  /// log f_j(x), −∞ outside the support. log_f: J × n, or 1 × n for a common law.
  virtual void log_densities(const ConstMatrix& x, MutMatrix log_f) const = 0;

  /// φ_j(x) into phi (J × n); zero where no law has density. Called inside a block: runs on the calling thread.
  virtual void evaluate(Context& context, const ConstMatrix& x, MutMatrix phi) const = 0;

  /// φ_j is the indicator of the event "level_j > 0". Such integrands may be approached by tempering, and their
  /// estimates are probabilities.
  virtual bool has_level(Index) const { return false; }
  /// As `evaluate`, and the levels (J × n) of the integrands that have one; other rows of `level` are left as they are,
  /// points without density get −∞.
  virtual void evaluate_with_levels(Context& context, const ConstMatrix& x, MutMatrix phi, MutMatrix level) const;

  /// Largest number of points worth handing to `evaluate` at once (0 = no preference).
  virtual Index preferred_batch() const { return 0; }
};

/// log of the initial law h_0 from the rows of `log_densities`. log_h: n.
void initial_log_density(const Integrands& integrands, const ConstMatrix& log_f, MutVector log_h);

/// The expectations by name before anything is known of them: values, errors and bounds are NaN.
std::vector<NamedEstimate> unknown_estimates(const Integrands& integrands);

/// In which space points live.
enum class PointSpace {
  automatic,  ///< standard normal space for one law, physical space for several
  standard,   ///< u ~ N(0, I_d) by the isoprobabilistic transform; one law only
  physical,   ///< the inputs themselves; several laws are allowed
};

/// The integrands of a problem: all pairs (quantity, scenario), quantity by quantity within a scenario. In physical space
/// points outside every support are not evaluated and contribute zero.
/// @param method name for messages
/// @throws Error(configuration) for several scenarios in standard space
std::shared_ptr<const Integrands> problem_integrands(const Problem& problem, PointSpace space, const std::string& method);

}  // namespace buffon
