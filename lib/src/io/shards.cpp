// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/binary_archive.hpp>
#include <buffon/io/build_info.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/shards.hpp>
#include <buffon/random/stream.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "rounds.hpp"
#include "sealed.hpp"
#include "shard_writer.hpp"

namespace buffon {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view magic = "buffon shard\n";
constexpr const char* parts_name = "shard";

/// One file of a shard: consecutive loops.
struct ShardFile {
  std::int64_t format = 1;
  std::string digest;
  std::string shard;
  std::int64_t first_loop = 0;
  std::vector<ShardLoop> loops;
  void describe_state(Archive& archive) {
    archive.item("format", format);
    archive.item("digest", digest);
    archive.item("shard", shard);
    archive.item("first_loop", first_loop);
    archive.item("loops", loops);
  }
};

/// Names in the order of the loops.
std::string file_name(std::int64_t first_loop) {
  char text[32];
  std::snprintf(text, sizeof text, "loops-%012lld.bin", static_cast<long long>(first_loop));
  return text;
}

std::vector<fs::path> files_of(const fs::path& directory) {
  std::vector<fs::path> files;
  if (!fs::exists(directory)) return files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("loops-") && name.ends_with(".bin")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Error refused(const std::string& key, const std::string& value, const std::string& rule, const std::string& remedy,
              ErrorCategory category = ErrorCategory::data) {
  return Error(category, {.doing = "merging shards", .key = key, .value = value, .rule = rule, .remedy = remedy});
}

/// Reads the loops of one shard one after the other.
class ShardReader {
 public:
  ShardReader(fs::path run, std::string digest, std::string shard)
      : run_(std::move(run)), files_(files_of(run_ / parts_name)), digest_(std::move(digest)), shard_(std::move(shard)) {}

  ShardLoop next() {
    while (at_ == file_.loops.size()) load();
    ++read_;
    return std::move(file_.loops[at_++]);
  }

  [[noreturn]] void refuse(const std::string& file, const std::string& rule) const {
    throw refused("shard " + shard_, file, rule, "run this shard again: `buffon run JOB --shard " + shard_ + " --out " + run_.string() + " --force`");
  }

 private:
  void load() {
    if (next_file_ == files_.size()) refuse(run_.string(), "holds " + std::to_string(read_) + " loops, but more are needed");
    const fs::path& file = files_[next_file_++];
    const std::string bytes = read_file(file);
    const auto contents = io_detail::unsealed(magic, bytes);
    if (!contents) refuse(file.string(), "is damaged (its checksum is wrong)");
    file_ = {};
    BinaryReader reader(*contents);
    file_.describe_state(reader);
    reader.finish();
    if (file_.digest != digest_ || file_.shard != shard_) refuse(file.string(), "belongs to another run or shard, " + file_.shard);
    if (file_.first_loop != read_) refuse(file.string(), "begins with loop " + std::to_string(file_.first_loop) + " instead of " + std::to_string(read_));
    at_ = 0;
  }

  fs::path run_;
  std::vector<fs::path> files_;
  std::string digest_, shard_;
  std::size_t next_file_ = 0;
  ShardFile file_;
  std::size_t at_ = 0;
  std::int64_t read_ = 0;
};

std::string text_of(std::size_t index, std::size_t count) { return std::to_string(index) + "/" + std::to_string(count); }

/// Gives every loop what the shards kept of it.
class ShardMerger final : public RunExchange {
 public:
  explicit ShardMerger(const ShardSet& shards) {
    const std::size_t count = shards.directories.size();
    for (std::size_t k = 0; k < count; ++k) readers_.emplace_back(shards.directories[k], shards.digest, text_of(k + 1, count));
  }

  int participants() const override { return 1; }

  std::vector<bool> begin(std::int64_t blocks, Needed needed) override {
    begin_loop();
    blocks_ = blocks;
    everywhere_ = needed == Needed::everywhere;
    return std::vector<bool>(static_cast<std::size_t>(blocks), false);
  }

  bool complete(const std::function<void(std::int64_t, Archive&)>& describe) override {
    Tally elsewhere;
    std::vector<std::vector<std::string>> parts;
    for (ShardReader& reader : readers_) {
      ShardLoop loop = reader.next();
      if (loop.first_block != position().blocks || loop.blocks != blocks_ || loop.everywhere != everywhere_) {
        reader.refuse("loop " + std::to_string(position().loops), "is divided in another way than in the run to merge");
      }
      if (everywhere_ && !parts.empty()) {
        if (loop.parts != parts.front())
          reader.refuse(
              "loop " + std::to_string(position().loops),
              "came to other numbers than in shard 1, though it is the same work: the model is not a function of its inputs, or the processors differ");
        continue;
      }
      elsewhere.evaluations += loop.evaluations;
      elsewhere.replaced += loop.replaced;
      parts.push_back(std::move(loop.parts));
    }
    std::vector<std::size_t> used(parts.size(), 0);
    for (std::int64_t block = 0; block < blocks_; ++block) {
      const std::size_t owner = everywhere_ ? 0 : static_cast<std::size_t>(position().blocks + block) % parts.size();
      if (used[owner] == parts[owner].size()) readers_[owner].refuse("loop " + std::to_string(position().loops), "lacks a block");
      BinaryReader archive(parts[owner][used[owner]++]);
      describe(block, archive);
      archive.finish();
    }
    end_loop(blocks_, elsewhere);
    return true;
  }

 private:
  std::vector<ShardReader> readers_;
  std::int64_t blocks_ = 0;
  bool everywhere_ = false;
};

std::string known(const Result& result, const std::string& key) {
  for (const auto& [name, value] : result.provenance) {
    if (name == key) return value;
  }
  return "";
}

}  // namespace

void ShardLoop::describe_state(Archive& archive) {
  archive.item("first_block", first_block);
  archive.item("blocks", blocks);
  archive.item("everywhere", everywhere);
  archive.item("evaluations", evaluations);
  archive.item("replaced", replaced);
  archive.item("parts", parts);
}

ShardWriter::ShardWriter(fs::path directory, const Shard& shard, std::string digest)
    : directory_(std::move(directory) / parts_name), shard_(shard), digest_(std::move(digest)) {}

std::vector<bool> ShardWriter::begin(std::int64_t blocks, Needed needed) {
  begin_loop();
  everywhere_ = needed == Needed::everywhere;
  here_.assign(static_cast<std::size_t>(blocks), everywhere_);
  const std::int64_t first = (shard_.index - 1 - position().blocks % shard_.count + shard_.count) % shard_.count;
  for (std::int64_t b = first; b < blocks; b += shard_.count) here_[static_cast<std::size_t>(b)] = true;
  return here_;
}

bool ShardWriter::complete(const std::function<void(std::int64_t, Archive&)>& describe) {
  const Tally done = tally();
  ShardLoop loop{position().blocks, static_cast<std::int64_t>(here_.size()), everywhere_, done.evaluations, done.replaced, {}};
  for (std::size_t b = 0; b < here_.size(); ++b) {
    if (!here_[b]) continue;
    BinaryWriter archive;
    describe(static_cast<std::int64_t>(b), archive);
    loop.parts.push_back(archive.take());
    unsaved_ += loop.parts.back().size();
  }
  pending_.push_back(std::move(loop));
  end_loop(static_cast<std::int64_t>(here_.size()), {});
  return everywhere_;
}

void ShardWriter::restore(const Position& position) {
  RunExchange::restore(position);
  // Loops that no checkpoint vouches for are done again, perhaps with other ends of files.
  for (const fs::path& file : files_of(directory_)) {
    if (file.filename().string() >= file_name(position.loops)) fs::remove(file);
  }
}

void ShardWriter::save(const Position& until) {
  ShardFile file{.digest = digest_, .shard = text_of(static_cast<std::size_t>(shard_.index), static_cast<std::size_t>(shard_.count)), .loops = {}};
  file.first_loop = position().loops - static_cast<std::int64_t>(pending_.size());
  while (!pending_.empty() && file.first_loop + static_cast<std::int64_t>(file.loops.size()) < until.loops) {
    for (const std::string& part : pending_.front().parts) unsaved_ -= part.size();
    file.loops.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  if (file.loops.empty()) return;
  BinaryWriter writer;
  file.describe_state(writer);
  fs::create_directories(directory_);
  write_file(directory_ / file_name(file.first_loop), io_detail::sealed(magic, writer.bytes()));
}

ShardSet collect_shards(const std::vector<fs::path>& directories) {
  std::map<std::int64_t, fs::path> found;
  std::int64_t count = 0;
  ShardSet set;
  for (const fs::path& directory : directories) {
    const std::string name = directory.string();
    if (!is_run_directory(directory)) {
      throw refused("directory", name, fs::exists(directory) ? "holds no run" : "does not exist", "give the directories of `buffon run --shard`",
                    ErrorCategory::no_input);
    }
    if (!fs::exists(directory / "result.json")) {
      throw refused("directory", name, "has not ended: a part of its work is missing", "finish it with `buffon resume " + name + "`");
    }
    const Result result = read_result(directory);
    const std::string shard_text = known(result, "shard");
    const Shard shard = shard_text.empty() ? Shard{} : parse_shard(shard_text);
    if (shard.count == 0) {
      throw refused("directory", name, "holds a whole run and no shard", "give the directories of `buffon run --shard` alone");
    }
    for (const auto& [key, needed] :
         {std::pair<std::string, std::string>("version", build_info().version), {"stream_version", std::to_string(stream_version)}}) {
      if (known(result, key) == needed) continue;
      throw refused(key + " of " + name, known(result, key), "differs from this program's, " + needed, "run and merge all shards with one version of buffon");
    }
    if (found.empty()) {
      count = shard.count;
      set.digest = known(result, "config_digest");
    }
    const std::string first = found.empty() ? "" : found.begin()->second.string();
    if (shard.count != count)
      throw refused("shard in " + name, shard_text, "is of another division than " + first + ", which is in " + std::to_string(count),
                    "give the shards of one run");
    if (known(result, "config_digest") != set.digest) {
      throw refused("configuration digest of " + name, known(result, "config_digest"), "differs from that of " + first + ", " + set.digest,
                    "all shards must come from one configuration, seed included (`diff` the two config.resolved.toml)");
    }
    const auto [place, fresh] = found.emplace(shard.index, directory);
    if (!fresh) {
      throw refused("shard", shard_text, "is given twice: " + place->second.string() + " and " + name, "give every shard once", ErrorCategory::usage);
    }
    set.seconds += result.seconds;
  }
  std::string missing;
  for (std::int64_t k = 1; k <= count; ++k) {
    if (!found.contains(k)) missing += (missing.empty() ? "" : ", ") + text_of(static_cast<std::size_t>(k), static_cast<std::size_t>(count));
  }
  if (!missing.empty()) {
    throw refused("shard", missing, "is missing", "give its directory too, or run it: `buffon run JOB --shard " + missing.substr(0, missing.find(',')) + "`",
                  ErrorCategory::usage);
  }
  for (auto& [index, directory] : found) set.directories.push_back(std::move(directory));
  return set;
}

Result merge_shards(const Job& job, const ShardSet& shards, RunDirectory& directory, std::stop_token stop, RunObserver& observer) {
  if (job.digest != shards.digest) {
    throw refused("config.resolved.toml of " + shards.directories.front().string(), job.digest, "does not have the digest of the shards, " + shards.digest,
                  "the file was changed after the run: put it back");
  }
  ShardMerger merger(shards);
  return run_rounds(job, directory, stop, observer,
                    {.exchange = &merger, .seconds_before = shards.seconds, .provenance = {{"merged_shards", std::to_string(shards.directories.size())}}});
}

}  // namespace buffon
