// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>

namespace buffon::io_detail {

/// Bytes that this process may still take: what the system calls available, less where a control group allows less.
std::int64_t available_memory();

/// What the data of one source may take. Small files may claim or unpack to anything; this is where it ends.
class MemoryBudget {
 public:
  MemoryBudget(std::string source, std::int64_t bytes) : source_(std::move(source)), left_(bytes) {}
  /// @throws Error(data) when that is more than is left
  void take(std::int64_t bytes);
  void give_back(std::int64_t bytes) { left_ += bytes; }
  std::int64_t left() const { return left_; }
  const std::string& source() const { return source_; }

 private:
  std::string source_;
  std::int64_t left_;
};

/// a · b for sizes. @throws Error(data) when it overflows
std::int64_t product(std::int64_t a, std::int64_t b, const std::string& source);

/// Numbers that grow at the end. Large ones grow by moving pages, not by copying.
template <class T>
class Numbers {
 public:
  explicit Numbers(MemoryBudget& budget) : budget_(&budget) {}

  std::int64_t size() const { return size_; }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  T& operator[](std::int64_t i) { return data_.get()[i]; }

  /// Room for `count` more; their values are not set.
  T* append(std::int64_t count) {
    if (count > capacity_ - size_) grow(count);
    T* first = data_.get() + size_;
    size_ += count;
    return first;
  }
  void push_back(T value) { *append(1) = value; }
  void drop(std::int64_t count) { size_ -= count; }
  /// Exactly that many, once.
  void reserve(std::int64_t count) {
    if (count > capacity_) resize_storage(count);
  }
  void shrink() {
    if (size_ < capacity_ && size_ > 0) resize_storage(size_);
  }
  std::shared_ptr<T> share() && { return std::shared_ptr<T>(std::move(data_)); }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };

  void grow(std::int64_t count) {
    const std::int64_t least = size_ + count, some = capacity_ + capacity_ / 4 + 1024;
    resize_storage(least > some ? least : some);
  }

  void resize_storage(std::int64_t capacity) {
    const auto width = static_cast<std::int64_t>(sizeof(T));
    const std::int64_t bytes = product(capacity, width, budget_->source());
    if (capacity > capacity_) budget_->take(bytes - capacity_ * width);
    void* moved = std::realloc(data_.get(), static_cast<std::size_t>(bytes));
    if (moved == nullptr) throw std::bad_alloc();
    if (capacity < capacity_) budget_->give_back(capacity_ * width - bytes);
    static_cast<void>(data_.release());
    data_.reset(static_cast<T*>(moved));
    capacity_ = capacity;
  }

  MemoryBudget* budget_;
  std::unique_ptr<T, Free> data_;
  std::int64_t size_ = 0, capacity_ = 0;
};

}  // namespace buffon::io_detail
