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

/// A model that a server offers over HTTP, UM-Bridge protocol 1.0 (docs/guide/umbridge.md). The d inputs are split in their
/// order into the server's input vectors; its output vectors, one after another, are the outputs.
struct UmbridgeModelOptions {
  std::string url;                      ///< "http://host:port", with a path where the server stands behind one
  std::string name;                     ///< of the model; empty = the only one that the server offers
  std::vector<std::string> outputs;     ///< names of the outputs; empty = out0, out1, …
  std::string config = "{}";            ///< JSON object that goes with every request
  std::int64_t max_in_flight = 4;       ///< requests under way at once
  double timeout_seconds = 0;           ///< longest silence of the server during one evaluation; 0 = no limit
  double connect_timeout_seconds = 10;  ///< longest time to connect
  std::int64_t reconnects = 3;          ///< attempts after a refused or broken connection
  std::vector<std::string> headers;     ///< "Name: value", sent with every request
};

void describe(OptionVisitor& visitor, UmbridgeModelOptions& options);
/// The same without `outputs`, for models with one output, a log density.
void describe_server(OptionVisitor& visitor, UmbridgeModelOptions& options);

/// Asks the server for protocol, names, support and sizes at once, and evaluates over at most `max_in_flight` connections,
/// shared by all calling threads. Values are placed by the column they belong to, so that any number of connections,
/// threads and any order of answers gives the same numbers if the server's model is a function of its inputs.
/// A point fails when the server reports an error, a null, a wrong number of values, or keeps silent. A server that cannot
/// be reached any more is no failure of a point: it ends the run.
/// @throws Error(configuration) when the server offers something else than the options ask for, or the build has no HTTP;
///         Error(no_input) when the server cannot be reached or does not speak the protocol
std::shared_ptr<const Model> umbridge_model(const UmbridgeModelOptions& options, const ModelSetting& setting);

}  // namespace buffon
