// SPDX-License-Identifier: BSD-3-Clause
#include <filesystem>

#include <doctest/doctest.h>

#include <buffon/estimators/registry.hpp>

using namespace buffon;

TEST_CASE("every method has its page, its example and its test under its own name") {
  const std::filesystem::path root = BUFFON_SOURCE_DIR;
  REQUIRE_FALSE(estimator_methods().empty());
  for (const MethodEntry& method : estimator_methods()) {
    CAPTURE(method.name);
    CHECK(std::filesystem::exists(root / "docs/methods" / (method.name + ".md")));
    CHECK(std::filesystem::exists(root / "data/configs" / (method.name + ".toml")));
    CHECK(std::filesystem::exists(root / "tests/estimators" / (method.name + "_test.cpp")));
    CHECK(std::filesystem::exists(root / "estimators/include/buffon/estimators" / (method.name + ".hpp")));
  }
}
