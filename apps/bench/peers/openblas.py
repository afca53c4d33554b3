# SPDX-License-Identifier: BSD-3-Clause
"""What the peers tell of their BLAS."""
import ctypes


def blas():
    """Core names of the OpenBLAS libraries that are loaded, and their number of threads."""
    with open("/proc/self/maps") as maps:
        files = {line.split()[-1] for line in maps if "blas" in line and ".so" in line}
    for file in sorted(files):
        try:
            library = ctypes.CDLL(file)
            name = library.openblas_get_corename
            name.restype = ctypes.c_char_p
            return "OpenBLAS %s, %d threads" % (name().decode(), library.openblas_get_num_threads())
        except (OSError, AttributeError):
            continue
    return "no OpenBLAS: " + ", ".join(sorted(files))
