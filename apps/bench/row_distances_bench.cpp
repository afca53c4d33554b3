// SPDX-License-Identifier: BSD-3-Clause
// Passes over the rows of a data set in single precision. One centre: bytes read (rows and D) per second beside those of copying memory
// (read + written); several centres: distances per second; one thread beside two.
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <buffon/parallel/context.hpp>
#include <buffon/random/stream.hpp>
#include <buffon/samplers/clustering.hpp>
#include <buffon/samplers/nearest_centres.hpp>

#include "interleave.hpp"

using namespace buffon;

namespace {

std::shared_ptr<const DataSet> generated(Index rows, Index columns) {
  auto numbers = std::make_shared<std::vector<float>>(static_cast<std::size_t>(rows * columns));
  std::vector<double> z(4096);
  const Stream stream(1);
  for (std::size_t i = 0; i < numbers->size(); i += z.size()) {
    const std::size_t n = std::min(z.size(), numbers->size() - i);
    stream.fill_normals(i, std::span(z).first(n));
    for (std::size_t j = 0; j < n; ++j) (*numbers)[i + j] = static_cast<float>(z[j]);
  }
  return std::make_shared<DataSet>(DenseRows<float>{numbers->data(), rows, columns, columns}, DataSet::About{.storage = numbers});
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("row_distances_bench", argc, argv);
  Context one(1), two(2);
  constexpr std::size_t bytes = 256u << 20;  // of numbers: far beyond every cache
  std::vector<char> from(bytes / 2, 1), to(bytes / 2, 2);
  for (const Index d : {3, 8, 16, 32, 128, 784}) {
    const Index n = static_cast<Index>(bytes / sizeof(float)) / d;
    const auto distances = std::make_shared<const RowDistances>(generated(n, d));
    // D settles after some centres, so that passes lower few of them, as the passes of a seeding do.
    NearestCentres nearest(distances);
    Index next = 0;
    const auto centre = [&] { return (next += 7919) % n; };
    std::vector<Index> earlier(300);
    for (Index& c : earlier) c = centre();
    nearest.add(one, earlier);
    const double moved = static_cast<double>(n * (d + 1) * 4);
    const std::string rows = std::to_string(n) + " × " + std::to_string(d);
    // Both in seconds per byte: the run of the copy moves as many bytes as the pass.
    report.compare("one centre, " + rows, "GB/s", moved * 1e-9,
                   {{"pass, 1 thread", [&] { nearest.add(one, std::vector<Index>{centre()}); }}, {"memcpy (same bytes read + written)", [&] {
                                                                                                    std::size_t left = static_cast<std::size_t>(moved / 2);
                                                                                                    for (; left > from.size(); left -= from.size())
                                                                                                      std::memcpy(to.data(), from.data(), from.size());
                                                                                                    std::memcpy(to.data(), from.data(), left);
                                                                                                  }}});
    report.compare("one centre, " + rows + ", threads", "GB/s", moved * 1e-9,
                   {{"pass, 2 threads", [&] { nearest.add(two, std::vector<Index>{centre()}); }},
                    {"pass, 1 thread", [&] { nearest.add(one, std::vector<Index>{centre()}); }}},
                   bench::Clock::wall);
  }
  for (const Index d : {3, 8, 26, 128, 784}) {
    const Index n = std::min<Index>(65536, (Index{8} << 20) / d);
    const auto distances = std::make_shared<const RowDistances>(generated(n, d));
    const std::string rows = std::to_string(n) + " × " + std::to_string(d);
    NearestCentres nearest(distances, true);
    nearest.add(one, std::vector<Index>{0, 1, 2, 3, 4, 5});
    std::vector<Index> many(64);
    for (std::size_t c = 0; c < many.size(); ++c) many[c] = static_cast<Index>(c) * 100;
    const std::vector<Index> eight(many.begin(), many.begin() + 8);
    report.compare("64 centres, " + rows, "10⁶ distances/s", static_cast<double>(n) * 64e-6,
                   {{"one pass with 64", [&] { nearest.add(one, many); }}, {"64 passes with one", [&] {
                                                                              for (const Index c : many) nearest.add(one, std::vector<Index>{c});
                                                                            }}});
    report.compare("8 candidates, " + rows, "10⁶ distances/s", static_cast<double>(n) * 8e-6,
                   {{"totals_with", [&] { nearest.totals_with(one, eight); }}, {"add", [&] { nearest.add(one, eight); }}});
    const Eigen::MatrixXd centres = distances->data().points(many);
    report.compare(
        "labels, 64 centres, " + rows, "10⁶ distances/s", static_cast<double>(n) * 64e-6,
        {{"assign, 2 threads", [&] { assign(distances->data(), centres, two); }}, {"assign, 1 thread", [&] { assign(distances->data(), centres, one); }}},
        bench::Clock::wall);
  }
  return report.finish();
}
