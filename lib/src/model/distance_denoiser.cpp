// SPDX-License-Identifier: BSD-3-Clause
// Mixtures with S_k = d_k I: v_k = alpha² d_k + sigma², log w_k = log π_k − n/2 log v_k − |x − alpha m_k|² / (2 v_k),
// D = Σ_k r_k (1 − alpha g_k) m_k + x Σ_k r_k g_k, g_k = alpha d_k / v_k.
#include <array>
#include <cmath>

#include "device_views.hpp"
#include "exact_denoiser_work.hpp"

namespace buffon {
namespace {

using backend::Matrix;
using backend::Queue;
using backend::View;
using device::columns_times;
using device::factors;
using device::repeated;
using device::rows_times;
using device::term;

/// The expanded square |x|² − 2 alpha x′ m + alpha² |m|² loses the digits of (alpha spread)² / v, in float32 about as many as x itself leaves open. Up to
/// these ratios the logarithms of shares are good to 1e-4 in float32 and 1e-12 in float64; beyond, differences are squared one by one.
constexpr double most_float32 = 1000, most_float64 = 1e4;

enum class Way { float32, float64, differences };

/// What one product of a type needs: logits = F′ [x − alpha c; 1; |x − alpha c|²], the last row where the v_k differ.
struct Expanded {
  Expanded(Queue& queue, const Eigen::MatrixXd& means, Index features, Index chunk, buffon_type of_type)
      : type(of_type),
        centred(device::uploaded(queue, means, type)),
        one(device::uploaded(queue, Eigen::MatrixXd::Ones(1, 1), type)),
        of_components(queue.device(), features, means.cols(), type),
        of_samples(queue.device(), features, chunk, type),
        logits(queue.device(), means.cols(), chunk, type) {}
  buffon_type type;
  Matrix centred, one, of_components, of_samples, logits;
};

class DistanceWork : public MixtureWork {
 public:
  DistanceWork(const MixtureParts& parts, Queue& queue, Index columns, buffon_type type)
      : MixtureWork(parts, queue, columns, type, batch_numbers / parts.count()),
        shared_((parts.spectra.array() == parts.spectra(0)).all()),
        centre_(parts.means * parts.log_weights.array().exp().matrix()),
        spread_square_((parts.means.colwise() - centre_).colwise().squaredNorm().maxCoeff()),
        n_(parts.dimension()),
        count_(parts.count()),
        means_(device::uploaded(queue, parts.means, type)),
        centres_(device::uploaded(queue, centre_, type)),
        ones_(device::uploaded(queue, Eigen::VectorXd::Ones(count_), BUFFON_F64)),
        factors_(queue.device(), count_, 5, BUFFON_F64),
        squares_(queue.device(), 1, chunk_, BUFFON_F64),
        shares_(queue.device(), count_, type == BUFFON_F64 ? 0 : chunk_, type) {
    if (shared_) return;
    weighted_ = Matrix(queue.device(), n_ + 1, count_, type);
    answers_ = Matrix(queue.device(), n_ + 1, chunk_, type);
    one_ = device::uploaded(queue, Eigen::MatrixXd::Ones(1, 1), type);
  }

 private:
  void at(const NoiseLevel& level) override {
    const double a = level.alpha;
    level_ = level;
    const Eigen::ArrayXd d = shared_ ? Eigen::ArrayXd::Constant(count_, parts_.spectra(0)) : Eigen::ArrayXd(parts_.spectra.row(0).transpose()),
                         v = a * a * d + level.sigma * level.sigma, gain = a * d / v;
    const double ratio = (a * a * spread_square_ + (shared_ ? 0.0 : static_cast<double>(n_) * v.maxCoeff())) / v.minCoeff();
    way_ = type_ == BUFFON_F32 && ratio <= most_float32 ? Way::float32 : (ratio <= most_float64 ? Way::float64 : Way::differences);
    gain_ = gain(0);
    const Eigen::ArrayXd constants = parts_.log_weights.array() - 0.5 * static_cast<double>(n_) * v.log();
    Eigen::MatrixXd values(count_, 5);
    const Eigen::ArrayXd squares = (parts_.means.colwise() - centre_).colwise().squaredNorm().transpose().array();
    values.col(0) = way_ == Way::differences ? Eigen::ArrayXd(-0.5 / v) : Eigen::ArrayXd(a / v);
    values.col(1) = way_ == Way::differences ? constants : Eigen::ArrayXd(constants - 0.5 * a * a * squares / v);
    values.col(2) = -0.5 / v;
    values.col(3) = 1 - a * gain;
    values.col(4) = gain;
    queue_.upload(factors_, values);
    if (way_ != Way::differences) {
      const Expanded& e = expanded();
      const View components = e.of_components;
      queue_.combine(device::rows(components, 0, n_), std::array{columns_times(e.centred, factors(factors_))});
      queue_.combine(device::rows(components, n_, 1), std::array{columns_times(repeated(e.one, count_), factors(factors_, 1))});
      if (!shared_) queue_.combine(device::rows(components, n_ + 1, 1), std::array{columns_times(repeated(e.one, count_), factors(factors_, 2))});
    }
    if (shared_) return;
    queue_.combine(device::rows(weighted_, 0, n_), std::array{columns_times(means_, factors(factors_, 3))});
    queue_.combine(device::rows(weighted_, n_, 1), std::array{columns_times(repeated(one_, count_), factors(factors_, 4))});
  }

  void denoise(View x, View answer, std::span<const std::int32_t> labels) override {
    const Index columns = x.columns;
    View shares = way_ == Way::differences ? by_differences(x) : by_product(x);
    if (!labels.empty()) {
      Matrix& penalty = shares.type == BUFFON_F64 ? penalty_64_ : penalty_32_;
      if (penalty.view().rows == 0) penalty = Matrix(queue_.device(), count_, chunk_, shares.type);
      forbid(penalty, labels);
      queue_.combine(shares, std::array{term(shares, 1), term(penalty.columns(0, columns), 1)});
    }
    queue_.softmax(shares, shares);
    if (shares.type != type_) {
      queue_.convert(shares_.columns(0, columns), shares);
      shares = shares_.columns(0, columns);
    }
    if (shared_) {
      if (gain_ != 0) queue_.combine(answer, std::array{term(x, gain_)});
      queue_.product(answer, means_, false, shares, 1 - level_.alpha * gain_, gain_ != 0 ? 1 : 0);
      return;
    }
    const View sums = answers_.columns(0, columns), of_x = squares_.columns(0, columns);
    queue_.product(sums, weighted_, false, shares);
    if (type_ == BUFFON_F64) {
      queue_.combine(of_x, std::array{term(device::rows(sums, n_, 1), 1)});
    } else {
      queue_.convert(of_x, device::rows(sums, n_, 1));
    }
    queue_.combine(answer, std::array{term(device::rows(sums, 0, n_), 1), columns_times(x, static_cast<const double*>(of_x.data))});
  }

  View by_product(View x) {
    const Index columns = x.columns;
    const Expanded& e = expanded();
    const View samples = e.of_samples.columns(0, columns), centred = device::rows(samples, 0, n_);
    const View logits = e.logits.columns(0, columns), centre = repeated(e.type == type_ ? centres_ : centres_64(), columns);
    if (e.type == type_) {
      queue_.combine(centred, std::array{term(x, 1), term(centre, -level_.alpha)});
    } else {
      queue_.convert(centred, x);
      queue_.combine(centred, std::array{term(centred, 1), term(centre, -level_.alpha)});
    }
    queue_.fill(device::rows(samples, n_, 1), BUFFON_CONSTANT, 1, Stream(0), 0);
    if (!shared_) {
      const View squares = squares_.columns(0, columns);
      queue_.reduce(squares, centred, BUFFON_SUM_SQUARES);
      queue_.combine(device::rows(samples, n_ + 1, 1), std::array{columns_times(repeated(e.one, columns), static_cast<const double*>(squares.data))});
    }
    queue_.product(logits, e.of_components, true, samples);
    return logits;
  }

  View by_differences(View x) {
    if (differences_.view().rows == 0) {
      means_64_ = device::uploaded(queue_, parts_.means, BUFFON_F64);
      x_64_ = Matrix(queue_.device(), n_, chunk_, BUFFON_F64);
      differences_ = Matrix(queue_.device(), n_, std::min(count_, std::max<Index>(1, batch_numbers / n_)), BUFFON_F64);
      distances_ = Matrix(queue_.device(), count_, chunk_, BUFFON_F64);
    }
    const View result = distances_.columns(0, x.columns);
    View source = x;
    if (type_ != BUFFON_F64) {
      source = x_64_.columns(0, x.columns);
      queue_.convert(source, x);
    }
    const Index most = differences_.view().columns;
    for (Index c = 0; c < x.columns; ++c) {
      const View of_sample = device::columns(result, c, 1);
      for (Index first = 0; first < count_; first += most) {
        const Index count = std::min(most, count_ - first);
        const View differences = differences_.columns(0, count);
        queue_.combine(differences, std::array{term(repeated(device::columns(source, c, 1), count), 1), term(means_64_.columns(first, count), -level_.alpha)});
        queue_.reduce(device::reshaped(device::rows(of_sample, first, count), 1), differences, BUFFON_SUM_SQUARES);
      }
    }
    queue_.combine(result, std::array{rows_times(result, factors(factors_)), rows_times(repeated(ones_, x.columns), factors(factors_, 1))});
    return result;
  }

  const Expanded& expanded() {
    std::optional<Expanded>& e = way_ == Way::float32 ? in_32_ : in_64_;
    if (!e) e.emplace(queue_, parts_.means.colwise() - centre_, n_ + (shared_ ? 1 : 2), chunk_, way_ == Way::float32 ? BUFFON_F32 : BUFFON_F64);
    return *e;
  }
  const Matrix& centres_64() {
    if (centre_64_.view().rows == 0) centre_64_ = device::uploaded(queue_, centre_, BUFFON_F64);
    return centre_64_;
  }

  bool shared_;  ///< all v_k equal: |x|² cancels
  Eigen::VectorXd centre_;
  double spread_square_;
  Index n_, count_;
  NoiseLevel level_;
  Way way_ = Way::float64;
  double gain_ = 0;  ///< where shared
  Matrix means_, centres_, ones_, factors_, squares_, shares_, weighted_, answers_, one_;
  Matrix centre_64_, means_64_, x_64_, differences_, distances_, penalty_32_, penalty_64_;
  std::optional<Expanded> in_32_, in_64_;
};

}  // namespace

std::unique_ptr<DenoiserWork> distance_work(const MixtureParts& parts, Queue& queue, Index columns, buffon_type type) {
  return std::make_unique<DistanceWork>(parts, queue, columns, type);
}

}  // namespace buffon
