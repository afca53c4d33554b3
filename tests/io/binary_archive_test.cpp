// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include <buffon/core/error.hpp>
#include <buffon/io/binary_archive.hpp>

using namespace buffon;

namespace {

enum class Colour : std::int64_t { red, green };

struct Part {
  double weight = 0;
  std::vector<std::int64_t> counts;
  void describe_state(Archive& a) {
    a.item("weight", weight);
    a.item("counts", counts);
  }
};

struct Everything {
  bool flag = false;
  std::int64_t number = 0;
  std::uint64_t big = 0;
  double real = 0;
  std::string text;
  std::vector<double> reals;
  std::vector<std::string> texts;
  Eigen::VectorXd vector;
  Eigen::MatrixXd matrix;
  Part part;
  std::vector<Part> parts;
  Colour colour = Colour::red;
  void describe_state(Archive& a) {
    a.item("flag", flag);
    a.item("number", number);
    a.item("big", big);
    a.item("real", real);
    a.item("text", text);
    a.item("reals", reals);
    a.item("texts", texts);
    a.item("vector", vector);
    a.item("matrix", matrix);
    a.item("part", part);
    a.item("parts", parts);
    a.item("colour", colour);
  }
};

Everything full() {
  Everything e;
  e.flag = true;
  e.number = std::numeric_limits<std::int64_t>::min();
  e.big = std::numeric_limits<std::uint64_t>::max();
  e.real = -0.0;
  e.text = std::string("with \0 inside", 13);
  e.reals = {std::nan(""), 5e-324, -HUGE_VAL};
  e.texts = {"", "two"};
  e.vector = Eigen::VectorXd::LinSpaced(3, 0.1, 0.3);
  e.matrix = Eigen::MatrixXd{{1.5, -2, 3}, {0.1, 1e300, -0.0}};
  e.part = {.weight = 2.5, .counts = {1, -1}};
  e.parts = {{.weight = 1, .counts = {}}, {.weight = 2, .counts = {7}}};
  e.colour = Colour::green;
  return e;
}

std::string saved(Everything e) {
  BinaryWriter writer;
  e.describe_state(writer);
  return writer.take();
}

Everything loaded(std::string_view bytes) {
  Everything e;
  BinaryReader reader(bytes);
  e.describe_state(reader);
  reader.finish();
  return e;
}

template <class T>
struct Single {
  std::string name;
  T value{};
  void describe_state(Archive& a) { a.item(name, value); }
};

}  // namespace

TEST_CASE("everything that is saved is loaded with all its bits") {
  const std::string bytes = saved(full());
  const Everything e = loaded(bytes);
  CHECK(saved(e) == bytes);
  CHECK(std::signbit(e.real));
  CHECK(std::isnan(e.reals[0]));
  CHECK(e.text.size() == 13);
  CHECK(e.matrix == full().matrix);
  CHECK(e.parts[1].counts == std::vector<std::int64_t>{7});
  CHECK(e.colour == Colour::green);
}

TEST_CASE("empty matrices keep their shape") {
  BinaryWriter writer;
  Eigen::MatrixXd flat(0, 5), thin(3, 0);
  writer.item("flat", flat);
  writer.item("thin", thin);
  Eigen::MatrixXd a, b;
  BinaryReader reader(writer.bytes());
  reader.item("flat", a);
  reader.item("thin", b);
  CHECK(a.cols() == 5);
  CHECK(b.rows() == 3);
}

TEST_CASE("saved state that is cut off anywhere is refused") {
  const std::string bytes = saved(full());
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_THROWS_AS(loaded(std::string_view(bytes).substr(0, size)), Error);
  CHECK_THROWS_AS(loaded(bytes + "x"), Error);
}

TEST_CASE("any changed byte of saved state is refused or changes a value, and never asks for absurd memory") {
  const std::string bytes = saved(full());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const char change : {char(0x01), char(0x80), char(0xff)}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      try {
        const std::string again = saved(loaded(damaged));
        CHECK(again == damaged);  // accepted: then it is a value, read as it stands
      } catch (const Error& error) {
        CHECK(error.category() == ErrorCategory::data);
      }
    }
  }
}

TEST_CASE("another name, another type and a member more are refused by name") {
  BinaryWriter writer;
  Single<double> one{"alpha", 1.5};
  writer.item("object", one);
  const auto message = [&](auto&& object) {
    try {
      BinaryReader reader(writer.bytes());
      reader.item("object", object);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message(Single<double>{"alpha", 0}).empty());
  CHECK(message(Single<double>{"beta", 0}) == "reading saved state: object.beta is called \"alpha\" in the saved state.");
  CHECK(message(Single<std::int64_t>{"alpha", 0}) == "reading saved state: object.alpha has another type here than in the saved state.");
}

TEST_CASE("the checksum changes with every single byte") {
  const std::string text = "state of a method between two rounds";
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string other = text;
      other[i] = static_cast<char>(other[i] ^ (1 << bit));
      CHECK(checksum(other) != checksum(text));
    }
  }
  CHECK(checksum("a") == 0xaf63dc4c8601ec8cu);  // published value of 64-bit FNV-1a
}
