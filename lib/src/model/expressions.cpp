// SPDX-License-Identifier: BSD-3-Clause
#include "expressions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numbers>
#include <set>

#include <muParser.h>

#include <buffon/core/error.hpp>
#include <buffon/model/model_kind.hpp>

namespace buffon {
namespace detail {
namespace {

using mu::value_type;
using One = value_type (*)(value_type);
using Two = value_type (*)(value_type, value_type);
using Many = value_type (*)(const value_type*, int);

struct Definition {
  ExpressionFunction signature;
  One one = nullptr;
  Two two = nullptr;
  Many many = nullptr;
};

// min and max hand on a value that is not a number.
value_type least(const value_type* x, int n) {
  value_type m = x[0];
  for (int i = 1; i < n; ++i) m = x[i] < m || std::isnan(x[i]) ? x[i] : m;
  return m;
}
value_type greatest(const value_type* x, int n) {
  value_type m = x[0];
  for (int i = 1; i < n; ++i) m = x[i] > m || std::isnan(x[i]) ? x[i] : m;
  return m;
}
value_type total(const value_type* x, int n) {
  value_type s = 0;
  for (int i = 0; i < n; ++i) s += x[i];
  return s;
}
value_type average(const value_type* x, int n) { return total(x, n) / n; }

Definition unary(std::string_view name, One f) { return {{name, 1, 1}, f, nullptr, nullptr}; }
Definition binary(std::string_view name, Two f) { return {{name, 2, 2}, nullptr, f, nullptr}; }
Definition variadic(std::string_view name, Many f) { return {{name, 1, max_expression_arguments}, nullptr, nullptr, f}; }

const std::vector<Definition>& definitions() {
  using V = value_type;
  static const std::vector<Definition> list = {
      unary("abs", [](V x) { return std::abs(x); }),
      unary("acos", [](V x) { return std::acos(x); }),
      unary("acosh", [](V x) { return std::acosh(x); }),
      unary("asin", [](V x) { return std::asin(x); }),
      unary("asinh", [](V x) { return std::asinh(x); }),
      unary("atan", [](V x) { return std::atan(x); }),
      binary("atan2", [](V y, V x) { return std::atan2(y, x); }),
      unary("atanh", [](V x) { return std::atanh(x); }),
      variadic("avg", average),
      unary("cbrt", [](V x) { return std::cbrt(x); }),
      unary("ceil", [](V x) { return std::ceil(x); }),
      unary("cos", [](V x) { return std::cos(x); }),
      unary("cosh", [](V x) { return std::cosh(x); }),
      unary("erf", [](V x) { return std::erf(x); }),
      unary("erfc", [](V x) { return std::erfc(x); }),
      unary("exp", [](V x) { return std::exp(x); }),
      unary("expm1", [](V x) { return std::expm1(x); }),
      unary("floor", [](V x) { return std::floor(x); }),
      unary("gamma", [](V x) { return std::tgamma(x); }),
      binary("hypot", [](V x, V y) { return std::hypot(x, y); }),
      unary("ln", [](V x) { return std::log(x); }),
      unary("log", [](V x) { return std::log(x); }),
      unary("log10", [](V x) { return std::log10(x); }),
      unary("log1p", [](V x) { return std::log1p(x); }),
      unary("log2", [](V x) { return std::log2(x); }),
      variadic("max", greatest),
      variadic("min", least),
      binary("mod", [](V x, V y) { return x - y * std::floor(x / y); }),
      unary("normcdf", [](V x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2_v<V>); }),
      unary("normpdf", [](V x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi_v<V>); }),
      binary("pow", [](V x, V y) { return std::pow(x, y); }),
      unary("round", [](V x) { return std::round(x); }),
      unary("sign", [](V x) { return std::isnan(x) ? x : V(x > 0) - V(x < 0); }),
      unary("sin", [](V x) { return std::sin(x); }),
      unary("sinh", [](V x) { return std::sinh(x); }),
      unary("sqrt", [](V x) { return std::sqrt(x); }),
      variadic("sum", total),
      unary("tan", [](V x) { return std::tan(x); }),
      unary("tanh", [](V x) { return std::tanh(x); }),
  };
  return list;
}

// Correctly rounded and independent of the locale, unlike the evaluator's own.
int read_number(const mu::char_type* text, int* position, value_type* value) {
  const std::size_t size = scan_number(text, *value);
  *position += static_cast<int>(size);
  return size > 0 ? 1 : 0;
}

// Construction and the first evaluation (compilation to byte code) touch data that all parsers share.
std::mutex& parser_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

const std::vector<ExpressionFunction>& expression_functions() {
  static const std::vector<ExpressionFunction> list = [] {
    std::vector<ExpressionFunction> functions;
    for (const auto& definition : definitions()) functions.push_back(definition.signature);
    return functions;
  }();
  return list;
}

/// Compiled expressions with the cells that they read; used by one thread at a time.
struct Expressions::Engine {
  std::vector<double> cells;
  std::vector<mu::Parser> parsers;
};

struct Expressions::Pool {
  std::mutex mutex;
  std::vector<std::unique_ptr<Engine>> idle;
};

Expressions::Expressions(std::vector<std::string> variables, std::vector<std::string> labels, std::vector<std::string> texts, bool chained)
    : variables_(std::move(variables)), labels_(std::move(labels)), texts_(std::move(texts)), chained_(chained), pool_(std::make_unique<Pool>()) {
  std::vector<std::string> known = variables_;
  for (std::size_t j = 0; j < texts_.size(); ++j) {
    check_expression("\"" + labels_[j] + "\"", texts_[j], known);
    if (chained_) known.push_back(labels_[j]);
  }
  pool_->idle.push_back(make_engine());
}

Expressions::~Expressions() = default;

std::unique_ptr<Expressions::Engine> Expressions::make_engine() const {
  const std::lock_guard lock(parser_mutex());
  auto engine = std::make_unique<Engine>();
  engine->cells.assign(variables_.size() + (chained_ ? texts_.size() : 0), 1.0);
  engine->parsers.resize(texts_.size());
  std::vector<std::string> known = variables_;
  for (std::size_t j = 0; j < texts_.size(); ++j) {
    mu::Parser& parser = engine->parsers[j];
    try {
      parser.ClearConst();
      parser.ClearFun();
      parser.AddValIdent(read_number);
      for (const auto& definition : definitions()) {
        const std::string name(definition.signature.name);
        if (definition.one != nullptr) parser.DefineFun(name, definition.one);
        if (definition.two != nullptr) parser.DefineFun(name, definition.two);
        if (definition.many != nullptr) parser.DefineFun(name, definition.many);
      }
      for (std::size_t k = 0; k < known.size(); ++k) parser.DefineVar(known[k], &engine->cells[k]);
      const auto constant = [&](const std::string& name, double value) {
        if (std::find(known.begin(), known.end(), name) == known.end()) parser.DefineConst(name, value);
      };
      constant("pi", std::numbers::pi);
      constant("e", std::numbers::e);
      constant("inf", std::numeric_limits<double>::infinity());
      // The evaluator does not skip a line end before "("; between the tokens of a checked expression no space is needed.
      std::string compact = texts_[j];
      std::erase_if(compact, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
      parser.SetExpr(compact);
      parser.Eval();
    } catch (const mu::Parser::exception_type& error) {
      throw Error(ErrorCategory::configuration, {.doing = "reading the expression of \"" + labels_[j] + "\"",
                                                 .value = "\"" + texts_[j].substr(0, 200) + "\"",
                                                 .rule = "is not understood: " + error.GetMsg()});
    }
    if (chained_) known.push_back(labels_[j]);
  }
  return engine;
}

void Expressions::evaluate(const ConstMatrix& first, const ConstMatrix& second, MutMatrix values) const {
  std::unique_ptr<Engine> engine;
  {
    const std::lock_guard lock(pool_->mutex);
    if (!pool_->idle.empty()) {
      engine = std::move(pool_->idle.back());
      pool_->idle.pop_back();
    }
  }
  if (!engine) engine = make_engine();
  double* cells = engine->cells.data();
  for (Index i = 0; i < values.cols(); ++i) {
    double* cell = cells;
    for (Index k = 0; k < first.rows(); ++k) *cell++ = first(k, i);
    for (Index k = 0; k < second.rows(); ++k) *cell++ = second(k, i);
    for (Index j = 0; j < values.rows(); ++j) {
      const double value = engine->parsers[static_cast<std::size_t>(j)].Eval();
      values(j, i) = value;
      if (chained_) *cell++ = value;
    }
  }
  const std::lock_guard lock(pool_->mutex);
  pool_->idle.push_back(std::move(engine));
}

namespace {

void check_lists(const std::vector<std::string>& names, const std::vector<std::string>& texts) {
  const std::string doing = "making a model from expressions";
  if (names.empty()) throw Error(ErrorCategory::configuration, {.doing = doing, .key = "outputs", .rule = "must hold at least one expression"});
  if (names.size() != texts.size()) {
    throw Error(ErrorCategory::usage, {.doing = doing,
                                       .key = "expressions",
                                       .value = std::to_string(texts.size()) + " expressions",
                                       .rule = "must be as many as names, " + std::to_string(names.size())});
  }
}

void check_distinct(const std::vector<std::string>& names, const std::string& what) {
  std::set<std::string> seen;
  for (const auto& name : names) {
    if (!seen.insert(name).second) {
      throw Error(ErrorCategory::configuration, {.doing = "naming the variables of expressions",
                                                 .key = what,
                                                 .value = "\"" + name + "\"",
                                                 .rule = "is named twice",
                                                 .remedy = "Rename one of the two"});
    }
  }
}

class ExpressionModel final : public Model {
 public:
  ExpressionModel(std::vector<std::string> inputs, std::vector<std::string> outputs, std::vector<std::string> texts)
      : inputs_(static_cast<Index>(inputs.size())), outputs_(outputs), expressions_(std::move(inputs), std::move(outputs), std::move(texts), true) {}

  Index input_size() const override { return inputs_; }
  Index output_size() const override { return static_cast<Index>(outputs_.size()); }
  const std::vector<std::string>& output_names() const override { return outputs_; }
  std::vector<PointFailure> evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token&) const override {
    expressions_.evaluate(points, Eigen::MatrixXd(0, points.cols()), values);
    return {};
  }

 private:
  Index inputs_;
  std::vector<std::string> outputs_;
  Expressions expressions_;
};

class PostprocessedModel final : public Model {
 public:
  PostprocessedModel(std::shared_ptr<const Model> inner, std::vector<std::string> variables, std::vector<std::string> outputs, std::vector<std::string> texts)
      : inner_(std::move(inner)), outputs_(outputs), expressions_(std::move(variables), std::move(outputs), std::move(texts), false) {}

  Index input_size() const override { return inner_->input_size(); }
  Index output_size() const override { return static_cast<Index>(outputs_.size()); }
  const std::vector<std::string>& output_names() const override { return outputs_; }
  Index preferred_batch() const override { return inner_->preferred_batch(); }
  std::vector<PointFailure> evaluate(const ConstMatrix& points, MutMatrix values, const std::stop_token& stop) const override {
    Eigen::MatrixXd inside(inner_->output_size(), points.cols());
    std::vector<PointFailure> failures = inner_->evaluate(points, inside, stop);
    // A comparison would hide an output that is not a number, so such a point fails here.
    std::vector<PointFailure> all;
    std::size_t next = 0;
    for (Index i = 0; i < points.cols(); ++i) {
      if (next < failures.size() && failures[next].column == i) {
        all.push_back(std::move(failures[next++]));
        continue;
      }
      for (Index k = 0; k < inside.rows(); ++k) {
        if (std::isfinite(inside(k, i))) continue;
        all.push_back({i, "output " + inner_->output_names()[static_cast<std::size_t>(k)] + " is " + to_text(inside(k, i))});
        break;
      }
    }
    expressions_.evaluate(points, inside, values);
    for (const auto& failure : all) values.col(failure.column).setConstant(std::numeric_limits<double>::quiet_NaN());
    return all;
  }

 private:
  std::shared_ptr<const Model> inner_;
  std::vector<std::string> outputs_;
  Expressions expressions_;
};

}  // namespace
}  // namespace detail

std::shared_ptr<const Model> expression_model(std::vector<std::string> input_names, std::vector<std::string> output_names,
                                              std::vector<std::string> expressions) {
  detail::check_lists(output_names, expressions);
  for (const auto& name : input_names) detail::check_variable_name(name, "input");
  for (const auto& name : output_names) detail::check_variable_name(name, "output");
  std::vector<std::string> all = input_names;
  all.insert(all.end(), output_names.begin(), output_names.end());
  detail::check_distinct(all, "input or output");
  return std::make_shared<detail::ExpressionModel>(std::move(input_names), std::move(output_names), std::move(expressions));
}

std::shared_ptr<const Model> postprocessed_model(std::shared_ptr<const Model> inner, std::vector<std::string> input_names,
                                                 std::vector<std::string> output_names, std::vector<std::string> expressions) {
  detail::check_lists(output_names, expressions);
  std::vector<std::string> variables = std::move(input_names);
  for (const auto& name : variables) detail::check_variable_name(name, "input");
  for (const auto& name : inner->output_names()) detail::check_variable_name(name, "model output");
  variables.insert(variables.end(), inner->output_names().begin(), inner->output_names().end());
  detail::check_distinct(variables, "input or model output");
  detail::check_distinct(output_names, "quantity");
  return std::make_shared<detail::PostprocessedModel>(std::move(inner), std::move(variables), std::move(output_names), std::move(expressions));
}

}  // namespace buffon
