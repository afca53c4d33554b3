// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/method.hpp>
#include <buffon/core/options.hpp>
#include <buffon/model/data_set.hpp>
#include <buffon/model/nested_problem.hpp>
#include <buffon/model/problem.hpp>
#include <buffon/model/target.hpp>
#include <buffon/random/stream.hpp>

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace buffon {

struct DiffusionModel;

/// What a method works on; each kind has configuration sections of its own.
using Subject = std::variant<Problem, std::shared_ptr<const NestedProblem>, std::shared_ptr<const Target>, std::shared_ptr<const DataSet>,
                             std::shared_ptr<const DiffusionModel>>;
enum class SubjectKind { problem, nested, target, data, diffusion };  ///< in the order of `Subject`

/// Whether the run of a method can be divided into shards, processes that never communicate.
struct Shards {
  bool possible = false;              ///< all of its work goes through `reduce_shared` and `for_shared_blocks`, and no round depends on their values
  std::vector<std::string> except{};  ///< options that end the run by its estimates (0 or missing = off): impossible in a shard
};

/// A method as a configuration names it (`method = "aiscv"`): its options described once, and the way to make it.
struct MethodEntry {
  std::string name;                              ///< the stem: header, source, test, example, page
  std::string title;                             ///< for people
  std::string summary;                           ///< one sentence: what it computes and when to use it
  std::function<void(OptionVisitor&)> describe;  ///< visits default options
  std::function<std::unique_ptr<Method>(const Subject&, OptionVisitor& options, const Stream&)> make;
  SubjectKind subject = SubjectKind::problem;  ///< what `make` wants
  Shards shards = {};
};

/// Entry of a kernel class with constructor `Kernel(SUBJECT, Options, Stream)`, SUBJECT a Problem or a shared NestedProblem,
/// Target, DataSet or DiffusionModel (model/denoiser.hpp), whose options have `describe`.
template <class Kernel, class Options>
MethodEntry method_entry(std::string name, std::string title, std::string summary, Shards shards = {}) {
  constexpr bool nested = std::is_constructible_v<Kernel, std::shared_ptr<const NestedProblem>, Options, Stream>;
  constexpr bool target = std::is_constructible_v<Kernel, std::shared_ptr<const Target>, Options, Stream>;
  constexpr bool data = std::is_constructible_v<Kernel, std::shared_ptr<const DataSet>, Options, Stream>;
  constexpr bool diffusion = std::is_constructible_v<Kernel, std::shared_ptr<const DiffusionModel>, Options, Stream>;
  constexpr auto kind =
      nested ? SubjectKind::nested : (target ? SubjectKind::target : (data ? SubjectKind::data : (diffusion ? SubjectKind::diffusion : SubjectKind::problem)));
  return {std::move(name),
          std::move(title),
          std::move(summary),
          [](OptionVisitor& visitor) {
            Options options;
            describe(visitor, options);
          },
          [](const Subject& subject, OptionVisitor& visitor, const Stream& stream) -> std::unique_ptr<Method> {
            Options options;
            describe(visitor, options);
            return std::make_unique<Kernel>(std::get<static_cast<std::size_t>(kind)>(subject), options, stream);
          },
          kind,
          std::move(shards)};
}

}  // namespace buffon
