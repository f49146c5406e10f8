#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs each libFuzzer target for SECONDS with its seeds: tests/fuzz.sh SECONDS
set -u
cd "$(dirname "$0")/.."
seconds=${1:-60}
/usr/bin/python3 fuzz/seeds.py
cmake --preset fuzz >/dev/null && cmake --build --preset fuzz -j "$(nproc)" \
    --target fuzzers >/dev/null || exit 1
status=0
for target in build/fuzz/fuzz/fuzz_*; do
    [ -x "$target" ] && [ -f "$target" ] || continue
    name=$(basename "$target")
    work=build/fuzz/corpus/$name
    mkdir -p "$work"
    seeds=fuzz/seeds/${name#fuzz_}
    if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="build/fuzz/$name-" "$work" \
        $( [ -d "$seeds" ] && echo "$seeds" ) \
        >"build/fuzz/$name.log" 2>&1; then
        runs=$(sed -n 's/^Done \([0-9]*\) runs in.*/\1/p' "build/fuzz/$name.log")
        echo "$name: ${runs:-?} runs, no finding"
    else
        echo "$name: FINDING, see build/fuzz/$name.log"
        status=1
    fi
done
exit $status
