// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>
#include <synthetic_chains.hpp>

#include <buffon/core/types.hpp>
#include <buffon/report/chain_summary.hpp>
#include <buffon/report/format.hpp>
#include <buffon/report/html.hpp>
#include <buffon/report/plot.hpp>
#include <buffon/stats/chain_tables.hpp>

using namespace buffon;
namespace fs = std::filesystem;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

ReportInput example() {
  ReportInput input;
  input.title = "Beam <test> & \"quotes\"";
  input.method_title = "Adaptive importance sampling";
  input.method_summary = "many expectations from one sample.";
  input.resolved_config = "method = \"aiscv\"\n# a < b\n";
  Outcome& o = input.outcome;
  o.estimates = {{"mean", normal_estimate(0.0438565, 1.2e-5, 9000)}, {"p_fail", normal_estimate(4.3857e-9, 1.3e-11, 800)}};
  const char* names[] = {"F_X", "F_Y", "E", "w", "t", "L"};
  const double first[] = {0.0236, 0.0003, 0.0164, 0.428, 0.0729, 0.401};
  for (int i = 0; i < 6; ++i) {
    o.estimates.push_back({std::string("S1[") + names[i] + "]", normal_estimate(first[i], 0.004), "first", i == 1 ? "not distinguishable from zero" : ""});
    o.estimates.push_back({std::string("ST[") + names[i] + "]", normal_estimate(first[i] + 0.01, 0.006), "total", ""});
  }
  Table convergence{"convergence", "Convergence", {"evaluations", "mean", "mean.std_error", "p_fail", "p_fail.std_error"}, Eigen::MatrixXd(20, 5), {}};
  Table weights{"weights", "Weights", {"weight"}, Eigen::MatrixXd(2000, 1), {}};
  for (Index i = 0; i < 20; ++i) {
    const double n = 100 * std::pow(1.4, static_cast<double>(i));
    const double wave = std::sin(static_cast<double>(i)) / std::sqrt(n);
    convergence.rows.row(i) << n, 0.0438 + 0.001 * wave, 0.01 / std::sqrt(n), 4.4e-9 + 1e-10 * wave, 2e-9 / std::sqrt(n);
  }
  for (Index i = 0; i < 2000; ++i) weights.rows(i, 0) = std::exp(std::sin(static_cast<double>(i * i)) * 2);
  Table rounds{"rounds", "Adaptation rounds", {"round", "points", "smallest_effective_size"}, Eigen::MatrixXd(3, 3), {}};
  rounds.rows << 0, 2000, 150, 1, 2000, 900, 2, 2000, 1500;
  o.tables = {convergence, weights, rounds};
  o.diagnostics = {{"ess", 1500.0, "Number of independent draws that carry the same information."}, {"tempered", false, "Whether the start was tempered."}};
  o.warnings = {"The largest weight carries 12 % of the sum: <look> at the histogram."};
  o.evaluations = 20000;
  o.stop_reason = "the budget was spent";
  input.provenance = {{"version", "0.1.0"}, {"seed", "1"}};
  input.seconds = 12.3;
  return input;
}

}  // namespace

TEST_CASE("estimates are rounded where their error has two digits") {
  const FormattedEstimate a = format_estimate(normal_estimate(0.0438567, 1.2e-5));
  CHECK(a.value == "0.043857");
  CHECK(a.std_error == "0.000012");
  const FormattedEstimate tiny = format_estimate(normal_estimate(4.38571e-9, 1.3e-11));
  CHECK(tiny.value == "4.386e-09");
  CHECK(tiny.std_error == "0.013e-09");
  const FormattedEstimate big = format_estimate(normal_estimate(123456789.0, 9.96e6));
  CHECK(big.value == "1.23e+08");
  CHECK(big.std_error == "0.10e+08");
  CHECK(format_estimate(normal_estimate(1.5, 0)).std_error == "0");
  CHECK(format_estimate(normal_estimate(1.5, std::nan(""))).std_error == "nan");
}

TEST_CASE("numbers, counts and times for people") {
  CHECK(format_number(0.00012345678) == "0.00012346");
  CHECK(format_number(9.9999999e6) == "1.0000e+07");
  CHECK(format_number(-1.0 / 0.0) == "-inf");
  CHECK(format_count(1234567) == "1,234,567");
  CHECK(format_count(-999) == "-999");
  CHECK(format_seconds(0.0123) == "12 ms");
  CHECK(format_seconds(95.3) == "1 min 35 s");
}

TEST_CASE("the page escapes what users wrote and holds every part") {
  const std::string html = html_report(example(), {}, "gnuplot is not installed");
  CHECK(contains(html, "Beam &lt;test&gt; &amp; &quot;quotes&quot;"));
  CHECK(!contains(html, "<test>"));
  CHECK(contains(html, "&lt;look&gt;"));
  CHECK(contains(html, "First-order Sobol"));
  CHECK(contains(html, "not distinguishable from zero"));
  CHECK(contains(html, "Figures are missing: gnuplot is not installed"));
  CHECK(contains(html, "# a &lt; b"));
  CHECK(contains(html, "4.386e-09"));
}

TEST_CASE("the page needs nothing from outside") {
  const std::string html = html_report(example(), {{"convergence", "c", "<svg/>"}}, "");
  for (const char* outside : {"src=\"http", "href=", "<script", "@import", "url("}) CHECK(!contains(html, outside));
  CHECK(contains(html, "data:image/svg+xml;base64,PHN2Zy8+"));
}

TEST_CASE("an outcome without tables gives no figures") {
  ReportInput input = example();
  input.outcome.tables.clear();
  input.outcome.estimates.resize(2);
  CHECK(make_plots(input).empty());
}

TEST_CASE("a report is written with its figures, scripts and data") {
  const fs::path directory = fs::temp_directory_path() / "buffon_report_test";
  fs::remove_all(directory);
  fs::create_directories(directory);
  write_report(example(), directory);
  std::ifstream in(directory / "report.html");
  const std::string html{std::istreambuf_iterator<char>(in), {}};
  if (std::system("gnuplot --version > /dev/null 2>&1") == 0) {
    std::size_t figures = 0;
    for (std::size_t at = 0; (at = html.find("<figure>", at)) != std::string::npos; ++at) ++figures;
    CHECK(figures == 4);
  } else {
    CHECK(contains(html, "gnuplot is not installed"));
  }
  for (const char* file : {"indices.gp", "indices.csv", "convergence.gp", "weights.csv", "rounds.csv"}) CHECK(fs::exists(directory / "plots" / file));
  CHECK(!fs::exists(directory / "report.html.tmp"));
}

TEST_CASE("tables named log_log become curves; exact values are drawn into the convergence") {
  ReportInput input;
  const double none = std::nan("");
  Table errors{"log_log_e", "Error against cost", {"cost", "a", "b"}, Eigen::MatrixXd(3, 3), {}};
  errors.rows << 10, 0.5, none, 100, 0.05, none, 50, none, 0.2;
  Table averages{"convergence", "Averages", {"copies", "y", "y.std_error", "y.exact"}, Eigen::MatrixXd(2, 4), {}};
  averages.rows << 10, 1.1, 0.1, 1, 20, 1.05, 0.07, 1;
  input.outcome.tables = {errors, averages};
  const std::vector<Plot> plots = make_plots(input);
  REQUIRE(plots.size() == 2);
  CHECK(contains(plots[0].script, "set xlabel 'copies'"));
  CHECK(contains(plots[0].script, "using 1:4 with lines dt 2"));
  CHECK(contains(plots[0].caption, "dashed = exact value"));
  CHECK(plots[1].name == "log_log_e");
  CHECK(plots[1].data == "10,0.5\n100,0.05\n\n\n50,0.2\n");
  CHECK(contains(plots[1].script, "index 1 using 1:2"));
}

namespace {

/// A run of three chains on three quantities, one of which has not mixed.
ReportInput chains_example() {
  ChainDraws draws = testing::synthetic_chains(3, 600, 0.7, 9);
  draws.chains[1].values.col(1).array() += 1.5;
  ReportInput input;
  input.method_title = "Polar slice sampling";
  input.method_summary = "chains.";
  input.seconds = 3;
  input.warmup_seconds = 1;
  input.outcome.estimates = {{"mu", normal_estimate(0.1, 0.02), "mean", ""}};
  input.outcome.chain_draws = std::make_shared<const ChainDraws>(draws);
  complete_chain_outcome(input.outcome);
  return input;
}

}  // namespace

TEST_CASE("chosen rows have figures of data and centres, of the cost and of the trials") {
  ReportInput input;
  input.selection = true;
  Table projection{"projection", "Rows and centres", {"first", "second", "is_centre"}, Eigen::MatrixXd(50, 3), {}};
  for (Index i = 0; i < 50; ++i) projection.rows.row(i) << static_cast<double>(i % 7), static_cast<double>(i % 5), i >= 45 ? 1 : 0;
  Table cost{"cost_curve", "Cost against centres", {"centres", "cost"}, Eigen::MatrixXd(3, 2), {}};
  cost.rows << 1, 100, 2, 10, 4, 0;
  Table trials{"trials", "Trials for every centre", {"centre", "trials"}, Eigen::MatrixXd(3, 2), {}};
  trials.rows << 1, 0, 2, 5, 3, 1;
  input.outcome.tables = {projection, cost, trials};
  const std::vector<Plot> plots = make_plots(input);
  REQUIRE(plots.size() == 3);
  CHECK(plots[0].name == "projection");
  CHECK(contains(plots[0].caption, "45 rows"));
  CHECK(contains(plots[0].caption, "5 centres"));
  CHECK(plots[1].name == "cost_curve");
  CHECK(plots[1].data == "1,100\n2,10\n");  // a cost of 0 has no place on a logarithmic axis
  CHECK(contains(plots[1].script, "set logscale xy"));
  CHECK(plots[2].name == "trials");
  CHECK(contains(plots[2].caption, "their mean, 2"));
  const std::string page = html_report(input, {}, "");
  CHECK(contains(page, "distances computed"));
  CHECK_FALSE(contains(page, "Rows and centres"));  // a picture, not a table of thousands of lines
  if (std::system("gnuplot --version > /dev/null 2>&1") != 0) return;
  const fs::path directory = fs::temp_directory_path() / "buffon_selection_plots";
  for (const Plot& plot : plots) {
    CAPTURE(plot.name);
    std::string why;
    CHECK(contains(render_plot(plot, directory, why), "<svg"));
    CHECK(why.empty());
  }
  fs::remove_all(directory);
}

TEST_CASE("samples have figures of points, trajectories or a histogram, and a sheet of images stands on the page") {
  ReportInput input;
  Table points{"sample_points", "Samples", {"x1", "x2"}, Eigen::MatrixXd(20, 2), {}};
  for (Index i = 0; i < 20; ++i) points.rows.row(i) << static_cast<double>(i % 7), static_cast<double>(i % 5);
  Table paths{"trajectories", "Trajectories", {"sample", "node", "x1", "x2"}, Eigen::MatrixXd(6, 4), {}};
  paths.rows << 0, 0, 1, 1, 0, 1, 2, 2, 0, 2, 3, 3, 1, 0, 4, 4, 1, 1, 5, 5, 1, 2, 6, 7;
  Table histogram{"sample_histogram", "Histogram of the samples", {"from", "to", "samples"}, Eigen::MatrixXd(2, 3), {}};
  histogram.rows << 0, 1, 5, 1, 2, 7;
  input.outcome.tables = {points, paths};
  std::vector<Plot> plots = make_plots(input);
  REQUIRE(plots.size() == 2);
  CHECK(plots[0].name == "samples");
  CHECK(contains(plots[0].caption, "first 20 samples"));
  CHECK(plots[1].name == "trajectories");
  CHECK(plots[1].data == "1,1\n2,2\n3,3\n\n4,4\n5,5\n6,7\n\n\n3,3\n6,7\n");  // the ends once more
  CHECK_FALSE(contains(html_report(input, {}, ""), "<summary>Samples"));
  input.outcome.tables = {histogram};
  plots.push_back(make_plots(input).at(0));
  CHECK(contains(plots[2].data, "1,2,7"));
  const fs::path directory = fs::temp_directory_path() / "buffon_sample_plots";
  fs::create_directories(directory);
  std::ofstream(directory / "samples.png") << "not an image";
  write_report(input, directory);
  std::ifstream page(directory / "report.html");
  CHECK(contains({std::istreambuf_iterator<char>(page), {}}, "data:image/png;base64,bm90IGFuIGltYWdl"));
  if (std::system("gnuplot --version > /dev/null 2>&1") == 0) {
    for (const Plot& plot : plots) {
      CAPTURE(plot.name);
      std::string why;
      CHECK(contains(render_plot(plot, directory, why), "<svg"));
      CHECK(why.empty());
    }
  }
  fs::remove_all(directory);
}

TEST_CASE("a report of chains has the summary instead of the estimates and the five figures of chains") {
  const ReportInput input = chains_example();
  const auto plots = make_plots(input);
  std::vector<std::string> names;
  for (const Plot& plot : plots) names.push_back(plot.name);
  CHECK(names == std::vector<std::string>{"chain_trace", "chain_ranks", "chain_density", "chain_autocorrelation", "chain_pairs"});
  CHECK(contains(plots[0].script, "'theta.1   R-hat 1."));
  CHECK(plots[0].script.find("theta.1") < plots[0].script.find("mu   R-hat"));
  const std::string page = html_report(input, {}, "");
  CHECK(contains(page, "Summary of the draws"));
  CHECK(contains(page, "ESS_bulk/s"));
  CHECK(contains(page, "of it warm-up"));
  CHECK(contains(page, "density evaluations"));
  CHECK(contains(page, "R-hat is above 1.01 for theta.1"));
  CHECK_FALSE(contains(page, "± std. error"));
  CHECK_FALSE(contains(page, "chain_trace"));
}

TEST_CASE("gnuplot draws the figures of chains") {
  const fs::path directory = fs::temp_directory_path() / "buffon_report_chains";
  fs::remove_all(directory);
  std::string why;
  for (const Plot& plot : make_plots(chains_example())) {
    const std::string svg = render_plot(plot, directory, why);
    if (svg.empty() && contains(why, "not installed")) {
      MESSAGE("skipped: " << why);
      break;
    }
    INFO(plot.name << ": " << why);
    CHECK(contains(svg, "</svg>"));
  }
  fs::remove_all(directory);
}

TEST_CASE("the summary has the digits that the Monte Carlo error leaves") {
  Table summary = summary_table({{"a", 1.23456, 0.0123, 0.9876, 0.98, -0.5, 1.2, 3.0, 4321.4, 1234.6, 1.00049},
                                 {"b", 123456789.0, 12345, 1e6, 1e6, 1e8, 1.2e8, 1.3e8, 400, 400, 1.2},
                                 {"c", 1.5e-9, 2e-11, 1e-9, 1e-9, 0, 1e-9, 3e-9, 400, 400, 1},
                                 {"e", -0.01, 5, 10, 10, -11, -0.2, 11, 6, 6, 1.7},
                                 {"d", 2, std::nan(""), 0, 0, 2, 2, 2, std::nan(""), std::nan(""), std::nan("")}});
  const auto rows = format_summary(summary, 2);
  CHECK(rows[0] == std::vector<std::string>{"", "Mean", "MCSE", "StdDev", "MAD", "5%", "50%", "95%", "ESS_bulk", "ESS_tail", "ESS_bulk/s", "R_hat"});
  CHECK(rows[1] == std::vector<std::string>{"a", "1.235", "0.012", "0.988", "0.980", "-0.500", "1.200", "3.000", "4,321", "1,235", "2,161", "1.000"});
  CHECK(rows[2][1] == "1.23457e+08");
  CHECK(rows[3][1] == "1.500e-09");
  CHECK(rows[4][1] == "0.0");
  CHECK(rows[5] == std::vector<std::string>{"d", "2", "–", "0", "0", "2", "2", "2", "–", "–", "–", "–"});
}
