// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/umbridge_server.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <nlohmann/json.hpp>

#include <buffon/core/error.hpp>
#include <buffon/http/http.hpp>

#include "guarded.hpp"
#include "json_lines.hpp"

namespace buffon {
namespace {

using Json = nlohmann::json;
using UmbridgeAnswer = UmbridgeService::Answer;

constexpr std::array<std::string_view, 7> endpoints = {"/ModelInfo", "/InputSizes",    "/OutputSizes", "/Evaluate",
                                                       "/Gradient",  "/ApplyJacobian", "/ApplyHessian"};

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// The documented form of an error, thrown inside and turned into an answer.
struct Refusal {
  int status;
  std::string type;
  std::string message;
};

UmbridgeAnswer answer_of(const Refusal& refusal) {
  return {refusal.status, dump({{"error", {{"type", refusal.type}, {"message", detail::one_line(refusal.message, 2000)}}}})};
}

Refusal invalid_input(std::string message) { return {400, "InvalidInput", std::move(message)}; }

/// The inputs of /Evaluate.
Eigen::MatrixXd read_input(const Json& request, Index size) {
  const auto input = request.find("input");
  if (input == request.end() || !input->is_array()) throw invalid_input("\"input\" must be a list of input vectors");
  std::vector<double> values;
  for (std::size_t k = 0; k < input->size(); ++k) {
    const Json& vector = (*input)[k];
    if (!vector.is_array()) throw invalid_input("input vector " + std::to_string(k) + " is of type " + vector.type_name() + ", not a list of numbers");
    for (const Json& value : vector) {
      if (!value.is_number()) throw invalid_input("input vector " + std::to_string(k) + " holds a value of type " + value.type_name() + ", not a number");
      values.push_back(value.get<double>());
    }
  }
  if (input->size() != 1) throw invalid_input("the model takes 1 input vector, not " + std::to_string(input->size()));
  if (static_cast<Index>(values.size()) != size) {
    throw invalid_input("input vector 0 must have " + std::to_string(size) + " numbers, not " + std::to_string(values.size()));
  }
  return Eigen::Map<const Eigen::MatrixXd>(values.data(), size, 1);
}

/// Numbers in the shortest form that reads back to the same double.
UmbridgeAnswer evaluate(const Model& model, const Eigen::MatrixXd& point, const std::stop_token& stop) {
  Eigen::MatrixXd values(model.output_size(), 1);
  std::vector<PointFailure> failures;
  try {
    failures = detail::guarded(point, values, [&](const ConstMatrix& x, MutMatrix y) { return model.evaluate(x, y, stop); });
  } catch (const Error& error) {
    throw Refusal{500, "InvalidOutput", error.what()};
  }
  if (!failures.empty()) throw Refusal{500, "InvalidOutput", "the model failed: " + failures.front().message};
  std::string text = "{\"output\":[[";
  for (Index k = 0; k < values.rows(); ++k) {
    if (k > 0) text += ',';
    text += std::isfinite(values(k, 0)) ? to_text(values(k, 0)) : "null";
  }
  return {200, text + "]]}"};
}

Json parse(std::string_view body) {
  Json request;
  try {
    request = Json::parse(body);
  } catch (const Json::exception&) {
    throw invalid_input("the body is not JSON");
  }
  if (!request.is_object()) throw invalid_input("the body must be a JSON object");
  return request;
}

}  // namespace

UmbridgeService::UmbridgeService(std::vector<ServedModel> models) : models_(std::move(models)) {
  std::set<std::string> seen;
  for (const auto& served : models_) {
    if (!seen.insert(served.name).second) throw Error(ErrorCategory::usage, {.doing = "offering models", .value = served.name, .rule = "is named twice"});
  }
  if (models_.empty()) throw Error(ErrorCategory::usage, {.doing = "offering models", .rule = "there is none"});
}

const ServedModel* UmbridgeService::find(std::string_view name) const {
  const auto found = std::find_if(models_.begin(), models_.end(), [&](const ServedModel& served) { return served.name == name; });
  return found == models_.end() ? nullptr : &*found;
}

UmbridgeAnswer UmbridgeService::answer(std::string_view method, std::string_view path, std::string_view body, const std::stop_token& stop) const {
  try {
    if (method == "GET" && path == "/Info") {
      Json names = Json::array();
      for (const auto& served : models_) names.push_back(served.name);
      return {200, dump({{"protocolVersion", 1.0}, {"models", std::move(names)}})};
    }
    if (method != "POST" || std::find(endpoints.begin(), endpoints.end(), path) == endpoints.end()) {
      throw Refusal{404, "UnsupportedFeature", std::string(method) + " " + detail::one_line(path, 200) + " is not offered"};
    }
    const Json request = parse(body);
    const auto name = request.find("name");
    if (name == request.end() || !name->is_string()) throw invalid_input("\"name\" must be the name of a model");
    const ServedModel* served = find(name->get_ref<const std::string&>());
    if (served == nullptr) throw Refusal{400, "ModelNotFound", "there is no model " + detail::one_line(dump(*name), 200)};
    const Model& model = *served->model;
    if (path == "/ModelInfo") {
      return {200, dump({{"support", {{"Evaluate", true}, {"Gradient", false}, {"ApplyJacobian", false}, {"ApplyHessian", false}}}})};
    }
    if (path == "/Gradient" || path == "/ApplyJacobian" || path == "/ApplyHessian") {
      throw Refusal{400, "UnsupportedFeature", std::string(path.substr(1)) + " is not supported by model " + served->name};
    }
    if (const auto config = request.find("config"); config != request.end() && !config->is_object()) throw invalid_input("\"config\" must be an object");
    if (path == "/InputSizes") return {200, dump({{"inputSizes", {model.input_size()}}})};
    if (path == "/OutputSizes") return {200, dump({{"outputSizes", {model.output_size()}}})};
    return evaluate(model, read_input(request, model.input_size()), stop);
  } catch (const Refusal& refusal) {
    return answer_of(refusal);
  }
}

struct UmbridgeServer::State {
  UmbridgeService service;
  std::stop_source stop = {};
  std::unique_ptr<http::Server> server = {};
};

UmbridgeServer::UmbridgeServer(std::vector<ServedModel> models, const std::string& host, int port)
    : state_(new State{.service = UmbridgeService(std::move(models))}) {
  http::require("offering models over UM-Bridge");
  state_->server = std::make_unique<http::Server>(
      host, port, [state = state_.get()](const std::string& method, const std::string& path, const std::string& body) -> http::Answer {
        auto [status, text] = state->service.answer(method, path, body, state->stop.get_token());
        return {status, std::move(text)};
      });
}

UmbridgeServer::~UmbridgeServer() = default;

int UmbridgeServer::port() const { return state_->server->port(); }

void UmbridgeServer::run(const std::stop_token& stop) {
  const std::stop_callback forward(stop, [&] { state_->stop.request_stop(); });
  state_->server->run(stop);
}

}  // namespace buffon
