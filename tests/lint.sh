#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over every C file of the product (not of the tests).
set -eu
cd "$(dirname "$0")/.."
CC=clang cmake --preset dev -B build/tidy >/dev/null
git ls-files '*.c' ':!tests' |
    while read -r f; do
        grep -q "\"file\": \".*/$f\"" build/tidy/compile_commands.json && echo "$f"
    done |
    xargs -P "$(nproc)" -n 4 clang-tidy -p build/tidy --quiet --warnings-as-errors='*'
