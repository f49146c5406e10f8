# SPDX-License-Identifier: Apache-2.0
"""What the demo shows: plain lines, and in a terminal a live part below
them that is redrawn in place."""
import os
import re
import shutil
import sys
import textwrap
import time

COLOURS = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "violet": 35, "cyan": 36,
           "grey": 90, "bold": 1}
# How a device in each state looks: one sign, one colour.
LOOKS = {"idle": ("·", "grey"), "offered": ("?", "blue"),
         "waiting": ("~", "blue"), "downloading": ("↓", "cyan"),
         "verifying": ("≡", "cyan"), "installing": ("↧", "cyan"),
         "rebooting": ("↻", "yellow"), "testing": ("t", "yellow"),
         "confirmed": ("✓", "green"), "returned": ("↩", "violet"),
         "failed": ("✗", "red"), "refused": ("⊘", "red")}


WIDTH = 120  # of what is no terminal


class Screen:
    def __init__(self):
        self.terminal = sys.stdout.isatty() and \
            os.environ.get("TERM", "") not in ("", "dumb")
        self.colours = self.terminal and not os.environ.get("NO_COLOR")
        self.drawn = 0
        self.last = None
        self.begun = time.monotonic()

    def paint(self, text, colour):
        if not self.colours:
            return text
        return f"\033[{COLOURS[colour]}m{text}\033[0m"

    def erase(self):
        if self.drawn:
            sys.stdout.write(f"\033[{self.drawn}F\033[J")
            self.drawn = 0

    def say(self, text=""):
        self.erase()
        print(text, flush=True)

    def title(self, text):
        seconds = int(time.monotonic() - self.begun)
        self.say()
        self.say(self.paint(f"== {text}", "bold") +
                 self.paint(f"  [{seconds} s]", "grey"))

    def command(self, arguments):
        self.say(self.paint("   $ " + " ".join(arguments), "grey"))

    def good(self, text):
        self.say(self.paint("   ✓ ", "green") + text)

    def bad(self, text):
        self.say(self.paint("   ✗ ", "red") + text)

    def row(self, head, items, colour=None):
        """One row of a table; its last column, a list of things told, goes on
        below itself. A thing is broken only when it is too long for a line."""
        width = shutil.get_terminal_size((WIDTH, 24)).columns - 1
        room = max(width - len(head), 24)
        lines, line = [], ""
        for item in items:
            longer = f"{line} {item}".strip()
            if line and len(longer) > room:
                lines.append(line)
                longer = item
            line = longer
        lines = [part for line in lines + [line]
                 for part in textwrap.wrap(line, room) or [""]]
        for n, line in enumerate(lines):
            text = (head if n == 0 else " " * len(head)) + line
            self.say(self.paint(text, colour) if colour else text)

    def live(self, headline, devices):
        """The state of all devices now."""
        if not self.terminal:
            if headline != self.last:
                print("   " + headline, flush=True)
                self.last = headline
            return
        lines = ["   " + headline] + self.grid(devices)
        self.erase()
        width = shutil.get_terminal_size().columns
        for line in lines:
            print(self.clip(line, width))
        sys.stdout.flush()
        self.drawn = len(lines)

    @staticmethod
    def clip(line, width):
        plain = re.sub(r"\033\[\d+m", "", line)
        return line if len(plain) < width else plain[:width - 1]

    def cell(self, device):
        sign, colour = LOOKS.get(device["state"], ("?", "grey"))
        name = device["name"].replace("thermostat-", "t").replace(
            "gateway-", "g")
        version = (device["version"] or "-")[:7]
        cell = f"{name} {sign} {version:<7} {device['slot'] or '-'}"
        return self.paint(f"{cell:<18}", colour)

    def grid(self, devices):
        cells = [self.cell(d) for d in devices]
        return ["   " + "".join(cells[i:i + 4])
                for i in range(0, len(cells), 4)]


def bar(done, total, width=24):
    full = width * done // max(total, 1)
    return "[" + "#" * full + "-" * (width - full) + "]"
