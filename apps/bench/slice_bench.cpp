// SPDX-License-Identifier: BSD-3-Clause

// What a slice kernel costs per evaluation beyond forming the point and evaluating the density there: time of steps on N(0, I) less that of a
// plain loop over as many points c + a u + b v with the same density. The bar is 30 ns + 1 ns × d. And what a second CPU brings.

#include <buffon/parallel/context.hpp>
#include <buffon/samplers/coordinate_slice.hpp>
#include <buffon/samplers/elliptical_slice.hpp>
#include <buffon/samplers/geodesic_slice.hpp>
#include <buffon/samplers/hit_and_run_slice.hpp>
#include <buffon/samplers/polar_slice.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "interleave.hpp"

namespace {

using namespace buffon;

struct Named {
  std::string name;
  std::unique_ptr<SliceKernel> kernel;
};

double log_normal(const Eigen::VectorXd& x) { return -0.5 * x.squaredNorm(); }

/// 1,000 chains of 10 dimensions, warm-up and draws, diagnostics left out.
void run_chains(int threads) {
  PolarSliceRunOptions options;
  options.chains = 1000;
  options.warmup = options.draws = 256;
  PolarSliceChains chains(std::make_shared<const Target>(make_log_density(10, log_normal)), options, Stream(1));
  Context context(threads);
  while (!chains.finished()) chains.step(context);
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("slice_bench", argc, argv);
  for (const Index d : {2, 10, 50, 100}) {
    const auto density = make_log_density(d, log_normal);
    // Unit vectors around an axis, as concentrated as in the usual tests (80 in 10 dimensions).
    const auto directed =
        make_log_density(d, [kappa = 8.0 * static_cast<double>(d)](const Eigen::VectorXd& x) { return kappa * x(0) - 0.5 * x.squaredNorm(); });
    // One whose ellipses have to be searched: the frame is wider than the target.
    const AffineFrame wide = AffineFrame::diagonal(Eigen::VectorXd::Zero(d), Eigen::VectorXd::Constant(d, 3));
    std::vector<Named> kernels;
    kernels.push_back({"polar_slice", std::make_unique<PolarSlice>(density, PolarSliceOptions{.width = 0.5 * std::sqrt(static_cast<double>(d))})});
    kernels.push_back({"polar_slice, doubling", std::make_unique<PolarSlice>(density, PolarSliceOptions{.width = 0.5 * std::sqrt(static_cast<double>(d)),
                                                                                                        .expand = PolarSliceOptions::Expansion::doubling})});
    kernels.push_back({"hit_and_run_slice", std::make_unique<HitAndRunSlice>(density, HitAndRunSliceOptions{.width = 3})});
    kernels.push_back({"coordinate_slice", std::make_unique<CoordinateSlice>(density, CoordinateSliceOptions{.width = 3})});
    kernels.push_back({"elliptical_slice", std::make_unique<EllipticalSlice>(density)});
    kernels.back().kernel->set_frame(wide);
    kernels.push_back({"geodesic_slice", std::make_unique<GeodesicSlice>(directed)});
    for (auto& [name, kernel] : kernels) {
      const Index steps = name == "coordinate_slice" ? std::max<Index>(1, 200 / d) : 200;
      ItemDraws draws(Stream(1), kernel->normals());
      kernel->start(Eigen::VectorXd::Unit(d, 0));
      std::uint64_t item = 0;
      const auto move = [&, k = kernel.get()] {
        for (Index t = 0; t < steps; ++t) {
          draws.begin(item++);
          k->step(draws);
        }
      };
      for (int warmup = 0; warmup < 20; ++warmup) move();
      const std::int64_t before = kernel->counts().evaluations;
      constexpr int repeats = 200;
      for (int r = 0; r < repeats; ++r) move();
      const double evaluations = static_cast<double>(kernel->counts().evaluations - before) / repeats;

      const LogDensity& used = name == "geodesic_slice" ? *directed : *density;
      const Eigen::VectorXd c = Eigen::VectorXd::Constant(d, 0.1), u = Eigen::VectorXd::Constant(d, 0.2), v = Eigen::VectorXd::Constant(d, -0.3);
      Eigen::VectorXd x(d);
      double sum = 0;
      const auto plain = [&] {
        const auto n = static_cast<int>(std::lround(evaluations));
        for (int i = 0; i < n; ++i) {
          const double a = 0.001 * i, b = 1 - a;
          x = c + (a * u + b * v);
          sum += used.at(x, {});
        }
        volatile double kept = sum;
        static_cast<void>(kept);
      };
      report.difference(name + ", d = " + std::to_string(d), "ns per evaluation", 1e-9 * evaluations, {"steps", move}, {"plain loop", plain},
                        30 + static_cast<double>(d));
    }
  }
  report.compare("1,000 chains of 10 dimensions, 512 transitions each", "runs/s", 1,
                 {{"every CPU", [] { run_chains(0); }}, {"one thread", [] { run_chains(1); }}}, bench::Clock::wall);
  return report.finish();
}
