# SPDX-License-Identifier: Apache-2.0
"""Users, sessions, tokens: who gets in, how long, and what ends it."""
import json
import re
import secrets
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from operators import (PASSWORD, ROLES, Session, add_user, login,
                       login_by_code, login_code, try_login)


@pytest.fixture
def admin(server):
    """api() as the holder of the token file's admin token."""
    def ask(method, path, body=None, expect=None):
        return server.api(method, path, body, expect,
                          token=server.admin_token)
    return ask


def database(server):
    return sqlite3.connect(server.folder / "data/bowline.db")


def audit(server, action):
    return [line for line in server.api("GET", "/audit?limit=1000")
            .json["items"] if line["action"] == action]


# --- the first run ---

def test_a_new_server_lets_nobody_in_without_a_code(server):
    for name in ("admin", "operator", "root", "bowline", "ada", "ann"):
        for password in ("", "admin", "bowline", "password", server.token):
            body = {"name": name, "password": password}
            answer = try_login(server, body, forwarded(name + password))
            assert answer.status in (400, 401)
    assert server.api("GET", "/users", token=server.admin_token).json == {
        "items": [], "next": None}


def test_the_first_admin_comes_by_a_code_and_sets_a_password(server):
    user = add_user(server, "kim", password=None)
    assert not user["password"]
    session = login_by_code(server, "kim")
    assert session.answer.json["must_set_password"]
    assert session.api("GET", "/session").json["must_set_password"]
    session.api("PATCH", "/users/kim", {"password": PASSWORD}, 200)
    assert not login(server, "kim").answer.json["must_set_password"]


def test_a_code_holds_once_and_for_ten_minutes(server):
    add_user(server, "kim", password=None)
    code = login_code(server, "kim")
    assert try_login(server, {"code": code}).status == 200
    assert try_login(server, {"code": code}).status == 401
    code = login_code(server, "kim")
    with database(server) as db:
        left = db.execute("SELECT max(expires) FROM login_codes").fetchone()[0]
        assert 590 < left - time.time() <= 600
        db.execute("UPDATE login_codes SET expires = ?", (time.time() - 1,))
    assert try_login(server, {"code": code}).status == 401


def test_of_many_who_use_a_code_at_once_one_gets_in(server):
    add_user(server, "kim", password=None)
    code = login_code(server, "kim")
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(
            lambda _: try_login(server, {"code": code}).status, range(8)))
    assert sorted(got) == [200] + [401] * 7


# --- passwords ---

@pytest.mark.parametrize("password", [
    "short", "elevenchars", "password1234", "P4ssw0rd!!!!", "Letmein12345",
    "qwertyuiopas", "123456789012", "aaaaaaaaaaaa", "abababababab",
    "kim.s-account", "kimkim", "abcdefghijkl", "!!!12345678901!!!",
    "x" * 257, "administrator1", "1q2w3e4r5t6y"])
def test_a_poor_password_is_refused(admin, password):
    answer = admin("POST", "/users", {
        "name": "kim.s-account", "role": "viewer", "password": password})
    assert answer.status in (400, 422), answer.body
    assert answer.json["error"]["message"]


def test_a_password_may_be_in_any_script(server):
    password = "häufig 詩 и дождь"
    add_user(server, "kim", password=password)
    login(server, "kim", password)
    assert try_login(server, {"name": "kim",
                              "password": password.upper()}).status == 401


def test_only_hashes_are_kept(server, admin):
    add_user(server, "kim")
    session = login(server, "kim")
    token = admin("POST", "/tokens", {"name": "ci", "role": "viewer"},
                  201).json["token"]
    code = login_code(server, "kim")
    server.stop()
    kept = b"".join(path.read_bytes()
                    for path in (server.folder / "data").glob("bowline.db*"))
    kept += server.log.read_bytes()
    for secret in (PASSWORD, session.cookie.split("=")[1], session.csrf,
                   token, token.removeprefix("bwl_"), code):
        assert secret.encode() not in kept
    with database(server) as db:
        for (text,) in db.execute("SELECT hash FROM users"):
            assert text.startswith("$y$j9T$")


# --- sessions ---

def test_the_cookie_is_the_pages_alone(server):
    add_user(server, "kim")
    session = login(server, "kim")
    name, *flags = session.set_cookie.split("; ")
    assert re.fullmatch(r"__Host-bowline=[0-9a-f]{64}", name)
    assert set(flags) == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict",
                          "Max-Age=604800"}


def test_who_am_i(server, admin):
    add_user(server, "kim", "approver")
    said = login(server, "kim").api("GET", "/session", expect=200).json
    assert (said["name"], said["role"], said["kind"], said["scopes"]) == (
        "kim", "approver", "session", [])
    assert 12 * 3600 - 60 < said["expires"] - time.time() <= 12 * 3600
    said = admin("GET", "/session").json
    assert (said["name"], said["kind"], said["csrf"], said["expires"]) == (
        "ada", "token", None, None)


def test_a_session_survives_a_restart(server):
    add_user(server, "kim")
    session = login(server, "kim")
    server.kill()
    server.start()
    assert session.alive()


@pytest.mark.parametrize("created, used, alive", [
    (0, 0, True), (3 * 86400, 11 * 3600, True), (3 * 86400, 12 * 3600, False),
    (7 * 86400 - 60, 0, True), (7 * 86400, 0, False)])
def test_a_session_ends_by_itself(server, created, used, alive):
    add_user(server, "kim")
    session = login(server, "kim")
    server.stop()
    now = int(time.time())
    with database(server) as db:
        db.execute("UPDATE sessions SET created = ?, used = ?",
                   (now - created, now - used))
    server.start()
    assert session.alive() == alive


def test_log_out(server):
    add_user(server, "kim")
    session, other = login(server, "kim"), login(server, "kim")
    answer = session.api("DELETE", "/session", expect=204)
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert not session.alive() and other.alive()
    server.stop()
    server.start()
    assert not session.alive() and other.alive()


def test_a_user_has_twenty_sessions_at_most(server):
    add_user(server, "kim")
    first = login(server, "kim")
    with database(server) as db:
        db.execute("UPDATE sessions SET created = created - 100")
    server.stop()
    server.start()
    others = [login(server, "kim") for _ in range(20)]
    assert not first.alive() and all(s.alive() for s in others)
    server.stop()
    server.start()
    assert not first.alive() and all(s.alive() for s in others)


@pytest.mark.parametrize("change", [
    {"password": "nine patient otters rest"}, {"role": "operator"},
    {"role": "viewer"}, {"disabled": True}, None])
def test_sessions_and_codes_end_with_what_they_stand_on(server, admin, change):
    add_user(server, "kim")
    sessions = [login(server, "kim"), login(server, "kim")]
    code = login_code(server, "kim")
    if change is None:
        admin("DELETE", "/users/kim", expect=204)
    else:
        admin("PATCH", "/users/kim", change, 200)
    assert not any(session.alive() for session in sessions)
    assert try_login(server, {"code": code}).status == 401
    server.stop()
    server.start()
    assert not any(session.alive() for session in sessions)


def test_a_new_password_ends_every_other_session(server):
    """A thief's copy of the cookie is of no use, the own page goes on."""
    add_user(server, "kim")
    session, thief = login(server, "kim"), login(server, "kim")
    stolen = session.cookie
    new = "nine patient otters rest"
    session.api("PATCH", "/users/kim", {"password": new}, 403)
    session.api("PATCH", "/users/kim", {"password": new,
                                        "old_password": "x" * 12}, 403)
    answer = session.api("PATCH", "/users/kim", {
        "password": new, "old_password": PASSWORD}, 200)
    fresh = Session(server, answer)
    assert fresh.alive() and fresh.cookie != stolen
    assert not session.alive() and not thief.alive()
    assert try_login(server, {"name": "kim",
                              "password": PASSWORD}).status == 401
    login(server, "kim", new)


def test_a_disabled_user_is_out(server, admin):
    add_user(server, "kim")
    admin("PATCH", "/users/kim", {"disabled": True}, 200)
    assert try_login(server, {"name": "kim",
                              "password": PASSWORD}).status == 401
    admin("POST", "/users/kim/login-code", expect=409)
    admin("PATCH", "/users/kim", {"disabled": False}, 200)
    login(server, "kim")


def test_the_last_admin_stays(server, admin):
    add_user(server, "kim")
    add_user(server, "lee", "viewer")
    session = login(server, "kim")
    for change in ({"role": "operator"}, {"disabled": True}):
        session.api("PATCH", "/users/kim", change, 409)
    session.api("DELETE", "/users/kim", expect=409)
    session.api("PATCH", "/users/lee", {"role": "admin"}, 200)
    session.api("PATCH", "/users/kim", {"role": "operator"}, 200)
    # Who holds the token file can always begin anew.
    admin("DELETE", "/users/lee", expect=204)


@pytest.mark.parametrize("name", [
    "", "Kim", "-kim", "k m", "a" * 64, "../x", "kim\n", "bowline", "server",
    "anonymous", "ann", "<b>", "kim%00", "kïm"])
def test_names_that_cannot_be(admin, name):
    for path in "/users", "/tokens":
        answer = admin("POST", path, {"name": name, "role": "viewer"})
        assert answer.status in (400, 409), answer.body


def test_a_token_and_a_user_cannot_have_one_name(admin):
    admin("POST", "/users", {"name": "kim", "role": "viewer"}, 201)
    admin("POST", "/tokens", {"name": "kim", "role": "viewer"}, 409)
    admin("POST", "/tokens", {"name": "ci", "role": "viewer"}, 201)
    admin("POST", "/users", {"name": "ci", "role": "viewer"}, 409)


@pytest.mark.parametrize("body", [
    {}, {"name": "kim"}, {"name": "kim", "role": "root"},
    {"name": "kim", "role": 3}, {"name": "kim", "role": "viewer", "hash": "x"},
    {"name": ["kim"], "role": "viewer"},
    {"name": "kim", "role": "viewer", "password": None},
    {"name": "kim", "role": "viewer", "password": 123456789012}])
def test_a_malformed_user_is_refused(admin, body):
    admin("POST", "/users", body, 400)
    assert admin("GET", "/users").json["items"] == []


# --- API tokens ---

def test_a_token_is_said_once_and_works_until_it_is_removed(server, admin):
    made = admin("POST", "/tokens", {"name": "ci", "role": "operator"},
                 201).json
    assert re.fullmatch(r"bwl_[0-9a-f]{64}", made["token"])
    assert 89 * 86400 < made["expires"] - time.time() <= 90 * 86400
    assert "token" not in admin("GET", "/tokens").json["items"][0]
    ask = {"token": made["token"]}
    server.api("GET", "/products", expect=200, **ask)
    server.api("POST", "/products", {"name": "lamp", "vendor_domain": "a.b"},
               expect=201, **ask)
    assert audit(server, "product-add")[-1]["actor"] == "ci"
    assert admin("GET", "/tokens").json["items"][0]["last_use"]
    server.stop()
    server.start()
    server.api("GET", "/products", expect=200, **ask)
    admin("DELETE", f"/tokens/{made['id']}", expect=204)
    server.api("GET", "/products", expect=401, **ask)


def test_an_expired_token_is_none(server, admin):
    now = int(time.time())
    admin("POST", "/tokens", {"name": "old", "role": "viewer",
                              "expires": now - 1}, 400)
    made = admin("POST", "/tokens", {"name": "ci", "role": "viewer",
                                     "expires": now + 3600}, 201).json
    ever = admin("POST", "/tokens", {"name": "ever", "role": "viewer",
                                     "expires": 0}, 201).json
    assert ever["expires"] is None
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 3600))
    assert [line["detail"] for line in audit(server, "token-add")
            if line["object"] in ("ci", "ever")] == [
        f"viewer, scopes: all, expires {ends}",
        "viewer, scopes: all, expires never"]
    server.stop()
    with database(server) as db:
        db.execute("UPDATE tokens SET expires = ? WHERE name = 'ci'",
                   (now - 1,))
    server.start()
    server.api("GET", "/products", token=made["token"], expect=401)
    server.api("GET", "/products", token=ever["token"], expect=200)


SCOPED = [
    ("publish", "POST", "/products", {"name": "n", "vendor_domain": "a.b"}),
    ("publish", "POST", "/roots", b"x"), ("publish", "POST", "/releases", b"x"),
    ("publish", "PUT", "/payloads/" + "0" * 64, b"x"),
    ("rollout", "POST", "/rollouts", {}),
    ("rollout", "POST", "/rollouts/1/pause", {}),
    ("rollout", "POST", "/products/thermostat/rollback", {}),
    ("device", "POST", "/devices", {}), ("device", "DELETE", "/devices/x", None),
    ("device", "POST", "/devices/x/rollback", {}),
    ("admin", "POST", "/users", {}), ("admin", "DELETE", "/tokens/99", None),
    ("admin", "PATCH", "/settings", {}), ("admin", "PATCH", "/users/x", {}),
    ("read", "GET", "/users", None), ("read", "GET", "/audit", None),
    ("", "POST", "/rollouts/preview", {}), ("", "GET", "/products", None), ("", "GET", "/rollouts", None),
    ("", "GET", "/devices", None),
    ("", "GET", "/session", None)]


@pytest.mark.parametrize("scope", ["read", "publish", "rollout", "device",
                                   "admin"])
def test_a_scope_narrows_a_token(server, admin, scope):
    token = admin("POST", "/tokens", {"name": "ci", "role": "admin",
                                      "scopes": [scope]}, 201).json["token"]
    for area, method, path, body in SCOPED:
        answer = server.api(method, path, body, token=token)
        may = area in ("", scope) or (area == "read" and scope == "admin")
        refused = (answer.status == 403 and
                   answer.json["error"]["code"] == "scope")
        assert refused != may, (scope, method, path, answer.body)


def test_a_narrowed_token_makes_none_that_may_more(server, admin):
    token = admin("POST", "/tokens", {
        "name": "ci", "role": "admin", "scopes": ["admin", "read"]},
        201).json["token"]
    for number, (scopes, status) in enumerate(
            (([], 403), (["publish"], 403), (["admin", "device"], 403),
             (["read"], 201), (["admin"], 201))):
        server.api("POST", "/tokens", {
            "name": f"ci{number}", "role": "admin", "scopes": scopes},
            token=token, expect=status)


# --- brute force ---

def forwarded(text):
    """Another address, as a TLS proxy on this machine would say it."""
    number = sum(text.encode()) * 7919 + len(text)
    return {"X-Forwarded-For":
            f"10.{number % 250}.{number // 250 % 250}.{len(text)}"}


def test_guessing_is_slowed_down_and_a_code_still_lets_in(server):
    add_user(server, "kim")
    answers = [try_login(server, {"name": "kim", "password": f"guess {i}"})
               for i in range(12)]
    assert [a.status for a in answers] == [401] * 5 + [429] * 7
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 30
    metrics = server.request("GET", "/metrics").body.decode()
    assert 'bowline_logins_total{result="refused"} 5\n' in metrics
    assert 'bowline_logins_total{result="limited"} 7\n' in metrics
    right = {"name": "kim", "password": PASSWORD}
    assert try_login(server, right).status == 429
    other = {"X-Forwarded-For": "198.51.100.7"}
    assert try_login(server, right, other).status == 200, \
        "an attacker elsewhere does not lock her out"
    assert login_by_code(server, "kim").alive()


def test_guessing_from_everywhere_is_slowed_down_by_the_name(server):
    add_user(server, "kim")
    add_user(server, "lee")
    got = [try_login(server, {"name": "kim", "password": "a guess"},
                     {"X-Forwarded-For": f"203.0.113.{i}"}).status
           for i in range(70)]
    assert got[:60] == [401] * 60 and 429 in got[60:]
    assert login_by_code(server, "kim").alive()
    login(server, "lee", headers={"X-Forwarded-For": "203.0.113.200"})


def test_guessing_names_is_slowed_down_by_the_address(server):
    got = [try_login(server, {"name": f"user{i}", "password": "a guess"},
                     {"X-Forwarded-For": f"2001:db8::{i:x}"}).status
           for i in range(30)]
    assert got[:20] == [401] * 20 and got[-1] == 429


@pytest.mark.parametrize("address, others", [
    ("::ffff:192.0.2.1", ("::ffff:192.0.2.2", "192.0.2.3", "2001:db8::1")),
    ("2001:db8:0:1::1", ("2001:db8:0:2::1", "192.0.2.1")),
    ("192.0.2.1", ("192.0.2.2", "::ffff:192.0.2.3"))])
def test_who_guesses_slows_down_no_other_network(server, address, others):
    def attempt(at, name):
        return try_login(server, {"name": name, "password": "a guess"},
                         {"X-Forwarded-For": at}).status
    for i in range(25):
        last = attempt(address, f"user{i}")
    assert last == 429
    assert [attempt(at, "somebody") for at in others] == [401] * len(others)


def test_guessing_codes_is_slowed_down(server):
    add_user(server, "kim", password=None)
    code = login_code(server, "kim")
    assert len(code) == 64
    got = [try_login(server, {"code": secrets.token_hex(32)}).status
           for _ in range(20)]
    assert got[:10] == [401] * 10 and got[-1] == 429
    other = {"X-Forwarded-For": "198.51.100.7"}
    assert try_login(server, {"code": code}, other).status == 200


def test_a_good_login_uses_up_nothing(server):
    add_user(server, "kim")
    for _ in range(8):
        login(server, "kim")


def test_an_unknown_name_looks_like_a_wrong_password(server):
    add_user(server, "kim")
    cost, said = {}, {}
    for name in ("kim", "nobody"):
        before = processor_ticks(server.process.pid)
        answers = [try_login(server, {"name": name,
                                      "password": "a wrong guess"})
                   for _ in range(5)]
        cost[name] = processor_ticks(server.process.pid) - before
        said[name] = {(a.status, a.body) for a in answers}
    assert said["kim"] == said["nobody"] and len(said["kim"]) == 1
    # Without the hash it would be next to nothing.
    assert cost["nobody"] > 0.4 * cost["kim"]


def processor_ticks(pid):
    """What the program has computed, whatever else the machine does."""
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return int(words[11]) + int(words[12])


def test_refused_logins_are_audited_and_cannot_fill_the_log(server):
    add_user(server, "kim")
    try_login(server, {"name": "kim", "password": "a wrong guess"})
    try_login(server, {"name": PASSWORD, "password": "in the wrong field"})
    for i in range(60):
        try_login(server, {"name": f"x{i}", "password": "a wrong guess"})
    lines = audit(server, "login-refused")
    assert [line["object"] for line in lines[:2]] == ["kim", ""]
    assert len(lines) <= 12
    assert "wrong password, from 127.0.0.1" in lines[0]["detail"]
    text = json.dumps(server.api("GET", "/audit").json)
    assert PASSWORD not in text + server.log.read_text()


def test_devices_are_answered_while_passwords_are_hashed(server):
    add_user(server, "kim")
    device = server.register()
    with ThreadPoolExecutor(16) as pool:
        logins = [pool.submit(login, server, "kim", headers={
            "X-Forwarded-For": f"198.51.100.{i}"}) for i in range(40)]
        polls = 0
        while not all(done.done() for done in logins):
            device.poll(nonce=False)
            polls += 1
        assert all(done.result().csrf for done in logins)
    # 40 hashes are most of a second of one thread; both HTTP threads would
    # be busy with them.
    assert polls > 10


def test_a_stop_ends_the_logins_that_wait(server):
    add_user(server, "kim")

    def one(i):
        try:
            return try_login(server, {"name": "kim", "password": PASSWORD},
                             {"X-Forwarded-For": f"198.51.100.{i}"}).status
        except OSError:
            return None

    with ThreadPoolExecutor(16) as pool:
        logins = [pool.submit(one, i) for i in range(40)]
        while not any(done.done() for done in logins):
            time.sleep(0.01)
        assert server.stop() == 0
        assert {done.result() for done in logins} <= {200, None}
    server.start()
    assert login(server, "kim").alive()


# --- audit ---

def test_what_people_do_is_in_the_audit_log(server, admin):
    add_user(server, "kim")
    session = login(server, "kim")
    session.api("POST", "/users", {"name": "lee", "role": "viewer"}, 201)
    session.api("PATCH", "/users/lee", {"role": "operator"}, 200)
    session.api("POST", "/users/lee/login-code", expect=201)
    made = session.api("POST", "/tokens", {"name": "ci", "role": "viewer"},
                       201).json
    session.api("DELETE", f"/tokens/{made['id']}", expect=204)
    session.api("DELETE", "/users/lee", expect=204)
    session.api("PATCH", "/settings", {"four_eyes": True}, 200)
    session.api("DELETE", "/session", expect=204)
    lines = server.api("GET", "/audit?actor=kim").json["items"]
    assert [(line["action"], line["object"]) for line in lines] == [
        ("login", "kim"), ("user-add", "lee"), ("user-change", "lee"),
        ("login-code", "lee"), ("token-add", "ci"), ("token-remove", "ci"),
        ("user-remove", "lee"), ("settings", ""), ("logout", "kim")]
    assert server.api("GET", "/audit/verify").json["ok"]


def test_settings_are_kept(server, admin):
    assert admin("GET", "/settings").json == {
        "four_eyes": False, "approvals": 1, "deltas": True}
    admin("PATCH", "/settings", {"four_eyes": True, "approvals": 2}, 200)
    for wrong in ({}, {"four_eyes": 1}, {"approvals": 0}, {"approvals": 5},
                  {"approvals": True}, {"other": 1}, [], {"approvals": 1.5},
                  {"deltas": 1}):
        admin("PATCH", "/settings", wrong, 400)
    server.stop()
    server.start()
    assert admin("GET", "/settings").json == {
        "four_eyes": True, "approvals": 2, "deltas": True}


def test_the_configuration_says_what_holds_until_it_is_set(make_server):
    server = make_server(four_eyes=True).start()
    ask = {"token": server.admin_token}
    assert server.api("GET", "/settings", **ask).json["four_eyes"]
    server.api("PATCH", "/settings", {"four_eyes": False}, 200, **ask)
    server.stop()
    server.start()
    assert not server.api("GET", "/settings", **ask).json["four_eyes"]


def test_every_role_may_read_and_no_more_than_its_own(server):
    sessions = {role: (add_user(server, f"a-{role}", role),
                       login(server, f"a-{role}"))[1] for role in ROLES}
    for role, session in sessions.items():
        session.api("GET", "/products", expect=200)
        session.api("POST", "/products", {"name": "n", "vendor_domain": "a.b"},
                    403 if role in ("viewer", "approver") else None)
        session.api("GET", "/users", expect=200 if role == "admin" else 403)
        session.api("PATCH", f"/users/a-{role}", {"role": "admin"},
                    200 if role == "admin" else 403)
