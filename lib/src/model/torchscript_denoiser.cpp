// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/torchscript.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include <buffon/core/error.hpp>
#include <buffon/model/answer_conversion.hpp>

#include "../core/component.hpp"
#include "torch_component.h"

namespace buffon {
namespace {

[[noreturn]] void refuse(ErrorCategory category, std::string doing, std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(category, {.doing = std::move(doing), .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

constexpr const char* reading = "reading a TorchScript network";

struct Component {
  const buffon_torch* table = nullptr;
  std::string why_not;
};

const Component& component() {
  static const Component found = [] {
    const detail::Component c = detail::load_component("torch", "buffon_torch_table");
    if (c.symbol == nullptr) return Component{nullptr, c.why_not};
    const buffon_torch* table = reinterpret_cast<buffon_torch_table_function>(c.symbol)();
    if (table->version != BUFFON_TORCH_VERSION) return Component{nullptr, "libbuffon_torch.so is of another version of buffon"};
    return Component{table, ""};
  }();
  return found;
}

struct Release {
  void operator()(buffon_network* network) const { component().table->release(network); }
};
using Network = std::unique_ptr<buffon_network, Release>;

std::string in_quotes(const std::string& text) { return "\"" + text + "\""; }

Network load(const TorchScriptOptions& o, buffon_type type, int cuda) {
  if (o.numbers != NetworkNumbers::of_run) type = o.numbers == NetworkNumbers::float64 ? BUFFON_F64 : BUFFON_F32;
  buffon_network* network = nullptr;
  if (const char* why = component().table->load(o.file.c_str(), type, cuda, &network)) {
    refuse(ErrorCategory::configuration, reading, "file", in_quotes(o.file), std::string("cannot be loaded: ") + why,
           "give a file that torch.jit.save or torch.jit.script(network).save wrote");
  }
  return Network(network);
}

/// What the network is given in place of a level.
double time_of(const TorchScriptOptions& o, const NoiseLevel& level) {
  const auto value = [&] {
    switch (o.time) {
      case NetworkTime::none:
        break;
      case NetworkTime::time:
        return level.time;
      case NetworkTime::lambda:
        return level.lambda;
      case NetworkTime::sigma:
        return level.sigma;
      case NetworkTime::log_ratio:
        return -level.lambda;
    }
    return 0.0;
  }();
  return o.time_factor * value + o.time_offset;
}

class TorchScriptWork final : public DenoiserWork {
 public:
  TorchScriptWork(const TorchScriptOptions& options, std::vector<std::int64_t> shape, Network network, backend::Queue* queue)
      : options_(options), shape_(std::move(shape)), network_(std::move(network)), queue_(queue) {}

  void operator()(const DenoiserCall& call, backend::View answer) override {
    const auto columns = static_cast<std::size_t>(call.x.columns);
    if (columns == 0) return;
    fill_times(call, columns);
    labels_.assign(options_.classes > 0 ? columns : 0, options_.no_label);
    for (std::size_t c = 0; c < std::min(labels_.size(), call.labels.size()); ++c) {
      if (call.labels[c] >= 0) labels_[c] = call.labels[c];
    }
    if (queue_ != nullptr) queue_->synchronise();
    const std::size_t together = options_.together > 0 ? static_cast<std::size_t>(options_.together) : columns;
    for (std::size_t first = 0; first < columns; first += together) forward(call, answer, first, std::min(together, columns - first));
  }

 private:
  void fill_times(const DenoiserCall& call, std::size_t columns) {
    times_.resize(options_.time == NetworkTime::none ? 0 : columns);
    scales_.resize(options_.answers == Answer::edm ? columns : 0);
    for (std::size_t c = 0; c < columns; ++c) {
      const NoiseLevel& level = call.levels[call.levels.size() == 1 ? 0 : c];
      if (!times_.empty()) {
        times_[c] = time_of(options_, level);
        if (!std::isfinite(times_[c])) {
          refuse(ErrorCategory::model, asking(), "time", to_text(level.time), "gives the network " + to_text(times_[c]) + ", which must be a finite number",
                 "begin and end the grid where the network's time is finite");
        }
      }
      // c_in y for y = x / alpha, c_in = 1 / √(rho² + s²)
      if (!scales_.empty()) scales_[c] = 1 / std::hypot(level.sigma, level.alpha * edm_deviation);
    }
  }

  void forward(const DenoiserCall& call, const backend::View& answer, std::size_t first, std::size_t count) {
    const auto part = [&](backend::View view) {
      view.data = static_cast<char*>(view.data) + static_cast<std::int64_t>(first) * view.stride * (view.type == BUFFON_F64 ? 8 : 4);
      view.columns = static_cast<std::int64_t>(count);
      return view;
    };
    const auto from = [&](const auto& values) { return values.empty() ? nullptr : values.data() + first; };
    const buffon_network_call asked = {part(call.x),  part(answer),           shape_.data(),   static_cast<int>(shape_.size()), from(times_), from(scales_),
                                       from(labels_), options_.answer_factor, options_.threads};
    if (const char* why = component().table->forward(network_.get(), &asked)) {
      const NoiseLevel& level = call.levels[call.levels.size() == 1 ? 0 : first];
      const bool unlabelled = options_.classes > 0 &&
                              std::any_of(labels_.begin() + static_cast<std::ptrdiff_t>(first), labels_.begin() + static_cast<std::ptrdiff_t>(first + count),
                                          [&](std::int64_t label) { return label == options_.no_label; });
      refuse(ErrorCategory::model, asking(), "time", to_text(level.time), why,
             unlabelled ? "give every sample a label, or `no_label` the class that the network has for none"
                        : "check `time`, `time_factor` and `time_offset`, or try other times");
    }
  }

  std::string asking() const { return "asking the network " + in_quotes(options_.file); }

  TorchScriptOptions options_;
  std::vector<std::int64_t> shape_;
  Network network_;
  backend::Queue* queue_;
  std::vector<double> times_, scales_;
  std::vector<std::int64_t> labels_;
};

class TorchScriptDenoiser final : public Denoiser {
 public:
  explicit TorchScriptDenoiser(TorchScriptOptions options) : options_(std::move(options)) {
    check();
    const Network network = load(options_, BUFFON_F32, -1);
    check_arguments(network.get());
    try_zeros();
  }

  std::string name() const override { return "torchscript " + options_.file; }
  Index dimension() const override { return options_.dimension; }
  Answer answers() const override { return options_.answers; }
  std::optional<ImageShape> image() const override { return options_.image; }
  int classes() const override { return options_.classes; }

  std::unique_ptr<DenoiserWork> on(backend::Queue& queue, Index, buffon_type type) const override {
    const std::string device = queue.device()->name();
    int cuda = -1;
    if (device.starts_with("cuda")) {
      cuda = device == "cuda" ? 0 : std::stoi(device.substr(5));
    } else if (!device.starts_with("cpu")) {
      refuse(ErrorCategory::configuration, reading, "backend", device, "has memory that libtorch does not share", "take backend = \"cpu\"");
    }
    return std::make_unique<TorchScriptWork>(options_, shape(), load(options_, type, cuda), &queue);
  }

 private:
  void check() {
    TorchScriptOptions& o = options_;
    if (o.image) {
      const Index size = o.image->channels * o.image->height * o.image->width;
      if (o.image->channels < 1 || o.image->height < 1 || o.image->width < 1) {
        refuse(ErrorCategory::configuration, reading, "image",
               "[" + std::to_string(o.image->channels) + ", " + std::to_string(o.image->height) + ", " + std::to_string(o.image->width) + "]",
               "must be three positive numbers: channels, height, width", "write image = [1, 28, 28]");
      }
      if (o.dimension != 0 && o.dimension != size) {
        refuse(ErrorCategory::configuration, reading, "dimension", std::to_string(o.dimension), "must be that of the image, " + std::to_string(size),
               "leave it out");
      }
      o.dimension = size;
    }
    if (o.dimension < 1) {
      refuse(ErrorCategory::configuration, reading, "dimension", std::to_string(o.dimension), "must be at least 1", "give dimension or image");
    }
    if (o.classes < 0)
      refuse(ErrorCategory::configuration, reading, "classes", std::to_string(o.classes), "must not be negative", "give 0 where forward takes no labels");
    if (o.together < 0)
      refuse(ErrorCategory::configuration, reading, "together", std::to_string(o.together), "must not be negative", "give 0 for all samples of a batch");
    if (o.threads < 1)
      refuse(ErrorCategory::configuration, reading, "threads", std::to_string(o.threads), "must be at least 1", "give 1, as batches run side by side");
    if (!std::isfinite(o.time_factor))
      refuse(ErrorCategory::configuration, reading, "time_factor", to_text(o.time_factor), "must be finite", "leave it out for 1");
    if (!std::isfinite(o.time_offset))
      refuse(ErrorCategory::configuration, reading, "time_offset", to_text(o.time_offset), "must be finite", "leave it out for 0");
    if (!std::isfinite(o.answer_factor) || o.answer_factor == 0) {
      refuse(ErrorCategory::configuration, reading, "answer_factor", to_text(o.answer_factor), "must be finite and not 0", "leave it out for 1");
    }
    std::error_code status;
    if (!std::filesystem::is_regular_file(o.file, status)) {
      refuse(ErrorCategory::configuration, reading, "file", in_quotes(o.file), "does not exist", "give the path of a TorchScript file");
    }
    if (component().table == nullptr) {
      refuse(ErrorCategory::configuration, reading, "file", in_quotes(o.file), "needs the component torch: " + component().why_not,
             "install the package libtorch-dev and build buffon again");
    }
  }

  void check_arguments(const buffon_network* network) const {
    int least = 0, most = 0;
    const char* signature = nullptr;
    component().table->arguments(network, &least, &most, &signature);
    const int given = 1 + (options_.time != NetworkTime::none ? 1 : 0) + (options_.classes > 0 ? 1 : 0);
    if (given >= least && given <= most) return;
    std::string ours = "states";
    if (options_.time != NetworkTime::none) ours += ", times";
    if (options_.classes > 0) ours += ", labels";
    refuse(ErrorCategory::configuration, reading, "file", in_quotes(options_.file),
           "its method is " + std::string(signature) + ", which must take what it is given: " + ours,
           "set `time` (\"none\" gives no times) and `classes` (0 gives no labels)");
  }

  /// Shapes and types are told before a run begins; with labels by the first of them, since not every network has a class for none.
  void try_zeros() const {
    const Eigen::MatrixXf x = Eigen::MatrixXf::Zero(options_.dimension, 2);
    Eigen::MatrixXf y = x;
    const auto view = [](const Eigen::MatrixXf& m) { return backend::View{const_cast<float*>(m.data()), m.rows(), m.cols(), m.rows(), BUFFON_F32}; };
    const NoiseLevel level{0.5, 0.5, 0.5, 0.0};
    const std::vector<std::int32_t> labels(options_.classes > 0 ? 2 : 0, 0);
    try {
      TorchScriptWork(options_, shape(), load(options_, BUFFON_F32, -1), nullptr)({view(x), {&level, 1}, labels}, view(y));
    } catch (const Error& error) {
      refuse(ErrorCategory::configuration, reading, "file", in_quotes(options_.file), "does not work on two states of zeros: " + error.text().rule,
             "check `dimension` or `image`, `time`, `classes` and `no_label`");
    }
  }

  std::vector<std::int64_t> shape() const {
    if (options_.image) return {options_.image->channels, options_.image->height, options_.image->width};
    return {options_.dimension};
  }

  TorchScriptOptions options_;
};

}  // namespace

std::shared_ptr<const Denoiser> torchscript_denoiser(const TorchScriptOptions& options) { return std::make_shared<TorchScriptDenoiser>(options); }

std::string torchscript_component() { return component().table != nullptr ? component().table->library : component().why_not; }

}  // namespace buffon
