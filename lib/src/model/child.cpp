// SPDX-License-Identifier: BSD-3-Clause
#include "child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <system_error>

#include <buffon/core/error.hpp>

#include "../core/sigpipe_block.hpp"

namespace buffon::detail {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void cannot(const std::string& what, int error) {
  throw Error(ErrorCategory::model, {.doing = "starting the model process", .rule = what + ": " + std::generic_category().message(error)});
}

Descriptor above_standard(int fd) {
  if (fd > 2) return Descriptor(fd);
  const Descriptor low(fd);
  return Descriptor(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

std::pair<Descriptor, Descriptor> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) cannot("no pipe can be made", errno);
  Descriptor reading = above_standard(ends[0]);
  Descriptor writing = above_standard(ends[1]);
  return {std::move(reading), std::move(writing)};
}

void do_not_block(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const auto& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

void sleep_a_little() {
  const timespec pause{.tv_sec = 0, .tv_nsec = 2'000'000};
  nanosleep(&pause, nullptr);
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.fd_;
    other.fd_ = -1;
  }
  return *this;
}

void Descriptor::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Child::Child(const ChildCommand& command, int standard_error) {
  auto [child_input, our_input] = make_pipe();
  auto [our_output, child_output] = make_pipe();
  do_not_block(our_input.get());
  do_not_block(our_output.get());

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, child_input.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, child_output.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, standard_error, 2);
  posix_spawn_file_actions_addchdir_np(&actions, command.directory.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  auto arguments = pointers(command.arguments);
  auto environment = pointers(command.environment);
  const int error = posix_spawnp(&pid_, arguments[0], &actions, &attributes, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) cannot("\"" + command.arguments[0] + "\" cannot be started in " + command.directory, error);
  input_ = std::move(our_input);
  output_ = std::move(our_output);
}

Child::~Child() {
  Child* self = this;
  end({&self, 1}, 0.0, 0.2);
}

bool Child::flush() {
  const SigpipeBlock block;
  while (!pending_.empty()) {
    const ssize_t written = ::write(input_.get(), pending_.data(), pending_.size());
    if (written >= 0) {
      pending_.erase(0, static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      return true;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool Child::receive(std::size_t limit) {
  char buffer[65536];
  while (received_.size() <= limit) {
    const ssize_t size = ::read(output_.get(), buffer, sizeof buffer);
    if (size > 0) {
      received_.append(buffer, static_cast<std::size_t>(size));
    } else if (size == 0) {
      return false;
    } else if (errno == EAGAIN) {
      return true;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

std::optional<std::string> Child::take_line() {
  const std::size_t end = received_.find('\n', searched_);
  if (end == std::string::npos) {
    searched_ = received_.size();
    return std::nullopt;
  }
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 1);
  searched_ = 0;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

void Child::signal_group(int signal) const {
  if (!ended_) ::kill(-pid_, signal);
}

bool Child::reap() {
  if (ended_) return true;
  siginfo_t info{};
  const int looked = waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  if (looked != 0 && errno == EINTR) return false;
  if (looked == 0 && info.si_pid == 0) return false;
  // The program is a zombie still, so that the number of its group cannot have been given to another.
  signal_group(SIGKILL);
  int status = 0;
  pid_t reaped = 0;
  do reaped = waitpid(pid_, &status, 0);
  while (reaped < 0 && errno == EINTR);
  if (reaped != pid_) {
    end_text_ = "ended";
  } else if (WIFSIGNALED(status)) {
    end_text_ = "was killed by signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
  } else {
    end_text_ = "ended with exit status " + std::to_string(WEXITSTATUS(status));
  }
  ended_ = true;
  return true;
}

void Child::end(std::span<Child* const> children, double patience, double grace) {
  const auto all_reaped = [&](double seconds) {
    const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
    while (true) {
      bool all = true;
      for (Child* child : children) all = child->reap() && all;
      if (all || Clock::now() >= deadline) return all;
      sleep_a_little();
    }
  };
  for (Child* child : children) child->input_.close();
  if (all_reaped(patience)) return;
  for (Child* child : children) child->signal_group(SIGTERM);
  if (all_reaped(grace)) return;
  for (Child* child : children) child->signal_group(SIGKILL);
  while (!all_reaped(1.0)) {
  }
}

}  // namespace buffon::detail
