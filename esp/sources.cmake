# SPDX-License-Identifier: Apache-2.0
# The one list of this room's sources; CMake, ESP-IDF and Arduino builds read
# it.
set(BOWLINE_ESP_SOURCES
    src/chip.c
    src/image.c
    src/image_descriptor.c
    src/image_fault.c)
