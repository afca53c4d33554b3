// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/estimators/integrands.hpp>
#include <buffon/model/problem.hpp>

#include <cmath>
#include <limits>
#include <utility>

namespace buffon {
namespace {

using constants::infinity;
constexpr double log_two_pi = 1.8378770664093454836;

class ProblemIntegrands : public Integrands {
 public:
  ProblemIntegrands(const Problem& problem, bool standard) : problem_(problem), standard_(standard), names_(problem.expectation_names()) {}

  Index dimension() const override { return problem_.dimension(); }
  Index count() const override { return static_cast<Index>(names_.size()); }
  const std::vector<std::string>& names() const override { return names_; }
  bool common_law() const override { return problem_.scenarios().size() == 1; }
  bool standard_normal() const override { return standard_; }
  std::int64_t calls_per_point() const override { return 1; }
  Index preferred_batch() const override { return problem_.model().model().preferred_batch(); }
  bool has_level(Index j) const override { return problem_.quantities()[static_cast<std::size_t>(j % quantities())].event; }

  void sample(const Stream& stream, std::uint64_t first, MutMatrix x) const override {
    if (standard_) {
      stream.normals(first, x);
    } else if (common_law()) {
      problem_.scenarios().front().law.sample(stream, first, x);
    } else {
      sample_mixture(stream, first, x);
    }
  }

  void log_densities(const ConstMatrix& x, MutMatrix log_f) const override {
    if (standard_) {
      log_f.row(0) = (-0.5 * x.colwise().squaredNorm()).array() - 0.5 * static_cast<double>(dimension()) * log_two_pi;
      return;
    }
    Eigen::VectorXd log_density(x.cols());
    for (Index s = 0; s < scenarios(); ++s) {
      problem_.scenarios()[static_cast<std::size_t>(s)].law.log_density(x, log_density);
      const Index rows = common_law() ? 1 : quantities();
      for (Index q = 0; q < rows; ++q) log_f.row(s * rows + q) = log_density.transpose();
    }
  }

  void evaluate(Context& context, const ConstMatrix& x, MutMatrix phi) const override {
    Eigen::MatrixXd none(0, x.cols());
    values(context, x, phi, none);
  }

  void evaluate_with_levels(Context& context, const ConstMatrix& x, MutMatrix phi, MutMatrix level) const override { values(context, x, phi, level); }

 private:
  Index quantities() const { return static_cast<Index>(problem_.quantities().size()); }
  Index scenarios() const { return static_cast<Index>(problem_.scenarios().size()); }

  // Every draw chooses its law by a uniform of its own.
  void sample_mixture(const Stream& stream, std::uint64_t first, MutMatrix x) const {
    Eigen::MatrixXd choice(1, x.cols());
    stream.peek("law").uniforms(first, choice);
    Eigen::MatrixXd u(x.rows(), x.cols());
    stream.normals(first, u);
    std::vector<std::vector<Index>> columns(static_cast<std::size_t>(scenarios()));
    for (Index c = 0; c < x.cols(); ++c) columns[static_cast<std::size_t>(choice(0, c) * static_cast<double>(scenarios()))].push_back(c);
    for (std::size_t s = 0; s < columns.size(); ++s) {
      if (columns[s].empty()) continue;
      Eigen::MatrixXd part = u(Eigen::all, columns[s]);
      problem_.scenarios()[s].law.from_standard(part, part);
      x(Eigen::all, columns[s]) = part;
    }
  }

  // φ into the rows of every scenario; levels likewise where wanted.
  void values(Context& context, const ConstMatrix& x, MutMatrix phi, MutMatrix level) const {
    if (standard_) {
      Eigen::MatrixXd physical(x.rows(), x.cols());
      problem_.single_law("").from_standard(x, physical);
      spread(context, physical, phi, level);
      return;
    }
    const std::vector<Index> inside = supported(x);
    if (static_cast<Index>(inside.size()) == x.cols()) {
      spread(context, x, phi, level);
      return;
    }
    phi.setZero();
    level.setConstant(-infinity);
    if (inside.empty()) return;
    const Eigen::MatrixXd part = x(Eigen::all, inside);
    Eigen::MatrixXd part_phi(phi.rows(), part.cols()), part_level(level.rows(), part.cols());
    spread(context, part, part_phi, part_level);
    phi(Eigen::all, inside) = part_phi;
    if (level.rows() > 0) level(Eigen::all, inside) = part_level;
  }

  void spread(Context& context, const ConstMatrix& x, MutMatrix phi, MutMatrix level) const {
    const Index q = quantities();
    auto top = phi.topRows(q);
    if (scenarios() == 1) {
      problem_.evaluate(context, x, phi);
    } else {
      Eigen::MatrixXd outputs(q, x.cols());
      problem_.evaluate(context, x, outputs);
      top = outputs;
    }
    if (level.rows() > 0) {
      for (Index s = 0; s < scenarios(); ++s) level.middleRows(s * q, q) = top;
    }
    if (scenarios() == 1) {
      problem_.apply_events(phi);
    } else {
      Eigen::MatrixXd outputs = top;
      problem_.apply_events(outputs);
      for (Index s = 0; s < scenarios(); ++s) phi.middleRows(s * q, q) = outputs;
    }
  }

  // Columns where some law has a density: inside the support of all marginals of one scenario.
  std::vector<Index> supported(const ConstMatrix& x) const {
    std::vector<Index> inside;
    inside.reserve(static_cast<std::size_t>(x.cols()));
    for (Index c = 0; c < x.cols(); ++c) {
      bool any = false;
      for (const auto& scenario : problem_.scenarios()) {
        bool all = true;
        for (Index r = 0; r < x.rows() && all; ++r) {
          const Marginal& law = scenario.law.inputs()[static_cast<std::size_t>(r)].law;
          all = x(r, c) >= law.support_min() && x(r, c) <= law.support_max();
        }
        any = any || all;
      }
      if (any) inside.push_back(c);
    }
    return inside;
  }

  Problem problem_;
  bool standard_;
  std::vector<std::string> names_;
};

}  // namespace

void Integrands::evaluate_with_levels(Context& context, const ConstMatrix& x, MutMatrix phi, MutMatrix) const { evaluate(context, x, phi); }

void initial_log_density(const Integrands& integrands, const ConstMatrix& log_f, MutVector log_h) {
  if (integrands.common_law()) {
    log_h = log_f.row(0).transpose();
    return;
  }
  const double log_count = std::log(static_cast<double>(log_f.rows()));
  for (Index i = 0; i < log_f.cols(); ++i) {
    const double peak = log_f.col(i).maxCoeff();
    log_h(i) = std::isinf(peak) ? peak : peak + std::log((log_f.col(i).array() - peak).exp().sum()) - log_count;
  }
}

std::vector<NamedEstimate> unknown_estimates(const Integrands& integrands) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<NamedEstimate> list;
  for (Index j = 0; j < integrands.count(); ++j) {
    NamedEstimate e{.name = integrands.names()[static_cast<std::size_t>(j)], .estimate = normal_estimate(nan, nan)};
    if (integrands.has_level(j)) e.group = "probability";
    list.push_back(std::move(e));
  }
  return list;
}

std::shared_ptr<const Integrands> problem_integrands(const Problem& problem, PointSpace space, const std::string& method) {
  const bool single = problem.scenarios().size() == 1;
  if (space == PointSpace::standard && !single) {
    throw Error(ErrorCategory::configuration,
                {.doing = "setting up " + method,
                 .key = "options.space",
                 .value = "\"standard\"",
                 .rule = "needs one law of the inputs, but there are " + std::to_string(problem.scenarios().size()) + " scenarios",
                 .remedy = "use space = \"physical\" or \"auto\""});
  }
  return std::make_shared<ProblemIntegrands>(problem, single && space != PointSpace::physical);
}

}  // namespace buffon
