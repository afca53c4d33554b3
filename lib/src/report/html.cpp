// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/report/html.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include <buffon/core/error.hpp>
#include <buffon/core/types.hpp>
#include <buffon/report/chain_summary.hpp>
#include <buffon/report/format.hpp>
#include <buffon/report/plot.hpp>

namespace buffon {
namespace {

constexpr Index rows_shown = 40;  // of a table on the page; the whole table is in result.json

constexpr std::string_view style = R"css(
:root{--ink:#1c2733;--soft:#5b6875;--line:#dfe4ea;--paper:#fff;--wash:#f5f7fa;--accent:#2b6cb0;--warn:#8a4b08;--warnbg:#fff6e6}
*{box-sizing:border-box}
body{margin:0;background:var(--wash);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.15rem;margin:2.5rem 0 .75rem;padding-bottom:.3rem;border-bottom:2px solid var(--line)}
.lead{color:var(--soft);margin:0 0 1.25rem}
.facts{display:flex;flex-wrap:wrap;gap:.6rem;margin:1.25rem 0}
.fact{background:var(--paper);border:1px solid var(--line);border-radius:6px;padding:.5rem .9rem;min-width:8rem}
.fact b{display:block;font-size:1.1rem;font-variant-numeric:tabular-nums}
.fact span{color:var(--soft);font-size:.8rem}
.warning{background:var(--warnbg);border-left:4px solid #dd8a1a;color:var(--warn);padding:.6rem .9rem;margin:.5rem 0;border-radius:0 4px 4px 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;background:var(--paper);font-size:.92rem}
th,td{padding:.4rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{font-weight:600;color:var(--soft);font-size:.82rem;white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.name{font-weight:600;min-width:6rem;max-width:18rem;overflow-wrap:break-word}
table.dense{font-size:.82rem}table.dense th,table.dense td{padding:.3rem .45rem}table.dense td.name{min-width:0}
td.note{color:var(--warn);font-size:.85rem}
.bar{position:relative;width:9rem;height:1.1rem}
.bar i{position:absolute;top:.5rem;height:2px;background:var(--accent)}
.bar u{position:absolute;top:.28rem;width:.55rem;height:.55rem;margin-left:-.275rem;border-radius:50%;background:var(--accent)}
figure{margin:1rem 0 1.75rem;background:var(--paper);border:1px solid var(--line);border-radius:6px;padding:.75rem}
figure img{display:block;width:100%;height:auto}
figcaption{color:var(--soft);font-size:.88rem;margin-top:.5rem}
pre{background:var(--paper);border:1px solid var(--line);border-radius:6px;padding:.9rem;overflow-x:auto;font-size:.85rem;line-height:1.45;margin:.5rem 0}
details{margin:.75rem 0}summary{cursor:pointer;color:var(--accent);font-weight:600}
td.mean{color:var(--soft);font-size:.88rem}
footer{margin-top:3rem;color:var(--soft);font-size:.85rem}
@media print{body{background:#fff}main{max-width:none;padding:0}details{display:block}}
)css";

std::string base64(std::string_view bytes) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k) word = word << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? alphabet[word >> (18 - 6 * k) & 63U] : '=';
  }
  return out;
}

std::string group_title(const std::string& group) {
  static const std::map<std::string, std::string> titles = {{"expectation", "Expectations"},
                                                            {"probability", "Probabilities"},
                                                            {"first", "First-order Sobol' indices"},
                                                            {"total", "Total Sobol' indices"},
                                                            {"closed", "Closed Sobol' indices"},
                                                            {"derived", "Functions of the estimates"},
                                                            {"robust", "Robust estimates"},
                                                            {"mean", "Means"},
                                                            {"variance", "Variances"}};
  const auto found = titles.find(group);
  return found == titles.end() ? group : found->second;
}

// The interval drawn on a scale that all rows of its table share (indices), or on its own: centre ± 4 standard errors.
std::string interval_bar(const Estimate& e, bool shared, double low, double high) {
  if (!(std::isfinite(e.lower) && std::isfinite(e.upper) && std::isfinite(e.value)) || !(high > low)) return {};
  const auto place = [&](double x) { return std::clamp(100 * (x - low) / (high - low), 0.0, 100.0); };
  return fmt::format("<div class=\"bar\" title=\"{} scale\"><i style=\"left:{:.1f}%;width:{:.1f}%\"></i><u style=\"left:{:.1f}%\"></u></div>",
                     shared ? "common" : "own", place(e.lower), std::max(0.5, place(e.upper) - place(e.lower)), place(e.value));
}

std::string percent(double share) {
  if (!std::isfinite(share)) return "–";
  return format_number(100 * share, 2) + " %";
}

std::string estimates_table(const std::vector<const NamedEstimate*>& rows) {
  const std::string& group = rows.front()->group;
  const bool shared = group == "first" || group == "total" || group == "closed";
  double low = 0, high = 1;
  bool notes = false, sizes = false;
  for (const NamedEstimate* row : rows) {
    low = std::min(low, row->estimate.lower);
    high = std::max(high, row->estimate.upper);
    notes = notes || !row->note.empty();
    sizes = sizes || row->estimate.effective_size > 0;
  }
  std::string html = fmt::format(
      "<h2>{}</h2>\n<div class=\"scroll\"><table><thead><tr><th>name</th><th class=\"n\">estimate</th><th class=\"n\">± std. error</th><th class=\"n\">{} % "
      "interval</th>",
      escape_html(group_title(group)), format_number(100 * rows.front()->estimate.level, 3));
  html += shared ? "<th></th>" : "<th class=\"n\">relative</th>";
  if (sizes) html += "<th class=\"n\">effective sample</th>";
  if (notes) html += "<th>note</th>";
  html += "</tr></thead><tbody>\n";
  for (const NamedEstimate* row : rows) {
    const Estimate& e = row->estimate;
    const FormattedEstimate text = format_estimate(e);
    html += fmt::format("<tr><td class=\"name\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">[{}, {}]</td>", escape_html(row->name),
                        text.value, text.std_error, text.lower, text.upper);
    html += shared ? "<td>" + interval_bar(e, true, low, high) + "</td>" : "<td class=\"n\">" + percent(e.relative_error()) + "</td>";
    if (sizes) html += fmt::format("<td class=\"n\">{}</td>", e.effective_size > 0 ? format_count(std::llround(e.effective_size)) : "–");
    if (notes) html += fmt::format("<td class=\"note\">{}</td>", escape_html(row->note));
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

// Groups in the order of their first appearance.
std::string all_estimates(const std::vector<NamedEstimate>& estimates) {
  std::vector<std::vector<const NamedEstimate*>> groups;
  for (const NamedEstimate& e : estimates) {
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.front()->group == e.group; });
    if (group == groups.end()) {
      groups.push_back({&e});
    } else {
      group->push_back(&e);
    }
  }
  std::string html;
  for (const auto& group : groups) html += estimates_table(group);
  return html;
}

std::string diagnostic_value(const Diagnostic& diagnostic) {
  struct Visitor {
    std::string operator()(bool v) const { return v ? "yes" : "no"; }
    std::string operator()(std::int64_t v) const { return format_count(v); }
    std::string operator()(double v) const { return format_number(v); }
    std::string operator()(const std::string& v) const { return escape_html(v); }
    std::string operator()(const std::vector<double>& v) const {
      std::string out;
      for (std::size_t i = 0; i < std::min<std::size_t>(v.size(), 12); ++i) out += (i ? ", " : "") + format_number(v[i], 4);
      if (v.size() > 12) out += fmt::format(", … ({} in all)", v.size());
      return out;
    }
  };
  return std::visit(Visitor{}, diagnostic.value);
}

std::string diagnostics_table(const std::vector<Diagnostic>& diagnostics) {
  if (diagnostics.empty()) return {};
  std::string html = "<h2>Diagnostics</h2>\n<div class=\"scroll\"><table><tbody>\n";
  for (const Diagnostic& d : diagnostics) {
    html += fmt::format("<tr><td class=\"name\">{}</td><td class=\"n\" style=\"white-space:normal\">{}</td><td class=\"mean\">{}</td></tr>\n",
                        escape_html(d.name), diagnostic_value(d), escape_html(d.meaning));
  }
  return html + "</tbody></table></div>\n";
}

std::string plain_table(const Table& table) {
  const bool labels = !table.row_labels.empty();
  std::string html = fmt::format("<details{}><summary>{} ({} rows)</summary>\n<div class=\"scroll\"><table><thead><tr>",
                                 table.name == "rounds" || table.name == "comparison" || table.name == "levels" ? " open" : "",
                                 escape_html(table.title.empty() ? table.name : table.title), table.rows.rows());
  if (labels) html += "<th></th>";
  for (const std::string& column : table.columns) html += "<th class=\"n\">" + escape_html(column) + "</th>";
  html += "</tr></thead><tbody>\n";
  const Index shown = std::min(rows_shown, table.rows.rows());
  for (Index i = 0; i < shown; ++i) {
    html += "<tr>";
    if (labels) html += "<td class=\"name\">" + escape_html(table.row_labels[static_cast<std::size_t>(i)]) + "</td>";
    for (Index j = 0; j < table.rows.cols(); ++j) html += "<td class=\"n\">" + format_number(table.rows(i, j), 6) + "</td>";
    html += "</tr>\n";
  }
  html += "</tbody></table></div>";
  if (shown < table.rows.rows()) html += fmt::format("<p class=\"lead\">The first {} rows; all of them are in result.json.</p>", shown);
  return html + "</details>\n";
}

// Chains: the summary takes the place of the table of means.
std::string summary_section(const Table& summary, double seconds) {
  const std::vector<std::vector<std::string>> rows = format_summary(summary, seconds);
  std::string html = "<h2>Summary of the draws</h2>\n<div class=\"scroll\"><table class=\"dense\"><thead><tr>";
  for (const std::string& cell : rows.front()) html += "<th class=\"n\">" + escape_html(cell) + "</th>";
  html += "</tr></thead><tbody>\n";
  const std::size_t shown = std::min(rows.size(), static_cast<std::size_t>(rows_shown) + 1);
  for (std::size_t i = 1; i < shown; ++i) {
    html += "<tr><td class=\"name\">" + escape_html(rows[i].front()) + "</td>";
    for (std::size_t j = 1; j < rows[i].size(); ++j) html += "<td class=\"n\">" + rows[i][j] + "</td>";
    html += "</tr>\n";
  }
  html += "</tbody></table></div>\n";
  if (shown < rows.size())
    html += fmt::format("<p class=\"lead\">The first {} of {} quantities; all of them are in result.json.</p>\n", rows_shown, rows.size() - 1);
  return html + fmt::format(
                    "<p class=\"lead\">MCSE: standard error of the mean by Monte Carlo. ESS: draws without autocorrelation that carry as much. ESS_bulk/s: per "
                    "second of sampling ({}, wall time of all chains together).</p>\n",
                    format_seconds(seconds));
}

bool shown_elsewhere(const Table& table) {
  return table.name == "weights" || table.name == "projection" || table.name == "summary" || table.name.starts_with("sample_") ||
         table.name == "trajectories" || table.name.starts_with("chain_");
}

std::string fact(std::string_view what, std::string_view value) {
  return fmt::format("<div class=\"fact\"><b>{}</b><span>{}</span></div>\n", escape_html(value), escape_html(what));
}

}  // namespace

std::string html_report(const ReportInput& in, const std::vector<RenderedPlot>& plots, const std::string& missing) {
  const std::string title = in.title.empty() ? in.method_title : in.title;
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
      escape_html(title), style);
  html += fmt::format("<h1>{}</h1>\n<p class=\"lead\">{}: {}</p>\n", escape_html(title), escape_html(in.method_title), escape_html(in.method_summary));
  const std::string_view spent = in.selection && !in.outcome.selection ? "distances computed" : spent_on(in.outcome);
  html += "<div class=\"facts\">\n" + fact(spent, format_count(in.outcome.evaluations)) + fact("wall time", format_seconds(in.seconds));
  if (in.warmup_seconds > 0) html += fact("of it warm-up", format_seconds(in.warmup_seconds));
  if (!in.outcome.stop_reason.empty()) html += fact("ended because", in.outcome.stop_reason);
  html += "</div>\n";

  for (const std::string& warning : in.outcome.warnings) html += "<div class=\"warning\"><b>Warning.</b> " + escape_html(warning) + "</div>\n";

  const Table* summary = in.outcome.table("summary");
  html += summary == nullptr ? all_estimates(in.outcome.estimates) : summary_section(*summary, in.seconds - in.warmup_seconds);
  html += all_estimates(in.derived);

  if (!plots.empty()) html += "<h2>Figures</h2>\n";
  for (const RenderedPlot& plot : plots) {
    if (plot.svg.empty()) continue;
    html += fmt::format("<figure><img alt=\"{0}\" src=\"data:{2};base64,{1}\"><figcaption>{0}</figcaption></figure>\n", escape_html(plot.caption),
                        base64(plot.svg), plot.type);
  }
  if (!missing.empty()) html += "<p class=\"lead\">Figures are missing: " + escape_html(missing) + ".</p>\n";

  html += diagnostics_table(in.outcome.diagnostics);
  if (!in.outcome.tables.empty()) {
    html += "<h2>Tables</h2>\n";
    for (const Table& table : in.outcome.tables) {
      if (!shown_elsewhere(table)) html += plain_table(table);
    }
  }

  html += "<h2>The question</h2>\n<p class=\"lead\">The configuration with every default filled in; it redoes this run.</p>\n<pre>" +
          escape_html(in.resolved_config) + "</pre>\n";
  html += "<h2>Provenance</h2>\n<div class=\"scroll\"><table><tbody>\n";
  for (const auto& [what, value] : in.provenance)
    html += "<tr><td class=\"name\">" + escape_html(what) + "</td><td style=\"overflow-wrap:anywhere\">" + escape_html(value) + "</td></tr>\n";
  html +=
      "</tbody></table></div>\n<footer>Every number on this page is in result.json; the figures' scripts and data are in "
      "plots/.</footer>\n</main>\n</body>\n</html>\n";
  return html;
}

void write_report(const ReportInput& input, const std::filesystem::path& directory) {
  std::vector<RenderedPlot> rendered;
  std::string missing;
  for (const Plot& plot : make_plots(input)) rendered.push_back({plot.name, plot.caption, render_plot(plot, directory / "plots", missing), "image/svg+xml"});
  if (const std::filesystem::path sheet = directory / "samples.png"; std::filesystem::exists(sheet)) {
    std::ifstream in(sheet, std::ios::binary);
    const std::string caption = "The first samples. Black to white: from the number that one in a hundred is below to the one that one in a hundred is above.";
    rendered.push_back({"samples", caption, {std::istreambuf_iterator<char>(in), {}}, "image/png"});
  }
  const std::filesystem::path target = directory / "report.html";
  const std::filesystem::path temporary = directory / "report.html.tmp";
  {
    std::ofstream out(temporary, std::ios::binary);
    out << html_report(input, rendered, missing);
    if (!out.flush()) {
      throw Error(
          ErrorCategory::data,
          {.doing = "writing the report", .key = target.string(), .rule = "cannot be written", .remedy = "check the directory's permissions and free space"});
    }
  }
  std::filesystem::rename(temporary, target);
}

}  // namespace buffon
