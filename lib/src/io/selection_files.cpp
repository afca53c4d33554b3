// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/npy.hpp>
#include <buffon/io/selection_files.hpp>

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "sha256.hpp"

namespace buffon {

namespace fs = std::filesystem;

namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Writes files of one folder and keeps account of them.
class Folder {
 public:
  explicit Folder(fs::path directory) : directory_(std::move(directory)) {
    fs::create_directories(directory_);
    for (const char* name : {"rows.csv", "rows.npy", "weights.npy", "centres.csv", "centres.npy", "centres_unscaled.csv", "centres_unscaled.npy", "labels.npy",
                             "labelled_rows.npy", "distances.npy"}) {
      fs::remove(directory_ / name);
    }
  }

  /// @param bytes in parts
  void write(const std::string& name, std::vector<std::int64_t> shape, std::initializer_list<std::string_view> parts) {
    io_detail::Sha256 sum;
    FileWriter out(directory_ / name);
    for (const std::string_view part : parts) {
      out.write(part);
      sum.add(part);
    }
    out.finish();
    files_.push_back({name, std::move(shape), sum.finish()});
  }

  template <class T>
  void write_npy(const std::string& name, std::vector<std::int64_t> shape, std::string_view descr, const T* numbers, std::size_t count) {
    const std::string header = npy_header(shape, descr);
    write(name, std::move(shape), {header, {reinterpret_cast<const char*>(numbers), count * sizeof(T)}});
  }

  template <class T>
  void write_npy(const std::string& name, std::string_view descr, const std::vector<T>& numbers) {
    write_npy(name, {static_cast<std::int64_t>(numbers.size())}, descr, numbers.data(), numbers.size());
  }

  std::vector<SelectionSummary::File> files() && { return std::move(files_); }

 private:
  fs::path directory_;
  std::vector<SelectionSummary::File> files_;
};

std::string csv_of_rows(const Selection& selection) {
  std::string text = selection.weights.empty() ? "row\n" : "row,weight\n";
  for (std::size_t i = 0; i < selection.rows.size(); ++i) {
    text += std::to_string(selection.rows[i]);
    if (!selection.weights.empty()) text += "," + to_text(selection.weights[i]);
    text += '\n';
  }
  return text;
}

std::string csv_name(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

/// @param points d × k
void write_points(Folder& folder, const std::string& stem, const Eigen::MatrixXd& points, const std::vector<std::string>& names) {
  const std::vector<std::int64_t> shape = {points.cols(), points.rows()};
  std::string text;
  for (Eigen::Index j = 0; j < points.rows(); ++j) {
    const auto column = static_cast<std::size_t>(j);
    text += (j > 0 ? "," : "") + (column < names.size() ? csv_name(names[column]) : "x" + std::to_string(j));
  }
  text += '\n';
  for (Eigen::Index i = 0; i < points.cols(); ++i) {
    for (Eigen::Index j = 0; j < points.rows(); ++j) text += (j > 0 ? "," : "") + to_text(points(j, i));
    text += '\n';
  }
  folder.write(stem + ".csv", shape, {text});
  folder.write_npy(stem + ".npy", shape, "<f8", points.data(), static_cast<std::size_t>(points.size()));  // a column after the other: k × d in row order
}

}  // namespace

SelectionSummary write_selection(const fs::path& directory, const Selection& selection) {
  Folder folder(directory);
  const auto count = static_cast<std::int64_t>(selection.rows.size());
  folder.write("rows.csv", {count}, {csv_of_rows(selection)});
  folder.write_npy("rows.npy", "<i8", selection.rows);
  if (!selection.weights.empty()) folder.write_npy("weights.npy", "<f8", selection.weights);
  if (selection.centres.size() > 0) {
    write_points(folder, "centres", selection.centres, selection.columns);
    if (selection.centre.size() > 0) {
      Eigen::MatrixXd unscaled = selection.centres;
      if (selection.scale.size() > 0) unscaled = selection.scale.asDiagonal() * unscaled;
      unscaled.colwise() += selection.centre;
      write_points(folder, "centres_unscaled", unscaled, selection.columns);
    }
  }
  if (!selection.labels.empty()) folder.write_npy("labels.npy", "<i4", selection.labels);
  if (!selection.distances.empty()) folder.write_npy("distances.npy", "<f4", selection.distances);
  if (!selection.labels.empty() && !selection.all_rows.empty()) folder.write_npy("labelled_rows.npy", "<i8", selection.all_rows);
  return {.rows = count, .labels = static_cast<std::int64_t>(selection.labels.size()), .files = std::move(folder).files()};
}

std::optional<std::vector<std::int64_t>> read_chosen_rows(const fs::path& directory) {
  const fs::path file = directory / "rows.csv";
  if (!fs::exists(file)) return std::nullopt;
  const std::string text = read_file(file);
  std::vector<std::int64_t> rows;
  for (std::size_t at = text.find('\n'); at != std::string::npos && at + 1 < text.size(); at = text.find('\n', at + 1)) {
    std::int64_t row = 0;
    const char* end = text.data() + text.size();
    const auto [next, status] = std::from_chars(text.data() + at + 1, end, row);
    if (status != std::errc() || (next != end && *next != '\n' && *next != ',')) {
      throw Error(ErrorCategory::data,
                  {.doing = "reading the chosen rows in " + file.string(), .rule = "line " + std::to_string(rows.size() + 2) + " is no number of a row"});
    }
    rows.push_back(row);
  }
  return rows;
}

}  // namespace buffon
