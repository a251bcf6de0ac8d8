#!/usr/bin/env bash
# clang-tidy over every source of the clang build.
set -eu
cd "$(dirname "$0")/../.."
find . -type d \( -name 'build*' -o -name var -o -name tests -o -name '.?*' \) -prune -o -name '*.c' -print0 |
    xargs -0 -P "$(nproc)" -n 4 clang-tidy --quiet -p build-clang
