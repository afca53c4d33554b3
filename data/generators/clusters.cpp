// SPDX-License-Identifier: BSD-3-Clause
// Writes points in Gaussian clusters, some of them outliers, as a CSV file:
//     generate_clusters [rows [columns [clusters [seed]]]] > data.csv

#include "clusters.hpp"

#include "arguments.hpp"

#include <buffon/core/error.hpp>

#include <cstdio>
#include <string>

using buffon::generators::number;

int main(int argc, char** argv) {
  constexpr const char* usage = "[rows [columns [clusters [seed]]]]";
  const auto n = number(argc, argv, 1, 2000, 1, usage), d = number(argc, argv, 2, 4, 1, usage), count = number(argc, argv, 3, 12, 1, usage),
             seed = number(argc, argv, 4, 1, 0, usage);
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
