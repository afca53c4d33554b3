// SPDX-License-Identifier: BSD-3-Clause
// A model process for the tests: outputs x + y and x y, and misbehaves at certain values of y.
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>

namespace {

double number_after(const std::string& line, const char* key) {
  const std::size_t at = line.find(key);
  return at == std::string::npos ? 0 : std::strtod(line.c_str() + at + std::strlen(key), nullptr);
}

void say(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  std::fprintf(stderr, "started as worker %s\n", std::getenv("BUFFON_WORKER"));
  if (mode == "ignore-term") std::signal(SIGTERM, SIG_IGN);
  if (mode == "flood") {
    for (int i = 0; i < 20000; ++i) std::fprintf(stderr, "line %d of a talkative program\n", i);
  }
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line.find("\"hello\"") != std::string::npos) {
      if (mode == "old") {
        say("{\"hello\":{\"protocol\":0}}\n");
      } else if (mode == "other-outputs") {
        say("{\"hello\":{\"protocol\":1,\"outputs\":[\"drag\"]}}\n");
      } else {
        say("{\"hello\":{\"protocol\":1,\"outputs\":[\"sum\",\"product\"]}}\n");
      }
      continue;
    }
    const auto id = static_cast<long>(number_after(line, "\"id\":"));
    const double x = number_after(line, "\"x\":");
    const double y = number_after(line, "\"y\":");
    const std::string start = "{\"id\":" + std::to_string(id) + ",";
    char good[200];
    std::snprintf(good, sizeof good, "%s\"outputs\":[%.17g,%.17g]}\n", start.c_str(), x + y, x * y);
    if (mode == "density") {
      // −x²/2 where x ≤ 4; then nothing in several forms, and what is no answer.
      std::snprintf(good, sizeof good, "%s\"outputs\":[%.17g]}\n", start.c_str(), -0.5 * x * x);
      if (x == 5) say(start + "\"outputs\":[\"-inf\"]}\n");
      if (x == 6) say(start + "\"outputs\":{\"note\":\"-Infinity\",\"log_density\":-Infinity}}\n");
      if (x == 7) say(start + "\"outputs\":[null]}\n");
      if (x == 8) say(start + "\"outputs\":[Infinity]}\n");
      if (x == 9) say(start + "\"error\":\"mesh is degenerate\"}\n");
      if (x <= 4) say(good);
    } else if (mode == "ignore-term" || mode == "hang") {
      say("");
      while (true) pause();
    } else if (mode == "one-shot") {
      say(good);
      return 0;
    } else if (mode == "sleep") {
      usleep(static_cast<unsigned>(20000 * y));
      say(good);
    } else if (y == 101) {
      std::fprintf(stderr, "cannot factorise the matrix\n");
      return 3;
    } else if (y == 102) {
      std::raise(SIGKILL);
    } else if (y == 103) {
      while (true) pause();
    } else if (y == 104) {
      say("Welcome to the simulator\n");
    } else if (y == 105) {
      say(start + "\"outp");
      return 0;
    } else if (y == 106) {
      say(std::string(300000, 'x'));
    } else if (y == 107) {
      say(start + "\"outputs\":[NaN,1]}\n");
    } else if (y == 108) {
      say(start + "\"outputs\":[1,null]}\n");
    } else if (y == 109) {
      say("{\"id\":123456,\"outputs\":[1,2]}\n");
    } else if (y == 110) {
      say(start + "\"outputs\":[1]}\n");
    } else if (y == 111) {
      say(start + "\"error\":\"mesh is degenerate\"}\n");
    } else if (y == 112) {
      say(std::string(good) + good);
    } else if (y == 113) {
      say(start + "\"outputs\":{\"product\":" + std::to_string(x * y) + ",\"sum\":7,\"more\":1}}\n");
    } else if (y == 114) {
      say(start + "\"outputs\":{\"sum\":7}}\n");
    } else if (y == 115) {
      say(start + "\"outputs\":[1,\"2\"]}\n");
    } else if (y == 116) {
      say(start + "\"outputs\":[1,1e999]}\n");
    } else if (y == 117 && !std::ifstream(argv[2]).good()) {
      std::ofstream(argv[2]) << "died once";
      return 1;
    } else if (y == 118) {
      close(1);
      while (true) pause();
    } else {
      const std::string reply = good;  // in two pieces, as a pipe may deliver it
      say(reply.substr(0, reply.size() / 2));
      say(reply.substr(reply.size() / 2));
    }
  }
  std::fprintf(stderr, "end of input\n");
  return 0;
}
