// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/model/denoiser.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace buffon {

/// What the maker of a denoiser may need to know besides its own options.
struct DenoiserSetting {
  std::filesystem::path base_directory;                                 ///< of the configuration file; relative paths start here
  std::function<Eigen::MatrixXd(const std::string& file)> read_points;  ///< a table of numbers, its rows as columns
};

struct MadeDenoiser {
  std::shared_ptr<const Denoiser> denoiser;
  /// Law of the data of a class, −1 = of all; nothing where it is not known.
  std::function<std::optional<KnownLaw>(std::int32_t label)> law = [](std::int32_t) { return std::optional<KnownLaw>(); };
};

/// A kind of denoiser as a configuration names it (`[denoiser] kind = "mixture"`).
struct DenoiserKind {
  std::string name;
  std::string summary;
  std::function<void(OptionVisitor&)> describe;  ///< visits default options
  std::function<MadeDenoiser(OptionVisitor&, const DenoiserSetting&)> make;
};
/// The order is that of `buffon list denoisers`.
const std::vector<DenoiserKind>& denoiser_kinds();

/// A kind of noise schedule as a configuration names it (`[schedule] kind = "vp_linear"`).
struct ScheduleKind {
  std::string name;
  std::string summary;
  std::function<void(OptionVisitor&)> describe;
  std::function<std::shared_ptr<const NoiseSchedule>(OptionVisitor&)> make;
};
/// The order is that of `buffon list schedules`.
const std::vector<ScheduleKind>& schedule_kinds();

}  // namespace buffon
