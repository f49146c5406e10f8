# SPDX-License-Identifier: Apache-2.0
# Flags of the size builds; -fstack-usage writes the .su files that
# tests/size.sh reads.
string(JOIN " " cpu ${BOWLINE_CPU})
set(CMAKE_C_FLAGS_INIT
    "${cpu} -Os -g0 -ffunction-sections -fdata-sections -fstack-usage")
set(CMAKE_BUILD_TYPE "" CACHE STRING "" FORCE)
