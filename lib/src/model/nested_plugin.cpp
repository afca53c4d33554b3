// SPDX-License-Identifier: BSD-3-Clause
#include <dlfcn.h>

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include <buffon/model/nested_plugin.h>
#include <buffon/core/error.hpp>
#include <buffon/model/nested_expressions.hpp>
#include <buffon/model/nested_plugin.hpp>

#include "expressions.hpp"

namespace buffon {
namespace {

constexpr std::int32_t max_width = 1 << 20;  ///< components or normals of one depth

/// What a library says, always with an end.
class Message {
 public:
  char* data() { return text_; }
  std::string text() {
    text_[BUFFON_NESTED_MESSAGE - 1] = '\0';
    std::string said(text_);
    for (char& c : said) {
      if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    return said.empty() ? "it gives no reason" : said;
  }

 private:
  char text_[BUFFON_NESTED_MESSAGE] = {};
};

class Plugin final : public NestedProblem {
 public:
  Plugin(std::filesystem::path file, const std::string& configuration) : file_(std::move(file)) {
    std::error_code status;
    if (!std::filesystem::exists(file_, status)) refuse("library", "does not exist", "give the path of a shared library, relative to the configuration file");
    if (!std::filesystem::is_regular_file(file_, status)) refuse("library", "is not a file", "give the path of a shared library");
    handle_.reset(dlopen(file_.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (!handle_) refuse("library", "cannot be loaded: " + last_error(), "build it as a shared library for this machine, with all libraries that it needs");
    const auto abi = load<decltype(buffon_nested_abi)>("buffon_nested_abi");
    if (const std::int32_t version = abi(); version != BUFFON_NESTED_ABI) {
      refuse("library", "has version " + std::to_string(version) + " of the interface, this buffon has version " + std::to_string(BUFFON_NESTED_ABI),
             "build it with the nested_plugin.h of this buffon");
    }
    const auto create = load<decltype(buffon_nested_create)>("buffon_nested_create");
    destroy_ = load<decltype(buffon_nested_destroy)>("buffon_nested_destroy");
    sample_ = load<decltype(buffon_nested_sample)>("buffon_nested_sample");
    link_ = load<decltype(buffon_nested_link)>("buffon_nested_link");
    const auto depth = load<decltype(buffon_nested_depth)>("buffon_nested_depth");
    const auto components = load<decltype(buffon_nested_components)>("buffon_nested_components");
    const auto name = load<decltype(buffon_nested_name)>("buffon_nested_name");
    const auto normals = load<decltype(buffon_nested_normals)>("buffon_nested_normals");

    Message message;
    problem_ = {create(configuration.c_str(), message.data()), destroy_};
    if (!problem_) refuse("configuration", "is refused by the library: " + message.text(), {}, "\"" + configuration.substr(0, 200) + "\"");
    const std::int32_t d_max = depth(problem_.get());
    check("depth", d_max, 0, static_cast<std::int32_t>(max_nested_stages) - 1);
    std::set<std::string> seen;
    for (std::int32_t d = 0; d <= d_max; ++d) {
      const std::string at = "(" + std::to_string(d) + ")";
      const std::int32_t count = components(problem_.get(), d);
      check("components" + at, count, 0, max_width);
      const std::int32_t scores = normals(problem_.get(), d);
      check("normals" + at, scores, 0, max_width);
      names_.emplace_back();
      for (std::int32_t k = 0; k < count; ++k) {
        const char* text = name(problem_.get(), d, k);
        const std::string call = "buffon_nested_name(" + std::to_string(d) + ", " + std::to_string(k) + ")";
        if (text == nullptr) refuse("library", call + " returns no name");
        try {
          detail::check_variable_name(text, "name");
        } catch (const Error& error) {
          refuse("library", call + " returns \"" + std::string(text).substr(0, 60) + "\", which " + error.text().rule);
        }
        if (!seen.insert(text).second) refuse("library", call + " returns \"" + text + "\" a second time", "give every component its own name");
        names_.back().emplace_back(text);
      }
      normals_.push_back(scores);
    }
  }

  Index depth() const override { return static_cast<Index>(names_.size()) - 1; }
  const std::vector<std::string>& names(Index d) const override { return names_[static_cast<std::size_t>(d)]; }
  Index normals(Index d) const override { return normals_[static_cast<std::size_t>(d)]; }

  void sample(Index d, const ConstMatrix& past, const ConstMatrix& z, MutMatrix y) const override {
    Message message;
    const std::int32_t status = sample_(problem_.get(), static_cast<std::int32_t>(d), y.cols(), past.data(), past.outerStride(), z.data(), z.outerStride(),
                                        y.data(), y.outerStride(), message.data());
    if (status != 0) fail("drawing y^" + std::to_string(d), status, message);
  }

  void link(Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) const override {
    Message message;
    const std::int32_t status =
        link_(problem_.get(), static_cast<std::int32_t>(d), out.size(), path.data(), path.outerStride(), inner.data(), out.data(), message.data());
    if (status != 0) fail("evaluating the link at depth " + std::to_string(d), status, message);
  }

 private:
  struct Close {
    void operator()(void* handle) const { dlclose(handle); }
  };

  static std::string last_error() {
    const char* text = dlerror();
    return text != nullptr ? text : "unknown reason";
  }

  [[noreturn]] void refuse(std::string key, std::string rule, std::string remedy = {}, std::string value = {}) const {
    throw Error(ErrorCategory::configuration, {.doing = "loading a nested problem",
                                               .key = std::move(key),
                                               .value = value.empty() ? "\"" + file_.string() + "\"" : std::move(value),
                                               .rule = std::move(rule),
                                               .remedy = std::move(remedy)});
  }

  void check(const std::string& function, std::int32_t value, std::int32_t min, std::int32_t max) const {
    if (value >= min && value <= max) return;
    refuse("library",
           "buffon_nested_" + function + " returns " + std::to_string(value) + ", which must be in [" + std::to_string(min) + ", " + std::to_string(max) + "]");
  }

  template <class Function>
  Function* load(const char* symbol) const {
    void* address = dlsym(handle_.get(), symbol);
    if (address == nullptr) refuse("library", "has no function " + std::string(symbol), "define every function of buffon/model/nested_plugin.h with C linkage");
    return reinterpret_cast<Function*>(address);
  }

  [[noreturn]] void fail(std::string doing, std::int32_t status, Message& message) const {
    throw Error(ErrorCategory::model, {.doing = std::move(doing) + " in " + file_.string(),
                                       .rule = "the library failed with status " + std::to_string(status) + ": " + message.text()});
  }

  std::filesystem::path file_;
  std::unique_ptr<void, Close> handle_;
  decltype(&buffon_nested_destroy) destroy_ = nullptr;
  decltype(&buffon_nested_sample) sample_ = nullptr;
  decltype(&buffon_nested_link) link_ = nullptr;
  std::unique_ptr<buffon_nested, decltype(&buffon_nested_destroy)> problem_{nullptr, nullptr};  // before the library is closed
  std::vector<std::vector<std::string>> names_;
  std::vector<Index> normals_;
};

}  // namespace

void describe(OptionVisitor& v, NestedPluginOptions& o) {
  v.on({.name = "library",
        .meaning = "path of a shared library with the functions of buffon/model/nested_plugin.h, relative to this file; it is loaded when the job is read",
        .required = true},
       o.library);
  v.on({.name = "configuration", .meaning = "text handed to the library, in a form of its own"}, o.configuration);
}

std::shared_ptr<const NestedProblem> nested_plugin(const NestedPluginOptions& options, const std::filesystem::path& base_directory) {
  return std::make_shared<Plugin>(std::filesystem::absolute(base_directory / options.library).lexically_normal(), options.configuration);
}

}  // namespace buffon
