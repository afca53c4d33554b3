// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/stats/selection.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace buffon {

/// What result.json says of a selection, whose numbers lie in files of their own.
struct SelectionSummary {
  struct File {
    std::string name;                 ///< in the folder of the selection
    std::vector<std::int64_t> shape;  ///< rows, or rows and columns
    std::string digest;               ///< SHA-256, hexadecimal
  };
  std::int64_t rows = 0;    ///< chosen
  std::int64_t labels = 0;  ///< rows with a label; 0 = not asked for
  std::vector<File> files;
};

/// Writes a selection below `directory`, which is made:
///
///     rows.csv                 one line per chosen row in the order of the draws: its number in the source, and its weight where there are weights
///     rows.npy, weights.npy    the same as whole numbers (i8) and doubles
///     centres.csv, centres.npy k × d, in the units that the method saw; where the data were scaled, in those of the source too, as centres_unscaled
///     labels.npy (i4), distances.npy (f4)   of every row used; where these are a part of the source, labelled_rows.npy (i8) has their numbers
///
/// Other files of these names are removed.
/// @throws Error(data) when the system refuses
SelectionSummary write_selection(const std::filesystem::path& directory, const Selection& selection);

/// Chosen rows that `write_selection` left below `directory`; nothing where there are none. @throws Error(data) for a damaged file
std::optional<std::vector<std::int64_t>> read_chosen_rows(const std::filesystem::path& directory);

}  // namespace buffon
