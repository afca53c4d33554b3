#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Before a release: the random words of neighbouring items, draw blocks, streams and seeds through dieharder.
#   tests/statistical/dieharder.sh path/to/raw_words [OUTPUT_DIR] [dieharder options; default -a]
# Hours for the whole battery; `-d 0` (birthdays) or another single test takes seconds to minutes. Writes one report per mode and
# ends with status 1 when any test is FAILED. WEAK (p below 0.005) is expected about once in 200 results.
set -u
words=${1:?usage: dieharder.sh path/to/raw_words [OUTPUT_DIR] [dieharder options]}
directory=${2:-dieharder}
shift $(($# < 2 ? $# : 2))
[ -x "$words" ] || { echo "dieharder.sh: $words is not an executable; build target raw_words with -DBUFFON_BENCHMARKS=ON" >&2; exit 66; }
command -v dieharder >/dev/null || { echo "dieharder.sh: dieharder is not installed (Debian package dieharder)" >&2; exit 69; }
[ $# -gt 0 ] || set -- -a
mkdir -p "$directory"
status=0
for mode in items draws streams seeds; do
  "$words" "$mode" 1 | dieharder -g 200 "$@" >"$directory/$mode.txt"
  passed=$(grep -c PASSED "$directory/$mode.txt")
  weak=$(grep -c WEAK "$directory/$mode.txt")
  failed=$(grep -c FAILED "$directory/$mode.txt")
  echo "$mode: $passed passed, $weak weak, $failed failed ($directory/$mode.txt)"
  if [ "$failed" -gt 0 ] || [ $((passed + weak)) -eq 0 ]; then status=1; fi
done
exit $status
