// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/stats/chain_draws.hpp>
#include <buffon/stats/estimate.hpp>
#include <buffon/stats/sample_set.hpp>
#include <buffon/stats/selection.hpp>

#include <Eigen/Core>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace buffon {

/// One line of results. `group` gathers lines of a kind ("expectation", "first", "total", "closed", …) for tables and plots.
struct NamedEstimate {
  std::string name;
  Estimate estimate;
  std::string group = "expectation";
  std::string note = {};  ///< plain words, e.g. "not distinguishable from zero"; empty = nothing to say
};

/// A diagnostic, with the sentence that explains it to a newcomer.
struct Diagnostic {
  std::string name;
  std::variant<bool, std::int64_t, double, std::string, std::vector<double>> value;
  std::string meaning;
};

/// A numeric table: column names and rows. Row labels are optional (empty = none).
/// Names with a meaning to the report: "convergence" (first column "evaluations", then for every estimate the columns
/// NAME and "NAME.std_error", and "NAME.exact" if known; another first column than "evaluations" gives its name to the axis), "rounds" (one row per adaptation
/// round; column "smallest_effective_size"), "weights" (importance weights, normalised to mean 1), "log_log…" (first column across, every other column a series
/// of positive values on logarithmic axes, NaN where it has none), and the tables of chains, which `chain_tables` makes (stats/chain_tables.hpp):
/// "summary", "chain_trace", "chain_ranks", "chain_density", "chain_autocorrelation" and "chain_pairs"; of samples "sample_points", "sample_histogram" and
/// "trajectories".
struct Table {
  std::string name;
  std::string title;
  std::vector<std::string> columns = {};
  Eigen::MatrixXd rows = {};  ///< one row of the matrix = one row of the table
  std::vector<std::string> row_labels = {};
};

/// What a method reports, in neutral form: result.json, the report and `compare` are made from it.
struct Outcome {
  std::vector<NamedEstimate> estimates;
  Eigen::MatrixXd covariance;  ///< of the estimates, in their order; empty = not known
  std::vector<Diagnostic> diagnostics;
  std::vector<Table> tables;
  std::vector<std::string> warnings;                   ///< plain words for the user; empty = nothing to worry about
  std::int64_t evaluations = 0;                        ///< model evaluations spent
  std::string stop_reason;                             ///< why it ended, e.g. "the budget was spent"
  std::shared_ptr<const ChainDraws> chain_draws = {};  ///< of samplers that run chains, else null; written to files of their own, not to result.json
  std::shared_ptr<const Selection> selection = {};     ///< of methods that choose rows of a data set, else null; written to files of their own as well
  std::shared_ptr<const SampleSet> samples = {};       ///< of methods that draw independent samples, else null; written to files of their own as well
  std::vector<std::pair<std::string, std::string>> ran_on = {};  ///< what it ran on, for the provenance: no part of what is reproducible

  const NamedEstimate* find(std::string_view name) const;
  const Table* table(std::string_view name) const;  ///< or null
};

/// What `evaluations` counts, for people: "model evaluations", "density evaluations", "losses evaluated" or "distances computed".
std::string_view spent_on(const Outcome& outcome);

/// Where a method stands, for the live line.
struct Progress {
  double fraction = 0;           ///< in [0, 1]
  std::int64_t evaluations = 0;  ///< model evaluations spent
  bool warming_up = false;       ///< what is done now is no part of the result; time is counted apart
  std::string phase;             ///< "pilot", "adapting, round 3", "final sample", …
  std::string name;              ///< name of the estimate shown
  std::optional<Estimate> current;
};

}  // namespace buffon
