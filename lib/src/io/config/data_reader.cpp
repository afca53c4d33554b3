// SPDX-License-Identifier: BSD-3-Clause
#include "data_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <buffon/io/data_file.hpp>
#include <buffon/io/files.hpp>

#include "../descriptor.hpp"
#include "../sha256.hpp"
#include "option_reader.hpp"
#include "problem_reader.hpp"

namespace buffon::config {
namespace {

namespace fs = std::filesystem;

/// What can be read only once: the standard input, "-", pipes and devices.
bool read_once(const fs::path& file) {
  if (file == "-") return true;
  std::error_code status;
  const auto type = fs::status(file, status).type();
  return type == fs::file_type::fifo || type == fs::file_type::character || type == fs::file_type::socket;
}

/// A copy of such a source in a file that is removed at the end, unless someone else owns it.
class Copy {
 public:
  Copy(const fs::path& source, const StandardInput& wanted) : file_(wanted.copy), own_(wanted.copy.empty()) {
    if (own_) file_ = fs::temp_directory_path() / ("buffon." + std::to_string(::getpid()) + ".stdin");
    if (!own_ && fs::exists(file_)) return;
    if (file_.has_parent_path()) fs::create_directories(file_.parent_path());
    const io_detail::Descriptor opened(source == "-" ? -1 : ::open(source.c_str(), O_RDONLY | O_CLOEXEC));
    if (source != "-" && !opened) throw io_detail::system_failure("reading", source, ErrorCategory::no_input);
    FileWriter out(file_);
    std::vector<char> buffer(std::size_t{1} << 20);
    for (;;) {
      const ssize_t got = ::read(opened ? opened.number() : STDIN_FILENO, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw io_detail::system_failure("reading", source == "-" ? "the standard input" : source, ErrorCategory::no_input);
      if (got == 0) break;
      out.write({buffer.data(), static_cast<std::size_t>(got)});
    }
    out.finish();
  }
  ~Copy() {
    std::error_code gone;
    if (own_) fs::remove(file_, gone);
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  const fs::path& file() const { return file_; }

 private:
  fs::path file_;
  bool own_;
};

/// Tells a file from what it was before: device, inode, size, time of the last change of its contents.
std::string identity(const fs::path& file) {
  struct stat s = {};
  if (::stat(file.c_str(), &s) != 0 || !S_ISREG(s.st_mode)) return {};
  std::string text;
  for (const auto number : {static_cast<std::int64_t>(s.st_dev), static_cast<std::int64_t>(s.st_ino), static_cast<std::int64_t>(s.st_size),
                            static_cast<std::int64_t>(s.st_mtim.tv_sec), static_cast<std::int64_t>(s.st_mtim.tv_nsec)}) {
    text += std::to_string(number) + " ";
  }
  return text;
}

/// What was read in this process: a job that is read again, as every run does from its folder, does not hold its data twice.
struct Known {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<const DataSet>> data;
  std::map<std::string, std::string> digests;
};
Known& known() {
  static Known all;
  return all;
}

std::string content_of(const fs::path& file) {
  const std::string which = identity(file);
  if (!which.empty()) {
    const std::lock_guard lock(known().mutex);
    if (const auto found = known().digests.find(which); found != known().digests.end()) return found->second;
  }
  std::string digest = io_detail::sha256_of_file(file);
  if (!which.empty()) {
    const std::lock_guard lock(known().mutex);
    known().digests[which] = digest;
  }
  return digest;
}

std::shared_ptr<const DataSet> shared_data(const DataFileOptions& options, const fs::path& base, const std::string& key) {
  {
    const std::lock_guard lock(known().mutex);
    if (const auto found = known().data.find(key); found != known().data.end()) {
      if (auto data = found->second.lock()) return data;
    }
  }
  auto data = read_data(options, base);
  const std::lock_guard lock(known().mutex);
  known().data[key] = data;
  return data;
}

/// The file that holds the weights where no column does; empty = there is none.
fs::path weights_file(const DataFileOptions& options, const fs::path& base) {
  if (options.weights.empty()) return {};
  std::error_code status;
  const fs::path file = base / options.weights;
  return fs::is_regular_file(file, status) ? fs::absolute(file).lexically_normal() : fs::path();
}

}  // namespace

ReadData read_data_section(const Document& document, const fs::path& base_directory, const StandardInput& standard_input) {
  const Section section = section_of(document, "data", "reading the data");
  if (document.root.find("data") == nullptr) {
    section.fail(document.root.where, "data", {}, "is required and missing", document.remedy("data.file=…", "add a section [data] with its file"));
  }
  std::vector<std::string> keys;
  append_names(keys, list_options_of<DataFileOptions>());
  check_keys(section, keys);
  DataFileOptions options;
  OptionReader reader(section);
  describe(reader, options);
  if (options.file.empty()) {
    section.fail(section.table->find("file")->value.where, section.key("file"), in_quotes(options.file), "must name a file", "\"-\" is the standard input");
  }

  ReadData out;
  out.section = reader.take_resolved();
  return located(section, [&] {
    const fs::path named = options.file == "-" ? fs::path("-") : fs::absolute(base_directory / options.file).lexically_normal();
    const bool from_input = read_once(named);
    std::optional<Copy> copy;
    if (from_input) copy.emplace(named, standard_input);
    const fs::path file = from_input ? fs::absolute(copy->file()) : named;
    fs::path weights = weights_file(options, base_directory);
    options.file = file.string();

    out.for_the_digest = out.section;
    out.for_the_digest.erase("file");
    const std::string key = write_toml(out.for_the_digest) + identity(file) + identity(weights);
    out.data = shared_data(options, base_directory, key);
    if (!out.data->about().weights_from_file) weights.clear();
    if (!weights.empty()) out.for_the_digest.erase("weights");
    const bool told_by_name = options.format == DataFormat::automatic && !from_input;
    out.for_the_digest.set("file", text_node(content_of(file) + (told_by_name ? file.extension().string() : "")));
    if (!weights.empty()) out.for_the_digest.set("weights", text_node(content_of(weights)));
    if (!from_input) out.section.set("file", text_node(file.string()));
    if (from_input && !standard_input.place.empty()) out.section.set("file", text_node(standard_input.place.string()));
    if (!weights.empty()) out.section.set("weights", text_node(weights.string()));
    return std::move(out);
  });
}

}  // namespace buffon::config
