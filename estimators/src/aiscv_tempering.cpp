// SPDX-License-Identifier: BSD-3-Clause
#include "aiscv_exploration.hpp"

#include <buffon/core/constants.hpp>
#include <buffon/parallel/blocks.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace buffon {
namespace {

constexpr std::int64_t enough_in_pilot = 10;  // hits that show where an event lies without tempering
using constants::nan;

// How far an event is on its way.
enum TemperState : std::int64_t { not_an_event = 0, on_its_way = 1, stalled_once = 2, arrived = 3, given_up = 4 };

bool active(std::int64_t state) { return state == on_its_way || state == stalled_once; }

// Level that a share of the weight lies at or above.
double upper_quantile(const Eigen::VectorXd& level, const Eigen::VectorXd& weight, double share) {
  std::vector<Index> order(static_cast<std::size_t>(level.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return level(a) > level(b); });
  const double wanted = share * weight.sum();
  double sum = 0;
  for (const Index i : order) {
    sum += weight(i);
    if (sum >= wanted) return level(i);
  }
  return level(order.back());
}

}  // namespace

// Multilevel cross-entropy (R. Y. Rubinstein, D. P. Kroese, "The Cross-Entropy Method", 2004, ch. 3) for all events at once: every
// event j on its way has a density of its own (at first f_j). Its next threshold is the level that a share ρ of this density lies
// above, estimated with weights g_j / h on all points so far; the next density is f_j moved to the mean of f_j above the
// threshold (weights f_j / h). Only the mean moves: a fitted covariance would shrink level by level, lose sight of the next
// level, and need d² numbers from few points. One batch from the equal mixture of these densities serves all events on
// their way; an event has arrived when a share ρ of its density hits it.
void AiscvExploration::temper(Context& context) {
  AuxiliaryMixture next;
  next.densities.resize(static_cast<std::size_t>(count()));
  Eigen::VectorXd sizes = Eigen::VectorXd::Constant(count(), std::numeric_limits<double>::infinity());
  for_blocks(context, count(), 1, [&](const Block& block) {
    const Index j = block.index;
    const auto at = static_cast<std::size_t>(j);
    if (!active(temper_state_[at])) return;
    const Eigen::VectorXd level = level_.row(j).transpose();
    const Eigen::VectorXd ratio = ratios_to_sample(log_f_.row(law_row(j)).transpose());
    Eigen::VectorXd own = ratio;
    if (!tempered_[at].parts.empty()) {
      tempered_[at].log_density(x_, own);
      own = ratios_to_sample(own);
    }
    const double threshold = upper_quantile(level, own, options_.tempering_quantile);
    if (threshold > 0) {
      temper_state_[at] = arrived;
      return;
    }
    if (!(threshold > threshold_[at])) {
      temper_state_[at] = temper_state_[at] == stalled_once ? given_up : stalled_once;
    } else {
      temper_state_[at] = on_its_way;
    }
    threshold_[at] = std::max(threshold, threshold_[at]);
    if (temper_state_[at] == given_up) return;
    const Eigen::VectorXd weight = (level.array() >= threshold_[at]).select(ratio, 0.0);
    sizes(j) = weight.sum() * weight.sum() / std::max(weight.squaredNorm(), std::numeric_limits<double>::min());
    if (!(weight.sum() > 0)) {
      temper_state_[at] = given_up;
      return;
    }
    const Eigen::MatrixXd lower = tempered_[at].parts.empty() ? law_factor(ratio) : tempered_[at].parts.front().lower();
    tempered_[at] = GaussianMixture(Gaussian::from_cholesky(x_ * weight / weight.sum(), lower));
    next.densities[at] = tempered_[at];
  });

  next.alpha.setZero(count());
  for (Index j = 0; j < count(); ++j) {
    if (active(temper_state_[static_cast<std::size_t>(j)])) next.alpha(j) = 1;
  }
  const std::int64_t points = std::max<std::int64_t>(2, batch() / 2);
  const bool affordable = used() + points + batch() <= cap();  // one adaptation round must remain
  if (next.alpha.sum() == 0 || !affordable) {
    for (Index j = 0; j < count(); ++j) {
      const auto at = static_cast<std::size_t>(j);
      stuck_[at] = temper_state_[at] != not_an_event && temper_state_[at] != arrived ? 1 : 0;
    }
    tempering_ = false;
    summarise();
    return;
  }
  next.alpha /= next.alpha.sum();
  draw(context, next, points);
  rounds_.push_back({"tempering " + std::to_string(++levels_done_), used(), nan, sizes.minCoeff(), next.alpha.maxCoeff(), nan});
}

std::vector<std::string> AiscvExploration::warnings(const std::function<bool(Index)>& poor_final) const {
  std::vector<std::string> list;
  const auto names_of = [&](const auto& wanted) {
    std::string text;
    std::int64_t hidden = 0, shown = 0;
    for (Index j = 0; j < count(); ++j) {
      if (!wanted(j)) continue;
      if (shown == 4) {
        ++hidden;
        continue;
      }
      text += (shown++ > 0 ? ", " : "") + integrands_->names()[static_cast<std::size_t>(j)];
    }
    if (hidden > 0) text += " and " + std::to_string(hidden) + " more";
    return text;
  };
  const auto warn = [&](const auto& wanted, const std::string& text) {
    if (const std::string names = names_of(wanted); !names.empty()) list.push_back(names + ": " + text);
  };
  if (spent_ == 0) return list;
  const bool direct = options_.start == AiscvStart::direct;
  warn([&](Index j) { return seen_[static_cast<std::size_t>(j)] == 0 && integrands_->has_level(j); },
       std::string("no exploration point hit the event, so nothing could be adapted to it; ") +
           (direct ? "use start = \"tempering\"" : "raise max_evaluations, or give more levels by a larger tempering_quantile"));
  warn([&](Index j) { return seen_[static_cast<std::size_t>(j)] == 0 && !integrands_->has_level(j); },
       "zero at every exploration point, so nothing could be adapted to it");
  warn([&](Index j) { return stuck_[static_cast<std::size_t>(j)] != 0 && poor_final(j); },
       "tempering did not arrive at the event, and the final sample shows it: the value may be far too small; raise max_evaluations");
  warn([&](Index j) { return !direct && integrands_->has_level(j) && pilot_seen_[static_cast<std::size_t>(j)] < enough_in_pilot; },
       "the start was tempered: it follows one region of each event, and a second region far from it would be missed without a sign, the value then "
       "being too small; if there may be several, make an event of each, or compare with a plain run where one is affordable");
  warn([&](Index j) { return thin_[static_cast<std::size_t>(j)] != 0; },
       "the auxiliary density rests on few effective points for this dimension; raise max_evaluations or use diagonal = true");
  return list;
}

}  // namespace buffon
