// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/data_file.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/stats/quantile.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numeric>

#include "cases.hpp"

namespace buffon::reproduce::kmeans_rejection_seeding {
namespace {

constexpr Index poker_rows = 1'025'010, cards = 5, deck = 52, ranks = 13;

}  // namespace

std::shared_ptr<const DataSet> poker_hands(const Stream& stream, Index n) {
  auto numbers = std::make_shared<std::vector<float>>(static_cast<std::size_t>(n * 2 * cards));
  constexpr Index batch = 4096;
  for (Index begin = 0; begin < n; begin += batch) {
    const Index size = std::min(batch, n - begin);
    Eigen::MatrixXd u(cards, size);
    stream.uniforms(static_cast<std::uint64_t>(begin), u);
    for (Index i = 0; i < size; ++i) {
      std::array<Index, deck> card;
      std::iota(card.begin(), card.end(), 0);
      float* row = numbers->data() + (begin + i) * 2 * cards;
      for (Index j = 0; j < cards; ++j) {  // Fisher-Yates
        const Index at = j + static_cast<Index>(u(j, i) * static_cast<double>(deck - j));
        std::swap(card[static_cast<std::size_t>(j)], card[static_cast<std::size_t>(at)]);
        const Index drawn = card[static_cast<std::size_t>(j)];
        row[2 * j] = static_cast<float>(1 + drawn / ranks);
        row[2 * j + 1] = static_cast<float>(1 + drawn % ranks);
      }
    }
  }
  const DenseRows<float> view{numbers->data(), n, 2 * cards, 2 * cards};
  return std::make_shared<DataSet>(view, DataSet::About{.source = "the poker hands", .storage = numbers});
}

std::vector<Set> sets_of(const ReproduceOptions& options, ReproduceTable& table) {
  const Index n = std::max<Index>(20'000, static_cast<Index>(std::llround(options.scale * static_cast<double>(poker_rows))));
  const PaperFigures poker{.rejection_cost = 3.322e7,
                           .afk_cost = 3.333e7,
                           .rejection_seconds = 0.895,
                           .afk_seconds = 54.3,
                           .cost_5 = 7.81e7,
                           .cost_100 = 2.68e7,
                           .cap_5 = 3.35e7,
                           .cap_50 = 3.33e7,
                           .cap_150 = 3.34e7};
  std::vector<Set> sets = {{.name = "Poker", .data = poker_hands(Stream(options.seed).child("poker hands"), n), .k = 50, .paper = poker}};
  if (n != poker_rows) sets[0].note = "costs of " + std::to_string(n) + " rows, brought to the paper's " + std::to_string(poker_rows) + " in proportion";
  if (options.data.empty()) {
    table.warnings.push_back("Of the paper's data sets only Poker can be made anew (hands of five cards). `--data FOLDER` takes files of one's own as well.");
    return sets;
  }
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(options.data)) {
    for (const auto& entry : std::filesystem::directory_iterator(options.data)) {
      const std::string name = entry.path().filename().string();
      const bool data = name.find(".npy") != std::string::npos || name.find(".csv") != std::string::npos;
      if (entry.is_regular_file() && data && name.find("_label") == std::string::npos) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(options.data);
  }
  if (files.empty()) {
    throw Error(ErrorCategory::no_input, {.doing = "looking for data sets",
                                          .key = "--data",
                                          .value = options.data.string(),
                                          .rule = "holds no .npy or .csv file",
                                          .remedy = "Name a file, or a folder with such files (.gz too; names with _label are left out)"});
  }
  for (const auto& file : files) {
    for (const DataScale scale : {DataScale::none, DataScale::standardise}) {
      DataFileOptions o;
      o.file = file.string();
      o.scale = scale;
      std::string name = file.filename().string();
      name = name.substr(0, name.find('.')) + (scale == DataScale::none ? ", raw" : ", standardised");
      const bool forest = name.starts_with("cov") && scale == DataScale::none;
      Set set{.name = name, .data = read_data(o), .k = forest ? 7 : 50};
      if (set.data->rows() < 1000) continue;
      if (forest && set.data->rows() == 581'010) {
        set.paper = PaperFigures{.rejection_cost = 7.707e11, .afk_cost = 7.748e11, .rejection_seconds = 0.148, .afk_seconds = 3.51};
      } else if (forest) {
        set.note = "a part of the paper's data set Forest, whose costs (7.707e11 and 7.748e11 at k = 7) are of 581,010 rows";
      }
      sets.push_back(std::move(set));
    }
  }
  return sets;
}

Runs run(const ReproduceOptions& options, const Set& set, KmeansSeedingOptions seeding, std::int64_t runs, const Stream& stream) {
  seeding.labels = false;
  seeding.too_few = TooFewRows::fewer;
  Runs out;
  for (std::int64_t r = 0; r < runs; ++r) {
    options.context->throw_if_stopped();
    const auto begin = std::chrono::steady_clock::now();
    const auto result = kmeans_seeding(set.data, seeding, stream.child("run", static_cast<std::uint64_t>(r)), *options.context);
    out.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    out.costs.push_back(assign(*set.data, set.data->points(result.rows), *options.context).cost);
    out.counts.trials += result.counts.trials;
    out.counts.distances += result.counts.distances;
    out.counts.fall_backs += result.counts.fall_backs;
  }
  return out;
}

double Runs::std_dev() const {
  const auto n = static_cast<double>(costs.size());
  const double mean = std::accumulate(costs.begin(), costs.end(), 0.0) / n;
  double square = 0;
  for (const double c : costs) square += (c - mean) * (c - mean);
  return std::sqrt(square / (n - 1));
}

Estimate Runs::cost() const {
  const auto n = static_cast<double>(costs.size());
  return normal_estimate(std::accumulate(costs.begin(), costs.end(), 0.0) / n, std_dev() / std::sqrt(n), n);
}

double Runs::median_seconds() const { return sample_quantile(seconds, 0.5); }

}  // namespace buffon::reproduce::kmeans_rejection_seeding
