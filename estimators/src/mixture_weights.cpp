// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/estimators/mixture_weights.hpp>
#include <buffon/parallel/blocks.hpp>

namespace buffon {
namespace {

constexpr std::int64_t block_size = 2048;

// F(α) and the A_j in one pass.
struct Pass {
  double value = 0;
  Eigen::VectorXd pull;
};

Pass pass(Context& context, const ConstMatrix& ratios, const ConstVector& costs, const Eigen::VectorXd& alpha) {
  return reduce_blocks<Pass>(
      context, ratios.rows(), block_size,
      [&](const Block& block) {
        const auto r = ratios.middleRows(block.begin, block.size());
        const auto c = costs.segment(block.begin, block.size());
        Eigen::VectorXd mixture = r * alpha;
        Eigen::VectorXd term(block.size());
        Pass part;
        for (Index i = 0; i < term.size(); ++i) {  // a point without cost may have underflowed densities: it says nothing
          const double value = c(i) > 0 ? c(i) / mixture(i) : 0;
          part.value += value;
          term(i) = c(i) > 0 ? value / mixture(i) : 0;
        }
        part.pull = r.transpose() * term;
        return part;
      },
      [](Pass& into, const Pass& from) {
        into.value += from.value;
        into.pull += from.pull;
      });
}

void floor_weights(Eigen::VectorXd& alpha) {
  alpha /= alpha.sum();
  alpha = alpha.cwiseMax(smallest_mixture_weight);
  alpha /= alpha.sum();
}

}  // namespace

MixtureWeights minimise_mixture_weights(Context& context, const ConstMatrix& ratios, const ConstVector& costs, const ConstVector& start, int iterations,
                                        double tolerance) {
  MixtureWeights result;
  result.alpha = start;
  floor_weights(result.alpha);
  const double peak = costs.size() > 0 ? costs.maxCoeff() : 0;
  if (!(peak > 0)) return result;
  const Eigen::VectorXd scaled = costs / peak;
  Pass now = pass(context, ratios, scaled, result.alpha);
  result.values.push_back(now.value * peak);
  for (int i = 0; i < iterations; ++i) {
    Eigen::VectorXd next = result.alpha.cwiseProduct(now.pull.cwiseSqrt());
    if (!(next.sum() > 0) || !next.allFinite()) break;
    floor_weights(next);
    const double before = now.value;
    now = pass(context, ratios, scaled, next);
    if (!(now.value <= before)) break;  // rounding, or the floor at work
    result.alpha = next;
    result.values.push_back(now.value * peak);
    if (before - now.value < tolerance * before) break;
  }
  return result;
}

}  // namespace buffon
