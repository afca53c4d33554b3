// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/joint_law.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#include <buffon/core/error.hpp>

namespace buffon {
namespace {

constexpr Index chunk = 256;  ///< columns that stay in the first-level cache while the rows are worked through

[[noreturn]] void refuse_joint_law(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(
      ErrorCategory::configuration,
      {.doing = "making the joint law of the inputs", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

std::string pair_text(const std::vector<Input>& inputs, Index i, Index j) {
  return "between \"" + inputs[static_cast<std::size_t>(j)].name + "\" and \"" + inputs[static_cast<std::size_t>(i)].name + "\"";
}

/// @returns the lower Cholesky factor of a valid correlation matrix, empty for the identity
Eigen::MatrixXd factor(const std::vector<Input>& inputs, const Eigen::MatrixXd& r) {
  const auto d = static_cast<Index>(inputs.size());
  if (r.rows() != d || r.cols() != d) {
    refuse_joint_law("correlations", std::to_string(r.rows()) + " x " + std::to_string(r.cols()) + " matrix",
                     "must be " + std::to_string(d) + " x " + std::to_string(d), "give one row and one column for every input");
  }
  for (Index i = 0; i < d; ++i) {
    if (r(i, i) != 1) refuse_joint_law("correlation of \"" + inputs[static_cast<std::size_t>(i)].name + "\" with itself", to_text(r(i, i)), "must be 1", "");
    for (Index j = 0; j < i; ++j) {
      if (!(std::abs(r(i, j)) < 1)) {
        refuse_joint_law("correlation " + pair_text(inputs, i, j), to_text(r(i, j)), "must be in (-1, 1)",
                         "an input that is a function of another belongs in the model");
      }
      if (r(i, j) != r(j, i)) {
        refuse_joint_law("correlation " + pair_text(inputs, i, j), to_text(r(i, j)) + " and " + to_text(r(j, i)), "must be symmetric", "give every pair once");
      }
    }
  }
  if (r.isIdentity(0)) return {};
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(r);
  const double smallest = eigen.eigenvalues()(0);
  const Eigen::LLT<Eigen::MatrixXd> llt(r);
  // Rounding moves the eigenvalues by d ε ‖R‖: what is below cannot be told from singular.
  if (!(smallest > 1e-14 * static_cast<double>(d)) || llt.info() != Eigen::Success) {
    // vᵀRv = Σ v_i v_j R_ij is the smallest eigenvalue: the pair with the most negative term is the first to look at.
    const Eigen::VectorXd v = eigen.eigenvectors().col(0);
    Index worst_i = 1;
    Index worst_j = 0;
    for (Index i = 0; i < d; ++i) {
      for (Index j = 0; j < i; ++j) {
        if (v(i) * v(j) * r(i, j) < v(worst_i) * v(worst_j) * r(worst_i, worst_j)) {
          worst_i = i;
          worst_j = j;
        }
      }
    }
    refuse_joint_law("correlation " + pair_text(inputs, worst_i, worst_j), to_text(r(worst_i, worst_j)),
                     "contradicts the other correlations: the matrix must be positive definite, its smallest eigenvalue is " + to_text(smallest),
                     "bring this correlation, or others of these inputs, closer to 0");
  }
  return llt.matrixL();
}

/// z ← L z, column by column, with one order of summation whatever the number of columns.
void multiply(const Eigen::MatrixXd& l, MutMatrix z) {
  const Index d = l.rows();
  for (Index c = 0; c < z.cols(); ++c) {
    for (Index k = d - 1; k >= 0; --k) {
      const double u = z(k, c);
      z.col(c).tail(d - 1 - k) += l.col(k).tail(d - 1 - k) * u;
      z(k, c) = l(k, k) * u;
    }
  }
}

/// z ← L⁻¹ z.
void solve(const Eigen::MatrixXd& l, MutMatrix z) {
  const Index d = l.rows();
  for (Index c = 0; c < z.cols(); ++c) {
    for (Index k = 0; k < d; ++k) {
      const double u = z(k, c) / l(k, k);
      z(k, c) = u;
      z.col(c).tail(d - 1 - k) -= l.col(k).tail(d - 1 - k) * u;
    }
  }
}

void check_shape(const char* what, Index rows, Index columns, Index d, Index n) {
  if (rows == d && columns == n) return;
  throw Error(ErrorCategory::usage, {.doing = "applying the joint law of the inputs",
                                     .key = what,
                                     .value = std::to_string(rows) + " x " + std::to_string(columns),
                                     .rule = "must be " + std::to_string(d) + " x " + std::to_string(n),
                                     .remedy = "give one row per input and one column per point"});
}

}  // namespace

JointLaw::JointLaw(std::vector<Input> inputs, Eigen::MatrixXd correlation) : inputs_(std::move(inputs)) {
  if (inputs_.empty()) refuse_joint_law("inputs", "", "is empty", "give at least one input");
  std::set<std::string> seen;
  for (const auto& input : inputs_) {
    if (input.name.empty()) refuse_joint_law("name", "\"\"", "must not be empty", "give every input a name");
    if (!seen.insert(input.name).second) refuse_joint_law("name", "\"" + input.name + "\"", "is given to two inputs", "give every input its own name");
  }
  if (correlation.size() == 0) return;
  cholesky_ = factor(inputs_, correlation);
  if (cholesky_.size() != 0) correlation_ = std::move(correlation);
}

std::vector<std::string> JointLaw::names() const {
  std::vector<std::string> names;
  names.reserve(inputs_.size());
  for (const auto& input : inputs_) names.push_back(input.name);
  return names;
}

void JointLaw::from_standard(const ConstMatrix& u, MutMatrix x) const {
  check_shape("u", u.rows(), u.cols(), size(), u.cols());
  check_shape("x", x.rows(), x.cols(), size(), u.cols());
  for (Index first = 0; first < u.cols(); first += chunk) {
    const Index n = std::min(chunk, u.cols() - first);
    auto part = x.middleCols(first, n);
    if (x.data() != u.data()) part = u.middleCols(first, n);
    if (!independent()) multiply(cholesky_, part);
    for (Index i = 0; i < size(); ++i) {
      double* row = &part(i, 0);
      inputs_[static_cast<std::size_t>(i)].law.from_standard(row, row, n, part.outerStride());
    }
  }
}

void JointLaw::to_standard(const ConstMatrix& x, MutMatrix u) const {
  check_shape("x", x.rows(), x.cols(), size(), x.cols());
  check_shape("u", u.rows(), u.cols(), size(), x.cols());
  for (Index i = 0; i < size(); ++i) {
    const Marginal& law = inputs_[static_cast<std::size_t>(i)].law;
    for (Index c = 0; c < x.cols(); ++c) u(i, c) = law.to_standard(x(i, c));
  }
  if (!independent()) solve(cholesky_, u);
}

void JointLaw::log_density(const ConstMatrix& x, MutVector log_density) const {
  check_shape("x", x.rows(), x.cols(), size(), x.cols());
  check_shape("log_density", log_density.size(), 1, x.cols(), 1);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double log_determinant = independent() ? 0 : cholesky_.diagonal().array().log().sum();
  Eigen::VectorXd score(size());
  for (Index c = 0; c < x.cols(); ++c) {
    double sum = 0;
    for (Index i = 0; i < size(); ++i) sum += inputs_[static_cast<std::size_t>(i)].law.log_pdf(x(i, c));
    if (!independent() && sum > -infinity) {
      // log c = −½ log|R| − ½ (zᵀ R⁻¹ z − zᵀ z), z the scores
      for (Index i = 0; i < size(); ++i) score(i) = inputs_[static_cast<std::size_t>(i)].law.to_standard(x(i, c));
      const double before = score.squaredNorm();
      solve(cholesky_, score);
      sum = std::isfinite(before) ? sum - log_determinant - 0.5 * (score.squaredNorm() - before) : -infinity;
    }
    log_density(c) = sum;
  }
}

void JointLaw::sample(const Stream& stream, std::uint64_t first, MutMatrix x) const {
  check_shape("x", x.rows(), x.cols(), size(), x.cols());
  stream.normals(first, x);
  from_standard(x, x);
}

}  // namespace buffon
