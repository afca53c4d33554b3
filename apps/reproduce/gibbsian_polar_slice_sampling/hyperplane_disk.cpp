// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/target_kind.hpp>
#include <buffon/stats/chain_diagnostics.hpp>

#include <Eigen/Cholesky>

#include <array>

#include "cases.hpp"

namespace buffon::reproduce::gibbsian_polar_slice_sampling {
namespace {

constexpr Index d = 200;
constexpr const char* part = "2, disk, d = 200";

}  // namespace

// x0 ∝ (1, …, 1, 1 − d) of length 10, w = 20, 10^4 iterations; the last contestant takes the covariance of the draws of the first.
void hyperplane_disk(const ReproduceOptions& options, ReproduceTable& table) {
  const Stream root = Stream(options.seed).child("hyperplane disk");
  const auto density = named_density("hyperplane_disk").make(d, {}).density;
  const std::int64_t n = scaled(options, 1e4, 10000);
  Eigen::VectorXd x0 = Eigen::VectorXd::Ones(d);
  x0(d - 1) = 1 - d;
  x0 *= 10 / x0.norm();
  std::vector<Contestant> contestants = {
      {"polar (GPSS)", [&] { return polar(density, 20); }, n},
      {"hit-and-run (HRUSS)", [&] { return hit_and_run(density, 20); }, n},
      {"elliptical (ESS, N(0, I))", [&] { return elliptical(density, AffineFrame::identity(d)); }, n},
  };
  const auto observe = [](const Eigen::VectorXd& x, Eigen::Ref<Eigen::RowVectorXd> out) {
    out(0) = x.norm();
    out.tail(d) = x;
  };
  auto traces = run_chains(options, root, contestants, x0, d + 1, observe, table);
  const Eigen::MatrixXd draws = traces[0].values.rightCols(d);
  const Eigen::MatrixXd centred = draws.rowwise() - draws.colwise().mean();
  const Eigen::LLT<Eigen::MatrixXd> factor(centred.transpose() * centred / static_cast<double>(n - 1));
  const AffineFrame learnt = AffineFrame::full(Eigen::VectorXd::Zero(d), factor.matrixL().toDenseMatrix());
  const std::vector<Contestant> last = {{"elliptical (ESS, covariance of draws)", [&] { return elliptical(density, learnt); }, n}};
  traces.push_back(run_chains(options, root, last, x0, d + 1, observe, table).front());
  contestants.push_back(last.front());
  evaluation_rows(part, contestants, traces, {"12.23", "7.78", "7.91", "6.51"}, table);

  const std::array<const char*, 4> paper_times = {"1.09", "684.6", "199.2", "188.1"}, paper_steps = {"5.05", "0.58", "2.42", "3.54"};
  std::array<double, 4> times{};
  for (std::size_t k = 0; k < 4; ++k) times[k] = integrated_autocorrelation_time(traces[k].values.col(0));
  table.rows.push_back(judged_row(part, contestants[0].name + ": autocorrelation time of |x|", times[0], paper_times[0], "at most 1.3", times[0] <= 1.3));
  for (std::size_t k = 1; k < 4; ++k) {
    table.rows.push_back(judged_row(part, contestants[k].name + ": autocorrelation time of |x|", times[k], paper_times[k], "at least 30 times that of GPSS",
                                    times[k] >= 30 * times[0]));
  }
  for (std::size_t k = 0; k < 4; ++k) {
    const double paper = std::stod(paper_steps[k]), ours = traces[k].mean_step;
    ReproduceRow row = judged_row(part, contestants[k].name + ": mean step", ours, paper_steps[k], "within 15 %", ours > 0.85 * paper && ours < 1.15 * paper);
    row.ratio = ours / paper;
    table.rows.push_back(row);
  }
  const Eigen::VectorXd squares = traces[0].values.col(0).array().square();
  table.rows.push_back(exact_row(part, "GPSS: E |x|²", mean_of(squares.tail(n - 100)), 0.5 * (d - 1) + 0.5 / (1 + d)));
}

}  // namespace buffon::reproduce::gibbsian_polar_slice_sampling
