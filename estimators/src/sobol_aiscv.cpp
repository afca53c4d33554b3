// SPDX-License-Identifier: BSD-3-Clause
#include "option_words.hpp"

#include <buffon/core/constants.hpp>
#include <buffon/estimators/sobol_aiscv.hpp>

#include <buffon/core/archive.hpp>
#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace buffon {
namespace {

using constants::nan;
const std::string doing = "preparing sobol_aiscv";
constexpr Index most_inputs_for_all_subsets = 8;
constexpr std::array<std::string_view, 5> comparisons = {"none", "martinez", "mauntz_kucherenko", "saltelli", "jansen"};

AiscvOptions kernel_options(const SobolAiscvOptions& o, std::int64_t points, std::int64_t per_point) {
  AiscvOptions k;
  k.max_evaluations = points * per_point;
  k.exploration_fraction = o.exploration_fraction;
  k.exploration_batches = o.exploration_batches;
  k.family = o.family;
  k.components = o.components;
  k.diagonal = o.diagonal;
  k.weights = o.weights;
  k.final = o.final;
  k.sampling = o.sampling;
  k.control = o.control;
  k.ridge = o.ridge;
  k.level = o.level;
  return k;
}

std::string joined_names(const JointLaw& law, const InputSubset& subset) {
  std::string text;
  for (const Index i : subset) text += (text.empty() ? "" : ",") + law.inputs()[static_cast<std::size_t>(i)].name;
  return text;
}

}  // namespace

SobolIntegrands::SobolIntegrands(Problem problem, Index row, std::vector<InputSubset> subsets, double shift)
    : problem_(std::move(problem)), row_(row), subsets_(std::move(subsets)), shift_(shift) {
  const JointLaw& law = problem_.single_law("sobol_aiscv");
  const std::string y = problem_.quantities()[static_cast<std::size_t>(row)].name;
  for (const auto& subset : subsets_) names_.push_back("product[" + y + ":" + joined_names(law, subset) + "]");
  names_.push_back("mean[" + y + "]");
  names_.push_back("square[" + y + "]");
}

void SobolIntegrands::sample(const Stream& stream, std::uint64_t first, MutMatrix x) const { stream.normals(first, x); }

void SobolIntegrands::log_densities(const ConstMatrix& x, MutMatrix log_f) const {
  const double constant = -0.5 * static_cast<double>(x.rows()) * std::log(2 * std::numbers::pi);
  log_f.row(0) = (constant - 0.5 * x.colwise().squaredNorm().array()).matrix();
}

void SobolIntegrands::evaluate(Context& context, const ConstMatrix& x, MutMatrix phi) const {
  const JointLaw& law = problem_.scenarios().front().law;
  const Index d = law.size(), n = x.cols(), count = static_cast<Index>(subsets_.size());
  Eigen::MatrixXd here(d, n), other(d, n), mixed(d, n);
  law.from_standard(x.topRows(d), here);
  law.from_standard(x.bottomRows(d), other);
  Eigen::MatrixXd values(static_cast<Index>(problem_.quantities().size()), n);
  const auto output = [&](const Eigen::MatrixXd& points) {
    problem_.evaluate(context, points, values);
    problem_.apply_events(values);
    return Eigen::RowVectorXd((values.row(row_).array() - shift_).matrix());
  };
  const Eigen::RowVectorXd y = output(here);
  phi.row(count) = y;
  phi.row(count + 1) = y.cwiseAbs2();
  for (Index k = 0; k < count; ++k) {
    mixed = other;
    for (const Index i : subsets_[static_cast<std::size_t>(k)]) mixed.row(i) = here.row(i);
    phi.row(k) = y.cwiseProduct(output(mixed));
  }
}

void describe(OptionVisitor& v, SobolAiscvOptions& o) {
  static constexpr std::array<std::string_view, 2> orders = {"first", "total"};
  static constexpr std::array<std::string_view, 2> families = {"gaussian", "gaussian_mixture"};
  static constexpr std::array<std::string_view, 2> weights = {"relative", "absolute"};
  static constexpr std::array<std::string_view, 2> controls = {"own", "regression"};
  static constexpr std::array<std::string_view, 2> samplings = {"multinomial", "stratified"};
  static constexpr std::array<std::string_view, 2> finals = {"newest", "previous"};
  v.on({.name = "max_evaluations", .meaning = "model evaluations at most; a comparison is paid on top", .unit = "evaluations", .range = between(40, 9e15)},
       o.max_evaluations);
  v.on({.name = "orders", .meaning = "indices of every single input", .choices = orders, .size_max = 2}, o.orders);
  v.on({.name = "subsets", .meaning = "sets of inputs, by name, whose closed index is wanted"}, o.subsets);
  v.on({.name = "all_subsets", .meaning = "closed indices of all proper subsets of the inputs; at most 8 inputs"}, o.all_subsets);
  v.on({.name = "output", .meaning = "the output to analyse; empty = the only one"}, o.output);
  v.on({.name = "centring", .meaning = "what is subtracted from the output first: nothing, the mean of a pilot sample, or the value of shift"}, o.centring,
       sobol_centring_names);
  v.on({.name = "shift", .meaning = "number subtracted from the output, for centring = value", .range = between(-1e300, 1e300)}, o.shift);
  v.on({.name = "pilot", .meaning = "evaluations for centring = pilot", .unit = "evaluations", .range = between(2, 1e6)}, o.pilot);
  v.on({.name = "comparison", .meaning = "classical estimator to run beside at equal model evaluations", .choices = comparisons}, o.comparison);
  v.on({.name = "family", .meaning = "family of every auxiliary density"}, o.family, families);
  v.on({.name = "components", .meaning = "Gaussians per auxiliary density, for family = gaussian_mixture", .range = between(1, 20)}, o.components);
  v.on({.name = "diagonal", .meaning = "diagonal covariances only, for many inputs and few points"}, o.diagonal);
  v.on({.name = "weights", .meaning = "criterion weights of the expectations: one over the squared estimates, or all one"}, o.weights, weights);
  v.on({.name = "control", .meaning = "control variates of the final estimate: the own density, or regression on all"}, o.control, controls);
  v.on({.name = "sampling", .meaning = "how draws of the mixture choose their component"}, o.sampling, samplings);
  v.on({.name = "final", .meaning = "densities of the final sample when the last exploration step did not help"}, o.final, finals);
  v.on({.name = "exploration_fraction", .meaning = "largest share of the points for the exploration", .range = strictly_between(0, 1)}, o.exploration_fraction);
  v.on({.name = "exploration_batches", .meaning = "batches that the exploration share is cut into", .range = between(2, 1000)}, o.exploration_batches);
  v.on({.name = "ridge", .meaning = "added to fitted variances, as a share of the pooled ones", .range = positive()}, o.ridge);
  describe_level(v, o.level);
}

SobolAiscv::SobolAiscv(Problem problem, SobolAiscvOptions options, const Stream& stream)
    : problem_(std::move(problem)), options_(std::move(options)), pilot_stream_(stream.child("pilot")), aiscv_stream_(stream.child("aiscv")) {
  check_options("sobol_aiscv", options_);
  const JointLaw& law = problem_.single_law("sobol_aiscv");
  require_independent(law, doing);
  const Index d = law.size();
  if (d < 2) {
    throw Error(ErrorCategory::configuration, {.doing = doing,
                                               .key = "inputs",
                                               .value = std::to_string(d),
                                               .rule = "must be at least two",
                                               .remedy = "a single input explains all of the variance: its indices are 1"});
  }
  if (options_.output.empty() && problem_.quantities().size() > 1) {
    std::string names;
    for (const auto& quantity : problem_.quantities()) names += (names.empty() ? "" : ", ") + quantity.name;
    throw Error(ErrorCategory::configuration,
                {.doing = doing, .key = "options.output", .rule = "must name one of several outputs", .remedy = "give one of " + names});
  }
  row_ = options_.output.empty() ? 0 : output_from_name(options_.output, problem_, doing);

  const auto has = [&](std::string_view order) { return std::find(options_.orders.begin(), options_.orders.end(), order) != options_.orders.end(); };
  if (options_.orders.size() == 2 && options_.orders[0] == options_.orders[1]) {
    throw Error(ErrorCategory::configuration, {.doing = doing, .key = "options.orders", .value = options_.orders[0], .rule = "may be given once only"});
  }
  if (options_.all_subsets && d > most_inputs_for_all_subsets) {
    throw Error(ErrorCategory::configuration, {.doing = doing,
                                               .key = "options.all_subsets",
                                               .value = "true with " + std::to_string(d) + " inputs",
                                               .rule = "is possible with at most " + std::to_string(most_inputs_for_all_subsets) + " inputs",
                                               .remedy = "name the subsets of interest in options.subsets"});
  }
  if (options_.all_subsets && !options_.subsets.empty()) {
    throw Error(ErrorCategory::configuration,
                {.doing = doing, .key = "options.subsets", .rule = "must be empty when options.all_subsets is true", .remedy = "remove one of the two"});
  }
  const std::vector<InputSubset> closed = options_.all_subsets ? proper_subsets(d) : subsets_from_names(options_.subsets, law.names(), doing);
  if (has("first")) {
    for (Index i = 0; i < d; ++i) want("first", {i}, false);
  }
  if (has("total")) {
    for (Index i = 0; i < d; ++i) want("total", {i}, true);
  }
  for (const auto& subset : closed) want("closed", subset, false);
  if (wanted_.empty()) {
    throw Error(ErrorCategory::configuration, {.doing = doing,
                                               .key = "options.orders",
                                               .value = "[]",
                                               .rule = "must not be empty when there are no subsets: no index would be computed",
                                               .remedy = "give orders = [\"first\"]"});
  }

  constexpr std::int64_t fewest_points = 20;
  const std::int64_t pilot = has_pilot() ? options_.pilot : 0;
  points_ = (options_.max_evaluations - pilot) / evaluations_per_point();
  if (points_ < fewest_points) {
    throw Error(ErrorCategory::configuration, {.doing = doing,
                                               .key = "options.max_evaluations",
                                               .value = std::to_string(options_.max_evaluations),
                                               .rule = "must pay for at least " + std::to_string(fewest_points) + " points of " +
                                                       std::to_string(evaluations_per_point()) + " model evaluations" + (pilot > 0 ? " and the pilot" : ""),
                                               .remedy = "give at least " + std::to_string(pilot + fewest_points * evaluations_per_point())});
  }
  if (options_.centring == SobolCentring::value) shift_ = options_.shift;
  if (options_.comparison != "none") {
    SobolOptions other;
    other.max_evaluations = options_.max_evaluations;
    other.orders = options_.orders;
    other.outputs = {problem_.quantities()[static_cast<std::size_t>(row_)].name};
    for (const auto& subset : closed) {
      auto& names = other.subsets.emplace_back();
      for (const Index i : subset) names.push_back(law.inputs()[static_cast<std::size_t>(i)].name);
    }
    other.level = options_.level;
    const auto position = std::find(sobol_estimator_names.begin(), sobol_estimator_names.end(), options_.comparison) - sobol_estimator_names.begin();
    other.estimator = static_cast<SobolEstimator>(position);
    comparison_ = std::make_unique<Sobol>(problem_, other, stream.child("comparison"));
  }
  if (!has_pilot()) make_kernel();
}

void SobolAiscv::want(const std::string& group, const InputSubset& inputs, bool complementary) {
  const InputSubset subset = complementary ? complement(inputs, problem_.dimension()) : inputs;
  auto found = std::find(subsets_.begin(), subsets_.end(), subset);
  if (found == subsets_.end()) found = subsets_.insert(subsets_.end(), subset);
  wanted_.push_back({group, inputs, static_cast<std::size_t>(found - subsets_.begin()), complementary});
}

void SobolAiscv::make_kernel() {
  kernel_ = std::make_unique<AiscvKernel>(std::make_shared<SobolIntegrands>(problem_, row_, subsets_, shift_),
                                          kernel_options(options_, points_, evaluations_per_point()), aiscv_stream_);
  centred_ = true;
}

void SobolAiscv::run_pilot(Context& context) {
  constexpr std::int64_t block_size = 64;
  Eigen::MatrixXd y(static_cast<Index>(problem_.quantities().size()), options_.pilot);
  for_blocks(context, options_.pilot, block_size, [&](const Block& block) {
    Eigen::MatrixXd x(problem_.dimension(), block.size());
    problem_.scenarios().front().law.sample(pilot_stream_, static_cast<std::uint64_t>(block.begin), x);
    problem_.evaluate(context, x, y.middleCols(block.begin, block.size()));
  });
  problem_.apply_events(y);
  const auto row = y.row(row_);
  const double largest = row.cwiseAbs().maxCoeff();
  shift_ = largest > 0 ? (row / largest).mean() * largest : 0.0;  // means of y / max|y| cannot overflow
}

void SobolAiscv::step(Context& context) {
  if (finished()) return;
  if (!centred_) {
    run_pilot(context);
    make_kernel();
    if (!stop_reason_.empty()) kernel_->stop(stop_reason_);
    return;
  }
  if (!kernel_->finished()) {
    kernel_->step(context);
    append_convergence();
    return;
  }
  comparison_->step(context);
}

bool SobolAiscv::finished() const { return centred_ && kernel_->finished() && (!comparison_ || comparison_->finished() || !variance_known(kernel_->result())); }

void SobolAiscv::stop(const std::string& reason) {
  if (stop_reason_.empty()) stop_reason_ = reason;
  if (kernel_) kernel_->stop(reason);
  if (comparison_) comparison_->stop(reason);
}

bool SobolAiscv::estimates_known() const { return centred_ && kernel_->result().points >= 2; }

std::vector<SobolIndex> SobolAiscv::indices(const AiscvResult& expectations, Eigen::MatrixXd* covariance) const {
  const auto count = static_cast<Index>(subsets_.size());
  const double mean = expectations.estimates[static_cast<std::size_t>(count)].estimate.value;
  const double variance = expectations.estimates[static_cast<std::size_t>(count) + 1].estimate.value - mean * mean;
  const auto wanted = static_cast<Index>(wanted_.size());
  // S = (I_u − m²)/V with V = q − m²: ∂S/∂I_u = 1/V, ∂S/∂m = −2 m (1 − S)/V, ∂S/∂q = −S/V. Rows are scaled by the
  // size of the expectations before the product, since those of outputs far from one in size would overflow.
  Eigen::MatrixXd gradient = Eigen::MatrixXd::Zero(wanted, count + 2);
  Eigen::VectorXd value(wanted);
  for (Index i = 0; i < wanted; ++i) {
    const Wanted& w = wanted_[static_cast<std::size_t>(i)];
    const double s = (expectations.estimates[w.subset].estimate.value - mean * mean) / variance;
    const double sign = w.complementary ? -1.0 : 1.0;
    value(i) = w.complementary ? 1 - s : s;
    gradient(i, static_cast<Index>(w.subset)) = sign / variance;
    gradient(i, count) = -2 * sign * mean * (1 - s) / variance;
    gradient(i, count + 1) = -sign * s / variance;
  }
  const Eigen::VectorXd scale = expectations.covariance.diagonal().cwiseSqrt().unaryExpr([](double x) { return x > 0 ? x : 1.0; });
  const Eigen::MatrixXd correlation = scale.cwiseInverse().asDiagonal() * expectations.covariance * scale.cwiseInverse().asDiagonal();
  gradient = gradient * scale.asDiagonal();
  const Eigen::MatrixXd joint = gradient * correlation * gradient.transpose();
  const bool known = variance_known(expectations);
  if (covariance != nullptr) *covariance = known ? joint : Eigen::MatrixXd::Constant(wanted, wanted, nan);

  const auto& inputs = problem_.scenarios().front().law.inputs();
  std::vector<SobolIndex> all;
  for (Index i = 0; i < wanted; ++i) {
    const Wanted& w = wanted_[static_cast<std::size_t>(i)];
    SobolIndex index;
    index.group = w.group;
    index.output = problem_.quantities()[static_cast<std::size_t>(row_)].name;
    for (const Index input : w.inputs) index.inputs.push_back(inputs[static_cast<std::size_t>(input)].name);
    index.name = index_name(w.group, {}, index.inputs);
    if (known) {
      const double std_error = std::isnan(joint(i, i)) ? joint(i, i) : std::sqrt(std::max(0.0, joint(i, i)));
      index.estimate = normal_estimate(value(i), std_error, static_cast<double>(expectations.points), options_.level);
      index.note = index_note(index.estimate);
    } else {
      index.estimate = normal_estimate(nan, nan);
      index.note = "the variance of the output cannot be told from zero";
    }
    all.push_back(std::move(index));
  }
  return all;
}

bool SobolAiscv::variance_known(const AiscvResult& expectations) const {
  const auto count = subsets_.size();
  const double mean = expectations.estimates[count].estimate.value;
  const double square = expectations.estimates[count + 1].estimate.value;
  const auto m = static_cast<Index>(count), q = m + 1;
  const Eigen::MatrixXd& c = expectations.covariance;
  // Standard error of q − m²: without any variance of the output the difference is noise of this size.
  const double noise = std::sqrt(std::max(0.0, c(q, q) - 4 * mean * c(m, q) + 4 * mean * mean * c(m, m)));
  return square - mean * mean > std::max(4 * noise, 1e-13 * (square + shift_ * shift_));
}

void SobolAiscv::append_convergence() {
  if (!estimates_known()) return;
  const std::vector<SobolIndex> now = indices(kernel_->result(), nullptr);
  const Index row = convergence_.rows();
  convergence_.conservativeResize(row + 1, 1 + 2 * static_cast<Index>(now.size()));
  convergence_(row, 0) = static_cast<double>(own_evaluations());
  for (std::size_t i = 0; i < now.size(); ++i) {
    convergence_(row, 1 + 2 * static_cast<Index>(i)) = now[i].estimate.value;
    convergence_(row, 2 + 2 * static_cast<Index>(i)) = now[i].estimate.std_error;
  }
}

std::int64_t SobolAiscv::own_evaluations() const { return centred_ ? (has_pilot() ? options_.pilot : 0) + kernel_->result().evaluations : 0; }

MemoryNeed SobolAiscv::memory_need() const {
  MemoryNeed need = aiscv_memory_need(SobolIntegrands(problem_, row_, subsets_, shift_), kernel_options(options_, points_, evaluations_per_point()));
  need.amount = options_.max_evaluations;
  return need;
}

SobolAiscvResult SobolAiscv::result() const {
  SobolAiscvResult r;
  r.shift = shift_;
  r.stop_reason = stop_reason_;
  r.evaluations = own_evaluations();
  if (centred_) {
    r.expectations = kernel_->result();
    if (stop_reason_.empty()) r.stop_reason = r.expectations.stop_reason;
  }
  if (estimates_known()) r.indices = indices(r.expectations, &r.covariance);
  if (comparison_) {
    r.comparison = comparison_->result();
    r.evaluations += r.comparison.evaluations;
  }
  return r;
}

Progress SobolAiscv::progress() const {
  Progress p{.phase = "pilot", .name = {}, .current = {}};
  if (!centred_) return p;
  p = kernel_->progress();
  p.evaluations = own_evaluations();
  p.name.clear();
  p.current.reset();
  if (estimates_known()) {
    const SobolIndex shown = indices(kernel_->result(), nullptr).front();
    p.name = shown.name;
    p.current = shown.estimate;
  }
  if (comparison_) {
    const Progress other = comparison_->progress();
    p.evaluations += other.evaluations;
    p.fraction = finished() ? 1.0 : 0.5 * (p.fraction + other.fraction);
    if (kernel_->finished()) p.phase = "comparison";
  }
  return p;
}

Outcome SobolAiscv::outcome() const {
  const SobolAiscvResult r = result();
  Outcome o;
  if (centred_) {
    Outcome inner = kernel_->outcome();
    o.diagnostics = std::move(inner.diagnostics);
    o.warnings = std::move(inner.warnings);
    for (auto& table : inner.tables) {
      if (table.name != "convergence") o.tables.push_back(std::move(table));
    }
  }
  o.estimates = named_estimates(r.indices);
  o.covariance = r.covariance;
  o.evaluations = r.evaluations;
  o.stop_reason = r.stop_reason;
  o.diagnostics.push_back({"evaluations_per_point", evaluations_per_point(), "model evaluations that one point of the sample costs"});
  o.diagnostics.push_back({"shift", r.shift, "number subtracted from the output before products were formed"});
  if (r.indices.empty()) return o;

  const auto& expectations = r.expectations.estimates;
  const std::size_t count = subsets_.size();
  const double mean = expectations[count].estimate.value;
  o.diagnostics.push_back({"mean", mean + r.shift, "mean of the output"});
  o.diagnostics.push_back({"variance", expectations[count + 1].estimate.value - mean * mean, "variance of the output, of which the indices are shares"});

  Table sums{.name = "expectations", .title = "Expectations that the indices are made from", .columns = {"value", "std_error"}, .rows = {}, .row_labels = {}};
  sums.rows.resize(static_cast<Index>(expectations.size()), 2);
  for (std::size_t j = 0; j < expectations.size(); ++j) {
    sums.row_labels.push_back(expectations[j].name);
    sums.rows.row(static_cast<Index>(j)) << expectations[j].estimate.value, expectations[j].estimate.std_error;
  }
  o.tables.push_back(std::move(sums));

  if (!variance_known(r.expectations)) {
    o.warnings.push_back(
        r.indices.front().output +
        ": the variance of the output cannot be told from zero (less than 4 of its standard errors), so no index is known: an index is a share of the "
        "variance. Check that the output depends on the inputs; if it does, " +
        (has_pilot() ? "raise max_evaluations" : "set centring = \"pilot\", raise max_evaluations") + ", or use method sobol, which centres every output" +
        (comparison_ ? "; the comparison was not run" : ""));
    return o;
  }
  Table convergence{
      .name = "convergence", .title = "Estimates while the final sample grows", .columns = {"evaluations"}, .rows = convergence_, .row_labels = {}};
  for (const auto& index : r.indices) {
    convergence.columns.push_back(index.name);
    convergence.columns.push_back(index.name + ".std_error");
  }
  o.tables.push_back(std::move(convergence));

  if (!r.comparison.indices.empty()) {
    Table beside{.name = "comparison",
                 .title = "Beside the classical estimator " + options_.comparison + " at " + std::to_string(r.comparison.evaluations) + " model evaluations",
                 .columns = {"sobol_aiscv", "sobol_aiscv.std_error", options_.comparison, options_.comparison + ".std_error"},
                 .rows = {},
                 .row_labels = {}};
    beside.rows.resize(static_cast<Index>(r.indices.size()), 4);
    for (std::size_t i = 0; i < r.indices.size(); ++i) {
      const auto same =
          std::find_if(r.comparison.indices.begin(), r.comparison.indices.end(), [&](const SobolIndex& s) { return s.name == r.indices[i].name; });
      beside.row_labels.push_back(r.indices[i].name);
      beside.rows.row(static_cast<Index>(i)) << r.indices[i].estimate.value, r.indices[i].estimate.std_error, same->estimate.value, same->estimate.std_error;
    }
    o.tables.push_back(std::move(beside));
  }
  return o;
}

void SobolAiscv::describe_state(Archive& archive) {
  bool centred = centred_;
  archive.item("centred", centred);
  archive.item("shift", shift_);
  if (archive.loading() && centred && !kernel_) make_kernel();
  centred_ = centred;
  if (centred) archive.item("aiscv", *kernel_);
  if (comparison_) archive.item("comparison", *comparison_);
  archive.item("stop_reason", stop_reason_);
  archive.item("convergence", convergence_);
}

SobolAiscvResult sobol_aiscv(const Problem& problem, const SobolAiscvOptions& options, const Stream& stream, Context& context) {
  SobolAiscv method(problem, options, stream);
  run_to_end(method, context);
  return method.result();
}

}  // namespace buffon
