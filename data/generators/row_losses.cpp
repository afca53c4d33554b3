// SPDX-License-Identifier: BSD-3-Clause
// Writes points in the plane with a loss of each as a CSV file:
//     generate_row_losses [rows [seed]] > data.csv

#include "row_losses.hpp"

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
  std::fprintf(stderr, "%s: must be a whole number, at least %ld\nusage: %s [rows [seed]]\n", argv[k], least, argv[0]);
  std::exit(64);
}

}  // namespace

int main(int argc, char** argv) {
  const auto n = number(argc, argv, 1, 1200, 1), seed = number(argc, argv, 2, 1, 0);
  const Eigen::MatrixXd rows = buffon::generators::row_losses(n, static_cast<std::uint64_t>(seed));
  std::puts("x,y,loss");
  for (long i = 0; i < n; ++i) {
    std::puts((buffon::to_text(rows(i, 0)) + "," + buffon::to_text(rows(i, 1)) + "," + buffon::to_text(rows(i, 2))).c_str());
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
