# SPDX-License-Identifier: Apache-2.0
# The one list of this room's sources; CMake, ESP-IDF and Arduino builds read
# it.
set(BOWLINE_ESP_SOURCES
    src/arduino_device.c
    src/arduino_secret.c
    src/arduino_sender.c
    src/arduino_text.c
    src/chip.c
    src/image.c
    src/image_descriptor.c
    src/image_fault.c
    src/md5.c
    src/otadata.c
    src/otadata_boot.c
    src/otadata_ops.c
    src/partition.c
    src/partition_check.c
    src/partition_text.c
    src/push_package.c
    src/slot.c)
