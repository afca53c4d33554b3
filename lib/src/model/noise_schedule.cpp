// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/model/noise_schedule.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <utility>

#include <buffon/core/error.hpp>

namespace buffon {
namespace {

using constants::infinity;

[[noreturn]] void refuse(std::string doing, std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::configuration,
              {.doing = std::move(doing), .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

/// Variance preserving with sigma² = 1 − alpha².
NoiseLevel preserving(double time, double log_alpha) {
  const double alpha = std::exp(log_alpha), variance = -std::expm1(2 * log_alpha);
  return {time, alpha, std::sqrt(variance), log_alpha - 0.5 * std::log(variance)};
}
NoiseLevel preserving_at(double time, double lambda) {
  return {time, 1 / std::sqrt(1 + std::exp(-2 * lambda)), 1 / std::sqrt(1 + std::exp(2 * lambda)), lambda};
}
/// d sigma / dt from d log alpha / dt where alpha² + sigma² = 1.
NoiseSchedule::Slopes preserving_slopes(const NoiseLevel& level, double slope) {
  return {level.alpha * slope, -level.alpha * level.alpha * slope / level.sigma};
}

/// log(e^a + 1)
double log_add_one(double a) { return a > 0 ? a + std::log1p(std::exp(-a)) : std::log1p(std::exp(a)); }

class VpLinear : public NoiseSchedule {
 public:
  VpLinear(double b0, double b1, double last) : NoiseSchedule(1, last), b0_(b0), b1_(b1) {}
  std::string name() const override { return "vp_linear"; }
  NoiseLevel at_time(double t) const override { return preserving(t, -0.25 * t * t * (b1_ - b0_) - 0.5 * t * b0_); }
  NoiseLevel at_lambda(double lambda) const override {
    const double u = 2 * (b1_ - b0_) * log_add_one(-2 * lambda);
    return preserving_at(u / ((std::sqrt(b0_ * b0_ + u) + b0_) * (b1_ - b0_)), lambda);
  }
  Slopes slopes(double t) const override { return preserving_slopes(at_time(t), -0.5 * (t * (b1_ - b0_) + b0_)); }

 private:
  double b0_, b1_;
};

class VpCosine : public NoiseSchedule {
 public:
  VpCosine(double offset, double last) : NoiseSchedule(0.9946, last), s_(offset), least_(std::cos(angle(0))) {}
  std::string name() const override { return "vp_cosine"; }
  NoiseLevel at_time(double t) const override { return preserving(t, std::log(std::cos(angle(t)) / least_)); }
  NoiseLevel at_lambda(double lambda) const override {
    const double alpha = 1 / std::sqrt(1 + std::exp(-2 * lambda));
    return preserving_at(2 * (1 + s_) / std::numbers::pi * std::acos(alpha * least_) - s_, lambda);
  }
  Slopes slopes(double t) const override { return preserving_slopes(at_time(t), -0.5 * std::numbers::pi / (1 + s_) * std::tan(angle(t))); }

 private:
  double angle(double t) const { return 0.5 * std::numbers::pi * (t + s_) / (1 + s_); }
  double s_, least_;
};

class Discrete : public NoiseSchedule {
 public:
  explicit Discrete(const std::vector<double>& betas) : NoiseSchedule(1, 1 / static_cast<double>(betas.size())) {
    double sum = 0;
    for (std::size_t i = 0; i < betas.size(); ++i) {
      if (!(betas[i] > 0 && betas[i] < 1)) {
        refuse("making a discrete noise schedule", "betas[" + std::to_string(i) + "]", to_text(betas[i]), "must be in (0, 1)", "give variances of steps");
      }
      sum += 0.5 * std::log1p(-betas[i]);
      log_alpha_.push_back(sum);
    }
    if (betas.size() < 2)
      refuse("making a discrete noise schedule", "betas", std::to_string(betas.size()) + " numbers", "must be at least 2", "give a longer list");
  }
  std::string name() const override { return "discrete"; }
  NoiseLevel at_time(double t) const override {
    const double n = static_cast<double>(log_alpha_.size()), place = std::clamp(t * n - 1, 0.0, n - 1);
    const auto i = std::min(static_cast<std::size_t>(place), log_alpha_.size() - 2);
    const double part = place - static_cast<double>(i);
    return preserving(t, (1 - part) * log_alpha_[i] + part * log_alpha_[i + 1]);
  }
  NoiseLevel at_lambda(double lambda) const override {
    const double wanted = -0.5 * log_add_one(-2 * lambda);  // log alpha, which falls with the index
    const auto above = std::lower_bound(log_alpha_.begin(), log_alpha_.end(), wanted, [](double a, double b) { return a > b; });
    const auto i = std::clamp<std::ptrdiff_t>(above - log_alpha_.begin() - 1, 0, static_cast<std::ptrdiff_t>(log_alpha_.size()) - 2);
    const auto k = static_cast<std::size_t>(i);
    const double place = static_cast<double>(i) + (wanted - log_alpha_[k]) / (log_alpha_[k + 1] - log_alpha_[k]);
    return preserving_at((place + 1) / static_cast<double>(log_alpha_.size()), lambda);
  }
  Slopes slopes(double t) const override {
    const double n = static_cast<double>(log_alpha_.size());
    const auto i = std::min(static_cast<std::size_t>(std::clamp(t * n - 1, 0.0, n - 1)), log_alpha_.size() - 2);
    return preserving_slopes(at_time(t), (log_alpha_[i + 1] - log_alpha_[i]) * n);
  }

 private:
  std::vector<double> log_alpha_;
};

class Ve : public NoiseSchedule {
 public:
  using NoiseSchedule::NoiseSchedule;
  Ve(double first, double last) : NoiseSchedule(first, last) {}
  std::string name() const override { return "ve"; }
  NoiseLevel at_time(double t) const override { return {t, 1, t, -std::log(t)}; }
  NoiseLevel at_lambda(double lambda) const override { return {std::exp(-lambda), 1, std::exp(-lambda), lambda}; }
  Slopes slopes(double) const override { return {0, 1}; }
};

class Flow : public NoiseSchedule {
 public:
  explicit Flow(double last) : NoiseSchedule(1, last) {}
  std::string name() const override { return "flow"; }
  NoiseLevel at_time(double t) const override { return {t, 1 - t, t, t >= 1 ? -infinity : std::log1p(-t) - std::log(t)}; }
  NoiseLevel at_lambda(double lambda) const override {
    const double t = 1 / (1 + std::exp(lambda));
    return {t, 1 / (1 + std::exp(-lambda)), t, lambda};
  }
  Slopes slopes(double) const override { return {-1, 1}; }
};

class Shifted : public NoiseSchedule {
 public:
  Shifted(std::shared_ptr<const NoiseSchedule> base, double k)
      : NoiseSchedule(base->first_time(), base->last_time()), base_(std::move(base)), shift_(std::log(k)) {}
  std::string name() const override { return base_->name() + ", shifted"; }
  NoiseLevel at_time(double t) const override {
    const NoiseLevel level = base_->at_lambda(base_->at_time(t).lambda - shift_);
    return {t, level.alpha, level.sigma, level.lambda};
  }
  NoiseLevel at_lambda(double lambda) const override {
    const NoiseLevel level = base_->at_lambda(lambda);
    return {base_->at_lambda(lambda + shift_).time, level.alpha, level.sigma, lambda};
  }
  Slopes slopes(double t) const override {  // by the chain rule through the time of the base
    const double inner = at_time(t).lambda, base_time = base_->at_lambda(inner).time;
    const auto at = [&](double time) {
      const NoiseLevel level = base_->at_time(time);
      const Slopes s = base_->slopes(time);
      return s.alpha / level.alpha - s.sigma / level.sigma;  // d lambda / dt
    };
    const double rate = at(t) / at(base_time);
    const Slopes s = base_->slopes(base_time);
    return {s.alpha * rate, s.sigma * rate};
  }

 private:
  std::shared_ptr<const NoiseSchedule> base_;
  double shift_;
};

}  // namespace

std::shared_ptr<const NoiseSchedule> vp_linear_schedule(double beta_0, double beta_1, double last_time) {
  if (!(beta_0 > 0) || !(beta_1 > beta_0)) {
    refuse("making the schedule vp_linear", "beta_0, beta_1", to_text(beta_0) + ", " + to_text(beta_1), "must be 0 < beta_0 < beta_1", "take 0.1 and 20");
  }
  return std::make_shared<VpLinear>(beta_0, beta_1, last_time);
}
std::shared_ptr<const NoiseSchedule> vp_cosine_schedule(double offset, double last_time) { return std::make_shared<VpCosine>(offset, last_time); }
std::shared_ptr<const NoiseSchedule> discrete_schedule(const std::vector<double>& betas) { return std::make_shared<Discrete>(betas); }
std::shared_ptr<const NoiseSchedule> ve_schedule(double sigma_max, double sigma_min) { return std::make_shared<Ve>(sigma_max, sigma_min); }
std::shared_ptr<const NoiseSchedule> flow_schedule(double last_time) { return std::make_shared<Flow>(last_time); }
std::shared_ptr<const NoiseSchedule> shifted_schedule(std::shared_ptr<const NoiseSchedule> schedule, double k) {
  if (!(k > 0)) refuse("shifting a noise schedule", "shift", to_text(k), "must be greater than 0", "1 shifts nothing");
  return std::make_shared<Shifted>(std::move(schedule), k);
}

std::vector<NoiseLevel> time_grid(const NoiseSchedule& schedule, GridSpacing spacing, int steps, double first, double last, double power) {
  if (steps < 1) refuse("laying the nodes of a solver", "steps", std::to_string(steps), "must be at least 1", "give the number of steps");
  const NoiseLevel from = schedule.at_time(first), to = schedule.at_time(last);
  std::vector<NoiseLevel> grid = {from};
  for (int i = 1; i < steps; ++i) {
    const double u = static_cast<double>(i) / steps;
    const auto between = [&](double a, double b) { return a + u * (b - a); };
    if (spacing == GridSpacing::log_snr) {
      grid.push_back(schedule.at_lambda(between(from.lambda, to.lambda)));
    } else if (spacing == GridSpacing::time) {
      grid.push_back(schedule.at_time(between(first, last)));
    } else if (spacing == GridSpacing::quadratic) {
      const double p = power > 0 ? power : 2;
      grid.push_back(schedule.at_time(std::pow(between(std::pow(first, 1 / p), std::pow(last, 1 / p)), p)));
    } else {
      const double p = power > 0 ? power : 7;
      grid.push_back(schedule.at_lambda(-p * std::log(between(std::pow(from.rho(), 1 / p), std::pow(to.rho(), 1 / p)))));
    }
  }
  grid.push_back(to);
  for (std::size_t i = 1; i < grid.size(); ++i) {
    if (grid[i].lambda > grid[i - 1].lambda) continue;
    refuse("laying the nodes of a solver", "node " + std::to_string(i), "lambda " + to_text(grid[i].lambda), "must lie beyond the node before it",
           "begin at more noise than the end has, and take finite ends for spacings in lambda");
  }
  return grid;
}

std::vector<NoiseLevel> grid_of_times(const NoiseSchedule& schedule, const std::vector<double>& times) {
  if (times.size() < 2)
    refuse("reading the nodes of a solver", "times", std::to_string(times.size()) + " numbers", "must be at least 2", "give first and last");
  std::vector<NoiseLevel> grid;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const std::string key = "times[" + std::to_string(i) + "]";
    if (!std::isfinite(times[i])) refuse("reading the nodes of a solver", key, to_text(times[i]), "must be finite", "give times of the schedule");
    NoiseLevel level = schedule.at_time(times[i]);
    if (level.sigma == 0) level.lambda = infinity;
    if (std::isnan(level.lambda) || (i > 0 && !(level.lambda > grid.back().lambda))) {
      refuse("reading the nodes of a solver", key, to_text(times[i]), "must have less noise than the time before it",
             "sort the times from noise to data, each once");
    }
    grid.push_back(level);
  }
  return grid;
}

std::vector<NoiseLevel> grid_of_lambdas(const NoiseSchedule& schedule, const std::vector<double>& lambdas, double first, double last) {
  const std::string doing = "reading the nodes of a solver";
  if (lambdas.size() < 2) refuse(doing, "lambdas", std::to_string(lambdas.size()) + " numbers", "must be at least 2", "give first and last");
  NoiseLevel from = schedule.at_time(first), to = schedule.at_time(last);
  if (to.sigma == 0) to.lambda = infinity;
  const std::size_t n = lambdas.size() - 1;
  const auto key = [](std::size_t i) { return "lambdas[" + std::to_string(i) + "]"; };
  const auto meets = [](double ours, double given) { return ours == given || std::abs(ours - given) <= 1e-9; };
  if (!meets(from.lambda, lambdas[0])) {
    refuse(doing, key(0), to_text(lambdas[0]), "must be lambda of the first time, " + to_text(from.lambda), "the grid is of another schedule or range");
  }
  if (!meets(to.lambda, lambdas[n])) {
    refuse(doing, key(n), to_text(lambdas[n]), "must be lambda of the last time, " + to_text(to.lambda), "the grid is of another schedule or range");
  }
  std::vector<NoiseLevel> grid = {from};
  for (std::size_t i = 1; i <= n; ++i) {
    if (i < n && !std::isfinite(lambdas[i])) refuse(doing, key(i), to_text(lambdas[i]), "must be finite", "only the ends may be pure noise or data");
    grid.push_back(i == n ? to : schedule.at_lambda(lambdas[i]));
    if (!(grid[i].lambda > grid[i - 1].lambda)) {
      refuse(doing, key(i), to_text(lambdas[i]), "must be greater than the lambda before it", "sort the nodes from noise to data, each once");
    }
  }
  return grid;
}

std::string grid_text(const std::vector<NoiseLevel>& grid) {
  std::string text;
  for (const NoiseLevel& level : grid) {
    char line[40];
    std::snprintf(line, sizeof line, "%.17g\n", level.lambda);
    text += line;
  }
  return text;
}

std::vector<NoiseLevel> grid_of_text(const NoiseSchedule& schedule, const std::string& text, double first, double last) {
  std::vector<double> lambdas;
  int number = 0;
  for (std::size_t at = 0; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    line.resize(std::min(line.find('#'), line.size()));
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos) continue;
    line = line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
    double lambda = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), lambda);
    if (error != std::errc() || stop != line.data() + line.size()) {
      refuse("reading the nodes of a solver", "line " + std::to_string(number + 1), line, "must be one number", "write one lambda a line");
    }
    lambdas.push_back(lambda);
  }
  return grid_of_lambdas(schedule, lambdas, first, last);
}

}  // namespace buffon
