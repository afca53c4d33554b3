// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/model/noise_schedule.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
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

constexpr double last_of_cosine = 0.9946;  // beyond it alpha falls to 0

class VpCosine : public NoiseSchedule {
 public:
  VpCosine(double offset, double last) : NoiseSchedule(last_of_cosine, last), s_(offset), least_(std::cos(angle(0))) {}
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
  explicit Discrete(const std::vector<double>& betas) : NoiseSchedule(1, 1 / static_cast<double>(betas.size()), 1 / static_cast<double>(betas.size()), 1) {
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
  Ve(double first, double last) : NoiseSchedule(first, last, 0, std::numeric_limits<double>::max()) {}
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
      : NoiseSchedule(base->first_time(), base->last_time(), base->least_time(), base->greatest_time()), base_(std::move(base)), shift_(std::log(k)) {}
  std::string name() const override { return base_->name() + ", shifted"; }
  NoiseLevel at_time(double t) const override {
    const NoiseLevel level = base_->at_lambda(base_->at_time(t).lambda - shift_);
    return {t, level.alpha, level.sigma, level.lambda};
  }
  NoiseLevel at_lambda(double lambda) const override {
    const NoiseLevel level = base_->at_lambda(lambda);
    return {base_->at_lambda(lambda + shift_).time, level.alpha, level.sigma, lambda};
  }
  /// By the chain rule through the time b of the base. With W = alpha′ sigma − alpha sigma′, d lambda / dt = W / (alpha sigma), so that
  /// db / dt = W(t) / W(b) · alpha_b sigma_b / (alpha_t sigma_t), and alpha_b / sigma_b = alpha_t / (k sigma_t) leaves no quotient of zeros.
  Slopes slopes(double t) const override {
    const NoiseLevel level = base_->at_time(t), inner = base_->at_lambda(level.lambda - shift_);
    const Slopes outside = base_->slopes(t), inside = base_->slopes(inner.time);
    const double wronskian = outside.alpha * level.sigma - level.alpha * outside.sigma, of_base = inside.alpha * inner.sigma - inner.alpha * inside.sigma;
    const double k = std::exp(shift_), ratio = level.sigma == 0 ? inner.alpha / level.alpha : inner.sigma / level.sigma;
    const double rate = wronskian / of_base * ratio * ratio * (level.sigma == 0 ? k : 1 / k);
    return {inside.alpha * rate, inside.sigma * rate};
  }

 private:
  std::shared_ptr<const NoiseSchedule> base_;
  double shift_;
};

}  // namespace

void require_time(const NoiseSchedule& schedule, double time, const std::string& key) {
  if (std::isfinite(time) && time >= schedule.least_time() && time <= schedule.greatest_time()) return;
  const bool bounded = schedule.greatest_time() < std::numeric_limits<double>::max();
  refuse("laying the nodes of a solver", key, to_text(time),
         "must be a time of the schedule " + schedule.name() + ", " +
             (bounded ? "in [" + to_text(schedule.least_time()) + ", " + to_text(schedule.greatest_time()) + "]"
                      : "at least " + to_text(schedule.least_time()) + " and finite"),
         "sampling goes from " + to_text(schedule.first_time()) + " to " + to_text(schedule.last_time()) + " unless told otherwise");
}

namespace {

void require_end(const std::string& kind, double last, double first) {
  if (last >= 0 && last < first) return;
  refuse("making the schedule " + kind, "last_time", to_text(last), "must be in [0, " + to_text(first) + ")", "take 0.001");
}

}  // namespace

std::shared_ptr<const NoiseSchedule> vp_linear_schedule(double beta_0, double beta_1, double last_time) {
  if (!(beta_0 > 0) || !(beta_1 > beta_0) || !std::isfinite(beta_1)) {
    refuse("making the schedule vp_linear", "beta_0, beta_1", to_text(beta_0) + ", " + to_text(beta_1), "must be 0 < beta_0 < beta_1", "take 0.1 and 20");
  }
  require_end("vp_linear", last_time, 1);
  return std::make_shared<VpLinear>(beta_0, beta_1, last_time);
}
std::shared_ptr<const NoiseSchedule> vp_cosine_schedule(double offset, double last_time) {
  if (!(offset >= 0) || !std::isfinite(offset)) {
    refuse("making the schedule vp_cosine", "offset", to_text(offset), "must be finite and at least 0", "take 0.008");
  }
  require_end("vp_cosine", last_time, last_of_cosine);
  return std::make_shared<VpCosine>(offset, last_time);
}
std::shared_ptr<const NoiseSchedule> discrete_schedule(const std::vector<double>& betas) { return std::make_shared<Discrete>(betas); }
std::shared_ptr<const NoiseSchedule> ve_schedule(double sigma_max, double sigma_min) {
  if (!(sigma_min >= 0) || !(sigma_max > sigma_min) || !std::isfinite(sigma_max)) {
    refuse("making the schedule ve", "sigma_max, sigma_min", to_text(sigma_max) + ", " + to_text(sigma_min), "must be sigma_max > sigma_min, at least 0",
           "take 80 and 0.002");
  }
  return std::make_shared<Ve>(sigma_max, sigma_min);
}
std::shared_ptr<const NoiseSchedule> flow_schedule(double last_time) {
  require_end("flow", last_time, 1);
  return std::make_shared<Flow>(last_time);
}
std::shared_ptr<const NoiseSchedule> shifted_schedule(std::shared_ptr<const NoiseSchedule> schedule, double k) {
  if (!(k > 0) || !std::isfinite(k)) refuse("shifting a noise schedule", "shift", to_text(k), "must be finite and greater than 0", "1 shifts nothing");
  return std::make_shared<Shifted>(std::move(schedule), k);
}

std::vector<NoiseLevel> time_grid(const NoiseSchedule& schedule, GridSpacing spacing, int steps, double first, double last, double power) {
  if (steps < 1) refuse("laying the nodes of a solver", "steps", std::to_string(steps), "must be at least 1", "give the number of steps");
  require_time(schedule, first, "first_time");
  require_time(schedule, last, "last_time");
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
    refuse("laying the nodes of a solver", "steps", std::to_string(steps),
           "give node " + std::to_string(i) + " lambda " + to_text(grid[i].lambda) + ", which is not beyond that of the node before it",
           "take fewer steps or another spacing, begin at more noise than the end has, and take finite ends for spacings in lambda");
  }
  return grid;
}

std::vector<NoiseLevel> grid_of_times(const NoiseSchedule& schedule, const std::vector<double>& times) {
  if (times.size() < 2)
    refuse("reading the nodes of a solver", "times", std::to_string(times.size()) + " numbers", "must be at least 2", "give first and last");
  std::vector<NoiseLevel> grid;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const std::string key = "times[" + std::to_string(i) + "]";
    require_time(schedule, times[i], key);
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

namespace {

/// How a text of nodes refuses node i.
using RefuseNode = std::function<void(std::size_t i, const std::string& rule, const std::string& remedy)>;

std::vector<NoiseLevel> grid_through(const NoiseSchedule& schedule, const std::vector<double>& lambdas, double first, double last,
                                     const RefuseNode& refuse_node) {
  require_time(schedule, first, "first_time");
  require_time(schedule, last, "last_time");
  NoiseLevel from = schedule.at_time(first), to = schedule.at_time(last);
  if (to.sigma == 0) to.lambda = infinity;
  const std::size_t n = lambdas.size() - 1;
  const auto meets = [](double ours, double given) { return ours == given || std::abs(ours - given) <= 1e-9; };
  if (!meets(from.lambda, lambdas[0])) {
    refuse_node(0, "must be lambda of the first time, " + to_text(from.lambda), "the grid is of another schedule or range");
  }
  if (!meets(to.lambda, lambdas[n])) refuse_node(n, "must be lambda of the last time, " + to_text(to.lambda), "the grid is of another schedule or range");
  std::vector<NoiseLevel> grid = {from};
  for (std::size_t i = 1; i <= n; ++i) {
    if (i < n && !std::isfinite(lambdas[i])) refuse_node(i, "must be finite", "only the ends may be pure noise or data");
    grid.push_back(i == n ? to : schedule.at_lambda(lambdas[i]));
    if (!(grid[i].lambda > grid[i - 1].lambda)) {
      refuse_node(i, "must be greater than the lambda before it", "sort the nodes from noise to data, each once");
    }
  }
  return grid;
}

[[noreturn]] void refuse_line(const std::string& file, int line, std::string value, std::string rule, std::string remedy) {
  throw Error(
      ErrorCategory::configuration,
      {.doing = "reading the nodes of a solver", .key = "schedule.grid_file", .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)},
      {file, line});
}

/// What a file holds, for a message: short, and bytes that are no text as \xNN.
std::string in_quotes(const std::string& bytes) {
  constexpr std::size_t most = 40;
  std::string out = "\"";
  for (std::size_t i = 0; i < std::min(bytes.size(), most); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (byte >= 0x20 && byte < 0x7f) {
      out += bytes[i];
      continue;
    }
    char code[8];
    std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned>(byte));
    out += code;
  }
  return out + (bytes.size() > most ? " …\"" : "\"");
}

struct GridLine {
  double lambda;
  int number;
};

std::vector<GridLine> lines_of(const std::string& text, const std::string& file) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  std::vector<GridLine> lines;
  int number = 0;
  for (std::size_t at = text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    line.resize(std::min(line.find('#'), line.size()));
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos) continue;
    line = line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
    const std::size_t sign = line.size() > 1 && line[0] == '+' && line[1] != '-' ? 1 : 0;
    double lambda = 0;
    const auto [stop, error] = std::from_chars(line.data() + sign, line.data() + line.size(), lambda);
    if (error != std::errc() || stop != line.data() + line.size()) refuse_line(file, number, in_quotes(line), "must be one number", "write one lambda a line");
    lines.push_back({lambda, number});
  }
  if (lines.size() < 2) {
    refuse_line(file, 0, lines.empty() ? "no numbers" : "one number", "must be at least 2 numbers",
                "write lambda = log(alpha / sigma) of the nodes, one a line, from the first to the last");
  }
  return lines;
}

std::vector<double> lambdas_of(const std::vector<GridLine>& lines) {
  std::vector<double> lambdas;
  for (const GridLine& line : lines) lambdas.push_back(line.lambda);
  return lambdas;
}

}  // namespace

std::vector<NoiseLevel> grid_of_lambdas(const NoiseSchedule& schedule, const std::vector<double>& lambdas, double first, double last) {
  const std::string doing = "reading the nodes of a solver";
  if (lambdas.size() < 2) refuse(doing, "lambdas", std::to_string(lambdas.size()) + " numbers", "must be at least 2", "give first and last");
  return grid_through(schedule, lambdas, first, last, [&](std::size_t i, const std::string& rule, const std::string& remedy) {
    refuse(doing, "lambdas[" + std::to_string(i) + "]", to_text(lambdas[i]), rule, remedy);
  });
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

std::vector<double> grid_numbers(const std::string& text, const std::string& file) { return lambdas_of(lines_of(text, file)); }

std::vector<NoiseLevel> grid_of_text(const NoiseSchedule& schedule, const std::string& text, double first, double last, const std::string& file) {
  const std::vector<GridLine> lines = lines_of(text, file);
  return grid_through(schedule, lambdas_of(lines), first, last, [&](std::size_t i, const std::string& rule, const std::string& remedy) {
    refuse_line(file, lines[i].number, to_text(lines[i].lambda), rule, remedy);
  });
}

}  // namespace buffon
