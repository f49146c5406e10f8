# SPDX-License-Identifier: Apache-2.0
"""bowline release show and release delta, against an API from a table."""
import pytest

from .test_rollouts import M2, Api, ask, items

RELEASE = {"product": "lamp", "version": "1.4.0", "manifest": M2,
           "sequence": 7, "payload_bytes": 400000}
PATCH = {"number": 3, "from": "1.3.0", "base": "aa" * 32, "target": "bb" * 32,
         "ram": 12288, "state": "ready", "reason": "", "offered": True,
         "patch": "cc" * 32, "size": 2900, "full_size": 400000,
         "share": 0.00725, "queued": 1, "made": 2, "seconds": 1.5,
         "devices": 40, "installed": 12, "failed": 0, "saved": 4765200}
FAILED = {**PATCH, "number": 4, "from": None, "state": "failed", "size": 0,
          "share": None, "patch": None, "saved": 0, "reason": "out of words"}
LIST = {"items": [PATCH, FAILED], "next": None, "saved": 4765200,
        "enabled": True, "payload_bytes": 400000}
DELTAS = f"/releases/{M2}/deltas"


def table(**more):
    return {"GET /releases": items(RELEASE), f"GET {DELTAS}": LIST, **more}


def test_show_says_what_patches_there_are_and_what_they_saved(tool):
    with Api(table()) as api:
        said = ask(tool, api, "release", "show", "1.4.0", "--product",
                   "lamp").out
    assert "1.4.0" in said
    line = next(text for text in said.splitlines() if "1.3.0" in text)
    for word in ("12 KB", "ready", "0.73%", "40", "12"):
        assert word in line
    assert "out of words" in said and "aaaaaaaaaaaa" in said
    assert "saved 4.8 MB" in said


def test_show_as_json_has_the_patches_as_the_server_says_them(tool):
    with Api(table()) as api:
        said = tool.good("release", "show", "1.4.0", "--product", "lamp",
                         "--server", api.url, "--json").json
    assert said["deltas"] == LIST["items"]
    assert said["delta_saved"] == 4765200 and said["manifest"] == M2


def test_no_patches_and_switched_off_are_said(tool):
    none = {"items": [], "next": None, "saved": 0, "enabled": False,
            "payload_bytes": 1}
    with Api(table(**{f"GET {DELTAS}": none})) as api:
        said = ask(tool, api, "release", "delta", "1.4.0", "--product",
                   "lamp").out
    assert "No patches" in said and "switched off" in said


@pytest.mark.parametrize("words, key, body", [
    (["--make", "1.3.0"], f"POST {DELTAS}", {"from": "1.3.0"}),
    (["--make", "1.3.0", "--ram", "16"], f"POST {DELTAS}",
     {"from": "1.3.0", "ram": 16384}),
    (["--remake", "3"], "POST /deltas/3/remake", None),
    (["--withdraw", "3"], "POST /deltas/3/withdraw", None),
])
def test_orders_are_sent(tool, words, key, body):
    with Api(table(**{key: (200, PATCH)})) as api:
        said = ask(tool, api, "release", "delta", "1.4.0", "--product", "lamp",
                   *words).out
        assert api.body(key) == body
    assert "patch 3 is ready" in said


def test_an_order_while_patches_are_off_ends_with_how_to_turn_them_on(tool):
    off = {"error": {"code": "deltas-off", "message": "patches are switched "
                     "off: bowline settings --deltas on"}}
    with Api(table(**{f"POST {DELTAS}": (409, off)})) as api:
        said = tool.refused(4, "release", "delta", "1.4.0", "--product",
                            "lamp", "--make", "1.3.0", "--server", api.url)
    assert "bowline settings --deltas on" in said


def test_two_orders_at_once_are_refused(tool):
    with Api(table()) as api:
        tool.refused(2, "release", "delta", "1.4.0", "--product", "lamp",
                   "--remake", "3", "--withdraw", "3", "--server", api.url)


def test_settings_turn_patches_off(tool):
    with Api({"PATCH /settings": {"four_eyes": False, "approvals": 1,
                                  "deltas": False}}) as api:
        ask(tool, api, "settings", "--deltas", "off")
        assert api.body("PATCH /settings") == {"deltas": False}
