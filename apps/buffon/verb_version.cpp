// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <cstdio>

#include <buffon/io/build_info.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/random/stream.hpp>

#include "verbs.hpp"

namespace buffon::cli {

void add_version(CLI::App& app, Action& action) {
  auto* verb = app.add_subcommand("version", "What this program was built from and with, and what it runs on");
  verb->callback([&action] {
    action = [] {
      const BuildInfo& build = build_info();
      std::printf("buffon %s\n", build.version.c_str());
      std::printf("commit           %s\n", build.commit.c_str());
      std::printf("compiler         %s\n", build.compiler.c_str());
      std::printf("flags            %s\n", build.flags.c_str());
      std::printf("build type       %s\n", build.build_type.c_str());
      std::printf("stream version   %d\n", stream_version);
      std::printf("number kernels   %s\n", std::string(kernel_variant()).c_str());
      std::printf("processor        %s\n", cpu_model().c_str());
      return 0;
    };
  });
}

}  // namespace buffon::cli
