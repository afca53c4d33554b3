// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/types.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// What stands before the numbers of an .npy file (NumPy format 1.0, row-major: the last index varies fastest).
/// @param descr NumPy's name of the type of a number
std::string npy_header(const std::vector<std::int64_t>& shape, std::string_view descr = "<f8");

/// The bytes of an .npy file (NumPy format 1.0, '<f8', two-dimensional, row-major).
std::string encode_npy(const ConstMatrix& values);

/// Matrix of an .npy file of little-endian doubles with one or two dimensions (one dimension becomes a column), in row- or
/// column-major order. @param name stands for the file in messages. @throws Error(data)
Eigen::MatrixXd decode_npy(std::string_view bytes, const std::string& name);

void write_npy(const std::filesystem::path& file, const ConstMatrix& values);
Eigen::MatrixXd read_npy(const std::filesystem::path& file);

}  // namespace buffon
