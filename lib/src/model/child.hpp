// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace buffon::detail {

/// A file descriptor that is closed with its owner, at least 3 so that it never stands in for a standard one.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  void close();

 private:
  int fd_ = -1;
};

/// What is executed: arguments, whole environment, working directory.
struct ChildCommand {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string directory;
};

/// A running program with pipes to its standard input and output, in a process group of its own (so that Ctrl-C at the
/// terminal reaches us first). All pipe ends of ours close on exec and do not block. One thread at a time.
class Child {
 public:
  /// @param standard_error descriptor of the file that receives it
  /// @throws Error(model) when it cannot be started
  Child(const ChildCommand& command, int standard_error);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int input() const { return input_.get(); }
  int output() const { return output_.get(); }

  void send(const std::string& text) { pending_ += text; }
  bool sending() const { return !pending_.empty(); }
  /// Writes what the pipe takes. False when the program does not listen any more.
  bool flush();
  /// Reads what is there, at most until `limit` bytes wait. False at the end of the output.
  bool receive(std::size_t limit);
  /// Takes one whole line, without its end.
  std::optional<std::string> take_line();
  std::size_t waiting() const { return received_.size(); }

  /// How the program ended: "ended with exit status 3", "was killed by signal 11 (Segmentation fault)".
  const std::string& end_text() const { return end_text_; }

  /// Ends programs together: closes their input, waits `patience` seconds for them to go by themselves, sends SIGTERM,
  /// waits `grace` seconds, sends SIGKILL; then no process of theirs is left.
  static void end(std::span<Child* const> children, double patience, double grace);

 private:
  bool reap();
  void signal_group(int signal) const;

  pid_t pid_ = -1;
  bool ended_ = false;
  std::string end_text_;
  Descriptor input_;
  Descriptor output_;
  std::string pending_;
  std::string received_;
  std::size_t searched_ = 0;  ///< bytes of received_ known to hold no end of line
};

}  // namespace buffon::detail
