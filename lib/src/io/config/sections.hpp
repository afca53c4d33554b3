// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/io/job.hpp>
#include <buffon/model/model.hpp>
#include <buffon/model/target.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace buffon::config {

/// The keys of each section that belong to the section itself; those of a method, a model kind or a law come beside them.

struct JobHead {
  std::vector<std::string_view> methods;  ///< known names
  std::string method;
  std::int64_t seed = 0;
  std::string title;
};
void describe(OptionVisitor& v, JobHead& o);

struct ModelSection {
  std::vector<std::string_view> kinds;  ///< known names
  std::string kind;
  FailurePolicy policy;
  bool journal = false;
};
/// The kind alone, on which the default of `journal` depends.
void describe_kind(OptionVisitor& v, ModelSection& o);
void describe(OptionVisitor& v, ModelSection& o);

struct InputSection {
  std::vector<std::string_view> laws;  ///< known names
  std::string name;
  std::string law;
};
void describe(OptionVisitor& v, InputSection& o);

struct CorrelationSection {
  std::vector<std::string> between;
  double value = 0;
};
void describe(OptionVisitor& v, CorrelationSection& o);

struct QuantitySection {
  std::string name;
  std::string value;
  std::string event;
};
void describe(OptionVisitor& v, QuantitySection& o);

struct ScenarioSection {
  std::string name;
};
void describe(OptionVisitor& v, ScenarioSection& o);

struct NestedSection {
  std::vector<std::string_view> kinds;  ///< known names
  std::string kind;
};
void describe(OptionVisitor& v, NestedSection& o);

struct DensitySection {
  std::vector<std::string_view> kinds;  ///< known names
  std::string kind;
  enum class OnFailure { stop, reject };
  OnFailure on_failure = OnFailure::stop;
};
void describe(OptionVisitor& v, DensitySection& o);

struct ParameterSection {
  std::string name;
  std::int64_t size = 0;
  Constraint constraint = Constraint::none;
  std::optional<double> lower, upper;
};
void describe(OptionVisitor& v, ParameterSection& o);

struct StartSection {
  StartPolicy::Kind kind = StartPolicy::Kind::overdispersed;
  double radius = 2;
  std::int64_t retries = 100;
};
void describe(OptionVisitor& v, StartSection& o);

struct DenoiserSection {
  std::vector<std::string_view> kinds;  ///< known names
  std::string kind;
  std::int64_t label = -1;
  std::vector<std::int64_t> labels;
  std::optional<double> guidance, guidance_from, guidance_to, threshold;
};
void describe(OptionVisitor& v, DenoiserSection& o);

struct ScheduleSection {
  std::vector<std::string_view> kinds;  ///< known names
  std::string kind;
  double shift = 1;
  std::string grid_file;
};
void describe(OptionVisitor& v, ScheduleSection& o);

struct StageSection {
  std::string link;
};
void describe(OptionVisitor& v, StageSection& o);

/// Sections of a job file with one sentence each, in their canonical order; the first has no name: the top level.
struct SectionText {
  std::string_view name;
  std::string_view meaning;
  std::vector<SubjectKind> subjects = {};  ///< methods of other kinds refuse it; empty = for all methods

  bool goes_with(SubjectKind subject) const { return subjects.empty() || std::find(subjects.begin(), subjects.end(), subject) != subjects.end(); }
};
const std::vector<SectionText>& section_texts();

/// True for sections that are lists of tables, `[[inputs]]`.
bool repeated_section(std::string_view name);

/// Fillers of the known names.
JobHead job_head(const std::vector<MethodEntry>& methods);
ModelSection model_section();
NestedSection nested_section();
DensitySection density_section();
DenoiserSection denoiser_section();
ScheduleSection schedule_section();
InputSection input_section();

}  // namespace buffon::config
