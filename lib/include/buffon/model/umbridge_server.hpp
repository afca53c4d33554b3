// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/model.hpp>

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// A model under the name by which clients ask for it.
struct ServedModel {
  std::string name;
  std::shared_ptr<const Model> model;
};

/// The answers of an UM-Bridge 1.0 server, without a connection: status and JSON text for every request. A model has one
/// input vector, all its inputs, and one output vector, all its outputs, and supports Evaluate alone. Output that is not
/// finite is null; a point that the model cannot evaluate is an InvalidOutput with the model's reason. Thread-safe.
class UmbridgeService {
 public:
  struct Answer {
    int status;
    std::string body;
  };

  /// @throws Error(usage) for no model or a name given twice
  explicit UmbridgeService(std::vector<ServedModel> models);

  /// @param stop ends a slow evaluation
  Answer answer(std::string_view method, std::string_view path, std::string_view body, const std::stop_token& stop = {}) const;
  const std::vector<ServedModel>& models() const { return models_; }

 private:
  const ServedModel* find(std::string_view name) const;
  std::vector<ServedModel> models_;
};

/// Offers models to UM-Bridge clients by HTTP. Listens from its construction on, answers while `run` runs.
class UmbridgeServer {
 public:
  /// @param port 0 = any free one
  /// @throws Error(usage) when it cannot listen there, Error(configuration) when the build has no HTTP
  UmbridgeServer(std::vector<ServedModel> models, const std::string& host, int port);
  ~UmbridgeServer();
  UmbridgeServer(const UmbridgeServer&) = delete;
  UmbridgeServer& operator=(const UmbridgeServer&) = delete;

  int port() const;
  /// Returns after `stop` fired: evaluations under way are broken off, connections closed.
  void run(const std::stop_token& stop);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace buffon
