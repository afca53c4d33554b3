// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/archive.hpp>
#include <buffon/core/check_options.hpp>
#include <buffon/core/error.hpp>
#include <buffon/core/method.hpp>
#include <buffon/io/job.hpp>
#include <buffon/stats/outcome.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace buffon::test {

enum class ProbeMode { fast, slow };

/// One option of every type.
struct ProbeOptions {
  bool flag = false;
  std::int64_t count = 10;
  double level = 0.5;
  std::string word = "anything";
  std::optional<double> target;
  std::vector<double> numbers = {1, 2};
  std::vector<std::int64_t> steps;
  std::vector<std::string> words;
  std::vector<std::vector<std::string>> groups;
  ProbeMode mode = ProbeMode::fast;
};

inline void describe(OptionVisitor& v, ProbeOptions& o) {
  static constexpr std::array<std::string_view, 2> modes = {"fast", "slow"};
  v.on({.name = "flag", .meaning = "a flag"}, o.flag);
  v.on({.name = "count", .meaning = "a count", .unit = "points", .range = between(1, 1e9)}, o.count);
  v.on({.name = "level", .meaning = "a level", .range = strictly_between(0, 1)}, o.level);
  v.on({.name = "word", .meaning = "a word"}, o.word);
  v.on({.name = "target", .meaning = "a target", .range = positive()}, o.target);
  v.on({.name = "numbers", .meaning = "numbers", .range = at_least(0), .size_min = 1, .size_max = 3}, o.numbers);
  v.on({.name = "steps", .meaning = "steps", .range = at_least(0)}, o.steps);
  v.on({.name = "words", .meaning = "words", .choices = modes}, o.words);
  v.on({.name = "groups", .meaning = "groups of inputs", .size_max = 2}, o.groups);
  v.on({.name = "mode", .meaning = "a mode"}, o.mode, modes);
}

/// A method that does nothing but remember what it was made from.
class Probe : public Method {
 public:
  Probe(Problem problem, ProbeOptions options, const Stream&) : problem_(std::move(problem)), options_(std::move(options)) {
    check_options("probe", options_);
    const std::vector<std::string> names = problem_.scenarios().front().law.names();
    for (std::size_t g = 0; g < options_.groups.size(); ++g) {
      for (const auto& name : options_.groups[g]) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
          throw Error(ErrorCategory::configuration,
                      {.doing = "starting probe", .key = "options.groups[" + std::to_string(g) + "]", .value = name, .rule = "is not an input"});
        }
      }
    }
  }

  void step(Context&) override {}
  bool finished() const override { return true; }
  void stop(const std::string&) override {}
  Progress progress() const override { return {}; }
  Outcome outcome() const override {
    Outcome outcome;
    for (const auto& name : problem_.expectation_names()) outcome.estimates.push_back({name, {}, "expectation", ""});
    return outcome;
  }
  void describe_state(Archive&) override {}
  const ProbeOptions& options() const { return options_; }

 private:
  Problem problem_;
  ProbeOptions options_;
};

/// The same for a nested problem.
class NestedProbe : public Method {
 public:
  NestedProbe(std::shared_ptr<const NestedProblem> problem, ProbeOptions options, const Stream&) : problem_(std::move(problem)), options_(std::move(options)) {
    check_options("nested_probe", options_);
  }

  void step(Context&) override {}
  bool finished() const override { return true; }
  void stop(const std::string&) override {}
  Progress progress() const override { return {}; }
  Outcome outcome() const override {
    Outcome outcome;
    outcome.estimates.push_back({"value", {}, "expectation", ""});
    return outcome;
  }
  void describe_state(Archive&) override {}
  const NestedProblem& problem() const { return *problem_; }

 private:
  std::shared_ptr<const NestedProblem> problem_;
  ProbeOptions options_;
};

/// The same for a density.
class TargetProbe : public Method {
 public:
  TargetProbe(std::shared_ptr<const Target> target, ProbeOptions options, const Stream&) : target_(std::move(target)), options_(std::move(options)) {
    check_options("target_probe", options_);
  }

  void step(Context&) override {}
  bool finished() const override { return true; }
  void stop(const std::string&) override {}
  Progress progress() const override { return {}; }
  Outcome outcome() const override {
    Outcome outcome;
    for (const auto& name : target_->names()) outcome.estimates.push_back({name, {}, "expectation", ""});
    return outcome;
  }
  void describe_state(Archive&) override {}
  const Target& target() const { return *target_; }

 private:
  std::shared_ptr<const Target> target_;
  ProbeOptions options_;
};

/// The same for a data set: chooses its first `count` rows in falling order, in two rounds, and labels every row 0.
class DataProbe : public Method {
 public:
  DataProbe(std::shared_ptr<const DataSet> data, ProbeOptions options, const Stream&) : data_(std::move(data)), options_(std::move(options)) {
    check_options("data_probe", options_);
  }

  void step(Context&) override { ++rounds_; }
  bool finished() const override { return rounds_ >= 2; }
  void stop(const std::string&) override {}
  Progress progress() const override { return {}; }
  Outcome outcome() const override {
    Outcome outcome;
    Selection s;
    std::vector<Index> rows;
    for (Index i = std::min<Index>(options_.count, data_->rows()) - 1; i >= 0; --i) {
      rows.push_back(i);
      s.rows.push_back(data_->row_number(i));
      if (data_->weighted()) s.weights.push_back(data_->weight(i));
    }
    s.centres = data_->points(rows);
    s.columns = data_->about().column_names;
    s.centre = data_->about().centre;
    s.scale = data_->about().scale;
    s.all_rows = data_->about().row_numbers;
    s.labels.assign(static_cast<std::size_t>(data_->rows()), 0);
    s.distances.assign(static_cast<std::size_t>(data_->rows()), 0.5F);
    outcome.selection = std::make_shared<const Selection>(std::move(s));
    outcome.evaluations = rounds_;
    return outcome;
  }
  void describe_state(Archive& archive) override { archive.item("rounds", rounds_); }
  const DataSet& data() const { return *data_; }

 private:
  std::shared_ptr<const DataSet> data_;
  ProbeOptions options_;
  std::int64_t rounds_ = 0;
};

inline const std::vector<MethodEntry>& probe_methods() {
  static const std::vector<MethodEntry> methods = {method_entry<Probe, ProbeOptions>("probe", "Probe", "Does nothing."),
                                                   method_entry<Probe, ProbeOptions>("other_probe", "Other probe", "Does nothing."),
                                                   method_entry<NestedProbe, ProbeOptions>("nested_probe", "Nested probe", "Does nothing."),
                                                   method_entry<TargetProbe, ProbeOptions>("target_probe", "Target probe", "Does nothing."),
                                                   method_entry<DataProbe, ProbeOptions>("data_probe", "Data probe", "Chooses the first rows.")};
  return methods;
}

inline Job parse(const std::string& text, const std::vector<std::string>& overrides = {}, const std::string& name = "job.toml") {
  return parse_job(text, name, ".", overrides, probe_methods());
}

/// The message of the error that reading ends in; its category must be `configuration`.
inline std::string message_of(const std::string& text, const std::vector<std::string>& overrides = {}, const std::string& name = "job.toml") {
  try {
    parse(text, overrides, name);
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::configuration);
    return error.what();
  }
  return "no error";
}

inline ProbeOptions options_of(const Job& job) { return dynamic_cast<const Probe&>(*job.make()).options(); }

}  // namespace buffon::test
