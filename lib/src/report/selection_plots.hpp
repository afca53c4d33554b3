// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/report/plot.hpp>

#include <vector>

namespace buffon::report_detail {

/// Figures of rows chosen from a data set: tables "projection", "cost_curve" and "trials".
std::vector<Plot> selection_plots(const Outcome& outcome);

}  // namespace buffon::report_detail
