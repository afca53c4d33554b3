// SPDX-License-Identifier: BSD-3-Clause
#include "diffusion_reader.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <buffon/io/data_file.hpp>
#include <buffon/io/files.hpp>
#include <buffon/model/denoiser_kind.hpp>
#include <buffon/model/denoiser_wrappers.hpp>

#include "../sha256.hpp"
#include "option_reader.hpp"
#include "problem_reader.hpp"
#include "sections.hpp"

namespace buffon::config {
namespace {

namespace fs = std::filesystem;

/// The rows of a data file as columns.
Eigen::MatrixXd points_of(const fs::path& file) {
  DataFileOptions options;
  options.file = file.string();
  const auto data = read_data(options);
  std::vector<Index> rows(static_cast<std::size_t>(data->rows()));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<Index>(i);
  return data->points(rows);
}

class DiffusionSections {
 public:
  DiffusionSections(const Document& document, const fs::path& base_directory) : document_(document), base_directory_(base_directory) {}

  ReadDiffusion read() {
    const Section denoiser = required("denoiser", "reading the denoiser"), schedule = required("schedule", "reading the noise schedule");
    read_denoiser(denoiser);
    read_schedule(schedule);
    read_classes(denoiser);
    out_.model = std::make_shared<const DiffusionModel>(std::move(model_));
    return std::move(out_);
  }

 private:
  Section required(const char* name, std::string doing) const {
    const Section section = section_of(document_, name, std::move(doing));
    if (document_.root.find(name) == nullptr) {
      section.fail(document_.root.where, name, {}, "is required and missing",
                   document_.remedy(std::string(name) + ".kind=…", "add a section [" + std::string(name) + "] with its kind"));
    }
    return section;
  }

  /// The section with the keys of its kind checked; `kinds` names the kind that `head` has.
  template <class Head, class Kind>
  const Kind& kind_of(Section& section, Head& head, const std::vector<Kind>& kinds, Node& resolved) const {
    OptionReader reader(section);
    describe(reader, head);
    resolved = reader.take_resolved();
    const Kind& kind = *std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) { return k.name == head.kind; });
    section.doing += " of kind " + kind.name;
    std::vector<std::string> keys;
    append_names(keys, list_options_of(head));
    append_names(keys, list_options(kind.describe));
    check_keys(section, keys);
    return kind;
  }

  /// A file beside the job, named by its place and known by its content.
  fs::path file_of(const char* section, const char* key, const std::string& name) {
    const fs::path file = fs::absolute(base_directory_ / name).lexically_normal();
    if (!fs::exists(file) || fs::is_directory(file)) {
      throw Error(ErrorCategory::no_input, {.key = std::string(section) + "." + key,
                                            .value = file.string(),
                                            .rule = fs::exists(file) ? "is a directory" : "is not there",
                                            .remedy = "check the spelling of the path, which starts at the folder of the job"});
    }
    out_.contents.push_back({section, key, io_detail::sha256_of_file(file)});
    return file;
  }

  void read_denoiser(Section section) {
    head_ = denoiser_section();
    const DenoiserKind& kind = kind_of(section, head_, denoiser_kinds(), out_.denoiser);
    OptionReader options(section);
    const DenoiserSetting setting{.base_directory = base_directory_, .read_points = [&](const std::string& name) { return points_of(base_directory_ / name); }};
    made_ = located(section, [&] { return kind.make(options, setting); });
    for (auto& member : options.take_resolved().members) {
      if (member.key == "file" && member.value.kind == Node::Kind::text) member.value = text_node(file_of("denoiser", "file", member.value.text).string());
      const bool empty = member.value.kind == Node::Kind::array && member.value.elements.empty();
      if (!empty) out_.denoiser.set(member.key, std::move(member.value));
    }
    model_.denoiser = made_.denoiser;
  }

  void read_schedule(Section section) {
    ScheduleSection head = schedule_section();
    const ScheduleKind& kind = kind_of(section, head, schedule_kinds(), out_.schedule);
    OptionReader options(section);
    model_.schedule = located(section, [&] {
      auto schedule = kind.make(options);
      return head.shift == 1 ? schedule : shifted_schedule(schedule, head.shift);
    });
    for (auto& member : options.take_resolved().members) out_.schedule.set(member.key, std::move(member.value));
    if (head.grid_file.empty()) return;
    located(section, [&] {
      const fs::path file = file_of("schedule", "grid_file", head.grid_file);
      model_.grid = read_file(file);
      model_.grid_file = file.string();
      grid_numbers(model_.grid, model_.grid_file);
      out_.schedule.set("grid_file", text_node(file.string()));
    });
  }

  void read_classes(const Section& section) {
    const auto place = [&](const char* key) { return section.table->find(key)->value.where; };
    if (head_.label >= 0 && !head_.labels.empty()) {
      section.fail(place("labels"), section.key("labels"), {}, "does not go with label", "leave one of them out");
    }
    std::vector<std::int64_t> labels = head_.labels;
    if (head_.label >= 0) labels = {head_.label};
    const int classes = made_.denoiser->classes();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] < classes) {
        model_.labels.push_back(static_cast<std::int32_t>(labels[i]));
        continue;
      }
      const bool alone = head_.labels.empty();
      const char* key = alone ? "label" : "labels";
      section.fail(place(key), alone ? section.key(key) : section.key(key) + "[" + std::to_string(i) + "]", std::to_string(labels[i]),
                   classes == 0 ? "cannot be given: the model knows no classes" : "must be below the number of classes, " + std::to_string(classes),
                   classes == 0 ? "leave it out" : "classes are numbered from 0");
    }
    const bool whole = std::all_of(model_.labels.begin(), model_.labels.end(), [](std::int32_t label) { return label < 0; });
    read_guidance(section, whole);
    if (head_.threshold) model_.denoiser = thresholded(model_.denoiser, model_.schedule, *head_.threshold);
    const bool same = std::all_of(model_.labels.begin(), model_.labels.end(), [&](std::int32_t label) { return label == model_.labels.front(); });
    if (!head_.guidance && !head_.threshold && same) model_.law = made_.law(model_.label(0));
    for (const char* key : {"label", "labels"}) {
      if (section.table->find(key) == nullptr) out_.denoiser.erase(key);
    }
  }

  void read_guidance(const Section& section, bool whole) {
    for (const char* key : {"guidance_from", "guidance_to"}) {
      if (section.table->find(key) == nullptr || head_.guidance) continue;
      section.fail(place_of(section, key), section.key(key), {}, "does not go without guidance", "give guidance too, or leave it out");
    }
    if (!head_.guidance) return;
    if (whole) section.fail(place_of(section, "guidance"), section.key("guidance"), to_text(*head_.guidance), "needs a class", "give label or labels");
    const double most = std::numeric_limits<double>::infinity();
    model_.denoiser = guided(model_.denoiser, *head_.guidance, head_.guidance_from.value_or(-most), head_.guidance_to.value_or(most));
  }

  static Origin place_of(const Section& section, const char* key) { return section.table->find(key)->value.where; }

  const Document& document_;
  const fs::path& base_directory_;
  DenoiserSection head_;
  MadeDenoiser made_;
  DiffusionModel model_;
  ReadDiffusion out_;
};

}  // namespace

ReadDiffusion read_diffusion(const Document& document, const fs::path& base_directory) { return DiffusionSections(document, base_directory).read(); }

}  // namespace buffon::config
