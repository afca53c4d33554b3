// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/report/format.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <buffon/core/error.hpp>

namespace buffon {
namespace {

// Decimal exponent of |x| > 0 after rounding to `digits` significant digits.
int exponent_of(double x, int digits) {
  const std::string text = fmt::format("{:.{}e}", x, digits - 1);
  return std::stoi(text.substr(text.find('e') + 1));
}

bool plain(int exponent) { return exponent >= -4 && exponent < 7; }

}  // namespace

std::string format_number(double value, int digits) {
  if (!std::isfinite(value)) return to_text(value);
  if (value == 0) return "0";
  if (value == std::trunc(value) && std::abs(value) < 1e6) return fmt::format("{:.0f}", value);
  const int exponent = exponent_of(value, digits);
  if (!plain(exponent)) return fmt::format("{:.{}e}", value, digits - 1);
  return fmt::format("{:.{}f}", value, std::max(0, digits - 1 - exponent));
}

FormattedEstimate format_estimate(const Estimate& e) {
  if (!std::isfinite(e.std_error) || e.std_error <= 0 || !std::isfinite(e.value)) {
    return {format_number(e.value, 7), format_number(e.std_error, 2), format_number(e.lower, 7), format_number(e.upper, 7)};
  }
  const int error_exponent = exponent_of(e.std_error, 2);
  const double size = std::max(std::abs(e.value), e.std_error);
  const int exponent = exponent_of(size, 2);
  const int decimals = std::clamp((plain(exponent) ? 0 : exponent) - error_exponent + 1, 0, 17);
  const double scale = plain(exponent) ? 1 : std::pow(10.0, -exponent);
  const std::string suffix = plain(exponent) ? "" : fmt::format("e{:+03d}", exponent);
  const auto text = [&](double x) { return std::isfinite(x) ? fmt::format("{:.{}f}{}", x * scale, decimals, suffix) : to_text(x); };
  return {text(e.value), text(e.std_error), text(e.lower), text(e.upper)};
}

std::string format_count(long long n) {
  std::string digits = std::to_string(n < 0 ? -n : n);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3) digits.insert(static_cast<std::size_t>(i), ",");
  return n < 0 ? "-" + digits : digits;
}

std::string format_seconds(double s) {
  if (!std::isfinite(s) || s < 0) return "?";
  if (s < 1) return fmt::format("{:.0f} ms", s * 1e3);
  if (s < 10) return fmt::format("{:.1f} s", s);
  const auto whole = static_cast<long long>(std::llround(s));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace buffon
