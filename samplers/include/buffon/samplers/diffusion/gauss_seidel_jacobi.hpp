// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/backend/backend.hpp>

#include <functional>
#include <vector>

namespace buffon {

/// A map that is triangular: row i of `next` depends on the rows of x before i alone (and on what the map holds, the noise z of each sample), column by
/// column. The inverse of an autoregressive flow z_i = (x_i − m_i(x_{<i})) e^{−s_i(x_{<i})} is the fixed point of next_i = m_i(x_{<i}) + e^{s_i(x_{<i})} z_i.
using TriangularMap = std::function<void(backend::View next, backend::View x)>;

struct GaussSeidelJacobiOptions {
  Index block = 0;       ///< rows of a block; 0 = all rows in one: Jacobi. 1: the sequential way
  double tolerance = 0;  ///< root mean square change of a sample's block that counts as none; 0: only no change at all
};

struct Sweeps {
  int total = 0;                ///< calls of the map
  std::vector<int> of_samples;  ///< until each sample came to rest
};

/// The fixed point of a triangular map: blocks of rows one after the other (Gauss-Seidel), all rows of a block at once, again and again (Jacobi), until a
/// sample comes to rest there; a block of k rows is exact after k sweeps, whatever the start. Each sample stops by itself (Liu and Qin, 2025, for the blocks;
/// Song and others, 2021, for the iteration).
/// @param x the start, and then the fixed point
Sweeps solve_triangular(backend::Queue& queue, backend::View x, const TriangularMap& map, const GaussSeidelJacobiOptions& options = {});

}  // namespace buffon
