// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/io/data_file.hpp>
#include <buffon/parallel/context.hpp>
#include <buffon/samplers/kmeans_seeding.hpp>
#include <buffon/samplers/nearest_centres.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <shared_data.hpp>
#include <statistical.hpp>
#include <string>
#include <vector>

// Real data sets, where they are at hand.

namespace buffon::testing {
namespace {

std::shared_ptr<const DataSet> read(const std::string& name, DataScale scale, const std::vector<std::string>& columns = {}, const std::string& rows = "") {
  const std::filesystem::path path = test::shared_data("clustering/" + name + ".npy.gz");
  if (path.empty()) return nullptr;
  return read_data({.file = path.string(), .columns = columns, .rows = rows, .scale = scale});
}

KmeansSeedingResult seed(const std::shared_ptr<const DataSet>& data, SeedingAlgorithm algorithm, std::int64_t k, std::uint64_t number, bool labels = false) {
  Context context(1);
  return kmeans_seeding(data, {.k = k, .algorithm = algorithm, .labels = labels}, Stream(number), context);
}

}  // namespace

TEST_CASE("htru2, standardised: totals, expected trials and probabilities of some centres are the known ones") {
  const auto data = read("htru2", DataScale::standardise);
  if (data == nullptr) return;
  Context context(1);
  const auto distances = std::make_shared<RowDistances>(data);
  NearestCentres nearest(distances);
  const auto add = [&](Index centre) { nearest.add(context, std::vector<Index>{centre}); };
  const std::vector<double>& from_mean = distances->squared_from_mean(context);
  const double bound = 2 * (std::accumulate(from_mean.begin(), from_mean.end(), 0.0) + static_cast<double>(data->rows()) * from_mean.front());
  add(0);
  CHECK(nearest.total() == doctest::Approx(215469.03).scale(0).epsilon(1e-7));
  CHECK(bound / nearest.total() == doctest::Approx(2).scale(0).epsilon(1e-6));
  add(5000);
  add(12000);
  CHECK(nearest.total() == doctest::Approx(135457.40).scale(0).epsilon(1e-7));
  CHECK(bound / nearest.total() == doctest::Approx(3.181355).scale(0).epsilon(1e-6));
  double part = 0;
  for (Index i = 0; i < 1000; ++i) part += nearest.squared(i);
  CHECK(part / nearest.total() == doctest::Approx(0.048874).scale(0).epsilon(2e-5));
}

TEST_CASE("pruned and exact seeding choose the same rows of real data, raw and standardised") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> sets = {
      {"htru2", {}}, {"kegg_undirected", {"0:27"}}, {"casp_protein", {"0:9"}}, {"spambase", {}}};
  for (const auto& set : sets) {
    for (const DataScale scale : {DataScale::none, DataScale::standardise}) {
      const auto data = read(set.first, scale, set.second);
      if (data == nullptr) return;
      CAPTURE(set.first);
      const KmeansSeedingResult exact = seed(data, SeedingAlgorithm::exact, 600, 1), pruned = seed(data, SeedingAlgorithm::pruned, 600, 1);
      CHECK(exact.rows == pruned.rows);
      CHECK(pruned.counts.distances < exact.counts.distances / 2);
    }
  }
}

// Two-sample Kolmogorov–Smirnov at level 1e-4; greedy seeding, whose costs are lower, is rejected by the same test.
TEST_CASE("costs over 100 seeds on every tenth row of three data sets have the law of exact seeding") {
  for (const std::string name : {"htru2", "casp_protein", "covtype20k"}) {
    const auto data = read(name, DataScale::standardise, {}, "0:17000:10");
    if (data == nullptr) return;
    CAPTURE(name);
    const auto costs = [&](SeedingAlgorithm algorithm, std::uint64_t from) {
      std::vector<double> sample;
      for (std::uint64_t s = from; s < from + 100; ++s) sample.push_back(seed(data, algorithm, 20, s, true).assignment->cost);
      return sample;
    };
    const std::vector<double> exact = costs(SeedingAlgorithm::exact, 1000);
    CHECK(ks_two_sample_p(exact, costs(SeedingAlgorithm::snapshot, 2000)) > 1e-4);
    CHECK(ks_two_sample_p(exact, costs(SeedingAlgorithm::rejection, 3000)) > 1e-4);
    CHECK(ks_two_sample_p(exact, costs(SeedingAlgorithm::greedy, 4000)) < 1e-4);
  }
}

}  // namespace buffon::testing
