// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/io/draws.hpp>
#include <buffon/io/files.hpp>
#include <buffon/io/npy.hpp>
#include <buffon/netcdf/netcdf.hpp>

#include <algorithm>
#include <charconv>

namespace buffon {

namespace fs = std::filesystem;

namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Sampler columns, then values: the columns of the .npy files.
void write_array(const fs::path& file, const std::vector<ChainTable>& chains) {
  const auto rows = static_cast<std::int64_t>(chains.front().values.rows());
  const Eigen::Index own = chains.front().sampler.cols(), columns = own + chains.front().values.cols();
  FileWriter out(file);
  out.write(npy_header({static_cast<std::int64_t>(chains.size()), rows, columns}));
  RowMajor all(rows, columns);
  for (const ChainTable& chain : chains) {
    all << chain.sampler, chain.values;
    out.write({reinterpret_cast<const char*>(all.data()), static_cast<std::size_t>(all.size()) * sizeof(double)});
  }
  out.finish();
}

void write_columns(const fs::path& file, const ChainDraws& draws) {
  std::string text;
  for (const auto* names : {&draws.sampler_names, &draws.names}) {
    for (const std::string& name : *names) text += name + "\n";
  }
  write_file(file, text);
}

/// Removes NAME_k.csv with k > kept.
void remove_csv(const fs::path& directory, const std::string& name, std::size_t kept) {
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const std::string file = entry.path().filename().string();
    if (!file.starts_with(name + "_") || !file.ends_with(".csv")) continue;
    const char *first = file.data() + name.size() + 1, *last = file.data() + file.size() - 4;
    std::size_t chain = 0;
    const auto [end, problem] = std::from_chars(first, last, chain);
    if (problem == std::errc() && end == last && chain > kept) fs::remove(entry.path());
  }
}

}  // namespace

bool can_write_draws(std::string_view kind) { return kind != "netcdf" || netcdf_available(); }

std::vector<std::string> write_draws(const fs::path& directory, const ChainDraws& draws, const DrawsInfo& info, const DrawsFormat& format) {
  const auto wants = [&](std::string_view kind) { return std::find(format.kinds.begin(), format.kinds.end(), kind) != format.kinds.end(); };
  const auto chains = draws.chains.size();
  std::vector<std::string> written;
  if (chains == 0 || format.kinds.empty()) return written;
  fs::create_directories(directory);
  const bool few = chains <= static_cast<std::size_t>(most_csv_chains);
  const bool csv = wants("csv") && (few || std::all_of(format.kinds.begin(), format.kinds.end(), [](const std::string& kind) { return kind == "csv"; }));
  remove_csv(directory, info.name, csv ? chains : 0);
  if (csv) {
    for (std::size_t chain = 0; chain < chains; ++chain) {
      written.push_back(info.name + "_" + std::to_string(chain + 1) + ".csv");
      write_cmdstan_csv(directory / written.back(), draws, chain, info, static_cast<int>(format.sig_figs));
    }
  }
  const bool npy = wants("npy");
  for (const char* name : {"draws.npy", "warmup.npy", "columns.txt", "draws.nc"}) fs::remove(directory / name);
  if (npy) {
    write_array(directory / "draws.npy", draws.chains);
    if (!draws.warmup.empty()) write_array(directory / "warmup.npy", draws.warmup);
    write_columns(directory / "columns.txt", draws);
    written.insert(written.end(), {"draws.npy", "columns.txt"});
    if (!draws.warmup.empty()) written.emplace_back("warmup.npy");
  }
  if (wants("netcdf")) {
    write_inference_data(directory / "draws.nc", draws,
                         {.sampler = info.name,
                          .version = info.version,
                          .created_at = info.created_at,
                          .warmup_seconds = info.warmup_seconds,
                          .sampling_seconds = info.sampling_seconds});
    written.emplace_back("draws.nc");
  }
  return written;
}

}  // namespace buffon
