// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/model/model.hpp>
#include <buffon/model/model_kind.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

/// A model that is a program of the user: it stays alive and answers requests, one JSON object per line, on its standard
/// input and output (docs/guide/process_models.md):
///
///     {"id":7,"inputs":{"x1":0.25,"x2":-1.5}}     request, one line
///     {"id":7,"outputs":[0.0438]}                 reply: values in the order of `outputs`, or
///     {"id":7,"outputs":{"tip":0.0438}}           by name, or
///     {"id":7,"error":"mesh is degenerate"}       failure of this point
///
/// A log density may be "-inf" (or -Infinity, as some JSON writers say).
struct ProcessModelOptions {
  std::vector<std::string> command;      ///< program and arguments; no shell is involved
  std::vector<std::string> outputs;      ///< names of the outputs
  std::int64_t workers = 1;              ///< copies of the program that run at once; 0 = one per CPU
  std::string directory = ".";           ///< working directory of the program, relative to the configuration file
  std::vector<std::string> environment;  ///< "NAME=value", added to the environment
  double timeout_seconds = 3600;         ///< longest time for one evaluation; 0 = no limit
  bool handshake = false;                ///< exchange protocol version and names before the first request
  std::int64_t max_reply_bytes = 1 << 20;
};

void describe(OptionVisitor& visitor, ProcessModelOptions& options);
/// The same without `outputs`, for programs with one output, a log density.
void describe_program(OptionVisitor& visitor, ProcessModelOptions& options);

/// Starts programs when they are first needed and ends them with the model: end of input, then SIGTERM, then SIGKILL.
/// A program that ends in the middle of an evaluation is started again once; when that one ends too, the point fails. Its
/// standard error goes to model-stderr-K.log in the run directory, K = 1, 2, … the worker. Any number of workers and of
/// calling threads gives the same values if the program is a function of its inputs.
/// @throws Error(configuration) when the program cannot be found or an option breaks its rule
std::shared_ptr<const Model> process_model(const ProcessModelOptions& options, const ModelSetting& setting);

}  // namespace buffon
