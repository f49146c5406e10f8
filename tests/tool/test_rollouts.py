# SPDX-License-Identifier: Apache-2.0
"""Plans from the command line and from files, and what is made of answers:
against an API that answers from a table and keeps what it was asked."""
import base64
import json
import re
from urllib.parse import urlsplit

import pytest
from listening import Listening, Quiet

from .conftest import TOP

ID = "00112233445566778899aabbccddeeff"
M1, M2 = "1a" * 32, "2b" * 32


class Api(Listening):
    """table: {"GET /rollouts": answer}; an answer is a value (200) or
    (status, value). What is not in the table is 404."""

    def __init__(self, table):
        self.table = table
        self.asked = []
        outer = self

        class Handler(Quiet):
            def do(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                path = urlsplit(self.path).path.removeprefix("/api/v1")
                key = f"{self.command} {path}"
                outer.asked.append((key, body))
                answer = outer.table.get(key, (404, {"error": {
                    "code": "not-found", "message": f"no {key}"}}))
                status, value = answer if isinstance(answer, tuple) \
                    else (200, answer)
                text = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = do

        self.listen(Handler)

    def body(self, key):
        return [b for k, b in self.asked if k == key][-1]


def items(*rows):
    return {"items": list(rows), "next": None}


ROLLOUT = {
    "id": 12, "name": "", "product": "lamp", "version": "1.4.0",
    "manifest": M2, "kind": "update", "state": "running", "stage": 0,
    "status": "12 of 20 devices have confirmed (60%); 19 are needed",
    "state_reason": "", "expected_finish": 1767571200,
    "stages": [
        {"percent": None, "count": 10, "devices": 10, "gates": [
            {"name": "sample", "state": "passed", "text": "12 have decided"},
            {"name": "confirmed", "state": "waiting", "text": "19 needed"},
            {"name": "failed", "state": "failing", "text": "2 of 9 failed"}]},
        {"percent": 100, "count": None, "devices": 20}],
    "counts": {"eligible": 20, "confirmed": 12, "verifying": 1, "silent": 2},
    "reasons": [{"code": "boot-tries", "hardware": "rev-b", "count": 2,
                 "advice": "look at the log"}]}

PREVIEW = {
    "sentence": "12 of 20 devices would get 1.4.0", "devices": 12,
    "stages": [{"percent": None, "count": 10, "devices": 10},
               {"percent": 100, "count": None, "devices": 12}],
    "bytes": 1200000, "payload_bytes": 100000, "seconds": 5400,
    "versions": [{"version": "1.3.0", "devices": 12},
                 {"version": "1.4.0", "devices": 1},
                 {"version": "0.1", "devices": 1}],
    "hardware": [{"hardware": "rev-b", "devices": 20}],
    "refused": [{"why": "floor", "sentence": "its floor is above", "count": 3,
                 "examples": [{"id": ID, "name": "kitchen"}]}],
    "waiting": [], "overlaps": [], "approval": True,
    "warnings": ["nobody is in channel beta"]}

DEVICES = items({"id": ID, "name": "kitchen", "product": "lamp"})


def ask(tool, api, *words):
    return tool.good(*words, "--server", api.url)


def start_body(tool, *words):
    with Api({"POST /rollouts": (201, ROLLOUT),
              "GET /devices": DEVICES}) as api:
        ask(tool, api, "rollout", "start", "1.4.0", "--product", "lamp",
            *words)
        return api.body("POST /rollouts")


# --- Plans from options ------------------------------------------------------

def test_start_alone_is_the_staged_rollout(tool):
    assert start_body(tool) == {"product": "lamp", "version": "1.4.0",
                                "stages": [1, 10, 100]}


def test_every_option_becomes_its_member(tool):
    assert start_body(
        tool, "--name", "autumn", "--stages", "10,1%,100%", "--confirmed",
        "90", "--sample", "3", "--soak", "1h 30min", "--max-failed", "5",
        "--min-failed", "4", "--manual", "yes", "--query", "tag = lab",
        "--channel", "beta", "--include", "kitchen", "--exclude", ID,
        "--start-at", "2026-02-01 02:00", "--deadline", "1769997600",
        "--window", "mon-fri 02:00-05:00", "--window", "22:00-24:00",
        "--rate", "500", "--max-downloads", "7", "--priority", "-5",
        "--security", "--on-failure", "pause", "--consent", "yes",
        "--min-battery", "30", "--metered", "no", "--roaming", "yes",
        "--attempts", "3", "--quarantine", "2d") == {
        "product": "lamp", "version": "1.4.0", "name": "autumn",
        "stages": [{"count": 10}, 1, 100],
        "gates": {"confirmed_percent": 90, "min_sample": 3, "soak_s": 5400,
                  "max_failed_percent": 5, "min_failed": 4, "manual": True},
        "target": {"query": "tag = lab", "channel": "beta", "include": [ID],
                   "exclude": [ID]},
        "start_at": 1769911200, "deadline": 1769997600,
        "windows": [{"days": ["mon", "tue", "wed", "thu", "fri"],
                     "from": "02:00", "to": "05:00"},
                    {"from": "22:00", "to": "24:00"}],
        "rate_per_hour": 500, "max_downloads": 7, "priority": -5,
        "security": True, "on_failure": "pause", "consent": True,
        "min_battery_percent": 30, "metered": False, "roaming": True,
        "retry": {"attempts": 3, "quarantine_s": 172800}}


def test_a_strategy_leaves_the_stages_to_the_server(tool):
    assert start_body(tool, "--strategy", "canary") == {
        "product": "lamp", "version": "1.4.0", "strategy": "canary"}


@pytest.mark.parametrize("words, says", [
    (["--stages", "10,5"], "rising percents"),
    (["--soak", "1x"], "--soak 1x: say a time, as 90s"),
    (["--quarantine", "soon"], "--quarantine soon"),
    (["--start-at", "tomorrow"], 'start_at "tomorrow": say a time in UTC'),
    (["--window", "night"], "--window night: say it as"),
    (["--priority", "200"], "from -100 to 100"),
    (["--rate", "-1"], "whole number"),
    (["--on-failure", "panic"], "say one of: pause return"),
    (["--metered", "maybe"], "say one of: yes no"),
])
def test_what_is_wrong_is_said_before_the_server_is_asked(tool, words, says):
    with Api({}) as api:
        said = tool.refused(2, "rollout", "start", "1.4.0", "--product",
                            "lamp", "--server", api.url, *words)
        assert says in said
        assert api.asked == []


def test_a_device_that_is_not_there_is_not_included(tool):
    with Api({"GET /devices": items()}) as api:
        said = tool.refused(3, "rollout", "start", "1.4.0", "--product",
                            "lamp", "--include", "attic", "--server", api.url)
        assert 'no device has the name "attic"' in said


def test_set_sends_only_what_was_said(tool):
    with Api({"PATCH /rollouts/12": ROLLOUT,
              "GET /rollouts": items(ROLLOUT)}) as api:
        ask(tool, api, "rollout", "set", "12", "--rate", "500", "--window",
            "none", "--soak", "0")
        assert api.body("PATCH /rollouts/12") == {
            "rate_per_hour": 500, "windows": [], "gates": {"soak_s": 0}}
        ask(tool, api, "rollout", "set", "--product", "lamp", "--deadline",
            "none")
        assert api.body("PATCH /rollouts/12") == {"deadline": 0}
        said = tool.refused(2, "rollout", "set", "12", "--server", api.url)
        assert "say what to change" in said


# --- Preview and status ------------------------------------------------------

@pytest.mark.parametrize("words", [["preview", "1.4.0"],
                                   ["start", "1.4.0", "--dry-run"]])
def test_a_preview_changes_nothing_and_tells_all(tool, words):
    with Api({"POST /rollouts/preview": PREVIEW}) as api:
        out = ask(tool, api, "rollout", *words, "--product", "lamp",
                  "--query", "tag = lab").out
        assert [k for k, _ in api.asked] == ["POST /rollouts/preview"]
        assert api.body("POST /rollouts/preview")["target"] == {
            "query": "tag = lab"}
        for part in ("12 of 20 devices would get 1.4.0", "10: 10 devices",
                     "100%: 12 devices", "1.2 MB", "about 90 min",
                     "1.3.0: 12 devices", "rev-b: 20 devices",
                     "3 devices: its floor is above (kitchen)",
                     "somebody else must approve",
                     "Warning: nobody is in channel beta"):
            assert part in out
        assert ask(tool, api, "rollout", *words, "--product", "lamp",
                   "--json").json == PREVIEW


def test_status_says_why_a_stage_waits(tool):
    with Api({"GET /rollouts/12": ROLLOUT}) as api:
        out = ask(tool, api, "rollout", "status", "12").out
    for part in ("12 of 20 devices have confirmed (60%)",
                 " first 10  10 devices  open", "     100%  20 devices  closed",
                 "+ 12 have decided", "- 19 needed", "x 2 of 9 failed",
                 "verifying", "silent", "expected end",
                 "2 x boot-tries (rev-b): look at the log"):
        assert part in out


@pytest.mark.parametrize("words, key, body", [
    (["pause", "12", "--reason", "lunch"], "pause", {"reason": "lunch"}),
    (["resume", "12"], "resume", {}),
    (["abort", "12", "--recall"], "abort", {"recall": True}),
    (["abort", "12"], "abort", {"recall": True}),
    (["abort", "12", "--keep"], "abort", {"recall": False}),
    (["approve", "12", "--note", "fine"], "approve", {"note": "fine"}),
    (["deny", "12"], "deny", {}),
    (["retry", "12"], "retry", {}),
    (["advance", "12", "--force"], "advance", {"force": True}),
])
def test_actions_hand_on_what_was_said(tool, words, key, body):
    with Api({f"POST /rollouts/12/{key}": ROLLOUT,
              "GET /rollouts/12": ROLLOUT}) as api:
        ask(tool, api, "rollout", *words)
        assert api.body(f"POST /rollouts/12/{key}") == body


def test_abort_does_not_keep_and_recall_at_once(tool):
    with Api({}) as api:
        said = tool.refused(2, "rollout", "abort", "12", "--keep",
                            "--recall", "--server", api.url)
    assert "--keep or --recall, not both" in said


def test_a_rollout_that_waits_for_approval_is_the_active_one(tool):
    waiting = {**ROLLOUT, "id": 13, "state": "approval"}
    with Api({"GET /rollouts": items(waiting),
              "POST /rollouts/13/approve": ROLLOUT,
              "POST /rollouts": (201, waiting)}) as api:
        ask(tool, api, "rollout", "approve", "--product", "lamp")
        said = ask(tool, api, "rollout", "start", "1.4.0", "--product",
                   "lamp").err
        assert "somebody else says bowline rollout approve 13" in said


# --- Files -------------------------------------------------------------------

FILE = """
product = "lamp";
version = "1.4.0";
name = "autumn";
stages = ( { count = 10; }, 1, { percent = 100; gates = { soak_s = 60; }; } );
target = { query = "tag = lab"; include = ["kitchen"]; };
start_at = "2026-02-01 02:00";
consent = true;
priority = -5;
windows = ( { days = ["sat", "sun"]; from = "22:00"; to = "06:00"; } );
"""
WANTED = {
    "product": "lamp", "version": "1.4.0", "name": "autumn",
    "stages": [{"count": 10}, 1, {"percent": 100, "gates": {"soak_s": 60}}],
    "target": {"query": "tag = lab", "include": [ID]},
    "start_at": 1769911200, "consent": True, "priority": -5,
    "windows": [{"days": ["sat", "sun"], "from": "22:00", "to": "06:00"}]}
PLAN = {"priority": -5, "consent": True, "rate_per_hour": 0, "permits": []}


def table(there=None, rollouts=(), **more):
    return {"GET /devices": DEVICES, "GET /rollouts": items(*rollouts),
            "POST /rollouts/preview": {**PREVIEW, "plan": PLAN},
            "GET /rollouts/12/plan": there,
            "POST /rollouts": (201, ROLLOUT), "PATCH /rollouts/12": ROLLOUT,
            **more}


def write(tool, name, text):
    (tool.folder / name).write_text(text)
    return name


def test_a_release_may_be_named_by_its_manifest(tool):
    path = write(tool, "m.json", json.dumps(
        {"product": "lamp", "manifest": M2, "on_failure": "return"}))
    key(tool)
    releases = items({"version": "1.3.0", "manifest": M1, "sequence": 3})
    with Api(table(**{"GET /releases": releases, **KEYS})) as api:
        ask(tool, api, "rollout", "apply", path, "--yes", "--key",
            "release.pem")
        assert api.body("POST /rollouts")["manifest"] == M2


def test_both_syntaxes_are_the_same_plan(tool):
    with Api(table()) as api:
        for name, text in (("a.rollout", FILE),
                           ("a.json", json.dumps({**WANTED, "target": {
                               "query": "tag = lab",
                               "include": ["kitchen"]}}))):
            result = tool("rollout", "plan", write(tool, name, text),
                          "--server", api.url, "--json")
            assert result.code == 1, result.err
            assert result.json["action"] == "create"
            assert result.json["rollout"] is None
            assert api.body("POST /rollouts/preview") == WANTED


def test_the_file_in_the_documentation_is_a_file(tool):
    page = (TOP / "docs/ROLLOUTS.md").read_text()
    example = re.search(r'(?m)^    product = "thermostat";\n(    .*\n)+',
                        page).group(0)
    with Api(table()) as api:
        result = tool("rollout", "plan", write(tool, "a.rollout", example),
                      "--server", api.url)
        assert result.code == 1, result.err
        assert api.body("POST /rollouts/preview") == {
            "product": "thermostat", "version": "1.4.0", "name": "autumn",
            "stages": [{"count": 10}, {"percent": 10},
                       {"percent": 100, "gates": {"soak_s": 86400,
                                                  "manual": True}}],
            "target": {"query": 'hardware = "rev-b" and not tag = lab',
                       "channel": "stable"},
            "windows": [{"days": ["sat", "sun"], "from": "22:00",
                         "to": "06:00"}],
            "rate_per_hour": 5000, "on_failure": "pause"}


def test_plan_ends_with_0_only_when_nothing_differs(tool):
    path = write(tool, "a.rollout", FILE)
    named = {**ROLLOUT, "name": "autumn"}
    aborted = {**named, "id": 15, "state": "aborted"}
    back = {**named, "id": 16, "kind": "return"}
    other = {**named, "id": 17, "version": "1.5.0"}
    permits = {**PLAN, "permits": [{"manifest": M1, "permit": "AAAA"}]}
    with Api(table(permits, [other, back, aborted, named])) as api:
        result = tool("rollout", "plan", path, "--server", api.url)
        assert result.code == 0 and "is as the file says" in result.out
        api.table["GET /rollouts/12/plan"] = {**PLAN, "rate_per_hour": 500}
        api.table["GET /rollouts"] = items(ROLLOUT)
        result = tool("rollout", "plan", path, "--server", api.url)
        assert result.code == 1
        assert "~ rate_per_hour: 500 -> 0" in result.out
        assert '~ name: "" -> "autumn"' in result.out
        assert not any(k.startswith("PATCH") or k == "POST /rollouts"
                       for k, _ in api.asked)


def test_apply_creates_or_changes_and_asks_first(tool):
    path = write(tool, "a.rollout", FILE)
    with Api(table()) as api:
        said = tool.refused(2, "rollout", "apply", path, "--server", api.url,
                            "-q")
        assert "say --yes" in said
        assert "POST /rollouts" not in [k for k, _ in api.asked]
        made = ask(tool, api, "rollout", "apply", path, "--yes",
                   "--json").json
        assert made["action"] == "create" and made["rollout"] == "12"
        assert api.body("POST /rollouts") == WANTED
        api.table["GET /rollouts"] = items({**ROLLOUT, "name": "autumn"})
        api.table["GET /rollouts/12/plan"] = {**PLAN, "priority": 0}
        ask(tool, api, "rollout", "apply", path, "--yes")
        assert api.body("PATCH /rollouts/12") == {"priority": -5}
        api.asked.clear()
        api.table["GET /rollouts/12/plan"] = PLAN
        done = ask(tool, api, "rollout", "apply", path, "--json").json
        assert done["action"] == "none"
        assert not any(k.startswith("PATCH") for k, _ in api.asked)


@pytest.mark.parametrize("name, text, says", [
    ("a.rollout", "version = 1.5;", "a.rollout:1: say a whole number"),
    ("a.rollout", "version = ;", "a.rollout:1: "),
    ("a.rollout", "product = \"lamp\";", "version must say which release"),
    ("a.rollout", "version = \"1\"; deadline = \"soon\";", "deadline \"soon\""),
    ("a.rollout", "a = { b = { c = { d = { e = { f = { g = { h = 1; }; }; }; "
     "}; }; }; };", "too deep"),
    ("a.json", "{\"version\": \"1\", \"version\": \"2\"}", "duplicate"),
    ("a.json", "[1]", "a rollout is a JSON object"),
    ("a.json", "{", "a.json:1"),
    ("a.rollout", "version = \"1\";\0", "is no text"),
    ("a.rollout", "", "is empty"),
])
def test_a_wrong_file_is_one_clear_error(tool, name, text, says):
    with Api(table()) as api:
        write(tool, name, text)
        said = tool.refused(3, "rollout", "plan", name, "--server", api.url,
                            "--config", write(tool, "bowline.conf",
                                              'product = "lamp";'))
        assert says in said


def test_what_the_server_refuses_is_passed_on(tool):
    refusal = (400, {"error": {"code": "plan", "message":
                               "there is no member stage"}})
    with Api(table(**{"POST /rollouts/preview": refusal})) as api:
        said = tool.refused(4, "rollout", "plan",
                            write(tool, "a.rollout", FILE), "--server",
                            api.url)
        assert "there is no member stage" in said


# --- Return ------------------------------------------------------------------

RETURN = {
    "devices": 9, "sentence": "9 devices would go back", "to": [
        {"version": "1.3.0", "manifest": M1, "devices": 8,
         "permit": "needed"},
        {"version": "1.2.0", "manifest": M2, "devices": 1,
         "permit": "not-needed"}],
    "impossible": [{"why": "below the security floor", "count": 2,
                    "examples": []}]}
KEYS = {"GET /products/lamp": {"name": "lamp", "class_id": "ab" * 16}}


def key(tool):
    tool.good("key", "new", "release.pem")
    return "release.pem"


def test_return_previews_and_signs_only_what_is_needed(tool):
    with Api({"GET /rollouts/12/return": RETURN, "GET /rollouts/12": ROLLOUT,
              "POST /rollouts/12/return": {**ROLLOUT, "returns": [13]},
              **KEYS}) as api:
        out = ask(tool, api, "rollout", "return", "12", "--preview").out
        assert "9 devices would go back" in out
        assert "1.3.0: 8 devices, permit needed" in out
        assert "2 devices: below the security floor" in out
        assert [k for k, _ in api.asked] == ["GET /rollouts/12/return"]
        made = ask(tool, api, "rollout", "return", "12", "--key", key(tool),
                   "--json").json
        assert made["rollout"]["returns"] == [13]
        permits = api.body("POST /rollouts/12/return")["permits"]
        assert [p["manifest"] for p in permits] == [M1]
        write_permit(tool, permits[0]["permit"])
        shown = tool.good("inspect", "p.permit", "--json").json["files"][0]
        assert shown["type"] == "permit" and M1 in json.dumps(shown)


def test_a_permit_is_written_and_nothing_changed(tool):
    with Api({"GET /releases": items({"version": "1.3.0", "manifest": M1,
                                      "sequence": 1}), **KEYS}) as api:
        made = ask(tool, api, "permit", "1.3.0", "--product", "lamp", "--key",
                   key(tool), "-o", "back.permit", "--json").json
        assert made["file"] == "back.permit" and made["manifest"] == M1
        shown = tool.good("inspect", "back.permit", "--json").json["files"][0]
        assert shown["type"] == "permit" and M1 in json.dumps(shown)
        assert all(k.startswith("GET ") for k, _ in api.asked), api.asked
        again = tool("permit", "1.3.0", "--product", "lamp", "--key",
                     "release.pem", "-o", "back.permit", "--server", api.url)
        assert again.code == 3 and "back.permit" in again.err


def write_permit(tool, text):
    (tool.folder / "p.permit").write_bytes(base64.b64decode(text))


def test_a_return_of_nobody_is_refused(tool):
    with Api({"GET /rollouts/12/return": {**RETURN, "devices": 0}}) as api:
        result = tool("rollout", "return", "12", "--server", api.url)
        assert result.code == 3
        assert "there is no device to bring back" in result.err


def test_start_signs_the_way_back_when_it_may_happen_by_itself(tool):
    releases = items(
        {"version": "1.3.0", "manifest": M1, "sequence": 3},
        {"version": "1.4.0", "manifest": M2, "sequence": 4})
    with Api({"POST /rollouts/preview": PREVIEW, "GET /releases": releases,
              "POST /rollouts": (201, ROLLOUT), **KEYS}) as api:
        said = ask(tool, api, "rollout", "start", "1.4.0", "--product",
                   "lamp", "--on-failure", "return", "--key", key(tool)).err
        body = api.body("POST /rollouts")
        assert body["on_failure"] == "return"
        # Not to itself, and not to what the server has not got.
        assert [p["manifest"] for p in body["permits"]] == [M1]
        assert "Devices on 0.1 cannot go back by themselves" in said


def test_apply_and_set_sign_the_way_back_too(tool):
    releases = items({"version": "1.3.0", "manifest": M1, "sequence": 3})
    path = write(tool, "a.rollout", FILE + 'on_failure = "return";')
    given = write(tool, "b.json", json.dumps(
        {**WANTED, "on_failure": "return", "permits": []}))
    key(tool)
    plan = {**PLAN, "on_failure": "return"}
    with Api(table(**{"GET /releases": releases, "GET /rollouts/12": ROLLOUT,
                      "GET /rollouts/12/return": RETURN,
                      "POST /rollouts/preview": {**PREVIEW, "plan": plan},
                      **KEYS})) as api:
        ask(tool, api, "rollout", "apply", path, "--yes", "--key",
            "release.pem")
        made = api.body("POST /rollouts")
        assert [p["manifest"] for p in made["permits"]] == [M1]
        ask(tool, api, "rollout", "apply", given, "--yes")
        assert api.body("POST /rollouts")["permits"] == []
        api.table["GET /rollouts"] = items({**ROLLOUT, "name": "autumn"})
        api.table["GET /rollouts/12/plan"] = {**plan, "on_failure": "pause"}
        ask(tool, api, "rollout", "apply", path, "--yes", "--key",
            "release.pem")
        changed = api.body("PATCH /rollouts/12")
        assert changed.keys() == {"on_failure", "permits"}
        ask(tool, api, "rollout", "set", "12", "--on-failure", "return",
            "--key", "release.pem")
        changed = api.body("PATCH /rollouts/12")
        assert [p["manifest"] for p in changed["permits"]] == [M1]
        # All have it already: what they ran before counts.
        api.table["POST /rollouts/preview"] = {**PREVIEW, "versions": []}
        ask(tool, api, "rollout", "set", "12", "--on-failure", "return",
            "--key", "release.pem")
        changed = api.body("PATCH /rollouts/12")
        assert [p["manifest"] for p in changed["permits"]] == [M1]
        ask(tool, api, "rollout", "set", "12", "--on-failure", "pause")
        assert api.body("PATCH /rollouts/12") == {"on_failure": "pause"}


# --- Short questions ---------------------------------------------------------

def test_why_is_one_sentence_and_its_facts(tool):
    answer = {"why": "stage", "why_code": "stage",
              "sentence": "kitchen waits for stage 3 of rollout 12.",
              "facts": [{"question": "in a stage?", "answer": "no"}]}
    with Api({"GET /devices": DEVICES,
              f"GET /devices/{ID}/why": answer}) as api:
        assert ask(tool, api, "device", "why", "kitchen").out == \
            "kitchen waits for stage 3 of rollout 12.\n"
        assert "in a stage?" in ask(tool, api, "device", "why", "kitchen",
                                    "--facts").out
        assert ask(tool, api, "device", "why", "kitchen",
                   "--json").json == answer


def test_device_set_changes_only_what_was_said(tool):
    key = f"PATCH /devices/{ID}"
    with Api({"GET /devices": DEVICES, key: {"id": ID}}) as api:
        ask(tool, api, "device", "set", "kitchen", "--channel", "beta")
        assert api.body(key) == {"channel": "beta"}
        ask(tool, api, "device", "set", "kitchen", "--tag", "a", "--tag", "b",
            "--name", "hall")
        assert api.body(key) == {"name": "hall", "tags": ["a", "b"]}
        ask(tool, api, "device", "set", "kitchen", "--tag", "")
        assert api.body(key) == {"tags": []}
        assert "say --name" in tool.refused(2, "device", "set", "kitchen",
                                            "--server", api.url)


def test_bucket_takes_the_newest_rollout_of_the_product(tool):
    with Api({"GET /devices": DEVICES,
              "GET /rollouts": items({"id": 3}, {"id": 12}, {"id": 7}),
              f"GET /devices/{ID}/bucket": {"bucket": 42,
                                            "stage": 1}}) as api:
        assert ask(tool, api, "rollout", "bucket", "kitchen").out == \
            "kitchen is in bucket 42 of 10000 of rollout 12: stage 2\n"
        api.table["GET /rollouts"] = items()
        said = tool.refused(3, "rollout", "bucket", "kitchen", "--server",
                            api.url)
        assert "lamp has no rollout" in said


def test_promote_finds_the_newest_release_of_that_version(tool):
    releases = items(
        {"version": "1.4.0", "manifest": M1, "sequence": 3},
        {"version": "1.4.0", "manifest": M2, "sequence": 4})
    with Api({"GET /releases": releases,
              f"POST /releases/{M2}/promote": {"version": "1.4.0"}}) as api:
        out = ask(tool, api, "release", "promote", "1.4.0", "--to", "beta",
                  "--product", "lamp").out
        assert out == "1.4.0 is in channel beta now\n"
        assert api.body(f"POST /releases/{M2}/promote") == {"to": "beta"}
        assert "--to CHANNEL" in tool.refused(
            2, "release", "promote", "1.4.0", "--product", "lamp", "--server",
            api.url)
        assert "no release 9" in tool.refused(
            3, "release", "promote", "9", "--to", "beta", "--product", "lamp",
            "--server", api.url)


def test_release_set_changes_only_what_was_said(tool):
    key = f"PATCH /releases/{M2}"
    releases = items({"version": "1.4.0", "manifest": M2, "sequence": 4})
    with Api({"GET /releases": releases, key: {"version": "1.4.0"}}) as api:
        said = ("release", "set", "1.4.0", "--product", "lamp")
        ask(tool, api, *said, "--channel", "dev", "--channel", "beta")
        assert api.body(key) == {"channels": ["dev", "beta"]}
        ask(tool, api, *said, "--channel", "any", "--stepping", "yes",
            "--security", "no", "--notes", "mends #1")
        assert api.body(key) == {"channels": [], "stepping": True,
                                 "security": False, "notes": "mends #1"}
        assert "say --channel" in tool.refused(2, *said, "--server", api.url)


def test_fleet_status_is_the_servers_sentence_and_who_needs_a_person(tool):
    fleet = {"sentence": "19 of 20 devices are well.", "level": "watch",
             "devices": 20, "silent": 1,
             "versions": [{"product": "lamp", "version": "1.3.0",
                           "devices": 20}],
             "rollouts": [ROLLOUT], "attention_count": 5,
             "attention": [{"id": ID, "name": "kitchen",
                            "why": "not seen for 3 days"}]}
    with Api({"GET /fleet": fleet}) as api:
        out = ask(tool, api, "fleet", "status").out
        for part in ("19 of 20 devices are well.", "20, 1 silent",
                     "lamp 1.3.0: 20", "12: lamp 1.4.0, running; 12 of 20",
                     "kitchen: not seen for 3 days", "and 4 more"):
            assert part in out


def test_a_releases_file_may_still_be_called_anything(tool):
    assert "no such file" in tool.refused(3, "release", "promoted").lower()
