// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/marginal.hpp>

#include <limits>
#include <string>
#include <vector>

/// One law of every shape that the families can take, for the tests that hold for all of them.
struct LawCase {
  std::string name;  ///< what is special about it
  buffon::Marginal law;
  bool tails = true;  ///< both ends can be resolved to ±37 sigma (support ends at 0, without a pole, or at infinity)
};

inline std::vector<LawCase> law_cases() {
  using namespace buffon;
  constexpr double inf = std::numeric_limits<double>::infinity();
  return {
      {"standard normal", normal_law(0, 1)},
      {"shifted normal", normal_law(-3.5, 0.01), false},
      {"lognormal by moments", lognormal_law_by_moments(556.8, 0.08)},
      {"wide lognormal", lognormal_law(-2, 3)},
      {"unit uniform", uniform_law(0, 1), false},
      {"uniform away from 0", uniform_law(-3, 5), false},
      {"half normal", truncated_normal_law(0, 1, 0, inf)},
      {"normal cut on the left", truncated_normal_law(5, 2, 0, inf)},
      {"normal cut on the right", truncated_normal_law(-5, 2, -inf, 0)},
      {"normal cut on both sides", truncated_normal_law(1, 2, 0, 4), false},
      {"far tail of a normal", truncated_normal_law(-40, 1, 0, inf)},
      {"far lower tail of a normal", truncated_normal_law(300, 1, -inf, 0)},
      {"slice of a tail", truncated_normal_law(-8, 1, 0, 0.5), false},
      {"narrow slice across the mean", truncated_normal_law(0, 1, -1e-6, 3e-6), false},
      {"narrow slice of a tail", truncated_normal_law(-6, 1, 0, 1e-8), false},
      {"bell beta", beta_law(2, 3), false},
      {"beta with poles", beta_law(0.5, 0.25), false},
      {"stretched beta", beta_law(1, 5, -2, 7), false},
      {"sharp beta", beta_law(3000, 500), false},
      {"exponential as gamma", gamma_law(1, 2)},
      {"gamma with a pole", gamma_law(0.5, 3), false},
      {"bell gamma", gamma_law(7.5, 0.2)},
      {"nearly normal gamma", gamma_law(40000, 1)},
      {"shifted gamma", gamma_law(3, 1, 10), false},
      {"standard gumbel", gumbel_law(0, 1)},
      {"shifted gumbel", gumbel_law(12, 0.5)},
      {"rayleigh", weibull_law(2, 1)},
      {"weibull with a pole", weibull_law(0.7, 3), false},
      {"steep weibull", weibull_law(12, 100)},
      {"shifted weibull", weibull_law(1.5, 2, -4), false},
      {"exponential", exponential_law(1)},
      {"fast exponential", exponential_law(250)},
      {"shifted exponential", exponential_law(0.5, 3), false},
      {"symmetric triangle", triangular_law(-1, 0, 1), false},
      {"skew triangle", triangular_law(0, 1, 10), false},
      {"falling triangle", triangular_law(0, 0, 2), false},
      {"rising triangle", triangular_law(-2, 0, 0), false},
      {"cauchy", student_t_law(1)},
      {"t with 3 degrees", student_t_law(3)},
      {"t with 5.5 degrees, shifted", student_t_law(5.5, 0.5, 2)},
      {"nearly normal t", student_t_law(30000)},
  };
}
