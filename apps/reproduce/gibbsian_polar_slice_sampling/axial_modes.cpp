// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/target_kind.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include "cases.hpp"

namespace buffon::reproduce::gibbsian_polar_slice_sampling {
namespace {

struct Dwelling {
  double mean, longest;
};

/// Mean of (n + 1)/(jumps + 1), where a jump is a change of the coordinate that is largest in absolute value, and the longest stay.
Dwelling dwelling(const Eigen::VectorXd& leader) {
  std::int64_t jumps = 0, stay = 1, longest = 1;
  for (Index t = 1; t < leader.size(); ++t) {
    const bool jump = leader(t) != leader(t - 1);
    jumps += jump ? 1 : 0;
    stay = jump ? 1 : stay + 1;
    longest = std::max(longest, stay);
  }
  return {static_cast<double>(leader.size() + 1) / static_cast<double>(jumps + 1), static_cast<double>(longest)};
}

/// Read from the paper's figure at d = 10, 50, 100.
struct Paper {
  std::array<const char*, 3> evaluations, dwelling;
};
const std::array<Paper, 4> paper = {{{{"8.9", "", "11.6"}, {"7.8", "15.4", "23.5"}},
                                     {{"6.2", "6.2", "6.2"}, {"17", "34", "48"}},
                                     {{"5.3 .. 6.8", "5.3 .. 6.8", "5.3 .. 6.8"}, {"29.5", "29", "38"}},
                                     {{"4.5 .. 6.6", "4.5 .. 6.6", "4.5 .. 6.6"}, {"8.3", "17", "25"}}}};

}  // namespace

// d = 10, 20, …, 100; x0 = (5, 1, …, 1), w = 10, 10^5 iterations; the tuned ellipses have variance ((5 + d/10)/√d)².
void axial_modes(const ReproduceOptions& options, ReproduceTable& table) {
  const Stream root = Stream(options.seed).child("axial modes");
  const std::int64_t n = scaled(options, 1e5, 20000);
  Table figure{
      .name = "axial_modes", .title = "Modes on the axes: evaluations per iteration and mean dwelling time", .columns = {"d"}, .rows = {}, .row_labels = {}};
  figure.rows.resize(10, 9);
  for (Index line = 0; line < 10; ++line) {
    const Index d = 10 * (line + 1);
    const auto density = named_density("axial_modes").make(d, {}).density;
    const double scale = (5 + static_cast<double>(d) / 10) / std::sqrt(static_cast<double>(d));
    const AffineFrame tuned = AffineFrame::diagonal(Eigen::VectorXd::Zero(d), Eigen::VectorXd::Constant(d, scale));
    const std::vector<Contestant> contestants = {
        {"polar (GPSS)", [&] { return polar(density, 10); }, n},
        {"hit-and-run (HRUSS)", [&] { return hit_and_run(density, 10); }, n},
        {"elliptical (ESS, N(0, I))", [&] { return elliptical(density, AffineFrame::identity(d)); }, n},
        {"elliptical (ESS, tuned)", [&] { return elliptical(density, tuned); }, n},
    };
    Eigen::VectorXd x0 = Eigen::VectorXd::Ones(d);
    x0(0) = 5;
    const auto observe = [](const Eigen::VectorXd& x, Eigen::Ref<Eigen::RowVectorXd> out) {
      Index leader = 0;
      x.cwiseAbs().maxCoeff(&leader);
      out(0) = static_cast<double>(leader);
      out(1) = x.cwiseAbs().sum();
    };
    const auto traces = run_chains(options, root.child("dimension", static_cast<std::uint64_t>(d)), contestants, x0, 2, observe, table);
    std::array<Dwelling, 4> stays{};
    figure.rows(line, 0) = static_cast<double>(d);
    for (std::size_t k = 0; k < 4; ++k) {
      stays[k] = dwelling(traces[k].values.col(0));
      figure.rows(line, static_cast<Index>(1 + k)) = traces[k].evaluations.mean();
      figure.rows(line, static_cast<Index>(5 + k)) = stays[k].mean;
      if (line == 0) {
        figure.columns.insert(figure.columns.begin() + 1 + static_cast<std::ptrdiff_t>(k), "evaluations, " + contestants[k].name);
        figure.columns.push_back("dwelling, " + contestants[k].name);
      }
    }
    if (d != 10 && d != 50 && d != 100) continue;
    const std::size_t place = d == 10 ? 0 : d == 50 ? 1 : 2;
    const std::string part = "3, axial modes, d = " + std::to_string(d);
    std::vector<std::string> evaluations;
    for (const Paper& p : paper) evaluations.emplace_back(p.evaluations[place]);
    evaluation_rows(part, contestants, traces, evaluations, table);
    for (std::size_t k = 0; k < 4; ++k) {
      ReproduceRow row = shown_row(part, contestants[k].name + ": mean dwelling time", stays[k].mean, paper[k].dwelling[place],
                                   "longest stay " + std::to_string(std::llround(stays[k].longest)));
      row.ratio = stays[k].mean / std::stod(paper[k].dwelling[place]);
      if (k == 0) {
        row.criterion = "at most 1.3 times the paper's, and below HRUSS and untuned ESS";
        row.holds = *row.ratio <= 1.3 && stays[0].mean < stays[1].mean && stays[0].mean < stays[2].mean;
      }
      table.rows.push_back(row);
    }
    table.rows.push_back(exact_row(part, "GPSS: E |x|_1", mean_of(traces[0].values.col(1).tail(n - 100)), static_cast<double>(d + 4)));
  }
  table.tables.push_back(std::move(figure));
}

}  // namespace buffon::reproduce::gibbsian_polar_slice_sampling
