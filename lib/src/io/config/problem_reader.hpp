// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/model_kind.hpp>
#include <buffon/model/problem.hpp>

#include <filesystem>
#include <string>
#include <string_view>

#include "node.hpp"
#include "option_reader.hpp"

namespace buffon::config {

/// A problem read from the sections model, inputs, correlations, quantities and scenarios, with these sections resolved.
struct ReadProblem {
  Problem problem;
  FailurePolicy policy;  ///< of its model
  Node model;            ///< table
  Node inputs;           ///< arrays of tables, empty where a section is empty
  Node correlations;
  Node quantities;
  Node scenarios;
};

/// @throws Error(configuration) with place, key, value and rule
ReadProblem read_problem(const Document& document, const std::filesystem::path& base_directory, const std::filesystem::path& run_directory);

struct ReadInput {
  Input input;
  Node resolved;
};
/// Reads one table of name, law and parameters.
/// @param role in messages; the name of an "input" must be able to stand in an expression
ReadInput read_input(const Section& section, std::string_view role = "input");

/// The elements of a list of tables `[[name]]`; none when it is absent.
std::vector<Section> sections_of(const Document& document, std::string_view name, const std::string& doing);

/// The table `[name]`; a shared empty one when it is absent.
Section section_of(const Document& document, std::string_view name, std::string doing);

/// Names of inputs, quantities, … stand in expressions: letters, digits and _, no digit first.
bool valid_name(std::string_view name);
/// @throws Error(configuration) at the key `name` of the section
void check_name(const Section& section, const std::string& name);

}  // namespace buffon::config
