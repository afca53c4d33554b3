// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/binary_archive.hpp>
#include <buffon/io/build_info.hpp>
#include <buffon/io/checkpoint.hpp>
#include <buffon/io/files.hpp>
#include <buffon/random/stream.hpp>

#include "sealed.hpp"

namespace buffon {
namespace {

constexpr std::string_view magic = "buffon checkpoint\n";
constexpr std::uint64_t format_version = 4;
constexpr std::string_view file_name = "state.bin";
constexpr std::string_view previous_name = "state.bin.previous";

void describe_checkpoint(Archive& archive, Checkpoint& c) {
  std::uint64_t format = format_version;
  archive.item("format", format);
  if (format != format_version) {
    throw Error(ErrorCategory::data, {.doing = "reading a checkpoint",
                                      .key = "format",
                                      .value = std::to_string(format),
                                      .rule = "must be " + std::to_string(format_version),
                                      .remedy = "resume with the version of buffon that started the run"});
  }
  archive.item("version", c.version);
  archive.item("stream_version", c.stream_version);
  archive.item("digest", c.digest);
  archive.item("rounds", c.rounds);
  archive.item("seconds", c.seconds);
  archive.item("warmup_seconds", c.warmup_seconds);
  archive.item("replaced", c.replaced);
  archive.item("evaluations", c.evaluations);
  archive.item("loops", c.loops);
  archive.item("blocks", c.blocks);
  archive.item("state", c.state);
}

void check_belonging(const Checkpoint& c, const std::string& digest, const std::filesystem::path& file) {
  const auto refuse = [&](std::string key, std::string value, std::string rule, std::string remedy) {
    throw Error(
        ErrorCategory::data,
        {.doing = "resuming from " + file.string(), .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
  };
  if (c.digest != digest) {
    refuse("configuration digest", c.digest, "differs from that of config.resolved.toml, " + digest,
           "the configuration, or a data file that it names, was changed after the start: put it back, or begin a new run in another directory");
  }
  if (c.stream_version != stream_version) {
    refuse("stream version", std::to_string(c.stream_version), "differs from this program's, " + std::to_string(stream_version),
           "its random numbers would be others: resume with buffon " + c.version);
  }
  if (c.version != build_info().version) {
    refuse("version", c.version, "differs from this program's, " + build_info().version, "resume with buffon " + c.version + ", or begin a new run");
  }
}

}  // namespace

std::string save_state(Method& method) {
  BinaryWriter writer;
  method.describe_state(writer);
  return writer.take();
}

void load_state(Method& method, std::string_view bytes) {
  BinaryReader reader(bytes);
  method.describe_state(reader);
  reader.finish();
}

std::string encode_checkpoint(const Checkpoint& checkpoint) {
  BinaryWriter writer;
  Checkpoint copy = checkpoint;
  describe_checkpoint(writer, copy);
  return io_detail::sealed(magic, writer.bytes());
}

Checkpoint decode_checkpoint(std::string_view bytes, const std::string& name) {
  const auto contents = io_detail::unsealed(magic, bytes);
  if (!contents) throw Error(ErrorCategory::data, {.doing = "reading " + name, .rule = "the checkpoint is damaged (its checksum is wrong)"});
  Checkpoint checkpoint;
  BinaryReader reader(*contents);
  describe_checkpoint(reader, checkpoint);
  reader.finish();
  return checkpoint;
}

void write_checkpoint(const std::filesystem::path& directory, const Checkpoint& checkpoint) {
  const std::filesystem::path file = directory / file_name;
  const std::filesystem::path fresh = directory / "state.bin.new";
  write_file(fresh, encode_checkpoint(checkpoint));
  // Between the two renames only the previous file exists under its name; `read_checkpoint` then takes that one.
  std::error_code none_yet;
  std::filesystem::rename(file, directory / previous_name, none_yet);
  std::filesystem::rename(fresh, file);
  sync_directory(directory);
}

std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& directory, const std::string& digest, std::vector<std::string>& notes) {
  std::string damage;
  for (const std::string_view name : {file_name, previous_name}) {
    const std::filesystem::path file = directory / name;
    if (!std::filesystem::exists(file)) continue;
    std::optional<Checkpoint> checkpoint;
    try {
      checkpoint = decode_checkpoint(read_file(file), file.string());
    } catch (const Error& error) {
      damage += std::string(damage.empty() ? "" : " ") + error.what();
      continue;
    }
    check_belonging(*checkpoint, digest, file);
    if (!damage.empty()) notes.push_back(damage + " The previous checkpoint is used instead; the same results will follow.");
    return checkpoint;
  }
  if (damage.empty()) return std::nullopt;
  throw Error(ErrorCategory::data, {.doing = "resuming from " + directory.string(), .rule = damage, .remedy = "begin the run again (--force replaces it)"});
}

}  // namespace buffon
