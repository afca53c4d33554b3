// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>
#include <buffon/parallel/context.hpp>
#include <buffon/random/kernel_variant.hpp>
#include <buffon/samplers/nearest_centres.hpp>

#include "distance_cases.hpp"
#include "statistical.hpp"

using namespace buffon;
using namespace buffon::test;

namespace {

std::shared_ptr<const RowDistances> distances_of(std::shared_ptr<const DataSet> data) { return std::make_shared<RowDistances>(std::move(data)); }

std::vector<std::shared_ptr<const DataSet>> kinds(Index rows, Index columns, std::vector<double> weights) {
  return {dense_rows(random_numbers<float>(rows, columns), rows, columns, weights), dense_rows(random_numbers<double>(rows, columns), rows, columns, weights),
          sparse_rows(random_numbers<float>(rows, columns, 0.5), rows, columns, weights)};
}

}  // namespace

TEST_CASE("distances, labels and total of a growing list of centres are those of brute force") {
  Context context(1);
  for (const Index columns : {3, 12}) {
    for (const bool weighted : {false, true}) {
      const Index rows = 5000;
      for (const auto& data : kinds(rows, columns, weighted ? random_weights(rows) : std::vector<double>())) {
        const auto distances = distances_of(data);
        NearestCentres nearest(distances, true);
        CHECK(std::isinf(nearest.squared(7)));
        nearest.add(context, std::vector<Index>{17});
        nearest.add(context, std::vector<Index>{4000, 5, 6, 17});
        nearest.add(context, std::vector<Index>{4999, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13});
        CHECK(nearest.centres().size() == 16);
        CHECK(nearest.evaluations() == 16 * rows);
        long double total = 0;
        bool same = true;
        for (Index i = 0; i < rows; ++i) {
          double best = HUGE_VAL;
          std::int32_t label = -1;
          for (std::size_t c = 0; c < nearest.centres().size(); ++c) {
            const double d = distances->between(i, nearest.centres()[c]);
            if (d < best) {
              best = d;
              label = static_cast<std::int32_t>(c);
            }
          }
          same = same && nearest.squared(i) == best && nearest.label(i) == label;
          total += static_cast<long double>(data->weight(i)) * static_cast<long double>(best);
        }
        CHECK(same);
        CHECK(nearest.label(6) == 2);  // rows 5 and 6 are equal: the first of the two
        // Sums of positive numbers through at most 4 + 6 + 4 + 2 levels of rounding.
        CHECK(std::abs(nearest.total() - static_cast<double>(total)) <= 1e-14 * nearest.total());
      }
    }
  }
}

TEST_CASE("totals with a candidate have the bits of the total after taking it") {
  Context context(1);
  for (const Index columns : {2, 3, 7, 8, 13, 26, 64}) {
    for (const Index rows : {1, 63, 64, 65, 4096, 9001}) {
      for (const auto& data : kinds(rows, columns, rows == 9001 ? random_weights(rows) : std::vector<double>())) {
        const auto distances = distances_of(data);
        NearestCentres nearest(distances);
        nearest.add(context, std::vector<Index>{rows / 3});
        std::vector<Index> candidates;
        for (Index c = 0; c < std::min<Index>(rows, 11); ++c) candidates.push_back(rows - 1 - 5 * c >= 0 ? rows - 1 - 5 * c : 0);
        const double before = nearest.total();
        const std::vector<double> totals = nearest.totals_with(context, candidates);
        CHECK(nearest.total() == before);
        for (std::size_t c = 0; c < candidates.size(); c += 3) {
          NearestCentres taken = nearest;
          taken.add(context, std::span(&candidates[c], 1));
          CHECK(taken.total() == totals[c]);
        }
      }
    }
  }
}

TEST_CASE("threads and instruction sets change no bit") {
  const Index rows = 20000, columns = 19;
  const std::string before(kernel_variant());
  for (const auto& data : kinds(rows, columns, random_weights(rows))) {
    std::vector<double> totals, of_candidates;
    std::vector<Index> drawn;
    for (const std::string_view variant : available_kernel_variants()) {
      force_kernel_variant(variant);
      for (const int threads : {1, 2, 3}) {
        Context context(threads);
        NearestCentres nearest(distances_of(data), true);
        nearest.add(context, std::vector<Index>{1, 2, 3, 500});
        nearest.add(context, std::vector<Index>{77});
        totals.push_back(nearest.total());
        of_candidates.push_back(nearest.totals_with(context, std::vector<Index>{5, 6, 7, 8, 9})[3]);
        drawn.push_back(nearest.draw(0.7234));
      }
    }
    CHECK(std::all_of(totals.begin(), totals.end(), [&](double x) { return x == totals[0]; }));
    CHECK(std::all_of(of_candidates.begin(), of_candidates.end(), [&](double x) { return x == of_candidates[0]; }));
    CHECK(std::all_of(drawn.begin(), drawn.end(), [&](Index x) { return x == drawn[0]; }));
  }
  force_kernel_variant(before);
}

TEST_CASE("draws invert the distribution function of w D at every row") {
  Context context(1);
  // Rows 0, 1, 2, 3, … of one column, the centre row 0, so that D_i = i²; integers, all sums exact.
  const Index rows = 5000;
  std::vector<float> x(static_cast<std::size_t>(rows));
  std::vector<double> w(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(i % 100);
    w[i] = static_cast<double>(i % 3);
  }
  NearestCentres nearest(distances_of(dense_rows(x, rows, 1, w)));
  nearest.add(context, std::vector<Index>{0});
  double total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) total += w[i] * static_cast<double>(x[i] * x[i]);
  CHECK(nearest.total() == total);
  double before = 0;
  bool right = true;
  for (Index i = 0; i < rows; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double share = w[at] * static_cast<double>(x[at] * x[at]);
    if (share == 0) continue;
    right = right && nearest.draw((before + 0.01) / total) == i && nearest.draw((before + share - 0.01) / total) == i;
    before += share;
  }
  CHECK(right);
  CHECK(nearest.draw(std::nextafter(1.0, 0.0)) == 4999);
  CHECK(nearest.draw(0x1p-60) == 1);
}

TEST_CASE("draws never return a row without share") {
  Context context(1);
  std::vector<float> x(9000, 1.0f);
  x[4500] = 2;
  std::vector<double> w(9000, 1.0);
  NearestCentres nearest(distances_of(dense_rows(x, 9000, 1, w)));
  nearest.add(context, std::vector<Index>{0});
  for (const double u : {1e-300, 0.1, 0.5, 0.999999, std::nextafter(1.0, 0.0)}) CHECK(nearest.draw(u) == 4500);
  nearest.add(context, std::vector<Index>{4500});
  CHECK(nearest.total() == 0);
}
