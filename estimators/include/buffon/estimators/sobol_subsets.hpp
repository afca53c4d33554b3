// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>
#include <buffon/stats/estimate.hpp>
#include <buffon/stats/outcome.hpp>

#include <string>
#include <vector>

namespace buffon {

class JointLaw;
class Problem;

/// A set of inputs u ⊂ {0, …, d − 1}, ascending, neither empty nor everything.
using InputSubset = std::vector<Index>;

/// The inputs that are not in `subset`, ascending.
InputSubset complement(const InputSubset& subset, Index dimension);

/// Every non-empty proper subset, by size, then in the order of the inputs: 2^d − 2 of them.
std::vector<InputSubset> proper_subsets(Index dimension);

/// Subsets from names of inputs. Order within a subset does not matter.
/// @param doing for messages, e.g. "reading the options of sobol"
/// @throws Error(configuration) with key `options.subsets` for an unknown, repeated or missing name, the set of all inputs
///         (its index is 1 by definition), or a subset that is given twice
std::vector<InputSubset> subsets_from_names(const std::vector<std::vector<std::string>>& names, const std::vector<std::string>& inputs,
                                            const std::string& doing);

/// Rows of the quantities called `names`, all of them when the list is empty.
/// @throws Error(configuration) with key `options.outputs` for an unknown or repeated name
std::vector<Index> outputs_from_names(const std::vector<std::string>& names, const Problem& problem, const std::string& doing);

/// Row of the quantity called `name`. @throws Error(configuration) with key `options.output`
Index output_from_name(const std::string& name, const Problem& problem, const std::string& doing);

/// Refuses coupled inputs: the variance decomposition behind Sobol' indices needs independent ones.
/// @throws Error(configuration)
void require_independent(const JointLaw& law, const std::string& doing);

/// One index that is reported.
struct SobolIndex {
  std::string name;                 ///< "S1[w]", "ST[w]", "S[w,t]"; with several outputs "S1[y:w]"
  std::string group;                ///< "first", "total" or "closed"
  std::string output;               ///< name of the output
  std::vector<std::string> inputs;  ///< names of the inputs in the subset
  Estimate estimate;                ///< value, standard error, interval
  std::string note;                 ///< plain words when the index cannot be told from zero, else empty
};

/// "S1[w]" for group first, "ST[w]" for total, "S[w,t]" for closed.
/// @param output empty = leave it out
std::string index_name(const std::string& group, const std::string& output, const std::vector<std::string>& inputs);

/// The note for an estimate of an index, empty when its interval lies above zero.
std::string index_note(const Estimate& estimate);

/// The lines of an outcome.
std::vector<NamedEstimate> named_estimates(const std::vector<SobolIndex>& indices);

}  // namespace buffon
