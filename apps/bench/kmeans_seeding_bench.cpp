// SPDX-License-Identifier: BSD-3-Clause
// k-means++ seeding against scikit-learn's kmeans_plusplus, by turns in one run: seconds with all preprocessing (from an array in memory to the
// chosen rows), and costs, which are not timed.
//     kmeans_seeding_bench [--rounds N] [--threads N] [--json FILE] [--k 10,100,1000] [--sets skin,kegg_z,…] [--data FOLDER]
//     kmeans_seeding_bench --own …          our algorithms among each other on every data set, raw and standardised; no peer
//     kmeans_seeding_bench --large          5,000,000 × 16 float32 rows in a file: seconds and peak memory, beside the peer on 500,000 rows
// Data: the folder `clustering` of reference data sets (--data, or BUFFON_SHARED_DATA/clustering); without it generated clusters only.

#include "interleave.hpp"
#include "python_peer.hpp"

#include <buffon/core/error.hpp>
#include <buffon/io/data_file.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/kmeans_seeding.hpp>

#include <sys/resource.h>

#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <sstream>

using namespace buffon;
namespace fs = std::filesystem;

namespace {

struct Settings {
  int rounds = 5, threads = 1;
  std::vector<std::int64_t> k = {10, 100, 1000};
  std::vector<std::string> sets;
  fs::path folder;
  std::string json;
  bool own = false, large = false;
};

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) words.push_back(word);
  return words;
}

Settings settings_of(int argc, char** argv) {
  Settings s;
  const char* shared = std::getenv("BUFFON_SHARED_DATA");
  s.folder = (shared != nullptr ? fs::path(shared) : fs::path(BUFFON_SOURCE_DIR) / "../shared/data") / "clustering";
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const auto value = [&] {
      if (i + 1 == argc) throw std::invalid_argument(std::string(option) + " needs a value");
      return std::string(argv[++i]);
    };
    if (option == "--rounds") {
      s.rounds = std::max(3, std::stoi(value()));
    } else if (option == "--threads") {
      s.threads = std::stoi(value());
    } else if (option == "--k") {
      s.k.clear();
      for (const std::string& word : words_of(value())) s.k.push_back(std::stoll(word));
    } else if (option == "--sets") {
      s.sets = words_of(value());
    } else if (option == "--data") {
      s.folder = value();
    } else if (option == "--json") {
      s.json = value();
    } else if (option == "--own") {
      s.own = true;
    } else if (option == "--large") {
      s.large = true;
    } else {
      throw std::invalid_argument("kmeans_seeding_bench [--rounds N] [--threads N] [--k K,…] [--sets NAME,…] [--data FOLDER] [--json FILE] [--own] [--large]");
    }
  }
  return s;
}

/// A data set of the README of the folder: regression targets removed; raw, or standardised without constant columns.
struct Case {
  std::string name, file;
  std::vector<std::string> columns = {};
  bool standardise = false;
};

std::vector<Case> cases_of(const Settings& s) {
  static const std::vector<Case> raw = {{"skin", "skin_bgr.npy.gz"},
                                        {"kegg", "kegg_undirected.npy.gz", {"0:27"}},
                                        {"casp", "casp_protein.npy.gz", {"0:9"}},
                                        {"covtype", "covtype20k.npy.gz"},
                                        {"mnist", "mnist_t10k.npy.gz"},
                                        {"spambase", "spambase.npy.gz"},
                                        {"htru2", "htru2.npy.gz"},
                                        {"kdd99", "kdd99_10pct.npy.gz"}};
  std::vector<std::string> wanted = s.sets;
  if (wanted.empty() && s.own) {
    for (const Case& c : raw) wanted.insert(wanted.end(), {c.name, c.name + "_z"});
  }
  if (wanted.empty()) wanted = {"skin", "kegg_z"};
  std::vector<Case> cases;
  for (const std::string& name : wanted) {
    const bool z = name.ends_with("_z");
    const std::string stem = z ? name.substr(0, name.size() - 2) : name;
    const auto found = std::find_if(raw.begin(), raw.end(), [&](const Case& c) { return c.name == stem; });
    if (found == raw.end()) throw std::invalid_argument(name + " is no data set of this benchmark");
    Case c = *found;
    c.name = name;
    c.standardise = z;
    if (fs::exists(s.folder / c.file)) {
      cases.push_back(c);
    } else {
      std::printf("(%s: no file %s)\n", name.c_str(), (s.folder / c.file).c_str());
    }
  }
  return cases;
}

/// Gaussian clusters of unequal sizes, float32 row by row.
std::vector<float> generated(Index n, Index d, Index clusters) {
  const Stream stream = Stream(1).child("generated clusters");
  Eigen::MatrixXd centres(d, clusters);
  stream.child("centres").normals(0, centres);
  std::vector<float> rows(static_cast<std::size_t>(n * d));
  const Stream choice = stream.child("choice"), noise = stream.child("noise");
  constexpr Index batch = 4096;
  for (Index begin = 0; begin < n; begin += batch) {
    const Index size = std::min(batch, n - begin);
    Eigen::MatrixXd u(1, size), z(d, size);
    choice.uniforms(static_cast<std::uint64_t>(begin), u);
    noise.normals(static_cast<std::uint64_t>(begin), z);
    for (Index i = 0; i < size; ++i) {
      const auto c = static_cast<Index>(u(0, i) * u(0, i) * static_cast<double>(clusters));
      for (Index j = 0; j < d; ++j) rows[static_cast<std::size_t>((begin + i) * d + j)] = static_cast<float>(6 * centres(j, c) + z(j, i));
    }
  }
  return rows;
}

struct Way {
  std::string name;
  SeedingAlgorithm algorithm;
};

KmeansSeedingOptions options_of(const Way& way, std::int64_t k, bool labels) {
  KmeansSeedingOptions o;
  o.k = k;
  o.algorithm = way.algorithm;
  o.labels = labels;
  o.too_few = TooFewRows::fewer;
  return o;
}

/// Rows of single precision in one piece.
struct Rows {
  const float* numbers;
  Index rows, columns;
  /// As a user with an array begins: the check of all numbers is a part of the work.
  std::shared_ptr<const DataSet> data() const { return std::make_shared<DataSet>(DenseRows<float>{numbers, rows, columns, columns}, DataSet::About{}); }
};

struct Turn {
  double seconds;
  std::vector<Index> chosen;
  SeedingCounts counts;
};

Turn seed_once(const Rows& rows, const Way& way, std::int64_t k, std::uint64_t seed, Context& context) {
  const double begin = bench::seconds(bench::Clock::wall);
  const auto result = kmeans_seeding(rows.data(), options_of(way, k, false), Stream(seed), context);
  return {bench::seconds(bench::Clock::wall) - begin, result.rows, result.counts};
}

double cost_of(const Rows& rows, const std::vector<Index>& chosen, Context& context) {
  const auto data = rows.data();
  return assign(*data, data->points(chosen), context).cost;
}

struct Mean {
  double value, std_dev;
};
Mean mean_of(const std::vector<double>& x) {
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  double square = 0;
  for (const double v : x) square += (v - mean) * (v - mean);
  return {mean, std::sqrt(square / static_cast<double>(std::max<std::size_t>(1, x.size() - 1)))};
}

nlohmann::json spread_json(const bench::Spread& s) { return {{"low", s.low}, {"median", s.median}, {"high", s.high}}; }

struct Line {
  std::string name;
  std::vector<double> seconds = {}, costs = {};
  SeedingCounts counts = {};
};

/// One table: the first line is compared with every other one.
nlohmann::json show(const std::string& title, const std::vector<Line>& lines) {
  std::printf("\n%s\n", title.c_str());
  nlohmann::json all = {{"title", title}, {"lines", nlohmann::json::array()}};
  for (const Line& line : lines) {
    const bench::Spread time = bench::spread_of(line.seconds);
    std::vector<double> relative;
    for (std::size_t r = 0; r < std::min(line.seconds.size(), lines[0].seconds.size()); ++r) relative.push_back(line.seconds[r] / lines[0].seconds[r]);
    const bench::Spread ratio = bench::spread_of(relative);
    std::printf("  %-34s %10.4g s (%.4g … %.4g)", line.name.c_str(), time.median, time.low, time.high);
    nlohmann::json entry = {{"name", line.name}, {"seconds", spread_json(time)}, {"ratio", spread_json(ratio)}};
    if (!line.costs.empty()) {
      const Mean cost = mean_of(line.costs);
      std::printf("   cost %.5g ± %.2g", cost.value, cost.std_dev);
      entry["cost"] = {{"mean", cost.value}, {"std_dev", cost.std_dev}};
    }
    if (line.counts.trials > 0) {
      std::printf("   %.3g trials, %.3g distances, %lld refreshes", static_cast<double>(line.counts.trials), static_cast<double>(line.counts.distances),
                  static_cast<long long>(line.counts.refreshes));
      entry["trials"] = line.counts.trials;
      entry["distances"] = line.counts.distances;
    }
    if (&line != lines.data()) std::printf("   first is %.2f × as fast (%.2f … %.2f)", ratio.median, ratio.low, ratio.high);
    std::printf("\n");
    all["lines"].push_back(entry);
  }
  std::fflush(stdout);
  return all;
}

void head(const Settings& s, const std::optional<nlohmann::json>& peer) {
  std::printf("kmeans_seeding_bench\n  CPU             %s\n  compiler        %s\n  number kernels  %s\n  BLAS            %s\n  threads         %d\n",
              bench::cpu_name().c_str(), __VERSION__, std::string(kernel_variant()).c_str(), bench::blas_core().c_str(), s.threads);
  if (peer) {
    std::printf("  scikit-learn    %s, Python %s, NumPy %s, %s\n", peer->at("sklearn").get<std::string>().c_str(),
                peer->at("python").get<std::string>().c_str(), peer->at("numpy").get<std::string>().c_str(), peer->at("blas").get<std::string>().c_str());
  } else if (!s.own) {
    std::printf("  scikit-learn    not there: %s cannot import it (Debian: python3-sklearn); BUFFON_PEER_PYTHON names another interpreter\n",
                bench::PythonPeer::interpreter().c_str());
  }
}

/// Numbers in a file of their own for the peer.
class LoadedPeer {
 public:
  LoadedPeer(bench::PythonPeer& peer, const Rows& rows) : file_(fs::temp_directory_path() / ("kmeans_seeding_bench_" + std::to_string(getpid()) + ".f32")) {
    std::ofstream out(file_, std::ios::binary);
    out.write(reinterpret_cast<const char*>(rows.numbers), static_cast<std::streamsize>(sizeof(float)) * rows.rows * rows.columns);
    out.close();
    peer.ask({{"load", file_.string()}, {"rows", rows.rows}, {"columns", rows.columns}});
    fs::remove(file_);
  }

 private:
  fs::path file_;
};

const std::vector<Way> all_ways = {{"snapshot", SeedingAlgorithm::snapshot},
                                   {"exact", SeedingAlgorithm::exact},
                                   {"pruned", SeedingAlgorithm::pruned},
                                   {"rejection", SeedingAlgorithm::rejection},
                                   {"greedy", SeedingAlgorithm::greedy}};

/// Squared distances to the mean over those to the centres: 4 times this is the expected number of trials of the rejection method.
double beta_of(const Rows& rows, double cost, Context& context) {
  const auto data = rows.data();
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(rows.columns);
  for (Index i = 0; i < rows.rows; ++i) mean += data->point(i);
  mean /= static_cast<double>(rows.rows);
  return assign(*data, mean, context).cost / cost;
}

nlohmann::json compare(const Settings& s, const Rows& rows, const std::string& name, bench::PythonPeer* peer) {
  nlohmann::json tables = nlohmann::json::array();
  Context context(s.threads);
  for (const std::int64_t k : s.k) {
    if (k > rows.rows) continue;
    std::vector<Line> lines;
    std::vector<Way> ways;
    double beta = 0;
    {
      const Turn pilot = seed_once(rows, all_ways[0], k, 0, context);
      beta = beta_of(rows, cost_of(rows, pilot.chosen, context), context);
    }
    for (const Way& way : all_ways) {
      if (s.own && way.algorithm == SeedingAlgorithm::greedy) continue;
      if (way.algorithm == SeedingAlgorithm::rejection && 4 * beta * static_cast<double>(k) > 2e6) continue;  // hours
      ways.push_back(way);
      lines.push_back({.name = "buffon, " + way.name});
    }
    const auto ours = ways.size();
    if (peer != nullptr) {
      lines.push_back({.name = "scikit-learn, 1 local trial"});
      lines.push_back({.name = "scikit-learn, default trials"});
    }
    for (int r = 0; r < s.rounds; ++r) {
      for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::size_t w = r % 2 == 0 ? i : lines.size() - 1 - i;
        Line& line = lines[w];
        const auto seed = static_cast<std::uint64_t>(r + 1);
        if (w < ours) {
          const Turn turn = seed_once(rows, ways[w], k, seed, context);
          line.seconds.push_back(turn.seconds);
          line.costs.push_back(cost_of(rows, turn.chosen, context));
          line.counts = turn.counts;
        } else {
          nlohmann::json request = {{"k", k}, {"local_trials", nullptr}, {"seed", seed}};
          if (w == ours) request["local_trials"] = 1;
          const nlohmann::json told = peer->ask(request);
          line.seconds.push_back(told.at("seconds"));
          line.costs.push_back(told.at("cost"));
        }
      }
    }
    const std::string title = name + ", " + std::to_string(rows.rows) + " × " + std::to_string(rows.columns) + ", k = " + std::to_string(k) +
                              ", 4 beta = " + to_text(std::round(4 * beta * 100) / 100);
    tables.push_back(show(title, lines));
    if (peer != nullptr) {  // greedy against the peer's own default
      std::vector<Line> greedy = {lines[ours - 1], lines[ours + 1]};
      tables.push_back(show("the same, best of 2 + ⌊ln k⌋ local trials", greedy));
      greedy = {lines[2], lines[ours]};
      tables.push_back(show("the same, pruned", greedy));
    }
  }
  return tables;
}

/// In a child process of its own, so that its peak memory is told: reads the file, seeds, writes seconds and the peak.
nlohmann::json large_ours(const fs::path& file, std::int64_t k, int threads) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child == 0) {
    Context context(threads);
    const double begin = bench::seconds(bench::Clock::wall);
    DataFileOptions o;
    o.file = file.string();
    const auto result = kmeans_seeding(read_data(o), options_of(all_ways[0], k, false), Stream(1), context);
    const double seconds = bench::seconds(bench::Clock::wall) - begin;
    const std::string text = nlohmann::json{{"seconds", seconds}, {"chosen", result.rows.size()}, {"distances", result.counts.distances}}.dump();
    _exit(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(ends[1]);
  char text[512];
  const ssize_t length = read(ends[0], text, sizeof text);
  close(ends[0]);
  rusage usage{};
  int status = 0;
  wait4(child, &status, 0, &usage);
  if (length <= 0 || status != 0) throw std::runtime_error("the seeding of the large file failed");
  nlohmann::json told = nlohmann::json::parse(text, text + length);
  told["peak_bytes"] = 1024.0 * static_cast<double>(usage.ru_maxrss);
  return told;
}

nlohmann::json large(const Settings& s, bench::PythonPeer* peer) {
  constexpr Index n = 5'000'000, d = 16, slice = 500'000;
  const std::int64_t k = 1000;
  const fs::path file = fs::temp_directory_path() / ("kmeans_seeding_bench_" + std::to_string(getpid()) + ".npy");
  {
    const std::vector<float> rows = generated(n, d, 300);
    std::ofstream out(file, std::ios::binary);
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(n) + ", " + std::to_string(d) + "), }";
    header.resize(117, ' ');
    header += '\n';
    out.write("\x93NUMPY\x01\x00", 8);
    out.put(static_cast<char>(header.size())).put(0);
    out << header;
    out.write(reinterpret_cast<const char*>(rows.data()), static_cast<std::streamsize>(rows.size() * sizeof(float)));
  }
  const nlohmann::json ours = large_ours(file, k, s.threads);
  fs::remove(file);
  const double data = static_cast<double>(n * d) * sizeof(float), limit = 1.3 * data + 24.0 * static_cast<double>(n), peak = ours.at("peak_bytes");
  std::printf(
      "\n5,000,000 × 16 float32 rows in a file, k = 1000\n  buffon, snapshot: %.3g s with reading, peak memory %.0f MB, bar %.0f MB (1.3 × %.0f MB of data + "
      "24 bytes a row): %s\n",
      ours.at("seconds").get<double>(), peak / 1e6, limit / 1e6, data / 1e6, peak <= limit ? "holds" : "FAILS");
  nlohmann::json table = {{"title", "large"}, {"buffon", ours}, {"limit_bytes", limit}};
  if (peer != nullptr) {
    const std::vector<float> rows = generated(slice, d, 300);
    const Rows part{rows.data(), slice, d};
    const LoadedPeer loaded(*peer, part);
    Context context(s.threads);
    const Turn turn = seed_once(part, all_ways[0], k, 1, context);
    const nlohmann::json told = peer->ask({{"k", k}, {"local_trials", 1}, {"seed", 1}, {"cost", false}});
    std::printf("  500,000 rows of the same: buffon %.3g s, scikit-learn with 1 local trial %.3g s, ratio %.1f\n", turn.seconds,
                told.at("seconds").get<double>(), told.at("seconds").get<double>() / turn.seconds);
    table["slice"] = {{"buffon", turn.seconds}, {"sklearn", told.at("seconds")}};
  }
  return table;
}

int run(const Settings& s) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::unique_ptr<bench::PythonPeer> peer;
  std::optional<nlohmann::json> about;
  if (!s.own) {
    peer = std::make_unique<bench::PythonPeer>(BUFFON_SKLEARN_PEER, std::vector<std::string>{}, s.threads);
    about = peer->answer();
    if (!about) peer.reset();
  }
  head(s, about);
  nlohmann::json tables = nlohmann::json::array();
  if (s.large) {
    tables.push_back(large(s, peer.get()));
  } else {
    const auto one = [&](const Rows& rows, const std::string& name) {
      if (peer) const LoadedPeer loaded(*peer, rows);
      for (const auto& table : compare(s, rows, name, peer.get())) tables.push_back(table);
    };
    for (const Case& c : cases_of(s)) {
      DataFileOptions o;
      o.file = (s.folder / c.file).string();
      o.columns = c.columns;
      o.scale = c.standardise ? DataScale::standardise : DataScale::none;
      const auto data = read_data(o);
      const auto* rows = std::get_if<DenseRows<float>>(&data->numbers());
      if (rows == nullptr) throw std::runtime_error(c.name + " is not held in single precision");
      std::vector<float> packed;
      for (Index i = 0; i < rows->rows; ++i) packed.insert(packed.end(), rows->row(i), rows->row(i) + rows->columns);
      one({packed.data(), rows->rows, rows->columns}, c.name);
    }
    if (s.sets.empty() && !fs::exists(s.folder)) {
      constexpr Index n = 200'000, d = 16;
      const std::vector<float> rows = generated(n, d, 300);
      one({rows.data(), n, d}, "generated clusters");
    }
  }
  if (!s.json.empty()) {
    nlohmann::json all = {{"benchmark", "kmeans_seeding_bench"},
                          {"cpu", bench::cpu_name()},
                          {"compiler", __VERSION__},
                          {"kernel_variant", std::string(kernel_variant())},
                          {"threads", s.threads},
                          {"rounds", s.rounds},
                          {"tables", tables}};
    if (about) all["peer"] = *about;
    std::ofstream out(s.json);
    out << all.dump(2) << '\n';
    if (!out) throw std::runtime_error("cannot write " + s.json);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(settings_of(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
