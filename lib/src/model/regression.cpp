// SPDX-License-Identifier: BSD-3-Clause
#include "../linalg/regression_kernels.hpp"

#include <buffon/core/error.hpp>
#include <buffon/linalg/vector_math.hpp>
#include <buffon/model/regression.hpp>

#include <algorithm>
#include <cmath>
#include <new>
#include <span>
#include <string>
#include <utility>

namespace buffon {
namespace {

/// Numbers on whole cache lines.
class Aligned {
 public:
  Aligned(Index size, double fill) : data_(static_cast<double*>(::operator new[](static_cast<std::size_t>(size) * sizeof(double), std::align_val_t(64)))) {
    std::fill_n(data_.get(), size, fill);
  }
  double* data() { return data_.get(); }
  const double* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(double* data) const { ::operator delete[](data, std::align_val_t(64)); }
  };
  std::unique_ptr<double[], Free> data_;
};

[[noreturn]] void refuse_regression(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(
      ErrorCategory::configuration,
      {.doing = "making the density of a regression", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

void require_size(const char* key, Index size, Index wanted) {
  if (size != wanted) refuse_regression(key, std::to_string(size) + " numbers", "must have " + std::to_string(wanted), "Give one number each");
}

void require_finite(const char* key, const ConstVector& x) {
  for (Index i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x(i)))
      refuse_regression(std::string(key) + "(" + std::to_string(i + 1) + ")", to_text(x(i)), "must be finite", "Leave out what is missing");
  }
}

double exp_of(double x) {
  vector_exp(std::span<const double>(&x, 1), std::span<double>(&x, 1));
  return x;
}

/// The likelihoods of this file: one pass of a kernel over η and a number per observation.
class KernelLikelihood : public RegressionLikelihood {
 public:
  KernelLikelihood(const ConstVector& y, double fill) : observations_(y.size()), size_(padded(y.size())), data_(size_, fill), kernels_(regression_kernels()) {
    if (y.size() == 0) refuse_regression("y", "0 numbers", "must have at least one", "Give the observations");
    require_finite("y", y);
    std::copy_n(y.data(), y.size(), data_.data());
  }
  Index observations() const override { return observations_; }
  double value(const double* eta, const double* own) const override {
    Aligned centre(size_, missing_predictor), zero(size_, 0);
    std::copy_n(eta, observations_, centre.data());
    return value_on_plane(centre.data(), zero.data(), zero.data(), 0, 0, own, nullptr);
  }
  double value_on_plane(const double* centre, const double* first, const double* second, double a, double b, const double* own, double*) const override {
    return sum({centre, first, second, a, b}, own);
  }

 protected:
  virtual double sum(const PredictorPlane& plane, const double* own) const = 0;

  Index observations_, size_;
  Aligned data_;
  const RegressionKernels& kernels_;
};

class Logistic final : public KernelLikelihood {
 public:
  explicit Logistic(const ConstVector& y) : KernelLikelihood(y, 0.0) {
    for (Index i = 0; i < observations_; ++i) {
      double& value = data_.data()[i];
      if (value != 0 && value != 1) refuse_regression("y(" + std::to_string(i + 1) + ")", to_text(value), "must be 0 or 1", "Code the two classes as 0 and 1");
      value = value == 1 ? -0.0 : 0.0;
    }
  }

 private:
  double sum(const PredictorPlane& plane, const double*) const override { return kernels_.logistic(plane, data_.data(), static_cast<std::uint64_t>(size_)); }
};

class Poisson final : public KernelLikelihood {
 public:
  explicit Poisson(const ConstVector& y) : KernelLikelihood(y, 0.0) {
    for (Index i = 0; i < observations_; ++i) {
      if (y(i) < 0 || y(i) != std::floor(y(i))) refuse_regression("y(" + std::to_string(i + 1) + ")", to_text(y(i)), "must be 0, 1, 2, …", "Give counts");
    }
  }

 private:
  double sum(const PredictorPlane& plane, const double*) const override { return kernels_.poisson(plane, data_.data(), static_cast<std::uint64_t>(size_)); }
};

class GaussianErrors final : public KernelLikelihood {
 public:
  /// @param sigma 0 = a parameter
  GaussianErrors(const ConstVector& y, double sigma) : KernelLikelihood(y, missing_predictor), sigma_(sigma) {}
  Index own_parameters() const override { return sigma_ == 0 ? 1 : 0; }

 private:
  double sum(const PredictorPlane& plane, const double* own) const override {
    const double squares = kernels_.squares(plane, data_.data(), static_cast<std::uint64_t>(size_));
    if (sigma_ > 0) return -0.5 * squares / (sigma_ * sigma_);
    return -static_cast<double>(observations_) * own[0] - (squares == 0 ? 0.0 : 0.5 * squares * exp_of(-2 * own[0]));
  }

  double sigma_;
};

class RegressionDensity final : public LogDensity {
 public:
  RegressionDensity(const Eigen::MatrixXd& design, const Eigen::VectorXd& offset, std::shared_ptr<const RegressionLikelihood> likelihood, RegressionPrior prior)
      : likelihood_(std::move(likelihood)),
        observations_(design.rows()),
        coefficients_(design.cols()),
        size_(RegressionLikelihood::padded(observations_)),
        blocks_(size_ * coefficients_, 0),
        offset_(size_, missing_predictor),
        prior_mean_(std::move(prior.mean)),
        prior_weight_(prior.std_dev.cwiseInverse()) {
    for (Index j = 0; j < coefficients_; ++j) {
      for (Index i = 0; i < observations_; ++i) blocks_.data()[(i / rows * coefficients_ + j) * rows + i % rows] = design(i, j);
    }
    for (Index i = 0; i < observations_; ++i) offset_.data()[i] = offset.size() > 0 ? offset(i) : 0;
  }

  Index dimension() const override { return prior_mean_.size(); }
  void evaluate(const ConstMatrix& x, MutVector values, const std::stop_token& stop) const override {
    Probe probe(*this);
    Eigen::VectorXd point(dimension());
    for (Index i = 0; i < x.cols(); ++i) {
      std::copy_n(x.col(i).data(), dimension(), point.data());
      probe.set_centre(point);
      values(i) = probe.at(0, 0, stop);
    }
  }
  std::unique_ptr<DensityProbe> probe() const override { return std::make_unique<Probe>(*this); }

 private:
  static constexpr Index rows = static_cast<Index>(design_rows);

  /// Keeps the linear predictors of centre, u and v, and inner products of their distances from the prior mean in standard deviations.
  class Probe final : public DensityProbe {
   public:
    explicit Probe(const RegressionDensity& density)
        : density_(density),
          kernels_(regression_kernels()),
          centre_predictor_(density.size_, missing_predictor),
          first_predictor_(density.size_, 0),
          second_predictor_(density.size_, 0),
          eta_(density.size_, 0),
          centre_(Eigen::VectorXd::Zero(density.dimension())),
          first_(centre_),
          second_(centre_),
          centre_score_(centre_),
          first_score_(centre_),
          second_score_(centre_),
          own_(density.dimension() - density.coefficients_) {
      set_centre(centre_);
    }

    void set_centre(const Eigen::VectorXd& centre) override {
      centre_ = centre;
      product(centre_, centre_predictor_);
      double* predictor = centre_predictor_.data();
      for (Index i = 0; i < density_.size_; ++i) predictor[i] += density_.offset_.data()[i];
      centre_score_ = (centre_ - density_.prior_mean_).cwiseProduct(density_.prior_weight_);
      cc_ = centre_score_.squaredNorm();
      cu_ = centre_score_.dot(first_score_);
      cv_ = centre_score_.dot(second_score_);
    }
    void set_first(const Eigen::VectorXd& u) override {
      first_ = u;
      product(first_, first_predictor_);
      scored_first();
    }
    void set_second(const Eigen::VectorXd& v) override {
      second_ = v;
      product(second_, second_predictor_);
      second_score_ = second_.cwiseProduct(density_.prior_weight_);
      cv_ = centre_score_.dot(second_score_);
      uv_ = first_score_.dot(second_score_);
      vv_ = second_score_.squaredNorm();
    }
    void turn(double a, double b) override {
      first_ = a * first_ + b * second_;
      kernels_.turn(first_predictor_.data(), second_predictor_.data(), a, b, static_cast<std::uint64_t>(density_.size_));
      scored_first();
    }
    double at(double a, double b, const std::stop_token&) override {
      for (Index k = 0; k < own_.size(); ++k) {
        const Index j = density_.coefficients_ + k;
        own_(k) = centre_(j) + (a * first_(j) + b * second_(j));
      }
      const double squares = cc_ + 2 * (a * cu_ + b * cv_) + (a * a * uu_ + 2 * (a * b) * uv_ + b * b * vv_);
      return density_.likelihood_->value_on_plane(centre_predictor_.data(), first_predictor_.data(), second_predictor_.data(), a, b, own_.data(), eta_.data()) -
             0.5 * squares;
    }
    void point(double a, double b, Eigen::VectorXd& x) const override { x = centre_ + (a * first_ + b * second_); }

   private:
    void product(const Eigen::VectorXd& v, Aligned& out) const {
      kernels_.product(density_.blocks_.data(), static_cast<std::uint64_t>(density_.size_), static_cast<std::uint64_t>(density_.coefficients_), v.data(),
                       out.data());
    }
    void scored_first() {
      first_score_ = first_.cwiseProduct(density_.prior_weight_);
      cu_ = centre_score_.dot(first_score_);
      uu_ = first_score_.squaredNorm();
      uv_ = first_score_.dot(second_score_);
    }

    const RegressionDensity& density_;
    const RegressionKernels& kernels_;
    Aligned centre_predictor_, first_predictor_, second_predictor_, eta_;
    Eigen::VectorXd centre_, first_, second_, centre_score_, first_score_, second_score_, own_;
    double cc_ = 0, cu_ = 0, cv_ = 0, uu_ = 0, uv_ = 0, vv_ = 0;
  };

  std::shared_ptr<const RegressionLikelihood> likelihood_;
  Index observations_, coefficients_, size_;
  Aligned blocks_;  // X in blocks of `design_rows` rows, each column by column; rows past the end are 0
  Aligned offset_;
  Eigen::VectorXd prior_mean_, prior_weight_;
};

}  // namespace

double RegressionLikelihood::value_on_plane(const double* centre, const double* first, const double* second, double a, double b, const double* own,
                                            double* eta) const {
  regression_kernels().predictors({centre, first, second, a, b}, static_cast<std::uint64_t>(padded(observations())), eta);
  return value(eta, own);
}

std::shared_ptr<const RegressionLikelihood> logistic_likelihood(const ConstVector& y) { return std::make_shared<Logistic>(y); }
std::shared_ptr<const RegressionLikelihood> poisson_likelihood(const ConstVector& y) { return std::make_shared<Poisson>(y); }
std::shared_ptr<const RegressionLikelihood> gaussian_likelihood(const ConstVector& y) { return std::make_shared<GaussianErrors>(y, 0); }
std::shared_ptr<const RegressionLikelihood> gaussian_likelihood(const ConstVector& y, double sigma) {
  if (!(sigma > 0 && std::isfinite(sigma))) refuse_regression("sigma", to_text(sigma), "must be positive and finite", "Give a standard deviation");
  return std::make_shared<GaussianErrors>(y, sigma);
}

std::shared_ptr<const LogDensity> regression_density(Eigen::MatrixXd design, Eigen::VectorXd offset, std::shared_ptr<const RegressionLikelihood> likelihood,
                                                     RegressionPrior prior) {
  if (likelihood == nullptr) refuse_regression("likelihood", "none", "must be given", "Give logistic_likelihood(y) or one of your own");
  const Index n = likelihood->observations(), dimension = design.cols() + likelihood->own_parameters();
  if (design.rows() != n)
    refuse_regression("rows of the design", std::to_string(design.rows()), "must be the number of observations, " + std::to_string(n), "Give one row each");
  if (design.cols() == 0) refuse_regression("columns of the design", "0", "must be at least 1", "Give a column of ones for a model with an intercept only");
  for (Index j = 0; j < design.cols(); ++j) require_finite(("column " + std::to_string(j + 1) + " of the design").c_str(), design.col(j));
  if (offset.size() > 0) require_size("offset", offset.size(), n);
  require_finite("offset", offset);
  require_size("prior mean", prior.mean.size(), dimension);
  require_finite("prior mean", prior.mean);
  require_size("prior standard deviation", prior.std_dev.size(), dimension);
  for (Index j = 0; j < dimension; ++j) {
    if (!(prior.std_dev(j) > 0)) {
      refuse_regression("prior standard deviation(" + std::to_string(j + 1) + ")", to_text(prior.std_dev(j)), "must be positive",
                        "An infinite one is a flat prior");
    }
  }
  return std::make_shared<RegressionDensity>(design, offset, std::move(likelihood), std::move(prior));
}

}  // namespace buffon
