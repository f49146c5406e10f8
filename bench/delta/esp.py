# SPDX-License-Identifier: Apache-2.0
"""Pairs of ESP images that others released: ../shared/samples/esp-images or
BOWLINE_ESP_IMAGES, as in the tests; two that are in the repository else."""
import itertools
import os
from pathlib import Path

from elf import esp_chip

TOP = Path(__file__).resolve().parent.parent.parent
OWN = TOP / "examples/demo/esp32"
# (name, class, files in order of their release): each step is a pair. The
# examples are a year and a version of ESP-IDF apart.
HELLO = "serial-flasher/{}/*_hello_world.bin"
SERIES = [
    ("mini-ft8-esp32s3", "esp", "mini-ft8/*_mini_ft8.bin"),
    ("hello-esp32", "upgrade", HELLO.format("ESP32")),
    ("hello-esp32s2", "upgrade", HELLO.format("ESP32_S2")),
    ("hello-esp32h2", "upgrade", HELLO.format("ESP32_H2")),
]


def folder():
    return Path(os.environ.get("BOWLINE_ESP_IMAGES",
                               TOP.parent / "shared/samples/esp-images"))


def pair(name, kind, old, new):
    data = old.read_bytes(), new.read_bytes()
    chip = esp_chip(data[0])
    return {"name": f"{name}-{old.name[:10]}-{new.name[:10]}",
            "class": kind, "isa": chip[0] if chip else "raw",
            "old": data[0], "new": data[1],
            "source": {"files": [old.name, new.name]},
            "hints": {"esp": True, "ram": list(chip[1:]) if chip else None}}


def pairs(say):
    series = [(name, kind, sorted(folder().glob(pattern)))
              for name, kind, pattern in SERIES]
    if not folder().is_dir():
        say(f"no {folder()}: of the ESP images only the demo's are taken")
        series = [("hello-esp32", "upgrade",
                   sorted(OWN.glob("*_hello_world.bin")))]
    for name, kind, files in series:
        if len(files) < 2:
            say(f"no pair: {name}: fewer than two images in {folder()}")
        for old, new in itertools.pairwise(files):
            yield pair(name, kind, old, new)
        if len(files) > 2:
            yield pair(name, kind, files[0], files[-1])
