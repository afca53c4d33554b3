// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <dlfcn.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <buffon/random/kernel_variant.hpp>
#include <nlohmann/json.hpp>

/// Comparison of contenders inside one process: they take turns, back and forth (A B C C B A A B …) so that none always follows the
/// same other, and the ratios are taken turn by turn, so that load and clock of the machine cancel. Figures are medians with quartiles.
///
///     bench::Report report("random_bench", argc, argv);
///     report.compare("normals", "M/s", 16384e-6, {{"buffon", [&] { s.fill_normals(0, x); }}, {"std", [&] { … }}});
///     return report.finish();
namespace buffon::bench {

/// Tells the compiler that all memory may have been read, so that no work is dropped.
inline void keep() { asm volatile("" ::: "memory"); }

enum class Clock {
  thread,  ///< CPU time of the calling thread: for contenders that run on it alone; waiting for the machine is not counted
  wall     ///< elapsed time: for parallel contenders and for what waits
};

inline double seconds(Clock clock) {
  timespec t;
  clock_gettime(clock == Clock::thread ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Contender {
  std::string name;
  std::function<void()> run;
};

struct Spread {
  double low, median, high;  ///< quartiles
};

inline Spread spread_of(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  const auto at = [&](double q) { return x[static_cast<std::size_t>(std::lround(q * static_cast<double>(x.size() - 1)))]; };
  return {at(0.25), at(0.5), at(0.75)};
}

/// Name of the OpenBLAS kernels of this process, or "no BLAS used" when no OpenBLAS is linked or loaded.
inline std::string blas_core() {
  using Name = char* (*)();
  const auto name = reinterpret_cast<Name>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return name == nullptr ? "no BLAS used" : std::string("OpenBLAS ") + name();
}

inline std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  }
  return "unknown";
}

/// Prints comparisons as they are made; `--json FILE` writes them as well, `--rounds N` sets the number of turns (default 31).
class Report {
 public:
  Report(std::string name, int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view option = argv[i];
      if (i + 1 < argc && option == "--json") {
        file_ = argv[++i];
      } else if (i + 1 < argc && option == "--rounds") {
        rounds_ = std::max(3, std::stoi(argv[++i]));
      } else {
        throw std::invalid_argument(name + " [--rounds N] [--json FILE]");
      }
    }
    json_ = {{"benchmark", name},
             {"cpu", cpu_name()},
             {"compiler", __VERSION__},
             {"kernel_variant", std::string(kernel_variant())},
             {"blas", blas_core()},
             {"rounds", rounds_},
             {"comparisons", nlohmann::json::array()}};
    std::printf("%s\n  CPU             %s\n  compiler        %s\n  number kernels  %s\n  BLAS            %s\n", name.c_str(), cpu_name().c_str(), __VERSION__,
                std::string(kernel_variant()).c_str(), blas_core().c_str());
  }

  /// Runs the contenders in turns; one run is `work` units of work (work/seconds is printed). Ratios are speeds relative to the
  /// first contender's peers: first/other, so 2 means that the first is twice as fast. Returns the ratios, one per other.
  std::vector<Spread> compare(const std::string& title, const std::string& unit, double work, const std::vector<Contender>& contenders,
                              Clock clock = Clock::thread) {
    std::vector<int> repeats;
    for (const Contender& c : contenders) repeats.push_back(calibrate(c, clock));
    std::vector<std::vector<double>> times(contenders.size());
    for (int round = 0; round < rounds_; ++round) {
      for (std::size_t i = 0; i < contenders.size(); ++i) {
        const std::size_t k = round % 2 == 0 ? i : contenders.size() - 1 - i;
        times[k].push_back(time(contenders[k], repeats[k], clock));
      }
    }
    std::printf("\n%s  [%s]\n", title.c_str(), unit.c_str());
    nlohmann::json entry = {{"title", title}, {"unit", unit}, {"kernel_variant", std::string(kernel_variant())}, {"contenders", nlohmann::json::array()}};
    std::vector<Spread> ratios;
    for (std::size_t k = 0; k < contenders.size(); ++k) {
      std::vector<double> speeds, relative;
      for (std::size_t i = 0; i < times[k].size(); ++i) {
        speeds.push_back(work / times[k][i]);
        relative.push_back(times[k][i] / times[0][i]);
      }
      const Spread speed = spread_of(speeds);
      nlohmann::json line = {{"name", contenders[k].name}, {"median", speed.median}, {"low", speed.low}, {"high", speed.high}};
      std::printf("  %-44s %10.4g  (%.4g … %.4g)", contenders[k].name.c_str(), speed.median, speed.low, speed.high);
      if (k > 0) {
        const Spread r = spread_of(relative);
        ratios.push_back(r);
        line["ratio"] = {{"median", r.median}, {"low", r.low}, {"high", r.high}};
        std::printf("   first is %.2f × as fast  (%.2f … %.2f)", r.median, r.low, r.high);
      }
      std::printf("\n");
      entry["contenders"].push_back(line);
    }
    std::fflush(stdout);
    json_["comparisons"].push_back(entry);
    return ratios;
  }

  /// Time of `one` beyond that of `other`, per unit of work (work is in the unit per second of `unit`), turn by turn, against a bar.
  Spread difference(const std::string& title, const std::string& unit, double work, const Contender& one, const Contender& other, double bar,
                    Clock clock = Clock::thread) {
    const int repeats = calibrate(one, clock), other_repeats = calibrate(other, clock);
    std::vector<double> first, second, beyond;
    for (int round = 0; round < rounds_; ++round) {
      double a = 0, b = 0;
      if (round % 2 == 0) a = time(one, repeats, clock);
      b = time(other, other_repeats, clock);
      if (round % 2 == 1) a = time(one, repeats, clock);
      first.push_back(a / work);
      second.push_back(b / work);
      beyond.push_back((a - b) / work);
    }
    const Spread x = spread_of(first), y = spread_of(second), z = spread_of(beyond);
    std::printf("%-36s %8.1f  (%.1f … %.1f) beyond %.1f of %.1f %s, bar %.0f\n", title.c_str(), z.median, z.low, z.high, y.median, x.median, unit.c_str(), bar);
    std::fflush(stdout);
    json_["comparisons"].push_back({{"title", title},
                                    {"unit", unit},
                                    {one.name, x.median},
                                    {other.name, y.median},
                                    {"difference", {{"median", z.median}, {"low", z.low}, {"high", z.high}}},
                                    {"bar", bar}});
    return z;
  }

  void skip(const std::string& what) { std::printf("  (%s)\n", what.c_str()); }

  int finish() const {
    if (!file_.empty()) {
      std::ofstream out(file_);
      out << json_.dump(2) << '\n';
      if (!out) {
        std::fprintf(stderr, "cannot write %s\n", file_.c_str());
        return 1;
      }
    }
    return 0;
  }

 private:
  static double time(const Contender& c, int repeats, Clock clock) {
    const double begin = seconds(clock);
    for (int i = 0; i < repeats; ++i) {
      c.run();
      keep();
    }
    return (seconds(clock) - begin) / repeats;
  }

  /// Repeats that make one turn last about 2 ms.
  static int calibrate(const Contender& c, Clock clock) {
    for (int repeats = 1;; repeats *= 2) {
      if (time(c, repeats, clock) * repeats > 2e-3 || repeats > (1 << 24)) return repeats;
    }
  }

  int rounds_ = 31;
  std::string file_;
  nlohmann::json json_;
};

}  // namespace buffon::bench
