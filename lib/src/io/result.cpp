// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/npy.hpp>
#include <buffon/io/result.hpp>

#include "json_text.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace buffon {
namespace {

using Json = nlohmann::ordered_json;
constexpr int format_version = 1;

// ---- writing

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(to_text(value)); }

Json numbers(const auto& values) {
  Json list = Json::array();
  for (Eigen::Index i = 0; i < values.size(); ++i) list.push_back(number(values(i)));
  return list;
}

Json matrix(const Eigen::MatrixXd& m) {
  Json rows = Json::array();
  for (Eigen::Index i = 0; i < m.rows(); ++i) rows.push_back(numbers(m.row(i)));
  return rows;
}

Json estimates(const std::vector<NamedEstimate>& list) {
  Json out = Json::array();
  for (const NamedEstimate& e : list) {
    out.push_back({{"name", e.name},
                   {"group", e.group},
                   {"value", number(e.estimate.value)},
                   {"std_error", number(e.estimate.std_error)},
                   {"interval", {{"lower", number(e.estimate.lower)}, {"upper", number(e.estimate.upper)}, {"level", number(e.estimate.level)}}},
                   {"effective_size", number(e.estimate.effective_size)},
                   {"note", e.note}});
  }
  return out;
}

Json diagnostic_value(const Diagnostic& d) {
  return std::visit(
      [](const auto& value) -> Json {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, double>) return number(value);
        if constexpr (std::is_same_v<T, std::vector<double>>) {
          return numbers(Eigen::Map<const Eigen::VectorXd>(value.data(), static_cast<Eigen::Index>(value.size())));
        }
        return Json(value);
      },
      d.value);
}

Json reproducible(const Result& r) {
  Json out = {{"format", format_version},
              {"method", r.method},
              {"title", r.title},
              {"estimates", estimates(r.outcome.estimates)},
              {"covariance", matrix(r.outcome.covariance)},
              {"derived", estimates(r.derived)},
              {"diagnostics", Json::array()},
              {"tables", Json::array()},
              {"warnings", r.outcome.warnings},
              {"evaluations", r.outcome.evaluations},
              {"stop_reason", r.outcome.stop_reason}};
  for (const Diagnostic& d : r.outcome.diagnostics) out["diagnostics"].push_back({{"name", d.name}, {"value", diagnostic_value(d)}, {"meaning", d.meaning}});
  for (const Table& t : r.outcome.tables) {
    out["tables"].push_back({{"name", t.name}, {"title", t.title}, {"columns", t.columns}, {"rows", matrix(t.rows)}, {"row_labels", t.row_labels}});
  }
  if (r.selection) {
    Json files = Json::object();
    for (const SelectionSummary::File& file : r.selection->files) files[file.name] = {{"shape", file.shape}, {"sha256", file.digest}};
    out["selection"] = {{"directory", "selection"}, {"rows", r.selection->rows}, {"labels", r.selection->labels}, {"files", files}};
  }
  if (r.samples) {
    out["samples"] = {
        {"file", "samples.npy"}, {"shape", r.samples->shape}, {"type", r.samples->type}, {"sha256", r.samples->digest}, {"shown", r.samples->shown}};
  }
  return out;
}

// ---- reading

double to_double(const Json& value) {
  if (value.is_number()) return value.get<double>();
  const auto text = value.get<std::string>();
  if (text == "nan") return std::nan("");
  if (text == "inf") return HUGE_VAL;
  if (text == "-inf") return -HUGE_VAL;
  throw Error(ErrorCategory::data, {.key = "number", .value = text, .rule = "must be a number, \"nan\", \"inf\" or \"-inf\""});
}

Eigen::MatrixXd to_matrix(const Json& rows, std::size_t columns) {
  Eigen::MatrixXd m(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(columns));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() != columns) throw Error(ErrorCategory::data, {.key = "row", .value = std::to_string(i), .rule = "has another number of columns"});
    for (std::size_t j = 0; j < columns; ++j) m(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = to_double(rows[i][j]);
  }
  return m;
}

std::vector<NamedEstimate> to_estimates(const Json& list) {
  std::vector<NamedEstimate> out;
  for (const Json& e : list) {
    const Json& interval = e.at("interval");
    out.push_back({.name = e.at("name"),
                   .estimate = {.value = to_double(e.at("value")),
                                .std_error = to_double(e.at("std_error")),
                                .lower = to_double(interval.at("lower")),
                                .upper = to_double(interval.at("upper")),
                                .level = to_double(interval.at("level")),
                                .effective_size = to_double(e.at("effective_size"))},
                   .group = e.at("group"),
                   .note = e.at("note")});
  }
  return out;
}

Diagnostic to_diagnostic(const Json& d) {
  Diagnostic out{.name = d.at("name"), .value = false, .meaning = d.at("meaning")};
  const Json& value = d.at("value");
  if (value.is_boolean()) {
    out.value = value.get<bool>();
  } else if (value.is_number_integer()) {
    out.value = value.get<std::int64_t>();
  } else if (value.is_array()) {
    std::vector<double> list;
    for (const Json& x : value) list.push_back(to_double(x));
    out.value = std::move(list);
  } else if (value.is_string() && value != "nan" && value != "inf" && value != "-inf") {
    out.value = value.get<std::string>();
  } else {
    out.value = to_double(value);
  }
  return out;
}

Result from_json(const Json& in) {
  if (in.at("format") != format_version) {
    throw Error(ErrorCategory::data, {.key = "format", .value = in.at("format").dump(), .rule = "must be " + std::to_string(format_version)});
  }
  Result r;
  r.method = in.at("method");
  r.title = in.at("title");
  r.outcome.estimates = to_estimates(in.at("estimates"));
  const Json& covariance = in.at("covariance");
  r.outcome.covariance = to_matrix(covariance, covariance.size());
  r.derived = to_estimates(in.at("derived"));
  for (const Json& d : in.at("diagnostics")) r.outcome.diagnostics.push_back(to_diagnostic(d));
  for (const Json& t : in.at("tables")) {
    std::vector<std::string> columns = t.at("columns");
    Eigen::MatrixXd rows = to_matrix(t.at("rows"), columns.size());
    r.outcome.tables.push_back({t.at("name"), t.at("title"), std::move(columns), std::move(rows), t.at("row_labels")});
  }
  r.outcome.warnings = in.at("warnings").get<std::vector<std::string>>();
  r.outcome.evaluations = in.at("evaluations");
  r.outcome.stop_reason = in.at("stop_reason");
  if (in.contains("selection")) {
    const Json& selection = in.at("selection");
    r.selection.emplace(SelectionSummary{.rows = selection.at("rows"), .labels = selection.at("labels"), .files = {}});
    for (const auto& [name, file] : selection.at("files").items()) r.selection->files.push_back({name, file.at("shape"), file.at("sha256")});
  }
  if (in.contains("samples")) {
    const Json& samples = in.at("samples");
    r.samples = SampleSummary{.shape = samples.at("shape"), .type = samples.at("type"), .digest = samples.at("sha256"), .shown = samples.at("shown")};
  }
  const Json& run = in.at("run");
  r.seconds = to_double(run.at("seconds"));
  if (run.contains("warmup_seconds")) r.warmup_seconds = to_double(run.at("warmup_seconds"));
  r.threads = run.at("threads");
  for (const auto& [key, value] : run.at("provenance").items()) r.provenance.emplace_back(key, value.get<std::string>());
  return r;
}

/// Bulk effective size of every line of the summary per second.
Json per_second(const Table& summary, double seconds) {
  const auto column = std::find(summary.columns.begin(), summary.columns.end(), "ESS_bulk") - summary.columns.begin();
  Json out = Json::object();
  for (std::size_t i = 0; i < summary.row_labels.size() && column < summary.rows.cols(); ++i) {
    out[summary.row_labels[i]] = number(summary.rows(static_cast<Eigen::Index>(i), column) / seconds);
  }
  return out;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv(const Table& table) {
  std::string text;
  const bool labels = !table.row_labels.empty();
  if (labels) text += "label,";
  for (std::size_t j = 0; j < table.columns.size(); ++j) text += (j > 0 ? "," : "") + csv_field(table.columns[j]);
  text += '\n';
  for (Eigen::Index i = 0; i < table.rows.rows(); ++i) {
    if (labels) text += csv_field(table.row_labels[static_cast<std::size_t>(i)]) + ",";
    for (Eigen::Index j = 0; j < table.rows.cols(); ++j) text += (j > 0 ? "," : "") + to_text(table.rows(i, j));
    text += '\n';
  }
  return text;
}

}  // namespace

std::string encode_result(const Result& result) {
  Json out = reproducible(result);
  Json known = Json::object();
  for (const auto& [key, value] : result.provenance) known[key] = value;
  out["run"] = {{"seconds", number(result.seconds)}};
  if (const Table* summary = result.outcome.table("summary")) {
    out["run"]["warmup_seconds"] = number(result.warmup_seconds);
    out["run"]["ess_bulk_per_second"] = per_second(*summary, result.seconds - result.warmup_seconds);
  }
  out["run"]["threads"] = result.threads;
  out["run"]["provenance"] = known;
  return io_detail::json_text(out);
}

std::string reproducible_part(const Result& result) { return io_detail::json_text(reproducible(result)); }

Result decode_result(std::string_view text, const std::string& name) {
  const std::string remedy = "give a result.json that this version of buffon wrote";
  try {
    return from_json(Json::parse(text));
  } catch (const Json::parse_error& error) {
    const std::string rule = "is not JSON from byte " + std::to_string(error.byte) + " on: the file is damaged or no result";
    throw Error(ErrorCategory::data, {.doing = "reading the result " + name, .rule = rule, .remedy = remedy});
  } catch (const Json::exception&) {
    throw Error(
        ErrorCategory::data,
        {.doing = "reading the result " + name, .rule = "a part is missing or of another kind than in a result: the file is damaged", .remedy = remedy});
  } catch (const Error& error) {
    ErrorText message = error.text();
    message.doing = "reading the result " + name;
    message.remedy = remedy;
    throw Error(ErrorCategory::data, message);
  }
}

Result read_result(const std::filesystem::path& directory_or_file) {
  const bool directory = std::filesystem::is_directory(directory_or_file);
  const std::filesystem::path file = directory ? directory_or_file / "result.json" : directory_or_file;
  if (directory && !std::filesystem::exists(file)) {
    const bool unfinished = std::filesystem::exists(directory_or_file / "config.resolved.toml");
    throw Error(ErrorCategory::no_input,
                {.doing = "reading the result of " + directory_or_file.string(),
                 .rule = unfinished ? "the run has not ended yet" : "it holds no result.json",
                 .remedy = unfinished ? "finish it with `buffon resume " + directory_or_file.string() + "`" : "give the directory that `buffon run` printed"});
  }
  Result result = decode_result(read_file(file), file.string());
  if (result.selection) {
    if (auto rows = read_chosen_rows(file.parent_path() / "selection")) {
      result.outcome.selection = std::make_shared<const Selection>(Selection{.rows = std::move(*rows)});
    }
  }
  return result;
}

void write_tables(const std::filesystem::path& directory, const std::vector<Table>& tables) {
  for (const Table& table : tables) {
    std::string stem = table.name;
    std::replace(stem.begin(), stem.end(), '/', '_');
    std::filesystem::create_directories(directory);
    write_npy(directory / (stem + ".npy"), table.rows);
    write_file(directory / (stem + ".csv"), csv(table));
  }
}

}  // namespace buffon
