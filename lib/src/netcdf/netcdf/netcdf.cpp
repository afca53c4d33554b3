// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/netcdf/netcdf.hpp>

#include <netcdf.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <system_error>
#include <vector>

namespace buffon {
namespace {

namespace fs = std::filesystem;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A netCDF file that exists under its name only once it is complete.
class File {
 public:
  explicit File(const fs::path& name) : name_(name), temporary_(name.string() + ".tmp") { check(nc_create(temporary_.c_str(), NC_NETCDF4 | NC_CLOBBER, &id_)); }
  ~File() {
    if (id_ < 0) return;
    nc_close(id_);
    std::error_code ignored;
    fs::remove(temporary_, ignored);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int id() const { return id_; }
  void check(int status) const {
    if (status == NC_NOERR) return;
    throw Error(ErrorCategory::data,
                {.doing = "writing " + name_.string(), .rule = nc_strerror(status), .remedy = "check the path, its permissions and the space on the disk"});
  }
  void finish() {
    const int id = id_;
    check(nc_close(id));
    id_ = -1;
    fs::rename(temporary_, name_);
  }

 private:
  fs::path name_, temporary_;
  int id_ = -1;
};

/// One group with its dimensions chain and draw and their coordinates.
class Group {
 public:
  Group(const File& file, const char* name, const std::vector<ChainTable>& tables, const InferenceAttributes& attributes, std::int64_t tuning)
      : file_(file), tables_(tables), draws_(tables.front().values.rows()) {
    file_.check(nc_def_grp(file_.id(), name, &id_));
    chain_ = dimension("chain", static_cast<Eigen::Index>(tables_.size()));
    draw_ = dimension("draw", draws_);
    text("inference_library", "buffon");
    text("inference_library_version", attributes.version);
    text("sampler", attributes.sampler);
    if (!attributes.created_at.empty()) text("created_at", attributes.created_at);
    file_.check(nc_put_att_double(id_, NC_GLOBAL, "sampling_time", NC_DOUBLE, 1, &attributes.sampling_seconds));
    file_.check(nc_put_att_double(id_, NC_GLOBAL, "tuning_time", NC_DOUBLE, 1, &attributes.warmup_seconds));
    const long long steps = tuning;
    file_.check(nc_put_att_longlong(id_, NC_GLOBAL, "tuning_steps", NC_INT64, 1, &steps));
  }

  /// Columns first … first + max(size, 1) − 1 of a table; size 0 = a single number.
  void values(const std::string& name, Eigen::MatrixXd ChainTable::*part, Eigen::Index first, std::int64_t size) {
    const Eigen::Index columns = size == 0 ? 1 : size;
    const int variable = define(name, NC_DOUBLE, size);
    RowMajor block(draws_, columns);
    for (std::size_t m = 0; m < tables_.size(); ++m) {
      block = (tables_[m].*part).middleCols(first, columns);
      const std::array<std::size_t, 3> start = {m, 0, 0}, count = {1, static_cast<std::size_t>(draws_), static_cast<std::size_t>(columns)};
      if (draws_ > 0) file_.check(nc_put_vara_double(id_, variable, start.data(), count.data(), block.data()));
    }
  }

  /// One sampler column of whole numbers.
  void counts(const std::string& name, Eigen::Index column) {
    const int variable = define(name, NC_INT64, 0);
    std::vector<long long> block(static_cast<std::size_t>(draws_));
    for (std::size_t m = 0; m < tables_.size(); ++m) {
      for (Eigen::Index i = 0; i < draws_; ++i) block[static_cast<std::size_t>(i)] = static_cast<long long>(tables_[m].sampler(i, column));
      put_rows(m, [&](const std::size_t* start, const std::size_t* count) { return nc_put_vara_longlong(id_, variable, start, count, block.data()); });
    }
  }

  /// A truth value that is false throughout.
  void never(const std::string& name) {
    const int variable = define(name, NC_BYTE, 0);
    file_.check(nc_put_att_text(id_, variable, "dtype", 4, "bool"));
    const std::vector<signed char> block(static_cast<std::size_t>(draws_), 0);
    for (std::size_t m = 0; m < tables_.size(); ++m) {
      put_rows(m, [&](const std::size_t* start, const std::size_t* count) { return nc_put_vara_schar(id_, variable, start, count, block.data()); });
    }
  }

  bool whole(Eigen::Index column) const {
    for (const ChainTable& table : tables_) {
      for (Eigen::Index i = 0; i < draws_; ++i) {
        const double x = table.sampler(i, column);
        if (!(std::abs(x) < 9007199254740992.0 && x == std::floor(x))) return false;
      }
    }
    return true;
  }

 private:
  void put_rows(std::size_t chain, const auto& put) const {
    const std::array<std::size_t, 2> start = {chain, 0}, count = {1, static_cast<std::size_t>(draws_)};
    if (draws_ > 0) file_.check(put(start.data(), count.data()));
  }

  void text(const char* name, const std::string& value) const { file_.check(nc_put_att_text(id_, NC_GLOBAL, name, value.size(), value.c_str())); }

  /// With the coordinates 0, 1, 2, …
  int dimension(const std::string& name, Eigen::Index size) const {
    int id = 0, variable = 0;
    file_.check(nc_def_dim(id_, name.c_str(), static_cast<std::size_t>(size), &id));
    file_.check(nc_def_var(id_, name.c_str(), NC_INT64, 1, &id, &variable));
    std::vector<long long> numbers(static_cast<std::size_t>(size));
    std::iota(numbers.begin(), numbers.end(), 0);
    if (size > 0) file_.check(nc_put_var_longlong(id_, variable, numbers.data()));
    return id;
  }

  int define(const std::string& name, nc_type type, std::int64_t size) const {
    std::vector<int> dimensions = {chain_, draw_};
    if (size > 0) dimensions.push_back(dimension(name + "_dim_0", size));
    int variable = 0;
    file_.check(nc_def_var(id_, name.c_str(), type, static_cast<int>(dimensions.size()), dimensions.data(), &variable));
    return variable;
  }

  const File& file_;
  const std::vector<ChainTable>& tables_;
  Eigen::Index draws_;
  int id_ = 0, chain_ = 0, draw_ = 0;
};

std::string statistic(const std::string& column) {
  if (column == "accept_stat__") return "acceptance_rate";
  return column.ends_with("__") ? column.substr(0, column.size() - 2) : column;
}

void write_groups(const File& file, const std::string& before, const std::vector<ChainTable>& tables, const ChainDraws& draws,
                  const InferenceAttributes& attributes) {
  Group posterior(file, (before + "posterior").c_str(), tables, attributes, draws.warmup_length);
  Eigen::Index first = 0;
  for (const ChainDraws::Variable& variable : draws.variables) {
    posterior.values(variable.name, &ChainTable::values, first, variable.size);
    first += variable.size == 0 ? 1 : variable.size;
  }
  Group stats(file, (before + "sample_stats").c_str(), tables, attributes, draws.warmup_length);
  for (std::size_t i = 0; i < draws.sampler_names.size(); ++i) {
    const std::string& column = draws.sampler_names[i];
    const auto index = static_cast<Eigen::Index>(i);
    if (column != "lp__" && column != "accept_stat__" && stats.whole(index)) {
      stats.counts(statistic(column), index);
    } else {
      stats.values(statistic(column), &ChainTable::sampler, index, 0);
    }
  }
  stats.never("diverging");
}

}  // namespace

bool netcdf_available() { return true; }

void write_inference_data(const fs::path& name, const ChainDraws& draws, const InferenceAttributes& attributes) {
  File file(name);
  write_groups(file, "", draws.chains, draws, attributes);
  if (!draws.warmup.empty()) write_groups(file, "warmup_", draws.warmup, draws, attributes);
  file.finish();
}

}  // namespace buffon
