// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/backend/operations.h>
#include <buffon/core/types.hpp>
#include <buffon/random/stream.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace buffon::backend {

/// A backend that may be there or not, for `buffon list backends`.
struct Listed {
  std::string name;     ///< "cpu", "cpu:reference", "cuda"
  std::string device;   ///< its first device in words; empty where there is none
  std::string why_not;  ///< why it cannot be used; empty = it can
};
std::vector<Listed> list();

class Device;

/// Memory on a device; the sole owner. Moved, never copied; what it holds is known to its user alone.
class Buffer {
 public:
  Buffer() = default;
  Buffer(std::shared_ptr<const Device> device, std::int64_t bytes);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();
  void* data() const { return data_; }
  std::int64_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<const Device> device_;
  void* data_ = nullptr;
  std::int64_t bytes_ = 0;
};

/// A device of a backend.
class Device : public std::enable_shared_from_this<Device> {
 public:
  /// @param name "cpu", "cpu:reference", "cuda" or "cuda:1". @throws Error(configuration) with what is there
  static std::shared_ptr<const Device> open(const std::string& name);
  ~Device();
  const buffon_backend& table() const { return *table_; }
  buffon_device* handle() const { return handle_; }
  std::string name() const;
  std::string description() const;

 private:
  Device() = default;
  const buffon_backend* table_ = nullptr;
  buffon_device* handle_ = nullptr;
  int number_ = 0;
};

/// A matrix in device memory, samples as columns; a view.
using View = buffon_view;

/// A matrix that owns its memory.
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::shared_ptr<const Device> device, Index rows, Index columns, buffon_type type = BUFFON_F32);
  View view() const { return view_; }
  View columns(Index first, Index count) const;
  operator View() const { return view_; }

 private:
  Buffer buffer_;
  View view_{};
};

/// An in-order stream of operations on one device. Operations as in operations.h, with errors thrown as Error(model) naming the operation.
class Queue {
 public:
  /// @param threads of the cpu backend, 0 = all
  explicit Queue(std::shared_ptr<const Device> device, int threads = 0);
  ~Queue();
  Queue(Queue&&) noexcept;

  void fill(View target, buffon_law law, double constant, const Stream& stream, std::uint64_t first);
  void combine(View target, std::span<const buffon_term> terms, double noise, const Stream& stream, std::uint64_t first);
  void combine(View target, std::span<const buffon_term> terms);
  void reduce(View result, View source, buffon_reduction reduction);
  void softmax(View target, View source, double scale = 1);
  void product(View c, View a, bool transposed, View b, double factor = 1, double keep = 0);
  void apply(View target, View source, buffon_function function, double low = 0, double high = 0);
  void gather(View target, View source, View index);
  void scan(View target, View source);
  void resample(View target, View weights, const Stream& stream, std::uint64_t item);
  void convert(View target, View source);
  void synchronise();

  /// Copies, converted to the type of the view. Wait for all that was given before.
  void upload(View to, const ConstMatrix& from);
  Eigen::MatrixXd download(View from);

  const std::shared_ptr<const Device>& device() const { return device_; }

 private:
  void done(const char* operation, const char* why) const;
  std::shared_ptr<const Device> device_;
  buffon_queue* handle_ = nullptr;
};

}  // namespace buffon::backend
