// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

/// A minimal HTTP server of the tests: answers requests on a free port of this machine with whatever the test says, one
/// thread per connection, and can break connections off.
class PlainServer {
 public:
  struct Answer {
    int status = 200;
    std::string body = {};
    bool drop = false;  ///< close the connection without an answer
  };
  using Handler = std::function<Answer(const std::string& path, const std::string& head, const std::string& body)>;

  explicit PlainServer(Handler handler) : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0) throw std::runtime_error("cannot listen");
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~PlainServer() { stop(); }
  PlainServer(const PlainServer&) = delete;
  PlainServer& operator=(const PlainServer&) = delete;

  /// Closes everything; later connections are refused.
  void stop() {
    if (ended_.exchange(true)) return;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : open_) ::shutdown(connection, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int requests() const { return requests_; }

 private:
  void accept_all() {
    for (int connection = 0; (connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      const std::lock_guard lock(mutex_);
      open_.push_back(connection);
      threads_.emplace_back([this, connection] {
        serve(connection);
        const std::lock_guard closing(mutex_);
        open_.remove(connection);
        ::close(connection);
      });
    }
  }

  void serve(int connection) {
    const int yes = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    std::string received;
    char buffer[4096];
    while (true) {
      std::size_t head_end = 0, size = 0;
      while (true) {
        head_end = received.find("\r\n\r\n");
        if (head_end != std::string::npos) {
          const std::size_t at = received.find("Content-Length: ");
          size = at < head_end ? std::stoul(received.substr(at + 16)) : 0;
          if (received.size() >= head_end + 4 + size) break;
        }
        const ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
        if (got <= 0) return;
        received.append(buffer, static_cast<std::size_t>(got));
      }
      const std::string head = received.substr(0, head_end), body = received.substr(head_end + 4, size);
      received.erase(0, head_end + 4 + size);
      ++requests_;
      const std::size_t path = head.find(' ') + 1;
      const Answer answer = handler_(head.substr(path, head.find(' ', path) - path), head, body);
      if (answer.drop) return;
      const std::string text = "HTTP/1.1 " + std::to_string(answer.status) +
                               " Said\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
      if (::send(connection, text.data(), text.size(), MSG_NOSIGNAL) < 0) return;
    }
  }

  Handler handler_;
  int listener_;
  int port_ = 0;
  std::thread acceptor_;
  std::mutex mutex_;
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::atomic<bool> ended_ = false;
  std::atomic<int> requests_ = 0;
};
