// SPDX-License-Identifier: BSD-3-Clause
// Writes points in the plane with a loss of each as a CSV file:
//     generate_row_losses [rows [seed]] > data.csv

#include "row_losses.hpp"

#include "arguments.hpp"

#include <buffon/core/error.hpp>

#include <cstdio>
#include <string>

using buffon::generators::number;

int main(int argc, char** argv) {
  constexpr const char* usage = "[rows [seed]]";
  const auto n = number(argc, argv, 1, 1200, 1, usage), seed = number(argc, argv, 2, 1, 0, usage);
  const Eigen::MatrixXd rows = buffon::generators::row_losses(n, static_cast<std::uint64_t>(seed));
  std::puts("x,y,loss");
  for (long i = 0; i < n; ++i) {
    std::puts((buffon::to_text(rows(i, 0)) + "," + buffon::to_text(rows(i, 1)) + "," + buffon::to_text(rows(i, 2))).c_str());
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
