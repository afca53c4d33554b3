// SPDX-License-Identifier: BSD-3-Clause
#include "option_words.hpp"

#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>
#include <buffon/estimators/importance_sampling.hpp>

#include <utility>

namespace buffon {
namespace {

Error wrong_length(const std::string& key, std::size_t length, const std::string& rule) {
  return Error(ErrorCategory::configuration,
               {.doing = "setting up importance_sampling", .key = "options." + key, .value = std::to_string(length) + " numbers", .rule = rule});
}

AuxiliaryMixture given_law(const Integrands& integrands, const ImportanceSamplingOptions& o) {
  check_options("importance_sampling", o);
  const auto d = static_cast<std::size_t>(integrands.dimension());
  const std::string inputs = std::to_string(d);
  if (o.center.empty() || o.center.size() % d != 0) throw wrong_length("center", o.center.size(), "must have " + inputs + " coordinates per centre");
  const std::size_t centers = o.center.size() / d;
  if (o.scale.size() != 1 && o.scale.size() != d && o.scale.size() != o.center.size()) {
    throw wrong_length("scale", o.scale.size(), "must have 1, " + inputs + ", or " + inputs + " numbers per centre");
  }
  if (!o.shares.empty() && o.shares.size() != centers) throw wrong_length("shares", o.shares.size(), "must have one per centre, " + std::to_string(centers));

  AuxiliaryMixture law;
  law.initial_share = o.initial_share;
  law.alpha.resize(static_cast<Index>(centers));
  for (std::size_t k = 0; k < centers; ++k) {
    Eigen::VectorXd mean(integrands.dimension());
    Eigen::VectorXd variance(integrands.dimension());
    for (std::size_t r = 0; r < d; ++r) {
      mean(static_cast<Index>(r)) = o.center[k * d + r];
      const double deviation = o.scale.size() == 1 ? o.scale[0] : o.scale[o.scale.size() == d ? r : k * d + r];
      variance(static_cast<Index>(r)) = deviation * deviation;
    }
    law.densities.emplace_back(Gaussian::from_covariance(mean, variance.asDiagonal().toDenseMatrix(), {.diagonal = true}));
    law.alpha(static_cast<Index>(k)) = o.shares.empty() ? 1.0 : o.shares[k];
  }
  law.alpha *= (1 - o.initial_share) / law.alpha.sum();
  return law;
}

}  // namespace

void describe(OptionVisitor& v, ImportanceSamplingOptions& o) {
  describe_targets(v, o);
  v.on({.name = "center",
        .meaning = "Coordinates of the centre to draw around, or of several centres one after the other.",
        .unit = "standard deviations of each input (inputs' own units in physical space)",
        .required = true,
        .size_min = 1},
       o.center);
  v.on({.name = "scale",
        .meaning = "Standard deviations around the centres: one for all, one per coordinate, or one per coordinate of every centre.",
        .range = positive(),
        .size_min = 1},
       o.scale);
  v.on({.name = "shares", .meaning = "Relative weights of the centres; empty means equal.", .range = positive()}, o.shares);
  v.on({.name = "initial_share",
        .meaning = "Share of the points drawn from the law of the inputs itself; bounds every weight by its inverse.",
        .range = {.min = 0, .max = 1, .open_max = true}},
       o.initial_share);
  v.on({.name = "space", .meaning = "Where the centres live: standard normal space, or the space of the inputs (several scenarios)."}, o.space, space_words);
}

ImportanceSampling::ImportanceSampling(const Problem& problem, const ImportanceSamplingOptions& options, const Stream& stream)
    : ImportanceSampling(problem_integrands(problem, options.space, "importance_sampling"), options, stream) {}

ImportanceSampling::ImportanceSampling(const std::shared_ptr<const Integrands>& integrands, const ImportanceSamplingOptions& options, const Stream& stream)
    : SampleRun(integrands, given_law(*integrands, options), targets_of(options), stream.child("importance_sampling")) {}

ImportanceSamplingResult importance_sampling(const Problem& problem, const ImportanceSamplingOptions& options, const Stream& stream, Context& context) {
  ImportanceSampling method(problem, options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
