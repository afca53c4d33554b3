// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>
#include <temporary_directory.hpp>

#include <buffon/core/error.hpp>
#include <buffon/io/build_info.hpp>
#include <buffon/io/checkpoint.hpp>
#include <buffon/io/files.hpp>
#include <buffon/random/stream.hpp>

using namespace buffon;

namespace {

Checkpoint sample(std::int64_t rounds) {
  return {.version = build_info().version, .stream_version = stream_version, .digest = "abc", .rounds = rounds, .seconds = 1.25, .state = "some state"};
}

std::string refusal(const std::filesystem::path& directory, const std::string& digest) {
  std::vector<std::string> notes;
  try {
    read_checkpoint(directory, digest, notes);
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::data);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a checkpoint with any byte changed, removed or added is refused") {
  const std::string bytes = encode_checkpoint(sample(3));
  CHECK(decode_checkpoint(bytes, "x").rounds == 3);
  CHECK(decode_checkpoint(bytes, "x").state == "some state");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    CHECK_THROWS_AS(decode_checkpoint(damaged, "x"), Error);
    CHECK_THROWS_AS(decode_checkpoint(bytes.substr(0, i), "x"), Error);
  }
  CHECK_THROWS_AS(decode_checkpoint(bytes + '\0', "x"), Error);
}

TEST_CASE("the newest checkpoint is read, and nothing is found where none was written") {
  TemporaryDirectory directory;
  std::vector<std::string> notes;
  CHECK_FALSE(read_checkpoint(directory.path(), "abc", notes));
  write_checkpoint(directory.path(), sample(1));
  write_checkpoint(directory.path(), sample(2));
  CHECK(read_checkpoint(directory.path(), "abc", notes)->rounds == 2);
  CHECK(notes.empty());
}

TEST_CASE("a damaged newest checkpoint gives way to the previous one, and says so") {
  TemporaryDirectory directory;
  write_checkpoint(directory.path(), sample(1));
  write_checkpoint(directory.path(), sample(2));
  const std::string bytes = read_file(directory / "state.bin");
  write_file(directory / "state.bin", bytes.substr(0, bytes.size() / 2));
  std::vector<std::string> notes;
  CHECK(read_checkpoint(directory.path(), "abc", notes)->rounds == 1);
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find("previous checkpoint is used") != std::string::npos);

  write_file(directory / "state.bin.previous", "");
  CHECK(refusal(directory.path(), "abc").find("--force") != std::string::npos);
}

TEST_CASE("a process killed between the two renames leaves a readable checkpoint") {
  TemporaryDirectory directory;
  write_checkpoint(directory.path(), sample(1));
  std::filesystem::rename(directory / "state.bin", directory / "state.bin.previous");
  std::vector<std::string> notes;
  CHECK(read_checkpoint(directory.path(), "abc", notes)->rounds == 1);
  CHECK(notes.empty());
}

TEST_CASE("a checkpoint of another configuration, stream version or library is refused with a reason") {
  TemporaryDirectory directory;
  write_checkpoint(directory.path(), sample(1));
  CHECK(refusal(directory.path(), "abd").find("configuration digest = abc differs from that of config.resolved.toml, abd") != std::string::npos);
  Checkpoint other = sample(1);
  other.stream_version = 99;
  write_checkpoint(directory.path(), other);
  CHECK(refusal(directory.path(), "abc").find("stream version = 99") != std::string::npos);
  other = sample(1);
  other.version = "0.0.1";
  write_checkpoint(directory.path(), other);
  CHECK(refusal(directory.path(), "abc").find("resume with buffon 0.0.1") != std::string::npos);
}
