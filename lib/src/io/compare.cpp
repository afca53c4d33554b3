// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/compare.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

namespace buffon {
namespace {

using Json = nlohmann::ordered_json;

std::vector<NamedEstimate> all_estimates(const Result& result) {
  std::vector<NamedEstimate> all = result.outcome.estimates;
  all.insert(all.end(), result.derived.begin(), result.derived.end());
  return all;
}

const NamedEstimate* find(const std::vector<NamedEstimate>& list, const NamedEstimate& wanted) {
  const auto at = std::find_if(list.begin(), list.end(), [&](const NamedEstimate& e) { return e.name == wanted.name && e.group == wanted.group; });
  return at == list.end() ? nullptr : &*at;
}

ComparedEstimate compared(const NamedEstimate& a, const NamedEstimate& b) {
  ComparedEstimate c{.group = a.group, .name = a.name, .first = a.estimate, .second = b.estimate};
  const double difference = a.estimate.value - b.estimate.value;
  if (std::isnan(a.estimate.value) || std::isnan(b.estimate.value)) {
    c.z = std::numeric_limits<double>::quiet_NaN();
  } else if (a.estimate.value == b.estimate.value) {
    c.z = 0;
  } else if (std::isfinite(a.estimate.value) != std::isfinite(b.estimate.value)) {
    c.z = std::numeric_limits<double>::infinity();
  } else {
    c.z = difference / std::hypot(a.estimate.std_error, b.estimate.std_error);  // ±∞ without any error
  }
  c.p_value = std::erfc(std::abs(c.z) / std::sqrt(2.0));
  return c;
}

std::string shown(const Json& value) {
  std::string text = value.is_number_float() ? to_text(value.get<double>()) : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

/// Depth first, in the order of the file. Parts with a name are shown with it.
std::optional<std::string> first_difference(const Json& a, const Json& b, const std::string& path) {
  if (a == b) return std::nullopt;
  if (a.is_object() && b.is_object()) {
    for (const auto& [key, value] : a.items()) {
      const std::string inner = path.empty() ? key : path + "." + key;
      if (!b.contains(key)) return inner + ": only in the first";
      if (auto found = first_difference(value, b[key], inner)) return found;
    }
  }
  if (a.is_array() && b.is_array()) {
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      std::string inner = path + "[" + std::to_string(i) + "]";
      if (a[i].is_object() && a[i].contains("name")) inner += " (" + a[i]["name"].get<std::string>() + ")";
      if (auto found = first_difference(a[i], b[i], inner)) return found;
    }
    return path + ": " + std::to_string(a.size()) + " and " + std::to_string(b.size()) + " entries";
  }
  return path + ": " + shown(a) + " and " + shown(b);
}

ComparedSelection compared(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  ComparedSelection c{.first_count = static_cast<std::int64_t>(a.size()), .second_count = static_cast<std::int64_t>(b.size())};
  std::vector<std::int64_t> left = a, right = b, both;
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  std::set_intersection(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(both));
  c.common = static_cast<std::int64_t>(both.size());
  if (a == b) return c;
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto shown = [](const auto& at, const std::vector<std::int64_t>& rows) { return at == rows.end() ? std::string("none") : std::to_string(*at); };
  c.first_difference = "row " + std::to_string(x - a.begin() + 1) + " of the selection: " + shown(x, a) + " and " + shown(y, b);
  return c;
}

std::string verdict(const Comparison& c, std::size_t judged) {
  const std::string tests = std::to_string(judged) + (judged == 1 ? " estimate" : " estimates");
  if (!c.first_difference) return "The two results are the same, byte for byte.";
  if (c.selection && c.selection->first_difference) {
    return "The two results choose different rows: " + std::to_string(c.selection->common) + " of " + std::to_string(c.selection->first_count) +
           " rows are in both.";
  }
  const std::size_t skipped = c.estimates.size() - judged;
  if (c.smallest_p < c.level) {
    return "The two results differ by more than their errors explain: a difference like the largest of " + tests + " would happen by chance with probability " +
           fmt::format("{:.2g}", c.smallest_p) + " at most.";
  }
  if (!c.only_first.empty() || !c.only_second.empty()) return "What both estimate agrees within the errors, but they do not estimate the same things.";
  if (c.selection && judged == 0) return "The two results choose the same rows in the same order; other parts differ.";
  if (judged == 0) return "None of the estimates can be compared: values or errors are not known.";
  return "The two results agree within their errors (" + tests + ", none differs significantly" +
         (skipped > 0 ? "; " + std::to_string(skipped) + " cannot be compared" : "") + ").";
}

}  // namespace

Comparison compare(const Result& first, const Result& second, double level) {
  if (!(level > 0 && level < 1)) {
    throw Error(ErrorCategory::usage, {.doing = "comparing results", .key = "level", .value = to_text(level), .rule = "must be in (0, 1)"});
  }
  Comparison c;
  c.level = level;
  const auto a = all_estimates(first), b = all_estimates(second);
  std::size_t judged = 0;
  double smallest = 1;
  for (const NamedEstimate& estimate : a) {
    const NamedEstimate* other = find(b, estimate);
    if (other == nullptr) {
      c.only_first.push_back(estimate.name);
      continue;
    }
    c.estimates.push_back(compared(estimate, *other));
    if (std::isnan(c.estimates.back().p_value)) continue;
    ++judged;
    smallest = std::min(smallest, c.estimates.back().p_value);
  }
  for (const NamedEstimate& estimate : b) {
    if (find(a, estimate) == nullptr) c.only_second.push_back(estimate.name);
  }
  if (first.outcome.selection && second.outcome.selection) c.selection = compared(first.outcome.selection->rows, second.outcome.selection->rows);
  if (c.estimates.empty() && !c.selection) {
    throw Error(
        ErrorCategory::data,
        {.doing = "comparing results", .rule = "they have no estimate in common, and not both choose rows", .remedy = "compare runs of the same quantities"});
  }
  c.smallest_p = std::min(1.0, smallest * static_cast<double>(std::max<std::size_t>(1, judged)));
  c.first_difference = first_difference(Json::parse(reproducible_part(first)), Json::parse(reproducible_part(second)), "");
  const bool same_rows = c.selection && !c.selection->first_difference;
  c.agree =
      c.smallest_p >= level && c.only_first.empty() && c.only_second.empty() && (judged > 0 || !c.first_difference || same_rows) && (!c.selection || same_rows);
  c.verdict = verdict(c, judged);
  return c;
}

}  // namespace buffon
