#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the pictures of the dashboard in docs/img: a real server, a fleet of
scripted devices, a real browser. Takes about two minutes.

    BOWLINE_BUILD=build/release BOWLINE_BIN=bin \\
        tests/web/shots.py [--states] [FOLDER]

--states: each state of its pages instead, into docs/img/states.

sign-documents is needed: a build with tests. Looks best with fonts-inter."""
import random
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "tests/support"), str(TOP / "tests/web")]

from bowline_server import DOWNLOADING, RETURNED, WAITING, Server  # noqa: E402
from browser import Browser, start_chromium  # noqa: E402
from operators import add_user, login  # noqa: E402
import rollout_world as world  # noqa: E402
import state_shots  # noqa: E402

WINDOW, TALL, PHONE = (1280, 860), (1280, 1120), (390, 844)
ROOMS = ("kitchen", "hall", "office", "attic", "cellar", "studio", "lobby")
DEVICES = 160


class Home(world.Line):
    """Thermostats with names of rooms, that tell about themselves."""

    def __init__(self, server):
        super().__init__(server, "thermostat", 0)
        dice = random.Random(7)
        for i in range(DEVICES):
            d = server.register(
                product=self.product, tags=["pilot"] if i % 20 == 0 else [],
                name=f"{ROOMS[i % len(ROOMS)]}-{i // len(ROOMS) + 1:02}")
            d.facts[11] = ("rev-a", "rev-b", "rev-b", "rev-c")[i % 4]
            d.run(self.old, slot=0)
            d.facts[17] = 60
            d.facts[19] = [dice.randint(18, 99), 8 | 16 | (i % 3 == 0) |
                           (2 if i % 7 == 0 else 0)]
            d.poll(_18={"region": ("eu-north", "eu-south", "us-east")[i % 3],
                        "site": f"house-{i % 9 + 1}"})
            self.devices.append(d)


def grow(home, seconds):
    """Stage by stage, slowly enough for the chart of versions."""
    home.start([{"percent": 5}, {"percent": 25}, {"percent": 100}],
               "Spring release", gates={"min_sample": 3, "soak_s": 5})
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        offered = home.offered()
        home.confirm(offered[:7])
        time.sleep(2.5)
    rest = home.offered()
    for d in rest[:3]:
        d.event(DOWNLOADING, sequence=2)
        d.poll(_6=DOWNLOADING, _13=[2400 * (1 + rest.index(d)), 11200])
    for d in rest[3:5]:
        d.poll(_6=WAITING)
    if rest[5:6]:
        home.lose(rest[5:6], RETURNED, world.HEALTH, world.RESET_WATCHDOG)


def fill(server):
    add_user(server, "kim", "admin")
    home = Home(server)
    shown = {"home": home, "paused": world.paused(server)}
    world.finished(server)
    world.scheduled(server)
    world.approval(server)
    world.soaking(server)
    grow(home, 75)
    return shown


class Photographer:
    def __init__(self, page, folder):
        self.page, self.folder = page, folder

    def take(self, name, address, theme="light", size=WINDOW, ready="main h1",
             before=None, live=".live-live"):
        page = self.page
        page.size(size)
        page.theme(theme)
        page.driver.get("about:blank")
        page.open(address)
        page.see(ready)
        page.gone(".skeleton")
        if live:
            page.see(live)
        if before:
            before(page)
        time.sleep(0.6)  # charts, and what fades
        page.shoot(self.folder / f"{name}.png")
        print(self.folder / f"{name}.png")


def write_plan(page):
    """The form of a new rollout, far enough for its preview."""
    for css in ("#plan-product", "#product"):
        if page.all(css):
            page.driver.execute_script(
                "arguments[0].value = 'thermostat';"
                "arguments[0].dispatchEvent(new Event('change',"
                " {bubbles: true}))", page.all(css)[0])
    time.sleep(1.5)


def take_all(camera, shown):
    failed = next(d for d in shown["paused"].devices if d.events is not None
                  and d.show()["state"] == "returned")
    paused = f"#/rollouts/{shown['paused'].id}"
    running = f"#/rollouts/{shown['home'].id}"
    camera.take("fleet", "#/fleet", size=TALL, ready=".chart canvas")
    camera.take("fleet-dark", "#/fleet", "dark", ready=".chart canvas")
    camera.take("rollout", running, size=TALL)
    camera.take("rollout-paused", paused, "dark", TALL)
    camera.take("new-rollout", "#/rollouts/new?product=thermostat",
                before=write_plan)
    camera.take("devices", "#/devices?product=thermostat",
                ready="[aria-label=Devices] tbody tr")
    camera.take("device", f"#/devices/{failed.id}", ready=".timeline")
    camera.take("releases", "#/releases", "dark")
    camera.take("audit", "#/audit", ready="[data-chain=ok]")
    camera.take("phone-fleet", "#/fleet", "dark", PHONE)
    camera.take("phone-rollout", paused, "light", PHONE)


def small(folder):
    """Two hundred colours are enough, where Pillow is there to choose them."""
    try:
        from PIL import Image
    except ImportError:
        print("without python3-pil the pictures stay large")
        return
    for path in folder.glob("*.png"):
        Image.open(path).convert("RGB").quantize(200, dither=0).save(
            path, optimize=True)


def take_main(driver, server, folder):
    shown = fill(server)
    page = Browser(driver, f"https://localhost:{server.port}")
    page.open("")
    state_shots.sign_in(page, login(server, "kim"))
    take_all(Photographer(page, folder), shown)


def take_empty(driver, server, folder):
    page = Browser(driver, f"https://localhost:{server.port}")
    page.open("")
    state_shots.take_empty(Photographer(page, folder), server)


def take_full(driver, server, folder):
    page = Browser(driver, f"https://localhost:{server.port}")
    page.open("")
    camera = Photographer(page, folder)
    lines = state_shots.fill(server)
    state_shots.sign_in(page, login(server, "kim"))
    state_shots.take_admins(camera, lines)
    state_shots.take_others(camera, server, lines)


def main(folder, *jobs):
    """Each with a server of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        driver = start_chromium(Path(scratch) / "chromium")
        try:
            for n, (job, empty) in enumerate(jobs):
                server = make(Path(scratch) / str(n), empty)
                try:
                    job(driver, server, folder)
                finally:
                    server.stop()
        finally:
            driver.quit()
    small(folder)


def make(folder, empty):
    folder.mkdir()
    server = Server(folder, plain=False).start()
    if not empty:
        server.api("POST", "/roots", (folder / "root-1").read_bytes(),
                   expect=201)
    return server


if __name__ == "__main__":
    wish = sys.argv[1:]
    states = "--states" in wish
    where = [Path(w) for w in wish if w != "--states"]
    if states:
        main(where[0] if where else TOP / "docs/img/states",
             (take_empty, True), (take_full, False))
    else:
        main(where[0] if where else TOP / "docs/img", (take_main, False))
