// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

namespace buffon {

/// log Σ_i exp(x_i) without overflow; −∞ for an empty vector or all −∞, +∞ if one entry is, NaN if one entry is.
double log_sum_exp(const ConstVector& x);

/// out[c] = log Σ_j exp(log_weights[j] + x(j, c)): the log density of a mixture from those of its components.
/// @param x J × n; @param log_weights J, entries may be −∞ (log 0); @param out n. Special values as above; a weight of −∞
/// silences its row, whatever stands there.
/// Same bits on every CPU. @throws Error(usage) when sizes do not fit
void log_sum_exp_columns(const ConstMatrix& x, const ConstVector& log_weights, MutVector out);

}  // namespace buffon
