// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/report/report_input.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace buffon {

/// A figure ready for a page.
struct RenderedPlot {
  std::string name;
  std::string caption;
  std::string svg;                     ///< empty = it could not be drawn
  std::string type = "image/svg+xml";  ///< of what `svg` holds
};

/// One self-contained HTML page (style and figures inline, no script, no network).
/// @param missing why figures are missing, shown to the reader; empty = they are all there
std::string html_report(const ReportInput& input, const std::vector<RenderedPlot>& plots, const std::string& missing);

/// Draws the figures (scripts and data are kept in `directory`/plots) and writes `directory`/report.html atomically.
/// @throws Error(data) when the directory cannot be written
void write_report(const ReportInput& input, const std::filesystem::path& directory);

}  // namespace buffon
