// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/linalg/vector_math.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/stats/normal.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <string>

#include "kernel_table.hpp"

namespace buffon {

namespace kernels_base {
extern const KernelTable table;
}
#if defined(BUFFON_X86_KERNELS)
namespace kernels_v3 {
extern const KernelTable table;
}
namespace kernels_v4 {
extern const KernelTable table;
}
#endif

namespace {

std::vector<const KernelTable*> usable() {
  std::vector<const KernelTable*> tables = {&kernels_base::table};
#if defined(BUFFON_X86_KERNELS)
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (v3) tables.push_back(&kernels_v3::table);
  if (v4) tables.push_back(&kernels_v4::table);
#endif
  return tables;
}

const KernelTable* find(std::string_view name, std::string_view key) {
  std::string known;
  for (const KernelTable* table : usable()) {
    if (name == table->compiled_for) return table;
    known += (known.empty() ? "" : ", ") + std::string(table->compiled_for);
  }
  throw Error(ErrorCategory::usage,
              {"choosing the number kernels", std::string(key), std::string(name), "must be a variant that this build and CPU have", "use one of: " + known});
}

const KernelTable* choose() {
  const char* forced = std::getenv("BUFFON_ISA");
  return forced != nullptr && *forced != '\0' ? find(forced, "BUFFON_ISA") : usable().back();
}

std::atomic<const KernelTable*>& current() {
  static std::atomic<const KernelTable*> table = choose();
  return table;
}

void check_lengths(std::string_view doing, std::size_t x, std::size_t y) {
  if (x != y) {
    throw Error(ErrorCategory::usage, {std::string(doing), "length of the result", std::to_string(y), "must equal that of the argument, " + std::to_string(x)});
  }
}

}  // namespace

const KernelTable& kernels() { return *current().load(std::memory_order_relaxed); }

std::string_view kernel_variant() { return kernels().compiled_for; }

std::vector<std::string_view> available_kernel_variants() {
  std::vector<std::string_view> names;
  for (const KernelTable* table : usable()) names.emplace_back(table->compiled_for);
  return names;
}

void force_kernel_variant(std::string_view name) { current().store(find(name, "kernel variant"), std::memory_order_relaxed); }

void vector_exp(std::span<const double> x, std::span<double> y) {
  check_lengths("computing exponentials", x.size(), y.size());
  kernels().exp(x.data(), y.data(), x.size());
}

void vector_log(std::span<const double> x, std::span<double> y) {
  check_lengths("computing logarithms", x.size(), y.size());
  kernels().log(x.data(), y.data(), x.size());
}

namespace {

// The kernel where all arguments of a block are moderate, the system's function one by one elsewhere (and for NaN).
void periodic(std::span<const double> x, std::span<double> y, void (*near)(const double*, double*, uint64_t), double (*far)(double)) {
  constexpr std::size_t block = 128;
  for (std::size_t first = 0; first < x.size(); first += block) {
    const std::size_t n = std::min(block, x.size() - first);
    bool moderate = true;
    for (std::size_t i = first; i < first + n; ++i) moderate &= std::abs(x[i]) <= 1e6;
    if (moderate) {
      near(x.data() + first, y.data() + first, n);
    } else {
      for (std::size_t i = first; i < first + n; ++i) {
        if (std::abs(x[i]) <= 1e6) {
          near(&x[i], &y[i], 1);
        } else {
          y[i] = far(x[i]);
        }
      }
    }
  }
}

}  // namespace

void vector_sin(std::span<const double> x, std::span<double> y) {
  check_lengths("computing sines", x.size(), y.size());
  periodic(x, y, kernels().sin, [](double v) { return std::sin(v); });
}

void vector_cos(std::span<const double> x, std::span<double> y) {
  check_lengths("computing cosines", x.size(), y.size());
  periodic(x, y, kernels().cos, [](double v) { return std::cos(v); });
}

void vector_normal_cdf(std::span<const double> x, std::span<double> y) {
  check_lengths("computing the normal cdf", x.size(), y.size());
  kernels().normal_cdf(x.data(), y.data(), x.size());
}

void vector_log_normal_cdf(std::span<const double> x, std::span<double> y) {
  check_lengths("computing the logarithm of the normal cdf", x.size(), y.size());
  constexpr std::size_t block = 128;
  for (std::size_t first = 0; first < x.size(); first += block) {
    const std::size_t n = std::min(block, x.size() - first);
    bool near = true;
    for (std::size_t i = first; i < first + n; ++i) near &= x[i] >= -20;  // false for NaN
    if (near) {
      kernels().log_normal_cdf(x.data() + first, y.data() + first, n);
    } else {
      for (std::size_t i = first; i < first + n; ++i) y[i] = log_normal_cdf(x[i]);
    }
  }
}

}  // namespace buffon
