// SPDX-License-Identifier: BSD-3-Clause
// A model process whose every evaluation takes one millisecond from the request read to the answer written. It sleeps, so that
// several of them share a core and a busy machine takes little from them.
#include <sys/prctl.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

int main() {
  prctl(PR_SET_TIMERSLACK, 1);
  static char line[65536];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += 1'000'000;
    if (end.tv_nsec >= 1'000'000'000) {
      end.tv_nsec -= 1'000'000'000;
      ++end.tv_sec;
    }
    const char* id = std::strstr(line, "\"id\":");
    const char* x = std::strstr(line, "\"x\":");
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr);
    std::printf("{\"id\":%ld,\"outputs\":[%.17g]}\n", std::atol(id + 5), 2 * std::atof(x + 4));
    std::fflush(stdout);
  }
  return 0;
}
