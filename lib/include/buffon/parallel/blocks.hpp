// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/parallel/context.hpp>
#include <buffon/parallel/exchange.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace buffon {

/// The items [begin, end) of block number `index`. Block sizes belong to the algorithm, never to the machine.
struct Block {
  std::int64_t index;
  std::int64_t begin;
  std::int64_t end;
  std::int64_t size() const { return end - begin; }
};

/// Number of blocks of `block_size` items that cover `items` items.
constexpr std::int64_t block_count(std::int64_t items, std::int64_t block_size) { return (items + block_size - 1) / block_size; }

namespace detail {
using BlockFunction = void (*)(void* closure, const Block& block);
void for_blocks(Context& context, std::int64_t items, std::int64_t block_size, BlockFunction function, void* closure);
bool for_shared_blocks(Context& context, std::int64_t items, std::int64_t block_size, Needed needed, BlockFunction function, void* closure,
                       const std::function<void(std::int64_t, Archive&)>& describe);
}  // namespace detail

/// Calls `body(Block)` once for every block of [0, items), in parallel and in any order. The body must write only to
/// places that belong to its block. An exception of the body ends the loop; of several, the one of the lowest block that
/// ran is rethrown.
/// @throws Error(interrupted) when the context's stop token fires.
template <class Body>
void for_blocks(Context& context, std::int64_t items, std::int64_t block_size, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  detail::for_blocks(
      context, items, block_size, [](void* closure, const Block& block) { (*static_cast<Plain*>(closure))(block); },
      const_cast<std::remove_const_t<Plain>*>(&body));
}

/// Merges `parts` in the shape of a fixed binary tree that depends on their number only: part 2i absorbs part 2i+1, then
/// level by level. `merge(into, from)` need be neither commutative nor associative in floating point.
template <class T, class Merge>
T merge_tree(std::vector<T> parts, Merge&& merge) {
  if (parts.empty()) return T{};
  for (std::size_t step = 1; step < parts.size(); step *= 2) {
    for (std::size_t i = 0; i + step < parts.size(); i += 2 * step) merge(parts[i], std::as_const(parts[i + step]));
  }
  return std::move(parts.front());
}

/// Maps every block to a partial result in parallel and merges the results by block index in a fixed binary tree: the
/// bits do not depend on the number of threads. `map(Block) -> T`, `merge(T& into, const T& from)`.
template <class T, class Map, class Merge>
T reduce_blocks(Context& context, std::int64_t items, std::int64_t block_size, Map&& map, Merge&& merge) {
  std::vector<T> parts(static_cast<std::size_t>(block_count(items, block_size)));
  for_blocks(context, items, block_size, [&](const Block& block) { parts[static_cast<std::size_t>(block.index)] = map(block); });
  return merge_tree(std::move(parts), merge);
}

/// `for_blocks` whose blocks are divided among the processes that run the job together, if there are several.
/// @param describe `describe(std::int64_t block, Archive&)` lists what `body` writes for a block: it is saved where the
///                 block was done and loaded where it was not
/// @returns false in a shard of a run (unless needed everywhere): the other shards' blocks are known to `buffon merge` only
template <class Body, class Describe>
bool for_shared_blocks(Context& context, std::int64_t items, std::int64_t block_size, Needed needed, Body&& body, Describe&& describe) {
  using Plain = std::remove_reference_t<Body>;
  return detail::for_shared_blocks(
      context, items, block_size, needed, [](void* closure, const Block& block) { (*static_cast<Plain*>(closure))(block); },
      const_cast<std::remove_const_t<Plain>*>(&body), std::ref(describe));
}

/// `reduce_blocks` whose blocks are divided among the processes that run the job together, if there are several: every
/// one merges the partial results of all in the same tree, and has the bits of a single process. T lists all that it
/// holds in `describe_state(Archive&)`.
/// @returns nothing in a shard of a run: the method counts the items as done and goes on without their values, which
///          `buffon merge` gives it later
template <class T, class Map, class Merge>
std::optional<T> reduce_shared(Context& context, std::int64_t items, std::int64_t block_size, Map&& map, Merge&& merge) {
  std::vector<T> parts(static_cast<std::size_t>(block_count(items, block_size)));
  const bool all = for_shared_blocks(
      context, items, block_size, Needed::at_the_end, [&](const Block& block) { parts[static_cast<std::size_t>(block.index)] = map(block); },
      [&](std::int64_t block, Archive& archive) { parts[static_cast<std::size_t>(block)].describe_state(archive); });
  if (!all) return std::nullopt;
  return merge_tree(std::move(parts), merge);
}

}  // namespace buffon
