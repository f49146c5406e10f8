# SPDX-License-Identifier: Apache-2.0
"""A browser's session with the server, without being a browser."""
import json
import re

PASSWORD = "four quiet herons wade"
ROLES = ("viewer", "operator", "approver", "admin")
JSON = {"Content-Type": "application/json"}


class Session:
    def __init__(self, server, answer):
        self.server, self.answer = server, answer
        self.set_cookie = answer.headers["Set-Cookie"]
        self.cookie = self.set_cookie.split(";")[0]
        self.csrf = answer.json["csrf"]

    def raw(self, method, path, body=None, headers=None, **more):
        return self.server.request(
            method, path, body, headers={"Cookie": self.cookie,
                                         **(headers or {})}, **more)

    def api(self, method, path, body=None, expect=None, headers=None):
        answer = self.raw(method, "/api/v1" + path, body, {
            "X-Bowline-CSRF": self.csrf, **JSON, **(headers or {})})
        if expect is not None:
            assert answer.status == expect, (answer.status, answer.body)
        return answer

    def alive(self):
        return self.api("GET", "/session").status == 200


def add_user(server, name, role="admin", password=PASSWORD):
    body = {"name": name, "role": role}
    if password:
        body["password"] = password
    return server.api("POST", "/users", body, token=server.admin_token,
                      expect=201).json


def try_login(server, body, headers=None):
    return server.request("POST", "/api/v1/session", json.dumps(body),
                          headers={**JSON, **(headers or {})})


def login(server, name, password=PASSWORD, headers=None):
    answer = try_login(server, {"name": name, "password": password}, headers)
    assert answer.status == 200, (answer.status, answer.body)
    return Session(server, answer)


def login_code(server, name):
    return server.api("POST", f"/users/{name}/login-code",
                      token=server.admin_token, expect=201).json["code"]


def login_by_code(server, name):
    answer = try_login(server, {"code": login_code(server, name)})
    assert answer.status == 200, (answer.status, answer.body)
    return Session(server, answer)


def routes(source):
    """(method, pattern, access) of each row of the table in router.c."""
    table = source[source.index("struct route routes[]"):]
    table = table[:table.index("\n};")]
    return re.findall(r'{"([A-Z]+)",\s*"(/[^"]*)",\s*ACCESS_([A-Z]+)', table)
