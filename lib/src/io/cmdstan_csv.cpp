// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/io/draws.hpp>
#include <buffon/io/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace buffon {
namespace {

/// Every key of the configuration with its section before it, after a mark that keeps it apart from Stan's keys.
std::string job_lines(const std::string& toml) {
  std::string out, section;
  for (std::size_t at = 0; at < toml.size();) {
    const std::size_t end = std::min(toml.find('\n', at), toml.size());
    const std::string line = toml.substr(at, end - at);
    at = end + 1;
    if (line.empty()) continue;
    if (line.front() == '[') {
      section = line.substr(line.find_first_not_of('['), line.find(']') - line.find_first_not_of('[')) + ".";
    } else {
      out += "# job: " + section + line + "\n";
    }
  }
  return out;
}

/// A fixed sampler column that Stan's readers look for.
struct Expected {
  std::string_view name;
  double value;
};
constexpr std::array<Expected, 4> expected = {{{"stepsize__", 1}, {"treedepth__", 0}, {"n_leapfrog__", 0}, {"divergent__", 0}}};

/// Which columns come in which order: a sampler's column, or a fixed number.
struct Column {
  std::string name;
  Eigen::Index from = -1;  ///< of the sampler's columns
  double fixed = 0;
};

std::vector<Column> sampler_columns(const std::vector<std::string>& names) {
  std::vector<Column> first, last;
  for (std::size_t i = 0; i < names.size(); ++i) {
    (names[i] == "lp__" || names[i] == "accept_stat__" ? first : last).push_back({names[i], static_cast<Eigen::Index>(i)});
  }
  for (const Expected& e : expected) {
    if (std::find(names.begin(), names.end(), e.name) == names.end()) first.push_back({std::string(e.name), -1, e.value});
  }
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

class Rows {
 public:
  Rows(FileWriter& out, const std::vector<Column>& columns, int sig_figs) : out_(out), columns_(columns), sig_figs_(sig_figs) {}

  void write(const ChainTable& table) {
    for (Eigen::Index i = 0; i < table.values.rows(); ++i) {
      for (const Column& column : columns_) add(column.from < 0 ? column.fixed : table.sampler(i, column.from));
      for (Eigen::Index j = 0; j < table.values.cols(); ++j) add(table.values(i, j));
      text_.back() = '\n';
      if (text_.size() > 1 << 18) flush();
    }
    flush();
  }

 private:
  void add(double value) {
    if (std::isfinite(value)) {
      std::array<char, 64> digits;
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::general, sig_figs_).ptr;
      text_.append(digits.data(), end);
    } else {
      text_ += std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    }
    text_ += ',';
  }
  void flush() {
    out_.write(text_);
    text_.clear();
  }

  FileWriter& out_;
  const std::vector<Column>& columns_;
  int sig_figs_;
  std::string text_;
};

}  // namespace

// Readers check that the rows are ⌈num_samples / thin⌉ and ⌈num_warmup / thin⌉.
void write_cmdstan_csv(const std::filesystem::path& file, const ChainDraws& draws, std::size_t chain, const DrawsInfo& info, int sig_figs) {
  const ChainTable& table = draws.chains[chain];
  const bool saved = !draws.warmup.empty();
  const auto rows = static_cast<std::int64_t>(table.values.rows());
  std::int64_t warmup = draws.warmup_length;
  if (saved) {
    const auto kept = static_cast<std::int64_t>(draws.warmup[chain].values.rows());
    if ((warmup + draws.thin - 1) / draws.thin != kept) warmup = kept * draws.thin;
  }
  FileWriter out(file);
  out.write(fmt::format(
      "# stan_version_major = 2\n# stan_version_minor = 34\n# stan_version_patch = 0\n# model = {}\n# method = sample (Default)\n#   sample\n"
      "#     num_samples = {}\n#     num_warmup = {}\n#     save_warmup = {}\n#     thin = {}\n#     adapt\n#       engaged = {}\n#     algorithm = {}\n"
      "#     engine = {}\n#     max_depth = 10\n#     metric = diag_e\n#     stepsize = 1\n#     num_chains = 1\n# id = {}\n# data\n#   file = \n# init = 2\n"
      "# random\n#   seed = {}\n# output\n#   file = {}\n#   sig_figs = {}\n# buffon_version = {}\n",
      info.model, rows * draws.thin, warmup, saved ? 1 : 0, draws.thin, draws.warmup_length > 0 ? 1 : 0, info.name, info.name, chain + 1, info.seed,
      file.filename().string(), sig_figs, info.version));
  out.write(job_lines(info.resolved));

  const std::vector<Column> columns = sampler_columns(draws.sampler_names);
  std::string header;
  for (const Column& column : columns) header += column.name + ",";
  for (const std::string& name : draws.names) header += name + ",";
  header.back() = '\n';
  out.write(header);
  Rows body(out, columns, sig_figs);
  if (saved) body.write(draws.warmup[chain]);
  std::string metric = "# Adaptation terminated\n# Step size = 1\n# Diagonal elements of inverse mass matrix:\n# 1";
  for (Eigen::Index j = 1; j < table.values.cols(); ++j) metric += ", 1";
  out.write(metric + "\n");
  body.write(table);
  out.write(
      fmt::format("# \n#  Elapsed Time: {:.6g} seconds (Warm-up)\n#                {:.6g} seconds (Sampling)\n#                {:.6g} seconds (Total)\n# \n",
                  info.warmup_seconds, info.sampling_seconds, info.warmup_seconds + info.sampling_seconds));
  out.finish();
}

}  // namespace buffon
