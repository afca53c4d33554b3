// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/stats/outcome.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace buffon::report_detail {

inline constexpr std::string_view blue = "#2b6cb0";
inline constexpr std::string_view orange = "#c2621b";

/// Text as a gnuplot string literal in single quotes.
std::string gnuplot_text(std::string_view text);

/// Text as a CSV field without commas or quotes, since gnuplot splits at every comma.
std::string plain_field(std::string_view text);

/// What every script begins with.
std::string head(const std::string& name, int width, int height);

std::string csv(const std::vector<std::string>& columns, const Eigen::MatrixXd& rows);

}  // namespace buffon::report_detail
