// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/model/problem.hpp>
#include <buffon/random/stream.hpp>

#include <functional>
#include <memory>
#include <string>

namespace buffon {

/// A method as a configuration names it (`method = "aiscv"`): its options described once, and the way to make it.
struct MethodEntry {
  std::string name;                              ///< the stem: header, source, test, example, page
  std::string title;                             ///< for people
  std::string summary;                           ///< one sentence: what it computes and when to use it
  std::function<void(OptionVisitor&)> describe;  ///< visits default options
  std::function<std::unique_ptr<Method>(const Problem&, OptionVisitor& options, const Stream&)> make;
};

/// Entry of a kernel class with constructor `Kernel(Problem, Options, Stream)` whose options have `describe`.
template <class Kernel, class Options>
MethodEntry method_entry(std::string name, std::string title, std::string summary) {
  return {std::move(name), std::move(title), std::move(summary),
          [](OptionVisitor& visitor) {
            Options options;
            describe(visitor, options);
          },
          [](const Problem& problem, OptionVisitor& visitor, const Stream& stream) -> std::unique_ptr<Method> {
            Options options;
            describe(visitor, options);
            return std::make_unique<Kernel>(problem, options, stream);
          }};
}

}  // namespace buffon
