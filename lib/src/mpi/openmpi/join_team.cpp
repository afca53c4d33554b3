// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/error.hpp>
#include <buffon/io/binary_archive.hpp>
#include <buffon/model/model.hpp>
#include <buffon/mpi/join_team.hpp>

#include "../launch.hpp"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace buffon {
namespace {

// ---- errors that travel

void describe_error(Archive& a, ErrorCategory& category, ErrorText& text, SourceLocation& where) {
  a.item("category", category);
  a.item("doing", text.doing);
  a.item("key", text.key);
  a.item("value", text.value);
  a.item("rule", text.rule);
  a.item("remedy", text.remedy);
  a.item("file", where.file);
  auto line = static_cast<std::int64_t>(where.line), column = static_cast<std::int64_t>(where.column);
  a.item("line", line);
  a.item("column", column);
  where.line = static_cast<int>(line);
  where.column = static_cast<int>(column);
}

/// What a ModelError knows of its point.
struct FailedPoint {
  std::vector<std::string> inputs, outputs;
  Eigen::VectorXd point, output;
  std::string reason;
  void describe_state(Archive& a) {
    a.item("inputs", inputs);
    a.item("outputs", outputs);
    a.item("point", point);
    a.item("output", output);
    a.item("reason", reason);
  }
};

std::string encode(const Error& error) {
  BinaryWriter writer;
  ErrorCategory category = error.category();
  ErrorText text = error.text();
  SourceLocation where = error.where();
  describe_error(writer, category, text, where);
  const auto* model = dynamic_cast<const ModelError*>(&error);
  bool has_point = model != nullptr;
  writer.item("has_point", has_point);
  if (has_point) {
    FailedPoint failed{model->input_names(), model->output_names(), model->point(), model->output(), model->reason()};
    failed.describe_state(writer);
  }
  return writer.take();
}

[[noreturn]] void throw_decoded(std::string_view bytes) {
  BinaryReader reader(bytes);
  ErrorCategory category{};
  ErrorText text;
  SourceLocation where;
  describe_error(reader, category, text, where);
  bool has_point = false;
  reader.item("has_point", has_point);
  if (!has_point) throw Error(category, text, where);
  FailedPoint failed;
  failed.describe_state(reader);
  throw ModelError(text, failed.inputs, failed.point, failed.outputs, failed.output, failed.reason);
}

// ---- the team

enum Kind : std::int64_t { loop = 1, standing, first_speaks, failure };

/// What every rank tells of a meeting before its contents.
struct Note {
  std::int64_t kind;
  std::int64_t detail;  ///< must be equal everywhere
  std::int64_t flags;   ///< may differ
  std::int64_t bytes;   ///< of contents
};

class MpiTeam final : public Team {
 public:
  MpiTeam() {
    int level = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Type_contiguous(unit, MPI_BYTE, &unit_type_);
    MPI_Type_commit(&unit_type_);
  }
  ~MpiTeam() override {
    MPI_Type_free(&unit_type_);
    MPI_Finalize();
  }
  MpiTeam(const MpiTeam&) = delete;
  MpiTeam& operator=(const MpiTeam&) = delete;

  int rank() const override { return rank_; }
  int participants() const override { return size_; }

  std::vector<bool> begin(std::int64_t blocks, Needed) override {
    begin_loop();
    blocks_ = blocks;
    std::vector<bool> here(static_cast<std::size_t>(blocks));
    for (std::int64_t b = 0; b < blocks; ++b) here[static_cast<std::size_t>(b)] = owner(b) == rank_;
    return here;
  }

  bool complete(const std::function<void(std::int64_t, Archive&)>& describe) override {
    Tally here = tally();
    std::vector<std::string> parts;
    for (std::int64_t b = 0; b < blocks_; ++b) {
      if (owner(b) != rank_) continue;
      BinaryWriter part;
      describe(b, part);
      parts.push_back(part.take());
    }
    BinaryWriter message;
    message.item("evaluations", here.evaluations);
    message.item("replaced", here.replaced);
    message.item("parts", parts);
    const std::vector<std::string> messages = gather(meet(loop, blocks_, 0, message.bytes()), message.bytes());

    Tally elsewhere;
    std::vector<std::vector<std::string>> all(messages.size());
    for (std::size_t r = 0; r < messages.size(); ++r) {
      if (static_cast<int>(r) == rank_) continue;
      Tally there;
      BinaryReader reader(messages[r]);
      reader.item("evaluations", there.evaluations);
      reader.item("replaced", there.replaced);
      reader.item("parts", all[r]);
      reader.finish();
      elsewhere.evaluations += there.evaluations;
      elsewhere.replaced += there.replaced;
    }
    std::vector<std::size_t> used(all.size(), 0);
    for (std::int64_t b = 0; b < blocks_; ++b) {
      const auto r = static_cast<std::size_t>(owner(b));
      if (owner(b) == rank_) continue;
      BinaryReader part(all[r].at(used[r]++));
      describe(b, part);
      part.finish();
    }
    end_loop(blocks_, elsewhere);
    return true;
  }

  Standing agree(const Standing& here) override {
    const std::int64_t flags = (here.finished ? 1 : 0) | (here.stop ? 2 : 0) | (here.limit ? 4 : 0);
    const std::vector<Note> notes = meet(standing, here.finished ? 1 : 0, flags, "");
    std::int64_t any = 0;
    for (const Note& note : notes) any |= note.flags;
    const Standing all{.finished = (any & 1) != 0, .stop = (any & 2) != 0, .limit = (any & 4) != 0};
    dissolved_ = all.finished || all.stop;
    return all;
  }

  std::string from_first(const std::string& bytes) override {
    const std::vector<Note> notes = meet(first_speaks, 0, 0, rank_ == 0 ? std::string_view(bytes) : std::string_view());
    return spoken(0, bytes, notes.front().bytes);
  }

  void fail(const Error& error) override {
    if (dissolved_) return;
    const std::string bytes = encode(error);
    try {
      meet(failure, 0, 0, bytes);
    } catch (const Error&) {
      // its own, or that of a lower rank which failed in the same round
    }
  }

 private:
  static constexpr int unit = 64;  ///< bytes; messages are counted in units, so that their sum may exceed 2 GiB

  int owner(std::int64_t block) const { return static_cast<int>((position().blocks + block) % size_); }

  /// Everybody learns what everybody came for. @throws the error of the lowest rank that failed
  std::vector<Note> meet(Kind kind, std::int64_t detail, std::int64_t flags, std::string_view contents) {
    const Note mine{kind, detail, flags, static_cast<std::int64_t>(contents.size())};
    std::vector<Note> notes(static_cast<std::size_t>(size_));
    MPI_Allgather(&mine, 4, MPI_INT64_T, notes.data(), 4, MPI_INT64_T, MPI_COMM_WORLD);
    for (std::size_t r = 0; r < notes.size(); ++r) {
      if (notes[r].kind != failure) continue;
      dissolved_ = true;
      throw_decoded(spoken(static_cast<int>(r), std::string(contents), notes[r].bytes));
    }
    for (const Note& note : notes) {
      if (note.kind == notes.front().kind && note.detail == notes.front().detail) continue;
      dissolved_ = true;
      throw Error(ErrorCategory::numeric, {.doing = "running on " + std::to_string(size_) + " ranks",
                                           .rule = "the ranks have come to different numbers",
                                           .remedy = "use nodes with processors of one kind and a model that is a function of its inputs, or --shard"});
    }
    return notes;
  }

  /// The bytes of one rank, everywhere.
  std::string spoken(int speaker, const std::string& mine, std::int64_t size) const {
    std::string bytes = rank_ == speaker ? mine : std::string();
    bytes.resize(static_cast<std::size_t>(size));
    constexpr std::size_t most = std::size_t{1} << 30;
    for (std::size_t at = 0; at < bytes.size(); at += most) {
      MPI_Bcast(bytes.data() + at, static_cast<int>(std::min(most, bytes.size() - at)), MPI_BYTE, speaker, MPI_COMM_WORLD);
    }
    return bytes;
  }

  /// The contents of every rank, everywhere.
  std::vector<std::string> gather(const std::vector<Note>& notes, std::string mine) const {
    std::vector<int> counts, places;
    std::size_t total = 0;
    for (const Note& note : notes) {
      const std::size_t units = (static_cast<std::size_t>(note.bytes) + unit - 1) / unit;
      counts.push_back(static_cast<int>(units));
      places.push_back(static_cast<int>(total));
      total += units;
    }
    if (total > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
      throw Error(ErrorCategory::numeric,
                  {.doing = "exchanging partial results", .rule = "they exceed 128 GiB in one round", .remedy = "ask for fewer quantities"});
    }
    mine.resize(static_cast<std::size_t>(counts[static_cast<std::size_t>(rank_)]) * unit);
    std::string all(total * unit, '\0');
    MPI_Allgatherv(mine.data(), counts[static_cast<std::size_t>(rank_)], unit_type_, all.data(), counts.data(), places.data(), unit_type_, MPI_COMM_WORLD);
    std::vector<std::string> messages;
    for (std::size_t r = 0; r < notes.size(); ++r) {
      messages.push_back(all.substr(static_cast<std::size_t>(places[r]) * unit, static_cast<std::size_t>(notes[r].bytes)));
    }
    return messages;
  }

  int rank_ = 0, size_ = 1;
  MPI_Datatype unit_type_{};
  std::int64_t blocks_ = 0;
  bool dissolved_ = false;
};

}  // namespace

std::unique_ptr<Team> join_team() {
  const int started = mpi_detail::started_together();
  if (started <= 1) return nullptr;
  auto team = std::make_unique<MpiTeam>();
  if (team->participants() == started) return team;
  throw Error(ErrorCategory::usage, {.doing = "starting on " + std::to_string(started) + " ranks",
                                     .rule = "the MPI library of this program sees " + std::to_string(team->participants()),
                                     .remedy = "start it with the mpirun of its own MPI library (or `srun --mpi=pmix`)"});
}

}  // namespace buffon
