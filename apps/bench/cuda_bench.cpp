// SPDX-License-Identifier: BSD-3-Clause
// The backend cuda on a device: the fused update of a second-order multistep solver against a copy of as many bytes on the device, normals against those of
// cuRAND (Philox too), and whether normals in float64 are the CPU's bit by bit. Says so where there is no device.
#include <buffon/backend/backend.hpp>

#include <cuda_runtime_api.h>
#include <curand.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "interleave.hpp"

namespace {

void check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "%s failed\n", what);
  std::exit(70);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace buffon;
  bench::Report report("cuda_bench", argc, argv);
  std::shared_ptr<const backend::Device> device;
  for (const backend::Listed& listed : backend::list()) {
    if (listed.name != "cuda") continue;
    if (listed.why_not.empty()) device = backend::Device::open("cuda");
    report.skip("cuda: " + (listed.why_not.empty() ? listed.device : listed.why_not));
  }
  if (device == nullptr) return report.finish();
  backend::Queue queue(device);

  {
    const Index rows = 1001, columns = 513;
    const backend::Matrix drawn(device, rows, columns, BUFFON_F64);
    queue.fill(drawn, BUFFON_NORMAL, 0, Stream(1), 7);
    Eigen::MatrixXd host(rows, columns);
    Stream(1).normals(7, host);
    check(queue.download(drawn) == host, "equality of normals in float64 with the CPU's");
    report.skip("normals in float64 are the CPU's bit by bit");
  }

  // Large enough that caches do not hold it: 4 × 256 MiB.
  const Index rows = 4 * 64 * 64, columns = 4096;
  const double count = static_cast<double>(rows) * static_cast<double>(columns);
  const backend::Matrix x(device, rows, columns), d0(device, rows, columns), d1(device, rows, columns);
  std::uint64_t seed = 0;
  for (const backend::Matrix* m : {&x, &d0, &d1}) queue.fill(*m, BUFFON_NORMAL, 0, Stream(++seed), 0);
  const auto bytes = static_cast<std::size_t>(rows * columns) * sizeof(float);
  const backend::Matrix from(device, rows, 2 * columns), to(device, rows, 2 * columns);
  const std::array<buffon_term, 3> terms = {{{x, 0.8, nullptr, nullptr}, {d0, 0.3, nullptr, nullptr}, {d1, -0.1, nullptr, nullptr}}};
  report.compare("update x, D0, D1 → x", "GB/s of the bytes that it must move", 4e-9 * static_cast<double>(bytes),
                 {{"buffon, fused",
                   [&] {
                     queue.combine(x, terms);
                     queue.synchronise();
                   }},
                  {"copy of as many bytes",
                   [&] {
                     check(cudaMemcpy(to.view().data, from.view().data, 2 * bytes, cudaMemcpyDeviceToDevice) == cudaSuccess, "a copy");
                     check(cudaDeviceSynchronize() == cudaSuccess, "a copy");
                   }}},
                 bench::Clock::wall);

  curandGenerator_t generator = nullptr;
  check(curandCreateGenerator(&generator, CURAND_RNG_PSEUDO_PHILOX4_32_10) == CURAND_STATUS_SUCCESS, "making a generator of cuRAND");
  report.compare("normals, float32", "G/s", 1e-9 * count,
                 {{"buffon, computed in float64",
                   [&] {
                     queue.fill(x, BUFFON_NORMAL, 0, Stream(5), 0);
                     queue.synchronise();
                   }},
                  {"cuRAND, computed in float32",
                   [&] {
                     check(curandGenerateNormal(generator, static_cast<float*>(x.view().data), bytes / sizeof(float), 0, 1) == CURAND_STATUS_SUCCESS, "cuRAND");
                     check(cudaDeviceSynchronize() == cudaSuccess, "cuRAND");
                   }}},
                 bench::Clock::wall);
  const backend::Matrix wide(device, rows, columns / 2, BUFFON_F64);
  report.compare("normals, float64", "G/s", 0.5e-9 * count,
                 {{"buffon",
                   [&] {
                     queue.fill(wide, BUFFON_NORMAL, 0, Stream(5), 0);
                     queue.synchronise();
                   }},
                  {"cuRAND",
                   [&] {
                     check(curandGenerateNormalDouble(generator, static_cast<double*>(wide.view().data), bytes / sizeof(double), 0, 1) == CURAND_STATUS_SUCCESS,
                           "cuRAND");
                     check(cudaDeviceSynchronize() == cudaSuccess, "cuRAND");
                   }}},
                 bench::Clock::wall);
  curandDestroyGenerator(generator);
  return report.finish();
}
