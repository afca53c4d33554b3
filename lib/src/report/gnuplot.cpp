// SPDX-License-Identifier: BSD-3-Clause
#include "gnuplot.hpp"

#include <fmt/format.h>

#include <buffon/core/error.hpp>

namespace buffon::report_detail {

std::string gnuplot_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    if (c != '\n') out += c;
  }
  return out + "'";
}

std::string plain_field(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == ',' ? ';' : (c == '"' || c == '\n') ? ' ' : c;
  return out;
}

std::string head(const std::string& name, int width, int height) {
  return fmt::format(
      "set terminal svg size {},{} font 'Helvetica,13' background rgb 'white'\n"
      "set output '{}.svg'\n"
      "set datafile separator ','\n"
      "set border 3 lc rgb '#555555'\n"
      "set tics nomirror textcolor rgb '#333333'\n"
      "set grid y lc rgb '#e3e3e3' lw 1\n"
      "set key off\n",
      width, height, name);
}

std::string csv(const std::vector<std::string>& columns, const Eigen::MatrixXd& rows) {
  std::string out;
  for (std::size_t j = 0; j < columns.size(); ++j) out += (j ? "," : "") + plain_field(columns[j]);
  out += '\n';
  for (Index i = 0; i < rows.rows(); ++i) {
    for (Index j = 0; j < rows.cols(); ++j) out += (j ? "," : "") + to_text(rows(i, j));
    out += '\n';
  }
  return out;
}

}  // namespace buffon::report_detail
