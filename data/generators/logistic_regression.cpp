// SPDX-License-Identifier: BSD-3-Clause
// Writes the data of a logistic regression as a CSV file that densities of kind regression read:
//     generate_logistic_regression [observations [coefficients [seed]]] > data.csv
// Columns x1 … x(d−1) are standard normal, the last coefficient is the intercept, which `intercept = true` adds.

#include "logistic_regression.hpp"

#include "arguments.hpp"

#include <buffon/core/error.hpp>

#include <cstdio>
#include <exception>
#include <string>

using buffon::generators::number;

int main(int argc, char** argv) {
  constexpr const char* usage = "[observations [coefficients [seed]]]";
  const auto n = number(argc, argv, 1, 500, 1, usage), d = number(argc, argv, 2, 50, 2, usage), seed = number(argc, argv, 3, 1, 0, usage);
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
