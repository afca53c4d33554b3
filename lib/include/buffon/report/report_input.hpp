// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/stats/outcome.hpp>

#include <string>
#include <utility>
#include <vector>

namespace buffon {

/// Everything that a report of one run is made from. The same object comes from a run that just ended and from a
/// `result.json` read back, so that `buffon report DIR` redoes the page exactly.
struct ReportInput {
  std::string title;                                            ///< of the job; empty = the method's title serves
  std::string method;                                           ///< name of the method, e.g. "aiscv"
  std::string method_title;                                     ///< its title for people
  std::string method_summary;                                   ///< one sentence: what it computes
  std::string resolved_config;                                  ///< the configuration with every default filled in (TOML)
  Outcome outcome;                                              ///< what the method reports
  std::vector<NamedEstimate> derived;                           ///< functions of the estimates by the delta method
  std::vector<std::pair<std::string, std::string>> provenance;  ///< (what, value): version, commit, compiler, CPU, threads, seed, …
  double seconds = 0;                                           ///< wall time over all parts of the run
  bool selection = false;                                       ///< rows were chosen from a data set: what was spent are distances
  double warmup_seconds = 0;                                    ///< of these, before the first draw that counts; samplers only
};

}  // namespace buffon
