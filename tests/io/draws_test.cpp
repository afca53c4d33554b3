// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>
#include <process.hpp>
#include <synthetic_chains.hpp>
#include <temporary_directory.hpp>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <buffon/core/error.hpp>
#include <buffon/io/draws.hpp>
#include <buffon/io/files.hpp>
#include <buffon/netcdf/netcdf.hpp>

using namespace buffon;
using testing::synthetic_chains;

namespace {

DrawsInfo info() {
  return {.name = "slice",
          .model = "slice_model",
          .resolved = "method = \"slice\"\nseed = 7\n\n[options]\nchains = 3\n\n[[parameters]]\nname = \"mu\"\n",
          .seed = 7,
          .version = "1.2.3",
          .created_at = "2026-01-31T12:00:00.000Z",
          .warmup_seconds = 0.5,
          .sampling_seconds = 1.25};
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::istringstream text(read_file(file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::istringstream text(line);
  std::vector<std::string> fields;
  for (std::string field; std::getline(text, field, ',');) fields.push_back(field);
  return fields;
}

/// What a reader of CmdStan's files takes from one: keys of the comments before the header, the header, rows and the
/// comments between and after them.
struct ReadCsv {
  std::vector<std::pair<std::string, std::string>> configuration;
  std::vector<std::string> header;
  std::vector<std::vector<double>> warmup, draws;
  std::vector<std::string> adaptation, end;

  std::string value(const std::string& key) const {
    std::string out;
    for (const auto& [k, v] : configuration) {
      if (k == key) out = v;
    }
    return out;
  }
};

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" #\t"), last = text.find_last_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

ReadCsv read_csv(const std::filesystem::path& file) {
  ReadCsv out;
  bool adapted = false;
  for (const std::string& line : lines_of(file)) {
    if (line.front() == '#') {
      if (out.header.empty()) {
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos || line.find('=', equals + 1) != std::string::npos) continue;
        std::string value = trimmed(line.substr(equals + 1));
        if (value.ends_with("(Default)")) value = trimmed(value.substr(0, value.size() - 9));
        out.configuration.emplace_back(trimmed(line.substr(0, equals)), value);
      } else {
        adapted = true;
        (out.draws.empty() ? out.adaptation : out.end).push_back(line);
      }
    } else if (out.header.empty()) {
      out.header = fields_of(line);
    } else {
      std::vector<double> row;
      for (const std::string& field : fields_of(line)) row.push_back(std::strtod(field.c_str(), nullptr));
      (adapted ? out.draws : out.warmup).push_back(row);
    }
  }
  return out;
}

/// A Python that has the modules, or nothing.
std::string python_with(const std::string& modules, const std::filesystem::path& directory) {
  for (const char* python : {"/usr/bin/python3", "/usr/local/bin/python3"}) {
    if (!std::filesystem::exists(python)) continue;
    if (Process({python, "-c", "import " + modules}, directory).wait() == 0) return python;
  }
  return "";
}

}  // namespace

TEST_CASE("a CSV file holds the draws of its chain in every bit, where readers of CmdStan's files look") {
  TemporaryDirectory directory;
  const ChainDraws draws = synthetic_chains(3, 40, 0.4, 5);
  CHECK(write_draws(directory.path(), draws, info(), {.kinds = {"csv"}}) == std::vector<std::string>{"slice_1.csv", "slice_2.csv", "slice_3.csv"});
  for (std::size_t c = 0; c < 3; ++c) {
    const ReadCsv read = read_csv(directory / ("slice_" + std::to_string(c + 1) + ".csv"));
    CHECK(read.header == std::vector<std::string>{"lp__", "accept_stat__", "stepsize__", "treedepth__", "n_leapfrog__", "divergent__", "n_eval__", "stuck__",
                                                  "undefined__", "mu", "theta.1", "theta.2", "far"});
    CHECK(read.value("method") == "sample");
    CHECK(read.value("stan_version_major") == "2");
    CHECK(read.value("model") == "slice_model");
    CHECK(read.value("num_samples") == "80");  // transitions: 40 stored of every second one
    CHECK(read.value("thin") == "2");
    CHECK(read.value("num_warmup") == "100");
    CHECK(read.value("save_warmup") == "0");
    CHECK(read.value("id") == std::to_string(c + 1));
    CHECK(read.value("seed") == "7");
    CHECK(read.value("job: options.chains") == "3");
    CHECK(read.value("job: parameters.name") == "\"mu\"");
    CHECK(read.warmup.empty());
    REQUIRE(read.draws.size() == 40);
    const ChainTable& table = draws.chains[c];
    for (Eigen::Index i = 0; i < 40; ++i) {
      const std::vector<double>& row = read.draws[static_cast<std::size_t>(i)];
      REQUIRE(row.size() == 13);
      CHECK(row[0] == table.sampler(i, 0));
      CHECK(row[2] == 1);
      CHECK(row[5] == 0);
      CHECK(row[6] == 6);
      for (Eigen::Index j = 0; j < 4; ++j) CHECK(row[static_cast<std::size_t>(9 + j)] == table.values(i, j));
    }
    REQUIRE(read.adaptation.size() == 4);
    CHECK(read.adaptation[0] == "# Adaptation terminated");
    REQUIRE(read.end.size() == 5);
    CHECK(read.end[1] == "#  Elapsed Time: 0.5 seconds (Warm-up)");
    CHECK(read.end[3] == "#                1.75 seconds (Total)");
  }
}

TEST_CASE("a kept warm-up comes first in a CSV file, and its length is what its rows say") {
  TemporaryDirectory directory;
  const ChainDraws draws = synthetic_chains(1, 10, 0.4, 5, 50);
  write_draws(directory.path(), draws, info(), {.kinds = {"csv"}});
  const ReadCsv read = read_csv(directory / "slice_1.csv");
  CHECK(read.value("save_warmup") == "1");
  CHECK(read.value("num_warmup") == "100");  // 50 rows of every second transition
  REQUIRE(read.warmup.size() == 50);
  REQUIRE(read.draws.size() == 10);
  CHECK(read.warmup[49][9] == draws.warmup[0].values(49, 0));
  CHECK(read.draws[0][9] == draws.chains[0].values(0, 0));
}

TEST_CASE("fewer significant digits and numbers that are not finite are written as asked") {
  TemporaryDirectory directory;
  ChainDraws draws = synthetic_chains(1, 3, 0.4, 5);
  draws.chains[0].values.row(0) << 1.0 / 3, -std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e300;
  draws.chains[0].values.row(1) << 123456789, -std::numeric_limits<double>::infinity(), 0.1, 5e-324;
  write_draws(directory.path(), draws, info(), {.kinds = {"csv"}, .sig_figs = 4});
  const std::string text = read_file(directory / "slice_1.csv");
  CHECK(text.find(",0.3333,nan,inf,1e+300\n") != std::string::npos);
  CHECK(text.find(",1.235e+08,-inf,0.1,4.941e-324\n") != std::string::npos);
  write_draws(directory.path(), draws, info(), {.kinds = {"csv"}, .sig_figs = 17});
  CHECK(read_csv(directory / "slice_1.csv").draws[1][12] == 5e-324);
}

TEST_CASE("the array is chain by draw by column, with the names beside it") {
  TemporaryDirectory directory;
  const ChainDraws draws = synthetic_chains(3, 20, 0.4, 5, 10);
  write_draws(directory.path(), draws, info(), {.kinds = {"npy"}});
  const std::string bytes = read_file(directory / "draws.npy");
  CHECK(bytes.find("'shape': (3, 20, 9), }") != std::string::npos);
  const std::size_t size = 3 * 20 * 9 * sizeof(double);
  CHECK((bytes.size() - size) % 64 == 0);
  std::vector<double> values(3 * 20 * 9);
  std::memcpy(values.data(), bytes.data() + bytes.size() - size, size);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < 20; ++i) {
      CHECK(values[(c * 20 + i) * 9] == draws.chains[c].sampler(static_cast<Eigen::Index>(i), 0));
      CHECK(values[(c * 20 + i) * 9 + 6] == draws.chains[c].values(static_cast<Eigen::Index>(i), 1));
    }
  }
  CHECK(read_file(directory / "warmup.npy").find("'shape': (3, 10, 9), }") != std::string::npos);
  CHECK(lines_of(directory / "columns.txt") ==
        std::vector<std::string>{"lp__", "accept_stat__", "n_eval__", "stuck__", "undefined__", "mu", "theta.1", "theta.2", "far"});
}

TEST_CASE("more than 100 chains get CSV files only when nothing else is asked for, and no old file stays") {
  TemporaryDirectory directory;
  const ChainDraws many = synthetic_chains(101, 12, 0.4, 5), few = synthetic_chains(2, 12, 0.4, 5);
  CHECK(write_draws(directory.path(), many, info(), {}) == std::vector<std::string>{"draws.npy", "columns.txt"});
  CHECK(write_draws(directory.path(), many, info(), {.kinds = {"csv"}}).size() == 101);
  CHECK(std::filesystem::exists(directory / "slice_101.csv"));
  CHECK_FALSE(std::filesystem::exists(directory / "draws.npy"));
  write_file(directory / "slice_of_life.csv", "mine\n");
  write_draws(directory.path(), few, info(), {});
  CHECK(std::filesystem::exists(directory / "slice_2.csv"));
  CHECK_FALSE(std::filesystem::exists(directory / "slice_3.csv"));
  CHECK(std::filesystem::exists(directory / "slice_of_life.csv"));
  CHECK(write_draws(directory / "none", few, info(), {.kinds = {}}).empty());
  CHECK_FALSE(std::filesystem::exists(directory / "none"));
}

TEST_CASE("a build without netCDF says so") {
  if (netcdf_available()) return;
  CHECK_FALSE(can_write_draws("netcdf"));
  TemporaryDirectory directory;
  CHECK_THROWS_WITH_AS(write_draws(directory.path(), synthetic_chains(1, 5, 0, 1), info(), {.kinds = {"netcdf"}}), doctest::Contains("libnetcdf-dev"), Error);
}

TEST_CASE("netCDF files open with xarray as ArviZ InferenceData groups") {
  if (!netcdf_available()) return;
  TemporaryDirectory directory;
  const ChainDraws draws = synthetic_chains(3, 20, 0.4, 5, 10);
  write_draws(directory.path(), draws, info(), {.kinds = {"npy", "netcdf"}});
  const std::string python = python_with("xarray, netCDF4, numpy", directory.path());
  if (python.empty()) {
    MESSAGE("skipped: no Python with xarray and netCDF4 (Debian packages python3-xarray, python3-netcdf4)");
    return;
  }
  write_file(directory / "check.py", R"py(
import numpy, xarray, netCDF4
columns = open("columns.txt").read().split()
for group, array in (("", "draws"), ("warmup_", "warmup")):
    expected = numpy.load(array + ".npy")
    assert expected.shape[0] == 3 and expected.shape[2] == 9
    posterior = xarray.open_dataset("draws.nc", group=group + "posterior")
    stats = xarray.open_dataset("draws.nc", group=group + "sample_stats")
    assert posterior.mu.dims == ("chain", "draw"), posterior.mu.dims
    assert posterior.theta.dims == ("chain", "draw", "theta_dim_0"), posterior.theta.dims
    assert (posterior.mu.values == expected[:, :, columns.index("mu")]).all()
    for k in (0, 1):
        assert (posterior.theta.values[:, :, k] == expected[:, :, columns.index("theta.%d" % (k + 1))]).all()
    assert (posterior.far.values == expected[:, :, columns.index("far")]).all()
    assert (stats.lp.values == expected[:, :, 0]).all()
    assert (stats.acceptance_rate.values == 1).all()
    assert stats.n_eval.dtype.kind == "i" and (stats.n_eval.values == 6).all()
    assert stats.diverging.dtype == bool and not stats.diverging.values.any()
    assert list(posterior.chain.values) == [0, 1, 2] and posterior.draw.values[-1] == expected.shape[1] - 1
    for data in (posterior, stats):
        assert data.attrs["inference_library"] == "buffon"
        assert data.attrs["inference_library_version"] == "1.2.3"
        assert data.attrs["created_at"] == "2026-01-31T12:00:00.000Z"
        assert data.attrs["sampling_time"] == 1.25 and data.attrs["tuning_steps"] == 100
assert set(netCDF4.Dataset("draws.nc").groups) == {"posterior", "sample_stats", "warmup_posterior", "warmup_sample_stats"}
print("as written")
)py");
  Process check({python, "check.py"}, directory.path());
  const int status = check.wait();
  CHECK_MESSAGE(status == 0, check.err());
  CHECK(check.out() == "as written\n");
}
