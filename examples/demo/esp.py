# SPDX-License-Identifier: Apache-2.0
"""Ten emulated ESP32: a flash of 4 MB each, booted by ESP-IDF's rules for
otadata. Successive releases of a project of somebody else's are rolled out to
them, by patches that the server makes."""
import os
import time
from pathlib import Path

import patches
import world
from world import FOLDER, Broken, Device, Project

DEVICES = 10
# Not in this repository: 3.5 MB. See README.md beside this file.
IMAGES = Path(os.environ.get("BOWLINE_ESP_IMAGES",
                             world.TOP.parent / "shared/samples/esp-images"))
OWN = world.TOP / "examples/demo/esp32"


def releases():
    """What there is to roll out: whose it is, the chip, the images in order,
    and a bootloader or None."""
    found = sorted((IMAGES / "mini-ft8").glob("*_mini_ft8.bin"))
    if len(found) > 1:
        boot = sorted((IMAGES / "mini-ft8").glob("*_bootloader.bin"))
        return ("mini-ft8", "ESP32-S3", found, boot[0] if boot else None)
    return ("esp32", "ESP32", sorted(OWN.glob("*_hello_world.bin")),
            None)


class Esp32s:
    def __init__(self, screen, server):
        self.screen, self.server = screen, server
        self.name, self.chip, self.images, self.boot = releases()
        self.project = Project(screen, FOLDER / self.name)
        self.devices = [Device(f"esp32-{i + 1:02}", self.name)
                        for i in range(DEVICES)]
        self.saved = 0

    # --- Setting up ---------------------------------------------------------

    def tell_images(self):
        s = self.screen
        n = len(self.images)
        if self.name == "mini-ft8":
            s.say(f"   {n} successive releases of Mini-FT8, a radio's "
                  f"firmware for the {self.chip} (N6RFM, MIT licence)")
        else:
            s.say(f"   {n} builds of ESP-IDF's hello_world, a year apart, "
                  f"since {world.shown(IMAGES)}/mini-ft8 is not there")
            s.say("   (BOWLINE_ESP_IMAGES names a folder that has it)")

    def set_up(self):
        p = self.project
        p.call("init", "--product", self.name, "--vendor", "example.com",
               "--from", "../server", quiet=True)
        p.call("product", "add", quiet=True)
        first = p.release(self.images[0])
        boot = ("--bootloader", str(self.boot)) if self.boot else ()
        for device in self.devices:
            device.make(p, self.server, first, "--chip", self.chip, *boot)
        for device in self.devices:
            device.power_on()
        return first["version"]

    # --- Looking ------------------------------------------------------------

    def wait(self, version, seconds=90):
        """Until all run and have confirmed it; how many do."""
        end = time.monotonic() + seconds
        names = {d.name for d in self.devices}
        while True:
            known = [d for d in self.project.call("device", "list",
                                                  quiet=True)["items"]
                     if d["name"] in names]
            done = sum(d["version"] == version and d["confirmed"]
                       for d in known)
            self.screen.live(f"{done} of {DEVICES} ESP32 run {version}",
                             known)
            if done == DEVICES or time.monotonic() > end:
                self.screen.erase()
                return done
            time.sleep(0.4)

    def flash(self, device):
        """What bowline inspect says of a device's whole flash."""
        return self.project.call("inspect", device.dir / "flash.bin",
                                 quiet=True)["files"][0]

    def boots(self, device, version):
        """Is this version whole in the slot that otadata has boot next, and
        valid there?"""
        flash = self.flash(device)
        active = flash["active_record"]
        record = {} if active is None else flash["records"][active]
        slot = flash["boots"]["with_rollback"]
        return record.get("state") == "valid" and record["slot"] == slot and \
            any(i["slot"] == slot and i["whole"] and i["version"] == version
                for i in flash["images"])

    def all_boot(self, version, seconds=20):
        """otadata is written a moment after the server has heard."""
        end = time.monotonic() + seconds
        while True:
            n = sum(self.boots(d, version) for d in self.devices)
            if n == DEVICES or time.monotonic() > end:
                return n
            time.sleep(0.5)

    # --- The act ------------------------------------------------------------

    def roll(self, image, expect):
        s, p = self.screen, self.project
        made = p.release(image)
        version = made["version"]
        p.call("rollout", "start", version, "--stages", "100", "--start-at",
               "+30min")
        ready = patches.wait(s, ((self.name, p, version),), seconds=180)
        if not ready:
            raise Broken(f"no patch to {version}")
        begin = patches.log_ends(self.devices)
        p.call("rollout", "set", "--start-at", "none")
        done = self.wait(version)
        boot = self.all_boot(version)
        expect(done == DEVICES and boot == DEVICES,
               f"{done} of {DEVICES} ESP32 run {version}; otadata of {boot} "
               "has it valid, and it is whole in that slot")
        patch = ready[self.name]
        patches.judge(expect, p, self.devices, patch, version, begin)
        self.saved += DEVICES * (patch["full_size"] - patch["size"])

    def play(self, expect):
        self.tell_images()
        first = self.set_up()
        done = self.wait(first)
        expect(done == DEVICES, f"{done} of {DEVICES} ESP32 run {first}, as "
               "they left the factory: bootloader, partition table, otadata, "
               "two slots")
        for image in self.images[1:]:
            self.roll(image, expect)
        whole = DEVICES * sum(i.stat().st_size for i in self.images[1:])
        self.screen.say(f"     In all: {patches.size(self.saved)} of "
                        f"{patches.size(whole)} not sent "
                        f"({100 * self.saved / whole:.1f}%).")
