// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/archive.hpp>
#include <buffon/core/check_options.hpp>
#include <buffon/core/constants.hpp>
#include <buffon/core/error.hpp>
#include <buffon/parallel/blocks.hpp>
#include <buffon/samplers/chains.hpp>
#include <buffon/stats/accumulators.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "chain_outcome.hpp"
#include "chain_starts.hpp"
#include "warmup.hpp"

namespace buffon {
namespace {

using constants::nan;

/// Transitions of a round at most, and a multiple of the transitions whose random numbers are made at once.
constexpr std::int64_t round_length = 64;

/// Behind the stored values of a draw: log density, evaluations, stuck updates, NaN densities since the draw before.
constexpr std::int64_t sampler_columns = 4;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Numbers of which the last ones are of the round in progress.
struct Series {
  std::vector<double> numbers;
  std::size_t before = 0;  ///< of them, those of earlier rounds

  void begin_round() { before = numbers.size(); }
  /// The numbers of the round alone.
  void describe_round(std::string_view name, Archive& archive) {
    std::vector<double> fresh;
    if (!archive.loading()) fresh.assign(numbers.begin() + static_cast<std::ptrdiff_t>(before), numbers.end());
    archive.item(name, fresh);
    if (archive.loading()) numbers.insert(numbers.end(), fresh.begin(), fresh.end());
  }
};

/// One chain with all that it holds.
struct Chain {
  std::unique_ptr<SliceKernel> kernel;
  SliceCounts warmup;          ///< when the warm-up ended
  SliceCounts marked;          ///< at the last stored draw
  double sum = 0;              ///< of the first stored value, over the draws
  Series pool;                 ///< points of the second half of the stage
  Series draws, warmup_draws;  ///< rows

  /// What a round changes: enough for a process that did not do it.
  void describe_round(Archive& archive) {
    kernel->describe_position(archive);
    archive.item("marked", marked);
    archive.item("sum", sum);
    pool.describe_round("pool", archive);
    draws.describe_round("draws", archive);
    warmup_draws.describe_round("warmup_draws", archive);
  }
  void describe_state(Archive& archive) {
    kernel->describe_position(archive);
    archive.item("warmup", warmup);
    archive.item("marked", marked);
    archive.item("sum", sum);
    archive.item("pool", pool.numbers);
    archive.item("draws", draws.numbers);
    archive.item("warmup_draws", warmup_draws.numbers);
  }
};

/// The same error with the chain's number. Errors of models keep their point.
[[noreturn]] void rethrow_of_chain(std::int64_t chain, const std::string& method) {
  try {
    throw;
  } catch (const Error& error) {
    if (error.category() != ErrorCategory::numeric && error.category() != ErrorCategory::configuration) throw;
    if (dynamic_cast<const ModelError*>(&error) != nullptr) throw;
    ErrorText text = error.text();
    text.doing += ", chain " + std::to_string(chain + 1) + " of " + method;
    throw Error(error.category(), std::move(text));
  }
}

}  // namespace

void describe(OptionVisitor& v, ChainOptions& o) {
  static constexpr std::array<std::string_view, 5> words = {"none", "centre", "diagonal", "covariance", "robust"};
  v.on({.name = "chains", .meaning = "Chains, run in parallel; 4 or more make R-hat tell something.", .unit = "chains", .range = between(1, 100000)}, o.chains);
  v.on({.name = "warmup",
        .meaning = "Transitions of every chain before the draws, which tune the sampler and are discarded.",
        .unit = "transitions",
        .range = between(0, 1e9)},
       o.warmup);
  v.on({.name = "draws",
        .meaning = "Stored draws of every chain, at most where target_ess is given; diagnostics need 12.",
        .unit = "draws",
        .range = between(1, 1e9)},
       o.draws);
  v.on({.name = "thin", .meaning = "Transitions per stored draw.", .unit = "transitions", .range = between(1, 1e9)}, o.thin);
  v.on({.name = "save_warmup", .meaning = "Whether draws of the warm-up are kept too (every thin-th)."}, o.save_warmup);
  v.on({.name = "tuning",
        .meaning = "What the warm-up learns of the target: its centre, standard deviations, covariance; robust takes median and median deviation."},
       o.tuning, words);
  v.on({.name = "target_ess",
        .meaning = "Ends when bulk and tail effective sizes of every stored quantity reach this and R-hat is at most max_rhat.",
        .unit = "effective draws",
        .range = positive()},
       o.target_ess);
  v.on({.name = "max_rhat", .meaning = "Largest R-hat at which target_ess may end the run.", .range = {.min = 1, .open_min = true}}, o.max_rhat);
  v.on({.name = "level", .meaning = "Confidence level of the intervals of posterior means (Monte Carlo error).", .range = strictly_between(0, 1)}, o.level);
}

struct Chains::State {
  std::string name;
  std::shared_ptr<const Target> target;
  ChainOptions options;
  KernelMaker maker;
  Stream stream;

  std::int64_t width = 0;  ///< of a row
  Tuning tuning = Tuning::none;

  bool started = false;
  std::int64_t done = 0;    ///< transitions of every chain
  std::int64_t warmup = 0;  ///< of them, how many belong to the warm-up
  std::int64_t last = 0;    ///< transitions of every chain when all is done
  std::int64_t next_check = 0;
  bool reached = false;  ///< the targets
  std::string asked;     ///< why somebody asked to stop; empty = nobody did
  LearntFrame learnt;
  bool framed = false;  ///< the kernels work in the learnt frame
  std::vector<Chain> chains;

  State(std::string name_, std::shared_ptr<const Target> target_, const ChainOptions& options_, KernelMaker maker_, const Stream& stream_)
      : name(std::move(name_)), target(std::move(target_)), options(options_), maker(std::move(maker_)), stream(stream_.child(name)) {
    check_options(name, options);
    check_starts(*target, options.chains, name);
    const std::unique_ptr<SliceKernel> first = maker(target->unconstrained());  // refuses options of its own
    check_sphere(first->on_sphere());
    tuning = first->tunable() ? options.tuning : Tuning::none;
    width = static_cast<std::int64_t>(target->names().size()) + sampler_columns;
    learnt.frame = first->frame();
    warmup = options.warmup;
    last = warmup + options.draws * options.thin;
    next_check = 50;
  }

  void check_sphere(bool kernel_on_sphere) const {
    if (kernel_on_sphere == target->on_sphere()) return;
    const std::string parameter = "parameter " + target->parameters().front().name;
    throw Error(ErrorCategory::configuration,
                {.doing = "setting up the chains of " + name,
                 .key = "method",
                 .value = name,
                 .rule = kernel_on_sphere ? "draws unit vectors, and " + parameter + " is none"
                                          : "does not stay on the sphere, where the unit vector " + parameter + " lies",
                 .remedy = kernel_on_sphere ? "give the one parameter constraint = \"unit_vector\", or take polar_slice" : "take geodesic_slice"});
  }

  bool sampling() const { return done >= warmup; }
  std::int64_t stored() const { return sampling() ? (done - warmup) / options.thin : 0; }
  std::int64_t block_size() const { return std::max<std::int64_t>(1, options.chains / 64); }

  void make_kernels() {
    chains.resize(static_cast<std::size_t>(options.chains));
    for (Chain& chain : chains) chain.kernel = maker(target->unconstrained());
  }

  void for_chains(Context& context, const std::function<void(std::int64_t)>& body) {
    const auto block_of = [&](std::int64_t block, auto&& visit) {
      const std::int64_t size = block_size(), end = std::min(options.chains, (block + 1) * size);
      for (std::int64_t c = block * size; c < end; ++c) visit(c);
    };
    for_shared_blocks(
        context, options.chains, block_size(), Needed::everywhere, [&](const Block& b) { block_of(b.index, body); },
        [&](std::int64_t block, Archive& archive) { block_of(block, [&](std::int64_t c) { chains[static_cast<std::size_t>(c)].describe_round(archive); }); });
  }

  void start(Context& context) {
    make_kernels();
    for_chains(context, [&](std::int64_t c) {
      SliceKernel& kernel = *chains[static_cast<std::size_t>(c)].kernel;
      const ChainStart found = find_start(*target, c, stream.peek("start", static_cast<std::uint64_t>(c)), name, context.stop_token());
      try {
        kernel.start(found.point, found.log_density, found.spent);
      } catch (...) {
        rethrow_of_chain(c, name);
      }
      context.add_evaluations(found.spent.evaluations);
    });
    started = true;
    if (done == warmup) begin_sampling();
  }

  /// One row.
  void store(Chain& chain, std::vector<double>& row, Eigen::VectorXd& values, const std::stop_token& stop) const {
    target->stored(chain.kernel->point(), values, stop);
    const SliceCounts& now = chain.kernel->counts();
    row.insert(row.end(), values.data(), values.data() + values.size());
    row.push_back(chain.kernel->log_density());
    row.push_back(static_cast<double>(now.evaluations - chain.marked.evaluations));
    row.push_back(static_cast<double>(now.stuck - chain.marked.stuck));
    row.push_back(static_cast<double>(now.undefined - chain.marked.undefined));
    chain.marked = now;
  }

  void run_chain(std::int64_t c, std::int64_t end, const std::optional<WarmupStage>& stage, Context& context) {
    Chain& chain = chains[static_cast<std::size_t>(c)];
    SliceKernel& kernel = *chain.kernel;
    kernel.set_stop(context.stop_token());
    kernel.refresh();
    for (Series* series : {&chain.pool, &chain.draws, &chain.warmup_draws}) series->begin_round();
    const std::int64_t evaluations = kernel.counts().evaluations;
    ItemDraws numbers(stream.peek("chain", static_cast<std::uint64_t>(c)), kernel.normals());
    Eigen::VectorXd values(width - sampler_columns);
    try {
      for (std::int64_t t = done; t < end; ++t) {
        numbers.begin(static_cast<std::uint64_t>(t));
        kernel.step(numbers);
        if (stage) {
          if (tuning != Tuning::none && stage->keeps(t)) {
            chain.pool.numbers.insert(chain.pool.numbers.end(), kernel.point().data(), kernel.point().data() + kernel.point().size());
          }
          if (options.save_warmup && (t + 1) % options.thin == 0) store(chain, chain.warmup_draws.numbers, values, context.stop_token());
        } else if ((t + 1 - warmup) % options.thin == 0) {
          store(chain, chain.draws.numbers, values, context.stop_token());
          chain.sum += values(0);
        }
      }
    } catch (...) {
      rethrow_of_chain(c, name);
    }
    context.add_evaluations(kernel.counts().evaluations - evaluations);
  }

  void step(Context& context) {
    if (!started) return start(context);
    std::optional<WarmupStage> stage;
    if (!sampling()) stage = warmup_stage(done, warmup, options.chains, target->dimension());
    const std::int64_t end = std::min(stage ? stage->end : last, (done / round_length + 1) * round_length);
    for_chains(context, [&](std::int64_t c) { run_chain(c, end, stage, context); });
    done = end;
    if (stage && done == stage->end) tune(context);
    if (stage && done == warmup) begin_sampling();
    if (!stage && options.target_ess && (stored() >= next_check || done == last)) check_targets();
  }

  /// A frame from the points of the stage that ends, chain after chain.
  void tune(Context& context) {
    if (tuning == Tuning::none) return;
    const Index d = target->dimension();
    std::size_t numbers = 0;
    for (const Chain& chain : chains) numbers += chain.pool.numbers.size();
    Eigen::MatrixXd points(d, static_cast<Index>(numbers) / d);
    double* out = points.data();
    for (Chain& chain : chains) {
      out = std::copy(chain.pool.numbers.begin(), chain.pool.numbers.end(), out);
      chain.pool = {};
    }
    learnt = learn_frame(context, tuning, points, options.chains);
    Eigen::MatrixXd current(d, options.chains);
    for (std::int64_t c = 0; c < options.chains; ++c) current.col(c) = chains[static_cast<std::size_t>(c)].kernel->point();
    learnt.frame = keep_off(learnt.frame, current);
    framed = true;
    set_frames();
  }

  void set_frames() {
    for (Chain& chain : chains) {
      if (framed) {
        chain.kernel->set_frame(learnt.frame);
      } else {
        chain.kernel->refresh();
      }
    }
  }

  void begin_sampling() {
    for (Chain& chain : chains) {
      chain.warmup = chain.marked = chain.kernel->counts();
      chain.pool = {};
    }
  }

  void check_targets() {
    const std::int64_t n = stored();
    next_check = std::max(n + 1, n + n / 4);
    Eigen::MatrixXd column(n, options.chains);
    for (std::int64_t j = 0; j < width - sampler_columns; ++j) {
      for (std::int64_t c = 0; c < options.chains; ++c) {
        const std::vector<double>& rows = chains[static_cast<std::size_t>(c)].draws.numbers;
        for (std::int64_t i = 0; i < n; ++i) column(i, c) = rows[static_cast<std::size_t>(i * width + j)];
      }
      // NaN, of a quantity that was equal in all draws, is not enough.
      if (!(ess_bulk(column) >= *options.target_ess && ess_tail(column) >= *options.target_ess && split_rhat(column) <= options.max_rhat)) return;
    }
    reached = true;
    last = done;
  }

  void stop(const std::string& reason) {
    if (started && done >= last) return;
    asked = reason;
    if (sampling() && stored() > 0) {
      last = done;
      return;
    }
    // Draws of one full round, and one at least, from where the chains are.
    if (!sampling()) {
      warmup = done;
      if (started) begin_sampling();
    }
    last = std::min(warmup + options.draws * options.thin, done + std::max(round_length, options.thin));
  }

  std::string stop_reason() const {
    if (!asked.empty()) return asked;
    if (!started || done < last) return "";
    if (reached) return "every quantity reached an effective size of " + to_text(*options.target_ess) + " with R-hat at most " + to_text(options.max_rhat);
    return options.target_ess ? "all draws were made before the target was reached" : "all draws were made";
  }

  SliceCounts counts() const {
    SliceCounts sum;
    for (const Chain& chain : chains) sum.add(chain.kernel->counts());
    return sum;
  }

  ChainTable table(const std::vector<double>& rows) const {
    const Index n = static_cast<Index>(rows.size()) / width, values = width - sampler_columns;
    const Eigen::Map<const RowMajor> all(rows.data(), n, width);
    ChainTable made;
    made.values = all.leftCols(values);
    made.sampler.resize(n, sampler_columns + 1);
    made.sampler.col(0) = all.col(values);
    made.sampler.col(1).setOnes();
    made.sampler.rightCols(sampler_columns - 1) = all.rightCols(sampler_columns - 1);
    return made;
  }
};

Chains::Chains(std::string name, std::shared_ptr<const Target> target, const ChainOptions& options, KernelMaker maker, const Stream& stream)
    : state_(std::make_unique<State>(std::move(name), std::move(target), options, std::move(maker), stream)) {}

Chains::~Chains() = default;

void Chains::step(Context& context) { state_->step(context); }
bool Chains::finished() const { return state_->started && state_->done >= state_->last; }
void Chains::stop(const std::string& reason) { state_->stop(reason); }

Progress Chains::progress() const {
  const State& s = *state_;
  Progress p;
  p.fraction = static_cast<double>(s.done) / static_cast<double>(s.last);
  p.evaluations = s.counts().evaluations;
  p.warming_up = !s.started || !s.sampling();
  if (!s.started) {
    p.phase = "starting";
    return p;
  }
  if (!s.sampling()) {
    p.phase = "warm-up, stage " + std::to_string(warmup_stage(s.done, s.warmup, s.options.chains, s.target->dimension()).index + 1) + " of " +
              std::to_string(warmup_stages);
    return p;
  }
  p.phase = "sampling";
  const std::int64_t n = s.stored();
  if (n == 0) return p;
  p.name = s.target->names().front();
  Moments means;  // of the chains, which are independent
  for (const Chain& chain : s.chains) means.add(chain.sum / static_cast<double>(n));
  p.current = normal_estimate(means.mean(), means.std_error(), 0, s.options.level);
  return p;
}

ChainResult Chains::result() const {
  const State& s = *state_;
  ChainResult r;
  r.stop_reason = s.stop_reason();
  r.frame = s.learnt.frame;
  r.tuned = s.learnt.tuned;
  r.tuning_note = s.learnt.note;
  ChainDraws& d = r.draws;
  for (const Parameter& p : s.target->variables()) d.variables.push_back({p.name, p.size});
  d.names = s.target->names();
  d.sampler_names = {"lp__", "accept_stat__", "n_eval__", "stuck__", "undefined__"};
  d.thin = s.options.thin;
  d.warmup_length = s.warmup;
  for (std::int64_t c = 0; c < s.options.chains; ++c) {
    if (!s.started) {
      d.chains.push_back(s.table({}));
      continue;
    }
    const Chain& chain = s.chains[static_cast<std::size_t>(c)];
    d.chains.push_back(s.table(chain.draws.numbers));
    if (s.options.save_warmup) d.warmup.push_back(s.table(chain.warmup_draws.numbers));
    SliceCounts sampling = chain.kernel->counts();
    if (s.sampling()) {
      sampling.subtract(chain.warmup);
      r.warmup.add(chain.warmup);
    } else {
      r.warmup.add(sampling);
      sampling = {};
    }
    r.sampling.add(sampling);
    r.sampling_of_chains.push_back(sampling);
  }
  if (s.stored() > 0) {
    r.summary = summarise(d);
    r.verdict = diagnose(d, r.summary);
  } else {
    for (const std::string& name : d.names) r.summary.push_back({name, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan});
    r.verdict = {{"There are no draws."}, "There are no draws."};
  }
  return r;
}

Outcome Chains::outcome() const { return chain_outcome(result(), state_->options); }

MemoryNeed Chains::memory_need() const {
  const State& s = *state_;
  const auto chains = static_cast<double>(s.options.chains), width = static_cast<double>(s.width), d = static_cast<double>(s.target->dimension());
  const auto draws = static_cast<double>(s.options.draws + (s.options.save_warmup ? s.options.warmup / s.options.thin : 0));
  // Rows with spare room (2), as matrices (1) and in a checkpoint (1); per chain the kernel with its frame. The points of the longest
  // stage, twice.
  const double points =
      s.tuning == Tuning::none || s.warmup == 0
          ? 0
          : chains * static_cast<double>(warmup_stage(s.options.warmup - 1, s.options.warmup, s.options.chains, s.target->dimension()).kept());
  const double frame = s.tuning == Tuning::covariance && points >= 2 * d ? d * d : 0;
  return {.amount = s.options.draws,
          .bytes = sizeof(double) * (chains * (4 * draws * width + frame + 32 * d) + 2 * points * d),
          .option = "draws",
          .remedy = "a larger options.thin, or fewer options.chains"};
}

void Chains::describe_state(Archive& archive) {
  State& s = *state_;
  archive.item("started", s.started);
  archive.item("done", s.done);
  archive.item("warmup", s.warmup);
  archive.item("last", s.last);
  archive.item("next_check", s.next_check);
  archive.item("reached", s.reached);
  archive.item("asked", s.asked);
  archive.item("framed", s.framed);
  archive.item("frame", s.learnt.frame);
  archive.item("tuned", s.learnt.tuned);
  archive.item("tuning_note", s.learnt.note);
  if (!s.started) return;
  if (archive.loading()) s.make_kernels();
  for (Chain& chain : s.chains) archive.item("chain", chain);
  if (archive.loading()) s.set_frames();
}

}  // namespace buffon
