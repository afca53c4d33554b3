// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

/// HTTP/1.1 as far as model servers need it. The only place that knows the HTTP library; without that library everything
/// here throws Error(configuration) that names the package.
namespace buffon::http {

/// Whether this build has HTTP.
bool available();

/// @throws Error(configuration) when this build has no HTTP. @param doing what needs it
void require(const std::string& doing);

struct ClientOptions {
  std::string base;             ///< "http://host:port" (or https)
  double connect_seconds = 10;  ///< longest time to connect
  double answer_seconds = 0;    ///< longest silence of the server; 0 = no limit
  std::vector<std::pair<std::string, std::string>> headers;
  std::size_t largest_answer = std::size_t{1} << 20;  ///< bytes; a longer answer fails
};

/// What came of a request.
struct Reply {
  enum class Kind {
    answered,   ///< `status` and the body in `text`
    refused,    ///< nobody listens there, or the host is not known
    dropped,    ///< the connection ended before the answer was complete
    timed_out,  ///< no connection, or no answer, in time
    failed      ///< anything else
  };
  Kind kind = Kind::failed;
  int status = 0;
  std::string text;  ///< the body, or one line about what went wrong
};

/// One connection, kept open between requests. One request at a time; `stop` may come from any thread.
class Client {
 public:
  /// @throws Error(configuration) when the base is not understood
  explicit Client(const ClientOptions& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Reply get(const std::string& path);
  Reply post(const std::string& path, const std::string& json);
  /// Breaks off the request under way, which then counts as dropped.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct Answer {
  int status = 200;
  std::string body;  ///< JSON
};

/// Called from several threads at once. @param method GET or POST
using Handler = std::function<Answer(const std::string& method, const std::string& path, const std::string& body)>;

/// Listens from its construction on; answers while `run` runs, one thread per connection.
class Server {
 public:
  /// @param port 0 = any free one. @throws Error(usage) when it cannot listen there
  Server(const std::string& host, int port, Handler handler);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  /// Returns some time after `stop` fired, when the requests under way are answered.
  void run(const std::stop_token& stop);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace buffon::http
