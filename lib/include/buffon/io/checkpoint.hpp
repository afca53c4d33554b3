// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace buffon {

/// The state of a method between two rounds, with what is needed to refuse it where it does not belong.
struct Checkpoint {
  std::string version;              ///< of the library that wrote it
  std::int64_t stream_version = 0;  ///< of the rules that make random numbers
  std::string digest;               ///< of the configuration
  std::int64_t rounds = 0;          ///< rounds done
  double seconds = 0;               ///< wall time spent on them
  double warmup_seconds = 0;        ///< of these, in rounds of a warm-up
  std::int64_t replaced = 0;        ///< failed model evaluations that were replaced in them
  std::int64_t evaluations = 0;     ///< model evaluations of this process and those it took over from
  std::int64_t loops = 0;           ///< shared loops in the rounds, when the run is divided
  std::int64_t blocks = 0;          ///< blocks in these loops
  std::string state;                ///< what the method's `describe_state` wrote
};

/// The state of a method now, as bytes, and back into a freshly made method.
std::string save_state(Method& method);
/// @throws Error(data) when the bytes do not fit the method
void load_state(Method& method, std::string_view bytes);

/// The bytes of a checkpoint file: magic, format version, header, state, checksum over the whole.
std::string encode_checkpoint(const Checkpoint& checkpoint);
/// @throws Error(data) when a byte is missing, extra or changed
Checkpoint decode_checkpoint(std::string_view bytes, const std::string& name);

/// Writes `directory`/state.bin; what stood there before becomes state.bin.previous.
void write_checkpoint(const std::filesystem::path& directory, const Checkpoint& checkpoint);

/// The newest undamaged checkpoint of `directory`, or nothing when none was ever written.
/// @param digest of the configuration about to be resumed
/// @param notes  receives a sentence when the newest file was damaged and its predecessor serves
/// @throws Error(data) when what exists is damaged, or belongs to another configuration, library or stream version
std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& directory, const std::string& digest, std::vector<std::string>& notes);

}  // namespace buffon
