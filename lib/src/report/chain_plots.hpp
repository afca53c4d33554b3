// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/report/plot.hpp>

#include <vector>

namespace buffon::report_detail {

/// The figures that the tables of chains allow (stats/chain_tables.hpp).
std::vector<Plot> chain_plots(const Outcome& outcome);

}  // namespace buffon::report_detail
