// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <buffon/io/runner.hpp>

namespace buffon::cli {

/// One line of progress for people: phase, per cent, estimate ± error, evaluations per second, time left.
/// @param rate evaluations per second, 0 = not known; @param left seconds, negative = not known
std::string progress_text(const Progress& progress, double rate, double left);

/// Shows a run on stderr: a live line on a terminal, else a line every 10 % or 60 s, or nothing.
class ProgressLine final : public RunObserver {
 public:
  enum class Style { none, lines, live };

  explicit ProgressLine(Style style);
  ~ProgressLine() override;
  void started(const Context& context, const Progress& progress) override;
  void progressed(const Progress& progress) override;
  void note(const std::string& sentence) override;
  void ended() override;

 private:
  using Clock = std::chrono::steady_clock;
  void show();  ///< under the lock
  void clear();
  void loop(const std::stop_token& stop);

  Style style_;
  bool colour_;
  std::mutex guard_;
  std::condition_variable_any wake_;
  std::jthread thread_;
  const Context* context_ = nullptr;
  Progress progress_;
  double first_fraction_ = 0;
  double next_fraction_ = 0;
  Clock::time_point start_, last_shown_;
  bool line_open_ = false;
};

/// What suits stderr: `live` on a terminal that understands control characters, else `lines`; `none` when quiet.
ProgressLine::Style progress_style(bool quiet);

}  // namespace buffon::cli
