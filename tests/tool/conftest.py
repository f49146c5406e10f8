# SPDX-License-Identifier: Apache-2.0
"""The program bowline, run as a person runs it."""
import json
import os
import struct
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
SAMPLES = TOP / "tests" / "samples" / "esp-images"
MAGIC = b"\x89BOWLINE-FW\r\n\x1a\n\0"


def programs():
    return Path(os.environ.get("BOWLINE_BIN", TOP / "bin")).resolve()


class Result:
    def __init__(self, run):
        self.code = run.returncode
        self.out = run.stdout
        self.err = run.stderr

    @property
    def json(self):
        return json.loads(self.out)


class Tool:
    """bowline in a folder of its own, without the caller's settings."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith("BOWLINE_") and k != "NO_COLOR"}
        self.env["ASAN_OPTIONS"] = "detect_leaks=1"

    def __call__(self, *args, cwd=None, env=None, timeout=120):
        run = subprocess.run(
            [programs() / "bowline", *map(str, args)],
            cwd=cwd or self.folder, env={**self.env, **(env or {})},
            capture_output=True, text=True, timeout=timeout,
            stdin=subprocess.DEVNULL)
        assert "Sanitizer" not in run.stderr, run.stderr
        assert run.returncode >= 0, f"died by signal {-run.returncode}"
        return Result(run)

    def good(self, *args, **more):
        result = self(*args, **more)
        assert result.code == 0, result.out + result.err
        return result

    def refused(self, code, *args, **more):
        """Ends with `code` and one clear sentence; returns the sentence."""
        result = self(*args, **more)
        assert result.code == code, result.out + result.err
        lines = [l for l in result.err.splitlines() if l]
        assert len(lines) == 1, result.err
        assert lines[0].startswith("bowline"), lines[0]
        return lines[0]


def record(version, product, form=1):
    return (MAGIC + struct.pack("<H14x", form)
            + version.encode().ljust(32, b"\0")
            + product.encode().ljust(32, b"\0") + bytes(32))


def firmware(version, product="thermostat", size=20000):
    """A raw binary with a firmware record somewhere inside."""
    body = bytes((i * 7 + 3) & 0xFF for i in range(size))
    return body[:1234] + record(version, product) + body[1234:]


@pytest.fixture
def tool(tmp_path):
    return Tool(tmp_path)


@pytest.fixture
def project(tool):
    """A project with its own keys and a root document, and firmware."""
    tool.good("init", "--product", "thermostat", "--vendor", "example.com")
    for name in ("root", "release", "ticket"):
        tool.good("key", "new", f"{name}.pem")
    tool.good("root", "new", "--root-key", "root.pem.pub", "--release-key",
              "release.pem.pub", "--ticket-key", "ticket.pem.pub", "-o",
              "root-1.cbor")
    tool.good("root", "sign", "root-1.cbor", "--key", "root.pem")
    conf = tool.folder / "bowline.conf"
    conf.write_text(conf.read_text().replace('#root = "";',
                                             'root = "root-1.cbor";'))
    (tool.folder / "fw.bin").write_bytes(firmware("1.1.0"))
    return tool
