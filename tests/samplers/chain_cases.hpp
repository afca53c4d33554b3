// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/model/target.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/samplers/chains.hpp>

#include <cmath>
#include <memory>
#include <string>
#include <utility>

/// Small kernels and targets for tests of the chains.
namespace buffon::testing {

/// y' = φ y + √(1 − φ²) z in every coordinate of the frame: leaves N(0, I) of the frame's coordinates invariant. Evaluates once per step.
class AutoregressiveKernel final : public SliceKernel {
 public:
  AutoregressiveKernel(std::shared_ptr<const LogDensity> density, double phi)
      : SliceKernel(std::move(density)), phi_(phi), zero_(Eigen::VectorXd::Zero(dimension())) {}
  Index normals() const override { return dimension(); }

 private:
  void represent() override { probe_->set_centre(zero_); }
  void transition(ItemDraws& draws) override {
    probe_->set_first(point_);
    probe_->set_second(draws.normals());
    const double b = std::sqrt(1 - phi_ * phi_);
    accept(phi_, b, probe(phi_, b));
  }
  double phi_;
  Eigen::VectorXd zero_;
};

/// Uniform slice sampling on a random line of the frame, brackets by stepping out from a width of 3 (1 without a scale).
class LineKernel final : public SliceKernel {
 public:
  explicit LineKernel(std::shared_ptr<const LogDensity> density, bool tunable = true) : SliceKernel(std::move(density)), tunable_(tunable) {}
  Index normals() const override { return dimension(); }
  bool tunable() const override { return tunable_; }

 private:
  void represent() override { width_ = frame_.scaled() ? 3 : 1; }
  void transition(ItemDraws& draws) override {
    frame_.direction(draws.normals().normalized(), line_);
    probe_->set_centre(point_);
    probe_->set_first(line_);
    probe_->set_second(line_);
    const double threshold = log_density_ - draws.exponential();
    double a = -width_ * draws.uniform(), b = a + width_;
    for (; probe(a, 0) > threshold; a -= width_) ++counts_.expansions;
    for (; probe(b, 0) > threshold; b += width_) ++counts_.expansions;
    for (;;) {
      const double s = a + (b - a) * draws.uniform(), value = probe(s, 0);
      if (value > threshold) return accept(s, 0, value);
      ++counts_.shrinkages;
      (s < 0 ? a : b) = s;
    }
  }
  bool tunable_;
  double width_ = 1;
  Eigen::VectorXd line_;
};

inline KernelMaker autoregressive(double phi) {
  return [phi](std::shared_ptr<const LogDensity> density) { return std::make_unique<AutoregressiveKernel>(std::move(density), phi); };
}
inline KernelMaker line_slice(bool tunable = true) {
  return [tunable](std::shared_ptr<const LogDensity> density) { return std::make_unique<LineKernel>(std::move(density), tunable); };
}

/// N(0, I_d).
inline std::shared_ptr<const Target> standard_normal_target(Index d) {
  return std::make_shared<const Target>(make_log_density(d, [](const Eigen::VectorXd& x) { return -0.5 * x.squaredNorm(); }));
}

/// N(mean, L Lᵀ), started as `start` says.
inline std::shared_ptr<const Target> normal_target(Eigen::VectorXd mean, const Eigen::MatrixXd& lower, StartPolicy start = {}) {
  const Index d = mean.size();
  Eigen::MatrixXd inverse = lower.triangularView<Eigen::Lower>().solve(Eigen::MatrixXd::Identity(d, d));
  auto density = make_log_density(d, [m = std::move(mean), w = std::move(inverse)](const Eigen::VectorXd& x) { return -0.5 * (w * (x - m)).squaredNorm(); });
  return std::make_shared<const Target>(std::move(density), std::vector<Parameter>{{.name = "x", .size = d}}, std::move(start));
}

inline ChainResult run_chains(std::shared_ptr<const Target> target, const ChainOptions& options, const KernelMaker& maker, std::uint64_t seed,
                              int threads = 1) {
  Chains chains("test_chains", std::move(target), options, maker, Stream(seed));
  Context context(threads);
  run_to_end(chains, context);
  return chains.result();
}

}  // namespace buffon::testing
