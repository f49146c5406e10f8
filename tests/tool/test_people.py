# SPDX-License-Identifier: Apache-2.0
"""Users, tokens and the audit log by the tool, from the first run on."""
import http.client
import json
import re
import ssl
import stat

import pytest

from .test_server import Site


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.stop()


def browser(site, method, path, body=None, headers=None):
    """What a page would do: TLS, and only what the page is told."""
    context = ssl.create_default_context(cafile=site.srv / "ca.pem")
    c = http.client.HTTPSConnection("localhost", site.port, timeout=30,
                                    context=context)
    c.request(method, "/api/v1" + path,
              None if body is None else json.dumps(body),
              {"Content-Type": "application/json", **(headers or {})})
    answer = c.getresponse()
    said = answer.read()
    c.close()
    return answer.status, answer.headers, json.loads(said) if said else None


def follow(site, url):
    """Logs in with the code of an address that the tool printed."""
    assert url.startswith(f"https://localhost:{site.port}/#/login?code=")
    code = url.split("code=")[1]
    return browser(site, "POST", "/session", {"code": code})


def test_from_a_new_server_to_a_password(site):
    assert site.good("user", "list", "--json").json["items"] == []
    assert "user add" in site.refused(3, "login-code")
    out = site.good("user", "add", "kim", "--role", "admin").out
    url = out.strip()
    assert len(url.splitlines()) == 1
    status, headers, said = follow(site, url)
    assert status == 200 and said["must_set_password"]
    assert follow(site, url)[0] == 401
    cookie = headers["Set-Cookie"].split(";")[0]
    status, _, said = browser(
        site, "PATCH", "/users/kim", {"password": "four quiet herons wade"},
        {"Cookie": cookie, "X-Bowline-CSRF": said["csrf"]})
    assert status == 200 and said["password"]
    assert site.good("user", "list", "--json").json["items"][0]["password"]
    assert follow(site, site.good("login-code").out.strip())[0] == 200
    assert url.split("code=")[1] not in site.text()


def test_users(site):
    (site.folder / "pw").write_text("four quiet herons wade\n")
    (site.folder / "pw").chmod(0o644)
    assert "chmod 600" in site.refused(3, "user", "add", "lee",
                                       "--password-file", "pw")
    (site.folder / "pw").chmod(0o600)
    user = site.good("user", "add", "lee", "--role", "approver",
                     "--password-file", "pw", "--json").json
    assert (user["name"], user["role"], user["password"]) == (
        "lee", "approver", True)
    assert "url" not in user
    login = {"name": "lee", "password": "four quiet herons wade"}
    assert browser(site, "POST", "/session", login)[0] == 200
    assert site.good("user", "set", "lee", "--disable",
                     "--json").json["disabled"]
    assert browser(site, "POST", "/session", login)[0] == 401
    site.good("user", "set", "lee", "--enable", "--role", "viewer")
    assert browser(site, "POST", "/session", login)[2]["role"] == "viewer"
    site.refused(2, "user", "set", "lee")
    site.refused(2, "user", "set", "lee", "--disable", "--enable")
    site.refused(4, "user", "set", "nobody", "--disable")
    site.refused(4, "user", "add", "lee")
    site.good("user", "remove", "lee")
    site.refused(4, "user", "remove", "lee")
    assert browser(site, "POST", "/session", login)[0] == 401


def test_a_token_is_in_a_file_of_ones_own_and_nowhere_else(site):
    made = site.good("token", "new", "ci", "--role", "operator", "--scope",
                     "publish", "--scope", "device", "--json")
    path = site.folder / "ci.token"
    token = path.read_text().strip()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert re.fullmatch(r"bwl_[0-9a-f]{64}", token)
    assert token not in made.out + made.err
    assert made.json["scopes"] == ["publish", "device"]
    use = ("--token-file", "ci.token")
    site.good("product", "add", *use)
    site.refused(4, "user", "list", *use)
    assert "ci" in site.good("token", "list").out
    site.refused(3, "token", "new", "ci")
    (site.folder / "ci.token").rename(site.folder / "old.token")
    site.refused(4, "token", "new", "ci")
    assert not path.exists(), "nothing is left of what was refused"
    site.good("token", "revoke", "ci")
    site.refused(4, "product", "list", "--token-file", "old.token")
    site.refused(3, "token", "revoke", "ci")
    shown = site.good("token", "new", "ci", "-o", "-", "--days", "0")
    assert shown.out.startswith("bwl_") and not path.exists()


def test_settings(site):
    assert site.good("settings", "--json").json == {
        "four_eyes": False, "approvals": 1, "deltas": True}
    site.good("settings", "--four-eyes", "on", "--approvals", "2",
              "--deltas", "off")
    assert site.good("settings", "--json").json == {
        "four_eyes": True, "approvals": 2, "deltas": False}
    site.refused(2, "settings", "--four-eyes", "maybe")
    site.refused(2, "settings", "--approvals", "9")


# --- audit ---

@pytest.fixture
def export(site):
    for name in ("lamp", "fan", "door"):
        site.good("product", "add", name)
    site.good("user", "add", "kim")
    site.good("audit", "export", "-o", "log.jsonl")
    return site.folder / "log.jsonl"


def test_an_export_is_verified_without_the_server(site, export):
    good = site.good("audit", "verify", "--json").json
    done = site.good("audit", "verify", export, "--json",
                     "--server", "https://localhost:1").json
    assert done["ok"] and done["head"] == good["head"]
    assert done["lines"] == good["lines"] >= 5
    assert stat.S_IMODE(export.stat().st_mode) == 0o600
    site.refused(7, "audit", "export", "-o", "log.jsonl")
    site.good("audit", "export", "-o", "log.jsonl", "--force")
    assert site.good("audit", "export", "-o", "-").out == export.read_text()


def broken(site, export, rows, number=None):
    export.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = site("audit", "verify", export, "--json")
    assert result.code == 1 and not result.json["ok"], result.out
    assert result.json["problem"]
    if number is not None:
        assert result.json["first_bad"] == number
    assert site("audit", "verify", export).code == 1


@pytest.mark.parametrize("field, value", [
    ("time", 1), ("actor", "eve"), ("action", "nothing"), ("object", "x"),
    ("detail", "x"), ("number", 99), ("hash", "0" * 64)])
def test_an_altered_line_of_an_export_is_named(site, export, field, value):
    rows = [json.loads(row) for row in export.read_text().splitlines()]
    rows[2][field] = value
    broken(site, export, rows, None if field == "number" else 3)


def test_lines_that_are_missing_or_added_are_noticed(site, export):
    rows = [json.loads(row) for row in export.read_text().splitlines()]
    broken(site, export, rows[1:])
    broken(site, export, rows[:2] + rows[3:])
    broken(site, export, rows[:-2] + rows[-1:])
    broken(site, export, rows[:-1])
    broken(site, export, rows + rows[-1:])
    broken(site, export, [rows[1], rows[0], *rows[2:]])
    broken(site, export, rows[:2] + [rows[1]] + rows[2:])


def test_a_head_that_was_noted_must_be_in_the_chain(site, export):
    noted = site.good("audit", "verify", "--json").json["head"]
    site.good("product", "add", "later")
    site.good("audit", "export", "-o", "new.jsonl")
    site.good("audit", "verify", "new.jsonl", "--head", noted)
    result = site("audit", "verify", "new.jsonl", "--head", "0" * 64)
    assert result.code == 1 and "noted" in result.out


def test_what_is_no_export_is_refused(site):
    (site.folder / "x").write_text("")
    site.refused(3, "audit", "verify", "x")
    (site.folder / "x").write_bytes(b"\x00\xff" * 100)
    assert site("audit", "verify", "x").code == 1
    (site.folder / "x").write_text("[" * 10000)
    assert site("audit", "verify", "x").code == 1
    site.refused(3, "audit", "verify", "none")
    site.refused(3, "audit", "verify", ".")


def test_the_list_is_narrowed(site, export):
    done = site.good("audit", "list", "--action", "product-add",
                     "--json").json["items"]
    assert [line["object"] for line in done] == ["door", "fan", "lamp"]
    assert "user-add" in site.good("audit", "list", "--actor",
                                   "operator").out
    assert len(site.good("audit", "list", "--limit", "2",
                         "--json").json["items"]) == 2
