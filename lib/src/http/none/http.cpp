// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/http/http.hpp>

namespace buffon::http {

bool available() { return false; }

void require(const std::string& doing) {
  throw Error(ErrorCategory::configuration, {.doing = doing,
                                             .rule = "needs HTTP, which this build does not have",
                                             .remedy = "Install the package libcpp-httplib-dev and build buffon again, which then finds it"});
}

struct Client::State {};
Client::Client(const ClientOptions&) { require("connecting to a server"); }
Client::~Client() = default;
Reply Client::get(const std::string&) { return {}; }
Reply Client::post(const std::string&, const std::string&) { return {}; }
void Client::stop() {}

struct Server::State {};
Server::Server(const std::string&, int, Handler) { require("starting a server"); }
Server::~Server() = default;
int Server::port() const { return 0; }
void Server::run(const std::stop_token&) {}

}  // namespace buffon::http
