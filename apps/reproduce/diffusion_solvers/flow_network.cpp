// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/torchscript.hpp>

#include <array>
#include <cmath>

#include "../../../data/generators/npy_array.hpp"
#include "cases.hpp"

namespace buffon::reproduce::diffusion_solvers {
namespace {

struct NetworkLine {
  std::string solver;
  double order;
  std::array<double, 5> rms;  ///< at 8, 16, …, 128 calls
};
const std::vector<NetworkLine> lines = {
    {"flow_euler", 1, {3.468e-2, 2.028e-2, 1.125e-2, 6.040e-3, 3.166e-3}},   {"ddim", 1, {3.468e-2, 2.028e-2, 1.125e-2, 6.040e-3, 3.166e-3}},
    {"flow_heun", 2, {4.640e-2, 1.206e-2, 3.140e-3, 7.961e-4, 1.988e-4}},    {"flow_pseudo_corrector", 2, {2.020e-2, 5.644e-3, 1.534e-3, 3.952e-4, 9.961e-5}},
    {"flow_adams_2", 2, {1.831e-2, 6.881e-3, 2.255e-3, 6.667e-4, 1.839e-4}}, {"dpmpp_2m", 2, {2.150e-2, 7.553e-3, 2.386e-3, 6.888e-4, 1.882e-4}}};

Eigen::MatrixXd samples_of(const std::filesystem::path& file) {
  const generators::NpyArray array = generators::read_npy_array(file);
  const auto columns = static_cast<Index>(array.shape[0]);
  return Eigen::Map<const Eigen::MatrixXd>(array.values.data(), static_cast<Index>(array.values.size()) / columns, columns);
}

/// Why this part cannot be done; empty = it can.
std::string missing(const std::filesystem::path& folder, const std::filesystem::path& network) {
  if (folder.empty()) return "no folder with models/mnist-flow-vit is at hand; --data or BUFFON_SHARED_DATA names it";
  const std::string component = torchscript_component();
  if (!component.starts_with("libtorch")) return component;
  if (network.empty()) {
    return "no file mnist-flow-vit.pt in the folder or here; `generate_torchscript mnist-flow-vit.pt data/networks/mnist_flow_vit.txt " +
           (folder / "weights").string() + "` makes it";
  }
  return {};
}

}  // namespace

void flow_network(const ReproduceOptions& options, ReproduceTable& table) {
  options.say("the flow network");
  std::filesystem::path folder, network;
  for (const char* below : {".", "models/mnist-flow-vit", "../models/mnist-flow-vit"}) {
    const std::filesystem::path at = data_folder(options) / below;
    if (!data_folder(options).empty() && std::filesystem::exists(at / "reference/ode_t095.npy")) folder = at;
  }
  for (const std::filesystem::path& at : {folder / "mnist-flow-vit.pt", std::filesystem::path("mnist-flow-vit.pt")}) {
    if (std::filesystem::exists(at)) network = at;
  }
  if (const std::string why = missing(folder, network); !why.empty()) {
    table.warnings.push_back("The table of the flow network was left out: " + why + ".");
    return;
  }
  TorchScriptOptions file;
  file.file = network.string();
  file.image = ImageShape{1, 28, 28};
  file.classes = 10;
  file.time_factor = -1;
  file.time_offset = 1;
  const DiffusionModel model = {torchscript_denoiser(file), flow_schedule(0)};
  const Eigen::MatrixXd noise = samples_of(folder / "reference/sample_z.npy"), ends = samples_of(folder / "reference/ode_t095.npy");
  std::vector<std::int32_t> labels;
  for (std::int32_t y = 0; y < 10; ++y) labels.push_back(y);
  backend::Queue queue(backend::Device::open("cpu"), 1);
  BatchSolver batch(model, queue, 10, BUFFON_F64);
  const backend::Matrix x(queue.device(), noise.rows(), noise.cols(), BUFFON_F64);
  std::vector<int> columns = {8, 16, 32, 64, 128};
  while (columns.size() > 2 && columns.back() > 128 * options.scale) columns.pop_back();
  Table picture{.name = "log_log_network", .title = "Flow network of digits: error against model calls", .columns = {"model calls"}};
  picture.rows.resize(static_cast<Index>(columns.size()), 1 + static_cast<Index>(lines.size()));
  for (std::size_t i = 0; i < columns.size(); ++i) picture.rows(static_cast<Index>(i), 0) = columns[i];
  std::vector<ReproduceRow> orders;
  for (std::size_t l = 0; l < lines.size(); ++l) {
    const std::string& name = lines[l].solver;
    std::vector<double> ours;
    for (const int calls : columns) {
      const int steps = name == "flow_heun" ? calls / 2 : name == "flow_pseudo_corrector" ? calls - 1 : calls;
      queue.upload(x, noise);
      batch.run(plan_solver(solver(name), *model.schedule, time_grid(*model.schedule, GridSpacing::time, steps, 1, 0.05)), x, Stream(0), 0, labels);
      ours.push_back(std::sqrt((queue.download(x) - ends).squaredNorm() / static_cast<double>(ends.size())));
    }
    table.rows.push_back(line_row("Flow network of digits, grid uniform in time", name, columns, ours,
                                  {lines[l].rms.begin(), lines[l].rms.begin() + static_cast<std::ptrdiff_t>(columns.size())}));
    picture.columns.push_back(name);
    picture.rows.col(static_cast<Index>(l) + 1) = Eigen::Map<const Eigen::VectorXd>(ours.data(), static_cast<Index>(ours.size()));
    const std::size_t last = ours.size() - 1;
    ReproduceRow order = order_row("Flow network, order between its two finest grids", name, std::log2(ours[last - 1] / ours[last]), lines[l].order);
    if (columns.size() < lines[l].rms.size()) {  // coarse grids have no order yet
      order.criterion.clear();
      order.holds.reset();
    }
    orders.push_back(std::move(order));
    options.progress(0.7 + 0.3 * static_cast<double>(l + 1) / static_cast<double>(lines.size()));
  }
  table.rows.insert(table.rows.end(), orders.begin(), orders.end());
  table.tables.push_back(std::move(picture));
  table.evaluations += batch.calls() * noise.cols();
}

}  // namespace buffon::reproduce::diffusion_solvers
