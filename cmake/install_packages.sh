#!/bin/sh
# Installs the packages of packages.txt that are missing. Usage: install_packages.sh run|all
# Says what it installs before it does; needs root (or sudo) only when something is missing.
set -eu
what=${1:-all}
list=$(dirname "$0")/../packages.txt
wanted=$(grep -v '^#' "$list" | { [ "$what" = all ] && cat || grep -v '# test'; } | awk 'NF {print $1}')
missing=""
for package in $wanted; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -z "$missing" ]; then
  echo "Every Debian package that is needed is there."
  exit 0
fi
echo "These Debian packages are missing and will be installed with apt-get:$missing"
if [ "$(id -u)" -eq 0 ]; then
  as_root=""
elif command -v sudo >/dev/null; then
  as_root=sudo
else
  echo "Not root and no sudo: run as root:  apt-get update && apt-get install --no-install-recommends$missing" >&2
  exit 1
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
