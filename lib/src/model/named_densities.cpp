// SPDX-License-Identifier: BSD-3-Clause
#include "named_densities.hpp"

#include <buffon/core/error.hpp>

#include <algorithm>

namespace buffon {

const std::vector<NamedDensity>& named_densities() {
  static const std::vector<NamedDensity> densities = {detail::gaussian_density(),    detail::cauchy_density(), detail::hyperplane_disk_density(),
                                                      detail::axial_modes_density(), detail::funnel_density(), detail::eight_schools_density(),
                                                      detail::kidiq_density(),       detail::ar_k_density()};
  return densities;
}

const NamedDensity& named_density(std::string_view name) {
  const auto& densities = named_densities();
  const auto found = std::find_if(densities.begin(), densities.end(), [&](const NamedDensity& density) { return density.name == name; });
  if (found != densities.end()) return *found;
  std::vector<std::string> names;
  std::string all;
  for (const auto& density : densities) {
    names.push_back(density.name);
    all += (all.empty() ? "" : ", ") + density.name;
  }
  const std::string_view near = nearest(name, names);
  throw Error(ErrorCategory::configuration, {.doing = "choosing a named density",
                                             .key = "density.name",
                                             .value = "\"" + std::string(name) + "\"",
                                             .rule = "is not a named density",
                                             .remedy = (near.empty() ? "" : "Did you mean \"" + std::string(near) + "\"? ") + "There are " + all});
}

}  // namespace buffon
