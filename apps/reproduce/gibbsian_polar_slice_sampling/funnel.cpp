// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/target_kind.hpp>
#include <buffon/stats/chain_diagnostics.hpp>
#include <buffon/stats/quantile.hpp>

#include <array>
#include <cmath>
#include <span>

#include "cases.hpp"

namespace buffon::reproduce::gibbsian_polar_slice_sampling {
namespace {

constexpr Index d = 10;
constexpr const char* part = "4, funnel, d = 10";
constexpr double far_quantile = 9.2706969185034414;  // 3 times the 99.9 % quantile of the normal law

struct Paper {
  const char *mean, *std_dev, *low, *high;
};
constexpr std::array<Paper, 3> paper = {{{"0.036", "2.965", "-9.037", "9.529"}, {"0.027", "3.122", "-7.813", "9.256"}, {"0.088", "2.680", "-5.701", "7.257"}}};

}  // namespace

// x0 = (2, 0, …, 0), w = 5; elliptical slices of N(0, diag(9, 70, …, 70)). The iterations are those of the paper's runs.
void funnel(const ReproduceOptions& options, ReproduceTable& table) {
  const Stream root = Stream(options.seed).child("funnel");
  const auto density = named_density("funnel").make(d, {}).density;
  Eigen::VectorXd scale = Eigen::VectorXd::Constant(d, std::sqrt(70.0));
  scale(0) = 3;
  const AffineFrame ellipses = AffineFrame::diagonal(Eigen::VectorXd::Zero(d), scale);
  const std::vector<Contestant> contestants = {
      {"polar (GPSS)", [&] { return polar(density, 5); }, scaled(options, 4e5, 100000)},
      {"hit-and-run (HRUSS)", [&] { return hit_and_run(density, 5); }, scaled(options, 1e6, 100000)},
      {"elliptical (ESS, diag(9, 70, ..))", [&] { return elliptical(density, ellipses); }, scaled(options, 4e5, 100000)},
  };
  const auto observe = [](const Eigen::VectorXd& x, Eigen::Ref<Eigen::RowVectorXd> out) { out(0) = x(0); };
  const auto traces = run_chains(options, root, contestants, 2 * Eigen::VectorXd::Unit(d, 0), 1, observe, table);
  evaluation_rows(part, contestants, traces, {"", "", ""}, table);
  for (std::size_t k = 0; k < contestants.size(); ++k) {
    const Eigen::MatrixXd x = traces[k].values;
    const std::string& name = contestants[k].name;
    const std::span<const double> values(x.data(), static_cast<std::size_t>(x.size()));
    const double std_dev = std::sqrt((x.array() - x.mean()).square().sum() / static_cast<double>(x.size() - 1));
    const std::array<std::pair<Estimate, double>, 4> found = {{{mean_of(x.col(0)), 0},
                                                               {normal_estimate(std_dev, mcse_sd(x)), 3},
                                                               {normal_estimate(sample_quantile(values, 0.001), mcse_quantile(x, 0.001)), -far_quantile},
                                                               {normal_estimate(sample_quantile(values, 0.999), mcse_quantile(x, 0.999)), far_quantile}}};
    const std::array<const char*, 4> labels = {"mean", "standard deviation", "0.1 % quantile", "99.9 % quantile"};
    const std::array<const char*, 4> said = {paper[k].mean, paper[k].std_dev, paper[k].low, paper[k].high};
    for (std::size_t i = 0; i < found.size(); ++i) {
      ReproduceRow row = exact_row(part, name + ": " + labels[i] + " of x_1", found[i].first, found[i].second);
      row.paper = said[i];
      if (k > 0) {
        row.criterion.clear();
        row.holds.reset();
      }
      table.rows.push_back(row);
    }
    table.rows.push_back(shown_row(part, name + ": autocorrelation time of x_1", integrated_autocorrelation_time(x.col(0)), "",
                                   std::to_string(contestants[k].iterations) + " iterations"));
  }
}

}  // namespace buffon::reproduce::gibbsian_polar_slice_sampling
