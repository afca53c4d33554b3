// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/backend/backend.hpp>

#include <array>
#include <limits>
#include <mutex>
#include <utility>

#include <buffon/core/error.hpp>

#include "../core/component.hpp"
#include "host.hpp"

namespace buffon::backend {
namespace {

[[noreturn]] void refuse(ErrorCategory category, std::string doing, std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(category, {.doing = std::move(doing), .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

/// A table, or why there is none.
struct Known {
  std::string name;
  const buffon_backend* table = nullptr;
  std::string why_not = {};
};

/// A backend in a library of its own.
Known loaded(const std::string& name) {
  const detail::Component component = detail::load_component(name, "buffon_backend_table");
  if (component.symbol == nullptr) return {name, nullptr, component.why_not};
  const buffon_backend* table = reinterpret_cast<const buffon_backend* (*)()>(component.symbol)();
  if (table->version != BUFFON_BACKEND_VERSION) {
    return {name, nullptr,
            "libbuffon_" + name + ".so is of version " + std::to_string(table->version) + ", this program of " + std::to_string(BUFFON_BACKEND_VERSION)};
  }
  if (table->devices() < 1) return {name, nullptr, "no device was found"};
  return {name, table};
}

Known cpu() { return {"cpu", &cpu_backend()}; }
Known cpu_reference() { return {"cpu:reference", &reference_backend()}; }
Known cuda() { return loaded("cuda"); }

/// The list of backends: the one place that a new one is named in. A library is loaded when its backend is asked for.
struct Entry {
  const char* name;
  Known (*find)();
};
constexpr std::array<Entry, 3> entries = {{{"cpu", cpu}, {"cpu:reference", cpu_reference}, {"cuda", cuda}}};

const Known& known(std::size_t i) {
  static std::array<std::once_flag, entries.size()> once;
  static std::array<Known, entries.size()> all;
  std::call_once(once[i], [&] { all[i] = entries[i].find(); });
  return all[i];
}

std::int64_t size_of(buffon_type type) { return type == BUFFON_F64 ? 8 : 4; }

std::string shape_of(const View& v) {
  static constexpr std::array<const char*, 3> names = {"f32", "f64", "i32"};
  return std::to_string(v.rows) + " x " + std::to_string(v.columns) + " " + names[static_cast<std::size_t>(v.type)];
}

[[noreturn]] void misfit(const char* operation, const View& target, const View& other, const std::string& rule) {
  refuse(ErrorCategory::usage, std::string("giving the operation ") + operation, "shapes", shape_of(target) + " and " + shape_of(other), rule,
         "give matrices as buffon/backend/operations.h asks for them");
}

/// Nearly every operation is for floating-point numbers alone.
void floating(const char* operation, const View& view) {
  if (view.type == BUFFON_F32 || view.type == BUFFON_F64) return;
  refuse(ErrorCategory::usage, std::string("giving the operation ") + operation, "matrix", shape_of(view), "must be of type f32 or f64",
         "give a matrix of floating-point numbers");
}

void same_shape(const char* operation, const View& target, const View& other) {
  if (target.rows != other.rows || target.columns != other.columns || target.type != other.type) misfit(operation, target, other, "must be equal");
}

}  // namespace

std::vector<Listed> list() {
  std::vector<Listed> out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Known& k = known(i);
    Listed listed{k.name, "", k.why_not};
    if (k.table != nullptr) {
      try {
        listed.device = Device::open(k.name)->description();
      } catch (const Error& error) {
        listed.why_not = error.text().rule;  // a device that is there and cannot be opened
      }
    }
    out.push_back(std::move(listed));
  }
  return out;
}

std::shared_ptr<const Device> Device::open(const std::string& name) {
  std::string stem = name;
  int number = 0;
  const auto colon = name.rfind(':');
  if (colon != std::string::npos && colon + 1 < name.size() && name.find_first_not_of("0123456789", colon + 1) == std::string::npos &&
      name.size() - colon < 6) {
    number = std::stoi(name.substr(colon + 1));
    stem = name.substr(0, colon);
  }
  std::string names;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    names += (names.empty() ? "" : ", ") + std::string(entries[i].name);
    if (entries[i].name != stem) continue;
    const Known& k = known(i);
    if (k.table == nullptr)
      refuse(ErrorCategory::configuration, "opening a backend", "backend", name, "cannot be used here: " + k.why_not, "take backend = \"cpu\"");
    if (number >= k.table->devices()) {
      refuse(ErrorCategory::configuration, "opening a backend", "backend", name,
             "has only " + std::to_string(k.table->devices()) + " device(s), numbered from 0", "take " + stem + ":0");
    }
    std::shared_ptr<Device> device(new Device);
    device->table_ = k.table;
    device->number_ = number;
    if (const char* why = k.table->open(number, &device->handle_))
      refuse(ErrorCategory::model, "opening a backend", "backend", name, why, "take backend = \"cpu\"");
    return device;
  }
  refuse(ErrorCategory::configuration, "opening a backend", "backend", name, "is not known", "take one of " + names);
}

Device::~Device() {
  if (handle_ != nullptr) table_->close(handle_);
}

std::string Device::name() const { return number_ == 0 ? table_->name : std::string(table_->name) + ":" + std::to_string(number_); }

std::string Device::description() const {
  std::array<char, 256> text{};
  table_->describe(handle_, text.data(), static_cast<int>(text.size()));
  return text.data();
}

Buffer::Buffer(std::shared_ptr<const Device> device, std::int64_t bytes) : device_(std::move(device)), bytes_(bytes) {
  if (bytes == 0) return;
  if (const char* why = device_->table().allocate(device_->handle(), bytes, &data_)) {
    refuse(ErrorCategory::model, "allocating memory on " + device_->name(), "bytes", std::to_string(bytes), why, "use smaller batches");
  }
}
Buffer::Buffer(Buffer&& other) noexcept
    : device_(std::move(other.device_)), data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}
Buffer::~Buffer() {
  if (data_ != nullptr) device_->table().release(device_->handle(), data_);
}

namespace {

std::int64_t bytes_of(Index rows, Index columns, buffon_type type) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const std::int64_t size = size_of(type);
  if (rows < 0 || columns < 0 || (rows > 0 && columns > most / size / rows)) {
    refuse(ErrorCategory::usage, "making a matrix on a device", "shape", std::to_string(rows) + " x " + std::to_string(columns),
           "must not be negative and its bytes must be fewer than 2^63", "use smaller batches");
  }
  return rows * columns * size;
}

}  // namespace

Matrix::Matrix(std::shared_ptr<const Device> device, Index rows, Index columns, buffon_type type)
    : buffer_(std::move(device), bytes_of(rows, columns, type)), view_{buffer_.data(), rows, columns, rows, type} {}

View Matrix::columns(Index first, Index count) const {
  View part = view_;
  part.data = static_cast<char*>(part.data) + first * part.stride * size_of(part.type);
  part.columns = count;
  return part;
}

Queue::Queue(std::shared_ptr<const Device> device, int threads) : device_(std::move(device)) {
  if (const char* why = device_->table().make_queue(device_->handle(), threads, &handle_)) {
    refuse(ErrorCategory::model, "making a queue of " + device_->name(), "", "", why, "use fewer threads or another backend");
  }
}
Queue::Queue(Queue&& other) noexcept : device_(std::move(other.device_)), handle_(std::exchange(other.handle_, nullptr)) {}
Queue::~Queue() {
  if (handle_ != nullptr) device_->table().end_queue(handle_);
}

void Queue::done(const char* operation, const char* why) const {
  if (why != nullptr)
    refuse(ErrorCategory::model, std::string("doing the operation ") + operation + " on " + device_->name(), "", "", why,
           "use smaller batches or another backend");
}

namespace {
buffon_key key_of(const Stream& stream, std::uint64_t first) { return {stream.key0(), stream.key1(), stream.id(), first}; }

void check_terms(const View& target, std::span<const buffon_term> terms) {
  floating("combine", target);
  for (const buffon_term& term : terms) same_shape("combine", target, term.source);
  if (terms.size() > BUFFON_MOST_TERMS) {
    refuse(ErrorCategory::usage, "giving the operation combine", "terms", std::to_string(terms.size()), "must be at most " + std::to_string(BUFFON_MOST_TERMS),
           "combine them in several steps");
  }
}
}  // namespace

void Queue::fill(View target, buffon_law law, double constant, const Stream& stream, std::uint64_t first) {
  floating("fill", target);
  done("fill", device_->table().fill(handle_, target, law, constant, key_of(stream, first)));
}
void Queue::combine(View target, std::span<const buffon_term> terms, double noise, const Stream& stream, std::uint64_t first) {
  check_terms(target, terms);
  done("combine", device_->table().combine(handle_, target, terms.data(), static_cast<int>(terms.size()), noise, key_of(stream, first)));
}
void Queue::combine(View target, std::span<const buffon_term> terms) {
  check_terms(target, terms);
  done("combine", device_->table().combine(handle_, target, terms.data(), static_cast<int>(terms.size()), 0, buffon_key{}));
}
void Queue::reduce(View result, View source, buffon_reduction reduction) {
  floating("reduce", source);
  if (result.rows != 1 || result.columns != source.columns || result.type != BUFFON_F64)
    misfit("reduce", result, source, "must be 1 x columns f64 and a matrix");
  done("reduce", device_->table().reduce(handle_, result, source, reduction));
}
void Queue::softmax(View target, View source, double scale) {
  floating("softmax", source);
  same_shape("softmax", target, source);
  done("softmax", device_->table().softmax(handle_, target, source, scale));
}
void Queue::product(View c, View a, bool transposed, View b, double factor, double keep) {
  floating("product", c);
  const Index outer = transposed ? a.columns : a.rows, inner = transposed ? a.rows : a.columns;
  if (outer != c.rows || inner != b.rows || b.columns != c.columns) misfit("product", a, b, "must give " + shape_of(c));
  if (a.type != c.type || b.type != c.type) misfit("product", a, b, "must be of one type");
  done("product", device_->table().product(handle_, c, a, transposed ? 1 : 0, b, factor, keep));
}
void Queue::apply(View target, View source, buffon_function function, double low, double high) {
  floating("apply", source);
  same_shape("apply", target, source);
  done("apply", device_->table().apply(handle_, target, source, function, low, high));
}
void Queue::gather(View target, View source, View index) {
  floating("gather", source);
  if (target.rows != source.rows || target.type != source.type) misfit("gather", target, source, "must have columns of one kind");
  if (index.rows != 1 || index.columns != target.columns || index.type != BUFFON_I32) misfit("gather", target, index, "must have one i32 per column");
  const Eigen::MatrixXd chosen = download(index);
  for (Index c = 0; c < chosen.size(); ++c) {
    if (chosen(0, c) >= 0 && chosen(0, c) < static_cast<double>(source.columns)) continue;
    refuse(ErrorCategory::usage, "giving the operation gather", "index[" + std::to_string(c) + "]", std::to_string(static_cast<Index>(chosen(0, c))),
           "must be a column of the source, which has " + std::to_string(source.columns), "count columns from 0");
  }
  done("gather", device_->table().gather(handle_, target, source, index));
}
void Queue::scan(View target, View source) {
  floating("scan", source);
  same_shape("scan", target, source);
  done("scan", device_->table().scan(handle_, target, source));
}
void Queue::resample(View target, View weights, const Stream& stream, std::uint64_t item) {
  if (target.rows != 1 || target.type != BUFFON_I32 || weights.columns != 1 || weights.type != BUFFON_F64) {
    misfit("resample", target, weights, "must be 1 x N i32 and K x 1 f64");
  }
  if (weights.rows == 0) misfit("resample", target, weights, "must have at least one weight");
  done("resample", device_->table().resample(handle_, target, weights, key_of(stream, item)));
}
void Queue::convert(View target, View source) {
  floating("convert", target);
  floating("convert", source);
  if (target.rows != source.rows || target.columns != source.columns) misfit("convert", target, source, "must have one shape");
  done("convert", device_->table().convert(handle_, target, source));
}
void Queue::synchronise() { done("synchronise", device_->table().synchronise(handle_)); }

namespace {

/// Numbers of a column packed into the type of a view.
template <class T>
std::vector<T> packed(const ConstMatrix& from) {
  std::vector<T> numbers(static_cast<std::size_t>(from.size()));
  Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>>(numbers.data(), from.rows(), from.cols()) = from.cast<T>();
  return numbers;
}

}  // namespace

void Queue::upload(View to, const ConstMatrix& from) {
  if (to.rows != from.rows() || to.columns != from.cols() || to.stride != to.rows) {
    refuse(ErrorCategory::usage, "giving the operation upload", "shape", shape_of(to), "must be in one piece and have the shape of the numbers",
           "give a matrix without room between its columns");
  }
  const auto send = [&](const auto& numbers) {
    done("upload", device_->table().upload(handle_, to.data, numbers.data(), static_cast<std::int64_t>(numbers.size() * sizeof(numbers[0]))));
  };
  if (to.type == BUFFON_F32) {
    send(packed<float>(from));
  } else if (to.type == BUFFON_F64) {
    send(packed<double>(from));
  } else {
    send(packed<std::int32_t>(from));
  }
}

Eigen::MatrixXd Queue::download(View from) {
  Eigen::MatrixXd out(from.rows, from.columns);
  if (out.size() == 0) return out;
  const auto fetch = [&](auto type) {
    using T = decltype(type);
    std::vector<T> numbers(static_cast<std::size_t>(((from.columns - 1) * from.stride + from.rows)));
    done("download", device_->table().download(handle_, numbers.data(), from.data, static_cast<std::int64_t>(numbers.size() * sizeof(T))));
    out = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>, 0, Eigen::OuterStride<>>(numbers.data(), from.rows, from.columns,
                                                                                                      Eigen::OuterStride<>(from.stride))
              .template cast<double>();
  };
  if (from.type == BUFFON_F32) {
    fetch(float{});
  } else if (from.type == BUFFON_F64) {
    fetch(double{});
  } else {
    fetch(std::int32_t{});
  }
  return out;
}

}  // namespace buffon::backend
