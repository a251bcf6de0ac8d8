#!/usr/bin/env bash
# clang-tidy over every source of the clang build.
set -eu
cd "$(dirname "$0")/../.."
git ls-files '*.c' | grep -v '^tests/' | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build-clang
