// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/model/denoiser.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "node.hpp"

namespace buffon::config {

/// A file that a section names, which counts by its content.
struct FileContent {
  std::string section, key;
  std::string digest;
};

/// A diffusion model read from the sections denoiser and schedule, with these sections resolved.
struct ReadDiffusion {
  std::shared_ptr<const DiffusionModel> model;
  Node denoiser;  ///< table
  Node schedule;  ///< table
  std::vector<FileContent> contents;
};

/// @throws Error(configuration), Error(data), Error(no_input) with the place
ReadDiffusion read_diffusion(const Document& document, const std::filesystem::path& base_directory);

}  // namespace buffon::config
