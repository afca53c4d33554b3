// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/report/plot.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <buffon/core/error.hpp>

namespace buffon {
namespace {

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  if (!out.flush()) {
    throw Error(ErrorCategory::data,
                {.doing = "writing a figure", .key = file.string(), .rule = "cannot be written", .remedy = "check the directory's permissions and free space"});
  }
}

// Runs gnuplot on a script in its directory; the reason when that fails, else empty.
std::string run_gnuplot(const std::filesystem::path& directory, const std::string& script) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, (directory / "gnuplot.err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  std::string program = "gnuplot";
  std::string argument = script;
  char* arguments[] = {program.data(), argument.data(), nullptr};
  pid_t child = 0;
  const int status = posix_spawnp(&child, "gnuplot", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) {
    return status == ENOENT ? "gnuplot is not installed (Debian package gnuplot-nox); install it and run `buffon report DIR`"
                            : std::string("gnuplot could not be started: ") + std::strerror(status);
  }
  int result = 0;
  while (waitpid(child, &result, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(result) || WEXITSTATUS(result) != 0) return "gnuplot failed; what it said is in plots/gnuplot.err";
  std::filesystem::remove(directory / "gnuplot.err");
  return {};
}

}  // namespace

std::string render_plot(const Plot& plot, const std::filesystem::path& directory, std::string& why) {
  std::filesystem::create_directories(directory);
  write_text(directory / (plot.name + ".csv"), plot.data);
  write_text(directory / (plot.name + ".gp"), plot.script);
  const std::filesystem::path svg = directory / (plot.name + ".svg");
  std::filesystem::remove(svg);
  if (std::string reason = run_gnuplot(directory, plot.name + ".gp"); !reason.empty()) {
    why = std::move(reason);
    return {};
  }
  std::ifstream in(svg, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace buffon
