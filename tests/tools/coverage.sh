#!/usr/bin/env bash
# Line coverage by folder, and in all, from a run of the coverage build; what never ran counts as not covered.
set -eu
cd "$(dirname "$0")/../.."
find build-coverage -name '*.gcno' -path '*dir/*' ! -path '*/tests/*' | while read -r notes; do
    gcov -n -o "$(dirname "$notes")" "$notes" 2>/dev/null
done | awk -v root="$PWD/" '
    /^File / { file = $2; gsub(/\x27/, "", file); sub(root, "", file); sub(/^\.\.\//, "", file) }
    /^Lines executed:/ {
        split($2, part, ":"); sub(/%/, "", part[2]); lines = $4
        if (file !~ /^\// && file ~ /\.c$/ && !(file in seen)) {
            seen[file] = 1; folder = file; sub(/\/[^\/]*$/, "", folder)
            all[folder] += lines; hit[folder] += lines * part[2] / 100
        }
    }
    END {
        row = "%-14s %6d lines %6.1f%%\n"
        for (f in all) {
            printf row, f, all[f], 100 * hit[f] / all[f] | "sort"
            lines_all += all[f]; lines_hit += hit[f]
        }
        close("sort")
        if (!lines_all) { print "no coverage data: build and run the coverage build first"; exit 1 }
        printf row, "all", lines_all, 100 * lines_hit / lines_all
    }'
