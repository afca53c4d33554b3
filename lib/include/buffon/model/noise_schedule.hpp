// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace buffon {

/// A point on the way from noise to data: x = alpha x₀ + sigma ε.
struct NoiseLevel {
  double time = 0;  ///< in the units of the schedule
  double alpha = 0, sigma = 0;
  double lambda = 0;  ///< log(alpha / sigma), half the logarithm of the signal-to-noise ratio: −∞ for pure noise, +∞ for data

  double rho() const { return sigma / alpha; }
};

/// alpha and sigma as functions of the model's time, which falls while sampling; lambda rises. Sources: section 1.1 of the method's page.
class NoiseSchedule {
 public:
  virtual ~NoiseSchedule() = default;
  virtual std::string name() const = 0;
  virtual NoiseLevel at_time(double t) const = 0;
  /// The level of a lambda, finite or not, as far as the schedule reaches.
  virtual NoiseLevel at_lambda(double lambda) const = 0;
  /// d alpha / dt and d sigma / dt at a time: the velocity of the flow is alpha′ x₀ + sigma′ ε.
  struct Slopes {
    double alpha, sigma;
  };
  virtual Slopes slopes(double t) const = 0;
  double first_time() const { return first_; }  ///< where sampling begins unless told otherwise
  double last_time() const { return last_; }    ///< where it ends
  double least_time() const { return least_; }  ///< the range of its times, both ends included
  double greatest_time() const { return greatest_; }

 protected:
  /// Times from 0 to `first`.
  NoiseSchedule(double first, double last) : NoiseSchedule(first, last, 0, first) {}
  NoiseSchedule(double first, double last, double least, double greatest) : first_(first), last_(last), least_(least), greatest_(greatest) {}

 private:
  double first_, last_, least_, greatest_;
};

/// @throws Error(configuration) with this key where the schedule has no such time
void require_time(const NoiseSchedule& schedule, double time, const std::string& key);

/// Variance preserving, beta linear in time on [0, 1] (Song and others, "Score-based generative modeling through SDEs", 2021).
std::shared_ptr<const NoiseSchedule> vp_linear_schedule(double beta_0 = 0.1, double beta_1 = 20, double last_time = 1e-3);
/// Variance preserving, alpha a cosine (Nichol and Dhariwal, 2021), time up to 0.9946.
std::shared_ptr<const NoiseSchedule> vp_cosine_schedule(double offset = 0.008, double last_time = 1e-3);
/// Variance preserving with N steps of given variances; time (i + 1) / N after step i, log alpha linear in between.
std::shared_ptr<const NoiseSchedule> discrete_schedule(const std::vector<double>& betas);
/// Variance exploding: alpha = 1, sigma = time (Karras and others, 2022).
std::shared_ptr<const NoiseSchedule> ve_schedule(double sigma_max = 80, double sigma_min = 0.002);
/// Linear flow: alpha = 1 − t, sigma = t, data at t = 0.
std::shared_ptr<const NoiseSchedule> flow_schedule(double last_time = 1e-3);
/// Another schedule with lambda lowered by log k: the resolution shift of flow models, t′ = k t / (1 + (k − 1) t) on the linear flow.
std::shared_ptr<const NoiseSchedule> shifted_schedule(std::shared_ptr<const NoiseSchedule> schedule, double k);

/// How nodes lie between first and last.
enum class GridSpacing { log_snr, time, quadratic, karras };

/// steps + 1 nodes from `first` to `last` time, lambda strictly rising.
/// @param power of quadratic (2: uniform in √t) and karras (7)
/// @throws Error(configuration) for steps < 1, times that the schedule does not have, ends in the wrong order, and steps too many to tell apart
std::vector<NoiseLevel> time_grid(const NoiseSchedule& schedule, GridSpacing spacing, int steps, double first, double last, double power = 0);

/// Nodes given by the user, as times.
/// @throws Error(configuration) naming the first node that is no time of the schedule or does not lie beyond the one before
std::vector<NoiseLevel> grid_of_times(const NoiseSchedule& schedule, const std::vector<double>& times);

/// Nodes given as lambdas; the ends are those of the two times.
/// @throws Error(configuration) naming the first node that is not finite or does not lie beyond the one before, and ends that are not lambda of `first` and
/// `last` within 1e-9
std::vector<NoiseLevel> grid_of_lambdas(const NoiseSchedule& schedule, const std::vector<double>& lambdas, double first, double last);

/// Nodes as text, one lambda a line with 17 digits, "-inf" for pure noise and "inf" for data; what follows a # is for people.
std::string grid_text(const std::vector<NoiseLevel>& grid);
/// The numbers of such a text, two at least. @param file its name in messages
/// @throws Error(configuration) with file and line for what is no number, key schedule.grid_file
std::vector<double> grid_numbers(const std::string& text, const std::string& file = "grid");
/// Back again; the checks of `grid_numbers` and `grid_of_lambdas`, with file and line.
std::vector<NoiseLevel> grid_of_text(const NoiseSchedule& schedule, const std::string& text, double first, double last, const std::string& file = "grid");

}  // namespace buffon
