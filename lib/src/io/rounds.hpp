// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/io/run_exchange.hpp>
#include <buffon/io/runner.hpp>

#include <string>
#include <utility>
#include <vector>

namespace buffon {

/// How a run is divided, for the one loop over rounds that all kinds of runs share.
struct RunParts {
  RunExchange* exchange = nullptr;
  Team* team = nullptr;       ///< the exchange, when its members communicate
  double seconds_before = 0;  ///< wall time spent at other places
  std::vector<std::pair<std::string, std::string>> provenance = {};
};

Result run_rounds(const Job& job, RunDirectory& directory, std::stop_token stop, RunObserver& observer, const RunParts& parts);

}  // namespace buffon
