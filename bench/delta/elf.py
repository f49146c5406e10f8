# SPDX-License-Identifier: Apache-2.0
"""What the corpus needs to know of an ELF file or an ESP image: the machine,
and which bytes of the file stand at which address."""
import struct

# e_machine and class to the name that the manifest uses for the instructions
MACHINES = {(40, 1): "thumb", (243, 1): "rv", (243, 2): "rv64",
            (183, 2): "aarch64", (62, 2): "x86", (94, 1): "xt"}
PT_LOAD = 1


def is_elf(data):
    return data[:4] == b"\x7fELF" and data[5] == 1


def machine(data):
    return MACHINES.get((struct.unpack_from("<H", data, 18)[0], data[4]),
                        "raw")


def regions(data):
    """PT_LOAD as a list of {off, addr, len, mem, exec}."""
    wide = data[4] == 2
    phoff, = struct.unpack_from("<Q" if wide else "<I", data,
                                32 if wide else 28)
    size, count = struct.unpack_from("<HH", data, 54 if wide else 42)
    found = []
    for i in range(count):
        at = phoff + i * size
        if wide:
            kind, flags, off, addr, _, length, mem = struct.unpack_from(
                "<IIQQQQQ", data, at)
        else:
            kind, off, addr, _, length, mem, flags = struct.unpack_from(
                "<7I", data, at)
        if kind == PT_LOAD:
            found.append({"off": off, "addr": addr, "len": length,
                          "mem": mem, "exec": bool(flags & 1)})
    return found


# ESP-IDF chip id to instructions and the addresses of data in RAM
ESP_CHIPS = {
    0: ("xt", 0x3ffae000, 0x40000000), 2: ("xt", 0x3ffb0000, 0x40000000),
    9: ("xt", 0x3fc88000, 0x3fd00000), 5: ("rv", 0x3fc80000, 0x3fce0000),
    12: ("rv", 0x3fca0000, 0x3fce0000), 13: ("rv", 0x40800000, 0x40880000),
    16: ("rv", 0x40800000, 0x40850000), 23: ("rv", 0x40800000, 0x40880000),
}


def esp_chip(data):
    """(instructions, RAM from, RAM to) of an ESP-IDF image, or None."""
    if len(data) < 24 or data[0] != 0xE9:
        return None
    return ESP_CHIPS.get(struct.unpack_from("<H", data, 12)[0])
