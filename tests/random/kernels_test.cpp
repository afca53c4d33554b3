// SPDX-License-Identifier: BSD-3-Clause
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <boost/math/special_functions/erf.hpp>
#include <buffon/core/error.hpp>
#include <buffon/linalg/vector_math.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/random/scalar_kernels.hpp>
#include <buffon/random/stream.hpp>

using namespace buffon;

namespace {

/// Uses a variant as long as it lives.
class Forced {
 public:
  explicit Forced(std::string_view name) : before_(kernel_variant()) { force_kernel_variant(name); }
  ~Forced() { force_kernel_variant(before_); }

 private:
  std::string before_;
};

std::uint64_t hash(std::span<const double> values) {
  std::uint64_t h = 14695981039346656037ull;
  for (const double x : values) {
    h = (h ^ std::bit_cast<std::uint64_t>(x)) * 1099511628211ull;
    h ^= h >> 29;
  }
  return h;
}

/// Distance in units of the last place of the correctly rounded result.
double ulps(double got, long double exact) {
  const double rounded = std::abs(static_cast<double>(exact));
  const double next = std::nextafter(rounded, std::numeric_limits<double>::infinity());
  const double unit = std::isinf(next) ? rounded - std::nextafter(rounded, 0.0) : next - rounded;
  return static_cast<double>(std::abs(static_cast<long double>(got) - exact) / unit);
}

std::vector<double> sweep(double low, double high, std::size_t n) {
  std::vector<double> x(n);
  Stream(5).fill_uniforms(0, x);
  for (double& v : x) v = low + (high - low) * v;
  return x;
}

}  // namespace

TEST_CASE("the variant named by BUFFON_ISA runs, or is refused when the CPU lacks it") {
  // Run by ctest once without the variable and once for each of its values, each in a process of its own.
  const char* asked = std::getenv("BUFFON_ISA");
  bool available = asked == nullptr;
  for (const std::string_view name : available_kernel_variants()) available = available || name == asked;
  if (available) {
    CHECK(kernel_variant() == (asked == nullptr ? available_kernel_variants().back() : std::string_view(asked)));
  } else {
    CHECK_THROWS_AS(kernel_variant(), Error);
  }
}

TEST_CASE("an unknown variant is refused with the list of the known ones") {
  CHECK_THROWS_WITH_AS(force_kernel_variant("x87"), doctest::Contains("use one of: x86-64"), Error);
}

TEST_CASE("every variant runs when forced and gives the pinned bits") {
  for (const std::string_view name : available_kernel_variants()) {
    CAPTURE(name);
    const Forced forced(name);
    CHECK(kernel_variant() == name);
    const Stream s(1);
    std::vector<double> x(262144);
    s.fill_normals(0, x);
    CHECK(hash(x) == 0x2cd06fb1cc67c8dbull);
    s.fill_uniforms(0, x);
    CHECK(hash(x) == 0xa750361e9599b873ull);
    s.inverse_normals(0, Eigen::Map<Eigen::MatrixXd>(x.data(), 2, 131072));
    CHECK(hash(x) == 0x66953689e99fd278ull);
    Eigen::MatrixXd odd(5, 1001);
    s.normals(7, odd);
    CHECK(hash({odd.data(), static_cast<std::size_t>(odd.size())}) == 2409753620658557628ull);
    x = sweep(-760, 720, 100003);
    vector_exp(x, x);
    CHECK(hash(x) == 2667194641767815847ull);
    x = sweep(-1e-3, 10, 100003);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::ldexp(x[i], static_cast<int>(i % 2040) - 1070);
    vector_log(x, x);
    for (double& v : x) v = v == v ? v : 0;  // the payload of a NaN is not part of the promise
    CHECK(hash(x) == 7493524144075941151ull);
    x = sweep(-1e6, 1e6, 100003);
    vector_sin(x, x);
    CHECK(hash(x) == 10687519941250225562ull);
    x = sweep(-1e6, 1e6, 100003);
    vector_cos(x, x);
    CHECK(hash(x) == 4698910351883055823ull);
    x = sweep(-40, 40, 100003);
    vector_normal_cdf(x, x);
    CHECK(hash(x) == 17581328829631995429ull);
    x = sweep(-20, 40, 100003);
    vector_log_normal_cdf(x, x);
    CHECK(hash(x) == 10105990496685412071ull);
  }
}

TEST_CASE("exp is within 1.5 ulp of the 80-bit function over the full range") {
  for (const std::string_view name : available_kernel_variants()) {
    const Forced forced(name);
    for (const auto& x : {sweep(-745.2, 709.8, 200000), sweep(-1, 1, 200000), sweep(-745.2, -708, 20000)}) {
      std::vector<double> y(x.size());
      vector_exp(x, y);
      double worst = 0;
      for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, ulps(y[i], std::exp(static_cast<long double>(x[i]))));
      CHECK(worst <= 1.5);
    }
    constexpr double inf = std::numeric_limits<double>::infinity();
    std::vector<double> x = {0.0,   -0.0,   inf,          -inf,  709.782712893384, 709.7827128933841, -745.1332191019411, -745.1332191019412,
                             1e308, -1e308, std::nan(""), 5e-324};
    vector_exp(x, x);
    CHECK(x[0] == 1);
    CHECK(x[1] == 1);
    CHECK(x[2] == inf);
    CHECK(x[3] == 0);
    CHECK(x[4] == doctest::Approx(1.797693134862273e308));
    CHECK(x[5] == inf);
    CHECK(x[6] == 5e-324);
    CHECK(x[7] == 0);
    CHECK(x[8] == inf);
    CHECK(x[9] == 0);
    CHECK(std::isnan(x[10]));
    CHECK(x[11] == 1);
  }
}

TEST_CASE("log is within 1 ulp of the 80-bit function over the full range") {
  for (const std::string_view name : available_kernel_variants()) {
    const Forced forced(name);
    auto all = sweep(1, 2, 200000);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = std::ldexp(all[i], static_cast<int>(i % 2097) - 1074);  // subnormals too
    for (const auto& x : {all, sweep(0.4, 2.5, 200000), sweep(1 - 1e-6, 1 + 1e-6, 50000)}) {
      std::vector<double> y(x.size());
      vector_log(x, y);
      double worst = 0;
      for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, ulps(y[i], std::log(static_cast<long double>(x[i]))));
      CHECK(worst <= 1.0);
    }
    constexpr double inf = std::numeric_limits<double>::infinity();
    std::vector<double> x = {0.0, -0.0, inf, -inf, 1.0, -1.0, std::nan(""), 5e-324, std::numeric_limits<double>::max(), -5e-324};
    vector_log(x, x);
    CHECK(x[0] == -inf);
    CHECK(x[1] == -inf);
    CHECK(x[2] == inf);
    CHECK(std::isnan(x[3]));
    CHECK(x[4] == 0);
    CHECK(std::isnan(x[5]));
    CHECK(std::isnan(x[6]));
    CHECK(x[7] == doctest::Approx(-744.4400719213812));
    CHECK(x[8] == doctest::Approx(709.782712893384));
    CHECK(std::isnan(x[9]));
  }
}

TEST_CASE("sine and cosine are within 2.5 ulp of the 80-bit functions, and go over to the system's far out") {
  for (const std::string_view name : available_kernel_variants()) {
    const Forced forced(name);
    for (const auto& x : {sweep(-4, 4, 200000), sweep(-1e6, 1e6, 200000), sweep(-1e-3, 1e-3, 1000)}) {
      std::vector<double> s(x.size()), c(x.size());
      vector_sin(x, s);
      vector_cos(x, c);
      double worst = 0;
      const auto error = [](double y, long double exact) {
        return std::abs(exact) >= 0x1p-20L || y == exact ? ulps(y, exact) : static_cast<double>(std::abs(y - exact) / 0x1p-73L);
      };
      for (std::size_t i = 0; i < x.size(); ++i) {
        worst = std::max({worst, error(s[i], std::sin(static_cast<long double>(x[i]))), error(c[i], std::cos(static_cast<long double>(x[i])))});
      }
      CHECK(worst <= 2.5);
    }
    std::vector<double> x = {0, 1e22, std::nan(""), std::numeric_limits<double>::infinity(), 1};
    vector_sin(x, x);
    CHECK(x[0] == 0);
    CHECK(x[1] == std::sin(1e22));
    CHECK(std::isnan(x[2]));
    CHECK(std::isnan(x[3]));
    CHECK(x[4] == doctest::Approx(0.8414709848078965).scale(0).epsilon(1e-15));
  }
}

TEST_CASE("vector functions refuse results of another length") {
  std::vector<double> x(3), y(2);
  CHECK_THROWS_AS(vector_exp(x, y), Error);
  CHECK_THROWS_AS(vector_log(x, y), Error);
  CHECK_THROWS_AS(vector_normal_cdf(x, y), Error);
  CHECK_THROWS_AS(vector_log_normal_cdf(x, y), Error);
}

TEST_CASE("Box-Muller follows its formula") {
  // R = √(−2 log u): log 1 ulp, halved by the root, plus its rounding: 1 ulp; sine or cosine 1 ulp; product ½ ulp. In all 2.5
  // relative units, which the position inside a binade can double.
  const Stream s(17);
  double worst = 0;
  for (std::uint64_t item = 0; item < 100000; ++item) {
    std::uint32_t w[4];
    s.words(item, 0, w);
    const long double u = static_cast<long double>((scalar::word64(w[0], w[1]) >> 11) + 1) * 0x1p-53L;
    // the angle's upper 54 bits at the middle of their grain, less whole quarter turns so that the reference keeps its digits
    const long double turns = (static_cast<long double>(scalar::word64(w[2], w[3]) >> 10) + 0.5L) * 0x1p-54L;
    const int quarters = static_cast<int>(std::lround(4 * turns));
    const long double angle = 2 * std::numbers::pi_v<long double> * (turns - quarters / 4.0L);
    const long double c = std::cos(angle), d = std::sin(angle);
    const long double cosine[] = {c, -d, -c, d, c}, sine[] = {d, c, -d, -c, d};
    const long double radius = std::sqrt(-2 * std::log(u));
    const scalar::Pair p = scalar::normal_pair(w[0], w[1], w[2], w[3]);
    worst = std::max({worst, ulps(p.a, radius * cosine[quarters]), ulps(p.b, radius * sine[quarters])});
  }
  CHECK(worst <= 5);
}

TEST_CASE("Box-Muller at the extreme words") {
  const scalar::Pair largest = scalar::normal_pair(0, 0, 0, 0);
  CHECK(std::hypot(largest.a, largest.b) == doctest::Approx(std::sqrt(106 * std::numbers::ln2)));  // u = 2⁻⁵³: 8.57
  const scalar::Pair smallest = scalar::normal_pair(~0u, ~0u, 12345, 678);
  CHECK(smallest.a == 0);
  CHECK(smallest.b == 0);
}

TEST_CASE("uniforms keep the full grain and stay inside (0, 1)") {
  CHECK(scalar::uniform(0, 0) == 0x1p-54);
  CHECK(scalar::uniform(0x7ff, 0) == 0x1p-54);
  CHECK(scalar::uniform(0x800, 0) == 0x1p-53);
  CHECK(scalar::uniform(0, 0x80000000u) == 0.5);
  CHECK(scalar::uniform(~0u, ~0u) == 1 - 0x1p-53);
}

TEST_CASE("the inverse normal cdf is accurate in the centre and in both tails") {
  double worst = 0, worst_far = 0;
  auto check = [&](double u, double& w) {
    const long double exact = u < 0.5 ? -std::numbers::sqrt2_v<long double> * boost::math::erfc_inv(2 * static_cast<long double>(u))
                                      : std::numbers::sqrt2_v<long double> * boost::math::erfc_inv(2 * (1 - static_cast<long double>(u)));
    if (u != 0.5) w = std::max(w, ulps(scalar::inverse_normal(u), exact));
  };
  for (const double u : sweep(0, 1, 20000)) check(u, worst);
  for (const double e : sweep(-54, 0, 20000)) {
    const double u = std::max(1.0, std::floor(std::exp2(e + 53))) * 0x1p-53;
    check(u, worst_far);
    check(1 - u, worst_far);
  }
  check(0x1p-54, worst_far);
  // Numerator and denominator: last two operations of each Horner sum dominate, about 2 ulp, the quotient ½, the tails' variable 1;
  // doubled for the position inside a binade.
  CHECK(worst <= 8);
  CHECK(worst_far <= 8);
  CHECK(scalar::inverse_normal(0.5) == 0);
}
