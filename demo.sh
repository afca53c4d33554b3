#!/bin/sh
# Installs the Debian packages that are missing, builds buffon in build/release and runs the cantilever study:
# configuration -> result with error bars -> out/cantilever/report.html
set -eu
cd "$(dirname "$0")"
sh cmake/install_packages.sh run
cmake --preset release -DBUFFON_TESTS=OFF
cmake --build --preset release --target buffon
rm -rf out/cantilever
./build/release/apps/buffon run data/configs/cantilever.toml --out out/cantilever
echo
echo "The report: $(pwd)/out/cantilever/report.html"
