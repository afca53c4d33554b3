// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/io/build_info.hpp>
#include <buffon/io/result.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/random/stream.hpp>

namespace buffon {

std::vector<std::pair<std::string, std::string>> provenance(std::uint64_t seed, const std::string& digest, int threads) {
  const BuildInfo& build = build_info();
  return {{"version", build.version},
          {"commit", build.commit},
          {"compiler", build.compiler},
          {"flags", build.flags},
          {"build_type", build.build_type},
          {"cpu", cpu_model()},
          {"number_kernels", std::string(kernel_variant())},
          {"blas_core", "none"},
          {"threads", std::to_string(threads)},
          {"seed", std::to_string(seed)},
          {"stream_version", std::to_string(stream_version)},
          {"config_digest", digest}};
}

}  // namespace buffon
