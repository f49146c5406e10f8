#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Which lines of core, boot, host, author, server and tool the tests reach.
set -eu
cd "$(dirname "$0")/.."
cmake --preset coverage >/dev/null
cmake --build --preset coverage -j "$(nproc)"
find build/coverage -name '*.gcda' -delete
ctest --test-dir build/coverage -j "$(nproc)" >/dev/null || true
BOWLINE_BUILD=$PWD/build/coverage BOWLINE_BIN=$PWD/build/coverage/bin \
    /usr/bin/python3 -m pytest -q -p no:cacheprovider tests >/dev/null || true
gcovr --root . --exclude tests --exclude bench --exclude fuzz build/coverage
