// SPDX-License-Identifier: BSD-3-Clause
// One core: the fused update of a second-order multistep solver beside a copy that moves the same bytes and the same update written as
// tensor operations, and the denoiser of a mixture beside products of matrices.
#include <dlfcn.h>

#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <buffon/backend/backend.hpp>
#include <buffon/model/exact_denoisers.hpp>

#include "interleave.hpp"

using namespace buffon;
using backend::Matrix;
using backend::Queue;

namespace {

/// Single-precision product of OpenBLAS on one thread, where the library is there.
using Sgemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda, const float* b, int ldb, float beta,
                       float* c, int ldc);
Sgemm blas_product() {
  void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) return nullptr;
  if (const auto threads = reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"))) threads(1);
  return reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
}

float* numbers(const Matrix& matrix) { return static_cast<float*>(matrix.view().data); }

/// x ← c₀ x + c₁ D₀ + c₂ D₁ of 16 latents of 4 × 64 × 64.
void updates(bench::Report& report, Queue& queue) {
  const Index n = 4 * 64 * 64, batch = 16;
  const Matrix x(queue.device(), n, batch), newest(queue.device(), n, batch), before(queue.device(), n, batch);
  for (const Matrix* matrix : {&x, &newest, &before}) queue.fill(*matrix, BUFFON_NORMAL, 0, Stream(1), 0);
  const std::array<buffon_term, 3> terms = {buffon_term{x, 0.9, nullptr, nullptr}, buffon_term{newest, 0.15, nullptr, nullptr},
                                            buffon_term{before, -0.05, nullptr, nullptr}};
  // Three arrays are read and one is written: as many bytes as a copy of two arrays.
  const std::size_t bytes = static_cast<std::size_t>(4 * n * batch) * sizeof(float);
  std::vector<char> from(bytes / 2, 1), to(bytes / 2, 2);
  // One pass for every operation of the usual form of the step, each into memory of its own: D₁ ← (D₀ − D₁) / r, then a x, b D₀, c D₁ and their sums.
  const std::size_t count = static_cast<std::size_t>(n * batch);
  const auto made = [&](auto&& value) {
    std::unique_ptr<float[]> result(new float[count]);
    for (std::size_t i = 0; i < count; ++i) result[i] = value(i);
    return result;
  };
  std::unique_ptr<float[]> state(new float[count]());
  const float *d0 = numbers(newest), *d1 = numbers(before);
  report.compare("second-order multistep update, 16 × 4 × 64 × 64 float32", "GB/s", static_cast<double>(bytes) * 1e-9,
                 {{"fused update", [&] { queue.combine(x, terms); }},
                  {"memcpy (same bytes read + written)", [&] { std::memcpy(to.data(), from.data(), from.size()); }},
                  {"one pass for every operation", [&] {
                     const auto difference = made([&](std::size_t i) { return d0[i] - d1[i]; });
                     const auto slope = made([&](std::size_t i) { return 2 * difference[i]; });
                     const auto a = made([&](std::size_t i) { return 0.9f * state[i]; });
                     const auto b = made([&](std::size_t i) { return 0.15f * d0[i]; });
                     const auto sum = made([&](std::size_t i) { return a[i] + b[i]; });
                     const auto c = made([&](std::size_t i) { return 0.05f * slope[i]; });
                     state = made([&](std::size_t i) { return sum[i] + c[i]; });
                   }}});
}

/// The denoiser of K isotropic components: two products of n K B multiplications and additions, and a softmax.
void mixtures(bench::Report& report, Queue& queue) {
  const Index n = 64, components = 1024, batch = 4096;
  const double gflop = 4e-9 * static_cast<double>(n * components * batch);
  Eigen::MatrixXd means(n, components);
  Stream(2).normals(0, means);
  const Matrix x(queue.device(), n, batch), answer(queue.device(), n, batch), left(queue.device(), n, components), logits(queue.device(), components, batch);
  queue.upload(left, means);
  queue.fill(x, BUFFON_NORMAL, 0, Stream(3), 0);
  const NoiseLevel level = vp_linear_schedule()->at_time(0.2);
  const Sgemm blas = blas_product();
  for (const bool shared : {true, false}) {
    Eigen::VectorXd variances = Eigen::VectorXd::Constant(components, 0.04);
    if (!shared) variances.tail(components / 2).setConstant(0.06);
    const auto denoiser = mixture_denoiser(Eigen::VectorXd::Ones(components), means, variances);
    const auto work = denoiser->on(queue, batch, BUFFON_F32);
    std::vector<bench::Contender> contenders = {{"denoiser",
                                                 [&] {
                                                   (*work)({x, {&level, 1}}, answer);
                                                 }},
                                                {"two products of the backend", [&] {
                                                   queue.product(logits, left, true, x);
                                                   queue.product(answer, left, false, logits);
                                                 }}};
    if (blas != nullptr) {
      contenders.push_back({"two products, " + bench::blas_core(), [&] {
                              constexpr int by_columns = 102, as_it_is = 111, transposed = 112;
                              blas(by_columns, transposed, as_it_is, components, batch, n, 1, numbers(left), n, numbers(x), n, 0, numbers(logits), components);
                              blas(by_columns, as_it_is, as_it_is, n, batch, components, 1, numbers(left), n, numbers(logits), components, 0, numbers(answer),
                                   n);
                            }});
    } else {
      report.skip("no libopenblas.so.0 to compare products with");
    }
    report.compare(std::string("mixture denoiser, n = 64, K = 1024, B = 4096 float32, ") + (shared ? "one variance" : "two variances"), "Gflop/s", gflop,
                   contenders);
  }
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("diffusion_bench", argc, argv);
  Queue queue(backend::Device::open("cpu"), 1);
  updates(report, queue);
  mixtures(report, queue);
  return report.finish();
}
