#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hostile patches, EXECUTIONS in all on every processor (fuzz/storm_main.c):
#   tests/fuzz_delta.sh [EXECUTIONS]
# 100 million, which is what `make test-long` does unless BOWLINE_DELTA_RUNS
# says less, are about an hour and a half of one processor's time.
# Interrupted, it goes on where it was; another build of the decoder, or another
# BOWLINE_DELTA_SEED, begins anew. Ends with 1 at a finding, which is kept.
set -u
cd "$(dirname "$0")/.." || exit 2
runs=${1:-${BOWLINE_DELTA_RUNS:-100000000}}
case $runs in '' | *[!0-9]*) echo "fuzz_delta: not a number: $runs"; exit 2 ;; esac
build=${BOWLINE_FUZZ_BUILD:-build/fuzz}
seed=${BOWLINE_DELTA_SEED:-1}
jobs=$(nproc)
each=$(((runs + jobs - 1) / jobs))
cmake --preset fuzz -B "$build" >/dev/null &&
    cmake --build "$build" -j "$jobs" --target fuzz_storm >/dev/null || exit 1
storm=$build/fuzz/fuzz_storm
of_build=$(sha256sum "$storm" | cut -c1-12)
work=$build/storm/$of_build-$seed-$jobs
mkdir -p "$work"
pids=()
for job in $(seq "$jobs"); do
    "$storm" "$each" $((seed * 1000 + job)) "$work/$job" \
        > >(tee "$work/$job.log") 2>"$work/$job.err" &
    pids+=($!)
done
trap 'kill "${pids[@]}" 2>/dev/null; exit 130' INT TERM
status=0
for job in $(seq "$jobs"); do
    if ! wait "${pids[$((job - 1))]}"; then
        echo "hostile patches: FINDING by job $job; all of it: $work/$job.err"
        grep -aE 'FINDING|ERROR: |runtime error|^kept|^again|^or: ' \
            "$work/$job.err"
        status=1
    fi
done
sleep 0.2 # what tee has yet to say
if [ "$status" -eq 0 ]; then
    done_n=0
    for job in $(seq "$jobs"); do
        n=$(sed -n 's/^fuzz_storm [0-9]*: \([0-9]*\) of.*/\1/p' \
            "$work/$job.log" | tail -n 1)
        done_n=$((done_n + n))
    done
    echo "hostile patches: $done_n executions, no finding"
    [ "$done_n" -ge "$runs" ] || status=1
fi
exit $status
