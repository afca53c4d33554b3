// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/model/denoiser.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/diffusion/solver_plan.hpp>
#include <buffon/stats/sample_set.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace buffon {

class Context;

enum class NodeSpacing { automatic, log_snr, time, quadratic, karras };  ///< automatic: log_snr where both ends are finite, else time
enum class SamplePrecision { float32, float64 };

struct DiffusionOptions {
  std::int64_t samples = 1000;
  std::string solver = "unipc";
  std::int64_t order = 0;  ///< 0 = the solver's own
  double eta = 0;
  std::string variant = "";
  Prediction prediction = Prediction::data;
  double beta = 0.8;
  double churn = 0, churn_from = 0, churn_to = 1e300, churn_noise = 1;
  std::vector<std::vector<double>> restarts{};  ///< restart: nodes, times, rho_min, rho_max of every level
  bool lower_order_final = false;
  bool denoise_to_zero = false;
  double blend = 0;
  bool blend_first = false;
  std::vector<double> ratios{};  ///< dc_solver
  std::int64_t steps = 20;
  NodeSpacing spacing = NodeSpacing::automatic;
  double power = 0;                                 ///< of quadratic and karras, 0 = 2 and 7
  std::optional<double> first_time{}, last_time{};  ///< ends of the grid; the schedule's own if not given
  std::vector<double> times{};                      ///< all nodes, in the place of steps, spacing and ends
  std::int64_t batch = 256;
  std::int64_t round = 8;
  std::string backend = "cpu";
  SamplePrecision precision = SamplePrecision::float32;
  std::int64_t trajectories = 48;
  bool error_curve = true;
  double level = 0.95;
};
void describe(OptionVisitor& visitor, DiffusionOptions& options);
/// The options that are the solver's. @throws Error(configuration) for restarts that are none
SolverSetting solver_setting(const DiffusionOptions& options);

/// Distances between the first two moments of samples and those of the exact law, each beside what it is on average for as many samples of a law
/// without error.
struct LawDistance {
  double mean = 0, mean_by_chance = 0;              ///< ‖m̂ − m‖
  double covariance = 0, covariance_by_chance = 0;  ///< Frobenius
  double w2 = 0, w2_by_chance = 0;                  ///< Wasserstein-2 between Gaussians of these moments; NaN where the covariance is not written down
};

struct DiffusionResult {
  SampleSet samples;
  std::int64_t calls = 0;  ///< of the model for one sample
  std::optional<LawDistance> distance;
};

/// Draws samples of a diffusion or flow model: starts from noise N(0, sigma² I) at the first node of a grid and runs a solver to the last.
///
/// Sample i depends on the seed, the plan of the solver and i alone: not on batches, threads, ranks or shards, nor on `cpu` or `cpu:reference`, as far as the
/// model answers column by column (exact models do; libraries of networks may add up in another order for another batch).
/// Noise of all nodes comes from children of "diffusion": "start" and ("noise", k), item i.
///
/// Where the law of the data is known the moments of the samples are compared with it, and a deterministic solver is run from a few starts with other numbers
/// of steps, in float64, against an exact or much finer solution. Memory: the samples, three times while a checkpoint is written; plan.registers batches per
/// worker.
class Diffusion : public Method {
 public:
  Diffusion(std::shared_ptr<const DiffusionModel> model, const DiffusionOptions& options, const Stream& stream);
  ~Diffusion() override;

  void step(Context& context) override;
  bool finished() const override;
  void stop(const std::string& reason) override;
  Progress progress() const override;
  Outcome outcome() const override;
  MemoryNeed memory_need() const override;
  void describe_state(Archive& archive) override;

  DiffusionResult result() const;
  const DiffusionOptions& options() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

DiffusionResult diffusion(std::shared_ptr<const DiffusionModel> model, const DiffusionOptions& options, const Stream& stream, Context& context);

}  // namespace buffon
