// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/run_directory.hpp>

#include "descriptor.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace buffon {

namespace fs = std::filesystem;
using io_detail::Descriptor;
using io_detail::system_failure;

namespace {

constexpr std::string_view resolved_name = "config.resolved.toml";
constexpr std::string_view original_name = "config.original.toml";
constexpr std::string_view origin_name = "origin.json";

Descriptor lock(const fs::path& directory, const fs::path& shown) {
  Descriptor file(::open((directory / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file) throw system_failure("locking", shown);
  if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw system_failure("locking", shown);
    throw Error(ErrorCategory::usage, {.doing = "opening the run directory " + shown.string(),
                                       .rule = "another process is working in it",
                                       .remedy = "wait until it ends, or choose another directory with --out"});
  }
  return file;
}

fs::path without_trailing_slash(const fs::path& path) { return path.has_filename() ? path : path.parent_path(); }

}  // namespace

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts = {};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text = {};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + size, text.size() - size, ".%03dZ", static_cast<int>(milliseconds));
  return text.data();
}

struct RunDirectory::State {
  fs::path path;
  Descriptor lock;
  Descriptor log;
};

RunDirectory::RunDirectory(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunDirectory::RunDirectory(RunDirectory&&) noexcept = default;
RunDirectory& RunDirectory::operator=(RunDirectory&&) noexcept = default;
RunDirectory::~RunDirectory() = default;

const fs::path& RunDirectory::path() const { return state_->path; }

bool is_run_directory(const fs::path& directory) { return fs::is_regular_file(directory / resolved_name); }

RunDirectory RunDirectory::create(const fs::path& wanted, const std::string& resolved, const std::string& original, const RunOrigin& origin, bool replace,
                                  const std::vector<std::pair<fs::path, fs::path>>& adopted) {
  const fs::path directory = without_trailing_slash(wanted);
  const auto refuse = [&](const std::string& rule, const std::string& remedy) {
    throw Error(ErrorCategory::usage, {.doing = "creating the run directory " + directory.string(), .rule = rule, .remedy = remedy});
  };
  const fs::file_status status = fs::status(directory);
  const bool occupied = fs::exists(status) && !(fs::is_directory(status) && fs::is_empty(directory));
  Descriptor old_lock;
  if (occupied) {
    if (!fs::is_directory(status)) refuse("a file of this name exists", "choose another directory with --out");
    if (!is_run_directory(directory)) refuse("it exists, is not empty and holds no run", "choose another directory with --out");
    if (!replace) refuse("it holds a run already", "continue it with `buffon resume " + directory.string() + "`, or replace it with --force");
    old_lock = lock(directory, directory);
  }

  const fs::path parent = directory.has_parent_path() ? directory.parent_path() : fs::path(".");
  std::error_code failed;
  fs::create_directories(parent, failed);
  const std::string mark = "." + directory.filename().string() + "." + std::to_string(::getpid());
  const fs::path fresh = parent / (mark + ".new"), old = parent / (mark + ".old");
  if (::mkdir(fresh.c_str(), 0777) != 0) throw system_failure("creating the run directory", directory);

  auto state = std::make_unique<State>();
  state->path = directory;
  try {
    state->lock = lock(fresh, directory);
    fs::create_directory(fresh / "checkpoint");
    nlohmann::ordered_json source = {{"file", origin.file}, {"base_directory", origin.base_directory.string()}, {"overrides", origin.overrides}};
    if (!origin.digest.empty()) source["digest"] = origin.digest;
    write_file(fresh / resolved_name, resolved);
    write_file(fresh / original_name, original);
    for (const auto& [name, place] : adopted) {
      fs::create_directories((fresh / name).parent_path());
      fs::rename(place, fresh / name);
    }
    write_file(fresh / origin_name, source.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    state->log = Descriptor(::open((fresh / "log.jsonl").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (!state->log) throw system_failure("writing", fresh / "log.jsonl");
    if (occupied && ::rename(directory.c_str(), old.c_str()) != 0) throw system_failure("replacing", directory);
    // An empty folder of the name is replaced by the rename; one that was filled in the meantime makes it fail.
    if (::rename(fresh.c_str(), directory.c_str()) != 0) throw system_failure("creating the run directory", directory);
    sync_directory(parent);
  } catch (...) {
    fs::remove_all(fresh, failed);
    throw;
  }
  if (occupied) fs::remove_all(old, failed);
  return RunDirectory(std::move(state));
}

RunDirectory RunDirectory::open(const fs::path& wanted) {
  const fs::path directory = without_trailing_slash(wanted);
  if (!is_run_directory(directory)) {
    throw Error(ErrorCategory::no_input, {.doing = "opening the run directory " + directory.string(),
                                          .rule = fs::exists(directory) ? "it holds no config.resolved.toml" : "it does not exist",
                                          .remedy = "give the directory that `buffon run` printed"});
  }
  auto state = std::make_unique<State>();
  state->path = directory;
  state->lock = lock(directory, directory);
  state->log = Descriptor(::open((directory / "log.jsonl").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!state->log) throw system_failure("writing", directory / "log.jsonl");
  // A killed process may have left half a line: end it, so that the next event starts on its own.
  const off_t size = ::lseek(state->log.number(), 0, SEEK_END);
  char last = '\n';
  if (size > 0 && ::pread(state->log.number(), &last, 1, size - 1) == 1 && last != '\n') io_detail::write_all(state->log, "\n", directory / "log.jsonl");
  fs::create_directories(directory / "checkpoint");
  return RunDirectory(std::move(state));
}

std::string RunDirectory::resolved() const { return read_file(file(resolved_name)); }

RunOrigin RunDirectory::origin() const { return read_origin(path()); }

RunOrigin read_origin(const fs::path& directory) {
  const fs::path name = directory / origin_name;
  try {
    const auto source = nlohmann::json::parse(read_file(name));
    return {source.at("file"), source.at("base_directory").get<std::string>(), source.at("overrides"), source.value("digest", "")};
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCategory::data, {.doing = "reading " + name.string(), .rule = error.what(), .remedy = "the file was changed after the start of the run"});
  }
}

void RunDirectory::log(std::string_view level, std::string_view event, const std::vector<std::pair<std::string, std::string>>& fields) {
  nlohmann::ordered_json line = {{"time", utc_now()}, {"level", level}, {"event", event}};
  for (const auto& [key, value] : fields) line[key] = value;
  io_detail::write_all(state_->log, line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", file("log.jsonl"));
}

fs::path default_run_directory(const std::string& stem) {
  fs::path directory = stem + ".out";
  for (int i = 2; fs::exists(directory); ++i) directory = stem + ".out." + std::to_string(i);
  return directory;
}

}  // namespace buffon
