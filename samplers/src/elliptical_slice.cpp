// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/samplers/elliptical_slice.hpp>

#include "slice_bracket.hpp"

#include <cmath>
#include <string>

#include <Eigen/Cholesky>

#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>

namespace buffon {
namespace {

[[noreturn]] void refuse(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(
      ErrorCategory::configuration,
      {.doing = "making a chain of elliptical_slice", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

/// x = m + A y with y standard normal under the prior.
AffineFrame prior_frame(const EllipticalSliceOptions& options, Index d) {
  const std::vector<double>&mean = options.prior_mean, &covariance = options.prior_covariance;
  const auto numbers = [](std::size_t n) { return std::to_string(n) + " numbers"; };
  Eigen::VectorXd m = Eigen::VectorXd::Zero(d);
  if (mean.size() == 1) {
    m.setConstant(mean[0]);
  } else if (static_cast<Index>(mean.size()) == d) {
    m = Eigen::Map<const Eigen::VectorXd>(mean.data(), d);
  } else if (!mean.empty()) {
    refuse("options.prior_mean", numbers(mean.size()), "must be 1 or " + std::to_string(d) + " numbers", "give one for all or one for each dimension");
  }
  const auto size = static_cast<Index>(covariance.size());
  if (size == 1 || size == d) {
    Eigen::VectorXd scale(d);
    for (Index i = 0; i < d; ++i) {
      const double variance = covariance[size == 1 ? 0 : static_cast<std::size_t>(i)];
      if (!(variance > 0)) refuse("options.prior_covariance", to_text(variance), "variances must be greater than 0", "give positive variances");
      scale(i) = std::sqrt(variance);
    }
    return AffineFrame::diagonal(m, scale);
  }
  if (size != d * d) {
    refuse("options.prior_covariance", numbers(covariance.size()), "must be 1, " + std::to_string(d) + " or " + std::to_string(d * d) + " numbers",
           "give one variance for all, one for each dimension, or all entries of the matrix");
  }
  const Eigen::Map<const Eigen::MatrixXd> matrix(covariance.data(), d, d);
  const Eigen::LLT<Eigen::MatrixXd> llt(matrix);
  const bool symmetric = (matrix - matrix.transpose()).cwiseAbs().maxCoeff() <= 1e-12 * matrix.cwiseAbs().maxCoeff();
  if (!symmetric || llt.info() != Eigen::Success) {
    refuse("options.prior_covariance", "a matrix of " + numbers(covariance.size()), "must be symmetric and positive definite", "give a covariance matrix");
  }
  return AffineFrame::full(m, llt.matrixLLT());
}

}  // namespace

void describe(OptionVisitor& v, EllipticalSliceOptions& o) {
  v.on({.name = "prior_mean", .meaning = "Mean of the Gaussian prior: one number for all dimensions or one for each; empty means 0."}, o.prior_mean);
  v.on({.name = "prior_covariance",
        .meaning = "Covariance of the Gaussian prior, the density being the likelihood: one variance for all dimensions, one for each, or all "
                   "entries of the matrix; empty means no prior, the density being the whole target."},
       o.prior_covariance);
}

EllipticalSlice::EllipticalSlice(std::shared_ptr<const LogDensity> density, const EllipticalSliceOptions& options)
    : SliceKernel(std::move(density)), prior_(!options.prior_covariance.empty()) {
  check_options("elliptical_slice", options);
  if (prior_) {
    frame_ = prior_frame(options, dimension());
  } else if (!options.prior_mean.empty()) {
    refuse("options.prior_mean", std::to_string(options.prior_mean.size()) + " numbers", "needs options.prior_covariance", "give the covariance of the prior");
  }
}

double EllipticalSlice::log_density() const { return prior_ ? log_density_ - 0.5 * square_ : log_density_; }

void EllipticalSlice::set_frame(AffineFrame frame) {
  if (prior_) {
    throw Error(ErrorCategory::usage,
                {.doing = "setting the frame of elliptical_slice", .rule = "the prior is the frame", .remedy = "leave the frame, or give no prior"});
  }
  SliceKernel::set_frame(std::move(frame));
}

// The probe's first vector is x − centre = A y.
void EllipticalSlice::represent() {
  frame_.coordinates(point_, coordinates_);
  square_ = coordinates_.squaredNorm();
  probe_->set_centre(frame_.centre());
  probe_->set_first(point_ - frame_.centre());
}

void EllipticalSlice::transition(ItemDraws& draws) {
  const auto nu = draws.normals();
  frame_.direction(nu, image_);
  probe_->set_second(image_);
  // The likelihood: the density over the Gaussian of the frame where that is no prior, so log p + |y|²/2, and |y cos ω + ν sin ω|² is known.
  const double weight = prior_ ? 0 : 0.5;
  const double square = square_, across = 2 * coordinates_.dot(nu), nu_square = nu.squaredNorm();
  const auto square_at = [&](double cosine, double sine) { return cosine * cosine * square + cosine * sine * across + sine * sine * nu_square; };
  const double level = log_density_ + weight * square - draws.exponential();
  const slices::Angle angle = slices::shrink_angle(slices::ExactRules(), draws, counts_, [&](double cosine, double sine, double& value) {
    value = probe(cosine, sine);
    return value + weight * square_at(cosine, sine) > level;
  });
  if (!angle.found) return;
  accept(angle.cosine, angle.sine, angle.log_density);
  probe_->turn(angle.cosine, angle.sine);
  square_ = square_at(angle.cosine, angle.sine);
  coordinates_ = angle.cosine * coordinates_ + angle.sine * nu;
}

void describe(OptionVisitor& v, EllipticalSliceRunOptions& o) {
  describe(v, static_cast<ChainOptions&>(o));
  describe(v, o.kernel);
}

namespace {

/// A prior is one of the parameters themselves; under constraints the Jacobian would come to it.
std::shared_ptr<const Target> without_constraints(std::shared_ptr<const Target> target, const EllipticalSliceOptions& options) {
  if (target->constrained() && !options.prior_covariance.empty()) {
    refuse("options.prior_covariance", "a Gaussian prior", "does not go with constrained parameters, on which no Gaussian lies",
           "make the prior a part of the density and leave it out here, or take parameters on the whole line (log s in place of s)");
  }
  return target;
}

}  // namespace

EllipticalSliceChains::EllipticalSliceChains(std::shared_ptr<const Target> target, const EllipticalSliceRunOptions& options, const Stream& stream)
    : Chains(
          "elliptical_slice", without_constraints(std::move(target), options.kernel), options,
          [kernel = options.kernel](std::shared_ptr<const LogDensity> density) { return std::make_unique<EllipticalSlice>(std::move(density), kernel); },
          stream) {}

ChainResult elliptical_slice(std::shared_ptr<const Target> target, const EllipticalSliceRunOptions& options, const Stream& stream, Context& context) {
  EllipticalSliceChains chains(std::move(target), options, stream);
  run_to_end(chains, context);
  return chains.result();
}

}  // namespace buffon
