// SPDX-License-Identifier: BSD-3-Clause
#include <buffon/core/error.hpp>
#include <buffon/model/denoiser_kind.hpp>
#include <buffon/model/exact_denoisers.hpp>
#include <buffon/model/torchscript.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace buffon {
namespace {

constexpr Index most_covariance = 256;  // dimension up to which a covariance is written down

using Rows = std::vector<std::vector<double>>;

[[noreturn]] void refuse_kind(std::string key, std::string value, std::string rule, std::string remedy) {
  throw Error(ErrorCategory::configuration,
              {.doing = "making the denoiser", .key = std::move(key), .value = std::move(value), .rule = std::move(rule), .remedy = std::move(remedy)});
}

std::string element(const std::string& key, std::size_t i) { return key + "[" + std::to_string(i) + "]"; }
std::string numbers(std::size_t n) { return std::to_string(n) + (n == 1 ? " number" : " numbers"); }

Eigen::VectorXd vector_of(const std::vector<double>& values) { return Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Index>(values.size())); }

/// n × n from its rows.
Eigen::MatrixXd square(const std::string& key, const Rows& rows, std::size_t n) {
  if (rows.size() != n)
    refuse_kind(key, std::to_string(rows.size()) + " rows", "must be " + std::to_string(n) + " x " + std::to_string(n), "as long as the mean");
  Eigen::MatrixXd out(static_cast<Index>(n), static_cast<Index>(n));
  for (std::size_t i = 0; i < n; ++i) {
    if (rows[i].size() != n) refuse_kind(element(key, i), numbers(rows[i].size()), "must be " + numbers(n), "as long as the mean");
    out.row(static_cast<Index>(i)) = vector_of(rows[i]).transpose();
  }
  return out;
}

/// n × K from K lists.
Eigen::MatrixXd columns(const std::string& key, const Rows& lists, std::size_t n) {
  Eigen::MatrixXd out(static_cast<Index>(n), static_cast<Index>(lists.size()));
  for (std::size_t k = 0; k < lists.size(); ++k) {
    if (lists[k].size() != n)
      refuse_kind(element(key, k), numbers(lists[k].size()), "must be " + numbers(n), "give every component the dimension of the first");
    out.col(static_cast<Index>(k)) = vector_of(lists[k]);
  }
  return out;
}

void one_of(const std::vector<std::pair<const char*, bool>>& given) {
  std::string names, present;
  std::size_t count = 0;
  for (const auto& [name, there] : given) {
    names += (names.empty() ? "" : ", ") + std::string(name);
    if (!there) continue;
    present = name;
    ++count;
  }
  if (count != 1)
    refuse_kind(count == 0 ? given.front().first : present, "", count == 0 ? "is required and missing" : "does not go with another of these",
                "give one of " + names);
}

MadeDenoiser known_as_a_whole(std::shared_ptr<const ExactDenoiser> model, std::int64_t components) {
  return {model, [model, components](std::int32_t label) { return label < 0 ? std::optional(known_law(model, components, most_covariance)) : std::nullopt; }};
}

struct GaussianOptions {
  std::vector<double> mean, variances;
  Rows covariance;
};
void describe(OptionVisitor& v, GaussianOptions& o) {
  v.on({.name = "mean", .meaning = "mean of the data", .required = true, .size_min = 1}, o.mean);
  v.on({.name = "covariance", .meaning = "covariance, a list of rows; either this or variances"}, o.covariance);
  v.on({.name = "variances", .meaning = "variances of independent coordinates", .range = at_least(0)}, o.variances);
}
MadeDenoiser make(const GaussianOptions& o, const DenoiserSetting&) {
  one_of({{"covariance", !o.covariance.empty()}, {"variances", !o.variances.empty()}});
  if (!o.covariance.empty()) return known_as_a_whole(gaussian_denoiser(vector_of(o.mean), square("covariance", o.covariance, o.mean.size())), 1);
  if (o.variances.size() != o.mean.size()) refuse_kind("variances", numbers(o.variances.size()), "must be " + numbers(o.mean.size()), "as long as the mean");
  return known_as_a_whole(gaussian_denoiser(vector_of(o.mean), vector_of(o.variances)), 1);
}

struct MixtureOptions {
  std::vector<double> weights, deviations;
  Rows means, variances;
  std::vector<Rows> covariances;
};
void describe(OptionVisitor& v, MixtureOptions& o) {
  v.on({.name = "weights", .meaning = "share of every component, relative to their sum; empty: equal shares", .range = positive()}, o.weights);
  v.on({.name = "means", .meaning = "mean of every component", .required = true, .size_min = 1}, o.means);
  v.on({.name = "covariances", .meaning = "covariance of every component, a list of rows each; one of covariances, variances, deviations"}, o.covariances);
  v.on({.name = "variances", .meaning = "variances of the coordinates of every component", .range = at_least(0)}, o.variances);
  v.on({.name = "deviations", .meaning = "standard deviation of every component, the same in all directions", .range = at_least(0)}, o.deviations);
}
MadeDenoiser make(const MixtureOptions& o, const DenoiserSetting&) {
  const std::size_t count = o.means.size(), n = o.means.front().size();
  if (n == 0) refuse_kind(element("means", 0), "[]", "must hold a number at least", "give a mean");
  one_of({{"covariances", !o.covariances.empty()}, {"variances", !o.variances.empty()}, {"deviations", !o.deviations.empty()}});
  const auto each = [&](const char* key, std::size_t size) {
    if (size != 0 && size != count)
      refuse_kind(key, std::to_string(size) + " elements", "must have one for each of the " + std::to_string(count) + " means", "give one for each");
  };
  each("weights", o.weights.size());
  each("covariances", o.covariances.size());
  each("variances", o.variances.size());
  each("deviations", o.deviations.size());
  const Eigen::VectorXd weights = o.weights.empty() ? Eigen::VectorXd::Ones(static_cast<Index>(count)) : vector_of(o.weights);
  const Eigen::MatrixXd means = columns("means", o.means, n);
  std::vector<Eigen::MatrixXd> covariances;
  for (std::size_t k = 0; k < o.covariances.size(); ++k) covariances.push_back(square(element("covariances", k), o.covariances[k], n));
  if (!o.variances.empty()) {
    const Eigen::MatrixXd variances = columns("variances", o.variances, n);
    for (Index k = 0; k < variances.cols(); ++k) covariances.emplace_back(variances.col(k).asDiagonal());
  }
  const Eigen::VectorXd isotropic = vector_of(o.deviations).cwiseAbs2();
  const bool general = o.deviations.empty();
  const auto model = general ? mixture_denoiser(weights, means, covariances) : mixture_denoiser(weights, means, isotropic);
  return {model, [=](std::int32_t label) -> std::optional<KnownLaw> {
            if (label < 0) return known_law(model, static_cast<std::int64_t>(count), most_covariance);
            KnownLaw law{.mean = means.col(label), .covariance = {}, .components = static_cast<std::int64_t>(count)};
            law.total_variance = general ? covariances[static_cast<std::size_t>(label)].trace() : isotropic(label) * static_cast<double>(means.rows());
            if (means.rows() <= most_covariance) {
              law.covariance = general ? covariances[static_cast<std::size_t>(label)]
                                       : Eigen::MatrixXd(isotropic(label) * Eigen::MatrixXd::Identity(means.rows(), means.rows()));
            }
            return law;
          }};
}

struct PointsOptions {
  std::string file;
  double deviation = 0;
};
void describe(OptionVisitor& v, PointsOptions& o) {
  v.on({.name = "file", .meaning = "data file whose rows are the points: .npy, .csv, .h5, as in [data]", .required = true}, o.file);
  v.on({.name = "deviation", .meaning = "standard deviation of a normal around every point; 0 = the points themselves", .range = at_least(0)}, o.deviation);
}
MadeDenoiser make(const PointsOptions& o, const DenoiserSetting& setting) {
  const Eigen::MatrixXd points = setting.read_points(o.file);
  return known_as_a_whole(points_denoiser(points, o.deviation), points.cols());
}

struct NamedOptions {
  std::vector<std::string_view> names{denoiser_names().begin(), denoiser_names().end()};
  std::string name;
};
void describe(OptionVisitor& v, NamedOptions& o) { v.on({.name = "name", .meaning = "name of the mixture", .choices = o.names, .required = true}, o.name); }
MadeDenoiser make(const NamedOptions& o, const DenoiserSetting&) {
  const auto model = named_denoiser(o.name);
  return known_as_a_whole(model, std::max(1, model->classes()));
}

struct NetworkOptions {
  TorchScriptOptions network;
  std::int64_t dimension = 0, classes = 0, together = 0, threads = 1;
  std::vector<std::int64_t> image;
};
void describe(OptionVisitor& v, NetworkOptions& o) {
  static constexpr std::array<std::string_view, 6> answers = {"data", "noise", "v", "velocity", "score", "edm"};
  static constexpr std::array<std::string_view, 5> times = {"none", "time", "lambda", "sigma", "log_ratio"};
  static constexpr std::array<std::string_view, 3> kinds_of_numbers = {"of_run", "float32", "float64"};
  v.on({.name = "file", .meaning = "TorchScript file with a method forward(x, t, y) that answers in the shape of x", .required = true}, o.network.file);
  v.on({.name = "dimension", .meaning = "numbers of a sample; for images, image tells", .range = between(0, 1e9)}, o.dimension);
  v.on({.name = "image", .meaning = "channels, height and width of samples that are images; empty: they are not", .range = between(1, 1e6), .size_max = 3},
       o.image);
  v.on({.name = "answers",
        .meaning = "what the network answers; velocity along the time of the schedule; edm: the network of Karras and others, for data of deviation 0.5"},
       o.network.answers, answers);
  v.on({.name = "answer_factor", .meaning = "factor on the answer: -1 for velocities along a time that runs from noise to data"}, o.network.answer_factor);
  v.on({.name = "classes", .meaning = "labels 0 ... classes - 1 are known; 0: forward has no argument y", .range = between(0, 1e9)}, o.classes);
  v.on({.name = "no_label", .meaning = "y of a sample without a label"}, o.network.no_label);
  v.on({.name = "time", .meaning = "what the network is told of the noise: nothing, t of the schedule, log(alpha / sigma), sigma, or log(sigma / alpha)"},
       o.network.time, times);
  v.on({.name = "time_factor", .meaning = "factor on it, for example 1000"}, o.network.time_factor);
  v.on({.name = "time_offset", .meaning = "added to it after that"}, o.network.time_offset);
  v.on({.name = "numbers", .meaning = "type that the network computes with; of_run: that of the states"}, o.network.numbers, kinds_of_numbers);
  v.on({.name = "together",
        .meaning = "samples of one call of forward, 0 = all of the batch; with 1 the samples are the same for every options.batch",
        .range = between(0, 1e9)},
       o.together);
  v.on({.name = "threads", .meaning = "threads of libtorch within one call; batches run side by side besides", .range = between(1, 4096)}, o.threads);
}
MadeDenoiser make(const NetworkOptions& o, const DenoiserSetting& setting) {
  if (o.image.empty() == (o.dimension == 0)) {
    refuse_kind(o.image.empty() ? "dimension" : "image", "", o.image.empty() ? "is required and missing" : "does not go with dimension",
                "give one of dimension, image");
  }
  if (!o.image.empty() && o.image.size() != 3) {
    refuse_kind("image", numbers(o.image.size()), "must be channels, height and width", "write image = [1, 28, 28]");
  }
  TorchScriptOptions network = o.network;
  network.file = (setting.base_directory / o.network.file).string();
  network.dimension = static_cast<Index>(o.dimension);
  if (!o.image.empty()) network.image = ImageShape{o.image[0], o.image[1], o.image[2]};
  network.classes = static_cast<int>(o.classes);
  network.together = static_cast<Index>(o.together);
  network.threads = static_cast<int>(o.threads);
  MadeDenoiser made;
  made.denoiser = torchscript_denoiser(network);
  return made;
}

template <class Options>
DenoiserKind kind(std::string name, std::string summary) {
  return {std::move(name), std::move(summary),
          [](OptionVisitor& v) {
            Options options;
            describe(v, options);
          },
          [](OptionVisitor& v, const DenoiserSetting& setting) {
            Options options;
            describe(v, options);
            return make(options, setting);
          }};
}

}  // namespace

const std::vector<DenoiserKind>& denoiser_kinds() {
  static const std::vector<DenoiserKind> kinds = {
      kind<GaussianOptions>("gaussian", "exact, of Gaussian data"),
      kind<MixtureOptions>("mixture", "exact, of a mixture of Gaussians; classes are its components"),
      kind<PointsOptions>("points", "exact, of a finite set of points from a file"),
      kind<NamedOptions>("named", "exact, of a mixture known by its name; classes are its components"),
      kind<NetworkOptions>("torchscript", "a network in a TorchScript file, through libtorch"),
  };
  return kinds;
}

}  // namespace buffon
