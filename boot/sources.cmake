# SPDX-License-Identifier: Apache-2.0
# The one list of the boot code's sources.
set(BOWLINE_BOOT_SOURCES
    src/decide.c
    src/run.c)
