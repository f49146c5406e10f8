#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Can the storm find anything? Each fault of fuzz/plants.txt, put into a copy
# of the decoder, must be found within EXECUTIONS:
#   tests/fuzz_plants.sh [EXECUTIONS [NAME...]]
set -u
cd "$(dirname "$0")/.." || exit 2
runs=${1:-6000000}
[ $# -eq 0 ] || shift
build=${BOWLINE_FUZZ_BUILD:-build/fuzz}
jobs=$(nproc)
cmake --preset fuzz -B "$build" >/dev/null &&
    cmake --build "$build" -j "$jobs" --target storm_plants >/dev/null || exit 1
names=${*:-$(sed -n 's/^\([a-z_]*\) |.*/\1/p' fuzz/plants.txt)}
found=0
missed=0
for name in $names; do
    work=$build/fuzz/plants/$name
    rm -f "$work"/state*
    "$build/fuzz/plants/fuzz_storm_$name" "$runs" 1 "$work/state" \
        >"$work/out" 2>"$work/err" || true
    round=$(find "$work" -name 'state-finding-1-*' | sed 's/.*-//')
    said=$(grep -aom1 -E 'FINDING.*|runtime error.*|ERROR: [^(]*' "$work/err")
    if [ -n "$round" ] && [ -n "$said" ]; then
        echo "plant $name: found after $((round * 8)): ${said:0:90}"
        found=$((found + 1))
    else
        echo "plant $name: NOT FOUND in $runs executions"
        missed=$((missed + 1))
    fi
done
echo "plants: $found found, $missed missed"
[ "$missed" -eq 0 ] && [ "$found" -gt 0 ]
