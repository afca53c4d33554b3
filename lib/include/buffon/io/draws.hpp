// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/stats/chain_draws.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace buffon {

/// What files of draws say about the run that made them. Times stand in comments and attributes only.
struct DrawsInfo {
  std::string name;      ///< of the method; begins the names of CSV files
  std::string model;     ///< what the draws are of
  std::string resolved;  ///< the configuration with every default, TOML
  std::uint64_t seed = 0;
  std::string version;        ///< of the library
  std::string created_at;     ///< ISO 8601, UTC; empty = not said
  double warmup_seconds = 0;  ///< wall time of all chains together
  double sampling_seconds = 0;
};

/// How draws are written.
struct DrawsFormat {
  std::vector<std::string> kinds = {"csv", "npy"};  ///< csv, npy, netcdf
  std::int64_t sig_figs = 17;                       ///< significant digits of csv; 17 give back every bit
};

/// Whether `kind` can be written by this build.
bool can_write_draws(std::string_view kind);

/// Most chains for which csv, one file per chain, is written beside another kind. For more chains it must be asked for alone.
inline constexpr std::int64_t most_csv_chains = 100;

/// Writes the draws below `directory`, which is made:
///
///     NAME_1.csv, NAME_2.csv, …   one file per chain as CmdStan writes them (readers: CmdStanPy, CmdStanR, rstan, ArviZ)
///     draws.npy                   chain × draw × column; warmup.npy where the warm-up was kept
///     columns.txt                 names of the columns of the .npy files, one a line
///     draws.nc                    netCDF-4 with the groups of ArviZ InferenceData
///
/// What an earlier call left there under these names is replaced; files of more chains than now are removed.
/// @returns the names of the files written
/// @throws Error(data) when the system refuses, Error(configuration) for a kind that this build cannot write
std::vector<std::string> write_draws(const std::filesystem::path& directory, const ChainDraws& draws, const DrawsInfo& info, const DrawsFormat& format);

/// The text of one chain's CSV file. Columns: lp__, accept_stat__, then stepsize__, treedepth__, n_leapfrog__ and divergent__, which readers of
/// Stan's files expect and which a sampler without gradients fills with 1, 0, 0, 0, then its other columns, then the values.
void write_cmdstan_csv(const std::filesystem::path& file, const ChainDraws& draws, std::size_t chain, const DrawsInfo& info, int sig_figs);

}  // namespace buffon
