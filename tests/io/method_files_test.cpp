// SPDX-License-Identifier: BSD-3-Clause
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "../support/all_methods.hpp"

using namespace buffon;

TEST_CASE("every method has its page, its example and its test under its own name") {
  const std::filesystem::path root = BUFFON_SOURCE_DIR;
  REQUIRE_FALSE(testing::all_methods().empty());
  for (const MethodEntry& method : testing::all_methods()) {
    CAPTURE(method.name);
    CHECK(std::filesystem::exists(root / "docs/methods" / (method.name + ".md")));
    CHECK(std::filesystem::exists(root / "data/configs" / (method.name + ".toml")));
    const bool sampler = method.subject != SubjectKind::problem && method.subject != SubjectKind::nested;
    const std::string tree = sampler ? "samplers" : "estimators";
    CHECK(std::filesystem::exists(root / "tests" / tree / (method.name + "_test.cpp")));
    CHECK(std::filesystem::exists(root / tree / "include/buffon" / tree / (method.name + ".hpp")));
  }
}
