// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/process_model.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>
#include <system_error>

#include <buffon/core/error.hpp>
#include <buffon/parallel/context.hpp>

#include "child.hpp"
#include "json_lines.hpp"

extern char** environ;

namespace buffon {
namespace detail {
namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr double patience = 0.2;  // seconds that a program has to go by itself once its input has ended
constexpr double grace = 0.5;     // seconds between SIGTERM and SIGKILL

/// The file that takes the standard error of one worker: a log in the run directory, else a file without a name.
class ErrorLog {
 public:
  ErrorLog(const fs::path& run_directory, std::int64_t number) {
    int fd = -1;
    std::string where;
    if (run_directory.empty()) {
      where = (fs::temp_directory_path() / "buffon-stderr-XXXXXX").string();
      fd = mkostemp(where.data(), O_CLOEXEC | O_APPEND);
      if (fd >= 0) unlink(where.c_str());
    } else {
      where = (run_directory / ("model-stderr-" + std::to_string(number) + ".log")).string();
      fd = ::open(where.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
    if (fd < 0) {
      throw Error(ErrorCategory::no_input,
                  {.doing = "opening the log of a model process", .value = where, .rule = "cannot be written: " + std::generic_category().message(errno)});
    }
    const Descriptor original(fd);
    fd_ = Descriptor(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  }

  int get() const { return fd_.get(); }
  void mark() { start_ = size(); }

  /// The last lines since the mark, on one line.
  std::string tail() const {
    constexpr off_t most = 1500;
    const off_t end = size();
    const off_t begin = std::max(start_, end - most);
    std::string text(static_cast<std::size_t>(std::max<off_t>(end - begin, 0)), '\0');
    const ssize_t got = pread(fd_.get(), text.data(), text.size(), begin);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    std::size_t from = text.size();
    for (int lines = 0; lines < 6 && from != std::string::npos && from > 0; ++lines) from = text.rfind('\n', from - 1);
    if (from != std::string::npos && from < text.size()) text.erase(0, from > 0 ? from + 1 : 0);
    std::string shown;
    for (const char c : text) {
      if (c == '\n') {
        shown += " | ";
      } else {
        shown += c;
      }
    }
    return one_line(shown, 2000);
  }

 private:
  off_t size() const {
    struct stat info {};
    return fstat(fd_.get(), &info) == 0 ? info.st_size : 0;
  }
  Descriptor fd_;
  off_t start_ = 0;
};

struct Worker {
  std::int64_t number = 0;
  ChildCommand command;
  std::unique_ptr<ErrorLog> log;
  std::unique_ptr<Child> child;
  std::int64_t last_id = 0;
};

/// One evaluation under way.
struct Active {
  Worker* worker = nullptr;
  Index column = 0;
  int deaths = 0;
  bool greeting = false;  ///< the handshake is awaited
  Clock::time_point deadline;
};

/// A descriptor that becomes readable when a stop is requested.
class StopWake {
 public:
  explicit StopWake(const std::stop_token& stop) : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), callback_(stop, Signal{fd_.get()}) {}
  int get() const { return fd_.get(); }

 private:
  struct Signal {
    int fd;
    void operator()() const {
      const std::uint64_t one = 1;
      [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof one);
    }
  };
  Descriptor fd_;
  std::stop_callback<Signal> callback_;
};

class ProcessModel final : public Model {
 public:
  ProcessModel(ProcessModelOptions options, const ModelSetting& setting)
      : options_(std::move(options)), input_names_(setting.input_names), quoted_names_(json_names(setting.input_names)) {
    const std::int64_t count = options_.workers > 0 ? options_.workers : available_cpus();
    const std::string directory = (setting.base_directory / options_.directory).lexically_normal().string();
    for (std::int64_t k = 1; k <= count; ++k) {
      auto worker = std::make_unique<Worker>();
      worker->number = k;
      worker->command = {options_.command, environment(k), directory.empty() ? "." : directory};
      idle_.push_back(worker.get());
      workers_.push_back(std::move(worker));
    }
    std::reverse(idle_.begin(), idle_.end());  // worker 1 is taken first
    run_directory_ = setting.run_directory;
    log_density_ = setting.log_density;
    section_ = log_density_ ? "density" : "model";
  }

  ~ProcessModel() override {
    std::vector<Child*> children;
    for (const auto& worker : workers_) {
      if (worker->child) children.push_back(worker->child.get());
    }
    Child::end(children, patience, grace);
  }

  Index input_size() const override { return static_cast<Index>(input_names_.size()); }
  Index output_size() const override { return static_cast<Index>(options_.outputs.size()); }
  const std::vector<std::string>& output_names() const override { return options_.outputs; }
  // Enough that no worker waits for the slowest of a batch for long, few enough that little is lost when a run is killed.
  Index preferred_batch() const override { return 4 * static_cast<Index>(workers_.size()); }

  std::vector<PointFailure> evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token& stop) const override;

 private:
  class Batch;

  std::vector<std::string> environment(std::int64_t number) const {
    std::map<std::string, std::string> variables;
    const auto add = [&](const std::string& text) {
      const std::size_t equal = text.find('=');
      if (equal != std::string::npos) variables[text.substr(0, equal)] = text.substr(equal + 1);
    };
    for (char** variable = environ; *variable != nullptr; ++variable) add(*variable);
    for (const auto& text : options_.environment) add(text);
    variables["BUFFON_WORKER"] = std::to_string(number);
    std::vector<std::string> list;
    for (const auto& [name, value] : variables) list.push_back(name + "=" + value);
    return list;
  }

  Worker* idle_worker(bool wait, const std::stop_token& stop) const {
    std::unique_lock lock(mutex_);
    if (wait) became_idle_.wait(lock, stop, [&] { return !idle_.empty(); });
    if (idle_.empty()) return nullptr;
    Worker* worker = idle_.back();
    idle_.pop_back();
    return worker;
  }

  void give_back(Worker* worker) const {
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(worker);
    }
    became_idle_.notify_one();
  }

  ProcessModelOptions options_;
  std::vector<std::string> input_names_;
  std::vector<std::string> quoted_names_;
  fs::path run_directory_;
  bool log_density_ = false;  ///< the output may be −∞
  std::string section_;       ///< of the configuration, for messages
  std::vector<std::unique_ptr<Worker>> workers_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any became_idle_;
  mutable std::vector<Worker*> idle_;
};

/// The evaluation of one batch: the calling thread serves as many workers as are free.
class ProcessModel::Batch {
 public:
  Batch(const ProcessModel& model, const ConstMatrix& points, MutMatrix values, const std::stop_token& stop)
      : model_(model), points_(points), values_(values), stop_(stop), wake_(stop) {}

  ~Batch() {
    // Only an exception leaves evaluations under way; their programs would answer a question that nobody asks any more.
    std::vector<Child*> children;
    for (const auto& active : active_) {
      if (active.worker->child) children.push_back(active.worker->child.get());
    }
    Child::end(children, 0, grace);
    for (const auto& active : active_) {
      active.worker->child.reset();
      model_.give_back(active.worker);
    }
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  std::vector<PointFailure> run() {
    while (next_ < points_.cols() || !active_.empty()) {
      if (stop_.stop_requested()) throw Error(ErrorCategory::interrupted, {.doing = "evaluating the model process", .rule = "stopped on request"});
      take_workers();
      if (!active_.empty()) serve();
    }
    std::vector<PointFailure> failures;
    for (auto& [column, failure] : failures_) failures.push_back(std::move(failure));
    return failures;
  }

 private:
  void take_workers() {
    while (next_ < points_.cols()) {
      Worker* worker = model_.idle_worker(active_.empty(), stop_);
      if (worker == nullptr) return;
      active_.emplace_back();
      active_.back().worker = worker;
      active_.back().column = next_++;
      begin(active_.size() - 1);
    }
  }

  /// Sends the request of an evaluation, starting the program if it does not run. Every attempt has the whole time.
  void begin(std::size_t a) {
    Active& active = active_[a];
    Worker& worker = *active.worker;
    for (Index k = 0; k < points_.rows(); ++k) {
      if (!std::isfinite(points_(k, active.column))) {
        return fail(a, "input " + model_.input_names_[static_cast<std::size_t>(k)] + " is " + to_text(points_(k, active.column)) + ", which JSON cannot say");
      }
    }
    active.greeting = false;
    if (!worker.child) {
      if (!worker.log) worker.log = std::make_unique<ErrorLog>(model_.run_directory_, worker.number);
      worker.log->mark();
      try {
        worker.child = std::make_unique<Child>(worker.command, worker.log->get());
      } catch (const Error& error) {
        return fail(a, error.what());
      }
      if (model_.options_.handshake) {
        worker.child->send(hello_line(model_.input_names_, model_.options_.outputs));
        active.greeting = true;
      }
    }
    const Eigen::VectorXd point = points_.col(active.column);
    worker.child->send(request_line(++worker.last_id, model_.quoted_names_, point.data()));
    active.deadline = Clock::time_point::max();
    const double seconds = model_.options_.timeout_seconds;
    if (seconds > 0) active.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    if (!worker.child->flush()) died(a);
  }

  /// Waits for something to happen and deals with it.
  void serve() {
    std::vector<pollfd> watched = {{wake_.get(), POLLIN, 0}};
    auto deadline = Clock::time_point::max();
    for (const auto& active : active_) {
      const Child& child = *active.worker->child;
      watched.push_back({child.output(), POLLIN, 0});
      watched.push_back({child.sending() ? child.input() : -1, POLLOUT, 0});
      deadline = std::min(deadline, active.deadline);
    }
    int milliseconds = next_ < points_.cols() ? 50 : -1;  // other threads may give workers back meanwhile
    if (deadline != Clock::time_point::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      const int bounded = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
      milliseconds = milliseconds < 0 ? bounded : std::min(milliseconds, bounded);
    }
    const int ready = poll(watched.data(), watched.size(), milliseconds);
    if (ready < 0 && errno != EINTR)
      throw Error(ErrorCategory::internal, {.doing = "waiting for model processes", .rule = std::generic_category().message(errno)});
    if (watched[0].revents != 0) return;
    const auto now = Clock::now();
    // From the back, since an evaluation that ends is replaced by the last one.
    for (std::size_t a = active_.size(); a-- > 0;) {
      const short from_child = ready > 0 ? watched[1 + 2 * a].revents : short{0};
      const short to_child = ready > 0 ? watched[2 + 2 * a].revents : short{0};
      if (from_child != 0) {
        listen(a);
      } else if (to_child != 0 && !active_[a].worker->child->flush()) {
        died(a);
      } else if (now >= active_[a].deadline) {
        timed_out(a);
      }
    }
  }

  void listen(std::size_t a) {
    Worker& worker = *active_[a].worker;
    const auto limit = static_cast<std::size_t>(model_.options_.max_reply_bytes);
    const bool open = worker.child->receive(limit);
    while (auto line = worker.child->take_line()) {
      if (line->size() > limit) return too_long(a);
      if (!active_[a].greeting) return answer(a, *line);
      const Reply reply = parse_reply(*line, worker.last_id, model_.options_.outputs, model_.log_density_);
      if (reply.kind != Reply::Kind::hello) {
        throw Error(ErrorCategory::configuration, {.doing = "greeting the model process",
                                                   .key = model_.section_ + ".handshake",
                                                   .value = "true",
                                                   .rule = reply.kind == Reply::Kind::malformed ? reply.message : "was answered by a reply without \"hello\"",
                                                   .remedy = "Answer the hello line as the guide to process models says, or leave out the handshake"});
      }
      active_[a].greeting = false;
    }
    if (!open) return died(a);
    if (worker.child->waiting() > limit) return too_long(a);
    if (!worker.child->flush()) died(a);
  }

  void answer(std::size_t a, const std::string& line) {
    Worker& worker = *active_[a].worker;
    Reply reply = parse_reply(line, worker.last_id, model_.options_.outputs, model_.log_density_);
    if (worker.child->waiting() > 0 && reply.kind != Reply::Kind::malformed) {
      reply = {Reply::Kind::malformed, {}, "the program wrote more than one line in reply to one request"};
    }
    switch (reply.kind) {
      case Reply::Kind::values:
        values_.col(active_[a].column) = Eigen::Map<const Eigen::VectorXd>(reply.values.data(), values_.rows());
        return finish(a);
      case Reply::Kind::error:
      case Reply::Kind::unusable:
        return fail(a, reply.message);
      case Reply::Kind::hello:
        reply.message = "the program greeted where a reply was due";
        [[fallthrough]];
      case Reply::Kind::malformed:
        // What it says next may belong to this request or to another, so it is replaced.
        stop_child(worker, 0);
        return fail(a, reply.message + stderr_text(worker));
    }
  }

  void too_long(std::size_t a) {
    stop_child(*active_[a].worker, 0);
    fail(a, "the reply is longer than " + std::to_string(model_.options_.max_reply_bytes) + " bytes (" + model_.section_ + ".max_reply_bytes)");
  }

  void timed_out(std::size_t a) {
    stop_child(*active_[a].worker, 0);
    fail(a,
         "timed out after " + to_text(model_.options_.timeout_seconds) + " s (" + model_.section_ + ".timeout_seconds); the process was stopped" +
             stderr_text(*active_[a].worker),
         false);
  }

  void died(std::size_t a) {
    Active& active = active_[a];
    Worker& worker = *active.worker;
    const bool partial = worker.child->waiting() > 0;
    const std::string how = stop_child(worker, patience);
    if (active.deaths++ == 0) return begin(a);
    fail(a, "the process " + how + (partial ? " in the middle of a reply" : " without a reply") + ", also when it was started again" + stderr_text(worker));
  }

  /// Ends the program of a worker. @returns how it ended
  static std::string stop_child(Worker& worker, double wait) {
    Child* child = worker.child.get();
    Child::end({&child, 1}, wait, grace);
    std::string text = child->end_text();
    worker.child.reset();
    return text;
  }

  static std::string stderr_text(const Worker& worker) {
    const std::string tail = worker.log->tail();
    return tail.empty() ? "" : "; its standard error ends: " + tail;
  }

  void fail(std::size_t a, const std::string& message, bool lasting = true) {
    const Index column = active_[a].column;
    failures_[column] = {column, "worker " + std::to_string(active_[a].worker->number) + ": " + message, lasting};
    finish(a);
  }

  void finish(std::size_t a) {
    model_.give_back(active_[a].worker);
    if (a + 1 < active_.size()) active_[a] = active_.back();
    active_.pop_back();
  }

  const ProcessModel& model_;
  const ConstMatrix& points_;
  MutMatrix values_;
  const std::stop_token& stop_;
  StopWake wake_;
  Index next_ = 0;
  std::vector<Active> active_;
  std::map<Index, PointFailure> failures_;
};

std::vector<PointFailure> ProcessModel::evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token& stop) const {
  values.setConstant(std::numeric_limits<double>::quiet_NaN());
  return Batch(*this, points, values, stop).run();
}

bool executable(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

/// The program must exist before any work starts.
void check_program(const ProcessModelOptions& options, const fs::path& base) {
  const std::string& program = options.command.front();
  const fs::path directory = (base / options.directory).lexically_normal();
  std::error_code ignored;
  if (!fs::is_directory(directory.empty() ? fs::path(".") : directory, ignored)) {
    throw Error(ErrorCategory::configuration,
                {.doing = "preparing the model process", .key = "model.directory", .value = "\"" + directory.string() + "\"", .rule = "is not a directory"});
  }
  if (program.find('/') != std::string::npos) {
    if (executable(directory / program)) return;
    throw Error(ErrorCategory::configuration, {.doing = "preparing the model process",
                                               .key = "model.command",
                                               .value = "\"" + program + "\"",
                                               .rule = "is not an executable file in " + (directory.empty() ? std::string(".") : directory.string()),
                                               .remedy = "Relative paths start at model.directory; make the file executable, or name its interpreter first"});
  }
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/bin:/usr/bin";
  while (true) {
    const std::size_t colon = rest.find(':');
    const std::string_view folder = rest.substr(0, colon);
    if (executable((folder.empty() ? fs::path(".") : fs::path(folder)) / program)) return;
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  throw Error(ErrorCategory::configuration, {.doing = "preparing the model process",
                                             .key = "model.command",
                                             .value = "\"" + program + "\"",
                                             .rule = "is not a program on the search path",
                                             .remedy = "Give its path; a file of your own needs \"./\" before its name"});
}

}  // namespace
}  // namespace detail

namespace {

void describe(OptionVisitor& v, ProcessModelOptions& o, bool with_outputs) {
  v.on({.name = "command", .meaning = "program and its arguments; no shell is involved", .required = true, .size_min = 1}, o.command);
  if (with_outputs) v.on({.name = "outputs", .meaning = "names of the outputs", .required = true, .size_min = 1}, o.outputs);
  v.on({.name = "workers", .meaning = "copies of the program that run at once, 0 = one per CPU", .range = between(0, 1024)}, o.workers);
  v.on({.name = "directory", .meaning = "working directory of the program, relative to the configuration file"}, o.directory);
  v.on({.name = "environment", .meaning = "environment variables to set, \"NAME=value\""}, o.environment);
  v.on({.name = "timeout_seconds", .meaning = "longest time for one evaluation, 0 = no limit", .unit = "seconds", .range = between(0, 1e8)}, o.timeout_seconds);
  v.on({.name = "handshake", .meaning = "exchange protocol version and names with the program before the first request"}, o.handshake);
  v.on({.name = "max_reply_bytes", .meaning = "longest line that the program may write", .unit = "bytes", .range = between(64, 1e9)}, o.max_reply_bytes);
}

}  // namespace

void describe(OptionVisitor& v, ProcessModelOptions& o) { describe(v, o, true); }
void describe_program(OptionVisitor& v, ProcessModelOptions& o) { describe(v, o, false); }

std::shared_ptr<const Model> process_model(const ProcessModelOptions& options, const ModelSetting& setting) {
  const auto refuse = [](std::string key, std::string value, std::string rule) {
    throw Error(ErrorCategory::configuration,
                {.doing = "preparing the model process", .key = std::move(key), .value = std::move(value), .rule = std::move(rule)});
  };
  if (options.command.empty() || options.command.front().empty()) refuse("model.command", "[]", "must name a program");
  if (options.outputs.empty()) refuse("model.outputs", "[]", "must name at least one output");
  if (options.workers < 0 || options.workers > 1024) refuse("model.workers", std::to_string(options.workers), "must be in [0, 1024]");
  if (!(options.timeout_seconds >= 0 && options.timeout_seconds <= 1e8))
    refuse("model.timeout_seconds", to_text(options.timeout_seconds), "must be in [0, 1e8]");
  if (options.max_reply_bytes < 64) refuse("model.max_reply_bytes", std::to_string(options.max_reply_bytes), "must be at least 64");
  for (std::size_t k = 0; k < options.outputs.size(); ++k) {
    if (std::find(options.outputs.begin(), options.outputs.begin() + static_cast<std::ptrdiff_t>(k), options.outputs[k]) !=
        options.outputs.begin() + static_cast<std::ptrdiff_t>(k)) {
      refuse("model.outputs", "\"" + options.outputs[k] + "\"", "is named twice");
    }
  }
  for (const auto& variable : options.environment) {
    if (variable.find('=') == std::string::npos || variable.front() == '=')
      refuse("model.environment", "\"" + variable + "\"", "must have the form NAME=value");
  }
  detail::check_program(options, setting.base_directory);
  return std::make_shared<detail::ProcessModel>(options, setting);
}

}  // namespace buffon
