// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/parallel/context.hpp>
#include <buffon/stats/outcome.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace buffon::reproduce {

struct ReproduceOptions {
  double scale = 1;                               ///< size of the experiment relative to the paper's: fewer repetitions, smaller budgets; in (0, 1]
  std::uint64_t seed = 1;                         ///< of all random numbers
  std::filesystem::path data = {};                ///< data set of the paper, where it needs one; empty = none is at hand
  Context* context = nullptr;                     ///< threads and stop token; never null inside `run`
  std::function<void(const std::string&)> say;    ///< a line for people about what is being done; never empty inside `run`
  std::function<void(double fraction)> progress;  ///< part of the work done, in [0, 1]; never empty inside `run`
};

/// One number of a paper, beside ours.
struct ReproduceRow {
  std::string part = {};             ///< table, figure or case of the paper
  std::string quantity = {};         ///< what the number is
  std::string paper = {};            ///< the paper's figure as it prints it; empty = it gives none
  std::optional<double> exact = {};  ///< the exact value, where it is known
  Estimate ours = {};                ///< our number with its uncertainty
  std::optional<double> ratio = {};  ///< ours to the paper's (or the exact value), as the criterion needs it
  std::string criterion = {};        ///< "within a factor 1.5", "|ours - exact| < 0.01", …
  std::optional<bool> holds = {};    ///< the criterion holds; empty = the row is shown for reference
  std::string note = {};             ///< plain words; empty = nothing to say
};

struct ReproduceTable {
  std::vector<ReproduceRow> rows;
  std::vector<Table> tables;          ///< curves and details, for the report
  std::vector<std::string> warnings;  ///< plain words
  std::int64_t evaluations = 0;       ///< model evaluations spent
};

struct ReproduceEntry {
  std::string name;     ///< as on the command line, e.g. "ais-control-variates"
  std::string title;    ///< of the paper, with authors and year
  std::string summary;  ///< one sentence: which experiments
  std::function<ReproduceTable(const ReproduceOptions&)> run;
};

/// Every paper, one line each in registry.cpp.
const std::vector<ReproduceEntry>& entries();

}  // namespace buffon::reproduce
