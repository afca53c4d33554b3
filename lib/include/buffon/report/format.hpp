// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/stats/estimate.hpp>

#include <string>
#include <string_view>

namespace buffon {

/// A number for people: `digits` significant digits, plain notation between 1e-4 and 1e7, else "1.23e-09"; whole numbers below a
/// million as they are.
std::string format_number(double value, int digits = 5);

/// An estimate rounded where its standard error has two significant digits: value "0.043857", error "0.000012". Both
/// share one exponent, so that they can be read side by side: "4.3857e-09" and "0.0012e-09".
struct FormattedEstimate {
  std::string value;
  std::string std_error;
  std::string lower;
  std::string upper;
};
FormattedEstimate format_estimate(const Estimate& estimate);

/// 1234567 -> "1,234,567".
std::string format_count(long long n);

/// 95.3 -> "1 min 35 s"; 0.0123 -> "12 ms".
std::string format_seconds(double seconds);

/// Text with & < > " ' replaced, for HTML bodies and attributes.
std::string escape_html(std::string_view text);

}  // namespace buffon
