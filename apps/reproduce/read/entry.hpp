// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../reproduce.hpp"

namespace buffon::reproduce::read {

ReproduceEntry entry();

}  // namespace buffon::reproduce::read
