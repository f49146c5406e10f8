#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hostile patches: fuzz/delta.c for that many executions in all, on every
# processor: tests/fuzz_delta.sh [EXECUTIONS]. 100 million, which is what
# `make test-long` does unless BOWLINE_DELTA_RUNS says less, are about five
# hours of one processor.
set -u
cd "$(dirname "$0")/.."
runs=${1:-${BOWLINE_DELTA_RUNS:-100000000}}
jobs=$(nproc)
each=$(((runs + jobs - 1) / jobs))
cmake --preset fuzz >/dev/null && cmake --build --preset fuzz -j "$jobs" \
    --target fuzz_delta >/dev/null || exit 1
pids=()
for job in $(seq "$jobs"); do
    work=build/fuzz/corpus/fuzz_delta-$job
    mkdir -p "$work"
    build/fuzz/fuzz/fuzz_delta -runs="$each" -seed="$job" -entropic=0 \
        -max_len=1500 -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="build/fuzz/fuzz_delta-$job-" "$work" \
        >"build/fuzz/fuzz_delta-$job.log" 2>&1 &
    pids+=($!)
done
status=0
for job in $(seq "$jobs"); do
    log=build/fuzz/fuzz_delta-$job.log
    if wait "${pids[$((job - 1))]}"; then
        echo "fuzz_delta $job: $(sed -n 's/^Done //p' "$log"), no finding"
    else
        echo "fuzz_delta $job: FINDING, see $log"
        status=1
    fi
done
exit $status
