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
  constexpr double far = 9;  // beyond −far and far the data of the model move by e^{−2 far}
  const auto slope = [&](const Eigen::MatrixXd& z, double lambda) {
    const NoiseLevel level = schedule.at_lambda(lambda);
    return Eigen::MatrixXd(std::exp(lambda) * data(level.sigma * z, level));
  };
  std::vector<Eigen::MatrixXd> path = {starts};
  for (std::size_t i = 1; i < grid.size(); ++i) {
    NoiseLevel from = grid[i - 1];
    NoiseLevel to = grid[i];
    const bool clean = to.sigma == 0;
    if (clean) to = from.lambda < far ? schedule.at_lambda(far) : from;
    Eigen::MatrixXd state = path.back();
    if (!std::isfinite(from.lambda)) {
      const NoiseLevel near = to.lambda <= -far ? to : schedule.at_lambda(-far);
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
    state = to.sigma * z;
    path.push_back(clean ? Eigen::MatrixXd(grid[i].alpha * data(state, to)) : state);
  }
  return path;
}

}  // namespace buffon
