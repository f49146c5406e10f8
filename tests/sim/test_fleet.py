# SPDX-License-Identifier: Apache-2.0
"""A fleet of simulated devices against a real server: what the server
believes is what devices run."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from bowline_server import PRODUCT
from fleet import SIM, assert_same, believed, bucket, offered, wait
from fleet_patches import image, order

TOP = Path(__file__).resolve().parents[2]
# Half an hour between polls, in half a second or less.
FAST = ("--speed", 3600, "--seed", 7)


def roll_out(server, version, stages=(100,), **plan):
    return server.api("POST", "/rollouts", {
        "product": PRODUCT, "version": version, "stages": list(stages),
        **plan}, expect=201).json


def counts(server, rollout):
    return server.api("GET", f"/rollouts/{rollout['id']}",
                      expect=200).json["counts"]


def ended(server, rollout):
    c = counts(server, rollout)
    return c["confirmed"] + c["returned"] + c["failed"] + c["refused"]


def end(server, rollout):
    """One with a device that did not keep the release does not finish by
    itself; one that has finished says so."""
    server.api("POST", f"/rollouts/{rollout['id']}/abort", {})
    state = server.api("GET", f"/rollouts/{rollout['id']}").json["state"]
    assert state in ("finished", "aborted")


@pytest.mark.parametrize("kind", [(), ("--esp32",)],
                         ids=["bowline-boot", "esp32"])
def test_a_good_and_a_bad_release_in_a_world_of_faults(
        tls_server, make_fleet, kind):
    server = tls_server
    server.publish(1, "1.0.0", image(0))
    good = server.publish(2, "1.1.0", image(1))
    bad = server.publish(3, "1.2.0", image(2))
    fleet = make_fleet(
        server, 200, *FAST, *kind, "--loss", "4%", "--power-cuts", "4%",
        "--bad-patches", "4%", "--hardware",
        "rev-a:70%,rev-b:30%", "--behaviour", "1.1.0=flaky:5%",
        "--behaviour", "1.2.0=crash:40%,hang:20%,health:20%,pending:20%",
        "--compare", "--settle", "60s").start()

    order(server, "1.0.0", good)
    first = roll_out(server, "1.1.0")
    wait("progress", lambda: counts(server, first)["confirmed"] > 20)
    for _ in range(2):
        server.kill()
        server.start()
    wait("end of the good one", lambda: ended(server, first) == 200)
    end(server, first)

    # Every device of the stage shall try it, once: nothing pauses.
    second = roll_out(server, "1.2.0", (10, 100), retry={"attempts": 1},
                      gates={"max_failed_percent": 100})
    limit = second["stages"][0]["limit_bucket"]
    chosen = {identity for identity in believed(server)
              if bucket(second["salt"], identity) < limit}
    wait("end of the first stage",
         lambda: ended(server, second) >= len(chosen) > 5)
    end(server, second)

    truth = fleet.stop()
    assert assert_same(truth, believed(server)) == 200
    assert offered(truth, bad["manifest"]) == chosen
    assert not [d for d in truth.values() if d["version"] == "1.2.0"]
    assert sum(d["version"] == "1.1.0" for d in truth.values()) >= 195
    assert len(offered(truth, good["manifest"])) == 200
    summary = fleet.summary
    assert summary["agrees"] is True
    assert summary["returned"] >= len(chosen)
    assert summary["power_cuts"] > 0 and summary["broken"] > 0
    assert summary["patched"] > 0
    assert summary["watchdog"] > 0 and summary["crashes"] > 0
    assert summary["flash_breaches"] == 0 and summary["wrecked"] == 0


def test_sleepy_roaming_dying_and_silent_devices(tls_server, make_fleet):
    server = tls_server
    server.publish(1, "1.0.0")
    server.publish(2, "1.1.0")
    fleet = make_fleet(
        server, 60, *FAST, "--profile", "normal:30%,sleepy:20%,roaming:20%,dying:30%",
        "--behaviour", "1.1.0=silent:25%", "--compare").start()
    rollout = roll_out(server, "1.1.0")
    wait("a silent one and one without a battery", lambda: counts(
        server, rollout)["confirmed"] > 15)
    truth = fleet.stop()

    def of(member, value):
        return [d for d in truth.values() if d[member] == value]

    assert of("power", "silent") and of("profile", "sleepy")
    assert all(not d["confirmed"] and d["version"] == "1.1.0"
               for d in of("power", "silent"))
    assert {d["profile"] for d in of("power", "dead")} <= {"dying"}
    assert_same(truth, believed(server))


def test_what_devices_tell_decides_who_is_asked_and_who_waits(
        make_tls_server, make_fleet):
    server = make_tls_server(clock_speed=3600)
    server.publish(1, "1.0.0")
    release = server.publish(2, "1.1.0")
    fleet = make_fleet(
        server, 80, *FAST, "--attribute", "region=eu:50%,us:50%",
        "--profile", "normal:60%,roaming:40%", "--tags", "lab,sim",
        "--compare").start()
    wait("words of all", lambda: all(
        d["attributes"] for d in believed(server).values()))
    known = believed(server)
    in_eu = {i for i, d in known.items() if d["attributes"]["region"] == "eu"}
    assert 20 < len(in_eu) < 60
    assert {d["attributes"]["profile"] for d in known.values()} == {
        "normal", "roaming"}
    assert all(d["tags"] == ["lab", "sim"] for d in known.values())
    assert {type(d["battery"]) for d in known.values()} == {int, type(None)}

    rollout = server.api("POST", "/rollouts", {
        "product": PRODUCT, "version": "1.1.0", "strategy": "immediate",
        "target": {"query": "region = eu and tag = lab"}, "consent": True,
        "roaming": False, "metered": False}, expect=201).json
    wait("one who agreed", lambda: counts(server, rollout)["confirmed"] > 5)
    assert counts(server, rollout)["eligible"] == len(in_eu)
    truth = fleet.stop()
    assert_same(truth, believed(server))
    assert offered(truth, release["manifest"]) <= in_eu
    assert {i for i, d in truth.items() if d["version"] == "1.1.0"} <= in_eu


def test_a_difference_is_found_and_told(tls_server, make_fleet):
    server = tls_server
    server.publish(1, "1.0.0")
    fleet = make_fleet(server, 5, *FAST, "--compare", "--settle",
                       "1s").start()
    wait("all five", lambda: all(d["last_seen"] for d in
                                 believed(server).values()))
    gone = next(iter(believed(server)))
    server.api("DELETE", f"/devices/{gone}", expect=204)
    truth = fleet.stop(expect=1)
    assert fleet.summary["agrees"] is False
    assert f"{truth[gone]['name']} (" in fleet.said()
    assert 'registered is "yes", the server believes "no"' in fleet.said()


def test_a_fleet_that_was_kept_goes_on_where_it_was(
        tls_server, make_fleet, tmp_path):
    server = tls_server
    server.publish(1, "1.0.0")
    server.publish(2, "1.1.0")
    kept = tmp_path / "kept"
    fleet = make_fleet(server, 20, "--speed", 3600, "--state", kept,
                       "--compare").start()
    rollout = roll_out(server, "1.1.0")
    wait("end", lambda: counts(server, rollout)["confirmed"] == 20)
    before = fleet.stop()
    assert (kept / "fleet.json").stat().st_mode & 0o77 == 0
    again = make_fleet(server, 20, "--speed", 3600, "--state", kept,
                       "--compare", "--until", "settled", "--calm", "2s")
    again.start()
    after = again.finish()
    assert before.keys() == after.keys()
    assert {d["version"] for d in after.values()} == {"1.1.0"}
    assert {d["floor"] for d in after.values()} == {2}


def test_the_same_seed_twice_is_refused_with_what_to_do(
        tls_server, make_fleet):
    tls_server.publish(1, "1.0.0")
    make_fleet(tls_server, 3, *FAST).start().stop()
    again = subprocess.run(make_fleet(tls_server, 3, *FAST).command,
                           capture_output=True, text=True)
    assert again.returncode == 1
    assert "--seed" in again.stderr and "--state" in again.stderr


def test_help_and_wrong_usage():
    said = subprocess.run([SIM, "--help"], capture_output=True, text=True)
    assert said.returncode == 0 and "--power-cuts SHARE" in said.stdout
    assert max(map(len, said.stdout.splitlines())) <= 79
    said = subprocess.run([SIM, "--version"], capture_output=True, text=True)
    assert said.returncode == 0 and said.stdout.startswith("bowline-sim ")


def test_the_manual_names_every_option():
    words = set(re.findall(r"--[a-z-]+", subprocess.run(
        [SIM, "--help"], capture_output=True, text=True).stdout))
    page = (TOP / "packaging/man/bowline-sim.1").read_text()
    assert words == {"-" + word for word in re.findall(
        r"(?:Fl|,|\||\\\n) ?(-[a-z][a-z-]+)", page)}
    assert shutil.which("mandoc"), "mandoc is in packages.txt"
    run = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning",
         TOP / "packaging/man/bowline-sim.1"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("wrong, named", [
    ((), "--server is missing"),
    (("--server", "http://x", "--product", "p", "--token-file", "t"),
     "https://"),
    (("--loss", "150%"), "--loss"),
    (("--attribute", "Region=eu"), "Region"),
    (("--behaviour", "1.0=explode:3%"), "explode"),
    (("--devices", "0"), "--devices"),
    (("--devices", "-5"), "--devices"),
    (("--profile", "lazy"), "lazy"),
    (("--speed", "nan"), "--speed"),
    (("--run-for", "soon"), "--run-for"),
    (("--nonsense",), "--nonsense"),
    (("--server",), "--server"),
    (("extra",), "extra")])
def test_wrong_usage_is_named(wrong, named):
    said = subprocess.run([SIM, *wrong], capture_output=True, text=True)
    assert said.returncode == 2, said.stderr
    assert named in said.stderr
    assert said.stdout == ""


def test_a_server_that_is_not_there_is_named(tmp_path):
    token = tmp_path / "token"
    token.write_text("x")
    token.chmod(0o600)
    said = subprocess.run(
        [SIM, "--server", "https://localhost:1", "--product", "p",
         "--token-file", token], capture_output=True, text=True)
    assert said.returncode == 1
    assert "localhost:1" in said.stderr
