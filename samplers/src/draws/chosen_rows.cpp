// SPDX-License-Identifier: BSD-3-Clause
#include "chosen_rows.hpp"

#include <unordered_map>

#include <buffon/core/archive.hpp>
#include <buffon/stats/sum.hpp>

namespace buffon::draws {

ChosenRows ChosenRows::merged(std::span<const Index> drawn, std::span<const double> weight_of_draw) {
  ChosenRows chosen;
  std::unordered_map<Index, std::size_t> place;
  std::vector<double> of_one;
  for (std::size_t j = 0; j < drawn.size(); ++j) {
    const auto [at, fresh] = place.try_emplace(drawn[j], chosen.rows.size());
    if (fresh) {
      chosen.rows.push_back(drawn[j]);
      chosen.counts.push_back(0);
      of_one.push_back(weight_of_draw[j]);
    }
    ++chosen.counts[at->second];
  }
  for (std::size_t i = 0; i < of_one.size(); ++i) chosen.weights.push_back(static_cast<double>(chosen.counts[i]) * of_one[i]);
  return chosen;
}

double ChosenRows::effective_size() const {
  double sum = 0, squares = 0;
  for (const double w : weights) {
    sum += w;
    squares += w * w;
  }
  return squares > 0 ? sum * sum / squares : 0;
}

std::shared_ptr<Selection> ChosenRows::selection(const DataSet& data) const {
  auto s = std::make_shared<Selection>();
  for (const Index row : rows) s->rows.push_back(data.row_number(row));
  s->weights = weights;
  return s;
}

void ChosenRows::describe_state(Archive& archive) {
  std::vector<std::int64_t> numbers(rows.begin(), rows.end());
  archive.item("rows", numbers);
  rows.assign(numbers.begin(), numbers.end());
  archive.item("counts", counts);
  archive.item("weights", weights);
}

double total_weight(const DataSet& data) { return data.weighted() ? sum(data.about().weights) : static_cast<double>(data.rows()); }

}  // namespace buffon::draws
