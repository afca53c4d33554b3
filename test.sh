#!/bin/sh
# Installs the Debian packages that are missing, builds buffon in build/release and runs its tests.
# Usage: ./test.sh            a line is printed for everything that is installed before it is
set -eu
cd "$(dirname "$0")"
sh cmake/install_packages.sh all
cmake --preset release -DBUFFON_TESTS=ON
cmake --build --preset release
ctest --preset release
