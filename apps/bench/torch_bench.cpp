// SPDX-License-Identifier: BSD-3-Clause
// The update of a second-order multistep solver, x ← a x + b D0 + c D1 on a float32 latent of 16 × 4 × 64 × 64, against the same update written as separate
// operations on tensors, and the whole step with the conversion of the network's noise to data. One core, no gradients.
#include <buffon/backend/backend.hpp>

#include <torch/torch.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "interleave.hpp"

int main(int argc, char** argv) {
  using namespace buffon;
  bench::Report report("torch_bench", argc, argv);
  torch::set_num_threads(1);
  const c10::InferenceMode inference;
  torch::manual_seed(1);
  const auto numbers = [] { return torch::randn({16, 4, 64, 64}); };
  const Index rows = 4 * 64 * 64, columns = 16;

  backend::Queue queue(backend::Device::open("cpu"), 1);
  const auto matrix = [&](const torch::Tensor& values) {
    backend::Matrix m(queue.device(), rows, columns);
    std::memcpy(m.view().data, values.data_ptr<float>(), static_cast<std::size_t>(rows * columns) * sizeof(float));
    return m;
  };

  // Variance preserving levels of two steps of twenty.
  const double alpha_s = 0.71, sigma_s = std::sqrt(1 - alpha_s * alpha_s), alpha_t = 0.78, sigma_t = std::sqrt(1 - alpha_t * alpha_t);
  const double h = std::log(alpha_t / sigma_t) - std::log(alpha_s / sigma_s), r = 0.9, phi = alpha_t * std::expm1(-h);
  torch::Tensor x = numbers(), m0 = numbers(), m1 = numbers(), noise = numbers(), next;
  const backend::Matrix ours = matrix(x), d0 = matrix(m0), d1 = matrix(m1), e = matrix(noise), out = matrix(x), converted = matrix(x);

  const auto fused = [&](const backend::View& target) {
    const buffon_term terms[] = {
        {ours, sigma_t / sigma_s, nullptr, nullptr}, {d0, -phi * (1 + 0.5 / r), nullptr, nullptr}, {d1, phi * 0.5 / r, nullptr, nullptr}};
    queue.combine(target, terms);
  };
  // As public solvers write it.
  const auto separate = [&] {
    const torch::Tensor slope = (1 / r) * (m0 - m1);
    return (sigma_t / sigma_s) * x - phi * m0 - 0.5 * phi * slope;
  };
  const auto in_place = [&] { return torch::mul_out(next, x, torch::scalar_tensor(sigma_t / sigma_s)).add_(m0, -phi * (1 + 0.5 / r)).add_(m1, phi * 0.5 / r); };
  next = torch::empty_like(x);
  fused(out);
  const torch::Tensor result = torch::from_blob(out.view().data, x.sizes());
  const double off = std::max((result - separate()).abs().max().item<double>(), (result - in_place()).abs().max().item<double>());
  std::printf("\nlargest difference of the results: %.2g\n", off);
  if (!(off < 1e-5)) return 1;

  const std::size_t bytes = static_cast<std::size_t>(rows * columns) * sizeof(float);
  std::vector<float> from(2 * bytes / sizeof(float)), to(2 * bytes / sizeof(float));
  const double gigabytes = 4e-9 * static_cast<double>(bytes);
  report.compare("update x, D0, D1 → x", "GB/s of the bytes that it must move", gigabytes,
                 {{"buffon, fused",
                   [&] {
                     fused(out);
                     bench::keep();
                   }},
                  {"copy of as many bytes",
                   [&] {
                     std::memcpy(to.data(), from.data(), 2 * bytes);
                     bench::keep();
                   }},
                  {"libtorch, separate operations",
                   [&] {
                     torch::Tensor y = separate();
                     bench::keep();
                   }},
                  {"libtorch, by hand in place (mul, add_, add_)", [&] {
                     in_place();
                     bench::keep();
                   }}});
  report.compare("whole step: noise → data, update", "steps/ms", 1e-3,
                 {{"buffon, two fused passes",
                   [&] {
                     const buffon_term terms[] = {{ours, 1 / alpha_s, nullptr, nullptr}, {e, -sigma_s / alpha_s, nullptr, nullptr}};
                     queue.combine(converted, terms);
                     fused(out);
                     bench::keep();
                   }},
                  {"libtorch, separate operations", [&] {
                     const torch::Tensor data = (x - sigma_s * noise) / alpha_s;
                     torch::Tensor y = separate();
                     bench::keep();
                   }}});
  return report.finish();
}
