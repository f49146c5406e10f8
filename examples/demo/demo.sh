#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The product at work on this machine: one server, 22 devices, good releases,
# bad ones, attacks, rollbacks. See --help, and examples/demo/README.md.
set -eu
exec python3 -B "$(dirname "$0")/demo.py" "$@"
