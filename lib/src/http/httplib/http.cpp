// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/http/http.hpp>

#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>

#include <httplib.h>

#include <buffon/core/error.hpp>

#include "../../core/sigpipe_block.hpp"

namespace buffon::http {
namespace {

using Clock = std::chrono::steady_clock;
using detail::SigpipeBlock;

// The library hands milliseconds to poll() as an int: 23 days are "no limit".
constexpr double longest_wait = 2e6;
constexpr int most_connections = 512;
constexpr std::size_t largest_request = std::size_t{1} << 28;

std::chrono::microseconds microseconds(double seconds) { return std::chrono::microseconds(static_cast<std::int64_t>(1e6 * seconds)); }

/// Every connection occupies a thread while it is open, so there are as many threads as connections.
class ConnectionThreads final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> work) override {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
    if (static_cast<int>(work_.size()) > idle_ && threads_.size() < most_connections) threads_.emplace_back([this] { serve(); });
    wake_.notify_one();
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

 private:
  void serve() {
    const SigpipeBlock block;
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      wake_.wait(lock, [&] { return ended_ || !work_.empty(); });
      --idle_;
      if (work_.empty()) return;
      const auto work = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> work_;
  std::vector<std::thread> threads_;
  int idle_ = 0;
  bool ended_ = false;
};

}  // namespace

bool available() { return true; }

void require(const std::string&) {}

struct Client::State {
  explicit State(const ClientOptions& options) : client(options.base), answer_seconds(options.answer_seconds), largest_answer(options.largest_answer) {}

  Reply send(httplib::Request request) {
    const SigpipeBlock block;
    const auto start = Clock::now();
    std::string body;
    bool too_long = false;
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      too_long = size > largest_answer - body.size();
      if (!too_long) body.append(data, size);
      return !too_long;
    };
    const httplib::Result result = client.send(request);
    if (result) return {Reply::Kind::answered, result->status, std::move(body)};
    if (too_long) return {Reply::Kind::failed, 0, "the answer is longer than " + std::to_string(largest_answer) + " bytes"};
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    switch (result.error()) {
      case httplib::Error::Connection:
      case httplib::Error::BindIPAddress:
        return {Reply::Kind::refused, 0, "nobody answers there (connection refused, or the host is not known)"};
      case httplib::Error::ConnectionTimeout:
        return {Reply::Kind::timed_out, 0, "no connection in time"};
      case httplib::Error::Read:
        // The library does not tell silence from an end of the connection.
        if (answer_seconds > 0 && seconds > 0.99 * answer_seconds) return {Reply::Kind::timed_out, 0, "no answer in time"};
        [[fallthrough]];
      case httplib::Error::Write:
        return {Reply::Kind::dropped, 0, "the server closed the connection without a whole answer"};
      default:
        return {Reply::Kind::failed, 0, "the request failed: " + httplib::to_string(result.error())};
    }
  }

  httplib::Client client;
  double answer_seconds;
  std::size_t largest_answer;
};

Client::Client(const ClientOptions& options) : state_(std::make_unique<State>(options)) {
  auto& client = state_->client;
  if (!client.is_valid()) {
    throw Error(ErrorCategory::configuration, {.doing = "connecting to a server",
                                               .value = "\"" + options.base + "\"",
                                               .rule = "is not a server that can be reached by HTTP",
                                               .remedy = "Give an address like http://localhost:4242"});
  }
  // Compression costs more than the few numbers of an answer; small messages must not wait for each other.
  httplib::Headers headers = {{"Accept-Encoding", "identity"}};
  for (const auto& [name, value] : options.headers) headers.emplace(name, value);
  client.set_default_headers(std::move(headers));
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  client.set_connection_timeout(microseconds(options.connect_seconds));
  client.set_read_timeout(microseconds(options.answer_seconds > 0 ? std::min(options.answer_seconds, longest_wait) : longest_wait));
  client.set_write_timeout(microseconds(options.answer_seconds > 0 ? std::min(options.answer_seconds, longest_wait) : longest_wait));
}

Client::~Client() = default;

Reply Client::get(const std::string& path) {
  httplib::Request request;
  request.method = "GET";
  request.path = path;
  return state_->send(std::move(request));
}

Reply Client::post(const std::string& path, const std::string& json) {
  httplib::Request request;
  request.method = "POST";
  request.path = path;
  request.body = json;
  request.set_header("Content-Type", "application/json");
  return state_->send(std::move(request));
}

void Client::stop() { state_->client.stop(); }

struct Server::State {
  httplib::Server server;
  int port = 0;
  int socket = -1;
};

Server::Server(const std::string& host, int port, Handler handler) {
  // The library ignores SIGPIPE for the whole process; its threads block it instead.
  struct sigaction before = {};
  sigaction(SIGPIPE, nullptr, &before);
  state_ = std::make_unique<State>();
  sigaction(SIGPIPE, &before, nullptr);

  auto& server = state_->server;
  // Not SO_REUSEPORT, the library's choice: two servers on one port would share the requests between them.
  server.set_socket_options([state = state_.get()](int socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    state->socket = socket;
  });
  server.set_tcp_nodelay(true);
  server.set_keep_alive_max_count(std::numeric_limits<int>::max());
  server.set_keep_alive_timeout(2);
  server.set_payload_max_length(largest_request);
  server.new_task_queue = [] { return new ConnectionThreads; };
  const auto answer = [handler = std::move(handler)](const httplib::Request& request, httplib::Response& response) {
    Answer given = handler(request.method, request.path, request.body);
    response.status = given.status;
    response.set_content(std::move(given.body), "application/json");
  };
  server.Get(".*", answer);
  server.Post(".*", answer);

  errno = 0;
  const bool bound = port == 0 ? (state_->port = server.bind_to_any_port(host)) > 0 : server.bind_to_port(host, port);
  if (!bound) {
    const std::string reason = errno != 0 ? std::generic_category().message(errno) : "the address is not one of this machine";
    throw Error(ErrorCategory::usage, {.doing = "starting a server",
                                       .key = "port",
                                       .value = std::to_string(port) + " on " + host,
                                       .rule = "cannot be listened on: " + reason,
                                       .remedy = "Give another port, or 0 for any free one"});
  }
  if (port != 0) state_->port = port;
  ::listen(state_->socket, most_connections);  // the library lets only 5 connections wait
}

Server::~Server() = default;

int Server::port() const { return state_->port; }

void Server::run(const std::stop_token& stop) {
  std::atomic<bool> ended = false;
  std::jthread watcher([&](const std::stop_token& asked) {
    {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any().wait(lock, asked, [] { return false; });
    }
    // The library loses a stop that comes before it runs.
    while (!state_->server.is_running() && !ended) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (!ended) state_->server.stop();
  });
  const std::stop_callback forward(stop, [&] { watcher.request_stop(); });
  state_->server.listen_after_bind();
  ended = true;
}

}  // namespace buffon::http
