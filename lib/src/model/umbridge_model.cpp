// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/umbridge_model.hpp>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>

#include <buffon/core/error.hpp>
#include <buffon/http/http.hpp>

#include "json_lines.hpp"
#include "umbridge_protocol.hpp"

namespace buffon {
namespace detail {
namespace {

[[noreturn]] void refuse_umbridge(std::string key, std::string value, std::string rule, std::string remedy = {}) {
  throw Error(ErrorCategory::configuration, {.doing = "preparing the UM-Bridge model",
                                             .key = "model." + std::move(key),
                                             .value = std::move(value),
                                             .rule = std::move(rule),
                                             .remedy = std::move(remedy)});
}

std::string in_quotes(const std::string& text) { return "\"" + text + "\""; }

/// Where the server is: base and the path below which its addresses lie.
struct Address {
  std::string base, path;
};

Address read_url(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::string before = url.substr(0, scheme);
  if (scheme == std::string::npos || (before != "http" && before != "https") || url.find_first_of(" \t\r\n?#") != std::string::npos ||
      url.size() == scheme + 3 || url[scheme + 3] == '/') {
    refuse_umbridge("url", in_quotes(one_line(url, 200)), "is not the address of a server", "Give an address like http://localhost:4242");
  }
  const std::size_t slash = std::min(url.find('/', scheme + 3), url.size());
  Address address{url.substr(0, slash), url.substr(slash)};
  while (!address.path.empty() && address.path.back() == '/') address.path.pop_back();
  return address;
}

std::vector<std::pair<std::string, std::string>> read_headers(const std::vector<std::string>& headers) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& header : headers) {
    const std::size_t colon = header.find(':');
    if (colon == std::string::npos || colon == 0 || header.find_first_of("\r\n") != std::string::npos) {
      refuse_umbridge("headers", in_quotes(one_line(header.substr(0, colon), 80)), "must have the form \"Name: value\"");
    }
    const std::size_t start = std::min(header.find_first_not_of(' ', colon + 1), header.size());
    pairs.emplace_back(header.substr(0, colon), header.substr(start));
  }
  return pairs;
}

class UmbridgeModel final : public Model {
 public:
  UmbridgeModel(UmbridgeModelOptions options, const ModelSetting& setting)
      : options_(std::move(options)), input_names_(setting.input_names), log_density_(setting.log_density) {
    const Address address = read_url(options_.url);
    path_ = address.path;
    connection_ = {.base = address.base,
                   .connect_seconds = options_.connect_timeout_seconds,
                   .answer_seconds = options_.timeout_seconds,
                   .headers = read_headers(options_.headers)};
    auto config = parse_config(options_.config);
    if (!config.fault.empty()) refuse_umbridge("config", in_quotes(one_line(options_.config, 200)), config.fault, "Write it like {\"order\":4}");
    options_.config = std::move(config.value);
    ask_server();
  }

  ~UmbridgeModel() override {
    for (auto& lane : lanes_) lane->thread.request_stop();
  }
  UmbridgeModel(const UmbridgeModel&) = delete;
  UmbridgeModel& operator=(const UmbridgeModel&) = delete;

  Index input_size() const override { return static_cast<Index>(input_names_.size()); }
  Index output_size() const override { return static_cast<Index>(output_names_.size()); }
  const std::vector<std::string>& output_names() const override { return output_names_; }
  // Enough that no connection waits for the slowest of a batch for long, few enough that little is lost when a run is killed.
  Index preferred_batch() const override { return 4 * static_cast<Index>(options_.max_in_flight); }

  std::vector<PointFailure> evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token& stop) const override {
    values.setConstant(std::numeric_limits<double>::quiet_NaN());
    Batch batch{.points = points, .values = values};
    std::unique_lock lock(mutex_);
    for (Index i = 0; i < points.cols(); ++i) queue_.push_back({&batch, i});
    batch.open = points.cols();
    const auto most = static_cast<std::size_t>(options_.max_in_flight);
    while (lanes_.size() < most && lanes_.size() < busy_ + queue_.size()) start_lane();
    work_.notify_all();
    batch.changed.wait(lock, stop, [&] { return batch.open == 0 || batch.error; });
    if (batch.open > 0) break_off(batch, lock);
    if (batch.error) std::rethrow_exception(batch.error);
    if (stop.stop_requested() && batch.cancelled)
      throw Error(ErrorCategory::interrupted, {.doing = "evaluating the UM-Bridge model", .rule = "stopped on request"});
    std::vector<PointFailure> failures;
    for (auto& [column, failure] : batch.failures) failures.push_back(std::move(failure));
    return failures;
  }

 private:
  /// The evaluations of one call; all but the matrices under the lock.
  struct Batch {
    const ConstMatrix& points;
    MutMatrix values;
    Index open = 0;          ///< evaluations not finished
    bool cancelled = false;  ///< nobody waits for the values any more
    std::map<Index, PointFailure> failures = {};
    std::exception_ptr error = {};
    std::condition_variable_any changed = {};
  };
  struct Task {
    Batch* batch = nullptr;
    Index column = 0;
  };
  /// One connection with the thread that uses it.
  struct Lane {
    explicit Lane(const http::ClientOptions& options) : client(options) {}
    http::Client client;
    Batch* working_on = nullptr;
    std::jthread thread;  // last, so that it ends first
  };

  void start_lane() const {
    lanes_.push_back(std::make_unique<Lane>(connection_));
    Lane& lane = *lanes_.back();
    lane.thread = std::jthread([this, &lane](const std::stop_token& end) { serve(lane, end); });
  }

  void serve(Lane& lane, const std::stop_token& end) const {
    std::unique_lock lock(mutex_);
    while (work_.wait(lock, end, [&] { return !queue_.empty(); })) {
      const Task task = queue_.front();
      queue_.pop_front();
      Batch& batch = *task.batch;
      lane.working_on = &batch;
      ++busy_;
      lock.unlock();
      Fault fault;
      std::exception_ptr error;
      try {
        fault = evaluate_point(lane, task);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      --busy_;
      lane.working_on = nullptr;
      if (!fault.message.empty()) batch.failures[task.column] = {task.column, std::move(fault.message), fault.lasting};
      if (error && !batch.error) batch.error = error;
      --batch.open;
      batch.changed.notify_all();  // the last use of the batch, under the lock
    }
  }

  /// Takes back what no connection has begun, and breaks the rest off.
  void break_off(Batch& batch, std::unique_lock<std::mutex>& lock) const {
    batch.cancelled = true;
    batch.open -= static_cast<Index>(std::erase_if(queue_, [&](const Task& task) { return task.batch == &batch; }));
    batch.changed.notify_all();
    while (batch.open > 0) {
      std::vector<Lane*> busy;
      for (const auto& lane : lanes_) {
        if (lane->working_on == &batch) busy.push_back(lane.get());
      }
      // A connection that is just being made takes no notice, so it is told again.
      lock.unlock();
      for (Lane* lane : busy) lane->client.stop();
      lock.lock();
      batch.changed.wait_for(lock, std::chrono::milliseconds(10), [&] { return batch.open == 0; });
    }
  }

  struct Fault {
    std::string message = {};  ///< why a point has no value; empty = it has one
    bool lasting = true;
  };

  Fault evaluate_point(Lane& lane, const Task& task) const {
    Batch& batch = *task.batch;
    for (Index k = 0; k < batch.points.rows(); ++k) {
      if (!std::isfinite(batch.points(k, task.column))) {
        return {"input " + input_names_[static_cast<std::size_t>(k)] + " is " + to_text(batch.points(k, task.column)) + ", which JSON cannot say"};
      }
    }
    const Eigen::VectorXd point = batch.points.col(task.column);
    const http::Reply reply = send(lane.client, "/Evaluate", evaluate_request(options_.name, input_sizes_, point.data(), options_.config), &batch);
    switch (reply.kind) {
      case http::Reply::Kind::answered: {
        const auto output = parse_output(reply.status, reply.text, output_sizes_, output_names_, log_density_);
        if (!output.fault.empty()) return {output.fault};
        batch.values.col(task.column) = Eigen::Map<const Eigen::VectorXd>(output.value.data(), output_size());
        return {};
      }
      case http::Reply::Kind::refused:
        unreachable(reply.text + "; it answered before");
      case http::Reply::Kind::timed_out:
        return {reply.text + " (timeout_seconds = " + to_text(options_.timeout_seconds) +
                    ", connect_timeout_seconds = " + to_text(options_.connect_timeout_seconds) + ")",
                false};
      case http::Reply::Kind::dropped:
        return {reply.text + ", " + std::to_string(options_.reconnects + 1) + " times", false};
      case http::Reply::Kind::failed:
        break;
    }
    return {reply.text};
  }

  /// Sends a request; again when the connection was refused or broke, after a growing pause.
  http::Reply send(http::Client& client, const std::string& address, const std::string& body, Batch* batch = nullptr) const {
    auto pause = std::chrono::milliseconds(100);
    for (std::int64_t attempt = 0;; ++attempt) {
      http::Reply reply = body.empty() ? client.get(path_ + address) : client.post(path_ + address, body);
      const bool again = reply.kind == http::Reply::Kind::refused || reply.kind == http::Reply::Kind::dropped;
      if (!again || attempt == options_.reconnects) return reply;
      std::unique_lock lock(mutex_);
      if (batch == nullptr) {
        lock.unlock();
        std::this_thread::sleep_for(pause);
      } else if (batch->changed.wait_for(lock, pause, [&] { return batch->cancelled; })) {
        return {http::Reply::Kind::failed, 0, "stopped"};
      }
      pause = std::min(2 * pause, std::chrono::milliseconds(5000));
    }
  }

  [[noreturn]] void unreachable(const std::string& reason) const {
    throw Error(ErrorCategory::no_input, {.doing = "using the UM-Bridge server",
                                          .key = "model.url",
                                          .value = in_quotes(options_.url),
                                          .rule = "cannot be used: " + reason,
                                          .remedy = "Start the server, or correct the address; a run that had begun continues with `buffon resume`"});
  }

  /// One of the questions before the work.
  template <class Parse>
  auto ask(http::Client& client, const std::string& address, const std::string& body, Parse&& parse) const {
    const http::Reply reply = send(client, address, body);
    if (reply.kind != http::Reply::Kind::answered) unreachable(reply.text);
    auto parsed = parse(reply.status, reply.text);
    if (!parsed.fault.empty()) {
      throw Error(ErrorCategory::no_input, {.doing = "asking the UM-Bridge server for " + address.substr(1),
                                            .key = "model.url",
                                            .value = in_quotes(options_.url),
                                            .rule = parsed.fault,
                                            .remedy = "The server must speak UM-Bridge 1.0; see the guide to UM-Bridge models"});
    }
    return std::move(parsed.value);
  }

  void ask_server() {
    http::Client client(connection_);
    const auto models = ask(client, "/Info", "", parse_info);
    choose(models);
    if (!ask(client, "/ModelInfo", model_info_request(options_.name), parse_evaluate_support)) {
      refuse_umbridge("name", in_quotes(options_.name), "does not support Evaluate, says its server");
    }
    const std::string question = sizes_request(options_.name, options_.config);
    const auto sizes = [](const char* key) { return [key](int status, std::string_view body) { return parse_sizes(status, body, key); }; };
    input_sizes_ = ask(client, "/InputSizes", question, sizes("inputSizes"));
    output_sizes_ = ask(client, "/OutputSizes", question, sizes("outputSizes"));
    const std::int64_t inputs = std::accumulate(input_sizes_.begin(), input_sizes_.end(), std::int64_t{0});
    if (inputs != static_cast<std::int64_t>(input_names_.size())) {
      throw Error(ErrorCategory::configuration,
                  {.doing = "preparing the UM-Bridge model",
                   .key = log_density_ ? "parameters" : "inputs",
                   .value = std::to_string(input_names_.size()) + (log_density_ ? " numbers" : " inputs"),
                   .rule = "must be the " + std::to_string(inputs) + " inputs of model " + in_quotes(options_.name) + " at " + options_.url,
                   .remedy = log_density_ ? "Give [[parameters]] with as many components as the model takes numbers, vector by vector"
                                          : "Give one [[inputs]] for every number that the model takes, vector by vector"});
    }
    const auto outputs = static_cast<std::size_t>(std::accumulate(output_sizes_.begin(), output_sizes_.end(), std::int64_t{0}));
    if (!options_.outputs.empty() && options_.outputs.size() != outputs) {
      refuse_umbridge("outputs", std::to_string(options_.outputs.size()) + " names", "must be as many as the model has outputs, " + std::to_string(outputs),
                      "Leave them out to call the outputs out0, out1, ...");
    }
    output_names_ = options_.outputs;
    // A number takes at most 25 characters; pretty printing and fields of their own are welcome.
    connection_.largest_answer = 65536 + 256 * outputs;
    for (std::size_t k = output_names_.size(); k < outputs; ++k) output_names_.push_back("out" + std::to_string(k));
  }

  void choose(const std::vector<std::string>& models) {
    if (options_.name.empty() && models.size() == 1) options_.name = models.front();
    if (std::find(models.begin(), models.end(), options_.name) != models.end()) return;
    std::string all;
    for (const auto& model : models) all += (all.empty() ? "" : ", ") + model;
    const std::string near(options_.name.empty() ? "" : nearest(options_.name, models));
    refuse_umbridge("name", in_quotes(options_.name),
                    options_.name.empty() ? "must be given, since the server offers several models" : "is not offered by the server",
                    (near.empty() ? "" : "Did you mean " + in_quotes(near) + "? ") + "There are " + one_line(all, 1000));
  }

  UmbridgeModelOptions options_;
  std::vector<std::string> input_names_, output_names_;
  bool log_density_;  ///< the output may be −∞
  std::vector<std::int64_t> input_sizes_, output_sizes_;
  std::string path_;
  http::ClientOptions connection_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any work_;
  mutable std::deque<Task> queue_;
  mutable std::size_t busy_ = 0;
  mutable std::vector<std::unique_ptr<Lane>> lanes_;  // last: their threads use the rest
};

}  // namespace
}  // namespace detail

namespace {

void describe(OptionVisitor& v, UmbridgeModelOptions& o, bool with_outputs) {
  v.on({.name = "url", .meaning = "address of the server, like http://localhost:4242", .required = true}, o.url);
  v.on({.name = "name", .meaning = "name of the model; left out: the only one that the server offers"}, o.name);
  if (with_outputs) v.on({.name = "outputs", .meaning = "names of the outputs, one for every number; left out: out0, out1, ..."}, o.outputs);
  v.on({.name = "config", .meaning = "goes with every request; the server says what it means", .json = true}, o.config);
  v.on({.name = "max_in_flight", .meaning = "requests under way at once", .range = between(1, 1024)}, o.max_in_flight);
  v.on({.name = "timeout_seconds", .meaning = "longest silence of the server during one evaluation, 0 = no limit", .unit = "seconds", .range = between(0, 1e6)},
       o.timeout_seconds);
  v.on({.name = "connect_timeout_seconds", .meaning = "longest time to connect", .unit = "seconds", .range = between(1e-3, 1e6)}, o.connect_timeout_seconds);
  v.on({.name = "reconnects", .meaning = "attempts after a refused or broken connection", .range = between(0, 1000)}, o.reconnects);
  v.on({.name = "headers", .meaning = "\"Name: value\" lines for every request; they are stored with the run"}, o.headers);
}

}  // namespace

void describe(OptionVisitor& v, UmbridgeModelOptions& o) { describe(v, o, true); }
void describe_server(OptionVisitor& v, UmbridgeModelOptions& o) { describe(v, o, false); }

std::shared_ptr<const Model> umbridge_model(const UmbridgeModelOptions& options, const ModelSetting& setting) {
  http::require("preparing the UM-Bridge model");
  std::set<std::string> seen;
  for (const auto& name : options.outputs) {
    if (!seen.insert(name).second) detail::refuse_umbridge("outputs", detail::in_quotes(name), "is named twice");
  }
  if (options.max_in_flight < 1 || options.max_in_flight > 1024)
    detail::refuse_umbridge("max_in_flight", std::to_string(options.max_in_flight), "must be in [1, 1024]");
  if (!(options.timeout_seconds >= 0 && options.timeout_seconds <= 1e6))
    detail::refuse_umbridge("timeout_seconds", to_text(options.timeout_seconds), "must be in [0, 1e6]");
  if (!(options.connect_timeout_seconds >= 1e-3 && options.connect_timeout_seconds <= 1e6))
    detail::refuse_umbridge("connect_timeout_seconds", to_text(options.connect_timeout_seconds), "must be in [0.001, 1e6]");
  if (options.reconnects < 0 || options.reconnects > 1000) detail::refuse_umbridge("reconnects", std::to_string(options.reconnects), "must be in [0, 1000]");
  return std::make_shared<detail::UmbridgeModel>(options, setting);
}

}  // namespace buffon
