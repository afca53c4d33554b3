// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "../reproduce.hpp"

namespace buffon::reproduce::kmeans_rejection_seeding {

ReproduceEntry entry();

}  // namespace buffon::reproduce::kmeans_rejection_seeding
