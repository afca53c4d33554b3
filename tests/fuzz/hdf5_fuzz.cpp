// SPDX-License-Identifier: BSD-3-Clause
// Any bytes are read as a data set of this format, or refused with an error that says why; what breaks the HDF5 library breaks its own process.
#include "data_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { return buffon::fuzz::read_as(buffon::DataFormat::hdf5, data, size); }
