// SPDX-License-Identifier: BSD-3-Clause
#include "place.hpp"

#include <buffon/core/error.hpp>

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

namespace buffon {
namespace {

/// An identifier of the library, closed at the end of its life.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  hid_t id() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

/// What the library says about the call that failed: the innermost of its messages.
std::string last_message() {
  std::string text;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned n, const H5E_error2_t* error, void* out) -> herr_t {
        if (n == 0 && error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
        return 0;
      },
      &text);
  H5Eclear2(H5E_DEFAULT);
  return text;
}

class Array final : public Hdf5Array {
 public:
  Array(std::string name, Handle file, const std::string& path) : name_(std::move(name)), file_(std::move(file)) {
    if (!file_) fail("is no HDF5 file that can be read", "check the file, or copy it again");
    const std::string chosen = path.empty() ? only_array() : path;
    // A path whose parts are missing fails where it is looked up, so the error is the answer.
    array_ = Handle(H5Dopen2(file_.id(), chosen.c_str(), H5P_DEFAULT), H5Dclose);
    if (!array_) {
      H5Eclear2(H5E_DEFAULT);
      refuse_path(path, "is not an array of the file");
    }
    learn_shape();
    learn_type();
    learn_chunks();
  }

  std::int64_t rows() const override { return rows_; }
  std::int64_t columns() const override { return columns_; }
  std::int64_t working_bytes() const override { return working_bytes_; }
  Type type() const override { return type_; }

  void read(std::int64_t first, std::int64_t count, float* out) override { read_as(first, count, H5T_NATIVE_FLOAT, out); }
  void read(std::int64_t first, std::int64_t count, double* out) override { read_as(first, count, H5T_NATIVE_DOUBLE, out); }
  void read(std::int64_t first, std::int64_t count, std::int64_t* out) override { read_as(first, count, H5T_NATIVE_INT64, out); }

 private:
  [[noreturn]] void fail(const std::string& rule, std::string remedy) const {
    const std::string said = last_message();
    throw Error(ErrorCategory::data, {.doing = "reading " + name_, .rule = rule + (said.empty() ? "" : " (HDF5: " + said + ")"), .remedy = std::move(remedy)});
  }
  [[noreturn]] void refuse_path(const std::string& path, std::string rule) const {
    std::string all;
    for (const std::string& array : arrays()) all += (all.empty() ? "" : ", ") + array;
    throw Error(ErrorCategory::configuration, {.doing = "reading " + name_,
                                               .key = "data.dataset",
                                               .value = "\"" + path + "\"",
                                               .rule = std::move(rule),
                                               .remedy = all.empty() ? "the file holds no array of numbers with one or two dimensions" : "there are " + all});
  }

  /// Dimensions of an array of numbers; −1 for anything else
  static int dimensions_of_numbers(hid_t array) {
    const Handle type(H5Dget_type(array), H5Tclose), space(H5Dget_space(array), H5Sclose);
    if (!type || !space) return -1;
    const H5T_class_t kind = H5Tget_class(type.id());
    return kind == H5T_INTEGER || kind == H5T_FLOAT ? H5Sget_simple_extent_ndims(space.id()) : -1;
  }

  /// Paths of the arrays that could be read.
  std::vector<std::string> arrays() const {
    std::vector<std::string> found;
    H5Ovisit2(
        file_.id(), H5_INDEX_NAME, H5_ITER_INC,
        [](hid_t root, const char* path, const H5O_info_t* info, void* out) -> herr_t {
          if (info->type != H5O_TYPE_DATASET) return 0;
          const Handle array(H5Dopen2(root, path, H5P_DEFAULT), H5Dclose);
          const int dimensions = array ? dimensions_of_numbers(array.id()) : -1;
          if (dimensions == 1 || dimensions == 2) static_cast<std::vector<std::string>*>(out)->emplace_back(path);
          return 0;
        },
        &found, H5O_INFO_BASIC);
    H5Eclear2(H5E_DEFAULT);
    return found;
  }

  std::string only_array() const {
    const std::vector<std::string> found = arrays();
    if (found.size() != 1) refuse_path("", found.empty() ? "must name an array" : "must say which of several arrays is meant");
    return found.front();
  }

  void learn_shape() {
    const Handle space(H5Dget_space(array_.id()), H5Sclose);
    const int dimensions = space ? H5Sget_simple_extent_ndims(space.id()) : -1;
    if (dimensions != 1 && dimensions != 2) {
      fail("the array has " + std::to_string(std::max(dimensions, 0)) + " dimensions, and must have one or two", "choose another array with data.dataset");
    }
    std::array<hsize_t, 2> sizes = {0, 1};
    if (H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr) < 0) fail("the array's shape cannot be read", "write the file again");
    constexpr auto most = static_cast<hsize_t>(std::numeric_limits<std::int64_t>::max());
    if (sizes[0] > most || sizes[1] > most) fail("the array's shape is beyond every memory", "write the file again");
    rows_ = static_cast<std::int64_t>(sizes[0]);
    columns_ = static_cast<std::int64_t>(sizes[1]);
    dimensions_ = dimensions;
  }

  void learn_type() {
    const Handle type(H5Dget_type(array_.id()), H5Tclose);
    const H5T_class_t kind = type ? H5Tget_class(type.id()) : H5T_NO_CLASS;
    const std::size_t size = type ? H5Tget_size(type.id()) : 0;
    if (kind == H5T_FLOAT && size <= 8) {
      type_ = size <= 4 ? Type::single_precision : Type::double_precision;
    } else if (kind == H5T_INTEGER && size <= 8) {
      type_ = size <= 2 ? Type::single_precision : size <= 4 ? Type::double_precision : Type::whole_numbers;
    } else {
      fail("the array holds no numbers of at most 64 bits", "choose another array with data.dataset");
    }
  }

  void learn_chunks() {
    const Handle list(H5Dget_create_plist(array_.id()), H5Pclose);
    if (!list || H5Pget_layout(list.id()) != H5D_CHUNKED) return;
    std::array<hsize_t, 2> sizes = {1, 1};
    if (H5Pget_chunk(list.id(), 2, sizes.data()) < 0) fail("the array's parts cannot be read", "write the file again");
    // The library holds the size of a part below 4 GiB.
    working_bytes_ = static_cast<std::int64_t>(std::min<hsize_t>(sizes[0] * sizes[1], std::numeric_limits<std::uint32_t>::max())) * 8;
  }

  void read_as(std::int64_t first, std::int64_t count, hid_t type, void* out) {
    const Handle from(H5Dget_space(array_.id()), H5Sclose);
    const std::array<hsize_t, 2> start = {static_cast<hsize_t>(first), 0}, size = {static_cast<hsize_t>(count), static_cast<hsize_t>(columns_)};
    const Handle to(H5Screate_simple(dimensions_, size.data(), nullptr), H5Sclose);
    if (!from || !to || H5Sselect_hyperslab(from.id(), H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr) < 0 ||
        H5Dread(array_.id(), type, to.id(), from.id(), H5P_DEFAULT, out) < 0) {
      fail("rows from " + std::to_string(first) + " on cannot be read", "the file is damaged or cut off: copy or write it again");
    }
  }

  std::string name_;
  Handle file_, array_;
  std::int64_t rows_ = 0, columns_ = 0, working_bytes_ = 0;
  int dimensions_ = 0;
  Type type_ = Type::double_precision;
};

}  // namespace

std::unique_ptr<Hdf5Array> Hdf5Place::open() const {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // it prints its errors unless told not to
  if (!bytes) return std::make_unique<Array>(name, Handle(H5Fopen(name.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose), path);
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access.id(), 1 << 16, false);
  H5Pset_file_image(access.id(), const_cast<char*>(bytes->data()), bytes->size());
  // The library wants a name that no file has.
  return std::make_unique<Array>(name, Handle(H5Fopen("/dev/null/unpacked", H5F_ACC_RDONLY, access.id()), H5Fclose), path);
}

}  // namespace buffon
