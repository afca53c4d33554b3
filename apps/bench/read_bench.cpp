// SPDX-License-Identifier: BSD-3-Clause
// READ against the recursion as it is written down, with the generators of the standard library, on the paper's first example
// with equal rates; and what a leaf costs when the problem is written in expressions.

#include "interleave.hpp"

#include <buffon/estimators/read.hpp>
#include <buffon/model/nested_expressions.hpp>
#include <buffon/parallel/context.hpp>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <string>
#include <vector>

using namespace buffon;

namespace {

/// y⁰ ~ N(π/2, 1), y^d ~ N(y^{d−1}, 1); g_0 = sin(y⁰ + z), g_1 = sin(y¹ − z), g_2 = y².
class PlainRecursion {
 public:
  explicit PlainRecursion(std::vector<double> rates) : rates_(std::move(rates)) {
    for (const double r : rates_) log_tails_.push_back(std::log1p(-r));
  }

  double copy() { return node(0, std::numbers::pi / 2); }
  std::int64_t leaves() const { return leaves_; }

 private:
  double node(std::size_t depth, double past) {
    const double y = past + normal_(generator_);
    if (depth == 2) {
      ++leaves_;
      return y;
    }
    const double r = rates_[depth];
    const int n = static_cast<int>(std::log1p(-uniform_(generator_)) / log_tails_[depth]);
    const double p = r * std::pow(1 - r, n);
    if (n == 0) return link(depth, y, node(depth + 1, y)) / p;
    const std::int64_t half = std::int64_t{1} << (n - 1);
    double a = 0, b = 0;
    for (std::int64_t i = 0; i < half; ++i) {
      a += node(depth + 1, y);
      b += node(depth + 1, y);
    }
    a /= static_cast<double>(half);
    b /= static_cast<double>(half);
    return (link(depth, y, 0.5 * (a + b)) - 0.5 * (link(depth, y, a) + link(depth, y, b))) / p;
  }

  static double link(std::size_t depth, double y, double z) { return depth == 0 ? std::sin(y + z) : std::sin(y - z); }

  std::vector<double> rates_, log_tails_;
  std::int64_t leaves_ = 0;
  std::mt19937_64 generator_{1};
  std::normal_distribution<double> normal_;
  std::uniform_real_distribution<double> uniform_;
};

std::shared_ptr<const NestedProblem> in_expressions() {
  const auto stage = [](std::string name, NestedParameter mean, std::string link) {
    return NestedStage{{{std::move(name), "normal", {std::move(mean), {"std_dev", 1.0}}}}, std::move(link)};
  };
  return expression_nested_problem({stage("y0", {"mean", std::numbers::pi / 2}, "sin(y0 + z)"), stage("y1", {"mean", std::string("y0")}, "sin(y1 - z)"),
                                    stage("y2", {"mean", std::string("y1")}, "y2")});
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("read_bench", argc, argv);
  constexpr std::int64_t copies = 50000;
  Context context(1);
  double sink = 0;
  // Every turn makes new copies: the work of a copy is random, with a heavy tail.
  const auto ours = [&](std::shared_ptr<const NestedProblem> problem, const std::vector<double>& rates) {
    return [&, problem = std::move(problem), rates, turn = std::uint64_t{0}]() mutable {
      sink = read(problem, {.max_copies = copies, .rates = rates}, Stream(++turn), context).value.value;
    };
  };
  const auto named = named_nested_problem("sin_gaussian").make();

  for (const std::vector<double>& rates : {std::vector<double>{0.65, 0.60}, std::vector<double>{0.74, 0.60}}) {
    PlainRecursion recursion(rates);
    std::int64_t turns = 0;
    const auto plain = [&] {
      double sum = 0;
      for (std::int64_t i = 0; i < copies; ++i) sum += recursion.copy();
      sink = sum;
      ++turns;
    };
    report.compare("E1, r = (" + to_text(rates[0]) + ", " + to_text(rates[1]) + "), one thread", "copies/s", static_cast<double>(copies),
                   {{"buffon", ours(named, rates)}, {"recursion, mt19937_64, normal_distribution", plain}});
    std::printf("  leaves per copy of the recursion: %.3f, expected %.3f\n", static_cast<double>(recursion.leaves()) / static_cast<double>(turns * copies),
                rates[0] / (2 * rates[0] - 1) * rates[1] / (2 * rates[1] - 1));
  }

  const double leaves = 6.5 * static_cast<double>(copies);
  report.compare("E1, r = (0.65, 0.6), by how the problem is given, one thread", "M leaves/s", leaves * 1e-6,
                 {{"named problem", ours(named, {0.65, 0.60})}, {"expressions", ours(in_expressions(), {0.65, 0.60})}});
  return report.finish();
}
