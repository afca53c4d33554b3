// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <stop_token>
#include <string>
#include <temporary_directory.hpp>
#include <vector>

#include <buffon/io/explain.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/npy.hpp>
#include <buffon/io/result.hpp>
#include <buffon/io/run_directory.hpp>
#include <buffon/io/runner.hpp>
#include <buffon/io/sample_files.hpp>

#include "../support/all_methods.hpp"
#include "support_job.hpp"

using namespace buffon;

namespace {

const std::string head = "method = \"diffusion\"\nseed = 1\n";
const std::string schedule = "[schedule]\nkind = \"vp_linear\"\n";
const std::string mixture =
    "[denoiser]\nkind = \"mixture\"\nmeans = [[1.0, 0.0], [-1.0, 0.5]]\ncovariances = [[[0.2, 0.1], [0.1, 0.3]], [[0.1, 0.0], [0.0, 0.1]]]\n";
const std::string few = "[options]\nsamples = 10\nsteps = 5\n";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Job parse(const std::string& text, const std::filesystem::path& folder = ".", const std::vector<std::string>& overrides = {}) {
  return parse_job(text, "job.toml", folder, overrides, testing::all_methods());
}

std::string refusal(const std::string& text, const std::filesystem::path& folder = ".") {
  try {
    parse(text, folder);
  } catch (const Error& error) {
    CHECK(error.where().line > 0);
    return error.what();
  }
  return "accepted";
}

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

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes.at(at + i));
  return number;
}

/// Pixels of a PNG file whose lines are not filtered, after checking its parts.
std::string pixels_of(const std::string& png, std::size_t width, std::size_t height, int channels) {
  REQUIRE(png.substr(0, 8) == "\x89PNG\r\n\x1a\n");
  std::string packed;
  std::vector<std::string> names;
  for (std::size_t at = 8; at < png.size();) {
    const std::size_t size = number_at(png, at);
    const std::string body = png.substr(at + 4, size + 4);
    CHECK(number_at(png, at + 8 + size) == crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())));
    names.push_back(body.substr(0, 4));
    if (names.back() == "IHDR") {
      CHECK(number_at(body, 4) == width);
      CHECK(number_at(body, 8) == height);
      CHECK(body.substr(12) == std::string({8, static_cast<char>(channels == 3 ? 2 : 0), 0, 0, 0}));
    }
    if (names.back() == "IDAT") packed += body.substr(4);
    at += 12 + size;
  }
  CHECK(names == std::vector<std::string>{"IHDR", "IDAT", "IEND"});
  const std::size_t line = width * static_cast<std::size_t>(channels) + 1;
  std::string lines(line * height, '\1'), out;
  uLongf size = lines.size();
  REQUIRE(uncompress(reinterpret_cast<Bytef*>(lines.data()), &size, reinterpret_cast<const Bytef*>(packed.data()), packed.size()) == Z_OK);
  REQUIRE(size == lines.size());
  for (std::size_t y = 0; y < height; ++y) {
    CHECK(lines[y * line] == 0);
    out += lines.substr(y * line + 1, line - 1);
  }
  return out;
}

}  // namespace

TEST_CASE("denoiser and schedule are read into the job and the resolved form reads back to the same job") {
  for (const std::string& text :
       {mixture + schedule, mixture + "label = 1\n" + schedule, mixture + "labels = [0, 1, 1]\n" + schedule,
        std::string("[denoiser]\nkind = \"gaussian\"\nmean = [1, 2]\nvariances = [0.5, 0]\n[schedule]\nkind = \"ve\"\nsigma_max = 20\n"),
        std::string("[denoiser]\nkind = \"gaussian\"\nmean = [1, 2]\ncovariance = [[0.5, 0.1], [0.1, 1]]\n[schedule]\nkind = \"vp_cosine\"\n"),
        std::string("[denoiser]\nkind = \"named\"\nname = \"t1\"\n[schedule]\nkind = \"flow\"\nshift = 3\n"),
        std::string("[denoiser]\nkind = \"mixture\"\nmeans = [[0], [1]]\ndeviations = [0.1, 0.2]\n[schedule]\nkind = \"discrete\"\nbetas = [0.1, 0.2, 0.3, "
                    "0.4, 0.5]\n")}) {
    CAPTURE(text);
    const Job job = parse(head + text + few);
    REQUIRE(job.diffusion);
    REQUIRE(job.diffusion->denoiser);
    const Job again = parse_job(job.resolved, "config.resolved.toml", "/nowhere", {}, testing::all_methods());
    CHECK(again.resolved == job.resolved);
    CHECK(again.digest == job.digest);
  }
  const Job job = parse(head + mixture + "labels = [0, 1, 1]\n" + schedule + few);
  CHECK(job.diffusion->labels == std::vector<std::int32_t>{0, 1, 1});
  CHECK_FALSE(job.diffusion->law);  // of several classes in turn
  const Job whole = parse(head + mixture + schedule + few);
  REQUIRE(whole.diffusion->law);
  CHECK(whole.diffusion->law->mean == Eigen::Vector2d(0, 0.25));
  CHECK(whole.diffusion->law->covariance(0, 0) == doctest::Approx(0.5 * (0.2 + 0.1) + 1));
  const Job one = parse(head + mixture + "label = 1\n" + schedule + few);
  CHECK(one.diffusion->law->mean == Eigen::Vector2d(-1, 0.5));
  CHECK(one.diffusion->law->covariance == 0.1 * Eigen::Matrix2d::Identity());
  CHECK(one.digest != whole.digest);
  CHECK(parse(head + mixture + schedule + "[options]\nsamples = 10\nsteps = 6\n").digest != whole.digest);
}

TEST_CASE("files of points and grids are found beside the job and count by their content") {
  TemporaryDirectory t;
  std::filesystem::create_directories(t / "elsewhere");
  for (const char* name : {"points.csv", "elsewhere/other.csv"}) write_file(t / name, "a,b\n1,2\n3,4\n5,9\n");
  const auto grid = time_grid(*vp_linear_schedule(), GridSpacing::time, 5, 1, 1e-3);
  write_file(t / "grid.txt", grid_text(grid));
  const auto text = [&](const std::string& file) {
    return head + "[denoiser]\nkind = \"points\"\nfile = \"" + file + "\"\ndeviation = 0.1\n" + schedule + "grid_file = \"grid.txt\"\n" + few;
  };
  const Job job = parse(text("points.csv"), t.path());
  CHECK(job.diffusion->denoiser->dimension() == 2);
  CHECK(job.diffusion->law->mean == Eigen::Vector2d(3, 5));
  CHECK(contains(job.resolved, "file = \"" + (t / "points.csv").string() + "\""));
  CHECK(contains(job.resolved, "grid_file = \"" + (t / "grid.txt").string() + "\""));
  CHECK(job.make()->outcome().evaluations == 0);
  const Job again = parse_job(job.resolved, "config.resolved.toml", "/nowhere", {}, testing::all_methods());
  CHECK(again.digest == job.digest);
  CHECK(parse(text("elsewhere/other.csv"), t.path()).digest == job.digest);
  write_file(t / "points.csv", "a,b\n1,2\n3,4\n5,8\n");
  CHECK(parse(text("points.csv"), t.path()).digest != job.digest);
  write_file(t / "points.csv", "a,b\n1,2\n3,4\n5,9\n");
  write_file(t / "grid.txt", grid_text(time_grid(*vp_linear_schedule(), GridSpacing::time, 6, 1, 1e-3)));
  CHECK(parse(text("points.csv"), t.path()).digest != job.digest);
  write_file(t / "grid.txt", "0.1\nten\n");
  CHECK(contains(refusal(text("points.csv"), t.path()), (t / "grid.txt").string() + ":2: "));
  CHECK(contains(refusal(text("points.csv"), t.path()), "schedule.grid_file = \"ten\" must be one number"));
  write_file(t / "grid.txt", "");
  CHECK_THROWS_WITH_AS(parse(text("points.csv"), t.path()), doctest::Contains("schedule.grid_file = no numbers must be at least 2 numbers"), Error);
  write_file(t / "grid.txt", "-1\n1\n");
  CHECK_THROWS_WITH_AS(parse(text("points.csv"), t.path()).make(), doctest::Contains("grid.txt:1: "), Error);
  std::filesystem::remove(t / "grid.txt");
  CHECK(contains(refusal(text("points.csv"), t.path()), "grid.txt is not there"));
  CHECK(contains(refusal(text("nowhere.csv"), t.path()), "nowhere.csv"));
}

TEST_CASE("faults of a diffusion job end in a message with place, key, rule and remedy") {
  const auto with = [](const std::string& denoiser, const std::string& of_schedule = schedule) { return head + denoiser + of_schedule + few; };
  const std::string gaussian = "[denoiser]\nkind = \"gaussian\"\nmean = [1.0, 2.0]\n";
  CHECK(contains(refusal(head + schedule + few), "denoiser is required and missing"));
  CHECK(contains(refusal(head + mixture + few), "schedule is required and missing"));
  CHECK(contains(refusal(with("[denoiser]\nkind = \"mixtures\"\n")), "did you mean \"mixture\"?"));
  CHECK(contains(refusal(with(gaussian)), "denoiser.covariance is required and missing"));
  CHECK(contains(refusal(with(gaussian + "variances = [1.0, 1.0]\ncovariance = [[1.0, 0.0], [0.0, 1.0]]\n")), "does not go with another of these"));
  CHECK(contains(refusal(with(gaussian + "variances = [1.0]\n")), "denoiser.variances = 1 number must be 2 numbers"));
  CHECK(contains(refusal(with(gaussian + "covariance = [[1.0, 0.0]]\n")), "must be 2 x 2"));
  CHECK(contains(refusal(with(gaussian + "covariance = [[1.0, 0.0], [0.0]]\n")), "denoiser.covariance[1] = 1 number must be 2 numbers"));
  CHECK(refusal(with(gaussian + "covariance = [[1.0, 2.0], [2.0, 1.0]]\n")) != "accepted");
  CHECK(contains(refusal(with(gaussian + "variances = [1.0, 1.0]\nweights = [1.0]\n")), "denoiser.weights is not a key here"));
  CHECK(contains(refusal(with("[denoiser]\nkind = \"mixture\"\nmeans = [[1.0], [2.0, 3.0]]\ndeviations = [1.0, 1.0]\n")), "denoiser.means[1]"));
  CHECK(contains(refusal(with("[denoiser]\nkind = \"mixture\"\nmeans = [[1.0], [2.0]]\ndeviations = [1.0]\n")), "must have one for each of the 2 means"));
  CHECK(contains(refusal(with(mixture + "label = 2\n")), "denoiser.label = 2 must be below the number of classes, 2"));
  CHECK(contains(refusal(with(mixture + "labels = [0, 1, 2]\n")), "denoiser.labels[2] = 2 must be below the number of classes, 2"));
  CHECK(contains(refusal(with(mixture + "label = 1\nlabels = [0]\n")), "does not go with label"));
  CHECK(contains(refusal(with(gaussian + "variances = [1.0, 1.0]\nlabel = 0\n")), "denoiser.label = 0 cannot be given: the model knows no classes"));
  CHECK(contains(refusal(with(mixture + "weights = [1e308, 1e308]\n")), "denoiser.weights = numbers up to 1e+308 must have a finite sum"));
  CHECK(contains(refusal(with(mixture + "guidance = 2.0\n")), "needs a class"));
  CHECK(contains(refusal(with(mixture + "label = 0\nguidance_from = 0.5\n")), "does not go without guidance"));
  CHECK(contains(refusal(with(mixture, "[schedule]\nkind = \"vp_linear\"\nbeta_1 = 0.05\n")), "schedule.beta_1 = 0.05 must be above beta_0"));
  CHECK(contains(refusal(with(mixture, "[schedule]\nkind = \"ve\"\nbeta_1 = 0.05\n")), "schedule.beta_1 is not a key here"));
  CHECK(contains(refusal(head + mixture + schedule + "[options]\nbackend = \"tpu\"\n"), "options.backend = tpu is not known"));
  CHECK(contains(refusal(head + mixture + schedule + "[options]\nfirst_time = 2.0\n"),
                 "options.first_time = 2 must be a time of the schedule vp_linear, in [0, 1]"));
  CHECK(contains(refusal(head + mixture + schedule + "[options]\ntimes = [1.0, 0.5, -0.5]\n"), "options.times[2] = -0.5 must be a time"));
  CHECK(contains(refusal(head + mixture + schedule + "[options]\nsolver = \"unipcs\"\n"), "did you mean \"unipc\"?"));
  CHECK(contains(refusal(head + mixture + schedule + few + "[model]\nkind = \"named\"\n"), "does not go with method = \"diffusion\""));
}

TEST_CASE("a run writes the samples as an array of the shape and the type asked for, and its result names them") {
  TemporaryDirectory t;
  const Job job = parse(head + mixture + schedule + "[options]\nsamples = 33\nsteps = 5\nbatch = 4\nprecision = \"float64\"\n");
  const Result result = run(job, t / "run");
  const Eigen::MatrixXd x = read_npy(t / "run/samples.npy");
  CHECK(x.rows() == 33);
  CHECK(x.cols() == 2);
  CHECK(x.colwise().mean()(0) == doctest::Approx(result.outcome.find("mean_x1")->estimate.value));
  CHECK_FALSE(std::filesystem::exists(t / "run/samples.png"));
  const Result read = read_result(t / "run");
  REQUIRE(read.samples);
  CHECK(read.samples->shape == std::vector<std::int64_t>{33, 2});
  CHECK(read.samples->type == "<f8");
  CHECK(read.samples->digest == result.samples->digest);
  CHECK(reproducible_part(read) == reproducible_part(result));
  CHECK(contains(encode_result(result), "\"backend\": \"cpu\""));
  CHECK_FALSE(contains(reproducible_part(result), "\"backend\""));

  const Result single = run(parse(head + mixture + schedule + "[options]\nsamples = 33\nsteps = 5\nbatch = 4\n"), t / "single");
  CHECK(single.samples->type == "<f4");
  CHECK(read_file(t / "single/samples.npy").size() == 128 + 33 * 2 * 4);
}

TEST_CASE("a sheet shows the first images, grey or coloured, and reads back as a PNG") {
  TemporaryDirectory t;
  for (const std::int64_t channels : {1, 3, 2}) {
    SampleSet samples{5, static_cast<Index>(channels * 6), {channels, 2, 3}, true, nullptr, true};
    std::vector<float> numbers(static_cast<std::size_t>(samples.count * samples.dimension));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
    samples.bytes = std::make_shared<const std::string>(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
    const SampleSummary summary = write_samples(t.path(), samples);
    CHECK(summary.shape == std::vector<std::int64_t>{5, channels, 2, 3});
    CHECK(summary.shown == 5);
    // Three images a row, two rows, two pixels between them.
    const int colours = channels == 3 ? 3 : 1;
    const std::string pixels = pixels_of(read_file(t / "samples.png"), 13, 6, colours);
    const auto at = [&](std::size_t x, std::size_t y, std::size_t c) {
      return static_cast<unsigned char>(pixels[(y * 13 + x) * static_cast<std::size_t>(colours) + c]);
    };
    CHECK(at(0, 0, 0) == 0);
    CHECK(at(3, 0, 0) == 0x80);   // between images
    CHECK(at(10, 4, 0) == 0x80);  // no sixth image
    const double last = numbers.back();
    for (std::size_t c = 0; c < static_cast<std::size_t>(colours); ++c) {
      // Sample 4, channel c, row 1, column 2
      const double value = static_cast<double>(4 * channels * 6 + static_cast<std::int64_t>(c) * 6 + 5);
      CHECK(at(5 + 2, 4 + 1, c) == doctest::Approx(255 * value / last).scale(0).epsilon(0.02));
    }
  }
}

TEST_CASE("kinds of denoisers, schedules and backends are listed and explained") {
  const auto& methods = testing::all_methods();
  CHECK(contains(list_text("denoisers", methods), "mixture"));
  CHECK(contains(list_text("schedules", methods), "vp_cosine"));
  CHECK(contains(list_text("backends", methods), "cpu:reference"));
  CHECK(contains(list_text("solvers", methods, {{"solvers", {{"unipc", "predictor and corrector"}}}}), "unipc  predictor and corrector"));
  CHECK_THROWS_AS(list_text("solvers", methods), Error);
  CHECK(contains(explain("mixture", methods), "covariances  list of lists of lists of numbers"));
  CHECK(contains(explain("ve", methods), "sigma_max"));
  CHECK(contains(explain("denoiser", methods), "guidance"));
  CHECK(contains(explain("schedule.shift", methods), "resolution shift"));
  CHECK(contains(explain("denoiser.means", methods), "mean of every component"));
}
