#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Flash (text) per module of core and boot, and the largest stack frame of
# each, compiled with -Os for three processors; then what the linker keeps for
# the least firmware and the least boot loader (tests/size), their deepest
# stacks, and the RAM of a client. Fails when core has writable globals, when a
# frame has no bound, or when a function can come to call itself.
set -eu
cd "$(dirname "$0")/.."
# It keeps no .ci files, and a hit would leave the call graph with holes.
export CCACHE_DISABLE=1
primitives="sha256.c hss.c"
status=0

# text and data of one object: "text data bss"
sections() { "$1" -B "$2" | awk 'NR == 2 { print $1, $2, $3 }'; }

for preset in arm-m0 arm rv32; do
    case $preset in
    arm-m0) name="Cortex-M0+ (thumbv6m)"; size=arm-none-eabi-size
        delta="10300 12950" ;;
    arm) name="Cortex-M4 (thumbv7em)"; size=arm-none-eabi-size
        delta="9750 12288" ;;
    rv32) name="RV32IMC"; size=riscv64-unknown-elf-size
        delta="11750 14850" ;;
    esac
    cmake --fresh --preset "$preset" >/dev/null
    cmake --build --preset "$preset" >/dev/null
    echo
    echo "$name, -Os"
    echo
    printf '| %-18s | %7s | %5s | %-34s |\n' module text frame "deepest frame in"
    printf '|%s|%s|%s|%s|\n' -------------------- --------: ------: ------------------------------------
    total=0
    core=0
    ram=0
    while read -r object; do
        source=$(basename "$object" .obj)
        source=$(basename "$source" .o)
        read -r text data bss <<<"$(sections "$size" "$object")"
        su=${object%.*}.su
        read -r frame function <<<"$(awk -F'\t' '{
            n = split($1, a, ":"); if ($2 + 0 >= max) { max = $2 + 0; f = a[n] } }
            END { print max + 0, f }' "$su")"
        printf '| %-18s | %7d | %5d | %-34s |\n' "$source" "$text" "$frame" "$function"
        total=$((total + text))
        ram=$((ram + data + bss))
        case " $primitives " in
        *" $source "*) ;;
        *) case $object in */boot/*) ;; *) core=$((core + text)) ;; esac ;;
        esac
    done < <(find "build/$preset/core" "build/$preset/boot" -name '*.obj' | sort)
    echo
    echo "total $total bytes; core without SHA-256 and HSS-LMS $core bytes;" \
        "writable globals $ram bytes"
    echo "what is linked, without SHA-256 and HSS-LMS:"
    client=$((16#$("${size%size}nm" -S \
        "build/$preset/test-programs/size_client" |
        awk '$4 == "size_of_bl_client" { print $2 }')))
    for image in client boot; do
        python3 tests/size/carried.py "build/$preset" $image || status=1
    done
    python3 tests/size/delta.py "build/$preset" delta_one \
        "${delta% *}" || status=1
    python3 tests/size/delta.py "build/$preset" delta_three \
        "${delta#* }" || status=1
    echo "struct bl_client: $client bytes of RAM, beside the caller's buffers"
    if [ "$preset" = rv32 ]; then
        python3 tests/size/esp_idf/measure.py "build/$preset" || status=1
    fi
    if [ "$ram" -ne 0 ]; then
        echo "error: core has writable globals" >&2
        status=1
    fi
done
exit $status
