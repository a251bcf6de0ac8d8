#!/usr/bin/env bash
# Line coverage by folder from a run of the coverage build.
set -eu
cd "$(dirname "$0")/../.."
find build-coverage -name '*.gcda' -path '*dir/*' ! -path '*/tests/*' | while read -r data; do
    gcov -n -o "$(dirname "$data")" "$data" 2>/dev/null
done | awk -v root="$PWD/" '
    /^File / { file = $2; gsub(/\x27/, "", file); sub(root, "", file) }
    /^Lines executed:/ {
        split($2, part, ":"); sub(/%/, "", part[2]); lines = $4
        if (file !~ /^\// && file ~ /\.c$/ && !(file in seen)) {
            seen[file] = 1; folder = file; sub(/\/[^\/]*$/, "", folder)
            all[folder] += lines; hit[folder] += lines * part[2] / 100
        }
    }
    END { for (f in all) printf "%-14s %6d lines %6.1f%%\n", f, all[f], 100 * hit[f] / all[f] }' | sort
