// SPDX-License-Identifier: BSD-3-Clause
#include "sections.hpp"

#include <buffon/model/denoiser_kind.hpp>
#include <buffon/model/marginal.hpp>
#include <buffon/model/model_kind.hpp>
#include <buffon/model/nested_kind.hpp>
#include <buffon/model/target_kind.hpp>

#include <algorithm>
#include <array>

namespace buffon {

void describe(OptionVisitor& v, RunSettings& o) {
  v.on({.name = "threads", .meaning = "worker threads, 0 = every CPU that the process may use", .range = between(0, 4096)}, o.threads);
  v.on({.name = "max_seconds", .meaning = "end orderly at the first round boundary after this time, 0 = no limit", .unit = "seconds", .range = at_least(0)},
       o.max_seconds);
  v.on({.name = "checkpoint_seconds",
        .meaning = "write a checkpoint at the first round boundary after this time since the last one",
        .unit = "seconds",
        .range = at_least(0)},
       o.checkpoint_seconds);
  v.on({.name = "report", .meaning = "write report.html"}, o.report);
  v.on({.name = "save_draws", .meaning = "write the tables of draws and weights as .npy and CSV"}, o.save_draws);
  static constexpr std::array<std::string_view, 3> draws = {"csv", "npy", "netcdf"};
  v.on({.name = "draws",
        .meaning = "files of the draws of samplers: csv (as CmdStan writes it; with more than 100 chains only when it is the only one), npy, netcdf (ArviZ "
                   "InferenceData); [] = none",
        .choices = draws},
       o.draws.kinds);
  v.on({.name = "sig_figs", .meaning = "significant digits of csv; 17 give back every bit", .range = between(1, 18)}, o.draws.sig_figs);
  v.on({.name = "shard", .meaning = "\"k/K\": do part k of K of the run, to be joined by `buffon merge`; empty = the whole run (short form: --shard k/K)"},
       o.shard);
}

void describe(OptionVisitor& v, DerivedQuantity& o) {
  v.on({.name = "name", .meaning = "name of the derived quantity: letters, digits and _, not a digit first", .required = true}, o.name);
  v.on({.name = "value", .meaning = "expression of the estimates; in their names every character but letters, digits and _ is written as _", .required = true},
       o.expression);
}

namespace config {

void describe(OptionVisitor& v, JobHead& o) {
  v.on({.name = "method", .meaning = "the method that answers the question", .choices = o.methods, .required = true}, o.method);
  v.on({.name = "seed", .meaning = "start of all random numbers: the same seed gives the same numbers", .range = at_least(0), .required = true}, o.seed);
  v.on({.name = "title", .meaning = "heading of the report"}, o.title);
}

void describe_kind(OptionVisitor& v, ModelSection& o) {
  v.on({.name = "kind", .meaning = "how the model is given", .choices = o.kinds, .required = true}, o.kind);
}

void describe(OptionVisitor& v, ModelSection& o) {
  static constexpr std::array<std::string_view, 3> actions = {"stop", "retry", "replace"};
  describe_kind(v, o);
  v.on({.name = "on_failure", .meaning = "what happens when the model fails at a point or returns a number that is not finite"}, o.policy.action, actions);
  v.on({.name = "retries", .meaning = "for on_failure = \"retry\": attempts after the first, then the run stops", .range = between(1, 1000)}, o.policy.retries);
  v.on({.name = "replacement", .meaning = "for on_failure = \"replace\": value of every output at the point; it biases the result"}, o.policy.replacement);
  v.on({.name = "journal", .meaning = "remember evaluations on disk so that a resumed run does not repeat them; the default is true for process and umbridge"},
       o.journal);
}

void describe(OptionVisitor& v, InputSection& o) {
  v.on({.name = "name", .meaning = "name of the input: letters, digits and _, not a digit first", .required = true}, o.name);
  v.on({.name = "law", .meaning = "family of its law; the parameters of the family are keys beside it", .choices = o.laws, .required = true}, o.law);
}

void describe(OptionVisitor& v, CorrelationSection& o) {
  v.on({.name = "between", .meaning = "names of the two inputs", .required = true, .size_min = 2, .size_max = 2}, o.between);
  v.on({.name = "value", .meaning = "correlation of their normal scores (Gaussian copula)", .range = strictly_between(-1, 1), .required = true}, o.value);
}

void describe(OptionVisitor& v, QuantitySection& o) {
  v.on({.name = "name", .meaning = "name of the quantity: letters, digits and _, not a digit first", .required = true}, o.name);
  v.on({.name = "value", .meaning = "its value: an expression of inputs and outputs, or of the parameters of a density; either value or event"}, o.value);
  v.on({.name = "event", .meaning = "asks for the probability that this expression is greater than 0; either value or event"}, o.event);
}

void describe(OptionVisitor& v, ScenarioSection& o) {
  v.on({.name = "name", .meaning = "name of the scenario: letters, digits and _, not a digit first", .required = true}, o.name);
}

void describe(OptionVisitor& v, NestedSection& o) {
  v.on({.name = "kind", .meaning = "how the nested problem is given", .choices = o.kinds, .required = true}, o.kind);
}

void describe(OptionVisitor& v, StageSection& o) {
  v.on({.name = "link",
        .meaning = "g_d: an expression of the variables of this and earlier stages and, but in the last stage, of z, the value of the stages below",
        .required = true},
       o.link);
}

void describe(OptionVisitor& v, DensitySection& o) {
  static constexpr std::array<std::string_view, 2> actions = {"stop", "reject"};
  v.on({.name = "kind", .meaning = "how the density is given", .choices = o.kinds, .required = true}, o.kind);
  v.on({.name = "on_failure",
        .meaning = "what happens where a program, library or server fails at a point: stop the run, or take the point as outside the support and count it"},
       o.on_failure, actions);
}

void describe(OptionVisitor& v, ParameterSection& o) {
  v.on({.name = "name", .meaning = "name of the parameter: letters, digits and _, not a digit first, not __ at the end", .required = true}, o.name);
  v.on({.name = "size", .meaning = "K: a vector NAME.1 … NAME.K, in expressions NAME_1 … NAME_K; 0 = a single number NAME", .range = between(0, 1e6)}, o.size);
  v.on({.name = "constraint", .meaning = "where it lies; samplers work on the whole line, the density there has the Jacobian of the transform"}, o.constraint,
       constraint_names());
  v.on({.name = "lower", .meaning = "bound, for the constraints lower and interval; never reached"}, o.lower);
  v.on({.name = "upper", .meaning = "bound, for the constraints upper and interval; never reached"}, o.upper);
}

void describe(OptionVisitor& v, StartSection& o) {
  static constexpr std::array<std::string_view, 3> kinds = {"overdispersed", "given", "law"};
  v.on({.name = "kind", .meaning = "where chains begin: spread over the unconstrained scale, at given points, or drawn from laws"}, o.kind, kinds);
  v.on({.name = "radius", .meaning = "for overdispersed: uniform on (-radius, radius) in every direction of the unconstrained scale", .range = positive()},
       o.radius);
  v.on({.name = "retries", .meaning = "for overdispersed and law: draws again until the density is finite, at most so often", .range = between(0, 1e6)},
       o.retries);
}

void describe(OptionVisitor& v, DenoiserSection& o) {
  v.on({.name = "kind", .meaning = "how the model is given", .choices = o.kinds, .required = true}, o.kind);
  v.on({.name = "label", .meaning = "class of all samples, -1 = none", .range = at_least(-1)}, o.label);
  v.on({.name = "labels", .meaning = "classes of the samples, taken in turn; in the place of label", .range = at_least(-1)}, o.labels);
  v.on({.name = "guidance",
        .meaning = "factor g on the difference that the class makes: answer without class + g (answer with class - answer without); twice the columns a call"},
       o.guidance);
  v.on({.name = "guidance_from", .meaning = "guide only at times of the schedule not below this"}, o.guidance_from);
  v.on({.name = "guidance_to", .meaning = "guide only at times of the schedule not above this"}, o.guidance_to);
  v.on({.name = "threshold", .meaning = "dynamic thresholding of data in [-1, 1] at this quantile of their absolute values", .range = {0, 1, true, false}},
       o.threshold);
}

void describe(OptionVisitor& v, ScheduleSection& o) {
  v.on({.name = "kind", .meaning = "how noise grows with time", .choices = o.kinds, .required = true}, o.kind);
  v.on({.name = "shift", .meaning = "lowers log(alpha / sigma) by the logarithm of this: the resolution shift of flow models", .range = positive()}, o.shift);
  v.on({.name = "grid_file", .meaning = "file with the nodes, one log(alpha / sigma) a line, as a schedule search writes it; in the place of options.steps"},
       o.grid_file);
}

const std::vector<SectionText>& section_texts() {
  static const std::vector<SubjectKind> problem = {SubjectKind::problem}, nested = {SubjectKind::nested}, target = {SubjectKind::target},
                                        data = {SubjectKind::data}, diffusion = {SubjectKind::diffusion}, drawn = {SubjectKind::problem, SubjectKind::target};
  static const std::vector<SectionText> texts = {
      {"", "The top level: which method, which random numbers."},
      {"model", "The function of the inputs. Every kind of model has keys of its own beside those of the section.", problem},
      {"inputs", "One [[inputs]] for every input, in the order of the model. Left out: those of the named problem.", problem},
      {"correlations", "One [[correlations]] for every correlated pair of inputs (Gaussian copula). Left out: independent inputs.", problem},
      {"density", "The density to draw from, for samplers. Every kind has keys of its own beside those of the section.", target},
      {"parameters", "One [[parameters]] for every parameter of the density, in its order. Kinds that know their parameters refuse them.", target},
      {"start", "Where chains begin. Left out: overdispersed, or what the named density says.", target},
      {"quantities", "One [[quantities]] for every expectation asked for; of a density: columns stored with every draw. Left out: every output of the model.",
       drawn},
      {"scenarios", "One [[scenarios]] for every law of the inputs; `inputs` overrides parameters of inputs. Left out: one law.", problem},
      {"nested", "The nested expectation, for methods that estimate one. Every kind has keys of its own beside those of the section.", nested},
      {"stages", "For kind = \"expressions\": one [[stages]] for every depth, the outermost first.", nested},
      {"data", "The data set, for methods that choose rows of one.", data},
      {"denoiser", "The denoising model to draw samples of. Every kind has keys of its own beside those of the section.", diffusion},
      {"schedule", "The noise schedule that the model was made for. Every kind has keys of its own beside those of the section.", diffusion},
      {"derived", "One [[derived]] for every function of the estimates, with a standard error by the delta method."},
      {"options", "Options of the method."},
      {"run", "How the job is run; without influence on the numbers, but max_seconds decides when they end."},
  };
  return texts;
}

bool repeated_section(std::string_view name) {
  static constexpr std::array<std::string_view, 7> lists = {"inputs", "correlations", "parameters", "quantities", "scenarios", "stages", "derived"};
  return std::find(lists.begin(), lists.end(), name) != lists.end();
}

namespace {

template <class Entries>
std::vector<std::string_view> names_of(const Entries& entries) {
  std::vector<std::string_view> names;
  for (const auto& entry : entries) names.push_back(entry.name);
  return names;
}

}  // namespace

JobHead job_head(const std::vector<MethodEntry>& methods) {
  JobHead head;
  head.methods = names_of(methods);
  return head;
}

ModelSection model_section() {
  ModelSection section;
  section.kinds = names_of(model_kinds());
  return section;
}

NestedSection nested_section() {
  NestedSection section;
  section.kinds = names_of(nested_kinds());
  return section;
}

DensitySection density_section() {
  DensitySection section;
  section.kinds = names_of(target_kinds());
  return section;
}

DenoiserSection denoiser_section() {
  DenoiserSection section;
  section.kinds = names_of(denoiser_kinds());
  return section;
}

ScheduleSection schedule_section() {
  ScheduleSection section;
  section.kinds = names_of(schedule_kinds());
  return section;
}

InputSection input_section() {
  InputSection section;
  section.laws = names_of(marginal_families());
  return section;
}

}  // namespace config
}  // namespace buffon
