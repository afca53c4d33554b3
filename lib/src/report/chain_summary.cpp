// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/report/chain_summary.hpp>
#include <buffon/report/format.hpp>
#include <buffon/stats/chain_tables.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace buffon {
namespace {

const std::string none = "–";

/// Rounded where the error has two significant digits.
std::string with_error(double value, double error) {
  if (std::isnan(value)) return none;
  if (!(error > 0) || !std::isfinite(error) || !std::isfinite(value)) return format_number(value);
  const int place = static_cast<int>(std::floor(std::log10(error))) - 1;  // of the last digit
  const double size = std::abs(value);
  if (error < 1e7 && size < 1e7 && place > -7) {
    const std::string text = fmt::format("{:.{}f}", value, std::max(0, -place));
    return text.front() == '-' && text.find_first_of("123456789") == std::string::npos ? text.substr(1) : text;  // not "-0.0"
  }
  const int digits = size == 0 ? 0 : static_cast<int>(std::floor(std::log10(size))) - place;
  return fmt::format("{:.{}e}", value, std::clamp(digits, 1, 16));
}

std::string count(double value) {
  if (!std::isfinite(value)) return none;
  return value < 1e15 ? format_count(std::llround(value)) : format_number(value, 3);
}

}  // namespace

std::vector<std::vector<std::string>> format_summary(const Table& summary, double seconds) {
  std::vector<std::vector<std::string>> rows = {{"", "Mean", "MCSE", "StdDev", "MAD", "5%", "50%", "95%", "ESS_bulk", "ESS_tail", "ESS_bulk/s", "R_hat"}};
  for (const ChainSummary& s : summary_from(summary)) {
    const auto number = [&](double value) { return with_error(value, s.mcse); };
    const double rate = s.ess_bulk / seconds;
    rows.push_back({s.name, number(s.mean), std::isfinite(s.mcse) ? format_number(s.mcse, 2) : none, number(s.sd), number(s.mad), number(s.q5),
                    number(s.median), number(s.q95), count(s.ess_bulk), count(s.ess_tail),
                    rate >= 100           ? count(rate)
                    : std::isfinite(rate) ? format_number(rate, 3)
                                          : none,
                    std::isnan(s.rhat) ? none : fmt::format("{:.3f}", s.rhat)});
  }
  return rows;
}

}  // namespace buffon
