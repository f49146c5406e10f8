#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Code and constants of the decoder of deltas, as a linker keeps them with -Os,
# for one instruction set in the images, with compressed members, and with all
# that there is; without SHA-256 and without what the compiler's own library
# brings. docs/DELTA-LIBRARY.md has the table.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sets="THUMB RISCV XTENSA AARCH64 X86_64"
flags="-std=c99 -Os -g0 -ffreestanding -fno-tree-loop-distribute-patterns
-ffunction-sections -fdata-sections -fno-inline-functions-called-once
-Icore/include -Icore/delta/include -Icore/delta/src"
sources=$(sed -n 's|^ *\(src/[a-z0-9_]*\.c\).*|core/delta/\1|p' \
    core/delta/sources.cmake | grep -v /encode.c)

# text COMPILER CPU-FLAGS DEFINITIONS...: bytes
text() {
    compiler=$1
    cpu=$2
    shift 2
    rm -f "$work"/*
    for source in $sources tests/size/patch.c; do
        # shellcheck disable=SC2086
        $compiler $cpu $flags "$@" -c "$source" \
            -o "$work/$(basename "$source" .c).o"
    done
    # shellcheck disable=SC2086
    $compiler $cpu -nostdlib -Wl,--gc-sections -Wl,--entry=entry \
        -Wl,--unresolved-symbols=ignore-all -Wl,--no-warn-mismatch \
        "$work"/*.o -o "$work/program" 2>"$work/said" ||
        { cat "$work/said" >&2; exit 1; }
    "${compiler%gcc}size" "$work/program" | awk 'NR == 2 { print $1 }'
}

without() { # all but $1
    for set in $sets; do
        [ "$set" = "$1" ] || echo "-DBL_DELTA_NO_$set"
    done
}

row() { # NAME COMPILER CPU-FLAGS
    printf '| %s |' "$1"
    for set in none THUMB RISCV XTENSA; do
        # shellcheck disable=SC2046
        printf ' %s |' "$(text "$2" "$3" -DBL_DELTA_NO_DEFLATE \
            -DBL_DELTA_NO_PIC -DBL_DELTA_NO_IN_PLACE $(without "$set"))"
    done
    # shellcheck disable=SC2046
    printf ' %s |' "$(text "$2" "$3" -DBL_DELTA_NO_PIC -DBL_DELTA_NO_IN_PLACE $(without THUMB))"
    printf ' %s |\n' "$(text "$2" "$3")"
}

echo '| Processor | data only | Thumb | RISC-V | Xtensa |' \
    'Thumb, with members | everything |'
echo '|---|---:|---:|---:|---:|---:|---:|'
row "Cortex-M0+" arm-none-eabi-gcc "-mcpu=cortex-m0plus -mthumb"
row "Cortex-M4" arm-none-eabi-gcc "-mcpu=cortex-m4 -mthumb"
row "RV32IMC" riscv64-unknown-elf-gcc \
    "-march=rv32imc -mabi=ilp32 --specs=picolibc.specs"
