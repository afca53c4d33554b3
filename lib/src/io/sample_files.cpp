// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/io/sample_files.hpp>

#include <algorithm>
#include <cmath>

#include <buffon/io/files.hpp>
#include <buffon/io/npy.hpp>

#include "sha256.hpp"

namespace buffon {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t most_shown = 64, most_side = 4096, gap = 2;
constexpr const char *array_name = "samples.npy", *sheet_name = "samples.png";

/// The first images in rows. Black is the number that one in a hundred is below, white the one that one in a hundred is above. Three channels are colours,
/// of others the first is shown.
std::int64_t write_sheet(const fs::path& file, const SampleSet& samples) {
  const std::int64_t channels = samples.shape[0], height = samples.shape[1], width = samples.shape[2];
  const std::int64_t fits = std::max<std::int64_t>(1, std::min(most_side / (width + gap), most_side / (height + gap)));
  const std::int64_t side = std::min<std::int64_t>({8, fits, static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(samples.count))))});
  const std::int64_t count = std::min({most_shown, side * side, samples.count}), lines = (count + side - 1) / side;
  const Eigen::MatrixXd x = samples.columns(0, count);
  std::vector<double> sorted(x.data(), x.data() + x.size());
  std::sort(sorted.begin(), sorted.end());
  const double low = sorted[sorted.size() / 100], high = sorted[sorted.size() - 1 - sorted.size() / 100];
  const int colours = channels == 3 ? 3 : 1;
  const std::int64_t sheet_width = side * (width + gap) - gap, sheet_height = lines * (height + gap) - gap;
  std::string pixels(static_cast<std::size_t>(sheet_width * sheet_height * colours), static_cast<char>(0x80));
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t c = 0; c < colours; ++c) {
      for (std::int64_t v = 0; v < height; ++v) {
        for (std::int64_t u = 0; u < width; ++u) {
          const double value = x((c * height + v) * width + u, i), grey = high > low ? (value - low) / (high - low) : 0.5;
          const std::int64_t at = ((i / side * (height + gap) + v) * sheet_width + i % side * (width + gap) + u) * colours + c;
          pixels[static_cast<std::size_t>(at)] = static_cast<char>(static_cast<unsigned char>(std::lround(255 * std::clamp(grey, 0.0, 1.0))));
        }
      }
    }
  }
  write_file(file, encode_png(sheet_width, sheet_height, colours, pixels));
  return count;
}

}  // namespace

SampleSummary write_samples(const fs::path& directory, const SampleSet& samples) {
  SampleSummary out{.shape = {samples.count}, .type = samples.single ? "<f4" : "<f8", .digest = {}, .shown = 0};
  out.shape.insert(out.shape.end(), samples.shape.begin(), samples.shape.end());
  const std::string header = npy_header(out.shape, out.type);
  io_detail::Sha256 sum;
  FileWriter file(directory / array_name);
  for (const std::string* part : {&header, samples.bytes.get()}) {
    file.write(*part);
    sum.add(*part);
  }
  file.finish();
  out.digest = sum.finish();
  fs::remove(directory / sheet_name);
  if (samples.image && samples.count > 0) out.shown = write_sheet(directory / sheet_name, samples);
  return out;
}

}  // namespace buffon
