// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/io/job.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

#include <buffon/io/runner.hpp>
#include <buffon/stats/outcome.hpp>

#include "config/data_reader.hpp"
#include "config/diffusion_reader.hpp"
#include "config/nested_reader.hpp"
#include "config/node.hpp"
#include "config/problem_reader.hpp"
#include "config/sections.hpp"
#include "config/target_reader.hpp"

namespace buffon {
namespace {

using namespace config;

/// Refuses a job that would drive the machine out of memory, before any work.
void check_memory(const std::string& method, const MemoryNeed& need) {
  const double limit = 0.5 * static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (need.bytes <= limit) return;
  constexpr double gigabyte = 1e9;
  const auto affordable = static_cast<std::int64_t>(static_cast<double>(need.amount) / need.bytes * limit);
  throw Error(ErrorCategory::configuration, {.doing = "checking the memory that " + method + " needs",
                                             .key = "options." + need.option,
                                             .value = std::to_string(need.amount),
                                             .rule = "would hold up to " + to_text(std::ceil(need.bytes / gigabyte)) +
                                                     " GB at once, and half of this machine's memory is " + to_text(std::floor(limit / gigabyte)) + " GB",
                                             .remedy = "give at most " + std::to_string(affordable) + " here, or " + need.remedy});
}

/// All that `Job::make` needs, kept alive by it.
struct Recipe {
  Document document;
  MethodEntry method;
  Subject subject;
  Node data;                          ///< its section, where it is a data set, with files named by their content
  std::vector<FileContent> contents;  ///< of files that its sections name
  std::uint64_t seed = 0;

  Section options() const { return section_of(document, "options", "reading the options of " + method.name); }

  std::unique_ptr<Method> make(Node* resolved) const {
    const Section section = options();
    return located(section, [&] {
      OptionReader reader(section);
      auto method_object = method.make(subject, reader, Stream(seed));
      check_memory(method.name, method_object->memory_need());
      if (resolved != nullptr) *resolved = reader.take_resolved();
      return method_object;
    });
  }
};

/// Derived quantities: distinct names, and expressions of estimates that exist.
std::vector<DerivedQuantity> read_derived(const Document& document, const Outcome& outcome, Node& resolved) {
  std::vector<DerivedQuantity> derived;
  std::set<std::string> names;
  for (const auto& section : sections_of(document, "derived", "reading the derived quantities")) {
    check_keys(section, {"name", "value"});
    DerivedQuantity quantity;
    OptionReader reader(section);
    describe(reader, quantity);
    check_name(section, quantity.name);
    const bool taken = outcome.find(quantity.name) != nullptr;
    if (taken || !names.insert(quantity.name).second) {
      section.fail(section.table->find("name")->value.where, section.key("name"), in_quotes(quantity.name),
                   taken ? "is already the name of an estimate" : "is already the name of another derived quantity", "give every one its own name");
    }
    try {
      derived_estimates({quantity}, outcome);
    } catch (const Error& error) {
      throw error.at(document.locate(section.table->find("value")->value.where), section.key("value"));
    }
    derived.push_back(quantity);
    resolved.elements.push_back(reader.take_resolved());
  }
  return derived;
}

/// Sets the name unless it is an empty list or table.
void set_section(Node& root, std::string_view name, Node value) {
  if (value.elements.empty() && value.members.empty()) return;
  root.set(name, std::move(value));
}

/// SHA-256 of a file's bytes; of nothing when it cannot be read, which its reader tells.
std::string digest_of_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::error_code status;
  if (std::filesystem::is_directory(path, status)) return sha256({});
  return sha256(std::string(std::istreambuf_iterator<char>(stream), {}));
}

/// Leaves out of a subject's section where things lie and how they are reached. Data count by their content.
void without_places(Node& section) {
  section.erase("journal");
  section.erase("directory");
  const Member* kind = section.find("kind");
  if (kind != nullptr && kind->value.text == "umbridge") {
    for (const auto* key : {"url", "headers", "max_in_flight", "timeout_seconds", "connect_timeout_seconds", "reconnects"}) section.erase(key);
  }
  if (Member* library = section.find("library")) library->value.text = std::filesystem::path(library->value.text).filename().string();
  if (Member* data = section.find("data"); data != nullptr && !data->value.text.empty()) data->value.text = digest_of_file(data->value.text);
}

/// The part of a resolved configuration that determines the numbers.
/// @param data the section data with files named by their content
std::string digest_of(Node root, const Node& data, const std::vector<FileContent>& contents) {
  root.erase("title");
  root.erase("run");
  if (root.find("data") != nullptr) root.set("data", data);
  for (const FileContent& file : contents) root.find(file.section)->value.set(file.key, text_node(file.digest));
  for (const auto* name : {"model", "nested", "density"}) {
    if (Member* section = root.find(name)) without_places(section->value);
  }
  return sha256(write_toml(root));
}

/// Sections that belong to methods of other kinds.
void check_sections(const Section& top, const MethodEntry& method) {
  for (const auto& section : section_texts()) {
    const Member* member = top.table->find(section.name);
    if (member == nullptr || section.goes_with(method.subject)) continue;
    static constexpr std::array<std::string_view, 5> remedies = {
        "its question is about a model: give it in [model] and [[inputs]]", "its question is a nested expectation: give it in [nested]",
        "it draws from a density: give it in [density] and [[parameters]]", "it chooses rows of a data set: give it in [data]",
        "it draws samples of a denoising model: give it in [denoiser] and [schedule]"};
    top.fail(member->where, top.key(section.name), {}, "does not go with method = \"" + method.name + "\"",
             std::string(remedies[static_cast<std::size_t>(method.subject)]));
  }
}

void read_run(const Document& document, RunSettings& run, Node& resolved) {
  const Section section = section_of(document, "run", "reading the settings of the run");
  std::vector<std::string> keys;
  append_names(keys, list_options_of<RunSettings>());
  check_keys(section, keys);
  OptionReader reader(section);
  describe(reader, run);
  const auto unable = std::find_if_not(run.draws.kinds.begin(), run.draws.kinds.end(), [](const std::string& kind) { return can_write_draws(kind); });
  if (unable != run.draws.kinds.end()) {
    section.fail(section.table->find("draws")->value.where, section.key("draws"), in_quotes(*unable), "needs netCDF, which this build does not have",
                 "install the package libnetcdf-dev and build buffon again, or choose csv or npy");
  }
  resolved = reader.take_resolved();
}

/// A netCDF file has dimensions of its own names, with which those of variables must not collide.
void check_draw_names(const Document& document, const RunSettings& run, const Target& target) {
  if (std::find(run.draws.kinds.begin(), run.draws.kinds.end(), "netcdf") == run.draws.kinds.end()) return;
  std::set<std::string> taken = {"chain", "draw"};
  const auto variables = target.variables();
  for (const Parameter& variable : variables) {
    if (variable.size > 0) taken.insert(variable.name + "_dim_0");
  }
  for (const Parameter& variable : variables) {
    if (!taken.contains(variable.name)) continue;
    const Section section = section_of(document, "run", "reading the settings of the run");
    section.fail(section.table->find("draws")->value.where, section.key("draws"), in_quotes("netcdf"),
                 "cannot hold a variable named " + variable.name + ", which is the name of a dimension there", "rename it, or choose csv or npy");
  }
}

/// The part of the run that this is, after refusing what a shard cannot do.
std::optional<Shard> read_shard(const Document& document, const RunSettings& run, const MethodEntry& method, const Node& options) {
  if (run.shard.empty()) return std::nullopt;
  const Section section = section_of(document, "run", "dividing the run into shards");
  const Origin where = section.table->find("shard")->value.where;
  const Shard shard = located(section, [&] { return parse_shard(run.shard); });
  const std::string ranks = "run it on several ranks: `mpirun -n R buffon run JOB`";
  if (!method.shards.possible) {
    section.fail(where, "run.shard", run.shard, "method " + method.name + " decides from all values so far, which a shard does not know", ranks);
  }
  const auto refuse = [&](const std::string& key, const std::string& value) {
    section.fail(where, key, value, "must be off in a shard, which cannot tell how far the whole run is", "end the run by another limit, or " + ranks);
  };
  for (const std::string& name : method.shards.except) {
    const Member* option = options.find(name);
    const bool off = option == nullptr || (option->value.kind == Node::Kind::integer && option->value.integer == 0) ||
                     (option->value.kind == Node::Kind::real && option->value.real == 0);
    if (!off) refuse("options." + name, show(option->value));
  }
  if (run.max_seconds > 0) refuse("run.max_seconds", to_text(run.max_seconds));
  return shard;
}

/// What the method works on, into the recipe and the job. @returns its sections, resolved
Node read_subject(Recipe& recipe, Job& job, const std::filesystem::path& base_directory, const std::filesystem::path& run_directory,
                  const StandardInput& standard_input) {
  Node sections;
  if (recipe.method.subject == SubjectKind::data) {
    ReadData read = read_data_section(recipe.document, base_directory, standard_input);
    job.data = read.data;
    recipe.subject = std::move(read.data);
    recipe.data = std::move(read.for_the_digest);
    sections.set("data", std::move(read.section));
    return sections;
  }
  if (recipe.method.subject == SubjectKind::diffusion) {
    ReadDiffusion read = read_diffusion(recipe.document, base_directory);
    job.diffusion = read.model;
    recipe.subject = std::move(read.model);
    recipe.contents = std::move(read.contents);
    sections.set("denoiser", std::move(read.denoiser));
    sections.set("schedule", std::move(read.schedule));
    return sections;
  }
  if (recipe.method.subject == SubjectKind::nested) {
    ReadNested read = read_nested(recipe.document, base_directory);
    job.nested = read.problem;
    recipe.subject = std::move(read.problem);
    sections.set("nested", std::move(read.nested));
    sections.set("stages", std::move(read.stages));
    return sections;
  }
  if (recipe.method.subject == SubjectKind::target) {
    ReadTarget read = read_target(recipe.document, base_directory, run_directory);
    job.target = read.target;
    recipe.subject = std::move(read.target);
    sections.set("density", std::move(read.density));
    sections.set("parameters", std::move(read.parameters));
    sections.set("start", std::move(read.start));
    sections.set("quantities", std::move(read.quantities));
    return sections;
  }
  ReadProblem read = read_problem(recipe.document, base_directory, run_directory);
  job.problem = read.problem;
  job.policy = read.policy;
  recipe.subject = std::move(read.problem);
  sections.set("model", std::move(read.model));
  sections.set("inputs", std::move(read.inputs));
  sections.set("correlations", std::move(read.correlations));
  sections.set("quantities", std::move(read.quantities));
  sections.set("scenarios", std::move(read.scenarios));
  return sections;
}

}  // namespace

Shard parse_shard(const std::string& text) {
  constexpr std::int64_t most = 100000;
  Shard shard;
  const char* end = text.data() + text.size();
  const auto [slash, first] = std::from_chars(text.data(), end, shard.index);
  const bool divided = first == std::errc() && slash != end && *slash == '/';
  const auto [stop, second] = std::from_chars(divided ? slash + 1 : end, end, shard.count);
  if (!divided || second != std::errc() || stop != end || shard.index < 1 || shard.index > shard.count || shard.count > most) {
    throw Error(ErrorCategory::configuration, {.doing = "dividing the run into shards",
                                               .key = "shard",
                                               .value = text,
                                               .rule = "must be k/K with 1 <= k <= K <= " + std::to_string(most),
                                               .remedy = "give 2/5 for the second of five"});
  }
  return shard;
}

Job parse_job(std::string_view text, const std::string& name, const std::filesystem::path& base_directory, const std::vector<std::string>& overrides,
              const std::vector<MethodEntry>& methods, const std::filesystem::path& run_directory, const StandardInput& standard_input) {
  if (text.size() > max_bytes) {
    throw Error(ErrorCategory::configuration,
                {.doing = "reading the configuration", .value = std::to_string(text.size()) + " bytes", .rule = "must be at most " + std::to_string(max_bytes)},
                {.file = name});
  }
  auto recipe = std::make_shared<Recipe>();
  Document& document = recipe->document;
  document.file = name;
  document.overrides = overrides;
  document.root = std::filesystem::path(name).extension() == ".json" ? read_json(text, name) : read_toml(text, name);
  for (std::size_t i = 0; i < overrides.size(); ++i) apply_override(document, i);

  const Section top{&document, &document.root, "", "reading the configuration"};
  JobHead head = job_head(methods);
  std::vector<std::string> keys;
  append_names(keys, list_options_of(head));
  for (const auto& section : section_texts()) {
    if (!section.name.empty()) keys.emplace_back(section.name);
  }
  check_keys(top, keys);
  OptionReader reader(top);
  describe(reader, head);
  Node resolved = reader.take_resolved();

  Job job;
  job.method = head.method;
  job.title = head.title;
  job.seed = static_cast<std::uint64_t>(head.seed);
  Node run;
  read_run(document, job.run, run);

  recipe->method = *std::find_if(methods.begin(), methods.end(), [&](const MethodEntry& entry) { return entry.name == head.method; });
  check_sections(top, recipe->method);
  recipe->seed = job.seed;
  const Section options = recipe->options();
  std::vector<std::string> option_names;
  append_names(option_names, list_options(recipe->method.describe));
  check_keys(options, option_names);
  OptionReader check(options);
  recipe->method.describe(check);

  const Node subject = read_subject(*recipe, job, base_directory, run_directory, standard_input);
  if (job.target) check_draw_names(document, job.run, *job.target);
  Node resolved_options;
  const std::unique_ptr<Method> method = recipe->make(&resolved_options);
  job.shard = read_shard(document, job.run, recipe->method, resolved_options);
  Node derived = array_node();
  if (document.root.find("derived") != nullptr) job.derived = read_derived(document, method->outcome(), derived);

  for (const auto& section : subject.members) set_section(resolved, section.key, section.value);
  set_section(resolved, "derived", std::move(derived));
  set_section(resolved, "options", std::move(resolved_options));
  set_section(resolved, "run", std::move(run));
  job.resolved = write_toml(resolved);
  job.digest = digest_of(std::move(resolved), recipe->data, recipe->contents);
  job.make = [recipe] { return std::as_const(*recipe).make(nullptr); };
  return job;
}

Job read_job(const std::filesystem::path& file, const std::vector<std::string>& overrides, const std::vector<MethodEntry>& methods,
             const std::filesystem::path& run_directory, const StandardInput& standard_input) {
  const auto missing = [&](std::string rule) {
    throw Error(ErrorCategory::no_input, {.doing = "reading the configuration", .rule = std::move(rule), .remedy = "give the path of a .toml or .json file"},
                {.file = file.string()});
  };
  std::error_code status;
  if (std::filesystem::is_directory(file, status)) missing("is a folder");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) missing(std::filesystem::exists(file, status) ? "cannot be read" : "does not exist");
  std::string text(max_bytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) missing("cannot be read");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return parse_job(text, file.string(), file.parent_path(), overrides, methods, run_directory, standard_input);
}

}  // namespace buffon
