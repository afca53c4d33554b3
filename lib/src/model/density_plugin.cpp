// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/model/density_plugin.h>
#include <buffon/core/error.hpp>
#include <buffon/model/density_plugin.hpp>

#include <limits>
#include <utility>
#include <vector>

#include "outside_density.hpp"
#include "shared_library.hpp"

namespace buffon {
namespace {

constexpr std::int32_t max_count = 1 << 20;  ///< of parameters, of components of one, of generated columns

static_assert(static_cast<int>(Constraint::lower) == BUFFON_DENSITY_LOWER && static_cast<int>(Constraint::upper) == BUFFON_DENSITY_UPPER &&
              static_cast<int>(Constraint::interval) == BUFFON_DENSITY_INTERVAL && static_cast<int>(Constraint::simplex) == BUFFON_DENSITY_SIMPLEX &&
              static_cast<int>(Constraint::ordered) == BUFFON_DENSITY_ORDERED &&
              static_cast<int>(Constraint::positive_ordered) == BUFFON_DENSITY_POSITIVE_ORDERED &&
              static_cast<int>(Constraint::unit_vector) == BUFFON_DENSITY_UNIT_VECTOR);

/// A library with its object.
class Plugin {
 public:
  using Message = detail::LibraryMessage<BUFFON_DENSITY_MESSAGE>;

  Plugin(std::filesystem::path file, const std::string& configuration) : library_(std::move(file), "loading a density", "buffon/model/density_plugin.h") {
    library_.check_version(library_.load<decltype(buffon_density_abi)>("buffon_density_abi")(), BUFFON_DENSITY_ABI);
    const auto create = library_.load<decltype(buffon_density_create)>("buffon_density_create");
    const auto destroy = library_.load<decltype(buffon_density_destroy)>("buffon_density_destroy");
    const auto parameter_count = library_.load<decltype(buffon_density_parameters)>("buffon_density_parameters");
    const auto describe = library_.load<decltype(buffon_density_describe)>("buffon_density_describe");
    evaluate = library_.load<decltype(buffon_density_evaluate)>("buffon_density_evaluate");
    const auto generated = library_.find<decltype(buffon_density_generated)>("buffon_density_generated");
    if (generated != nullptr) generate = library_.load<decltype(buffon_density_generate)>("buffon_density_generate");

    Message message;
    object_ = {create(configuration.c_str(), message.data()), destroy};
    if (!object_) library_.refuse("configuration", "is refused by the library: " + message.text(), {}, "\"" + configuration.substr(0, 200) + "\"");
    const std::int32_t count = parameter_count(object_.get());
    library_.check_count("buffon_density_parameters", count, 1, max_count);
    for (std::int32_t k = 0; k < count; ++k) {
      const std::string call = "buffon_density_describe(" + std::to_string(k) + ")";
      constexpr double infinity = std::numeric_limits<double>::infinity();
      buffon_density_parameter said{nullptr, 0, BUFFON_DENSITY_NONE, -infinity, infinity};
      describe(object_.get(), k, &said);
      if (said.name == nullptr) library_.refuse("library", call + " sets no name");
      library_.check_count(call + ", size,", said.size, 0, max_count);
      library_.check_count(call + ", constraint,", said.constraint, BUFFON_DENSITY_NONE, BUFFON_DENSITY_UNIT_VECTOR);
      parameters.push_back(
          {.name = said.name, .size = said.size, .constraint = static_cast<Constraint>(said.constraint), .lower = said.lower, .upper = said.upper});
      components += parameters.back().count();
      constexpr Index most_components = 10'000'000;
      if (components > most_components) library_.refuse("library", "has more than " + std::to_string(most_components) + " components in all");
    }
    if (generated == nullptr) return;
    const std::int32_t count_of_columns = generated(object_.get());
    library_.check_count("buffon_density_generated", count_of_columns, 0, max_count);
    const auto name = library_.load<decltype(buffon_density_generated_name)>("buffon_density_generated_name");
    for (std::int32_t k = 0; k < count_of_columns; ++k) {
      const char* text = name(object_.get(), k);
      if (text == nullptr) library_.refuse("library", "buffon_density_generated_name(" + std::to_string(k) + ") returns no name");
      columns.emplace_back(text);
    }
  }

  const detail::SharedLibrary& library() const { return library_; }
  const buffon_density* object() const { return object_.get(); }

  std::vector<Parameter> parameters;
  std::vector<std::string> columns;
  Index components = 0;
  decltype(&buffon_density_evaluate) evaluate = nullptr;
  decltype(&buffon_density_generate) generate = nullptr;

 private:
  detail::SharedLibrary library_;
  std::unique_ptr<buffon_density, decltype(&buffon_density_destroy)> object_{nullptr, nullptr};  // destroyed before the library is closed
};

class LogDensityOf final : public Model {
 public:
  explicit LogDensityOf(std::shared_ptr<const Plugin> plugin) : plugin_(std::move(plugin)) {}
  Index input_size() const override { return plugin_->components; }
  Index output_size() const override { return 1; }
  const std::vector<std::string>& output_names() const override { return names_; }
  std::vector<PointFailure> evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token&) const override {
    Plugin::Message message;
    const std::int32_t status = plugin_->evaluate(plugin_->object(), points.cols(), points.data(), points.outerStride(), values.data(), message.data());
    if (status != 0) plugin_->library().fail("evaluating the log density", status, message.text());
    return {};
  }

 private:
  std::shared_ptr<const Plugin> plugin_;
  std::vector<std::string> names_ = {"log_density"};
};

class GeneratedBy final : public Model {
 public:
  explicit GeneratedBy(std::shared_ptr<const Plugin> plugin) : plugin_(std::move(plugin)) {}
  Index input_size() const override { return plugin_->components; }
  Index output_size() const override { return static_cast<Index>(plugin_->columns.size()); }
  const std::vector<std::string>& output_names() const override { return plugin_->columns; }
  std::vector<PointFailure> evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token&) const override {
    Plugin::Message message;
    const std::int32_t status =
        plugin_->generate(plugin_->object(), points.cols(), points.data(), points.outerStride(), values.data(), values.outerStride(), message.data());
    if (status != 0) plugin_->library().fail("generating quantities", status, message.text());
    return {};
  }

 private:
  std::shared_ptr<const Plugin> plugin_;
};

}  // namespace

void describe(OptionVisitor& v, DensityPluginOptions& o) {
  v.on({.name = "library",
        .meaning = "path of a shared library with the functions of buffon/model/density_plugin.h, relative to this file; it is loaded when the job is read",
        .required = true},
       o.library);
  v.on({.name = "configuration", .meaning = "text handed to the library, in a form of its own"}, o.configuration);
}

MadeDensity density_plugin(const DensityPluginOptions& options, const TargetSetting& setting) {
  const auto plugin =
      std::make_shared<const Plugin>(std::filesystem::absolute(setting.base_directory / options.library).lexically_normal(), options.configuration);
  TargetSetting own = setting;
  own.parameters = plugin->parameters;
  MadeDensity made{.density = detail::outside_density(std::make_shared<LogDensityOf>(plugin), own), .parameters = plugin->parameters};
  if (!plugin->columns.empty()) made.generated = std::make_shared<GeneratedBy>(plugin);
  return made;
}

}  // namespace buffon
