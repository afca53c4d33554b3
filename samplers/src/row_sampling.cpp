// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/check_options.hpp>
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/random/alias.hpp>
#include <buffon/random/variates.hpp>
#include <buffon/samplers/row_sampling.hpp>
#include <buffon/samplers/weighted_subsets.hpp>
#include <buffon/stats/outcome.hpp>
#include <buffon/stats/sum.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "draws/chosen_rows.hpp"
#include "draws/columns.hpp"
#include "draws/item_numbers.hpp"

namespace buffon {
namespace {

constexpr Index most_columns = 50;
using constants::nan;
constexpr std::array<std::string_view, 5> scheme_words = {"uniform", "with_replacement", "gumbel_top_k", "systematic", "stratified"};

[[noreturn]] void refuse(ErrorCategory category, std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(category,
              {.doing = "setting up row_sampling", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

/// Two rows of every group (one where it has only one), the rest in proportion as far as that leaves room.
std::vector<std::int64_t> counts_of_groups(const std::vector<std::int64_t>& sizes, std::int64_t k) {
  std::vector<std::int64_t> counts = proportional_allocation(sizes, k);
  for (std::size_t g = 0; g < sizes.size(); ++g) {
    while (counts[g] < std::min<std::int64_t>(2, sizes[g])) {
      const auto richest = std::max_element(counts.begin(), counts.end());
      --*richest;
      ++counts[g];
    }
  }
  return counts;
}

}  // namespace

void describe(OptionVisitor& v, RowSamplingOptions& o) {
  v.on({.name = "k", .meaning = "Rows drawn.", .unit = "rows", .range = between(1, 1e9), .required = true}, o.k);
  v.on({.name = "scheme",
        .meaning =
            "uniform: every subset equally likely; with_replacement: independent draws by size; gumbel_top_k: one after the other by size without replacement; "
            "systematic: without replacement, chances exactly by size; stratified: every group by its share."},
       o.scheme, scheme_words);
  v.on({.name = "sizes", .meaning = "Column, by name or number in the file, that chances are in proportion to; if not given, the weights of the data are."},
       o.sizes);
  v.on({.name = "groups", .meaning = "For stratified: column whose different values are the groups."}, o.groups);
  v.on({.name = "level", .meaning = "Confidence level of the intervals.", .range = strictly_between(0, 1)}, o.level);
}

struct RowSampling::State {
  std::shared_ptr<const DataSet> data;
  RowSamplingOptions options;
  Stream stream;
  std::vector<double> sizes;         ///< empty = all equal
  std::vector<std::int32_t> groups;  ///< of every row
  std::vector<std::int64_t> group_sizes, group_counts;

  bool done = false;
  draws::ChosenRows chosen;
  std::vector<double> chances;         ///< π or p of every chosen row
  std::vector<double> values, errors;  ///< Σ w, then the means

  State(std::shared_ptr<const DataSet> data_, const RowSamplingOptions& options_, const Stream& stream_)
      : data(std::move(data_)), options(options_), stream(stream_.child("row_sampling")) {
    check_options("row_sampling", options);
    const bool by_size = options.scheme != RowScheme::uniform && options.scheme != RowScheme::stratified;
    if (!options.sizes.empty() && !by_size) {
      refuse(ErrorCategory::configuration, "options.sizes", options.sizes,
             "has no part in the scheme " + std::string(scheme_words[static_cast<std::size_t>(options.scheme)]),
             "leave it out, or take with_replacement, gumbel_top_k or systematic");
    }
    if (!options.groups.empty() != (options.scheme == RowScheme::stratified)) {
      refuse(ErrorCategory::configuration, "options.groups", options.groups.empty() ? "\"\"" : options.groups,
             options.groups.empty() ? "must name the column of the groups" : "belongs to the scheme stratified", "give both or neither");
    }
    if (by_size) take_sizes();
    if (options.scheme == RowScheme::stratified) take_groups();
    const auto possible = static_cast<std::int64_t>(sizes.empty() ? data->rows() : std::count_if(sizes.begin(), sizes.end(), [](double s) { return s > 0; }));
    if (options.scheme != RowScheme::with_replacement && options.k > possible) {
      refuse(ErrorCategory::configuration, "options.k", std::to_string(options.k),
             "must be at most the number of rows that can be drawn, " + std::to_string(possible), "ask for fewer rows, or take the scheme with_replacement");
    }
  }

  void take_sizes() {
    if (options.sizes.empty()) {
      sizes = data->weighted() ? data->about().weights : std::vector<double>(static_cast<std::size_t>(data->rows()), 1);
      return;
    }
    sizes = draws::column_values(*data, draws::find_column(*data, options.sizes, "options.sizes", "setting up row_sampling"));
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const std::int64_t row = data->row_number(static_cast<Index>(i));
      if (!(sizes[i] >= 0)) refuse(ErrorCategory::data, "size of row " + std::to_string(row), to_text(sizes[i]), "must not be negative", "take another column");
      if (sizes[i] == 0 && data->weight(static_cast<Index>(i)) > 0) {
        refuse(ErrorCategory::data, "size of row " + std::to_string(row), "0", "must be positive: a row that is never drawn makes every estimate biased",
               "remove the row by data.rows, or take another column");
      }
    }
  }

  void take_groups() {
    const std::vector<double> values_of = draws::column_values(*data, draws::find_column(*data, options.groups, "options.groups", "setting up row_sampling"));
    std::map<double, std::int32_t> number;
    for (const double value : values_of) number.try_emplace(value, 0);
    std::int32_t g = 0;
    for (auto& [value, of] : number) of = g++;
    group_sizes.assign(number.size(), 0);
    for (const double value : values_of) {
      groups.push_back(number[value]);
      ++group_sizes[static_cast<std::size_t>(groups.back())];
    }
    std::int64_t least = 0;
    for (const std::int64_t size : group_sizes) least += std::min<std::int64_t>(2, size);
    if (options.k < least) {
      refuse(ErrorCategory::configuration, "options.k", std::to_string(options.k),
             "must be at least " + std::to_string(least) + ", two rows of each of the " + std::to_string(number.size()) + " groups",
             "draw more rows, or group by another column");
    }
  }

  void draw(Context& context) {
    const Index n = data->rows();
    const auto k = static_cast<Index>(options.k);
    const Stream rows_stream = stream.child("rows");
    std::vector<Index> rows;
    std::vector<double> chance;  // of every drawn row
    const auto size_of = [&](Index row) { return sizes[static_cast<std::size_t>(row)]; };
    switch (options.scheme) {
      case RowScheme::uniform:
        rows = sample_without_replacement(rows_stream, 0, n, k);
        chance.assign(rows.size(), static_cast<double>(k) / static_cast<double>(n));
        break;
      case RowScheme::with_replacement: {
        rows.resize(static_cast<std::size_t>(k));
        AliasTable(sizes).draw(rows_stream, 0, rows);
        const double total = sum(context, sizes);
        for (const Index row : rows) chance.push_back(size_of(row) / total);
        break;
      }
      case RowScheme::gumbel_top_k: {
        const KeyedSubset subset = gumbel_top_k(sizes, k, rows_stream, context);
        for (const KeyedRow& kept : subset.rows) {
          rows.push_back(kept.row);
          chance.push_back(subset.inclusion_given_others(size_of(kept.row)));
        }
        break;
      }
      case RowScheme::systematic: {
        const std::vector<double> inclusion = proportional_inclusion(sizes, k);
        rows = systematic_subset(inclusion, draws::uniform(rows_stream, 0), permutation(stream.child("order"), 0, n));
        for (const Index row : rows) chance.push_back(inclusion[static_cast<std::size_t>(row)]);
        break;
      }
      case RowScheme::stratified:
        group_counts = counts_of_groups(group_sizes, options.k);
        rows = stratified_subset(groups, group_counts, rows_stream);
        for (const Index row : rows) {
          const auto g = static_cast<std::size_t>(groups[static_cast<std::size_t>(row)]);
          chance.push_back(static_cast<double>(group_counts[g]) / static_cast<double>(group_sizes[g]));
        }
        break;
    }
    const double draws_of_weight = options.scheme == RowScheme::with_replacement ? static_cast<double>(k) : 1;
    std::vector<double> weights;
    for (std::size_t j = 0; j < rows.size(); ++j) weights.push_back(data->weight(rows[j]) / (draws_of_weight * chance[j]));
    chosen = draws::ChosenRows::merged(rows, weights);
    std::map<Index, double> chance_of;
    for (std::size_t j = 0; j < rows.size(); ++j) chance_of[rows[j]] = chance[j];
    for (const Index row : chosen.rows) chances.push_back(chance_of[row]);
    estimate();
    done = true;
  }

  /// Standard error of Σ e / π (with replacement: of the mean of e / p), e of every chosen row.
  double error_of(const std::vector<double>& e) const {
    const auto n = static_cast<double>(data->rows()), k = static_cast<double>(options.k);
    const std::size_t m = e.size();
    switch (options.scheme) {
      case RowScheme::uniform:
      case RowScheme::stratified: {
        const std::size_t count = options.scheme == RowScheme::uniform ? 1 : group_sizes.size();
        std::vector<double> mean(count), squares(count);
        const auto group = [&](std::size_t i) { return count == 1 ? 0 : static_cast<std::size_t>(groups[static_cast<std::size_t>(chosen.rows[i])]); };
        const auto drawn = [&](std::size_t g) { return options.scheme == RowScheme::uniform ? k : static_cast<double>(group_counts[g]); };
        for (std::size_t i = 0; i < m; ++i) mean[group(i)] += e[i] / drawn(group(i));
        for (std::size_t i = 0; i < m; ++i) squares[group(i)] += (e[i] - mean[group(i)]) * (e[i] - mean[group(i)]);
        double variance = 0;
        for (std::size_t g = 0; g < count; ++g) {
          const double size = options.scheme == RowScheme::uniform ? n : static_cast<double>(group_sizes[g]);
          if (drawn(g) < size) variance += size * (size - drawn(g)) * squares[g] / (drawn(g) - 1) / drawn(g);
        }
        return std::sqrt(variance);
      }
      case RowScheme::with_replacement: {
        double mean = 0, squares = 0;
        for (std::size_t i = 0; i < m; ++i) mean += static_cast<double>(chosen.counts[i]) * (e[i] / chances[i]) / k;
        for (std::size_t i = 0; i < m; ++i) squares += static_cast<double>(chosen.counts[i]) * std::pow(e[i] / chances[i] - mean, 2);
        return std::sqrt(squares / (k - 1) / k);
      }
      case RowScheme::gumbel_top_k: {
        if (m < 2) return nan;
        double variance = 0;
        for (std::size_t i = 0; i < m; ++i) variance += (1 - chances[i]) * std::pow(e[i] / chances[i], 2);
        return std::sqrt(variance);
      }
      case RowScheme::systematic: {
        double weight = 0, mean = 0, squares = 0;
        for (std::size_t i = 0; i < m; ++i) {
          weight += 1 - chances[i];
          mean += (1 - chances[i]) * (e[i] / chances[i]);
        }
        if (!(weight > 0)) return 0;  // every row is sure
        for (std::size_t i = 0; i < m; ++i) squares += (1 - chances[i]) * std::pow(e[i] / chances[i] - mean / weight, 2);
        return std::sqrt(k / (k - 1) * squares);
      }
    }
    return nan;
  }

  void estimate() {
    const Index d = std::min(data->columns(), most_columns);
    const std::size_t m = chosen.rows.size();
    Eigen::MatrixXd x(d, static_cast<Index>(m));
    Eigen::VectorXd sums = Eigen::VectorXd::Zero(d);
    double estimated = 0;  // Σ ω
    std::vector<double> w(m), e(m);
    for (std::size_t i = 0; i < m; ++i) {
      x.col(static_cast<Index>(i)) = data->point(chosen.rows[i]).head(d);
      sums += chosen.weights[i] * x.col(static_cast<Index>(i));
      estimated += chosen.weights[i];
      w[i] = data->weight(chosen.rows[i]);
    }
    const double known = draws::total_weight(*data), of_weight = error_of(w);
    values.push_back(estimated);
    errors.push_back(of_weight);
    const auto& about = data->about();
    for (Index j = 0; j < d; ++j) {
      const auto error = [&](double b, double t) {  // of Σ (w (x − b) + t w) / π
        for (std::size_t i = 0; i < m; ++i) e[i] = w[i] * (x(j, static_cast<Index>(i)) - b) + t * w[i];
        return error_of(e);
      };
      double b = sums(j) / estimated;
      const double of_rest = error(b, 0);
      if (of_weight > 1e-10 * known && of_rest > 0) {
        // Var(rest + t weight) = Var(rest) + 2 t Cov + t² Var(weight), at the t that makes the last term as large as the first
        const double t = of_rest / of_weight, both = error(b, t);
        const double covariance = (both * both - 2 * of_rest * of_rest) / (2 * t);
        b += covariance / (of_weight * of_weight);
      }
      const double mean = (sums(j) + b * (known - estimated)) / known;
      const double scale = about.scale.size() > 0 ? about.scale(j) : 1, centre = about.centre.size() > 0 ? about.centre(j) : 0;
      values.push_back(centre + scale * mean);
      errors.push_back(scale * error(b, 0) / known);
    }
  }

  Estimate at(std::size_t i) const {
    return done ? normal_estimate(values[i], errors[i], static_cast<double>(options.k), options.level) : normal_estimate(nan, nan, 0, options.level);
  }
};

RowSampling::RowSampling(std::shared_ptr<const DataSet> data, const RowSamplingOptions& options, const Stream& stream)
    : state_(std::make_unique<State>(std::move(data), options, stream)) {}

RowSampling::~RowSampling() = default;

void RowSampling::step(Context& context) {
  if (!state_->done) state_->draw(context);
}

bool RowSampling::finished() const { return state_->done; }

void RowSampling::stop(const std::string&) {}  // the one round that there is gives the result

Progress RowSampling::progress() const {
  Progress p;
  p.fraction = state_->done ? 1 : 0;
  p.phase = "drawing rows";
  return p;
}

Outcome RowSampling::outcome() const {
  const State& s = *state_;
  Outcome out;
  out.estimates.push_back({"total_weight", s.at(0), "check", "known: " + to_text(draws::total_weight(*s.data))});
  for (Index j = 0; j < std::min(s.data->columns(), most_columns); ++j) {
    out.estimates.push_back({"mean_" + draws::column_name(*s.data, j), s.at(static_cast<std::size_t>(j) + 1), "mean"});
  }
  if (!s.done) return out;
  const auto tell = [&](std::string name, auto value, std::string meaning) { out.diagnostics.push_back({std::move(name), value, std::move(meaning)}); };
  tell("draws", s.options.k, "Rows drawn.");
  tell("distinct_rows", static_cast<std::int64_t>(s.chosen.rows.size()), "Different rows among them.");
  tell("effective_size", s.chosen.effective_size(), "Rows of equal weights that would carry as much as these.");
  if (!s.group_sizes.empty()) tell("groups", static_cast<std::int64_t>(s.group_sizes.size()), "Different values of the column of the groups.");
  if (s.data->columns() > most_columns) {
    out.warnings.push_back("Means of the first " + std::to_string(most_columns) + " columns are estimated, of " + std::to_string(s.data->columns()) + ".");
  }
  if (s.options.scheme == RowScheme::systematic) {
    out.warnings.push_back("Standard errors of a systematic sample are approximations (Deville): no unbiased estimate of them exists.");
  }
  out.stop_reason = "all rows were drawn";
  out.selection = s.chosen.selection(*s.data);
  return out;
}

MemoryNeed RowSampling::memory_need() const { return {state_->options.k, 600 * static_cast<double>(state_->options.k), "k", "draw fewer rows"}; }

void RowSampling::describe_state(Archive& archive) {
  State& s = *state_;
  archive.item("done", s.done);
  archive.item("chosen", s.chosen);
  archive.item("values", s.values);
  archive.item("errors", s.errors);
}

RowSamplingResult RowSampling::result() const {
  const State& s = *state_;
  RowSamplingResult r{s.chosen.rows, s.chosen.counts, s.chosen.weights, s.at(0), {}};
  for (std::size_t i = 1; i < s.values.size(); ++i) r.means.push_back(s.at(i));
  return r;
}

RowSamplingResult row_sampling(std::shared_ptr<const DataSet> data, const RowSamplingOptions& options, const Stream& stream, Context& context) {
  RowSampling method(std::move(data), options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
