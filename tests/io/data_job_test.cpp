// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <set>
#include <stop_token>
#include <string>
#include <temporary_directory.hpp>
#include <vector>

#include <buffon/io/compare.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/npy.hpp>
#include <buffon/io/result.hpp>
#include <buffon/io/run_directory.hpp>
#include <buffon/io/runner.hpp>

#include "support_job.hpp"

using namespace buffon;

namespace {

const std::string points = "a,b,w\n1,10,1\n2,20,2\n3,30,3\n4,40,4\n";

std::string job_text(const std::string& data, const std::string& rest = "") { return "method = \"data_probe\"\nseed = 1\n[data]\n" + data + rest; }

Job read(const TemporaryDirectory& t, const std::string& data, const std::string& rest = "", const std::vector<std::string>& overrides = {}) {
  return parse_job(job_text(data, rest), "job.toml", t.path(), overrides, test::probe_methods());
}

std::string refusal(const TemporaryDirectory& t, const std::string& data, ErrorCategory category, const std::vector<std::string>& overrides = {}) {
  try {
    read(t, data, "", overrides);
  } catch (const Error& error) {
    CHECK(error.category() == category);
    return error.what();
  }
  return "accepted";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class Silent : public RunObserver {
 public:
  void started(const Context&, const Progress&) override {}
  void progressed(const Progress&) override {}
  void note(const std::string&) override {}
  void ended() override {}
};

Result run(const Job& job, const std::filesystem::path& directory) {
  RunDirectory folder = RunDirectory::create(directory, job.resolved, "", {});
  Silent observer;
  return run_job(job, folder, {}, observer);
}

/// The numbers of an .npy file of one dimension, after its header of 128 bytes.
template <class T>
std::vector<T> array(const std::filesystem::path& file, const std::string& descr) {
  const std::string bytes = read_file(file);
  REQUIRE(bytes.size() >= 128);
  CHECK(contains(bytes.substr(0, 128), "'descr': '" + descr + "'"));
  std::vector<T> numbers((bytes.size() - 128) / sizeof(T));
  std::memcpy(numbers.data(), bytes.data() + 128, numbers.size() * sizeof(T));
  return numbers;
}

}  // namespace

TEST_CASE("section data is read into the job, its paths written out, and reads back to the same job") {
  TemporaryDirectory t;
  write_file(t / "points.csv", points);
  write_file(t / "other.weights.csv", "4\n3\n2\n1\n");
  const Job job = read(t, "file = \"points.csv\"\ncolumns = [\"b\", \"0\"]\nrows = \"1:\"\nweights = \"w\"\n");
  REQUIRE(job.data);
  CHECK(job.data->rows() == 3);
  CHECK(job.data->columns() == 2);
  CHECK(job.data->point(0) == Eigen::Vector2d(20, 2));
  CHECK(job.data->weight(2) == 4);
  CHECK(contains(job.resolved, "file = \"" + (t / "points.csv").string() + "\""));
  CHECK(contains(job.resolved, "weights = \"w\""));
  const Job again = parse_job(job.resolved, "config.resolved.toml", "/nowhere", {}, test::probe_methods());
  CHECK(again.resolved == job.resolved);
  CHECK(again.digest == job.digest);
  CHECK(again.data == job.data);  // held once, however often it is read

  const Job weighted = read(t, "file = \"points.csv\"\ncolumns = [\"a\"]\nweights = \"other.weights.csv\"\n");
  CHECK(weighted.data->weight(0) == 4);
  CHECK(contains(weighted.resolved, "weights = \"" + (t / "other.weights.csv").string() + "\""));
  CHECK(parse_job(weighted.resolved, "config.resolved.toml", "/nowhere", {}, test::probe_methods()).digest == weighted.digest);
}

TEST_CASE("the digest counts data and weights by their content, not by their place") {
  TemporaryDirectory t;
  std::filesystem::create_directories(t / "elsewhere");
  for (const char* name : {"points.csv", "elsewhere/points.csv"}) write_file(t / name, points);
  for (const char* name : {"w.csv", "elsewhere/w.csv"}) write_file(t / name, "1\n2\n3\n4\n");
  const std::string keys = "columns = [\"a\", \"b\"]\n";
  const std::string first = read(t, "file = \"points.csv\"\nweights = \"w.csv\"\n" + keys).digest;
  CHECK(read(t, "file = \"elsewhere/points.csv\"\nweights = \"elsewhere/w.csv\"\n" + keys).digest == first);
  write_file(t / "w.csv", "1\n2\n3\n5\n");
  CHECK(read(t, "file = \"points.csv\"\nweights = \"w.csv\"\n" + keys).digest != first);
  write_file(t / "points.csv", "a,b,w\n1,10,1\n2,20,2\n3,30,3\n4,41,4\n");
  CHECK(read(t, "file = \"points.csv\"\nweights = \"elsewhere/w.csv\"\n" + keys).digest != first);
  CHECK(read(t, "file = \"elsewhere/points.csv\"\nweights = \"elsewhere/w.csv\"\n").digest != first);
}

TEST_CASE("faults of data end in a message with the place in the job and the place in the data") {
  TemporaryDirectory t;
  write_file(t / "points.csv", points);
  write_file(t / "bad.csv", "a,b\n1,2\n3,x\n");
  CHECK(contains(refusal(t, "file = \"nowhere.csv\"\n", ErrorCategory::no_input), "nowhere.csv"));
  CHECK(contains(refusal(t, "file = \"\"\n", ErrorCategory::configuration), "data.file = \"\" must name a file"));
  CHECK(contains(refusal(t, "format = \"csv\"\n", ErrorCategory::configuration), "data.file is required and missing"));
  CHECK(contains(refusal(t, "file = \"points.csv\"\ncolums = [\"a\"]\n", ErrorCategory::configuration), "did you mean \"columns\"?"));
  const std::string bad = refusal(t, "file = \"bad.csv\"\n", ErrorCategory::data);
  CHECK(contains(bad, "bad.csv"));
  CHECK(contains(bad, "3"));  // its line
  CHECK(contains(refusal(t, "file = \"points.csv\"\ncolumns = [\"c\"]\n", ErrorCategory::configuration), "data.columns"));
  CHECK(contains(refusal(t, "file = \"points.csv\"\n", ErrorCategory::configuration, {"data.scale=big"}), "--set \"data.scale=big\""));
}

TEST_CASE("sections of other kinds are refused for a data set, and data for other kinds") {
  TemporaryDirectory t;
  write_file(t / "points.csv", points);
  const std::string other = "[density]\nkind = \"named\"\nname = \"gaussian\"\n";
  CHECK(contains(test::message_of("method = \"data_probe\"\nseed = 1\n" + other), "it chooses rows of a data set: give it in [data]"));
  CHECK(contains(test::message_of("method = \"target_probe\"\nseed = 1\n[data]\nfile = \"x.npy\"\n" + other), "data does not go with"));
  CHECK(contains(test::message_of("method = \"data_probe\"\nseed = 1\n"), "add a section [data] with its file"));
}

TEST_CASE("a job without a file is made of flags, which its messages name") {
  TemporaryDirectory t;
  write_file(t / "points.csv", points);
  const auto make = [&](const std::string& method, const std::vector<std::string>& set) {
    return parse_job("method = \"" + method + "\"\nseed = 1\n", "", t.path(), set, test::probe_methods());
  };
  const auto message = [&](const std::string& method, const std::vector<std::string>& set) -> std::string {
    try {
      make(method, set);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  const Job job = make("data_probe", {"data.file=points.csv", "data.weights=2", "data.rows=0:3", "options.count=2", "data.columns=[0, \"b\"]"});
  CHECK(job.data->rows() == 3);
  CHECK(job.data->columns() == 2);
  CHECK(job.data->weighted());
  CHECK(job.seed == 1);
  CHECK(make("data_probe", {"data.file=points.csv", "seed=7"}).seed == 7);
  CHECK(make("probe", {"model.kind=named", "model.name=ishigami"}).problem.dimension() == 3);
  CHECK(make("probe", {"model.kind=expression", "model.outputs=[\"y = x^2\"]", "inputs=[{name=\"x\", law=\"normal\", mean=0, std_dev=1}]", "inputs.x.mean=2"})
            .problem.dimension() == 1);
  CHECK(make("target_probe", {"density.kind=expression", "density.log_density=-x^2", "parameters=[{name=\"x\"}]"}).target->dimension() == 1);

  CHECK(contains(message("data_probe", {}), "give --set data.file=…"));
  CHECK(contains(message("data_probe", {"data.scale=none"}), "give --set data.file=…"));
  CHECK(contains(message("probe", {}), "give --set model.kind=…"));
  CHECK(contains(message("target_probe", {}), "give --set density.kind=…"));
  CHECK(contains(message("nested_probe", {}), "give --set nested.kind=…"));
  CHECK(contains(message("probe", {"model.kind=named"}), "give --set model.name=…"));
  CHECK(contains(message("probe", {"model.kind=expression", "model.outputs=[\"y = x\"]"}), "give --set 'inputs=[{"));
  CHECK(contains(message("probe", {"model.kind=expression", "model.outputs=[\"y = x\"]", "inputs.x.law=normal"}), "give the whole list: --set 'inputs=["));
  CHECK(contains(message("data_probe", {"data.file=points.csv", "options.count=0"}), "--set \"options.count=0\""));
  CHECK(contains(message("data_probe", {"data.file=nowhere.npy"}), "nowhere.npy"));
  for (const auto& set : std::vector<std::vector<std::string>>{{}, {"data.file=points.csv", "options.cuont=1"}, {"data.file=points.csv", "data.rows=7:9"}}) {
    CHECK_FALSE(contains(message("data_probe", set), "job.toml"));
    CHECK_FALSE(contains(message("data_probe", set), ":1:1"));
  }
}

TEST_CASE("a selection is written to files whose digests stand in the result, and comes back with its rows") {
  TemporaryDirectory t;
  write_file(t / "points.csv", points);
  const Job job = read(t, "file = \"points.csv\"\nrows = \"1:\"\nweights = \"w\"\nscale = \"standardise\"\n", "[options]\ncount = 2\n[run]\nreport = false\n");
  const Result result = run(job, t / "run");
  const std::filesystem::path folder = t / "run/selection";
  CHECK(read_file(folder / "rows.csv") == "row,weight\n2,3\n1,2\n");
  CHECK(array<std::int64_t>(folder / "rows.npy", "<i8") == std::vector<std::int64_t>{2, 1});
  CHECK(array<double>(folder / "weights.npy", "<f8") == std::vector<double>{3, 2});
  CHECK(array<std::int32_t>(folder / "labels.npy", "<i4") == std::vector<std::int32_t>{0, 0, 0});
  CHECK(array<float>(folder / "distances.npy", "<f4") == std::vector<float>{0.5F, 0.5F, 0.5F});
  CHECK(array<std::int64_t>(folder / "labelled_rows.npy", "<i8") == std::vector<std::int64_t>{1, 2, 3});
  // Back in the units of the source, row 2 is (3, 30) and row 1 is (2, 20).
  const Eigen::MatrixXd unscaled = read_npy(folder / "centres_unscaled.npy");
  REQUIRE(unscaled.rows() == 2);
  CHECK(unscaled(0, 0) == doctest::Approx(3).scale(0).epsilon(1e-12));
  CHECK(unscaled(1, 1) == doctest::Approx(20).scale(0).epsilon(1e-12));
  const Eigen::MatrixXd centres = read_npy(folder / "centres.npy");
  CHECK(centres.row(0).transpose() == job.data->point(1));
  CHECK(read_file(folder / "centres.csv").starts_with("a,b\n"));

  const Result back = read_result(t / "run");
  REQUIRE(back.selection);
  REQUIRE(back.outcome.selection);
  CHECK(back.selection->rows == 2);
  CHECK(back.selection->labels == 3);
  CHECK(back.outcome.selection->rows == std::vector<std::int64_t>{2, 1});
  CHECK(reproducible_part(back) == reproducible_part(result));
  std::set<std::string> told;
  for (const SelectionSummary::File& file : back.selection->files) {
    told.insert(file.name);
    CHECK(file.digest.size() == 64);
  }
  std::set<std::string> there;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) there.insert(entry.path().filename().string());
  CHECK(told == there);
  std::filesystem::remove_all(folder);
  CHECK_FALSE(read_result(t / "run").outcome.selection);
}

TEST_CASE("compare tells where two selections first differ") {
  TemporaryDirectory t;
  write_file(t / "points.csv", points);
  const auto result = [&](const std::string& count, const std::string& name) {
    run(read(t, "file = \"points.csv\"\n", "[options]\ncount = " + count + "\n[run]\nreport = false\n"), t / name);
    return read_result(t / name);
  };
  const Result a = result("3", "a"), b = result("3", "b"), c = result("4", "c");
  const Comparison same = compare(a, b);
  CHECK(same.agree);
  CHECK_FALSE(same.first_difference);
  const Comparison other = compare(a, c);  // 2, 1, 0 and 3, 2, 1, 0
  CHECK_FALSE(other.agree);
  REQUIRE(other.selection);
  CHECK(other.selection->common == 3);
  CHECK(other.selection->first_difference == "row 1 of the selection: 2 and 3");
  CHECK(contains(other.verdict, "different rows: 3 of 3 rows are in both"));
}
