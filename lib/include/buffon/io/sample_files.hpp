// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/stats/sample_set.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace buffon {

/// What result.json says of samples, whose numbers lie in files of their own.
struct SampleSummary {
  std::vector<std::int64_t> shape;  ///< of the whole array
  std::string type;                 ///< NumPy's name of a number's type
  std::string digest;               ///< SHA-256 of samples.npy, hexadecimal
  std::int64_t shown = 0;           ///< samples on the sheet samples.png; 0 = there is none
};

/// Writes samples.npy (samples × dimension, or samples × channels × height × width of images) and, of images, the sheet samples.png with the first 64
/// below `directory`.
/// @throws Error(data) when the system refuses
SampleSummary write_samples(const std::filesystem::path& directory, const SampleSet& samples);

/// A PNG file (ISO/IEC 15948) of 8 bits a channel. @param pixels rows from the top, `channels` bytes (1 = grey, 3 = red, green, blue) a pixel
std::string encode_png(std::int64_t width, std::int64_t height, int channels, const std::string& pixels);

}  // namespace buffon
