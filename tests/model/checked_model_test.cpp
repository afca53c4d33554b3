// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/model.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

using namespace buffon;

namespace {

Eigen::MatrixXd five_points() {
  Eigen::MatrixXd x(2, 5);
  x << 0, 1, 2, 3, 4, 0.1, 0.2, 0.3, 0.4, 0.5;
  return x;
}

std::shared_ptr<const Model> throws_at_three() {
  return make_model(2, {"y"}, [](const ConstMatrix& x, MutMatrix y) {
    for (Index i = 0; i < x.cols(); ++i) {
      if (x(0, i) == 3) throw std::runtime_error("no convergence");
      y(0, i) = x(0, i) + x(1, i);
    }
  });
}

/// Fails at point 2 the first `failures` times that it is asked.
class Flaky final : public Model {
 public:
  explicit Flaky(int failures) : left_(failures) {}
  Index input_size() const override { return 2; }
  Index output_size() const override { return 1; }
  const std::vector<std::string>& output_names() const override { return names_; }
  std::vector<PointFailure> evaluate(const ConstMatrix& x, MutMatrix y, const std::stop_token&) const override {
    std::vector<PointFailure> failures;
    for (Index i = 0; i < x.cols(); ++i) {
      y(0, i) = x(0, i);
      if (x(0, i) == 2 && left_-- > 0) failures.push_back({i, "licence server away"});
    }
    return failures;
  }

 private:
  mutable int left_;
  std::vector<std::string> names_ = {"y"};
};

class Small final : public Model {
 public:
  Index input_size() const override { return 1; }
  Index output_size() const override { return 1; }
  const std::vector<std::string>& output_names() const override { return names_; }
  Index preferred_batch() const override { return 3; }
  std::vector<PointFailure> evaluate(const ConstMatrix& x, MutMatrix y, const std::stop_token&) const override {
    sizes.push_back(x.cols());
    y = x;
    if (cancel != nullptr) cancel->request_stop();
    return {};
  }
  mutable std::vector<Index> sizes;
  std::stop_source* cancel = nullptr;

 private:
  std::vector<std::string> names_ = {"y"};
};

}  // namespace

TEST_CASE("a batch function that throws is evaluated point by point, and only the culprit fails") {
  const auto model = throws_at_three();
  Eigen::MatrixXd y(1, 5);
  const auto failures = model->evaluate(five_points(), y, {});
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].column == 3);
  CHECK(failures[0].message == "no convergence");
  CHECK(std::isnan(y(0, 3)));
  CHECK(y(0, 4) == 4.5);
}

TEST_CASE("a failing point stops the run with an error that names it and carries it") {
  const CheckedModel checked(throws_at_three(), {"load", "width"});
  const Eigen::MatrixXd x = five_points();
  Eigen::MatrixXd y(1, 5);
  try {
    checked.evaluate(x, y, {});
    FAIL("no error");
  } catch (const ModelError& error) {
    CHECK(error.category() == ErrorCategory::model);
    CHECK(std::string(error.what()) ==
          "evaluating the model at load = 3, width = 0.4: the model failed: no convergence. "
          "Mend the model at this point, or set model.on_failure = \"retry\" or \"replace\".");
    CHECK(error.point() == x.col(3));
    CHECK(error.reason() == "no convergence");
    CHECK(error.input_names() == std::vector<std::string>{"load", "width"});
  }
}

TEST_CASE("values of a failing point are written with every digit") {
  const CheckedModel checked(make_model(1, {"a", "b"},
                                        [](const ConstMatrix& x, MutMatrix y) {
                                          y.row(0) = x.row(0);
                                          y.row(1).setConstant(std::numeric_limits<double>::infinity());
                                        }),
                             {"x"});
  const Eigen::MatrixXd x = Eigen::MatrixXd::Constant(1, 1, 0.1 + 0.2);
  Eigen::MatrixXd y(2, 1);
  CHECK_THROWS_WITH_AS(checked.evaluate(x, y, {}),
                       "evaluating the model at x = 0.30000000000000004: output b = inf must be finite. "
                       "Mend the model at this point, or set model.on_failure = \"retry\" or \"replace\".",
                       ModelError);
}

TEST_CASE("an output that a batch function forgets to write is a failure, not a leftover") {
  const CheckedModel checked(make_model(1, {"a", "b"}, [](const ConstMatrix& x, MutMatrix y) { y.row(0) = x.row(0); }), {"x"});
  Eigen::MatrixXd y = Eigen::MatrixXd::Ones(2, 4);
  CHECK_THROWS_AS(checked.evaluate(Eigen::MatrixXd::Ones(1, 4), y, {}), ModelError);
}

TEST_CASE("replacing sets every output of the failed points only, and counts them") {
  const CheckedModel checked(throws_at_three(), {"a", "b"}, {.action = FailurePolicy::Action::replace, .replacement = -7});
  Eigen::MatrixXd y(1, 5);
  checked.evaluate(five_points(), y, {});
  Eigen::MatrixXd expected = five_points().colwise().sum();
  expected(0, 3) = -7;
  CHECK(y == expected);
  CHECK(checked.replaced() == 1);
  CHECK(checked.retried() == 0);
}

TEST_CASE("retrying repeats only the failed points, at most as often as allowed") {
  Eigen::MatrixXd y(1, 5);
  const CheckedModel enough(std::make_shared<Flaky>(3), {"a", "b"}, {.action = FailurePolicy::Action::retry, .retries = 3});
  enough.evaluate(five_points(), y, {});
  CHECK(y(0, 2) == 2);
  CHECK(enough.retried() == 3);

  const CheckedModel too_few(std::make_shared<Flaky>(3), {"a", "b"}, {.action = FailurePolicy::Action::retry, .retries = 2});
  CHECK_THROWS_WITH_AS(too_few.evaluate(five_points(), y, {}), doctest::Contains("(3 attempts): licence server away"), ModelError);
}

TEST_CASE("a batch that fails as a whole fails although each point succeeds alone") {
  const CheckedModel checked(make_model(2, {"y"},
                                        [](const ConstMatrix& x, MutMatrix y) {
                                          if (x.cols() > 1) throw std::runtime_error("batch too large");
                                          y.setZero();
                                        }),
                             {"a", "b"});
  Eigen::MatrixXd y(1, 5);
  CHECK_THROWS_WITH_AS(checked.evaluate(five_points(), y, {}), doctest::Contains("batch too large (thrown for a batch of 5 points"), ModelError);
}

TEST_CASE("interruption passes through a model function and is not taken for a failure") {
  const CheckedModel checked(make_model(2, {"y"}, [](const ConstMatrix&, MutMatrix) { throw Error(ErrorCategory::interrupted, {.rule = "stopped"}); }),
                             {"a", "b"}, {.action = FailurePolicy::Action::replace});
  Eigen::MatrixXd y(1, 5);
  try {
    checked.evaluate(five_points(), y, {});
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.category() == ErrorCategory::interrupted);
  }
}

TEST_CASE("points are handed over in the batches that a model prefers, and a stop is honoured between them") {
  const auto model = std::make_shared<Small>();
  const CheckedModel checked(model, {"x"});
  const Eigen::MatrixXd x = Eigen::MatrixXd::Random(1, 8);
  Eigen::MatrixXd y(1, 8);
  checked.evaluate(x, y, {});
  CHECK(y == x);
  CHECK(model->sizes == std::vector<Index>{3, 3, 2});

  std::stop_source source;
  model->cancel = &source;
  model->sizes.clear();
  CHECK_THROWS_AS(checked.evaluate(x, y, source.get_token()), Error);
  CHECK(model->sizes.size() == 1);
}

TEST_CASE("wrong sizes are refused before the model is called") {
  const CheckedModel checked(throws_at_three(), {"a", "b"});
  Eigen::MatrixXd y(1, 5);
  CHECK_THROWS_WITH_AS(checked.evaluate(Eigen::MatrixXd::Zero(3, 5), y, {}), doctest::Contains("3 x 5"), Error);
  CHECK_THROWS_AS(CheckedModel(throws_at_three(), {"a"}), Error);
  CHECK_THROWS_AS(make_model(1, {"y", "y"}, [](const ConstMatrix&, MutMatrix) {}), Error);
}

TEST_CASE("a function of one point becomes a model") {
  const auto model = make_point_model(2, "y", [](const Eigen::VectorXd& x) { return x.sum(); });
  Eigen::MatrixXd y(1, 5);
  CHECK(model->evaluate(five_points(), y, {}).empty());
  CHECK(y == five_points().colwise().sum());
}
