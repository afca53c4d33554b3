// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/diffusion/schedule_search.hpp>

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

namespace buffon::schedule {

Minimum descend(const Objective& objective, Eigen::VectorXd from, std::int64_t budget) {
  constexpr double width = 1e-4;  // truncation of central differences ~ 1e-8, rounding of a value ~ 1e-16 / 1e-4
  constexpr std::size_t memory = 8;
  const Index n = from.size();
  Minimum minimum{std::move(from), 0, 1};
  minimum.value = objective(minimum.at);
  const auto gradient = [&](const Eigen::VectorXd& x) {
    Eigen::VectorXd g(n), y = x;
    for (Index i = 0; i < n; ++i) {
      y(i) = x(i) + width;
      const double above = objective(y);
      y(i) = x(i) - width;
      g(i) = (above - objective(y)) / (2 * width);
      y(i) = x(i);
    }
    minimum.runs += 2 * n;
    return g;
  };
  struct Pair {
    Eigen::VectorXd step, change;
    double rho;
  };
  std::deque<Pair> history;
  Eigen::VectorXd g = gradient(minimum.at);
  int idle = 0;
  while (minimum.runs + 2 * n < budget && idle < 3 && g.allFinite() && g.norm() > 1e-9) {
    // Two loops of L-BFGS (Nocedal, 1980).
    Eigen::VectorXd direction = -g;
    std::vector<double> a(history.size());
    for (std::size_t k = history.size(); k-- > 0;) {
      a[k] = history[k].rho * history[k].step.dot(direction);
      direction -= a[k] * history[k].change;
    }
    if (!history.empty()) direction *= history.back().step.dot(history.back().change) / history.back().change.squaredNorm();
    for (std::size_t k = 0; k < history.size(); ++k) {
      direction += (a[k] - history[k].rho * history[k].change.dot(direction)) * history[k].step;
    }
    if (direction.dot(g) >= 0) {
      direction = -g;
      history.clear();
    }
    // Step sizes lie in the exponent: a length of 1 is far.
    double length = std::min(1.0, 1 / direction.norm());
    if (history.empty()) length = std::min(length, 0.2 / direction.norm());
    double value = minimum.value;
    Eigen::VectorXd step = direction;
    int halvings = 0;
    for (; halvings < 25 && minimum.runs < budget; ++halvings, length *= 0.5) {
      step = length * direction;
      value = objective(minimum.at + step);
      ++minimum.runs;
      if (value <= minimum.value + 1e-4 * step.dot(g)) break;
    }
    if (!(value < minimum.value)) {
      if (history.empty()) break;
      history.clear();
      ++idle;
      continue;
    }
    idle = minimum.value - value < 1e-7 ? idle + 1 : 0;
    minimum.at += step;
    minimum.value = value;
    const Eigen::VectorXd before = std::exchange(g, gradient(minimum.at));
    const Eigen::VectorXd change = g - before;
    const double curvature = step.dot(change);
    if (curvature > 1e-12 * change.squaredNorm()) {
      history.push_back({step, change, 1 / curvature});
      if (history.size() > memory) history.pop_front();
    }
  }
  return minimum;
}

}  // namespace buffon::schedule
