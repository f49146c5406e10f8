/* SPDX-License-Identifier: Apache-2.0 */
/* What bowline diff and bowline patch take. */
#include "options.h"

const struct option options_diff[] = {
    OUTPUT("where the patch goes, - for standard output; needed"),
    VALUE("ram", "SIZE",
          "memory that the device gives the decoder, as 6K, 8K, 12K, 16K, "
          "32K; else 12K"),
    CHOICE("isa", "NAME", "what code the images hold; else auto",
           "auto thumb riscv xtensa aarch64 x86-64 plain"),
    VALUE("base", "ADDRESS", "where a raw image is loaded, as 0x08000000"),
    FLAG("in-place", "for a device with one slot, that overwrites the old"),
    VALUE("block", "SIZE",
          "with --in-place: the flash's erase block; else 4K"),
    VALUE("spare", "N",
          "with --in-place: erase blocks behind the image that may be used; "
          "else 0"),
    VALUE("effort", "N", "0 is fast, 9 tries everything; else 6"),
    FLAG("no-deflate", "leave compressed members as they are"),
    FLAG("force", "replace the file when it is there"),
    END};

const struct option options_patch[] = {
    FLAG("in-place",
         "IMAGE PATCH: over the image itself; what was stopped goes on"),
    FLAG("force", "replace the file when it is there"), END};
