// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdio>
#include <cstdlib>

namespace buffon::generators {

/// Argument k as a whole number; ends the program with the usage where it is none or too small.
inline long number(int argc, char** argv, int k, long otherwise, long least, const char* usage) {
  if (k >= argc) return otherwise;
  char* end = nullptr;
  const long value = std::strtol(argv[k], &end, 10);
  if (*argv[k] != '\0' && *end == '\0' && value >= least) return value;
  std::fprintf(stderr, "%s: must be a whole number, at least %ld\nusage: %s %s\n", argv[k], least, argv[0], usage);
  std::exit(64);
}

}  // namespace buffon::generators
