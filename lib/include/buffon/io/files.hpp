// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace buffon {

/// Writes a whole file so that a reader sees the old contents or the new, never a part, also after a crash: written to a
/// temporary name beside it, synced, renamed, and the folder synced.
/// @throws Error(data) that names the file and what the system said (disk full, no permission, …)
void write_file(const std::filesystem::path& file, std::string_view bytes);

/// The same in parts, for files larger than one wants to hold: under its name only once `finish` was called.
class FileWriter {
 public:
  explicit FileWriter(const std::filesystem::path& file);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  void write(std::string_view bytes);
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The whole file. @throws Error(no_input) when it is missing or unreadable
std::string read_file(const std::filesystem::path& file);

/// Makes renames and new names inside a folder durable.
void sync_directory(const std::filesystem::path& directory);

}  // namespace buffon
