// SPDX-License-Identifier: BSD-3-Clause
#include "nested_reader.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "option_reader.hpp"
#include "problem_reader.hpp"
#include "sections.hpp"

namespace buffon::config {

ReadNested read_nested(const Document& document, const std::filesystem::path& base_directory) {
  Section section = section_of(document, "nested", "reading the nested problem");
  if (document.root.find("nested") == nullptr) {
    section.fail(document.root.where, "nested", {}, "is required and missing", "add a section [nested] with its kind");
  }
  NestedSection head = nested_section();
  OptionReader reader(section);
  describe(reader, head);
  const auto& kinds = nested_kinds();
  const NestedKind& kind = *std::find_if(kinds.begin(), kinds.end(), [&](const NestedKind& k) { return k.name == head.kind; });

  section.doing = "reading the nested problem of kind " + kind.name;
  std::vector<std::string> keys;
  append_names(keys, list_options_of(head));
  append_names(keys, list_options(kind.describe));
  check_keys(section, keys);

  ReadNested out;
  OptionReader options(section);
  out.problem = located(section, [&] { return kind.make(options, {.base_directory = base_directory}); });
  out.nested = reader.take_resolved();
  for (auto& member : options.take_resolved().members) out.nested.members.push_back(std::move(member));
  return out;
}

}  // namespace buffon::config
