// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace buffon::bench {

/// A peer in Python: a child process that answers lines of JSON. The interpreter is the one that the environment variable BUFFON_PEER_PYTHON
/// names, else the one found when the benchmarks were configured.
class PythonPeer {
 public:
  /// @param threads of its BLAS and OpenMP, 0 = as many as it likes
  PythonPeer(const std::string& script, const std::vector<std::string>& arguments, int threads) {
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0) throw std::runtime_error("no pipe");
    process_ = fork();
    if (process_ < 0) throw std::runtime_error("no process");
    if (process_ == 0) {
      dup2(to[0], STDIN_FILENO);
      dup2(from[1], STDOUT_FILENO);
      for (const int end : {to[0], to[1], from[0], from[1]}) close(end);
      if (threads > 0) {
        setenv("OPENBLAS_NUM_THREADS", std::to_string(threads).c_str(), 1);
        setenv("OMP_NUM_THREADS", std::to_string(threads).c_str(), 1);
      }
      unsetenv("OPENBLAS_CORETYPE");  // the best core for this CPU
      const std::string python = interpreter();
      std::vector<char*> words = {const_cast<char*>(python.c_str()), const_cast<char*>(script.c_str())};
      for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
      words.push_back(nullptr);
      execv(python.c_str(), words.data());
      _exit(127);
    }
    close(to[0]);
    close(from[1]);
    in_ = fdopen(to[1], "w");
    out_ = fdopen(from[0], "r");
  }
  PythonPeer(const PythonPeer&) = delete;
  PythonPeer& operator=(const PythonPeer&) = delete;
  ~PythonPeer() {
    std::fclose(in_);
    std::fclose(out_);
    waitpid(process_, nullptr, 0);
  }

  static std::string interpreter() {
    const char* given = std::getenv("BUFFON_PEER_PYTHON");
    return given != nullptr ? given : BUFFON_PEER_PYTHON;
  }

  /// The next line of the peer; nothing when it ended.
  std::optional<nlohmann::json> answer() {
    char* line = nullptr;
    std::size_t size = 0;
    const ssize_t length = getline(&line, &size, out_);
    std::optional<nlohmann::json> value;
    if (length > 0) value = nlohmann::json::parse(line, line + length);
    std::free(line);
    return value;
  }
  nlohmann::json ask(const nlohmann::json& request) {
    std::fprintf(in_, "%s\n", request.dump().c_str());
    std::fflush(in_);
    auto value = answer();
    if (!value) throw std::runtime_error("the peer ended");
    return *value;
  }

 private:
  pid_t process_ = 0;
  std::FILE *in_ = nullptr, *out_ = nullptr;
};

}  // namespace buffon::bench
