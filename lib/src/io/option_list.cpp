// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/io/option_list.hpp>

#include <array>
#include <utility>

#include "config/node.hpp"
#include "config/values.hpp"

namespace buffon {
namespace {

class Lister : public OptionVisitor {
 public:
  using OptionVisitor::on;
  void on(const Field& f, bool& v) override { add(f, OptionType::boolean, config::to_node(v)); }
  void on(const Field& f, std::int64_t& v) override { add(f, OptionType::integer, config::to_node(v)); }
  void on(const Field& f, double& v) override { add(f, OptionType::number, config::to_node(v)); }
  void on(const Field& f, std::string& v) override { add(f, OptionType::text, config::to_node(v)); }
  void on(const Field& f, std::optional<double>& v) override {
    if (v) {
      add(f, OptionType::optional_number, config::to_node(*v));
    } else {
      add(f, OptionType::optional_number);
    }
  }
  void on(const Field& f, std::vector<double>& v) override { add(f, OptionType::number_list, config::to_node(v)); }
  void on(const Field& f, std::vector<std::int64_t>& v) override { add(f, OptionType::integer_list, config::to_node(v)); }
  void on(const Field& f, std::vector<std::string>& v) override { add(f, OptionType::text_list, config::to_node(v)); }
  void on(const Field& f, std::vector<std::vector<std::string>>& v) override { add(f, OptionType::text_lists, config::to_node(v)); }
  void on(const Field& f, std::vector<std::vector<double>>& v) override { add(f, OptionType::number_rows, config::to_node(v)); }
  void on(const Field& f, std::vector<std::vector<std::vector<double>>>& v) override { add(f, OptionType::number_tables, config::to_node(v)); }

  std::vector<ListedOption> take() { return std::move(options_); }

 private:
  void add(const Field& field, OptionType type) {
    ListedOption option;
    option.name = field.name;
    option.meaning = field.meaning;
    option.unit = field.unit;
    option.type = type;
    option.range = field.range;
    option.choices.assign(field.choices.begin(), field.choices.end());
    option.required = field.required;
    option.size_min = field.size_min;
    option.size_max = field.size_max;
    option.json = field.json;
    options_.push_back(std::move(option));
  }

  void add(const Field& field, OptionType type, const config::Node& value) {
    add(field, type);
    if (!field.required) options_.back().default_text = config::write_value(value);
  }

  std::vector<ListedOption> options_;
};

bool is_list(OptionType type) { return type >= OptionType::number_list; }

}  // namespace

std::string_view type_text(OptionType type) {
  static constexpr std::array<std::string_view, 11> words = {"true or false",
                                                             "whole number",
                                                             "number",
                                                             "text",
                                                             "number, may be left out",
                                                             "list of numbers",
                                                             "list of whole numbers",
                                                             "list of texts",
                                                             "list of lists of texts",
                                                             "list of lists of numbers",
                                                             "list of lists of lists of numbers"};
  return words[static_cast<std::size_t>(type)];
}

std::string ListedOption::rule() const {
  std::string out = range.rule();
  if (out.rfind("must be ", 0) == 0) out.erase(0, 8);
  const auto also = [&](const std::string& part) { out += (out.empty() ? "" : ", ") + part; };
  if (json) also("a JSON object or a table");
  if (!choices.empty()) {
    std::string words = "one of";
    for (std::size_t i = 0; i < choices.size(); ++i) words += (i == 0 ? " " : ", ") + choices[i];
    also(words);
  }
  if (is_list(type)) {
    const bool bounded = size_max != std::numeric_limits<std::int64_t>::max();
    if (bounded && size_min == size_max) {
      also(std::to_string(size_min) + " elements");
    } else {
      if (size_min > 0) also("at least " + std::to_string(size_min) + (size_min == 1 ? " element" : " elements"));
      if (bounded) also("at most " + std::to_string(size_max) + (size_max == 1 ? " element" : " elements"));
    }
  }
  return out;
}

std::vector<ListedOption> list_options(const std::function<void(OptionVisitor&)>& describe) {
  Lister lister;
  describe(lister);
  return lister.take();
}

}  // namespace buffon
