// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/nested_problem.hpp>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace buffon::testing {

/// READ as it is written down, one node at a time with the generators of the standard library: an oracle for the law of
/// the batched implementation, and with a flaw a proof that the tests see flaws.
enum class Flaw { none, no_split_weight, probability_off_by_one, children_share_numbers };

class NestedRecursion {
 public:
  NestedRecursion(const NestedProblem& problem, std::vector<double> rates, std::int64_t base, Flaw flaw, std::uint64_t seed)
      : problem_(problem), rates_(std::move(rates)), base_(base), flaw_(flaw), generator_(seed) {}

  double copy() { return node(0, Eigen::VectorXd()); }

 private:
  double node(Index d, const Eigen::VectorXd& past) {
    Eigen::MatrixXd z(problem_.normals(d), 1), y(static_cast<Index>(problem_.names(d).size()), 1);
    for (Index i = 0; i < z.rows(); ++i) z(i, 0) = normal_(generator_);
    problem_.sample(d, past, z, y);
    Eigen::VectorXd path(past.size() + y.rows());
    path << past, y;
    if (d == problem_.depth()) return link(d, path, 0);

    const double r = rates_[static_cast<std::size_t>(d)], u = std::generate_canonical<double, 53>(generator_);
    const int n = static_cast<int>(std::floor(std::log1p(-u) / std::log1p(-r)));
    const double p = r * std::pow(1 - r, flaw_ == Flaw::probability_off_by_one ? n + 1 : n);
    const std::int64_t children = base_ << n;
    double odd = 0, even = 0;
    const auto start = generator_;
    for (std::int64_t i = 0; i < children; ++i) {
      if (flaw_ == Flaw::children_share_numbers) {
        generator_ = start;
        normal_.reset();
      }
      (i % 2 == 0 ? odd : even) += node(d + 1, path);
    }
    if (n == 0) return link(d, path, (odd + even) / static_cast<double>(children)) / p;
    const double half = static_cast<double>(children) / 2, a = odd / half, b = even / half;
    const double weight = flaw_ == Flaw::no_split_weight ? 1 : 0.5;
    return (link(d, path, (a + b) / 2) - weight * (link(d, path, a) + link(d, path, b))) / p;
  }

  double link(Index d, const Eigen::VectorXd& path, double inner) const {
    Eigen::VectorXd value(1), out(1);
    value(0) = inner;
    problem_.link(d, path, value, out);
    return out(0);
  }

  const NestedProblem& problem_;
  std::vector<double> rates_;
  std::int64_t base_;
  Flaw flaw_;
  std::mt19937_64 generator_;
  std::normal_distribution<double> normal_;
};

}  // namespace buffon::testing
