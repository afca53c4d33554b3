// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/stats/outcome.hpp>

#include <string>
#include <vector>

namespace buffon {

/// The table "summary" of chains for people, in CmdStan's order: the head, then one row per quantity. Numbers have as many digits as the Monte
/// Carlo error leaves; "–" where there is none.
/// @param seconds wall time of sampling, for effective draws per second
std::vector<std::vector<std::string>> format_summary(const Table& summary, double seconds);

}  // namespace buffon
