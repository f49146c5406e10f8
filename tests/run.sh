#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the test suite; closes with one line "N passed, N failed".
#   tests/run.sh [--long]
set -u
cd "$(dirname "$0")/.."
long=no
[ "${1:-}" = --long ] && long=yes
jobs=$(nproc)
failed_steps=0
passed=0
failed=0
skipped=0
log=build/test-logs
mkdir -p "$log"

step() { printf '\n== %s\n' "$*"; }
broken() { echo "FAILED: $*"; failed_steps=$((failed_steps + 1)); }

# Adds up the closing lines of cmocka programs in a ctest log.
count_cmocka() {
    local file=$1 p f
    p=$(sed -n 's/^.*\[  PASSED  \] \([0-9]*\) test(s)\.$/\1/p' "$file" |
        awk '{ s += $1 } END { print s + 0 }')
    f=$(sed -n 's/^.*\[  FAILED  \] \([0-9]*\) test(s), listed below:$/\1/p' \
        "$file" | awk '{ s += $1 } END { print s + 0 }')
    passed=$((passed + p))
    failed=$((failed + f))
}

# The closing line of pytest: "1 failed, 468 passed, 2 skipped in 292.58s".
count_pytest() {
    local line
    line=$(grep -E '^[0-9=].*(passed|failed|error|skipped).* in [0-9.]+s' "$1" |
        tail -1)
    word() { echo " $line" | sed -n "s/.*[^0-9]\([0-9][0-9]*\) $1.*/\1/p"; }
    local p f e s
    p=$(word passed); f=$(word failed); e=$(word error); s=$(word skipped)
    passed=$((passed + ${p:-0}))
    failed=$((failed + ${f:-0} + ${e:-0}))
    skipped=$((skipped + ${s:-0}))
}

[ "$long" = yes ] && export BOWLINE_LONG=1

step "build (sanitizers, warnings are errors)"
cmake --preset dev >/dev/null && cmake --build --preset dev -j "$jobs" ||
    { broken build; echo; echo "0 passed, 1 failed"; exit 1; }

step "build (release, as users run it)"
cmake --preset release >/dev/null && cmake --build --preset release -j "$jobs" ||
    { broken build; echo; echo "0 passed, 1 failed"; exit 1; }

step "unit tests"
if ! ctest --test-dir build/dev -j "$jobs" --output-on-failure \
    --timeout $([ "$long" = yes ] && echo 7200 || echo 600) \
    -V >"$log/ctest.out" 2>&1; then
    broken "ctest"
    grep -E '\*\*\*Failed|\*\*\*Timeout|\[  FAILED  \]|\[   LINE|ERROR:' \
        "$log/ctest.out" | head -60
fi
count_cmocka "$log/ctest.out"
tail -6 "$log/ctest.out"

step "programs, end to end"
export BOWLINE_BUILD=$PWD/build/dev BOWLINE_BIN=$PWD/build/dev/bin
# They wait more than they compute: two for each processor.
/usr/bin/python3 -m pytest -q -p no:cacheprovider -rfEs \
    -n $((jobs * 2)) --dist loadfile tests \
    >"$log/pytest.log" 2>&1 || { broken pytest; tail -60 "$log/pytest.log"; }
tail -3 "$log/pytest.log"
count_pytest "$log/pytest.log"

if [ "$long" = yes ]; then
    step "every power cut, and a second one in every recovery"
    cmake --preset long >/dev/null && cmake --build --preset long -j "$jobs" \
        >/dev/null || broken "build"
    BOWLINE_EXHAUSTIVE=1 ctest --test-dir build/long -R 'powercut|sim_|in_place' \
        -j "$jobs" --timeout 7200 -V >"$log/cuts.out" 2>&1 || broken "power cuts"
    count_cmocka "$log/cuts.out"
    grep -iE 'cuts|releases' "$log/cuts.out" | tail -12
    step "fuzzing, 60 s a target"
    tests/fuzz.sh 60 || broken fuzz
    step "faults that hostile patches must find"
    tests/fuzz_plants.sh || broken "planted faults"
    step "hostile patches, ${BOWLINE_DELTA_RUNS:-100000000} executions"
    tests/fuzz_delta.sh || broken "hostile patches"
    step "sizes"
    tests/size.sh || broken size
    step "clang-tidy"
    tests/lint.sh || broken lint
fi

if [ "$failed_steps" -gt 0 ] && [ "$failed" -eq 0 ]; then
    failed=$failed_steps
fi
printf '\n%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
