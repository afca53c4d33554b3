// SPDX-License-Identifier: BSD-3-Clause
// Writes the data of a logistic regression as a CSV file that densities of kind regression read:
//     generate_logistic_regression [observations [coefficients [seed]]] > data.csv
// Columns x1 … x(d−1) are standard normal, the last coefficient is the intercept, which `intercept = true` adds.

#include "logistic_regression.hpp"

#include <buffon/core/error.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

namespace {

long number(int argc, char** argv, int k, long otherwise, long least) {
  if (k >= argc) return otherwise;
  char* end = nullptr;
  const long value = std::strtol(argv[k], &end, 10);
  if (*argv[k] != '\0' && *end == '\0' && value >= least) return value;
  std::fprintf(stderr, "%s: must be a whole number, at least %ld\nusage: %s [observations [coefficients [seed]]]\n", argv[k], least, argv[0]);
  std::exit(64);
}

}  // namespace

int main(int argc, char** argv) {
  const auto n = number(argc, argv, 1, 500, 1), d = number(argc, argv, 2, 50, 2), seed = number(argc, argv, 3, 1, 0);
  const auto data = buffon::generators::logistic_regression(n, d, static_cast<std::uint64_t>(seed));
  std::string line;
  for (long j = 1; j < d; ++j) line += "x" + std::to_string(j) + ",";
  std::printf("%sy\n", line.c_str());
  for (long i = 0; i < n; ++i) {
    line.clear();
    for (long j = 0; j + 1 < d; ++j) line += buffon::to_text(data.design(i, j)) + ",";
    std::printf("%s%d\n", line.c_str(), data.response(i) == 1 ? 1 : 0);
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
