// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../reproduce.hpp"

namespace buffon::reproduce::ais_control_variates {

ReproduceEntry entry();

}  // namespace buffon::reproduce::ais_control_variates
