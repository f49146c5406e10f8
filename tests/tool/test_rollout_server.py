# SPDX-License-Identifier: Apache-2.0
"""Rollouts by plan against bowlined: options, files, preview, why."""
import json
import re
import time

import pytest
from bowline_server import RETURNED

from .test_server import Site


class Patient(Site):
    """Its devices may be asked to poll as often as a test waits for it."""

    settings = "polls_per_minute = 0;\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Four devices on 1.0.0, one of them with a tag; 1.1.0 is published."""
    site = Patient(tmp_path_factory.mktemp("site"))
    site.good("publish", "srv/root-1.cbor")
    site.good("product", "add")
    site.one = site.release("1.0.0")
    site.two = site.release("1.1.0")
    site.devices = {}
    for name in ("hall", "attic", "kitchen", "cellar"):
        device = site.devices[name] = site.device(name)
        device.run(site.one)
        device.poll()
    yield site
    site.stop()


def preview(site, *words):
    return site.good("rollout", "preview", "1.1.0", "--json", *words).json


def test_a_preview_counts_whom_the_query_means(site):
    assert preview(site)["devices"] == 4
    assert preview(site, "--query", "version < 1.1")["devices"] == 4
    assert preview(site, "--query", "version >= 1.1")["devices"] == 0
    assert preview(site, "--query", "name in (hall, attic)")["devices"] == 2
    assert preview(site, "--include", "hall")["devices"] == 1
    assert preview(site, "--exclude", "hall")["devices"] == 3
    out = site.good("rollout", "start", "1.1.0", "--dry-run", "--query",
                    'name ~ "*t*"').out
    assert out.startswith("2 of 4 devices would get 1.1.0")
    assert site.good("rollout", "list", "--json").json["items"] == []


@pytest.mark.parametrize("words, says", [
    (["--query", "version == 1"], "character 9: no such operator"),
    (["--confirmed", "101"], "from 0 to 100"),
    (["--deadline", "5", "--start-at", "6"], "deadline must be after"),
    (["--channel", "Beta"], "target: channel"),
])
def test_the_servers_reader_says_what_is_wrong(site, words, says):
    assert says in site.refused(4, "rollout", "preview", "1.1.0", *words)


def write(site, **members):
    path = site.folder / "r.json"
    path.write_text(json.dumps({"version": "1.1.0", **members}))
    return "r.json"


FILE = """
version = "1.1.0";
name = "autumn";
stages = ( 25, { percent = 100; gates = { manual = true; }; } );
gates = { soak_s = 0; min_sample = 1; };
target = { query = "not tag = lab"; exclude = ["cellar"]; };
"""


def test_a_file_is_planned_applied_and_then_the_same(site):
    (site.folder / "r.rollout").write_text(FILE)
    first = site("rollout", "plan", "r.rollout", "--json")
    assert first.code == 1 and first.json["action"] == "create"
    assert first.json["preview"]["devices"] == 3
    made = site.good("rollout", "apply", "r.rollout", "--yes", "--json").json
    again = site.good("rollout", "plan", "r.rollout", "--json").json
    assert again["action"] == "none" and again["changes"] == []
    assert again["rollout"] == made["rollout"]
    # The same in the other syntax, and with another way to say the stages.
    same = write(site, name="autumn", gates={"min_sample": 1, "soak_s": 0},
                 stages=[{"percent": 25},
                         {"percent": 100, "gates": {"manual": True}}],
                 target={"query": "not tag = lab", "exclude": ["cellar"]})
    assert site.good("rollout", "plan", same).code == 0
    other = site("rollout", "plan", write(site, name="autumn"), "--json")
    assert other.code == 1
    assert {c["member"] for c in other.json["changes"]} == {"stages",
                                                            "target"}


def test_status_shows_the_gates_of_the_open_stage(site):
    out = site.good("rollout", "status").out
    assert out.startswith("rollout 1 (autumn): thermostat 1.1.0, running\n")
    assert re.search(r"25%  \d devices?  open", out)
    assert " - 0 of " in out  # a gate that waits


def test_why_is_what_the_engine_decides(site):
    for name in ("hall", "attic", "kitchen", "cellar"):
        said = site.good("device", "why", name, "--json").json
        assert site.good("device", "why", name).out == said["sentence"] + "\n"
        in_stage = site.good("rollout", "bucket", name, "--json").json
        if name == "cellar":
            assert said["why_code"] == "target"
        else:
            assert (said["why_code"] == "stage") == (in_stage["stage"] != 0)
        assert 0 <= in_stage["bucket"] < 10000
    facts = site.good("device", "why", "hall", "--facts").out
    assert len(facts.splitlines()) > 1
    assert "of rollout 1: stage " in site.good("rollout", "bucket",
                                               "hall").out


def test_what_may_change_is_changed_by_set_and_by_file(site):
    site.good("rollout", "set", "--rate", "500", "--window",
              "mon-fri 02:00-05:00", "--deadline", "+2d")
    other = site("rollout", "plan", "r.rollout", "--json").json
    assert {c["member"] for c in other["changes"]} == {
        "rate_per_hour", "windows", "deadline"}
    site.good("rollout", "apply", "r.rollout", "--yes")
    assert site.good("rollout", "plan", "r.rollout",
                     "--json").json["action"] == "none"
    moved = write(site, name="autumn",
                  gates={"min_sample": 1, "soak_s": 0},
                  stages=[25, {"percent": 100, "gates": {"manual": True}}],
                  target={"query": "tag = lab"})
    assert "target" in site.refused(4, "rollout", "apply", moved, "--yes",
                                    "--quiet").split(": ", 1)[1]


def test_channels_hold_a_release_until_it_is_promoted(site):
    site.good("device", "set", "hall", "--channel", "beta", "--tag", "a")
    shown = site.good("device", "show", "hall", "--json").json
    assert shown["channel"] == "beta" and shown["tags"] == ["a"]
    found = site.good("device", "list", "--query", "channel = beta",
                      "--json").json["items"]
    assert [d["name"] for d in found] == ["hall"]
    site.good("release", "set", "1.1.0", "--channel", "dev")
    assert preview(site)["devices"] == 0
    out = site.good("release", "promote", "1.1.0", "--to", "beta").out
    assert out == "1.1.0 is in channel beta now\n"
    assert preview(site)["devices"] == 1
    site.good("release", "promote", "1.1.0", "--to", "stable")
    assert preview(site)["devices"] == 4
    listed = site.good("release", "list", "--json").json["items"]
    assert {r["version"]: r["channels"] for r in listed} == {
        "1.0.0": [], "1.1.0": ["dev", "beta", "stable"]}
    site.good("release", "set", "1.1.0", "--channel", "any")
    assert re.search(r"1\.1\.0 .* -  ", site.good("release", "list").out)
    site.good("device", "set", "hall", "--channel", "stable", "--tag", "")


def test_fleet_status_has_a_sentence_and_the_rollout(site):
    out = site.good("fleet", "status").out
    fleet = site.good("fleet", "status", "--json").json
    assert out.splitlines()[0] == fleet["sentence"]
    assert "thermostat 1.0.0: 4" in out
    assert "1: thermostat 1.1.0, running" in out


def test_a_rollout_is_paused_resumed_and_called_back(site):
    site.good("rollout", "pause", "--reason", "lunch")
    paused = site.good("rollout", "status", "--json").json["rollout"]
    assert paused["state"] == "paused" and "lunch" in paused["state_reason"]
    site.good("rollout", "resume")
    site.good("rollout", "abort")
    assert site("rollout", "plan", "r.rollout").code == 1  # begins anew


def update(site, *names):
    """Each polls, and runs what it is to run, until all have."""
    end = time.monotonic() + 120
    left = set(names)
    while left:
        assert time.monotonic() < end, left
        for name in sorted(left):
            device = site.devices[name]
            device.poll()
            target = site.good("device", "show", name,
                               "--json").json["target"] or {}
            for release in (site.one, site.two):
                if target.get("manifest") == release["manifest"] and \
                        target["manifest"] != device.facts[4].hex():
                    device.event(1, sequence=release["sequence"])
                    device.run(release)
                    device.poll()
                    left.discard(name)


def test_a_rollout_goes_through_its_stages_and_back(site):
    site.good("rollout", "start", "1.1.0", "--stages", "2,100%", "--soak",
              "0", "--sample", "1", "--include", "hall", "--include",
              "attic", "--include", "kitchen")
    update(site, "hall", "attic", "kitchen")
    done = site.good("rollout", "status", "--wait", "finished", "--timeout",
                     "20", "--json").json["rollout"]
    assert done["counts"]["confirmed"] == 3
    seen = site.good("rollout", "return", "--preview", "--json").json
    assert seen["preview"]["devices"] == 3
    assert [t["version"] for t in seen["preview"]["to"]] == ["1.0.0"]
    ids = site.good("rollout", "return", "--json").json["rollout"]["returns"]
    back = site.good("rollout", "status", ids[0], "--json").json["rollout"]
    assert len(ids) == 1 and back["kind"] == "return"
    update(site, "hall", "attic", "kitchen")
    site.good("rollout", "status", "--wait", "finished", "--timeout", "20")
    old = site.good("device", "list", "--version", "1.0.0", "--json").json
    assert len(old["items"]) == 4


def test_a_bad_release_pauses_itself_and_the_updated_go_back(site):
    bad = site.release("1.2.0")
    started = site.good("rollout", "start", "1.2.0", "--stages", "100",
                        "--on-failure", "return", "--soak", "0", "--json")
    assert "permits" not in started.err
    rollout = started.json["id"]
    assert len(site.good("rollout", "status", rollout, "--json").json[
        "rollout"]["plan"]["permits"]) == 1
    for name in ("hall", "attic", "kitchen", "cellar"):
        device = site.devices[name]
        device.poll()
        if name in ("hall", "attic"):
            device.event(1, sequence=bad["sequence"])
            device.run(bad)
            device.poll()
        else:
            device.event(RETURNED, code=100, sequence=bad["sequence"])
            device.poll()
    site.good("rollout", "status", rollout, "--wait", "aborted", "--timeout",
              "20")
    r = site.good("rollout", "status", rollout, "--json").json["rollout"]
    ids = r["returns"]
    assert r["state_by"] == "bowline" and "2 of 4 failed" in r["state_reason"]
    back = site.good("rollout", "status", ids[0], "--json").json["rollout"]
    assert back["kind"] == "return" and back["version"] == "1.0.0"
    update(site, "hall", "attic")
    site.good("rollout", "status", ids[0], "--wait", "finished", "--timeout",
              "20")
