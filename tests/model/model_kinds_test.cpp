// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/model_kind.hpp>

#include <doctest/doctest.h>

#include <map>
#include <set>

using namespace buffon;

namespace {

/// Fills the options that are named here and remembers every field that it was shown.
class Values final : public OptionVisitor {
 public:
  std::map<std::string, std::vector<std::string>> lists;
  std::map<std::string, std::string> words;
  std::set<std::string> seen;

  void on(const Field& f, bool&) override { note(f); }
  void on(const Field& f, std::int64_t&) override { note(f); }
  void on(const Field& f, double&) override { note(f); }
  void on(const Field& f, std::string& value) override {
    note(f);
    if (words.count(std::string(f.name)) > 0) value = words[std::string(f.name)];
  }
  void on(const Field& f, std::optional<double>&) override { note(f); }
  void on(const Field& f, std::vector<double>&) override { note(f); }
  void on(const Field& f, std::vector<std::int64_t>&) override { note(f); }
  void on(const Field& f, std::vector<std::string>& value) override {
    note(f);
    if (lists.count(std::string(f.name)) > 0) value = lists[std::string(f.name)];
  }
  void on(const Field& f, std::vector<std::vector<std::string>>&) override { note(f); }

 private:
  void note(const Field& field) {
    CHECK(!field.meaning.empty());
    seen.insert(std::string(field.name));
  }
};

const ModelKind& kind(const std::string& name) {
  for (const auto& k : model_kinds()) {
    if (k.name == name) return k;
  }
  FAIL("no kind " << name);
  return model_kinds().front();
}

}  // namespace

TEST_CASE("every kind of model describes its options") {
  for (const auto& k : model_kinds()) {
    Values values;
    k.describe(values);
    CHECK(!values.seen.empty());
    CHECK(!k.summary.empty());
  }
}

TEST_CASE("a named model asks for as many inputs as it has") {
  Values values;
  values.words["name"] = "ishigami";
  CHECK(kind("named").make(values, {.input_names = {"a", "b", "c"}, .base_directory = {}, .run_directory = {}})->input_size() == 3);
  CHECK_THROWS_WITH_AS(kind("named").make(values, {.input_names = {"a"}, .base_directory = {}, .run_directory = {}}),
                       doctest::Contains("must be the 3 inputs of ishigami"), Error);
}

TEST_CASE("outputs of an expression model are written as name = expression") {
  const ModelSetting setting{.input_names = {"a"}, .base_directory = {}, .run_directory = {}};
  Values values;
  values.lists["outputs"] = {"y = 2 * a", "z=y == 4 ? 1 : 0"};
  const auto model = kind("expression").make(values, setting);
  CHECK(model->output_names() == std::vector<std::string>{"y", "z"});
  Eigen::MatrixXd y(2, 1);
  model->evaluate(Eigen::MatrixXd::Constant(1, 1, 2.0), y, {});
  CHECK(y(0, 0) == 4);
  CHECK(y(1, 0) == 1);
  values.lists["outputs"] = {"2 * a"};
  CHECK_THROWS_WITH_AS(kind("expression").make(values, setting), doctest::Contains("must have the form \"name = expression\""), Error);
}

TEST_CASE("a process model is made from its options") {
  Values values;
  values.lists["command"] = {BUFFON_TEST_CHILD};
  values.lists["outputs"] = {"sum", "product"};
  const auto model = kind("process").make(values, {.input_names = {"x", "y"}, .base_directory = {}, .run_directory = {}});
  Eigen::MatrixXd value(2, 1);
  CHECK(model->evaluate(Eigen::Vector2d(3, 4), value, {}).empty());
  CHECK(value(1, 0) == 12);
}
