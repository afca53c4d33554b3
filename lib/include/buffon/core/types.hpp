// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <Eigen/Core>

#include <cstdint>

namespace buffon {

/// Signed index of rows, columns, dimensions (as Eigen's).
using Index = Eigen::Index;

/// Read-only batch: one column = one point. Pass as `const ConstMatrix&`; accepts matrices, column blocks and maps without a copy.
using ConstMatrix = Eigen::Ref<const Eigen::MatrixXd>;
/// Writable batch: one column = one point. Pass by value.
using MutMatrix = Eigen::Ref<Eigen::MatrixXd>;
/// Read-only column vector. Pass as `const ConstVector&`.
using ConstVector = Eigen::Ref<const Eigen::VectorXd>;
/// Writable column vector. Pass by value.
using MutVector = Eigen::Ref<Eigen::VectorXd>;

}  // namespace buffon
