// SPDX-License-Identifier: BSD-3-Clause

// Speed of the number kernels against the standard library, GSL and libm, for every instruction set that the CPU has.
//     random_bench [--rounds N] [--json FILE]

#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include <buffon/linalg/vector_math.hpp>
#include <buffon/random/alias.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/random/variates.hpp>

#include "interleave.hpp"

#if defined(BUFFON_HAVE_GSL)
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#endif

using namespace buffon;

int main(int argc, char** argv) try {
  bench::Report report("random_bench", argc, argv);
  constexpr std::size_t n = 16384;  // doubles, in cache
  constexpr double millions = n * 1e-6;
  const Stream s = Stream(1).child("bench");
  std::vector<double> x(n), y(n), positive(n), wide(n);
  std::vector<std::uint64_t> words(n);
  s.fill_uniforms(0, positive);
  for (std::size_t i = 0; i < n; ++i) wide[i] = (positive[i] - 0.5) * 200;

  std::mt19937_64 mt(1);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  std::vector<bench::Contender> normals = {{"fill_normals", [&] { s.fill_normals(0, x); }},
                                           {"mt19937_64 + normal_distribution", [&]() __attribute__((flatten)){for (double& v
                                                                                                                    : x) v = normal(mt);
}
}
}
;
#if defined(BUFFON_HAVE_GSL)
const std::unique_ptr<gsl_rng, void (*)(gsl_rng*)> gsl(gsl_rng_alloc(gsl_rng_mt19937), gsl_rng_free);
normals.push_back({"GSL ziggurat on mt19937", [&] {
                     for (double& v : x) v = gsl_ran_gaussian_ziggurat(gsl.get(), 1.0);
                   }});
#else
report.skip("GSL not found: its ziggurat is left out");
#endif
Eigen::MatrixXd one(1, n), three(3, n / 3), ten(10, n / 10), tall(1000, n / 1000);
normals.push_back({"inverse_normals, 2 × n", [&] { s.inverse_normals(0, Eigen::Map<Eigen::MatrixXd>(x.data(), 2, n / 2)); }});
normals.push_back({"normals, 1 × n", [&] { s.normals(0, one); }});
normals.push_back({"normals, 3 × n/3", [&] { s.normals(0, three); }});
normals.push_back({"normals, 10 × n/10", [&] { s.normals(0, ten); }});
normals.push_back({"normals, 1000 × n/1000", [&] { s.normals(0, tall); }});

std::vector<double> few(1000), many(1000000);
std::iota(few.begin(), few.end(), 1.0);
std::iota(many.begin(), many.end(), 1.0);
const AliasTable alias_few(few), alias_many(many);
const CumulativeTable cumulative_few(few), cumulative_many(many);
std::vector<Index> chosen(n);

for (const auto variant : available_kernel_variants()) {
  force_kernel_variant(variant);
  const std::string with = ", " + std::string(variant);
  report.compare("normals" + with, "M/s", millions, normals);
    report.compare("uniforms" + with, "M/s", millions, {{"fill_uniforms", [&] {
    s.fill_uniforms(0, x); }}, {"mt19937_64 + uniform_real_distribution", [&]() __attribute__((flatten)) {
                                                                                                              for (double& v : x) v = uniform(mt);
}
}
});
    report.compare("64-bit words" + with, "M/s", millions, {{"fill_words", [&] {
  s.fill_words(0, words); }}, {"mt19937_64", [&]() __attribute__((flatten)) {
                                                                                                                for (auto& w : words) w = mt();
    }
    }
    });
    report.compare("exp, |x| < 100" + with, "M/s", millions, {{"vector_exp", [&] { vector_exp(wide, y); }}, {"std::exp", [&] {
                                                                                                               for (std::size_t i = 0; i < n; ++i)
                                                                                                                 y[i] = std::exp(wide[i]);
                                                                                                             }}});
    report.compare("log, 0 < x < 1" + with, "M/s", millions, {{"vector_log", [&] { vector_log(positive, y); }}, {"std::log", [&] {
                                                                                                                   for (std::size_t i = 0; i < n; ++i)
                                                                                                                     y[i] = std::log(positive[i]);
                                                                                                                 }}});
    report.compare("categories, K = 1e3" + with, "M/s", millions,
                   {{"AliasTable", [&] { alias_few.draw(s, 0, chosen); }}, {"CumulativeTable", [&] { cumulative_few.draw(s, 0, chosen); }}});
    report.compare("categories, K = 1e6" + with, "M/s", millions,
                   {{"AliasTable", [&] { alias_many.draw(s, 0, chosen); }}, {"CumulativeTable", [&] { cumulative_many.draw(s, 0, chosen); }}});
    }
    return report.finish();
    }
    catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return 64;
    }
