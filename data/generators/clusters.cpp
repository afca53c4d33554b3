// SPDX-License-Identifier: BSD-3-Clause
// Writes points in Gaussian clusters, some of them outliers, as a CSV file:
//     generate_clusters [rows [columns [clusters [seed]]]] > data.csv

#include "clusters.hpp"

#include <buffon/core/error.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

long number(int argc, char** argv, int k, long otherwise, long least) {
  if (k >= argc) return otherwise;
  char* end = nullptr;
  const long value = std::strtol(argv[k], &end, 10);
  if (*argv[k] != '\0' && *end == '\0' && value >= least) return value;
  std::fprintf(stderr, "%s: must be a whole number, at least %ld\nusage: %s [rows [columns [clusters [seed]]]]\n", argv[k], least, argv[0]);
  std::exit(64);
}

}  // namespace

int main(int argc, char** argv) {
  const auto n = number(argc, argv, 1, 2000, 1), d = number(argc, argv, 2, 4, 1), count = number(argc, argv, 3, 12, 1), seed = number(argc, argv, 4, 1, 0);
  const Eigen::MatrixXd points = buffon::generators::clusters(n, d, count, static_cast<std::uint64_t>(seed));
  std::string line;
  for (long j = 0; j < d; ++j) line += (j > 0 ? ",x" : "x") + std::to_string(j + 1);
  std::puts(line.c_str());
  for (long i = 0; i < n; ++i) {
    line.clear();
    for (long j = 0; j < d; ++j) line += (j > 0 ? "," : "") + buffon::to_text(points(i, j));
    std::puts(line.c_str());
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
