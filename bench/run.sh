#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All measurements, each beside its peer: bench/run.sh [install|poll|idle|million|stampede|delta|delta-in-place|delta-cost] [options]
set -eu
cd "$(dirname "$0")/.."
what=${1:-all}
[ $# -gt 0 ] && shift
case $what in
all)
    for one in install poll idle million stampede; do
        /usr/bin/python3 "bench/$one.py"
    done
    /usr/bin/python3 bench/delta/bench.py
    /usr/bin/python3 bench/delta/cost.py
    ;;
delta) /usr/bin/python3 bench/delta/bench.py "$@" ;;
delta-in-place) /usr/bin/python3 bench/delta/in_place.py "$@" ;;
delta-cost) /usr/bin/python3 bench/delta/cost.py "$@" ;;
install | poll | idle | million | stampede) /usr/bin/python3 "bench/$what.py" "$@" ;;
*) echo "usage: bench/run.sh [install|poll|idle|million|stampede|delta|delta-in-place|delta-cost] [options]" >&2; exit 2 ;;
esac
