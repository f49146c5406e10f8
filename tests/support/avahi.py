# SPDX-License-Identifier: Apache-2.0
"""An avahi daemon of a test's own, on a bus of its own, that speaks to this
machine alone (lo)."""
import os
import subprocess
from pathlib import Path

from waiting import wait_for

BUS = """<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen>
<policy context="default"><allow own="*"/><allow send_destination="*"/>
<allow receive_sender="*"/></policy></busconfig>
"""
DAEMON = """[server]
allow-interfaces=lo
use-ipv6=no
[wide-area]
enable-wide-area=no
[publish]
publish-hinfo=no
publish-workstation=no
"""


class Avahi:
    """`env`: what a program needs in its environment to find it."""

    def __init__(self, folder):
        self.bus = Path(folder) / "bus"
        (Path(folder) / "bus.conf").write_text(BUS.format(path=self.bus))
        (Path(folder) / "avahi.conf").write_text(DAEMON)
        self.log = Path(folder) / "avahi.log"
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.bus}"}
        self.running = [subprocess.Popen(
            ["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork",
             "--nopidfile"], stderr=subprocess.DEVNULL)]
        wait_for(self.bus.exists)
        with open(self.log, "w") as log:
            self.running.append(subprocess.Popen(
                ["avahi-daemon", "--no-drop-root", "--no-chroot",
                 "--no-rlimits", "-f", f"{folder}/avahi.conf"], stderr=log,
                stdout=log, env={**os.environ, **self.env}))
        wait_for(lambda: "startup complete" in self.log.read_text(),
                 said=self.log.read_text)

    def close(self):
        for one in reversed(self.running):
            one.terminate()
            one.wait(10)
