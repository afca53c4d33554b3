// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/files.hpp>

#include "descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace buffon {

using io_detail::Descriptor;
using io_detail::system_failure;

void io_detail::write_all(const Descriptor& file, std::string_view bytes, const std::filesystem::path& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw system_failure("writing", name);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

struct FileWriter::State {
  std::filesystem::path file, temporary;
  Descriptor out;
  bool finished = false;
};

FileWriter::FileWriter(const std::filesystem::path& file) : state_(std::make_unique<State>()) {
  state_->file = state_->temporary = file;
  state_->temporary += ".tmp";
  state_->out = Descriptor(::open(state_->temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!state_->out) throw system_failure("writing", file);
}

FileWriter::~FileWriter() {
  if (!state_->finished) ::unlink(state_->temporary.c_str());
}

void FileWriter::write(std::string_view bytes) { io_detail::write_all(state_->out, bytes, state_->file); }

void FileWriter::finish() {
  if (::fsync(state_->out.number()) != 0) throw system_failure("writing", state_->file);
  state_->out = Descriptor();
  if (::rename(state_->temporary.c_str(), state_->file.c_str()) != 0) throw system_failure("renaming to", state_->file);
  state_->finished = true;
  sync_directory(state_->file.parent_path());
}

void write_file(const std::filesystem::path& file, std::string_view bytes) {
  FileWriter out(file);
  out.write(bytes);
  out.finish();
}

std::string read_file(const std::filesystem::path& file) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) throw system_failure("reading", file, ErrorCategory::no_input);
  struct stat status = {};
  std::string bytes;
  if (::fstat(in.number(), &status) == 0 && S_ISREG(status.st_mode)) bytes.reserve(static_cast<std::size_t>(status.st_size));
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(in.number(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_failure("reading", file, ErrorCategory::no_input);
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
}

void sync_directory(const std::filesystem::path& directory) {
  const std::filesystem::path name = directory.empty() ? std::filesystem::path(".") : directory;
  const Descriptor folder(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some network file systems refuse to sync a folder; the data itself was synced before.
  if (!folder || (::fsync(folder.number()) != 0 && errno != EINVAL && errno != ENOTSUP)) throw system_failure("syncing", name);
}

}  // namespace buffon
