// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/random/item_draws.hpp>

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

using namespace buffon;

TEST_CASE("draws of an item are those of the streams, in whatever order items are visited") {
  const Index d = 5;
  ItemDraws draws(Stream(3), d);
  const Stream normals = Stream(3).child("normals"), uniforms = Stream(3).child("uniforms");
  for (const std::uint64_t item : {0ull, 1ull, 700ull, 127ull, 128ull, 129ull, 1ull << 40, 5ull, ~0ull, 0ull}) {
    Eigen::MatrixXd z(d, 1), u(40, 1);
    normals.normals(item, z);
    uniforms.uniforms(item, u);
    draws.begin(item);
    CHECK(draws.normals() == z.col(0));
    for (Index k = 0; k < 40; ++k) CHECK(draws.uniform() == u(k, 0));
    draws.begin(item);
    CHECK(draws.exponential() == doctest::Approx(-std::log(u(0, 0))).scale(0).epsilon(1e-15));
    CHECK(draws.uniform() == u(1, 0));
    for (Index k = 2; k < 12; ++k) CHECK(draws.exponential() == doctest::Approx(-std::log(u(k, 0))).scale(0).epsilon(1e-15));
    draws.begin(item);
    CHECK(draws.exponential() == -scalar::log_positive(u(0, 0), 0.0));
  }
}

TEST_CASE("an item may have no normals or very many") {
  ItemDraws none(Stream(1), 0), many(Stream(1), 10000);
  none.begin(9);
  many.begin(9);
  CHECK(none.normals().size() == 0);
  CHECK(many.normals().size() == 10000);
  CHECK(none.uniform() == many.uniform());
}
