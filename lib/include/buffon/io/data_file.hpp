// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <buffon/core/options.hpp>
#include <buffon/model/data_set.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace buffon {

enum class DataFormat { automatic, npy, csv, hdf5, libsvm, matrix_market };
enum class CsvHeader { automatic, yes, no };
enum class DataScale {
  none,
  centre,      ///< subtracts the mean of every column
  standardise  ///< and divides by its standard deviation (n in the denominator); constant columns are left out
};

/// A data set as a configuration names it, section [data].
struct DataFileOptions {
  std::string file = {};  ///< path, "-" = standard input; required
  DataFormat format =
      DataFormat::automatic;  ///< automatic: by the first bytes, then by the name (.npy, .csv, .h5, .hdf5, .svm, .libsvm, .mtx, each also with .gz)
  std::string dataset = "";   ///< hdf5: path of the array in the file; empty = the only one
  CsvHeader header = CsvHeader::automatic;  ///< csv: automatic = a first line without a number is one; of both kinds: refused
  std::vector<std::string> columns = {};    ///< names, numbers from 0, or ranges "0:27" without their end; empty = all
  std::string rows = "";                    ///< "begin:end" or "begin:end:step", from 0, without the end; empty = all
  std::string weights = "";                 ///< a column (by name or number, then not among the columns), or a file with one number per row
  DataScale scale = DataScale::none;
};
void describe(OptionVisitor& visitor, DataFileOptions& options);

/// Reads a data set: .npy (b1, u1, u2, u4, u8, i1, i2, i4, i8, f4, f8 in both byte orders, C or Fortran order, one or two dimensions), CSV, HDF5
/// (where built with it), libsvm (labels and groups are passed over) and Matrix Market (real, integer, pattern; general, symmetric); each also
/// gz-compressed. Sizes are checked against the available memory before they are taken.
/// Uncompressed .npy files in row order of type f4 and f8, of which all columns or adjacent ones are chosen and none is scaled, are mapped, not copied: such a
/// file must not be shortened while the data set lives. Weights scale and centre too. A file of weights has one number for each row of the source; `rows`
/// chooses among both. Sparse rows (libsvm, coordinate) are neither centred nor standardised.
/// @param base folder that relative paths begin at
/// @throws Error(no_input) for a file that is not there, Error(data) for what is wrong in it, with the place, Error(configuration) for options and columns
std::shared_ptr<const DataSet> read_data(const DataFileOptions& options, const std::filesystem::path& base = {});

}  // namespace buffon
