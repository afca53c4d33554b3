// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/runner.hpp>

#include "descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

namespace buffon {
namespace {

constexpr std::array<int, 3> signals = {SIGINT, SIGTERM, SIGUSR1};

// A handler may only touch lock-free atomics and call write(); asking a stop_source to stop takes locks, so that a thread
// of its own does it, woken through a pipe.
std::atomic<int> wake_pipe = -1;
std::atomic<int> received = 0;
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void on_signal(int number) {
  const int saved = errno;
  int none = 0;
  if (!received.compare_exchange_strong(none, number)) {
    if (number == SIGINT) ::_exit(130);  // a second Ctrl-C; batch systems repeat the other signals while the state is being saved
    return;
  }
  const char byte = 's';
  [[maybe_unused]] const ssize_t written = ::write(wake_pipe.load(), &byte, 1);
  errno = saved;
}

}  // namespace

struct SignalStop::State {
  std::stop_source source;
  io_detail::Descriptor in, out;
  std::array<struct sigaction, signals.size()> before = {};
  std::thread watcher;
};

SignalStop::SignalStop() : state_(std::make_unique<State>()) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(ErrorCategory::internal, {.doing = "preparing for signals", .rule = std::strerror(errno)});
  state_->in = io_detail::Descriptor(ends[0]);
  state_->out = io_detail::Descriptor(ends[1]);
  received = 0;
  wake_pipe = ends[1];
  state_->watcher = std::thread([state = state_.get()] {
    char byte = 0;
    while (::read(state->in.number(), &byte, 1) < 0 && errno == EINTR) {
    }
    if (byte == 's') state->source.request_stop();
  });
  for (std::size_t i = 0; i < signals.size(); ++i) {
    struct sigaction action = {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    ::sigaction(signals[i], &action, &state_->before[i]);
  }
}

SignalStop::~SignalStop() {
  for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], &state_->before[i], nullptr);
  const char byte = 'q';
  [[maybe_unused]] const ssize_t written = ::write(state_->out.number(), &byte, 1);
  state_->watcher.join();
}

std::stop_token SignalStop::token() const { return state_->source.get_token(); }

std::string SignalStop::signal_name() const {
  const int number = received;
  return number == SIGINT ? "SIGINT" : number == SIGTERM ? "SIGTERM" : number == SIGUSR1 ? "SIGUSR1" : "";
}

}  // namespace buffon
