# SPDX-License-Identifier: Apache-2.0
"""Pictures of each state, for docs/img/states: shots.py --states."""
import base64

from operators import add_user, login, login_code
from rollout_world import make_all

WINDOW, TALL, PHONE = (1100, 720), (1100, 980), (390, 844)
ROLLOUTS = {
    "rollout-scheduled": "scheduled", "rollout-sample": "sampling",
    "rollout-soaking": "soaking", "rollout-unclear": "unclear",
    "rollout-paused": "paused",
    "rollout-approval": "approval", "rollout-aborted": "aborted",
    "rollout-finished": "finished",
}


def sign_in(page, session):
    name, value = session.cookie.split("=", 1)
    page.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    page.driver.execute_cdp_cmd("Network.setCookie", {
        "name": name, "value": value, "url": page.base, "secure": True,
        "httpOnly": True, "path": "/"})


def take_empty(camera, server):
    """Before anything was put on the server."""
    add_user(server, "kim", "admin")
    sign_in(camera.page, login(server, "kim"))
    for place in ("fleet", "rollouts", "devices", "releases"):
        camera.take(f"empty-{place}", f"#/{place}", size=(1100, 520),
                    ready=".empty")


def fill(server):
    """What make_all has, and devices and settings of each kind."""
    add_user(server, "kim", "admin")
    add_user(server, "robin", "viewer")
    add_user(server, "sam", "operator")
    add_user(server, "new-here", "operator", password=None)
    lines = make_all(server)
    lines.never = server.register(product="gateway", name="gateway-07")
    give_back(lines.returning)
    server.api("POST", "/tokens", {
        "name": "ci", "role": "operator", "scopes": ["publish", "rollout"]},
        token=server.admin_token, expect=201)
    server.api("POST", "/webhooks", {
        "url": "https://chat.example.com/hooks/firmware",
        "events": ["rollout"]}, token=server.admin_token, expect=201)
    return lines


def give_back(line):
    """Those that kept it go back, too."""
    line.do("return", {"permits": [{
        "manifest": line.old["manifest"],
        "permit": base64.b64encode(line.permit).decode()}]})


def returned_of(line):
    return next(d for d in line.devices if d.show()["state"] == "returned")


def back_of(line):
    """The rollout that returns its devices."""
    return line.show()["returns"][0]


def edit(page):
    page.click(".page-head button", "Edit")
    page.click("dialog summary", "Pace and priority")
    page.fill("dialog #rate", "200")
    page.see("dialog ins")


def take_admins(camera, lines):
    for name, state in ROLLOUTS.items():
        camera.take(name, f"#/rollouts/{getattr(lines, state).id}", size=TALL)
    camera.take("rollout-return", f"#/rollouts/{back_of(lines.returning)}",
                size=TALL)
    camera.take("rollout-edit", f"#/rollouts/{lines.soaking.id}", size=TALL,
                before=edit)
    camera.take("device-never-seen", f"#/devices/{lines.never.id}")
    camera.take("device-returned",
                f"#/devices/{returned_of(lines.paused).id}", size=TALL,
                ready=".timeline")
    for part in ("users", "tokens", "webhooks"):
        camera.take(f"settings-{part}", f"#/settings/{part}")
    camera.take("audit-verified", "#/audit", ready="[data-chain=ok]")
    for place in ("fleet", "rollouts", "devices"):
        camera.take(f"phone-{place}", f"#/{place}", size=PHONE)
    camera.take("phone-paused", f"#/rollouts/{lines.paused.id}", size=PHONE)


def take_others(camera, server, lines):
    page = camera.page
    sign_in(page, login(server, "robin"))
    camera.take("viewer", f"#/rollouts/{lines.soaking.id}")
    page.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    camera.take("login", "", size=(1100, 620), ready="#login-name", live=None)
    camera.take("first-password",
                f"#/login?code={login_code(server, 'new-here')}",
                size=(1100, 620), ready="#password-one", live=None)
