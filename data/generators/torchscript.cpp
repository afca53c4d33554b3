// SPDX-License-Identifier: BSD-3-Clause
// Writes a TorchScript file from the text of a network in TorchScript and the tensors that it names, without Python:
//     generate_torchscript OUT.pt NETWORK.txt [FOLDER]
// Every .npy file of the folder becomes a parameter of type float32, or a buffer of type int64 where it holds whole numbers; its name is that of the file
// with _ for other signs.

#include "npy_array.hpp"

#include <torch/script.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: %s OUT.pt NETWORK.txt [FOLDER]\n", argv[0]);
    return 64;
  }
  try {
    std::ifstream in(argv[2]);
    if (!in) throw std::runtime_error(std::string(argv[2]) + " cannot be read");
    const std::string source{std::istreambuf_iterator<char>(in), {}};
    torch::jit::Module network("network");
    if (argc == 4) {
      for (const auto& entry : std::filesystem::directory_iterator(argv[3])) {
        if (entry.path().extension() != ".npy") continue;
        buffon::generators::NpyArray array = buffon::generators::read_npy_array(entry.path());
        std::string name = entry.path().stem().string();
        std::replace_if(
            name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
        const torch::Tensor values = torch::from_blob(array.values.data(), array.shape, torch::kFloat64);
        if (array.whole) {
          network.register_buffer(name, values.to(torch::kInt64));
        } else {
          network.register_parameter(name, values.to(torch::kFloat32), false);
        }
      }
    }
    network.define(source);
    network.eval();
    network.save(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 65;
  }
}
