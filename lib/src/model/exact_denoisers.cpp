// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/exact_denoisers.hpp>

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <utility>

#include <buffon/core/error.hpp>

#include "exact_denoiser_work.hpp"

namespace buffon {
namespace {

[[noreturn]] void refuse_law(std::string model, std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(
      ErrorCategory::configuration,
      {.doing = "making the denoiser " + model, .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

std::string shape_of(const Eigen::MatrixXd& matrix) { return std::to_string(matrix.rows()) + " x " + std::to_string(matrix.cols()); }

class Mixture : public ExactDenoiser {
 public:
  explicit Mixture(MixtureParts parts) : parts_(std::move(parts)) {
    if (parts_.means.size() == 0) refuse_law(parts_.name, "means", shape_of(parts_.means), "must not be empty", "give one column per component");
    if (!parts_.means.allFinite()) refuse_law(parts_.name, "means", "a number", "must be finite", "leave out data that are not finite");
  }
  std::string name() const override { return parts_.name; }
  Index dimension() const override { return parts_.dimension(); }
  int classes() const override { return parts_.labelled ? static_cast<int>(parts_.count()) : 0; }
  std::unique_ptr<DenoiserWork> on(backend::Queue& queue, Index columns, buffon_type type) const override {
    if (parts_.count() == 1) return gaussian_work(parts_, queue, columns, type);
    return parts_.isotropic() ? distance_work(parts_, queue, columns, type) : stacked_work(parts_, queue, columns, type);
  }

  Eigen::VectorXd mean() const override { return parts_.means * parts_.log_weights.array().exp().matrix(); }

  Eigen::MatrixXd covariance() const override {
    const Index n = dimension();
    const Eigen::VectorXd centre = mean(), shares = parts_.log_weights.array().exp();
    const Eigen::MatrixXd off = parts_.means.colwise() - centre;
    Eigen::MatrixXd sum = off * shares.asDiagonal() * off.transpose();
    for (Index k = 0; k < parts_.count(); ++k) {
      if (parts_.basis.size() == 0) {
        sum.diagonal() += shares(k) * variances(k);
      } else {
        const auto basis = parts_.basis.middleCols(k * n, n);
        sum += shares(k) * basis * variances(k).asDiagonal() * basis.transpose();
      }
    }
    return sum;
  }

  double total_variance() const override {
    const Eigen::VectorXd centre = mean(), shares = parts_.log_weights.array().exp();
    double sum = 0;
    for (Index k = 0; k < parts_.count(); ++k) sum += shares(k) * ((parts_.means.col(k) - centre).squaredNorm() + variances(k).sum());
    return sum;
  }

  /// With y = m + z, z ~ N(0, S), in component k: E[y_i² y_j²] = (m_i² + S_ii) (m_j² + S_jj) + 4 m_i m_j S_ij + 2 S_ij².
  Eigen::MatrixXd squares(const Eigen::MatrixXd& basis) const override {
    const Index n = dimension();
    const Eigen::VectorXd shares = parts_.log_weights.array().exp();
    const Eigen::MatrixXd off = basis.transpose() * (parts_.means.colwise() - mean());
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(n, n);
    for (Index k = 0; k < parts_.count(); ++k) {
      const auto m = off.col(k);
      if (parts_.isotropic()) {
        const double d = parts_.spectra(0, k);
        const Eigen::VectorXd second = m.cwiseAbs2().array() + d;
        sum += shares(k) * second * second.transpose();
        sum.diagonal().array() += shares(k) * (4 * d * m.array().square() + 2 * d * d);
        continue;
      }
      const Eigen::MatrixXd root =
          (parts_.basis.size() == 0 ? Eigen::MatrixXd(basis.transpose()) : Eigen::MatrixXd(basis.transpose() * parts_.basis.middleCols(k * n, n))) *
          variances(k).cwiseSqrt().asDiagonal();
      const Eigen::MatrixXd s = root * root.transpose();
      const Eigen::VectorXd second = m.cwiseAbs2() + s.diagonal();
      sum += shares(k) * (second * second.transpose() + 4 * Eigen::MatrixXd(m * m.transpose()).cwiseProduct(s) + 2 * s.cwiseAbs2());
    }
    return sum;
  }

  void sample(const Stream& stream, std::uint64_t first, const NoiseLevel& level, MutMatrix x, std::span<const std::int32_t> labels) const override {
    const Index n = dimension();
    Eigen::MatrixXd choice(1, x.cols()), z(n, x.cols()), noise(n, x.cols());
    stream.peek("component").uniforms(first, choice);
    stream.peek("data").normals(first, z);
    stream.peek("noise").normals(first, noise);
    Eigen::VectorXd ends = parts_.log_weights.array().exp();
    for (Index k = 1; k < ends.size(); ++k) ends(k) += ends(k - 1);
    for (Index c = 0; c < x.cols(); ++c) {
      const std::int32_t label = labels.empty() ? -1 : labels[static_cast<std::size_t>(c)];
      const Index drawn = std::upper_bound(ends.data(), ends.data() + ends.size() - 1, choice(0, c) * ends(ends.size() - 1)) - ends.data();
      const Index k = label < 0 ? drawn : label;
      Eigen::VectorXd off = variances(k).cwiseSqrt().cwiseProduct(z.col(c));
      if (parts_.basis.size() != 0) off = parts_.basis.middleCols(k * n, n) * off;
      x.col(c) = level.alpha * (parts_.means.col(k) + off) + level.sigma * noise.col(c);
    }
  }

  std::optional<Eigen::MatrixXd> endpoints(const ConstMatrix& starts, const NoiseLevel& first, const NoiseLevel& last) const override {
    if (parts_.count() != 1) return std::nullopt;
    const Eigen::VectorXd mean = parts_.means.col(0), d = variances(0);
    const auto spread = [&](const NoiseLevel& level) { return Eigen::ArrayXd((level.alpha * level.alpha * d.array() + level.sigma * level.sigma).sqrt()); };
    const Eigen::VectorXd ratio = spread(last) / spread(first);
    Eigen::MatrixXd off = starts.colwise() - first.alpha * mean;
    if (parts_.basis.size() == 0) {
      off = ratio.asDiagonal() * off;
    } else {
      off = parts_.basis * (ratio.asDiagonal() * (parts_.basis.transpose() * off));
    }
    return off.colwise() + last.alpha * mean;
  }

 private:
  Eigen::VectorXd variances(Index k) const {
    return parts_.isotropic() ? Eigen::VectorXd::Constant(dimension(), parts_.spectra(0, k)) : Eigen::VectorXd(parts_.spectra.col(k));
  }
  MixtureParts parts_;
};

void check_variances(const std::string& model, const std::string& key, const Eigen::VectorXd& variances) {
  for (Index j = 0; j < variances.size(); ++j) {
    if (variances(j) >= 0 && std::isfinite(variances(j))) continue;
    refuse_law(model, key + "[" + std::to_string(j) + "]", to_text(variances(j)), "must be a finite number, at least 0", "0 means that nothing varies");
  }
}

/// Eigenvectors and eigenvalues; small negative ones are rounding.
std::pair<Eigen::MatrixXd, Eigen::VectorXd> spectrum(const std::string& model, const std::string& key, const Eigen::MatrixXd& covariance, Index n) {
  if (covariance.rows() != n || covariance.cols() != n) {
    refuse_law(model, key, shape_of(covariance), "must be " + std::to_string(n) + " x " + std::to_string(n),
               "give one row and column per coordinate of the mean");
  }
  const double scale = covariance.cwiseAbs().maxCoeff();
  if (!covariance.allFinite() || (covariance - covariance.transpose()).cwiseAbs().maxCoeff() > 1e-12 * scale) {
    refuse_law(model, key, "a matrix", "must be finite and symmetric", "write every covariance twice, above and below the diagonal");
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
  if (solver.eigenvalues().minCoeff() < -1e-10 * scale) {
    refuse_law(model, key, "eigenvalue " + to_text(solver.eigenvalues().minCoeff()), "must have no eigenvalue below 0",
               "check the covariances between coordinates");
  }
  return {solver.eigenvectors(), solver.eigenvalues().cwiseMax(0.0)};
}

Eigen::VectorXd log_shares(const std::string& model, const Eigen::VectorXd& weights, Index count) {
  if (weights.size() != count) {
    refuse_law(model, "weights", std::to_string(weights.size()) + " numbers", "must be " + std::to_string(count), "give one weight per component");
  }
  for (Index k = 0; k < count; ++k) {
    if (weights(k) > 0 && std::isfinite(weights(k))) continue;
    refuse_law(model, "weights[" + std::to_string(k) + "]", to_text(weights(k)), "must be finite and greater than 0", "leave out components without weight");
  }
  if (!std::isfinite(weights.sum())) {
    refuse_law(model, "weights", "numbers up to " + to_text(weights.maxCoeff()), "must have a finite sum", "only their ratios count: give smaller numbers");
  }
  return (weights / weights.sum()).array().log();
}

/// Diagonal covariances as matrices.
Eigen::MatrixXd diagonal(std::initializer_list<double> variances) {
  Eigen::VectorXd d(static_cast<Index>(variances.size()));
  std::copy(variances.begin(), variances.end(), d.data());
  return d.asDiagonal();
}

Eigen::MatrixXd matrix(Index rows, std::initializer_list<double> by_columns) {
  Eigen::MatrixXd m(rows, static_cast<Index>(by_columns.size()) / rows);
  std::copy(by_columns.begin(), by_columns.end(), m.data());
  return m;
}

}  // namespace

std::shared_ptr<const ExactDenoiser> gaussian_denoiser(const Eigen::VectorXd& mean, const Eigen::MatrixXd& covariance) {
  auto [basis, variances] = spectrum("gaussian", "covariance", covariance, mean.size());
  return std::make_shared<Mixture>(MixtureParts{"gaussian", Eigen::VectorXd::Zero(1), mean, std::move(basis), std::move(variances), false});
}

std::shared_ptr<const ExactDenoiser> gaussian_denoiser(const Eigen::VectorXd& mean, const Eigen::VectorXd& variances) {
  if (variances.size() != mean.size()) {
    refuse_law("gaussian", "variances", std::to_string(variances.size()) + " numbers", "must be " + std::to_string(mean.size()),
               "give one per coordinate of the mean");
  }
  check_variances("gaussian", "variances", variances);
  return std::make_shared<Mixture>(MixtureParts{"gaussian", Eigen::VectorXd::Zero(1), mean, {}, variances, false});
}

namespace {

std::shared_ptr<const ExactDenoiser> general_mixture(const std::string& name, const Eigen::VectorXd& weights, const Eigen::MatrixXd& means,
                                                     const std::vector<Eigen::MatrixXd>& covariances) {
  const Index n = means.rows(), count = means.cols();
  MixtureParts parts{name, log_shares(name, weights, count), means, Eigen::MatrixXd(n, n * count), Eigen::MatrixXd(n, count)};
  if (static_cast<Index>(covariances.size()) != count) {
    refuse_law(name, "covariances", std::to_string(covariances.size()) + " matrices", "must be " + std::to_string(count), "give one per component");
  }
  for (Index k = 0; k < count; ++k) {
    const auto [basis, variances] = spectrum(name, "covariances[" + std::to_string(k) + "]", covariances[static_cast<std::size_t>(k)], n);
    parts.basis.middleCols(k * n, n) = basis;
    parts.spectra.col(k) = variances;
  }
  return std::make_shared<Mixture>(std::move(parts));
}

std::shared_ptr<const ExactDenoiser> isotropic_mixture(const std::string& name, const Eigen::VectorXd& weights, const Eigen::MatrixXd& means,
                                                       const Eigen::VectorXd& variances, bool labelled) {
  const Index count = means.cols();
  if (variances.size() != count) {
    refuse_law(name, "variances", std::to_string(variances.size()) + " numbers", "must be " + std::to_string(count), "give one per component");
  }
  check_variances(name, "variances", variances);
  return std::make_shared<Mixture>(MixtureParts{name, log_shares(name, weights, count), means, {}, variances.transpose(), labelled});
}

}  // namespace

std::shared_ptr<const ExactDenoiser> mixture_denoiser(const Eigen::VectorXd& weights, const Eigen::MatrixXd& means,
                                                      const std::vector<Eigen::MatrixXd>& covariances) {
  return general_mixture("mixture", weights, means, covariances);
}

std::shared_ptr<const ExactDenoiser> mixture_denoiser(const Eigen::VectorXd& weights, const Eigen::MatrixXd& means, const Eigen::VectorXd& variances) {
  return isotropic_mixture("mixture", weights, means, variances, true);
}

std::shared_ptr<const ExactDenoiser> points_denoiser(const Eigen::MatrixXd& points, double deviation) {
  if (!(deviation >= 0) || !std::isfinite(deviation))
    refuse_law("points", "deviation", to_text(deviation), "must be a finite number, at least 0", "0 means none");
  return isotropic_mixture("points", Eigen::VectorXd::Ones(points.cols()), points, Eigen::VectorXd::Constant(points.cols(), deviation * deviation), false);
}

const std::vector<std::string>& denoiser_names() {
  static const std::vector<std::string> names = {"g3", "f4", "p1", "p2", "t1"};
  return names;
}

std::shared_ptr<const ExactDenoiser> named_denoiser(const std::string& name) {
  const auto numbers = [](std::initializer_list<double> list) { return Eigen::VectorXd(matrix(static_cast<Index>(list.size()), list)); };
  if (name == "g3") {
    return general_mixture(name, numbers({0.5, 0.3, 0.2}), matrix(2, {1, 0.5, -1, 0.8, 0.2, -1.2}),
                           {matrix(2, {0.20, 0.05, 0.05, 0.10}), matrix(2, {0.10, -0.03, -0.03, 0.15}), diagonal({0.15, 0.08})});
  }
  if (name == "f4") {
    return isotropic_mixture(name, numbers({0.4, 0.3, 0.2, 0.1}), matrix(2, {3, 3, -3, 3, 3, -3, -3, -3}), numbers({0.09, 0.36, 0.2025, 0.81}), true);
  }
  if (name == "p1") return isotropic_mixture(name, numbers({0.5, 0.5}), matrix(2, {-2, 0, 2, 0}), numbers({0.25, 0.25}), true);
  if (name == "p2") return general_mixture(name, numbers({0.7, 0.3}), matrix(2, {-2, 0.5, 2, -0.5}), {diagonal({0.36, 0.09}), diagonal({0.09, 0.36})});
  if (name == "t1") return isotropic_mixture(name, numbers({1, 1, 1}), matrix(1, {1, 2, 3}), numbers({0.0025, 0.0025, 0.0025}), true);
  std::string names;
  for (const std::string& known : denoiser_names()) names += (names.empty() ? "" : ", ") + known;
  refuse_law("named", "name", name, "is not known", "take one of " + names);
}

KnownLaw known_law(const std::shared_ptr<const ExactDenoiser>& model, std::int64_t components, Index most_covariance) {
  KnownLaw law{.mean = model->mean(), .covariance = {}, .components = components};
  law.total_variance = model->total_variance();
  if (model->dimension() > most_covariance) return law;
  law.covariance = model->covariance();
  law.squares = [model](const Eigen::MatrixXd& basis) { return model->squares(basis); };
  return law;
}

}  // namespace buffon
