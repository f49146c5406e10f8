# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, as tests and screenshots use it."""
import json
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

WEB = Path(__file__).resolve().parent.parent.parent / "web"
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update "
    "--disable-sync --disable-dev-shm-usage --hide-scrollbars "
    "--ignore-certificate-errors --force-prefers-reduced-motion").split()
DESKTOP, PHONE = (1440, 900), (390, 844)


def start_chromium(folder):
    """A driver with a profile of its own in `folder`."""
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(
        service=Service("/usr/bin/chromedriver"), options=options)
    driver.set_page_load_timeout(30)
    # Else what has the focus looks as if it had not, once some test has let
    # the window lose it.
    driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled",
                           {"enabled": True})
    return driver


class Browser:
    """What tests do, in their words. Everything waits up to 10 s for what it
    names: no test sleeps."""

    def __init__(self, driver, base):
        self.driver, self.base = driver, base

    def size(self, size):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": size[0], "height": size[1], "deviceScaleFactor": 1,
            "mobile": size[0] < 600})

    def theme(self, name):
        """The system's theme, as the page sees it."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": name},
                         {"name": "prefers-reduced-motion",
                          "value": "reduce"}]})

    def open(self, address):
        self.driver.get(self.base + "/" + address)

    def go(self, address):
        """Another page, without loading anew."""
        self.driver.execute_script(
            "window.location.hash = arguments[0]", address)

    def until(self, ask, what, seconds=60):
        end = time.monotonic() + seconds
        while True:
            try:
                found = ask()
            except Exception as fault:  # gone while it was looked at
                found, what = None, f"{what} ({type(fault).__name__})"
            if found:
                return found
            if time.monotonic() > end:
                raise AssertionError(
                    f"not there: {what}; the page says:\n{self.text()[:3000]}")
            time.sleep(0.03)

    def all(self, css, text=None):
        return [e for e in self.driver.find_elements(By.CSS_SELECTOR, css)
                if text is None or text in e.text]

    def see(self, css, text=None):
        return self.until(
            lambda: next((e for e in self.all(css, text) if
                          e.is_displayed()), None),
            f"{css} with {text!r}" if text else css)

    def gone(self, css, text=None):
        self.until(lambda: not self.all(css, text), f"no {css} {text or ''}")

    def says(self, text):
        return self.until(lambda: text in self.text(), repr(text))

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def click(self, css, text=None):
        def press():
            e = next(e for e in self.all(css, text) if e.is_displayed()
                     and e.is_enabled())
            self.driver.execute_script(
                "arguments[0].scrollIntoView({block: 'center'})", e)
            e.click()
            return True
        self.until(press, f"{css} with {text!r}")

    def fill(self, css, value):
        field = self.see(css)
        # As a person: clear() tells the page nothing of it.
        field.send_keys(Keys.CONTROL + "a" + Keys.NULL + Keys.DELETE + value)
        return field

    def keys(self, *keys):
        """To whatever has the focus."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def focused(self):
        return self.driver.switch_to.active_element

    def console(self):
        """What the browser complained of since the last call."""
        return [f"{entry['level']}: {entry['message']}"
                for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    def busy(self, path, times, retry_after=1):
        """The server's next answers to `path` are that it is busy."""
        self.driver.execute_script("""
            const [path, times, after] = arguments;
            const real = window.fetch;
            window.asked = [];
            window.fetch = (url, wish) => {
                if (!String(url).includes(path)) {
                    return real(url, wish);
                }
                window.asked.push(performance.now());
                return window.asked.length > times ? real(url, wish)
                    : Promise.resolve(new Response(JSON.stringify({error: {
                        code: "busy", message: "ask again"}}),
                        {status: 429, headers: {"Retry-After": after}}));
            };""", path, times, str(retry_after))

    def axe(self):
        """Serious and critical findings of axe-core on what is shown."""
        source = (WEB / "node_modules/axe-core/axe.min.js").read_text()
        # By the debugger: the page's own policy forbids inline script.
        self.driver.execute_cdp_cmd("Runtime.evaluate",
                                    {"expression": source + ";0"})
        said = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {resultTypes: ['violations']})"
            ".then((r) => done(JSON.stringify(r.violations)),"
            " (e) => done(JSON.stringify([{id: String(e), impact: 'critical',"
            " nodes: []}])))")
        return [f"{v['id']} ({v['impact']}): {v.get('help', '')}: " +
                "; ".join(str(n["target"][0]) + " " + n["any"][0]["message"]
                          if n["any"] else str(n["target"][0])
                          for n in v["nodes"][:4])
                for v in json.loads(said)
                if v["impact"] in ("serious", "critical")]

    def shoot(self, path, whole=False):
        """A PNG of the window, or of the whole page."""
        import base64
        wish = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            box = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})
            size = box["cssContentSize"]
            wish["clip"] = {"x": 0, "y": 0, "width": size["width"],
                            "height": min(size["height"], 4000), "scale": 1}
        said = self.driver.execute_cdp_cmd("Page.captureScreenshot", wish)
        Path(path).write_bytes(base64.b64decode(said["data"]))
