// SPDX-License-Identifier: BSD-3-Clause
#include <set>
#include <utility>

#include <buffon/model/nested_plugin.h>
#include <buffon/core/error.hpp>
#include <buffon/model/nested_expressions.hpp>
#include <buffon/model/nested_plugin.hpp>

#include "expressions.hpp"
#include "shared_library.hpp"

namespace buffon {
namespace {

constexpr std::int32_t max_width = 1 << 20;  ///< components or normals of one depth

using Message = detail::LibraryMessage<BUFFON_NESTED_MESSAGE>;

class Plugin final : public NestedProblem {
 public:
  Plugin(std::filesystem::path file, const std::string& configuration) : library_(std::move(file), "loading a nested problem", "buffon/model/nested_plugin.h") {
    library_.check_version(library_.load<decltype(buffon_nested_abi)>("buffon_nested_abi")(), BUFFON_NESTED_ABI);
    const auto create = library_.load<decltype(buffon_nested_create)>("buffon_nested_create");
    destroy_ = library_.load<decltype(buffon_nested_destroy)>("buffon_nested_destroy");
    sample_ = library_.load<decltype(buffon_nested_sample)>("buffon_nested_sample");
    link_ = library_.load<decltype(buffon_nested_link)>("buffon_nested_link");
    const auto depth = library_.load<decltype(buffon_nested_depth)>("buffon_nested_depth");
    const auto components = library_.load<decltype(buffon_nested_components)>("buffon_nested_components");
    const auto name = library_.load<decltype(buffon_nested_name)>("buffon_nested_name");
    const auto normals = library_.load<decltype(buffon_nested_normals)>("buffon_nested_normals");

    Message message;
    problem_ = {create(configuration.c_str(), message.data()), destroy_};
    if (!problem_) library_.refuse("configuration", "is refused by the library: " + message.text(), {}, "\"" + configuration.substr(0, 200) + "\"");
    const std::int32_t d_max = depth(problem_.get());
    library_.check_count("buffon_nested_depth", d_max, 0, static_cast<std::int32_t>(max_nested_stages) - 1);
    std::set<std::string> seen;
    for (std::int32_t d = 0; d <= d_max; ++d) {
      const std::string at = "(" + std::to_string(d) + ")";
      const std::int32_t count = components(problem_.get(), d);
      library_.check_count("buffon_nested_components" + at, count, 0, max_width);
      const std::int32_t scores = normals(problem_.get(), d);
      library_.check_count("buffon_nested_normals" + at, scores, 0, max_width);
      names_.emplace_back();
      for (std::int32_t k = 0; k < count; ++k) {
        const char* text = name(problem_.get(), d, k);
        const std::string call = "buffon_nested_name(" + std::to_string(d) + ", " + std::to_string(k) + ")";
        if (text == nullptr) library_.refuse("library", call + " returns no name");
        try {
          detail::check_variable_name(text, "name");
        } catch (const Error& error) {
          library_.refuse("library", call + " returns \"" + std::string(text).substr(0, 60) + "\", which " + error.text().rule);
        }
        if (!seen.insert(text).second) library_.refuse("library", call + " returns \"" + text + "\" a second time", "give every component its own name");
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
    if (status != 0) library_.fail("drawing y^" + std::to_string(d), status, message.text());
  }

  void link(Index d, const ConstMatrix& path, const ConstVector& inner, MutVector out) const override {
    Message message;
    const std::int32_t status =
        link_(problem_.get(), static_cast<std::int32_t>(d), out.size(), path.data(), path.outerStride(), inner.data(), out.data(), message.data());
    if (status != 0) library_.fail("evaluating the link at depth " + std::to_string(d), status, message.text());
  }

 private:
  detail::SharedLibrary library_;
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
