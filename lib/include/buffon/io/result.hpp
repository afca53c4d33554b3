// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/io/sample_files.hpp>
#include <buffon/io/selection_files.hpp>
#include <buffon/stats/outcome.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace buffon {

/// What `result.json` holds. Everything but `seconds`, `warmup_seconds`, `threads` and `provenance` (the block "run" of the file) is a pure
/// function of the configuration: byte for byte the same however often the run was killed and on how many threads it ran.
struct Result {
  std::string method;
  std::string title;
  Outcome outcome;
  std::vector<NamedEstimate> derived;              ///< functions of the estimates
  std::optional<SelectionSummary> selection = {};  ///< files of the chosen rows, of methods that choose some
  std::optional<SampleSummary> samples = {};       ///< file of the samples, of methods that draw independent ones
  double seconds = 0;                              ///< wall time over all parts of the run
  double warmup_seconds = 0;                       ///< of these, before the first draw that counts; samplers only
  int threads = 0;
  std::vector<std::pair<std::string, std::string>> provenance;
};

/// Documented in docs/guide/result.md. Doubles are written in their shortest exact form and always read as doubles;
/// values that are not finite are the texts "nan", "inf", "-inf".
std::string encode_result(const Result& result);
/// @param name stands for the file in messages. @throws Error(data)
Result decode_result(std::string_view text, const std::string& name);

/// The text of a result without its block "run": what must be equal between repetitions.
std::string reproducible_part(const Result& result);

/// Version, commit, compiler, processor, threads, seed, stream version and configuration digest.
std::vector<std::pair<std::string, std::string>> provenance(std::uint64_t seed, const std::string& digest, int threads);

/// Reads DIR/result.json, or the file itself. The rows of a selection come along where its files lie beside. @throws Error(no_input), Error(data)
Result read_result(const std::filesystem::path& directory_or_file);

/// Writes tables of draws below `directory`: NAME.npy (rows as in the table) and NAME.csv (with column names).
void write_tables(const std::filesystem::path& directory, const std::vector<Table>& tables);

}  // namespace buffon
