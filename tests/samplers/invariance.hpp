// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <buffon/random/stream.hpp>
#include <buffon/samplers/slice_kernel.hpp>
#include <statistical.hpp>

/// Exact-start invariance: independent draws of the target, a few transitions of the kernel on each, and the law of what comes out. A kernel that
/// leaves the target invariant gives draws of the target again, whatever its mixing.
namespace buffon::testing {

/// A function of the point. Without a cdf its law is that of fresh exact draws.
struct KnownLaw {
  std::function<double(const Eigen::VectorXd&)> of;
  std::function<double(double)> cdf = {};
};

struct ExactTarget {
  std::string name;
  std::shared_ptr<const LogDensity> density;
  std::function<void(const Stream&, Eigen::MatrixXd&)> sample;  ///< fills columns with independent draws
  std::vector<KnownLaw> laws;
};

inline constexpr Index exact_starts = 8000;

/// Each of the columns of `x` after `transitions` steps of `kernel`, which is started anew at every column.
inline void move_all(SliceKernel& kernel, Eigen::MatrixXd& x, const Stream& stream, std::uint64_t transitions) {
  ItemDraws draws(stream, kernel.normals());
  for (Index i = 0; i < x.cols(); ++i) {
    kernel.start(x.col(i));
    for (std::uint64_t t = 0; t < transitions; ++t) {
      draws.begin(static_cast<std::uint64_t>(i) * transitions + t);
      kernel.step(draws);
    }
    x.col(i) = kernel.point();
  }
}

inline std::vector<double> values_of(const KnownLaw& law, const Eigen::MatrixXd& x) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(x.cols()));
  Eigen::VectorXd point;
  for (Index i = 0; i < x.cols(); ++i) {
    point = x.col(i);
    values.push_back(law.of(point));
  }
  return values;
}

/// Smallest p value of the Kolmogorov–Smirnov tests of the target's laws, times their number (Bonferroni): below `level` with probability
/// `level` at most for draws of the target.
inline double least_p(const ExactTarget& target, const Eigen::MatrixXd& x, const Stream& stream) {
  Eigen::MatrixXd fresh;
  double least = 1;
  for (const KnownLaw& law : target.laws) {
    if (law.cdf) {
      least = std::min(least, ks_p(values_of(law, x), law.cdf));
      continue;
    }
    if (fresh.size() == 0) {
      fresh.resize(x.rows(), 4 * x.cols());
      target.sample(stream, fresh);
    }
    least = std::min(least, ks_two_sample_p(values_of(law, x), values_of(law, fresh)));
  }
  return std::min(1.0, least * static_cast<double>(target.laws.size()));
}

inline double invariance_p(const ExactTarget& target, SliceKernel& kernel, std::uint64_t seed = 1, Index n = exact_starts, std::uint64_t transitions = 2) {
  const Stream stream(seed);
  Eigen::MatrixXd x(kernel.dimension(), n);
  target.sample(stream.child("exact"), x);
  move_all(kernel, x, stream.child("moves"), transitions);
  return least_p(target, x, stream.child("fresh"));
}

// ------------------------------------------------------------------------------------------------------------------
// targets

inline KnownLaw coordinate_law(Index i, std::function<double(double)> cdf) {
  return {[i](const Eigen::VectorXd& x) { return x(i); }, std::move(cdf)};
}

/// N(m, L Lᵀ).
inline ExactTarget gaussian_target(const std::string& name, const Eigen::VectorXd& m, const Eigen::MatrixXd& lower) {
  const Index d = m.size();
  const auto whiten = [m, lower](const Eigen::VectorXd& x) { return Eigen::VectorXd(lower.triangularView<Eigen::Lower>().solve(x - m)); };
  ExactTarget target{name,
                     make_log_density(d, [whiten](const Eigen::VectorXd& x) { return -0.5 * whiten(x).squaredNorm(); }),
                     [m, lower](const Stream& stream, Eigen::MatrixXd& x) {
                       stream.normals(0, x);
                       const Eigen::MatrixXd z = x;
                       x.noalias() = lower * z;
                       x.colwise() += m;
                     },
                     {}};
  for (const Index i : {Index{0}, d - 1}) {
    const double sd = lower.row(i).norm(), mean = m(i);
    target.laws.push_back(coordinate_law(i, [mean, sd](double x) { return normal_cdf((x - mean) / sd); }));
  }
  target.laws.push_back(
      {[whiten](const Eigen::VectorXd& x) { return whiten(x).squaredNorm(); }, [d](double x) { return 1 - chi_square_tail(x, static_cast<double>(d)); }});
  target.laws.push_back(
      {[whiten](const Eigen::VectorXd& x) { return whiten(x).sum(); }, [d](double x) { return normal_cdf(x / std::sqrt(static_cast<double>(d))); }});
  return target;
}

inline ExactTarget standard_gaussian(Index d) {
  return gaussian_target("N(0, I) in " + std::to_string(d) + " dimensions", Eigen::VectorXd::Zero(d), Eigen::MatrixXd::Identity(d, d));
}

/// d = 4, far from the origin in units of its narrow directions, correlated.
inline ExactTarget shifted_gaussian() {
  Eigen::MatrixXd lower(4, 4);
  lower << 2, 0, 0, 0, 0.7, 0.5, 0, 0, -1, 0.2, 1.5, 0, 0.3, -0.1, 0.4, 0.2;
  return gaussian_target("shifted anisotropic Gaussian", Eigen::Vector4d(1, -2, 3, 0.5), lower);
}

/// log p = −(d + 1)/2 log(1 + |x|²), even d. |x|² = q has P(|x|² ≤ q) = I_z(d/2, 1/2) = 1 − √(1 − z) Σ_{k < d/2} (1/2)_k / k! z^k, z = q / (1 + q).
inline ExactTarget cauchy(Index d) {
  const auto standard = [](double x) { return 0.5 + std::atan(x) / std::numbers::pi; };
  const double root = std::sqrt(static_cast<double>(d));
  return {"Cauchy in " + std::to_string(d) + " dimensions",
          make_log_density(d, [d](const Eigen::VectorXd& x) { return -0.5 * static_cast<double>(d + 1) * std::log1p(x.squaredNorm()); }),
          [](const Stream& stream, Eigen::MatrixXd& x) {
            Eigen::MatrixXd h(1, x.cols());
            stream.child("above").normals(0, x);
            stream.child("below").normals(0, h);
            x.array().rowwise() /= h.array().abs().row(0);
          },
          {coordinate_law(0, standard),
           coordinate_law(d - 1, standard),
           {[root](const Eigen::VectorXd& x) { return x.sum() / root; }, standard},
           {[](const Eigen::VectorXd& x) { return x.squaredNorm(); },
            [d](double q) {
              const double z = q / (1 + q);
              double term = 1, sum = 0;
              for (Index k = 0; k < d / 2; ++k) {
                sum += term;
                term *= z * (static_cast<double>(k) + 0.5) / static_cast<double>(k + 1);
              }
              return 1 - sum / std::sqrt(1 + q);
            }}}};
}

/// 0.3 N(−2·1, I) + 0.7 N(1.5·1, I/4), d = 3.
inline ExactTarget gaussian_mixture() {
  const auto mixed = [](double x) { return 0.3 * normal_cdf(x + 2) + 0.7 * normal_cdf(2 * (x - 1.5)); };
  const double root = std::sqrt(3.0);
  return {"mixture of two Gaussians",
          make_log_density(3,
                           [](const Eigen::VectorXd& x) {
                             return std::log(0.3 * std::exp(-0.5 * (x.array() + 2).square().sum()) + 0.7 * 8 * std::exp(-2 * (x.array() - 1.5).square().sum()));
                           }),
          [](const Stream& stream, Eigen::MatrixXd& x) {
            Eigen::MatrixXd u(1, x.cols());
            stream.child("which").uniforms(0, u);
            stream.child("normals").normals(0, x);
            for (Index i = 0; i < x.cols(); ++i) x.col(i) = (x.col(i).array() * (u(i) < 0.3 ? 1.0 : 0.5) + (u(i) < 0.3 ? -2.0 : 1.5)).matrix();
          },
          {coordinate_law(0, mixed),
           coordinate_law(1, mixed),
           coordinate_law(2, mixed),
           {[](const Eigen::VectorXd& x) { return x.sum(); },
            [root](double s) { return 0.3 * normal_cdf((s + 6) / root) + 0.7 * normal_cdf(2 * (s - 4.5) / root); }}}};
}

/// Uniform on (−1, 2) × (−1, 1) × (−0.5, 3).
inline ExactTarget box() {
  static const Eigen::Array3d low(-1, -1, -0.5), high(2, 1, 3);
  ExactTarget target{"uniform box",
                     make_log_density(3,
                                      [](const Eigen::VectorXd& x) {
                                        bool within = true;
                                        for (Index i = 0; i < 3; ++i) within = within && x(i) > low(i) && x(i) < high(i);
                                        return within ? 0.0 : -std::numeric_limits<double>::infinity();
                                      }),
                     [](const Stream& stream, Eigen::MatrixXd& x) {
                       stream.uniforms(0, x);
                       x.array().colwise() *= high - low;
                       x.array().colwise() += low;
                     },
                     {}};
  for (Index i = 0; i < 3; ++i) {
    target.laws.push_back(coordinate_law(i, [i](double x) { return std::clamp((x - low(i)) / (high(i) - low(i)), 0.0, 1.0); }));
  }
  return target;
}

/// Uniform on the rings 1 < |x| < 1.5 and 3 < |x| < 3.2: |x|² is uniform on (1, 2.25) and (9, 10.24).
inline ExactTarget rings() {
  return {"two concentric rings",
          make_log_density(2,
                           [](const Eigen::VectorXd& x) {
                             const double q = x.squaredNorm();
                             const bool within = (q > 1 && q < 2.25) || (q > 9 && q < 10.24);
                             return within ? 0.0 : -std::numeric_limits<double>::infinity();
                           }),
          [](const Stream& stream, Eigen::MatrixXd& x) {
            Eigen::MatrixXd u(2, x.cols());
            stream.uniforms(0, u);
            for (Index i = 0; i < x.cols(); ++i) {
              const double s = 2.49 * u(0, i), r = std::sqrt(s < 1.25 ? 1 + s : 7.75 + s), angle = 2 * std::numbers::pi * u(1, i);
              x.col(i) = Eigen::Vector2d(r * std::cos(angle), r * std::sin(angle));
            }
          },
          {{[](const Eigen::VectorXd& x) { return x.squaredNorm(); },
            [](double q) { return (std::clamp(q - 1, 0.0, 1.25) + std::clamp(q - 9, 0.0, 1.24)) / 2.49; }},
           {[](const Eigen::VectorXd& x) { return std::atan2(x(1), x(0)); }, [](double angle) { return 0.5 + 0.5 * angle / std::numbers::pi; }}}};
}

/// The targets on R^d.
inline std::vector<ExactTarget> exact_targets() {
  return {standard_gaussian(2),
          standard_gaussian(5),
          standard_gaussian(20),
          shifted_gaussian(),
          cauchy(2),
          cauchy(10),
          cauchy(100),
          gaussian_mixture(),
          box(),
          rings()};
}

/// A frame that fits none of them: off the centre, scaled and correlated.
inline AffineFrame crooked_frame(Index d) {
  Eigen::MatrixXd lower = Eigen::MatrixXd::Zero(d, d);
  for (Index i = 0; i < d; ++i) {
    lower(i, i) = i % 2 == 0 ? 1.5 : 0.6;
    if (i > 0) lower(i, i - 1) = 0.4;
  }
  return AffineFrame::full(Eigen::VectorXd::Constant(d, 0.3), lower);
}

}  // namespace buffon::testing
