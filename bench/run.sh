#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All measurements, each beside its peer: bench/run.sh [install|poll] [options]
set -eu
cd "$(dirname "$0")/.."
what=${1:-all}
[ $# -gt 0 ] && shift
case $what in
all) /usr/bin/python3 bench/install.py; /usr/bin/python3 bench/poll.py ;;
install | poll) /usr/bin/python3 "bench/$what.py" "$@" ;;
*) echo "usage: bench/run.sh [install|poll] [options]" >&2; exit 2 ;;
esac
