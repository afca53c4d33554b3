// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/hdf5/hdf5.hpp>

namespace buffon {
namespace {

[[noreturn]] void refuse(const std::string& file) {
  throw Error(ErrorCategory::configuration, {.doing = "reading " + file,
                                             .rule = "needs HDF5, which this build does not have",
                                             .remedy = "install the package libhdf5-dev and build buffon again, which then finds it"});
}

}  // namespace

bool hdf5_available() { return false; }

std::unique_ptr<Hdf5Array> open_hdf5_file(const std::string& file, const std::string&) { refuse(file); }
std::unique_ptr<Hdf5Array> open_hdf5_bytes(std::string_view, const std::string&, const std::string& name) { refuse(name); }

}  // namespace buffon
