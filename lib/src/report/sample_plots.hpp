// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/report/plot.hpp>
#include <buffon/stats/outcome.hpp>

#include <vector>

namespace buffon::report_detail {

/// Figures of independent samples, from the tables "sample_points", "sample_histogram" and "trajectories".
std::vector<Plot> sample_plots(const Outcome& outcome);

}  // namespace buffon::report_detail
