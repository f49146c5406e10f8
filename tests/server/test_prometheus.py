# SPDX-License-Identifier: Apache-2.0
"""What Prometheus reads, what the dashboard and the alerts make of it."""
import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from events import Stream

TOP = Path(__file__).parents[2]
DASHBOARD = TOP / "packaging" / "grafana" / "bowline.json"
ALERTS = TOP / "packaging" / "prometheus" / "alerts.yml"
NAME = re.compile(r"\bbowline_\w+")


def promtool(*arguments, **more):
    return subprocess.run(["promtool", *map(str, arguments)],
                          capture_output=True, text=True, timeout=60, **more)


def scrape(server):
    return server.request("GET", "/metrics").body.decode()


def value(text, series):
    found = re.search("^" + re.escape(series) + r" (\S+)$", text, re.M)
    assert found, (series, text)
    return float(found.group(1))


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """A server with something of everything."""
    from bowline_server import Server
    from bowline_server import finish
    server = Server(tmp_path_factory.mktemp("server"), plain=False)
    server.start().set_up()
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    rollout = server.api("POST", "/rollouts", {
        "product": "thermostat", "version": "1.1.0", "stages": [50, 100]},
        expect=201).json
    for i in range(4):
        device = server.register()
        if i < 3:
            device.run(old, slot=0)
            device.poll(k12='1.0.0"\\x' if i == 2 else "1.0.0")
    server.api("POST", f"/rollouts/{rollout['id']}/pause", {}, expect=200)
    time.sleep(1.5)  # a census
    yield server
    finish([server])


def series_names(text):
    return {name for name in re.findall(r"^(bowline_\w+)[ {]", text, re.M)}


def test_the_page_is_as_prometheus_wants_it(busy):
    run = promtool("check", "metrics", input=scrape(busy))
    assert run.returncode == 0, run.stdout + run.stderr


def test_numbers_are_those_that_the_api_tells(busy):
    text = scrape(busy)
    assert value(text, "bowline_devices_registered") == 4
    assert value(text, 'bowline_device_versions{product="thermostat",'
                 'version="1.0.0"}') == 2
    assert 'version="1.0.0\\"\\\\x"' in text
    assert value(text, 'bowline_rollout_state{rollout="1",product="thermostat"'
                 ',state="paused"}') == 1
    assert value(text, 'bowline_rollout_stage{rollout="1",'
                 'product="thermostat"}') == 1
    assert value(text, 'bowline_rollout_paused_itself{rollout="1",'
                 'product="thermostat"}') == 0  # ann did it
    assert value(text, "bowline_tickets_trusted") == 1
    assert value(text, "bowline_journal_failing") == 0
    lines = busy.api("GET", "/audit?limit=1000", expect=200).json["items"]
    assert value(text, "bowline_audit_lines_total") == len(lines)
    with Stream(busy):
        assert value(scrape(busy), "bowline_stream_clients") == 1
    expires = value(text, "bowline_certificate_expiry_timestamp_seconds")
    assert 29 * 86400 < expires - time.time() < 31 * 86400
    free = shutil.disk_usage(busy.folder).free
    assert abs(value(text, "bowline_data_free_bytes") - free) < 5e9
    assert value(text, "bowline_data_size_bytes") >= free


def test_the_dashboard_asks_only_for_what_there_is(busy):
    dashboard = json.loads(DASHBOARD.read_text())
    expressions = [t["expr"] for p in dashboard["panels"]
                   for t in p["targets"]]
    names = {name for e in expressions for name in NAME.findall(e)}
    assert len(expressions) > 20 and len(names) > 20
    assert names - series_names(scrape(busy)) == set()
    ids = [p["id"] for p in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def test_no_panel_of_the_dashboard_lies_over_another():
    taken = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        g = panel["gridPos"]
        cells = {(x, y) for x in range(g["x"], g["x"] + g["w"])
                 for y in range(g["y"], g["y"] + g["h"])}
        assert g["x"] + g["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells


def test_every_expression_of_the_dashboard_can_be_read(tmp_path):
    rules = []
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            expr = target["expr"].replace("$__rate_interval", "5m")
            rules.append({"record": "x:y", "expr": expr, "labels": {
                "n": f"{panel['id']}{target['refId']}"}})
    path = tmp_path / "dashboard.yml"  # JSON is YAML
    path.write_text(json.dumps({"groups": [{"name": "x", "rules": rules}]}))
    run = promtool("check", "rules", path)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_alerts_ask_only_for_what_there_is(busy):
    expressions = re.findall(r"^\s+expr: (.*)$", ALERTS.read_text(), re.M)
    names = {name for e in expressions for name in NAME.findall(e)}
    assert len(expressions) >= 10
    assert names - series_names(scrape(busy)) == set()


def test_the_alerts_fire_when_they_should(tmp_path):
    run = promtool("check", "rules", ALERTS)
    assert run.returncode == 0, run.stdout + run.stderr
    shutil.copy(ALERTS, tmp_path)
    shutil.copy(Path(__file__).parent / "alerts_test.yml", tmp_path)
    run = promtool("test", "rules", tmp_path / "alerts_test.yml")
    assert run.returncode == 0, run.stdout + run.stderr
