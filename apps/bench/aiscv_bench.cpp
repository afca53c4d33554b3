// SPDX-License-Identifier: BSD-3-Clause
// What the estimators cost beside the model: plain Monte Carlo against a bare loop over the same draws and the same model of
// about one microsecond, and ME-AISCV per point as a function of the number of expectations J and of the dimension d.

#include "interleave.hpp"

#include <buffon/estimators/aiscv.hpp>
#include <buffon/estimators/plain_monte_carlo.hpp>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

using namespace buffon;

namespace {

// A dependent chain of divisions; `length` is set so that one point costs about a microsecond.
double slow_model(double x, int length) {
  double y = x;
  for (int i = 0; i < length; ++i) y = 1.0 + x / (y + 2.0);
  return y;
}

int chain_of_one_microsecond() {
  for (int length = 64;; length += 16) {
    double best = 1;
    for (int trial = 0; trial < 5; ++trial) {
      const double begin = bench::seconds(bench::Clock::thread);
      double sum = 0;
      for (int i = 0; i < 2000; ++i) sum += slow_model(1e-3 * i, length);
      asm volatile("" : : "g"(&sum) : "memory");
      best = std::min(best, (bench::seconds(bench::Clock::thread) - begin) / 2000);
    }
    if (best >= 1e-6) return length;
  }
}

// φ_j(x) = exp(t_j·x) with short vectors t_j: J functions that cost nearly nothing.
class Exponentials : public Integrands {
 public:
  Exponentials(Index dimension, Index count) : t_(Eigen::MatrixXd::Zero(dimension, count)) {
    for (Index j = 0; j < count; ++j) {
      t_(j % dimension, j) = 0.5 + 0.5 * static_cast<double>(j) / static_cast<double>(count);
      names_.push_back("m" + std::to_string(j));
    }
  }
  Index dimension() const override { return t_.rows(); }
  Index count() const override { return t_.cols(); }
  const std::vector<std::string>& names() const override { return names_; }
  bool common_law() const override { return true; }
  bool standard_normal() const override { return true; }
  std::int64_t calls_per_point() const override { return 1; }
  void sample(const Stream& stream, std::uint64_t first, MutMatrix x) const override { stream.normals(first, x); }
  void log_densities(const ConstMatrix& x, MutMatrix log_f) const override {
    log_f.row(0) = (-0.5 * x.colwise().squaredNorm()).array() - 0.5 * static_cast<double>(t_.rows()) * std::log(2 * 3.14159265358979323846);
  }
  void evaluate(Context&, const ConstMatrix& x, MutMatrix phi) const override { phi = (t_.transpose() * x).array().exp(); }

 private:
  Eigen::MatrixXd t_;
  std::vector<std::string> names_;
};

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("aiscv_bench", argc, argv);

  const int length = chain_of_one_microsecond();
  constexpr std::int64_t points = 65536;
  const auto model = make_model(2, {"y"}, [length](const ConstMatrix& x, MutMatrix out) {
    for (Index i = 0; i < x.cols(); ++i) out(0, i) = slow_model(x(0, i) + x(1, i), length);
  });
  const Problem problem(model, JointLaw({{"a", normal_law(0, 1)}, {"b", normal_law(0, 1)}}));
  double sink = 0;
  const auto bare = [&] {
    const Stream stream(1);
    Eigen::MatrixXd x(2, 1024);
    double sum = 0, squares = 0;
    for (std::int64_t first = 0; first < points; first += 1024) {
      stream.normals(static_cast<std::uint64_t>(first), x);
      for (Index i = 0; i < 1024; ++i) {
        const double y = slow_model(x(0, i) + x(1, i), length);
        sum += y;
        squares += y * y;
      }
    }
    sink = sum + squares;
  };
  Context context(1);
  const auto driven = [&] {
    const PlainMonteCarloOptions options{.max_evaluations = points};
    sink = plain_monte_carlo(problem, options, Stream(1), context).estimates[0].estimate.value;
  };
  const auto ratio = report.compare("plain Monte Carlo, model of 1 microsecond, one thread", "points/s", static_cast<double>(points),
                                    {{"bare loop over the same draws", bare}, {"plain_monte_carlo", driven}});
  std::printf("  overhead of the driver: %.2f %%\n", 100 * (ratio[0].median - 1));

  for (const Index dimension : {2, 10, 40}) {
    std::vector<bench::Contender> contenders;
    for (const Index count : {1, 10, 100}) {
      const auto integrands = std::make_shared<Exponentials>(dimension, count);
      contenders.push_back({"d = " + std::to_string(dimension) + ", J = " + std::to_string(count), [integrands, &context, &sink] {
                              AiscvOptions options;
                              options.max_evaluations = 10000;
                              sink = aiscv(integrands, options, Stream(1), context).criterion;
                            }});
    }
    report.compare("ME-AISCV, 10000 points of a free model, one thread", "points/s", 10000.0, contenders);
  }
  return report.finish();
}
