// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace buffon::detail {

constexpr int process_protocol = 1;

/// What a line of a model process says.
struct Reply {
  enum class Kind {
    values,     ///< `values` holds the outputs in order
    error,      ///< the model reports a failure of this point, in `message`
    unusable,   ///< well-formed, but not the outputs that were asked for: `message` says why
    malformed,  ///< not the protocol: `message` says why
    hello       ///< answer of the handshake
  };
  Kind kind = Kind::malformed;
  std::vector<double> values;
  std::string message;
};

/// Reads one line without its end. Never throws on any bytes.
/// @param id of the request that the line must answer
/// @param log_density an output may be −∞, see `minus_infinity`
Reply parse_reply(std::string_view line, std::int64_t id, const std::vector<std::string>& output_names, bool log_density = false);

/// A text that stands for −∞ where an output is a log density: "-inf", or "-Infinity".
bool minus_infinity(std::string_view text);
/// JSON in which every bare -Infinity, which is no JSON but written by some, has become the text "-inf".
std::string with_infinities_quoted(std::string_view json);

/// Names as JSON texts, for `request_line`.
std::vector<std::string> json_names(const std::vector<std::string>& names);

/// One request with its end of line. Numbers in shortest form that reads back to the same double.
std::string request_line(std::int64_t id, const std::vector<std::string>& quoted_names, const double* point);

/// {"hello":{"protocol":1,"inputs":[…],"outputs":[…]}} with its end of line.
std::string hello_line(const std::vector<std::string>& input_names, const std::vector<std::string>& output_names);

/// Text for a message of one line: control characters become spaces, bytes beyond `limit` are cut.
std::string one_line(std::string_view text, std::size_t limit);

}  // namespace buffon::detail
