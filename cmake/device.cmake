# SPDX-License-Identifier: Apache-2.0
# Flags of the size builds; a product does well to use the same.
#   -ffunction-sections, -fdata-sections, and -Wl,--gc-sections at the end:
#       what is not called is not carried
#   -fno-inline-functions-called-once: a function's locals are gone when it
#       has returned, instead of adding to its caller's frame
# -flto takes another 3% off a firmware and 6% off a boot loader; then leave
# the last one out. Nothing else of gcc 12 made more than 50 bytes less.
# -fstack-usage and -fcallgraph-info write the .su and .ci files that
# tests/size.sh reads.
string(JOIN " " cpu ${BOWLINE_CPU})
set(CMAKE_C_FLAGS_INIT "${cpu} -Os -g0 -ffunction-sections -fdata-sections -fno-inline-functions-called-once \
-fstack-usage -fcallgraph-info=su")
set(CMAKE_BUILD_TYPE "" CACHE STRING "" FORCE)
