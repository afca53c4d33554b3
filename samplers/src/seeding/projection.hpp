// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/data_set.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/stats/outcome.hpp>

#include <optional>

namespace buffon {

/// Rows of a picture at most.
inline constexpr Index most_pictured_rows = 5000;
inline constexpr Index most_pictured_centres = 2000;

/// A picture of data and centres: table "projection" (first, second, is_centre), the coordinates of rows drawn from the data (one from each of equal
/// parts; all where there are few) and of the first centres along the first two principal components of these rows. Streams "rows" and "directions".
/// @param centres d × k @returns nothing for data of one column
std::optional<Table> projection_table(const DataSet& data, const ConstMatrix& centres, const Stream& stream);

}  // namespace buffon
