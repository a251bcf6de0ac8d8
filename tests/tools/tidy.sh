#!/usr/bin/env bash
# clang-tidy over every source of the clang build, each in a process of its own: the analyzer of clang 14 carries what it
# has found out about va_list from one source to the next.
set -eu
cd "$(dirname "$0")/../.."
find . -type d \( -name 'build*' -o -name var -o -name tests -o -name '.?*' \) -prune -o -name '*.c' -print0 |
    xargs -0 -P "$(nproc)" -n 1 clang-tidy --quiet -p build-clang
