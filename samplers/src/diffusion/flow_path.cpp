// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/flow_path.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace buffon {

std::vector<Eigen::MatrixXd> flow_path(BatchSolver& solver, backend::Queue& queue, const NoiseSchedule& schedule, const std::vector<NoiseLevel>& grid,
                                       const ConstMatrix& starts, double widest, std::span<const std::int32_t> labels) {
  const backend::Matrix x(queue.device(), starts.rows(), starts.cols(), BUFFON_F64), answer(queue.device(), starts.rows(), starts.cols(), BUFFON_F64);
  const auto data = [&](const Eigen::MatrixXd& states, const NoiseLevel& level) {
    queue.upload(x, states);
    solver.predict(answer, Prediction::data, {x, {&level, 1}, labels});
    return queue.download(answer);
  };
  const auto slope = [&](const Eigen::MatrixXd& z, double lambda) {
    const NoiseLevel level = schedule.at_lambda(lambda);
    return Eigen::MatrixXd(std::exp(lambda) * data(level.sigma * z, level));
  };
  std::vector<Eigen::MatrixXd> path = {starts};
  for (std::size_t i = 1; i < grid.size(); ++i) {
    NoiseLevel from = grid[i - 1];
    const NoiseLevel& to = grid[i];
    Eigen::MatrixXd state = path.back();
    if (to.sigma == 0) {
      path.push_back(to.alpha * data(state, from));
      continue;
    }
    if (!std::isfinite(from.lambda)) {
      const NoiseLevel near = to.lambda <= -9 ? to : schedule.at_lambda(-9);
      state = near.sigma / from.sigma * state + near.alpha * data(state, from);
      from = near;
    }
    const double length = to.lambda - from.lambda;
    const int steps = static_cast<int>(std::ceil(length / widest));
    const double h = length / std::max(1, steps);
    Eigen::MatrixXd z = state / from.sigma;
    for (int k = 0; k < steps; ++k) {
      const double l = from.lambda + k * h;
      const Eigen::MatrixXd k1 = slope(z, l), k2 = slope(z + 0.5 * h * k1, l + 0.5 * h), k3 = slope(z + 0.5 * h * k2, l + 0.5 * h),
                            k4 = slope(z + h * k3, l + h);
      z += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    }
    path.push_back(to.sigma * z);
  }
  return path;
}

}  // namespace buffon
