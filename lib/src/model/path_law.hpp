// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/marginal.hpp>
#include <buffon/model/nested_expressions.hpp>

#include <memory>
#include <string>
#include <vector>

#include "expressions.hpp"

namespace buffon::detail {

/// The law of one variable given the variables before it. Its values are those of the law that the family makes from the
/// parameters of the column, bit for bit, whatever columns stand beside it.
class PathLaw {
 public:
  /// @param known names of the variables before it
  /// @throws Error(configuration) whose key is a parameter or "law"
  PathLaw(NestedVariable variable, const std::vector<std::string>& known);

  /// The column where a parameter is at fault.
  struct Fault {
    Index column;
    Error error;
  };
  /// @param first, second values of the known variables, one above the other
  /// @param u standard normals, overwritten by the values of the variable
  /// @throws Fault
  void draw(const ConstMatrix& first, const ConstMatrix& second, Eigen::VectorXd& u) const;

 private:
  Index row(std::string_view key) const;
  Marginal make(const double* values) const;
  Eigen::MatrixXd values_of(const ConstMatrix& first, const ConstMatrix& second, Index columns) const;

  NestedVariable variable_;
  const MarginalFamily* family_ = nullptr;
  std::vector<Index> computed_;                     ///< parameters that are expressions
  std::unique_ptr<const Expressions> expressions_;  ///< of these; null when there is none
  Marginal constant_;                               ///< the law when there is none
};

}  // namespace buffon::detail
