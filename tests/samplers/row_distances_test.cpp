// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <buffon/parallel/context.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/samplers/row_distances.hpp>

#include "distance_cases.hpp"

using namespace buffon;
using namespace buffon::test;

namespace {

const std::vector<Index> all_widths = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 16, 17, 24, 26, 31, 33, 64, 100, 131};

template <class T>
void check_definition(Index rows, Index columns) {
  CAPTURE(columns);
  const std::vector<T> x = random_numbers<T>(rows, columns);
  const RowDistances distances(dense_rows(x, rows, columns));
  CHECK(distances.single() == std::is_same_v<T, float>);
  const auto exact = [&](Index a, Index b) {
    return defined_distance(&x[static_cast<std::size_t>(a * columns)], &x[static_cast<std::size_t>(b * columns)], columns);
  };
  bool same = true, bounded = true;
  for (Index a = 0; a < rows; a += 3) {
    for (Index b = 0; b < rows; b += 5) {
      const T d = exact(a, b);
      same = same && distances.between(a, b) == static_cast<double>(d);
      const T next = std::nextafter(d, std::numeric_limits<T>::infinity()), before = std::nextafter(d, T{-1});
      bounded = bounded && distances.within(a, b, static_cast<double>(d)) && distances.within(a, b, static_cast<double>(next)) &&
                !distances.within(a, b, static_cast<double>(before)) && distances.within(a, b, 10 * static_cast<double>(d) + 1) &&
                distances.within(a, b, 0) == (d == 0);
    }
  }
  CHECK(same);
  CHECK(bounded);
  // Passes: any part of the rows, with one centre and with many.
  const std::vector<Index> centres = {rows / 2, 3, 6, 5, rows - 1, 0, 1, 2, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 25};
  for (const auto& [begin, end] : std::vector<std::pair<Index, Index>>{{0, rows}, {0, 5}, {3, 70}, {16, 32}, {37, rows}, {rows - 1, rows}}) {
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{3}, centres.size()}) {
      const std::span<const Index> used(centres.data(), count);
      const auto n = static_cast<std::size_t>(end - begin);
      std::vector<T> plain(n, std::numeric_limits<T>::infinity()), squared = plain, unlabelled = plain;
      std::vector<std::int32_t> plain_labels(n, -7), labels = plain_labels;
      for (std::size_t i = 0; i < n; ++i) {
        if (i % 4 == 1) plain[i] = squared[i] = unlabelled[i] = exact(begin + static_cast<Index>(i), 5);
        for (std::size_t c = 0; c < count; ++c) {
          const T d = exact(begin + static_cast<Index>(i), used[c]);
          if (!(d < plain[i])) continue;
          plain[i] = d;
          plain_labels[i] = 40 + static_cast<std::int32_t>(c);
        }
      }
      distances.lower(begin, end, used, squared.data(), labels.data(), 40);
      distances.lower(begin, end, used, unlabelled.data());
      CHECK(squared == plain);
      CHECK(unlabelled == plain);
      CHECK(labels == plain_labels);
    }
  }
}

}  // namespace

TEST_CASE("squared distances of hand-checkable rows") {
  const RowDistances narrow(dense_rows<float>({0, 0, 3, 4, 3, 4}, 3, 2));
  CHECK(narrow.between(0, 1) == 25);
  CHECK(narrow.between(1, 2) == 0);
  CHECK(narrow.within(0, 1, 25));
  CHECK(!narrow.within(0, 1, 24.999));
  std::vector<double> two(20, 1.0);
  for (std::size_t j = 10; j < 20; ++j) two[j] = static_cast<double>(j - 10);  // (−1)² + 0 + 1 + … + 8² = 205
  const RowDistances wide(dense_rows<double>(two, 2, 10));
  CHECK(wide.between(0, 1) == 205);
  const RowDistances sparse(sparse_rows<float>({0, 1, 0, 2, 0, 0, 3, 2}, 2, 4));
  CHECK(sparse.between(0, 1) == 10);
  CHECK(sparse.between(1, 0) == 10);
}

TEST_CASE("single calls, bounds and passes have the bits of the definition, on every instruction set") {
  const std::string before(kernel_variant());
  for (const std::string_view variant : available_kernel_variants()) {
    CAPTURE(variant);
    force_kernel_variant(variant);
    for (const Index columns : all_widths) {
      check_definition<float>(150, columns);
      check_definition<double>(150, columns);
    }
  }
  force_kernel_variant(before);
}

TEST_CASE("passes mark the leaves where they lower a distance, and only those") {
  const Index rows = 300;
  for (const Index columns : {2, 8, 9, 30}) {
    const std::vector<float> x = random_numbers<float>(rows, columns);
    for (const auto& data : {dense_rows(x, rows, columns), dense_rows(std::vector<double>(x.begin(), x.end()), rows, columns), sparse_rows(x, rows, columns)}) {
      const RowDistances distances(data);
      for (const std::vector<Index>& centres : {std::vector<Index>{5}, std::vector<Index>{5, 250, 99, 7}}) {
        const auto check = [&]<class T>(T) {
          // Only rows 70 and 299 can be lowered, which lie in leaves 1 and 4.
          std::vector<T> squared(static_cast<std::size_t>(rows), 0);
          squared[70] = squared[299] = std::numeric_limits<T>::infinity();
          std::vector<std::uint8_t> changed(5, 0);
          distances.lower(0, rows, centres, squared.data(), nullptr, 0, changed.data());
          CHECK(changed == std::vector<std::uint8_t>{0, 1, 0, 0, 1});
        };
        if (distances.single()) {
          check(0.0f);
        } else {
          check(0.0);
        }
      }
    }
  }
}

TEST_CASE("equal rows far from the origin have distance 0 exactly") {
  for (const Index columns : all_widths) {
    std::vector<float> x(static_cast<std::size_t>(3 * columns));
    for (std::size_t j = 0; j < x.size(); ++j) x[j] = 1e9f + 1000.0f * static_cast<float>(j % static_cast<std::size_t>(columns));
    x.back() += 4096;
    for (const auto& data : {dense_rows(x, 3, columns), sparse_rows(x, 3, columns)}) {
      const RowDistances distances(data);
      CHECK(distances.between(0, 1) == 0);
      CHECK(distances.between(1, 0) == 0);
      CHECK(distances.within(0, 1, 0));
      CHECK(distances.between(0, 2) == 4096.0 * 4096.0);
    }
  }
}

TEST_CASE("sparse rows have the distances of dense ones up to rounding") {
  const Index rows = 60, columns = 40;
  const std::vector<double> x = random_numbers<double>(rows, columns, 0.7);
  const RowDistances dense(dense_rows(x, rows, columns)), sparse(sparse_rows(x, rows, columns));
  CHECK(!sparse.single());
  for (Index a = 0; a < rows; ++a) {
    for (Index b = 0; b < rows; ++b) {
      // At most 40 additions of numbers >= 0, each within half a unit of 2^-52; the squares have no errors of differences that do not agree in both.
      CHECK(std::abs(dense.between(a, b) - sparse.between(a, b)) <= 40 * 0x1p-52 * dense.between(a, b));
      CHECK(sparse.between(a, b) == sparse.between(b, a));
    }
  }
  std::vector<double> squared(60, std::numeric_limits<double>::infinity());
  std::vector<std::int32_t> labels(60, -1);
  sparse.lower(0, 60, std::vector<Index>{4, 9}, squared.data(), labels.data(), 1);
  for (Index a = 0; a < rows; ++a) {
    const double p = sparse.between(a, 4), q = sparse.between(a, 9);
    CHECK(squared[static_cast<std::size_t>(a)] == std::min(p, q));
    CHECK(labels[static_cast<std::size_t>(a)] == (q < p ? 2 : 1));
  }
}

TEST_CASE("the weighted mean and the squared distances to it, dense and sparse") {
  const Index rows = 9000, columns = 11;
  const std::vector<float> x = random_numbers<float>(rows, columns, 0.5);
  const std::vector<double> w = random_weights(rows);
  const RowDistances dense(dense_rows(x, rows, columns, w)), sparse(sparse_rows(x, rows, columns, w));
  std::vector<std::vector<double>> seen;
  for (const int threads : {1, 2, 3}) {
    Context context(threads);
    const RowDistances fresh(dense_rows(x, rows, columns, w));
    seen.push_back(fresh.squared_from_mean(context));
  }
  CHECK(seen[0] == seen[1]);
  CHECK(seen[0] == seen[2]);
  Context context(1);
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(columns);
  double total = 0;
  for (Index i = 0; i < rows; ++i) {
    sum += w[static_cast<std::size_t>(i)] * dense.data().point(i);
    total += w[static_cast<std::size_t>(i)];
  }
  CHECK((dense.mean(context) - sum / total).norm() <= 1e-12 * (sum / total).norm());
  CHECK((sparse.mean(context) - sum / total).norm() <= 1e-12 * (sum / total).norm());
  for (Index i = 0; i < rows; i += 101) {
    const double exact = (dense.data().point(i) - sum / total).squaredNorm();
    CHECK(dense.squared_from_mean(context)[static_cast<std::size_t>(i)] == doctest::Approx(exact).scale(0).epsilon(1e-10));
    CHECK(sparse.squared_from_mean(context)[static_cast<std::size_t>(i)] == doctest::Approx(exact).scale(0).epsilon(1e-10));
  }
}
