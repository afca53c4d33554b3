// SPDX-License-Identifier: BSD-3-Clause
#include "progress_line.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <buffon/report/format.hpp>

namespace buffon::cli {
namespace {

/// Cuts a UTF-8 text to `width` characters.
std::string cut(const std::string& text, int width) {
  int characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 && ++characters > width) return text.substr(0, i);
  }
  return text;
}

int terminal_width() {
  struct winsize size = {};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string progress_text(const Progress& progress, double rate, double left) {
  std::string text = fmt::format("{:3.0f} %", std::floor(100 * std::clamp(progress.fraction, 0.0, 1.0)));
  if (left >= 0) text += ", " + format_seconds(left) + " left";
  if (!progress.phase.empty()) text += "  " + progress.phase;
  if (progress.current) {
    const FormattedEstimate shown = format_estimate(*progress.current);
    text += fmt::format("  {} = {} ± {}", progress.name, shown.value, shown.std_error);
  }
  text += fmt::format("  {} evaluations", format_count(progress.evaluations));  // what a narrow terminal cuts off matters least
  if (rate > 0) text += fmt::format(", {:.3g}/s", rate);
  return text;
}

ProgressLine::Style progress_style(bool quiet) {
  if (quiet) return ProgressLine::Style::none;
  const char* terminal = std::getenv("TERM");
  const bool simple = terminal == nullptr || std::string_view(terminal) == "dumb";
  return ::isatty(STDERR_FILENO) == 1 && !simple ? ProgressLine::Style::live : ProgressLine::Style::lines;
}

ProgressLine::ProgressLine(Style style) : style_(style) {
  const char* no_colour = std::getenv("NO_COLOR");
  colour_ = style == Style::live && (no_colour == nullptr || *no_colour == '\0');
}

ProgressLine::~ProgressLine() { ended(); }

void ProgressLine::started(const Context& context, const Progress& progress) {
  const std::scoped_lock lock(guard_);
  context_ = &context;
  progress_ = progress;
  first_fraction_ = progress.fraction;
  next_fraction_ = std::floor(progress.fraction * 10) / 10 + 0.1;
  start_ = last_shown_ = Clock::now();
  if (style_ != Style::none) {
    thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
  }
}

void ProgressLine::progressed(const Progress& progress) {
  const std::scoped_lock lock(guard_);
  progress_ = progress;
  if (style_ == Style::lines && progress.fraction >= next_fraction_) show();
}

void ProgressLine::note(const std::string& sentence) {
  const std::scoped_lock lock(guard_);
  clear();
  std::fprintf(stderr, "buffon: %s\n", sentence.c_str());
}

void ProgressLine::ended() {
  thread_ = {};  // asks the thread to stop and waits for it
  const std::scoped_lock lock(guard_);
  clear();
  context_ = nullptr;
}

void ProgressLine::clear() {
  if (line_open_) std::fputs("\r\x1b[K", stderr);
  line_open_ = false;
}

void ProgressLine::show() {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(context_->evaluations()) / seconds : 0;
  const double done = progress_.fraction - first_fraction_;
  const double left = done > 0.005 && progress_.fraction < 1 ? seconds * (1 - progress_.fraction) / done : -1;
  const std::string text = progress_text(progress_, rate, left);
  if (style_ == Style::live) {
    const std::string shown = cut(text, terminal_width() - 1);
    std::fprintf(stderr, colour_ ? "\r\x1b[K\x1b[36m%s\x1b[0m" : "\r\x1b[K%s", shown.c_str());
    std::fflush(stderr);
    line_open_ = true;
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
    next_fraction_ = std::floor(progress_.fraction * 10) / 10 + 0.1;
  }
  last_shown_ = Clock::now();
}

void ProgressLine::loop(const std::stop_token& stop) {
  const auto period = style_ == Style::live ? std::chrono::milliseconds(200) : std::chrono::milliseconds(60000);
  std::unique_lock lock(guard_);
  while (!stop.stop_requested()) {
    wake_.wait_for(lock, stop, period, [] { return false; });
    if (stop.stop_requested()) return;
    if (style_ == Style::live || Clock::now() - last_shown_ >= period) show();
  }
}

}  // namespace buffon::cli
