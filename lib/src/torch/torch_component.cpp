// SPDX-License-Identifier: BSD-3-Clause
// The component `torch`: networks in TorchScript files through libtorch.
#include <torch/csrc/jit/python/update_graph_executor_opt.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../model/torch_component.h"

struct buffon_network {
  torch::jit::Module module;
  torch::Device device = torch::kCPU;
  torch::ScalarType type = torch::kFloat32;
  std::string signature;
  int least = 0, most = 0;
};

namespace {

thread_local std::string sentence;

const char* say(std::string text) {
  sentence = std::move(text);
  return sentence.c_str();
}

/// The line that says what happened: exceptions of libtorch bring the stack of the network with them.
const char* say(const std::exception& error) {
  const auto* own = dynamic_cast<const c10::Error*>(&error);
  const std::string text = own != nullptr ? own->what_without_backtrace() : error.what();
  constexpr std::string_view mark = "Error: ";
  const std::size_t at = text.rfind(mark);
  const std::size_t begin = at == std::string::npos ? 0 : at + mark.size();
  return say(text.substr(begin, text.find('\n', begin) - begin));
}

template <class Body>
const char* guarded(Body&& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    return say(error);
  } catch (...) {
    return say("an unknown exception");
  }
}

torch::ScalarType scalar_type(buffon_type type) { return type == BUFFON_F64 ? torch::kFloat64 : torch::kFloat32; }

std::string shape_of(torch::IntArrayRef sizes) {
  std::string text;
  for (const std::int64_t size : sizes) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text.empty() ? "one number" : text;
}

/// Moves a tensor to where it is needed. Whole numbers and masks keep their type.
void bring(torch::Tensor tensor, const torch::Device& device, torch::ScalarType type) {
  tensor.set_data(tensor.to(device, tensor.is_floating_point() ? type : tensor.scalar_type()));
}

const char* load(const char* file, buffon_type type, int cuda, buffon_network** network) {
  return guarded([&]() -> const char* {
    if (cuda >= 0 && !torch::cuda::is_available()) return say("the libtorch that is there has no CUDA");
    auto made = std::make_unique<buffon_network>();
    if (cuda >= 0) made->device = torch::Device(torch::kCUDA, static_cast<torch::DeviceIndex>(cuda));
    made->type = scalar_type(type);
    made->module = torch::jit::load(file, made->device);
    made->module.eval();
    for (const torch::Tensor& tensor : made->module.parameters()) bring(tensor, made->device, made->type);
    for (const torch::Tensor& tensor : made->module.buffers()) bring(tensor, made->device, made->type);
    const auto forward = made->module.find_method("forward");
    if (!forward) return say("has no method forward");
    const c10::FunctionSchema& schema = forward->function().getSchema();
    for (const c10::Argument& argument : schema.arguments()) {
      if (argument.name() == "self") continue;
      made->signature += (made->signature.empty() ? "" : ", ") + argument.name();
      ++made->most;
      if (!argument.default_value()) ++made->least;
    }
    made->signature = "forward(" + made->signature + ")";
    *network = made.release();
    return nullptr;
  });
}

/// A view as a tensor of samples, without a copy.
torch::Tensor tensor_of(const buffon_view& view, const buffon_network_call& call, const torch::Device& device) {
  std::vector<std::int64_t> sizes = {view.columns}, strides = {view.stride};
  std::int64_t stride = view.rows;
  for (int axis = 0; axis < call.axes; ++axis) {
    stride /= call.shape[axis];
    sizes.push_back(call.shape[axis]);
    strides.push_back(stride);
  }
  return torch::from_blob(view.data, sizes, strides, torch::TensorOptions().dtype(scalar_type(view.type)).device(device));
}

torch::Tensor numbers(const double* values, std::int64_t count, const buffon_network& network) {
  return torch::from_blob(const_cast<double*>(values), {count}, torch::kFloat64).to(network.device, network.type);
}

/// Samples with a number that is not finite.
std::int64_t not_finite(const torch::Tensor& samples) {
  return samples.size(0) - torch::isfinite(samples).reshape({samples.size(0), -1}).all(1).sum().item<std::int64_t>();
}

const char* forward(buffon_network* network, const buffon_network_call* call) {
  return guarded([&]() -> const char* {
    const c10::InferenceMode inference;
    torch::jit::setGraphExecutorOptimize(false);  // what runs does not depend on the calls before
    if (torch::get_num_threads() != call->threads) torch::set_num_threads(call->threads);
    const torch::Tensor x = tensor_of(call->x, *call, network->device), target = tensor_of(call->answer, *call, network->device);
    torch::Tensor given = x.to(network->type);
    if (call->scales != nullptr) {
      std::vector<std::int64_t> shape(static_cast<std::size_t>(given.dim()), 1);
      shape[0] = call->x.columns;
      given = given * numbers(call->scales, call->x.columns, *network).reshape(shape);
    }
    std::vector<c10::IValue> arguments = {given};
    if (call->times != nullptr) arguments.emplace_back(numbers(call->times, call->x.columns, *network));
    if (call->labels != nullptr) {
      arguments.emplace_back(torch::from_blob(const_cast<std::int64_t*>(call->labels), {call->x.columns}, torch::kInt64).to(network->device));
    }
    const c10::IValue said = network->module.forward(std::move(arguments));
    if (!said.isTensor()) return say("forward answers with " + said.tagKind() + ", which must be a tensor");
    const torch::Tensor& answer = said.toTensor();
    if (!answer.sizes().equals(x.sizes())) return say("forward answers in the shape " + shape_of(answer.sizes()) + ", which must be " + shape_of(x.sizes()));
    if (!answer.is_floating_point()) return say(std::string("forward answers with numbers of type ") + torch::toString(answer.scalar_type()));
    if (const std::int64_t bad = not_finite(answer); bad > 0) {
      const std::string where = " in " + std::to_string(bad) + " of " + std::to_string(x.size(0)) + " samples of a call";
      return say((not_finite(x) == 0 ? "forward answers with numbers that are not finite" : "the states are not finite") + where);
    }
    target.copy_(call->factor == 1 ? answer : answer * call->factor);
    if (network->device.is_cuda()) torch::cuda::synchronize(network->device.index());
    return nullptr;
  });
}

const std::string library = "libtorch " TORCH_VERSION;

}  // namespace

extern "C" const buffon_torch* buffon_torch_table() {
  static const buffon_torch table = {BUFFON_TORCH_VERSION,
                                     library.c_str(),
                                     load,
                                     [](buffon_network* network) { delete network; },
                                     [](const buffon_network* network, int* least, int* most, const char** signature) {
                                       *least = network->least;
                                       *most = network->most;
                                       *signature = network->signature.c_str();
                                     },
                                     forward};
  return &table;
}
