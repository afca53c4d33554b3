// SPDX-License-Identifier: BSD-3-Clause
// Rewrites what is generated from the descriptions of options: the JSON schema, the option tables of the method pages, the
// section tables of the guide and the table of solvers. Argument: the root of the source tree.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <buffon/io/explain.hpp>
#include <buffon/samplers/diffusion/solver_plan.hpp>

#include "all_methods.hpp"

namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write(const fs::path& file, const std::string& text) {
  if (contents(file) == text) return;
  std::ofstream(file, std::ios::binary) << text;
  std::printf("updated %s\n", file.c_str());
}

void fill(std::string& page, const std::string& marker, const std::string& table) {
  const std::string begin = "<!-- " + marker + ":begin -->";
  const std::size_t from = page.find(begin);
  const std::size_t to = page.find("<!-- " + marker + ":end -->");
  if (from == std::string::npos || to == std::string::npos) return;
  page.replace(from + begin.size(), to - from - begin.size(), "\n" + table);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const fs::path root = argv[1];
  const auto& methods = buffon::testing::all_methods();
  fs::create_directories(root / "data" / "schema");
  write(root / "data" / "schema" / "job.schema.json", buffon::job_schema(methods));
  for (const auto& entry : methods) {
    const fs::path file = root / "docs" / "methods" / (entry.name + ".md");
    if (!fs::exists(file)) continue;
    std::string page = contents(file);
    fill(page, "options", buffon::method_markdown_table(entry));
    write(file, page);
  }
  const fs::path guide = root / "docs" / "guide" / "configuration.md";
  std::string page = contents(guide);
  fill(page, "top", buffon::section_markdown_table(""));
  for (const auto* section : {"model", "inputs", "correlations", "quantities", "nested", "stages", "density", "parameters", "start", "data", "denoiser",
                              "schedule", "derived", "run"}) {
    fill(page, section, buffon::section_markdown_table(section));
  }
  write(guide, page);
  const fs::path solvers = root / "docs" / "design" / "diffusion_solvers.md";
  page = contents(solvers);
  fill(page, "solvers", buffon::solver_markdown_table());
  write(solvers, page);
}
