// SPDX-License-Identifier: BSD-3-Clause
#include "chain_starts.hpp"

#include <buffon/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace buffon {
namespace {

using Kind = StartPolicy::Kind;

/// "(mu = 1, theta.1 = 0.5, …)"
std::string named_point(const Target& target, const Eigen::VectorXd& x) {
  constexpr Index shown = 8;
  std::string text = "(";
  for (Index i = 0; i < std::min(x.size(), shown); ++i) text += (i > 0 ? ", " : "") + target.names()[static_cast<std::size_t>(i)] + " = " + to_text(x(i));
  return text + (x.size() > shown ? ", … " + std::to_string(x.size()) + " numbers)" : ")");
}

std::string doing(std::int64_t chain, const std::string& method) { return "starting chain " + std::to_string(chain + 1) + " of " + method; }

const Eigen::VectorXd& given_point(const StartPolicy& policy, std::int64_t chain) {
  return policy.points[policy.points.size() == 1 ? 0 : static_cast<std::size_t>(chain)];
}

/// One candidate on the unconstrained scale; nothing when a drawn point breaks a constraint, which `problem` tells.
std::optional<Eigen::VectorXd> candidate(const Target& target, std::int64_t chain, std::uint64_t attempt, const Stream& stream, std::string& problem) {
  const StartPolicy& policy = target.start();
  Eigen::VectorXd y(target.dimension());
  if (policy.kind == Kind::given) {
    target.unconstrain(given_point(policy, chain), y);
    return y;
  }
  if (policy.kind == Kind::law) {
    Eigen::MatrixXd x(target.size(), 1);
    policy.law.sample(stream, attempt, x);
    try {
      target.unconstrain(x.col(0), y);
    } catch (const Error& error) {
      if (error.category() != ErrorCategory::configuration) throw;
      problem = error.what();
      return std::nullopt;
    }
    return y;
  }
  if (target.on_sphere()) {
    stream.normals(attempt, y);
    return y.normalized();
  }
  stream.uniforms(attempt, y);
  return (policy.radius * (2 * y.array() - 1)).matrix();
}

}  // namespace

void check_starts(const Target& target, std::int64_t chains, const std::string& method) {
  const StartPolicy& policy = target.start();
  if (policy.kind != Kind::given) return;
  const auto points = static_cast<std::int64_t>(policy.points.size());
  if (points != 1 && points != chains) {
    throw Error(ErrorCategory::configuration, {.doing = "starting the chains of " + method,
                                               .key = "start.points",
                                               .value = std::to_string(points) + " points",
                                               .rule = "must be one for all chains, or one for each of " + std::to_string(chains),
                                               .remedy = "change the points or options.chains"});
  }
}

ChainStart find_start(const Target& target, std::int64_t chain, const Stream& stream, const std::string& method, const std::stop_token& stop) {
  const StartPolicy& policy = target.start();
  const std::int64_t attempts = policy.kind == Kind::given ? 1 : 1 + policy.retries;
  ChainStart start;
  std::string problem, where;
  for (std::int64_t attempt = 0; attempt < attempts; ++attempt) {
    const std::optional<Eigen::VectorXd> y = candidate(target, chain, static_cast<std::uint64_t>(attempt), stream, problem);
    if (!y) continue;
    start.point = *y;
    start.log_density = target.unconstrained()->at(*y, stop);
    ++start.spent.evaluations;
    if (std::isfinite(start.log_density)) return start;
    if (std::isnan(start.log_density)) ++start.spent.undefined;
    Eigen::VectorXd x(target.size());
    target.constrain(*y, x);
    where = named_point(target, x);
    problem = "has log density " + to_text(start.log_density);
    if (start.log_density > 0) {
      throw Error(ErrorCategory::numeric, {.doing = doing(chain, method),
                                           .key = "start",
                                           .value = where,
                                           .rule = problem + ", so that no chain could ever leave this point",
                                           .remedy = "bound the density there, or keep the point out of its support"});
    }
  }
  const std::string tried = attempts == 1 ? "" : ", the last of " + std::to_string(attempts) + " points drawn";
  throw Error(ErrorCategory::configuration,
              {.doing = doing(chain, method),
               .key = "start",
               .value = where,
               .rule = problem + tried + "; a chain must begin where the density is positive",
               .remedy = policy.kind == Kind::given           ? "give a point inside the support"
                         : policy.kind == Kind::overdispersed ? "give points inside the support ([start] kind = \"given\"), or another radius"
                                                              : "give a law inside the support"});
}

}  // namespace buffon
