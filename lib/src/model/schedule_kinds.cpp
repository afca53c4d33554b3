// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/denoiser_kind.hpp>

#include <utility>

namespace buffon {
namespace {

struct VpLinearOptions {
  double beta_0 = 0.1, beta_1 = 20, last_time = 1e-3;
};
void describe(OptionVisitor& v, VpLinearOptions& o) {
  v.on({.name = "beta_0", .meaning = "rate of the noise at time 0", .range = positive()}, o.beta_0);
  v.on({.name = "beta_1", .meaning = "rate of the noise at time 1, above beta_0", .range = positive()}, o.beta_1);
  v.on({.name = "last_time", .meaning = "time at which sampling ends unless told otherwise", .range = strictly_between(0, 1)}, o.last_time);
}

struct VpCosineOptions {
  double offset = 0.008, last_time = 1e-3;
};
void describe(OptionVisitor& v, VpCosineOptions& o) {
  v.on({.name = "offset", .meaning = "shift of the cosine", .range = at_least(0)}, o.offset);
  v.on({.name = "last_time", .meaning = "time at which sampling ends unless told otherwise", .range = strictly_between(0, 0.9946)}, o.last_time);
}

struct DiscreteOptions {
  std::vector<double> betas;
  std::int64_t count = 1000;
  double beta_first = 1e-4, beta_last = 0.02;
};
void describe(OptionVisitor& v, DiscreteOptions& o) {
  v.on({.name = "betas",
        .meaning = "variances of the steps; empty: `steps` of them, equally spaced from beta_first to beta_last",
        .range = strictly_between(0, 1)},
       o.betas);
  v.on({.name = "steps", .meaning = "number of equally spaced variances", .range = between(2, 1e6)}, o.count);
  v.on({.name = "beta_first", .meaning = "the first of them", .range = strictly_between(0, 1)}, o.beta_first);
  v.on({.name = "beta_last", .meaning = "the last of them", .range = strictly_between(0, 1)}, o.beta_last);
}

struct VeOptions {
  double sigma_max = 80, sigma_min = 0.002;
};
void describe(OptionVisitor& v, VeOptions& o) {
  v.on({.name = "sigma_max", .meaning = "noise at which sampling begins unless told otherwise", .range = positive()}, o.sigma_max);
  v.on({.name = "sigma_min", .meaning = "noise at which it ends, below sigma_max", .range = positive()}, o.sigma_min);
}

struct FlowOptions {
  double last_time = 1e-3;
};
void describe(OptionVisitor& v, FlowOptions& o) {
  v.on({.name = "last_time", .meaning = "time at which sampling ends unless told otherwise", .range = strictly_between(0, 1)}, o.last_time);
}

[[noreturn]] void refuse(const char* key, double value, const char* rule, const char* remedy) {
  throw Error(ErrorCategory::configuration, {.doing = "making the noise schedule", .key = key, .value = to_text(value), .rule = rule, .remedy = remedy});
}

template <class Options, class Make>
ScheduleKind kind(std::string name, std::string summary, Make make) {
  return {std::move(name), std::move(summary),
          [](OptionVisitor& v) {
            Options options;
            describe(v, options);
          },
          [make](OptionVisitor& v) {
            Options options;
            describe(v, options);
            return make(options);
          }};
}

}  // namespace

const std::vector<ScheduleKind>& schedule_kinds() {
  static const std::vector<ScheduleKind> kinds = {
      kind<VpLinearOptions>("vp_linear", "variance preserving, rate of the noise linear in time on [0, 1]",
                            [](const VpLinearOptions& o) {
                              if (o.beta_1 <= o.beta_0) refuse("beta_1", o.beta_1, "must be above beta_0", "give a larger number");
                              return vp_linear_schedule(o.beta_0, o.beta_1, o.last_time);
                            }),
      kind<VpCosineOptions>("vp_cosine", "variance preserving, alpha a cosine of time",
                            [](const VpCosineOptions& o) { return vp_cosine_schedule(o.offset, o.last_time); }),
      kind<DiscreteOptions>("discrete", "variance preserving, from a list of variances of steps",
                            [](const DiscreteOptions& o) {
                              std::vector<double> betas = o.betas;
                              const auto last = static_cast<double>(o.count - 1);
                              for (std::int64_t i = 0; o.betas.empty() && i < o.count; ++i) {
                                betas.push_back(o.beta_first + (o.beta_last - o.beta_first) * (static_cast<double>(i) / last));
                              }
                              return discrete_schedule(betas);
                            }),
      kind<VeOptions>("ve", "variance exploding: sigma is the time, alpha 1",
                      [](const VeOptions& o) {
                        if (o.sigma_min >= o.sigma_max) refuse("sigma_min", o.sigma_min, "must be below sigma_max", "give a smaller number");
                        return ve_schedule(o.sigma_max, o.sigma_min);
                      }),
      kind<FlowOptions>("flow", "linear flow: alpha = 1 - t, sigma = t", [](const FlowOptions& o) { return flow_schedule(o.last_time); }),
  };
  return kinds;
}

}  // namespace buffon
