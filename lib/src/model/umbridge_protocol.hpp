// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// UM-Bridge, protocol 1.0, as a client speaks it: requests and answers as texts, without a connection. Answers come
/// from anywhere: no bytes make these functions throw or crash.
namespace buffon::detail {

constexpr std::int64_t largest_total_size = 1'000'000;  ///< numbers that a model may take or give

/// What an answer says, or in one line for people why it says nothing.
template <class Value>
struct Parsed {
  Value value = {};
  std::string fault;
};

/// {"protocolVersion":1.0,"models":["forward"]} @returns the names
Parsed<std::vector<std::string>> parse_info(int status, std::string_view body);

/// {"support":{"Evaluate":true}} @returns whether the model can be evaluated
Parsed<bool> parse_evaluate_support(int status, std::string_view body);

/// {"inputSizes":[4,2]} @param key "inputSizes" or "outputSizes"
Parsed<std::vector<std::int64_t>> parse_sizes(int status, std::string_view body, const std::string& key);

/// {"output":[[0.25],[1,2]]} @returns the numbers one after another, all finite, or −∞ where a log density is asked for
Parsed<std::vector<double>> parse_output(int status, std::string_view body, std::span<const std::int64_t> sizes, const std::vector<std::string>& names,
                                         bool log_density = false);

/// Whether the text is one JSON object; if so it is written on one line.
Parsed<std::string> parse_config(std::string_view text);

std::string model_info_request(const std::string& name);
/// For /InputSizes and /OutputSizes. @param config one JSON object as text
std::string sizes_request(const std::string& name, const std::string& config);
/// @param point all inputs, which are split by `sizes`; finite
std::string evaluate_request(const std::string& name, std::span<const std::int64_t> sizes, const double* point, const std::string& config);

}  // namespace buffon::detail
