// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/model/log_density.hpp>
#include <buffon/random/item_draws.hpp>
#include <buffon/samplers/affine_frame.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <stop_token>

namespace buffon {

class Archive;

/// What a kernel did, exactly counted.
struct SliceCounts {
  std::int64_t steps = 0;
  std::int64_t evaluations = 0;  ///< of the log density, the starting point included
  std::int64_t expansions = 0;   ///< widenings of a bracket
  std::int64_t shrinkages = 0;   ///< proposals refused
  std::int64_t stuck = 0;        ///< updates that ended without a new point: bracket collapsed or too many proposals
  std::int64_t undefined = 0;    ///< evaluations that gave NaN, taken as outside the support

  void add(const SliceCounts& other);
  void subtract(const SliceCounts& other);
  void describe_state(Archive& archive);
};

/// One chain of a slice sampler: a point, its log density and how to move on. A user's own loop:
///
///     PolarSlice chain(density, {});
///     chain.start(x0);
///     ItemDraws draws(Stream(1), chain.normals());
///     for (std::uint64_t t = 0; t < 1000; ++t) {
///       draws.begin(t);
///       chain.step(draws);
///       use(chain.point());
///     }
///
/// The point is always one at which the density was evaluated, and its value is kept: nothing is evaluated twice. The representation in
/// the frame (and products of a regression's design) is made anew from the point every `refresh_interval` steps, counted from `start` or the
/// last `refresh`, so that rounding errors do not pile up; (point, log density, counts) is all the state at a refresh.
class SliceKernel {
 public:
  static constexpr std::int64_t refresh_interval = 100;

  virtual ~SliceKernel() = default;

  Index dimension() const { return density_->dimension(); }
  /// Standard normals that a step takes from its item.
  virtual Index normals() const = 0;

  /// @throws Error(configuration) printing the point when log p is not finite there, or where the kernel cannot begin
  void start(const ConstVector& x);
  /// The same where the density is known already.
  /// @param before  what it took to find the point: added to the counts
  void start(const ConstVector& x, double log_density, const SliceCounts& before);
  /// One transition. Leaves the law with density p invariant.
  /// @throws Error(numeric) for an infinite density or a slice that seems unbounded
  void step(ItemDraws& draws);

  const Eigen::VectorXd& point() const { return point_; }
  virtual double log_density() const { return log_density_; }
  const SliceCounts& counts() const { return counts_; }

  /// Whether a frame is for the warm-up to find: not on the sphere, nor where a prior gives it.
  virtual bool tunable() const { return true; }
  /// Whether its points are unit vectors: it takes such a target, and no other kernel does.
  virtual bool on_sphere() const { return false; }
  /// Coordinates to work in from now on; a change of representation, nothing is evaluated. Kernels that are not tunable refuse it.
  virtual void set_frame(AffineFrame frame);
  const AffineFrame& frame() const { return frame_; }
  /// Makes the representation anew from the point. Call it at boundaries where state is saved.
  void refresh();
  void set_stop(std::stop_token stop) { stop_ = std::move(stop); }

  /// Saved between refreshes: load, then continue, gives the bits of an undisturbed run that refreshed at the same step.
  void describe_state(Archive& archive);
  /// The state without the frame, where somebody else keeps that; after loading, the next `set_frame` or `refresh` completes it.
  void describe_position(Archive& archive);

 protected:
  explicit SliceKernel(std::shared_ptr<const LogDensity> density);

  /// The representation of `point_` in the frame.
  virtual void represent() = 0;
  virtual void transition(ItemDraws& draws) = 0;
  /// Refuses points at which the kernel cannot begin, beyond those without a finite density.
  virtual void check_start() const {}

  /// log p(centre + a u + b v): counted, NaN is −∞. @throws Error(numeric) for +∞
  double probe(double a, double b) {
    ++counts_.evaluations;
    const double value = probe_->at(a, b, stop_);
    return value < std::numeric_limits<double>::infinity() ? value : improper(a, b, value);
  }
  /// Accepts the point evaluated last at (a, b).
  void accept(double a, double b, double log_density);

  std::shared_ptr<const LogDensity> density_;
  std::unique_ptr<DensityProbe> probe_;
  AffineFrame frame_;
  Eigen::VectorXd point_;
  double log_density_ = 0;
  SliceCounts counts_;
  std::stop_token stop_;

 private:
  /// What `probe` makes of NaN and +∞.
  double improper(double a, double b, double value);

  std::int64_t since_refresh_ = 0;
};

}  // namespace buffon
