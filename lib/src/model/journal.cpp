// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <mutex>
#include <system_error>
#include <unordered_map>

#include <buffon/core/error.hpp>
#include <buffon/model/model_kind.hpp>

#include "child.hpp"

// File: a header of five 64-bit words (mark, digest of the model's identity, inputs, outputs, checksum of these), then
// records of inputs + outputs doubles and a 64-bit checksum, all in the machine's byte order. All records have one size,
// so that a record that was half written is found by the length of the file or by its checksum.

namespace buffon {
namespace {

constexpr std::uint64_t mark = 0x314A4E4F46465542;  // "BUFFONJ1"
constexpr std::size_t header_words = 5;

// FNV-1a over words, finished by a mix that spreads every bit.
std::uint64_t checksum(const void* data, std::size_t bytes) {
  const auto* p = static_cast<const unsigned char*>(data);
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t i = 0; i < bytes; ++i) hash = (hash ^ p[i]) * 0x100000001b3;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  return hash ^ (hash >> 29);
}

class JournaledModel final : public Model {
 public:
  JournaledModel(std::shared_ptr<const Model> inner, const std::filesystem::path& file, const std::string& identity)
      : inner_(std::move(inner)),
        file_(file),
        inputs_(static_cast<std::size_t>(inner_->input_size())),
        width_(static_cast<std::size_t>(inner_->input_size() + inner_->output_size())) {
    open(identity);
    load();
  }

  Index input_size() const override { return inner_->input_size(); }
  Index output_size() const override { return inner_->output_size(); }
  const std::vector<std::string>& output_names() const override { return inner_->output_names(); }
  Index preferred_batch() const override { return inner_->preferred_batch(); }

  std::vector<PointFailure> evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token& stop) const override {
    std::vector<Index> missing;
    {
      const std::lock_guard lock(mutex_);
      for (Index i = 0; i < points.cols(); ++i) {
        const Eigen::VectorXd point = points.col(i);
        if (const double* known = find(point.data())) {
          values.col(i) = Eigen::Map<const Eigen::VectorXd>(known, values.rows());
        } else {
          missing.push_back(i);
        }
      }
    }
    std::vector<PointFailure> failures;
    const auto preferred = static_cast<std::size_t>(inner_->preferred_batch());
    const std::size_t batch = preferred > 0 ? preferred : std::max<std::size_t>(missing.size(), 1);
    for (std::size_t first = 0; first < missing.size(); first += batch) {
      if (stop.stop_requested()) throw Error(ErrorCategory::interrupted, {.doing = "evaluating the model", .rule = "stopped on request"});
      const std::size_t count = std::min(batch, missing.size() - first);
      Eigen::MatrixXd x(points.rows(), static_cast<Index>(count)), y(values.rows(), static_cast<Index>(count));
      for (std::size_t i = 0; i < count; ++i) x.col(static_cast<Index>(i)) = points.col(missing[first + i]);
      auto failed = inner_->evaluate(x, y, stop);
      append(x, y, failed);
      for (std::size_t i = 0; i < count; ++i) values.col(missing[first + i]) = y.col(static_cast<Index>(i));
      for (auto& failure : failed) failures.push_back({missing[first + static_cast<std::size_t>(failure.column)], std::move(failure.message)});
    }
    return failures;
  }

 private:
  [[noreturn]] void cannot(const std::string& what) const {
    throw Error(
        ErrorCategory::no_input,
        {.doing = "keeping the journal of evaluations", .value = file_.string(), .rule = "cannot be " + what + ": " + std::generic_category().message(errno)});
  }

  void write(const void* data, std::size_t bytes) const {
    const auto* p = static_cast<const char*>(data);
    while (bytes > 0) {
      const ssize_t written = ::write(fd_.get(), p, bytes);
      if (written < 0) {
        if (errno == EINTR) continue;
        cannot("written");
      }
      p += written;
      bytes -= static_cast<std::size_t>(written);
    }
  }

  void read(void* data, std::size_t bytes, off_t at) const {
    auto* p = static_cast<char*>(data);
    while (bytes > 0) {
      const ssize_t got = pread(fd_.get(), p, bytes, at);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) cannot("read");
      p += got;
      at += got;
      bytes -= static_cast<std::size_t>(got);
    }
  }

  off_t size() const {
    struct stat info {};
    if (fstat(fd_.get(), &info) != 0) cannot("read");
    return info.st_size;
  }

  void open(const std::string& identity) {
    fd_ = detail::Descriptor(::open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (fd_.get() < 0) cannot("opened");
    if (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
      throw Error(ErrorCategory::no_input, {.doing = "opening the journal of evaluations",
                                            .value = file_.string(),
                                            .rule = "is in use by another run",
                                            .remedy = "Wait for it, or choose another run directory"});
    }
    std::string text = identity;
    for (const auto& name : inner_->output_names()) text += '\0' + name;
    std::array<std::uint64_t, header_words> header = {mark, checksum(text.data(), text.size()), inputs_, width_ - inputs_, 0};
    header.back() = checksum(header.data(), sizeof header - 8);
    std::array<std::uint64_t, header_words> found{};
    if (size() < static_cast<off_t>(sizeof header)) {  // new, or killed while its header was written
      read(found.data(), static_cast<std::size_t>(size()), 0);
      if (std::memcmp(found.data(), header.data(), static_cast<std::size_t>(size())) != 0) refuse("is not a journal of evaluations");
      if (ftruncate(fd_.get(), 0) != 0) cannot("written");
      write(header.data(), sizeof header);
      return;
    }
    read(found.data(), sizeof found, 0);
    if (found[0] != mark || found.back() != checksum(found.data(), sizeof found - 8)) refuse("is not a journal of evaluations");
    if (found != header) refuse("holds the evaluations of another model (its outputs, inputs or settings differ)");
  }

  [[noreturn]] void refuse(const std::string& rule) const {
    throw Error(ErrorCategory::configuration, {.doing = "opening the journal of evaluations",
                                               .value = file_.string(),
                                               .rule = rule,
                                               .remedy = "Move the file away, or choose another run directory"});
  }

  void load() {
    const std::size_t record = 8 * (width_ + 1);
    const auto whole = (static_cast<std::size_t>(size()) - 8 * header_words) / record;
    std::vector<double> buffer(width_ + 1);
    std::size_t last_good = 0;
    for (std::size_t r = 0; r < whole; ++r) {
      read(buffer.data(), record, static_cast<off_t>(8 * header_words + r * record));
      std::uint64_t stored = 0;
      std::memcpy(&stored, &buffer[width_], 8);
      if (stored != checksum(buffer.data(), 8 * width_)) continue;
      remember(buffer.data());
      last_good = r + 1;
    }
    if (ftruncate(fd_.get(), static_cast<off_t>(8 * header_words + last_good * record)) != 0) cannot("written");
  }

  const double* find(const double* point) const {
    const auto [begin, end] = index_.equal_range(checksum(point, 8 * inputs_));
    for (auto at = begin; at != end; ++at) {
      const double* known = &data_[at->second];
      if (std::memcmp(known, point, 8 * inputs_) == 0) return known + inputs_;
    }
    return nullptr;
  }

  void remember(const double* record) const {
    if (find(record) != nullptr) return;
    index_.emplace(checksum(record, 8 * inputs_), data_.size());
    data_.insert(data_.end(), record, record + width_);
  }

  /// Failed points are not kept: the next run asks for them again.
  void append(const Eigen::MatrixXd& x, const Eigen::MatrixXd& y, const std::vector<PointFailure>& failures) const {
    std::vector<double> records;
    std::size_t next = 0;
    for (Index i = 0; i < x.cols(); ++i) {
      if (next < failures.size() && failures[next].column == i) {
        ++next;
        continue;
      }
      if (!y.col(i).allFinite()) continue;
      const std::size_t at = records.size();
      records.insert(records.end(), x.col(i).data(), x.col(i).data() + x.rows());
      records.insert(records.end(), y.col(i).data(), y.col(i).data() + y.rows());
      const std::uint64_t sum = checksum(&records[at], 8 * width_);
      double as_double = 0;
      std::memcpy(&as_double, &sum, 8);
      records.push_back(as_double);
    }
    const std::lock_guard lock(mutex_);
    for (std::size_t at = 0; at < records.size(); at += width_ + 1) remember(&records[at]);
    write(records.data(), 8 * records.size());
  }

  std::shared_ptr<const Model> inner_;
  std::filesystem::path file_;
  std::size_t inputs_;
  std::size_t width_;  ///< inputs + outputs
  detail::Descriptor fd_;
  mutable std::mutex mutex_;
  mutable std::vector<double> data_;
  mutable std::unordered_multimap<std::uint64_t, std::size_t> index_;
};

}  // namespace

std::shared_ptr<const Model> journaled_model(std::shared_ptr<const Model> inner, const std::filesystem::path& file, const std::string& identity) {
  return std::make_shared<JournaledModel>(std::move(inner), file, identity);
}

}  // namespace buffon
