// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/model_kind.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace buffon;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  Fixture() {
    std::string name = (fs::temp_directory_path() / "buffon-test-XXXXXX").string();
    folder = mkdtemp(name.data());
    file = folder / "journal.bin";
  }
  ~Fixture() { fs::remove_all(folder); }

  /// Outputs x² and √x; counts the points that it evaluates. √x is not a number for negative x.
  std::shared_ptr<const Model> counted(std::vector<std::string> outputs = {"square", "root"}) {
    return make_model(1, std::move(outputs), [this](const ConstMatrix& x, MutMatrix y) {
      calls += x.cols();
      y.row(0) = x.row(0).cwiseAbs2();
      y.row(1) = x.row(0).cwiseSqrt();
    });
  }

  fs::path folder, file;
  std::atomic<Index> calls{0};
};

Eigen::MatrixXd points(Index n) { return Eigen::RowVectorXd::LinSpaced(n, 0.1, 7.7); }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a journal gives back the exact bits without asking the model again") {
  const Eigen::MatrixXd x = points(50);
  Eigen::MatrixXd first(2, 50), second(2, 60);
  journaled_model(counted(), file)->evaluate(x, first, {});
  CHECK(calls == 50);
  Eigen::MatrixXd more(1, 60);
  more << x.rightCols(30), points(40).leftCols(30).array() + 100;
  journaled_model(counted(), file)->evaluate(more, second, {});
  CHECK(calls == 80);
  CHECK(second.leftCols(30) == first.rightCols(30));
  CHECK(second(0, 59) == more(0, 59) * more(0, 59));
}

TEST_CASE_FIXTURE(Fixture, "a journal killed at any byte keeps every whole record and goes on") {
  const Eigen::MatrixXd x = points(5);
  Eigen::MatrixXd y(2, 5), again(2, 5);
  journaled_model(counted(), file)->evaluate(x, y, {});
  const auto whole = fs::file_size(file);
  CHECK(whole == 40 + 5 * 32);
  const fs::path copy = folder / "copy.bin";
  for (std::uintmax_t size = 0; size <= whole; ++size) {
    fs::copy_file(file, copy, fs::copy_options::overwrite_existing);
    fs::resize_file(copy, size);
    calls = 0;
    journaled_model(counted(), copy)->evaluate(x, again, {});
    const Index kept = size < 40 ? 0 : static_cast<Index>((size - 40) / 32);
    CHECK(calls == 5 - kept);
    CHECK(again == y);
    calls = 0;
    journaled_model(counted(), copy)->evaluate(x, again, {});
    CHECK(calls == 0);
    CHECK(again == y);
  }
}

TEST_CASE_FIXTURE(Fixture, "a damaged record is not believed") {
  const Eigen::MatrixXd x = points(5);
  Eigen::MatrixXd y(2, 5), again(2, 5);
  journaled_model(counted(), file)->evaluate(x, y, {});
  {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(40 + 2 * 32 + 12);
    stream.put('\x5a');
  }
  calls = 0;
  journaled_model(counted(), file)->evaluate(x, again, {});
  CHECK(calls == 1);
  CHECK(again == y);
}

TEST_CASE_FIXTURE(Fixture, "failed points are not remembered") {
  Eigen::MatrixXd x(1, 3), y(2, 3);
  x << 1, -1, 2;
  for (int pass = 1; pass <= 2; ++pass) {
    journaled_model(counted(), file)->evaluate(x, y, {});
    CHECK(std::isnan(y(1, 1)));
    CHECK(calls == 2 + pass);
  }
}

TEST_CASE_FIXTURE(Fixture, "a journal of another model, of another program or in use is refused") {
  {
    const auto open = journaled_model(counted(), file, "command A");
    CHECK_THROWS_WITH_AS(journaled_model(counted(), file, "command A"), doctest::Contains("is in use by another run"), Error);
  }
  CHECK_THROWS_WITH_AS(journaled_model(counted(), file, "command B"), doctest::Contains("another model"), Error);
  CHECK_THROWS_WITH_AS(journaled_model(counted({"square", "other"}), file, "command A"), doctest::Contains("another model"), Error);
  CHECK_NOTHROW(journaled_model(counted(), file, "command A"));
  std::ofstream(file) << "something else altogether, longer than a header of forty bytes";
  CHECK_THROWS_WITH_AS(journaled_model(counted(), file), doctest::Contains("is not a journal"), Error);
  CHECK_THROWS_WITH_AS(journaled_model(counted(), folder / "no" / "journal.bin"), doctest::Contains("cannot be opened"), Error);
}

TEST_CASE_FIXTURE(Fixture, "several threads share a journal") {
  const auto model = journaled_model(counted(), file);
  const Eigen::MatrixXd x = points(400);
  Eigen::MatrixXd y(2, 400);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 10; ++i) model->evaluate(x.middleCols(100 * t + 10 * i, 10), y.middleCols(100 * t + 10 * i, 10), {});
      });
    }
  }
  CHECK(y.row(0) == x.row(0).cwiseAbs2());
  calls = 0;
  model->evaluate(x, y, {});
  CHECK(calls == 0);
}
