// SPDX-License-Identifier: BSD-3-Clause
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

// Runs the tests; a failure prints the command that repeats it.
int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int status = context.run();
  if (status != 0 && !context.shouldExit()) {
    std::fputs("repeat with:", stderr);
    for (int i = 0; i < argc; ++i) std::fprintf(stderr, " '%s'", argv[i]);
    std::fputs("\n", stderr);
  }
  return status;
}
