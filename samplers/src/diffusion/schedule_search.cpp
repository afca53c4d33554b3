// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/samplers/diffusion/schedule_search.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include <Eigen/Eigenvalues>

#include <buffon/core/error.hpp>
#include <buffon/samplers/diffusion/batch_solver.hpp>
#include <buffon/samplers/diffusion/flow_path.hpp>
#include <buffon/samplers/diffusion/host_run.hpp>

namespace buffon {
namespace {

using constants::infinity;

[[noreturn]] void refuse(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::configuration,
              {.doing = "searching a schedule", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

/// √(|m₁ − m₂|² + tr(S₁ + S₂ − 2 (S₁^½ S₂ S₁^½)^½)) of the moments of two sets of columns.
double moment_distance_of(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  if (!a.allFinite() || a.cols() < 2) return infinity;
  const auto covariance = [](const Eigen::MatrixXd& x) {
    const Eigen::MatrixXd centred = x.colwise() - x.rowwise().mean();
    return Eigen::MatrixXd(centred * centred.transpose() / static_cast<double>(x.cols() - 1));
  };
  const Eigen::MatrixXd s = covariance(a), t = covariance(b);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> of_s(s);
  const Eigen::MatrixXd root = of_s.eigenvectors() * of_s.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() * of_s.eigenvectors().transpose();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> inner(root * t * root, Eigen::EigenvaluesOnly);
  const double spread = s.trace() + t.trace() - 2 * inner.eigenvalues().cwiseMax(0).cwiseSqrt().sum();
  return std::sqrt((a.rowwise().mean() - b.rowwise().mean()).squaredNorm() + std::max(0.0, spread));
}

/// Starts with their exact ends, and runs of the solver from them.
class Runs {
 public:
  Runs(const DiffusionModel& model, backend::Queue& queue, const ConstMatrix& starts, const Stream& stream)
      : model_(model),
        queue_(queue),
        starts_(starts),
        stream_(stream),
        solver_(model, queue, std::max<Index>(1, starts.cols()), BUFFON_F64),
        x_(queue.device(), starts.rows(), starts.cols(), BUFFON_F64) {
    for (Index i = 0; i < starts.cols() && !model.labels.empty(); ++i) labels_.push_back(model.label(static_cast<std::uint64_t>(i)));
  }

  Index count() const { return starts_.cols(); }
  std::int64_t calls() const { return solver_.calls() * count(); }

  std::vector<Eigen::MatrixXd> path(const std::vector<NoiseLevel>& grid) { return flow_path(solver_, queue_, *model_.schedule, grid, starts_, 0.08, labels_); }
  void ends_are(Eigen::MatrixXd ends) { ends_ = std::move(ends); }

  Eigen::MatrixXd data(const Eigen::MatrixXd& x, const NoiseLevel& level) {
    const backend::Matrix answer(queue_.device(), x.rows(), x.cols(), BUFFON_F64);
    queue_.upload(x_, x);
    solver_.predict(answer, Prediction::data, {x_, {&level, 1}, labels_});
    return queue_.download(answer);
  }

  /// Root mean square distance of the plan's ends from the exact ones; infinite where the run fails.
  double error(const SolverPlan& plan) {
    const std::optional<Eigen::MatrixXd> ends = run(plan);
    const double square = ends ? (*ends - ends_).colwise().squaredNorm().mean() : infinity;
    return std::isfinite(square) ? std::sqrt(square) : infinity;
  }
  /// Wasserstein distance of Gaussians with the first two moments of the plan's ends and of the exact ones.
  double moment_distance(const SolverPlan& plan) {
    const std::optional<Eigen::MatrixXd> ends = run(plan);
    return ends ? moment_distance_of(*ends, ends_) : infinity;
  }

 private:
  std::optional<Eigen::MatrixXd> run(const SolverPlan& plan) {
    queue_.upload(x_, starts_);
    try {
      solver_.run(plan, x_, stream_, 0, labels_);
    } catch (const Error& failure) {
      if (failure.category() != ErrorCategory::model) throw;
      return std::nullopt;
    }
    return queue_.download(x_);
  }

  const DiffusionModel& model_;
  backend::Queue& queue_;
  Eigen::MatrixXd starts_, ends_;
  Stream stream_;
  BatchSolver solver_;
  backend::Matrix x_;
  std::vector<std::int32_t> labels_;
};

class Search {
 public:
  Search(const ScheduleSearch& search, const DiffusionModel& model, backend::Queue& queue, const ConstMatrix& starts, const Eigen::MatrixXd& held_out,
         const Stream& stream)
      : search_(search),
        schedule_(*model.schedule),
        first_(search.first_time.value_or(schedule_.first_time())),
        last_(search.last_time.value_or(schedule_.last_time())),
        stream_(stream),
        runs_(model, queue, starts, stream) {
    search_.solver.denoise_to_zero = false;
    const NoiseLevel from = schedule_.at_time(first_), to = schedule_.at_time(last_);
    in_lambda_ = std::isfinite(from.lambda) && std::isfinite(to.lambda) && to.sigma > 0;
    fine_ = time_grid(schedule_, in_lambda_ ? GridSpacing::log_snr : GridSpacing::time, search.fine_steps, first_, last_);
    path_ = runs_.path(fine_);
    runs_.ends_are(path_.back());
    if (held_out.cols() > 0) {
      others_.emplace(model, queue, held_out, stream);
      others_->ends_are(others_->path(fine_).back());
    }
    noisy_ = plan(everyday(GridSpacing::time)).noises > 0;
    if (noisy_ && search.method != ScheduleMethod::klub) {
      refuse("solver", search.solver.solver, "must be one without noise for this method: ends are compared with those of the flow", "take klub");
    }
  }

  FoundSchedule run() {
    FoundSchedule found;
    switch (search_.method) {
      case ScheduleMethod::boss:
        found = of_path(schedule::cheapest_path(step_costs(), search_.steps));
        break;
      case ScheduleMethod::klub:
        klub_ = schedule::klub_costs(changes(), fine_);
        found = of_path(schedule::cheapest_path(klub_, search_.steps));
        break;
      case ScheduleMethod::evolution:
        found = evolved();
        break;
      case ScheduleMethod::descent:
        found = descended();
        break;
    }
    if (!std::isfinite(found.value)) {
      throw Error(ErrorCategory::model, {.doing = "searching a schedule",
                                         .key = "error",
                                         .value = to_text(found.value),
                                         .rule = "must be finite for one grid at least",
                                         .remedy = "see what the model answers between the first and the last time"});
    }
    found.runs = count_;
    report(found);
    found.calls = runs_.calls() + (others_ ? others_->calls() : 0);
    return found;
  }

 private:
  /// One step alone, whatever the number that the solver needs.
  SolverPlan plan_of_step(Index i, Index j) const {
    SolverSetting setting = search_.solver;
    setting.any_steps = true;
    return plan_solver(setting, schedule_, levels({i, j}));
  }
  SolverPlan plan(const std::vector<NoiseLevel>& grid) const { return plan_solver(search_.solver, schedule_, grid); }
  double error(const std::vector<NoiseLevel>& grid) {
    ++count_;
    for (std::size_t i = 1; i < grid.size(); ++i) {
      if (!(grid[i].lambda > grid[i - 1].lambda)) return infinity;  // steps that are lost in rounding
    }
    return runs_.error(plan(grid));
  }
  std::vector<NoiseLevel> everyday(GridSpacing spacing) const { return time_grid(schedule_, spacing, search_.steps, first_, last_); }
  std::vector<NoiseLevel> levels(const std::vector<Index>& nodes) const {
    std::vector<NoiseLevel> grid;
    for (const Index node : nodes) grid.push_back(fine_[static_cast<std::size_t>(node)]);
    return grid;
  }
  FoundSchedule of_path(const schedule::Path& path) const { return {.grid = levels(path.nodes), .value = path.cost}; }

  /// Four grids of everyday use, as far as the schedule has them.
  std::vector<std::pair<std::string, std::vector<NoiseLevel>>> everyday_grids() const {
    static constexpr std::array<std::pair<const char*, GridSpacing>, 4> spacings = {
        std::pair{"log_snr", GridSpacing::log_snr}, {"time", GridSpacing::time}, {"quadratic", GridSpacing::quadratic}, {"karras", GridSpacing::karras}};
    std::vector<std::pair<std::string, std::vector<NoiseLevel>>> grids;
    for (const auto& [name, spacing] : spacings) {
      if (!in_lambda_ && (spacing == GridSpacing::log_snr || spacing == GridSpacing::karras)) continue;
      grids.emplace_back(name, everyday(spacing));
    }
    return grids;
  }

  /// Where a level lies on the axis of the fine grid.
  double place(const NoiseLevel& level) const { return in_lambda_ ? level.lambda : level.time; }
  NoiseLevel at_place(double place) const { return in_lambda_ ? schedule_.at_lambda(place) : schedule_.at_time(place); }

  /// The nodes of the fine grid nearest to those of a grid, each taken once.
  std::vector<Index> nearest(const std::vector<NoiseLevel>& grid) const {
    const Index k = static_cast<Index>(fine_.size()) - 1;
    const double begin = place(fine_.front()), length = place(fine_.back()) - begin;
    const auto steps = static_cast<Index>(grid.size()) - 1;
    std::vector<Index> nodes = {0};
    for (Index i = 1; i < steps; ++i) {
      const auto node = static_cast<Index>(std::lround((place(grid[static_cast<std::size_t>(i)]) - begin) / length * static_cast<double>(k)));
      nodes.push_back(std::clamp(node, nodes.back() + 1, k - (steps - i)));
    }
    nodes.push_back(k);
    return nodes;
  }

  /// Mean squared errors of single steps of the solver between nodes of the fine grid, each from the exact state.
  Eigen::MatrixXd step_costs() {
    const Index k = static_cast<Index>(fine_.size()) - 1;
    Eigen::MatrixXd costs = Eigen::MatrixXd::Constant(k + 1, k + 1, infinity);
    for (Index i = 0; i < k; ++i) {
      const Eigen::MatrixXd& from = path_[static_cast<std::size_t>(i)];
      // The first stage is the same whatever the length of the step.
      Eigen::MatrixXd first;
      const DataModel model = [&](const Eigen::MatrixXd& x, const NoiseLevel& level) {
        if (level.time != fine_[static_cast<std::size_t>(i)].time || x != from) return runs_.data(x, level);
        if (first.size() == 0) first = runs_.data(x, level);
        return first;
      };
      for (Index j = i + 1; j <= k; ++j) {
        const Eigen::MatrixXd end = states_at_nodes(plan_of_step(i, j), model, schedule_, from).back();
        const double cost = (end - path_[static_cast<std::size_t>(j)]).colwise().squaredNorm().mean();
        if (std::isfinite(cost)) costs(i, j) = cost;
      }
    }
    return costs;
  }

  /// E|D_i − D_j|² along forward paths that begin on the ends of the flow: y = x / alpha is a Brownian motion in rho².
  Eigen::MatrixXd changes() {
    const Index k = static_cast<Index>(fine_.size()) - 1;
    const Stream paths = stream_.child("paths");
    Eigen::MatrixXd y = path_.back() / fine_.back().alpha, z(y.rows(), y.cols());
    std::vector<Eigen::MatrixXd> answers(fine_.size());
    for (Index i = k; i >= 0; --i) {
      const NoiseLevel& level = fine_[static_cast<std::size_t>(i)];
      if (i < k) {
        paths.normals(static_cast<std::uint64_t>(i * y.cols()), z);
        const double rho = fine_[static_cast<std::size_t>(i) + 1].rho();
        if (level.alpha == 0) {  // pure noise remembers nothing
          y = z;
        } else {
          y += std::sqrt(level.rho() * level.rho() - rho * rho) * z;
        }
      }
      answers[static_cast<std::size_t>(i)] = runs_.data(level.alpha == 0 ? Eigen::MatrixXd(level.sigma * y) : Eigen::MatrixXd(level.alpha * y), level);
    }
    Eigen::MatrixXd changes = Eigen::MatrixXd::Zero(k + 1, k + 1);
    for (Index i = 0; i <= k; ++i) {
      for (Index j = i + 1; j <= k; ++j) {
        changes(i, j) = changes(j, i) = (answers[static_cast<std::size_t>(i)] - answers[static_cast<std::size_t>(j)]).colwise().squaredNorm().mean();
      }
    }
    return changes;
  }

  FoundSchedule evolved() {
    std::vector<std::vector<Index>> seeds;
    const Index k = static_cast<Index>(fine_.size()) - 1;
    if (search_.steps > k) refuse("steps", std::to_string(search_.steps), "must be at most fine_steps", "take a finer grid");
    for (const auto& [name, grid] : everyday_grids()) seeds.push_back(nearest(grid));
    const auto fitness = [&](const std::vector<Index>& nodes) { return error(levels(nodes)); };
    return of_path(schedule::evolve(fitness, seeds, k, search_.steps, search_.budget > 0 ? search_.budget : 600, stream_.child("candidates")));
  }

  /// Nodes from logarithms of step sizes, relative to their sum.
  std::vector<NoiseLevel> grid_of(const Eigen::VectorXd& logs) const {
    const Eigen::ArrayXd sizes = (logs.array() - logs.maxCoeff()).exp();
    const double begin = place(fine_.front()), length = place(fine_.back()) - begin, total = sizes.sum();
    std::vector<NoiseLevel> grid = {fine_.front()};
    double sum = 0;
    for (Index i = 0; i + 1 < sizes.size(); ++i) {
      sum += sizes(i);
      grid.push_back(at_place(begin + length * sum / total));
    }
    grid.push_back(fine_.back());
    return grid;
  }
  /// Levels for the model, at most half a step beside the inner nodes.
  std::vector<NoiseLevel> beside(const std::vector<NoiseLevel>& grid, const Eigen::VectorXd& shares) const {
    std::vector<NoiseLevel> levels = grid;
    double gap = infinity;
    for (std::size_t i = 1; i < grid.size(); ++i) gap = std::min(gap, std::abs(place(grid[i]) - place(grid[i - 1])));
    for (std::size_t i = 1; i + 1 < grid.size(); ++i) {
      levels[i] = at_place(place(grid[i]) + 0.5 * gap * std::tanh(shares(static_cast<Index>(i) - 1)));
    }
    return levels;
  }

  FoundSchedule descended() {
    const auto grids = everyday_grids();
    const std::int64_t budget = search_.budget > 0 ? search_.budget : 2000;
    const Index m = search_.steps;
    const auto of_sizes = [&](const Eigen::VectorXd& logs) { return std::log(error(grid_of(logs))); };
    // A part of the budget from each grid, what is left from the best of them.
    const std::int64_t share = budget / static_cast<std::int64_t>((search_.decoupled ? 2 : 1) * (grids.size() + 1));
    schedule::Minimum best{{}, infinity, 0};
    std::int64_t spent = 0;
    for (const auto& [name, grid] : grids) {
      Eigen::VectorXd logs(m);
      for (Index i = 0; i < m; ++i) {
        logs(i) = std::log(std::abs(place(grid[static_cast<std::size_t>(i) + 1]) - place(grid[static_cast<std::size_t>(i)])));
      }
      schedule::Minimum minimum = schedule::descend(of_sizes, logs.array() - logs.mean(), share);
      spent += minimum.runs;
      if (best.at.size() == 0 || minimum.value < best.value) best = std::move(minimum);
    }
    best = schedule::descend(of_sizes, best.at, (search_.decoupled ? budget / 2 : budget) - spent);
    if (!search_.decoupled || m < 2) return {.grid = grid_of(best.at), .value = std::exp(best.value)};
    spent += best.runs;
    const auto of_both = [&](const Eigen::VectorXd& at) {
      ++count_;
      const std::vector<NoiseLevel> grid = grid_of(at.head(m));
      return std::log(runs_.error(at_model_levels(plan(grid), grid, beside(grid, at.tail(m - 1)))));
    };
    Eigen::VectorXd both = Eigen::VectorXd::Zero(2 * m - 1);
    both.head(m) = best.at;
    best = schedule::descend(of_both, both, budget - spent);
    FoundSchedule found{.grid = grid_of(best.at.head(m)), .value = std::exp(best.value)};
    found.model_levels = beside(found.grid, best.at.tail(m - 1));
    return found;
  }

  void report(FoundSchedule& found) {
    auto grids = everyday_grids();
    grids.emplace_back("found", found.grid);
    for (const auto& [name, grid] : grids) {
      ScheduleLine line{.grid = name};
      if (!noisy_) {
        SolverPlan of_grid = plan(grid);
        if (name == "found" && !found.model_levels.empty()) of_grid = at_model_levels(std::move(of_grid), grid, found.model_levels);
        line.error = runs_.error(of_grid);
        if (others_) line.held_out_error = others_->error(of_grid);
      }
      if (noisy_) line.moment_distance = (others_ && others_->count() > 1 ? *others_ : runs_).moment_distance(plan(grid));
      if (klub_.size() > 0) {
        const std::vector<Index> nodes = nearest(grid);
        line.bound = 0;
        for (std::size_t i = 1; i < nodes.size(); ++i) line.bound += klub_(nodes[i - 1], nodes[i]);
      }
      found.lines.push_back(line);
    }
  }

  ScheduleSearch search_;
  const NoiseSchedule& schedule_;
  double first_, last_;
  Stream stream_;
  Runs runs_;
  std::optional<Runs> others_;  ///< from starts that the search does not see
  bool in_lambda_ = true, noisy_ = false;
  std::vector<NoiseLevel> fine_;
  std::vector<Eigen::MatrixXd> path_;  ///< of the flow at the nodes of the fine grid
  Eigen::MatrixXd klub_;
  std::int64_t count_ = 0;
};

}  // namespace

SolverPlan at_model_levels(SolverPlan plan, const std::vector<NoiseLevel>& grid, const std::vector<NoiseLevel>& model_levels) {
  for (SolverPlan::Operation& operation : plan.operations) {
    auto* call = std::get_if<SolverPlan::Evaluate>(&operation);
    if (call == nullptr) continue;
    const auto node = std::find_if(grid.begin(), grid.end(), [&](const NoiseLevel& level) { return level.time == call->level.time; });
    if (node != grid.end()) call->level = model_levels[static_cast<std::size_t>(node - grid.begin())];
  }
  return plan;
}

FoundSchedule search_schedule(const ScheduleSearch& search, const DiffusionModel& model, backend::Queue& queue, const ConstMatrix& starts,
                              const Eigen::MatrixXd& held_out, const Stream& stream) {
  if (search.steps < 1) refuse("steps", std::to_string(search.steps), "must be at least 1", "give the number of steps");
  if (search.fine_steps < 1) refuse("fine_steps", std::to_string(search.fine_steps), "must be at least 1", "120 do for most models");
  if (starts.cols() < 1) refuse("starts", "0", "must be at least 1", "give states at the first time");
  const Index dimension = model.denoiser->dimension();
  const auto check_rows = [&](const char* key, Index rows) {
    if (rows == dimension) return;
    refuse(key, std::to_string(rows) + " rows", "must have one for each of the " + std::to_string(dimension) + " coordinates of a state",
           "give one state a column");
  };
  check_rows("starts", starts.rows());
  if (held_out.cols() > 0) check_rows("held_out", held_out.rows());
  return Search(search, model, queue, starts, held_out, stream).run();
}

}  // namespace buffon
