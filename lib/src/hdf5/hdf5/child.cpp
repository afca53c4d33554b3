// SPDX-License-Identifier: BSD-3-Clause
// The HDF5 library reads beyond its memory, and runs for ever, in files that are damaged or mean harm. It works in a child of this process, so that
// what ends the child is an error of the file and nothing more. Numbers come back through memory that both share.
#include "../../core/sigpipe_block.hpp"
#include "place.hpp"

#include <buffon/core/error.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>

namespace buffon {
namespace {

constexpr std::int64_t block_bytes = 1 << 25;
constexpr std::size_t longest_text = 1 << 20;

struct Shape {
  std::int64_t rows, columns, working_bytes;
  Hdf5Array::Type type;
};

struct Request {
  std::int64_t first, rows, bytes;  ///< of the block
  Hdf5Array::Type type;
};

/// A descriptor, closed at the end of its life.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

struct Pipe {
  Descriptor read, write;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
  }
};

/// Both give whether all of it went through: the other side may have ended.
bool put(int descriptor, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(descriptor, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}
bool get(int descriptor, void* data, std::size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t n = ::read(descriptor, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

template <class T>
bool put(int descriptor, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return put(descriptor, &value, sizeof(T));
}
template <class T>
bool get(int descriptor, T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return get(descriptor, &value, sizeof(T));
}

/// An error, or that there is none.
bool put_answer(int descriptor, const Error* error) {
  const char failed = error != nullptr ? 1 : 0;
  if (!put(descriptor, failed) || error == nullptr) return error == nullptr;
  if (!put(descriptor, error->category())) return false;
  const ErrorText& text = error->text();
  for (const std::string* part : {&text.doing, &text.key, &text.value, &text.rule, &text.remedy}) {
    if (!put(descriptor, part->size()) || !put(descriptor, part->data(), part->size())) return false;
  }
  return true;
}

class Memory {
 public:
  Memory() = default;
  Memory(int descriptor, std::size_t bytes) : data_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)) {
    if (data_ != MAP_FAILED) bytes_ = bytes;
  }
  Memory(Memory&& other) noexcept : bytes_(std::exchange(other.bytes_, 0)), data_(std::exchange(other.data_, MAP_FAILED)) {}
  Memory& operator=(Memory&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Memory() {
    if (data_ != MAP_FAILED) ::munmap(data_, bytes_);
  }
  explicit operator bool() const { return data_ != MAP_FAILED; }
  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
  void* data_ = MAP_FAILED;
};

/// Processor time for the next request: much more than a file of this size takes.
void allow_time(std::int64_t bytes) {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  rlimit limit{};
  ::getrlimit(RLIMIT_CPU, &limit);
  limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 10 + static_cast<rlim_t>(bytes >> 25));
  ::setrlimit(RLIMIT_CPU, &limit);
}

/// The child's whole life.
void serve(const Hdf5Place& place, int requests, int answers, int shared) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU}) ::signal(number, SIG_DFL);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_IGN);  // are for the parent, with whom this process ends
  sigset_t none_blocked;
  sigemptyset(&none_blocked);
  ::sigprocmask(SIG_SETMASK, &none_blocked, nullptr);
  const Descriptor silence(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  ::dup2(silence.number(), STDERR_FILENO);
  allow_time(0);
  try {
    const std::unique_ptr<Hdf5Array> array = place.open();
    if (!put_answer(answers, nullptr) || !put(answers, Shape{array->rows(), array->columns(), array->working_bytes(), array->type()})) return;
    Memory memory;
    for (Request request{}; get(requests, request);) {
      allow_time(request.bytes + array->working_bytes());
      if (memory.bytes() != static_cast<std::size_t>(request.bytes)) memory = Memory(shared, static_cast<std::size_t>(request.bytes));
      if (!memory) return;
      if (request.type == Hdf5Array::Type::single_precision) {
        array->read(request.first, request.rows, static_cast<float*>(memory.data()));
      } else if (request.type == Hdf5Array::Type::double_precision) {
        array->read(request.first, request.rows, static_cast<double*>(memory.data()));
      } else {
        array->read(request.first, request.rows, static_cast<std::int64_t*>(memory.data()));
      }
      if (!put_answer(answers, nullptr)) return;
    }
  } catch (const Error& error) {
    put_answer(answers, &error);
  } catch (const std::bad_alloc&) {
    const Error error(ErrorCategory::data, {.doing = "reading " + place.name,
                                            .rule = "the HDF5 library needs more memory than there is",
                                            .remedy = "read it on a machine with more, or write the array in smaller chunks"});
    put_answer(answers, &error);
  }
}

/// A child, ended with this object.
class Child {
 public:
  Child() = default;
  ~Child() {
    if (id_ > 0) end();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  pid_t start() { return id_ = ::fork(); }
  /// How it ended by itself, given a second for that.
  int ended() {
    int status = 0;
    for (int waited = 0; waited < 200; ++waited) {
      if (::waitpid(id_, &status, WNOHANG) == id_) {
        id_ = -1;
        return status;
      }
      ::usleep(5000);
    }
    return end();
  }

 private:
  int end() {
    ::kill(id_, SIGKILL);
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) continue;
    id_ = -1;
    return status;
  }
  pid_t id_ = -1;
};

/// An array that a child reads.
class ChildArray final : public Hdf5Array {
 public:
  explicit ChildArray(const Hdf5Place& place) : name_(place.name), shared_(::memfd_create("buffon", MFD_CLOEXEC)) {
    static std::mutex one_fork;  // no other child may hold this one's end of the answers: the end of this one would not be seen
    const std::scoped_lock lock(one_fork);
    Pipe requests, answers;
    if (shared_.number() < 0 || requests.write.number() < 0 || answers.write.number() < 0)
      fail("needs three more open files", "close some, or raise ulimit -n");
    const pid_t child = child_.start();
    if (child < 0) fail(errno == ENOMEM ? "needs memory for one more process" : "needs one more process", "end some, or raise ulimit -u");
    if (child == 0) {
      requests.write = Descriptor();
      answers.read = Descriptor();
      serve(place, requests.read.number(), answers.write.number(), shared_.number());
      ::_exit(0);
    }
    requests_ = std::move(requests.write);
    answers_ = std::move(answers.read);
    requests.read = Descriptor();
    answers.write = Descriptor();
    await();
    if (!get(answers_.number(), shape_) || shape_.rows < 0 || shape_.columns < 0 || shape_.working_bytes < 0) died();
  }

  std::int64_t rows() const override { return shape_.rows; }
  std::int64_t columns() const override { return shape_.columns; }
  std::int64_t working_bytes() const override { return shape_.working_bytes + block_bytes; }
  Type type() const override { return shape_.type; }
  void read(std::int64_t first, std::int64_t count, float* out) override { read_as(first, count, Type::single_precision, out); }
  void read(std::int64_t first, std::int64_t count, double* out) override { read_as(first, count, Type::double_precision, out); }
  void read(std::int64_t first, std::int64_t count, std::int64_t* out) override { read_as(first, count, Type::whole_numbers, out); }

 private:
  template <class T>
  void read_as(std::int64_t first, std::int64_t count, Type type, T* out) {
    const std::int64_t row_bytes = shape_.columns * static_cast<std::int64_t>(sizeof(T));  // fits, as the caller holds whole rows
    const std::int64_t rows_a_block = std::max<std::int64_t>(block_bytes / row_bytes, 1), bytes = std::max(block_bytes, row_bytes);
    if (memory_.bytes() != static_cast<std::size_t>(bytes)) {
      memory_ = Memory();
      if (::ftruncate(shared_.number(), bytes) == 0) memory_ = Memory(shared_.number(), static_cast<std::size_t>(bytes));
      if (!memory_) fail("needs " + std::to_string(bytes) + " bytes of shared memory", "give the process more memory");
    }
    for (std::int64_t done = 0; done < count;) {
      const std::int64_t rows = std::min(rows_a_block, count - done);
      const detail::SigpipeBlock no_signal;
      if (!put(requests_.number(), Request{first + done, rows, bytes, type})) died();
      await();
      std::memcpy(out + done * shape_.columns, memory_.data(), static_cast<std::size_t>(rows * row_bytes));
      done += rows;
    }
  }

  /// The child's answer to the last request. @throws Error of the child, or about its end
  void await() {
    char failed = 0;
    if (!get(answers_.number(), failed)) died();
    if (failed == 0) return;
    ErrorCategory category{};
    if (!get(answers_.number(), category)) died();
    ErrorText text;
    for (std::string* part : {&text.doing, &text.key, &text.value, &text.rule, &text.remedy}) {
      std::size_t size = 0;
      if (!get(answers_.number(), size) || size > longest_text) died();
      part->resize(size);
      if (!get(answers_.number(), part->data(), size)) died();
    }
    throw Error(category, std::move(text));
  }

  [[noreturn]] void died() {
    const int status = child_.ended(), number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (number == SIGKILL || number == SIGBUS)
      fail("the process that reads it was ended (signal " + std::to_string(number) + ")", "see whether memory is short");
    fail(number == SIGXCPU ? "the HDF5 library found no end" : "the HDF5 library broke down in it", "the file is damaged or cut off: copy or write it again");
  }
  [[noreturn]] void fail(std::string rule, std::string remedy) const {
    throw Error(ErrorCategory::data, {.doing = "reading " + name_, .rule = std::move(rule), .remedy = std::move(remedy)});
  }

  std::string name_;
  Descriptor shared_, requests_, answers_;
  Child child_;
  Shape shape_{};
  Memory memory_;
};

}  // namespace

bool hdf5_available() { return true; }

std::unique_ptr<Hdf5Array> open_hdf5_file(const std::string& file, const std::string& path) {
  return std::make_unique<ChildArray>(Hdf5Place{file, path, std::nullopt});
}

std::unique_ptr<Hdf5Array> open_hdf5_bytes(std::string_view bytes, const std::string& path, const std::string& name) {
  return std::make_unique<ChildArray>(Hdf5Place{name, path, bytes});
}

}  // namespace buffon
