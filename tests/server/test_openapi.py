# SPDX-License-Identifier: Apache-2.0
"""The description of the API is true: every path and method is there, every
real answer has the documented form, and nothing is there that it omits."""
import json
import re
import secrets
from pathlib import Path

import jsonschema
import pytest
from operators import JSON, PASSWORD, login as sign_in, login_by_code

from events import Stream
from waiting import wait_for

ROOM = Path(__file__).parents[2] / "server"
ROUTE = re.compile(r'{"(GET|POST|PUT|PATCH|DELETE)",\s*"(/(?:api|healthz|metrics|p/)'
                   r'[^"]*)"')


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server


@pytest.fixture(scope="module")
def document(server):
    return server.request("GET", "/api/v1/openapi.json").json


def operations(document):
    return {(method.upper(), path): operation
            for path, item in document["paths"].items()
            for method, operation in item.items() if method != "parameters"}


def resolve(document, schema):
    return {**schema, "components": document["components"]}


class Checker:
    """Sends a request and holds the answer against the document."""

    def __init__(self, server, document):
        self.server, self.document = server, document
        self.operations = operations(document)
        self.seen = set()

    def __call__(self, method, template, status, body=None, query="",
                 token="", headers=None, **values):
        path = template
        for name, value in values.items():
            path = path.replace("{%s}" % name, str(value))
        answer = self.server.request(
            method, path + query, body, headers=headers,
            token=self.server.token if token == "" else token)
        operation = self.operations[method, template]
        assert answer.status == status, (method, path, answer.body)
        assert str(status) in operation["responses"], (method, template,
                                                       status)
        self.seen.add((method, template, status))
        content = operation["responses"][str(status)].get("content", {})
        if "application/json" in content:
            assert answer.headers["Content-Type"] == "application/json"
            jsonschema.validate(
                answer.json, resolve(self.document,
                                     content["application/json"]["schema"]),
                jsonschema.Draft202012Validator)
            return answer.json
        kind = (answer.headers["Content-Type"] or "").split(";")[0]
        assert status in (204, 304) or kind in content
        return answer.body


def test_it_lists_the_routes_of_the_program_and_no_others(document):
    source = (ROOM / "router.c").read_text()
    routes = {(method, path) for method, path in ROUTE.findall(source)}
    listed = {(method, re.sub(r"{\w+}", "{}", path))
              for method, path in operations(document)}
    assert routes == listed


def test_it_is_an_openapi_document(document):
    assert document == json.loads((ROOM / "openapi.json").read_text())
    assert document["openapi"].startswith("3.1")
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for (method, path), operation in operations(document).items():
        assert operation["summary"] and operation["responses"], (method, path)
        names = re.findall(r"{(\w+)}", path)
        declared = [p["name"] for p in
                    document["paths"][path].get("parameters", [])]
        assert names == declared


def check_deltas(check, new):
    path, of = "/api/v1/releases/{manifest}/deltas", {
        "manifest": new["manifest"]}
    one = check("POST", path, 202, {"from": "1.0.0"}, **of)
    check("POST", path, 400, {"from": "1.0.0", "ram": 1}, **of)
    check("POST", path, 404, {"from": "8.8.8"}, **of)
    check("POST", path, 409, {"from": new["version"]}, **of)
    wait_for(lambda: check("GET", path, 200, **of)["items"][0]["made"])
    for action in ("remake", "withdraw"):
        act = "/api/v1/deltas/{number}/" + action
        check("POST", act, 200, number=one["number"])
        check("POST", act, 404, number=0)


def check_people(server, check):
    v, admin = "/api/v1", {"token": server.admin_token}
    eve = {"name": "eve", "role": "viewer"}
    check("POST", v + "/users", 201, eve, **admin)
    check("POST", v + "/users", 409, eve, **admin)
    check("POST", v + "/users", 422, {**eve, "name": "x", "password":
                                      "password1234"}, **admin)
    check("POST", v + "/users", 403, eve)
    check("GET", v + "/users", 200, **admin)
    code = check("POST", v + "/users/{name}/login-code", 201, name="eve",
                 **admin)["code"]
    check("POST", v + "/users/{name}/login-code", 404, name="x", **admin)
    say = {"token": None, "headers": JSON}
    check("POST", v + "/session", 401, {"code": "x"}, **say)
    check("POST", v + "/session", 400, {}, **say)
    check("POST", v + "/session", 415, {}, token=None)
    login = check("POST", v + "/session", 200, {"code": code}, **say)
    check("GET", v + "/session", 200)
    check("DELETE", v + "/session", 409)
    eve = login_by_code(server, "eve")
    say = {"token": None, "headers": {"Cookie": eve.cookie,
                                      "X-Bowline-CSRF": eve.csrf}}
    check("GET", v + "/session", 200, **say)
    own = check("PATCH", v + "/users/{name}", 200, {"password": PASSWORD},
                name="eve", **say)
    assert own["csrf"] != login["csrf"]
    eve = sign_in(server, "eve")
    say["headers"] = {"Cookie": eve.cookie, "X-Bowline-CSRF": eve.csrf}
    check("DELETE", v + "/session", 204, **say)
    check("PATCH", v + "/users/{name}", 200, {"disabled": True}, name="eve",
          **admin)
    check("PATCH", v + "/users/{name}", 404, {}, name="x", **admin)
    check("DELETE", v + "/users/{name}", 204, name="eve", **admin)
    check("DELETE", v + "/users/{name}", 404, name="eve", **admin)
    ci = {"name": "ci", "role": "operator", "scopes": ["publish"]}
    made = check("POST", v + "/tokens", 201, ci, **admin)
    check("POST", v + "/tokens", 409, ci, **admin)
    check("POST", v + "/tokens", 400, {**ci, "scopes": ["all"]}, **admin)
    check("GET", v + "/tokens", 200, **admin)
    check("GET", v + "/session", 200, token=made["token"])
    check("DELETE", v + "/tokens/{id}", 204, id=made["id"], **admin)
    check("DELETE", v + "/tokens/{id}", 404, id=made["id"], **admin)


def check_engine(server, check, device):
    """A plan, four eyes, another try, the way back."""
    v, admin = "/api/v1", server.admin_token
    server.put_payload(b"fourth")
    check("POST", v + "/releases", 201,
          server.envelope(4, "1.3.0", b"fourth"))
    plan = {"product": "thermostat", "version": "1.3.0",
            "strategy": "immediate", "target": {"query": "tag = lab"}}
    check("POST", v + "/rollouts/preview", 200, plan)
    check("POST", v + "/rollouts/preview", 400, {**plan, "stages": "x"})
    check("PATCH", v + "/settings", 200, {"four_eyes": True}, token=admin)
    first = check("POST", v + "/rollouts", 201, plan)
    assert first["state"] == "approval"
    check("GET", v + "/rollouts/{id}/plan", 200, id=first["id"])
    check("PATCH", v + "/rollouts/{id}", 200,
          {"name": "by night", "windows": [{"from": "01:00", "to": "04:00"}]},
          id=first["id"])
    check("PATCH", v + "/rollouts/{id}", 409, {"target": {}}, id=first["id"])
    check("PATCH", v + "/rollouts/{id}", 400, {"priority": 900},
          id=first["id"])
    check("POST", v + "/rollouts/{id}/approve", 403, id=first["id"])
    check("POST", v + "/rollouts/{id}/deny", 200, {"note": "not on a Friday"},
          id=first["id"], token=admin)
    second = check("POST", v + "/rollouts", 201, plan)
    check("POST", v + "/rollouts/{id}/approve", 200, {"note": "well"},
          id=second["id"], token=admin)
    check("PATCH", v + "/settings", 200, {"four_eyes": False}, token=admin)
    device.poll()
    check("GET", v + "/devices/{id}", 200, id=device.id)
    check("POST", v + "/rollouts/{id}/advance", 409, id=second["id"])
    check("POST", v + "/rollouts/{id}/pause", 200, id=second["id"],
          query="?preview=1")
    check("POST", v + "/rollouts/{id}/retry", 200, id=second["id"])
    device.run({"manifest": second["manifest"], "version": "1.3.0",
                "sequence": 4, "content": b"fourth"}, confirmed=False)
    device.poll()
    check("GET", v + "/devices/{id}", 200, id=device.id)
    check("GET", v + "/rollouts/{id}/return", 200, id=second["id"])
    check("POST", v + "/rollouts/{id}/return", 200, id=second["id"])
    check("POST", v + "/rollouts/{id}/return", 400, {"permits": 1},
          id=second["id"])
    check("GET", v + "/rollouts", 200)
    check("GET", v + "/codes", 200)
    check("GET", v + "/fleet", 200)
    check("GET", v + "/fleet/history", 200, query="?product=thermostat")
    check("GET", v + "/fleet/history", 400, query="?from=x")
    check("GET", v + "/fleet/history", 404, query="?product=none")


def check_unmanaged(server, check):
    v, admin, at = "/api/v1", {"token": server.admin_token}, {
        "product": "thermostat", "channel": "stable"}
    path = "/p/{product}/{channel}/firmware.bin"
    check("GET", path, 404, **at)
    product = {"name": "thermostat"}
    check("PATCH", v + "/products/{name}", 200, {"unmanaged": True},
          **product, **admin)
    check("PATCH", v + "/products/{name}", 400, {"unmanaged": 1}, **product,
          **admin)
    check("PATCH", v + "/products/{name}", 404, {"unmanaged": True},
          name="none", **admin)
    check("PATCH", v + "/products/{name}", 403, {"unmanaged": True},
          **product)
    check("GET", path, 200, query="?device=one", **at)
    check("GET", path, 304, query="?device=one", **at)  # sent just now
    check("GET", path, 206, headers={"Range": "bytes=0-1"}, **at)
    check("GET", path, 400, query="?device=", **at)
    check("GET", path, 409, query="?chip=esp32", **at)
    check("GET", path, 416, headers={"Range": "bytes=99999999-"}, **at)
    row = check("GET", v + "/unmanaged", 200)["items"][0]
    assert row["name"] == "device:one" and row["got"]["version"]
    check("GET", v + "/unmanaged", 404, query="?product=none")
    check("GET", v + "/unmanaged", 400, query="?limit=0")
    check("DELETE", v + "/unmanaged/{number}", 204, number=row["number"])
    check("DELETE", v + "/unmanaged/{number}", 404, number=row["number"])


def check_devices(check, device, rollout):
    v = "/api/v1"
    many = {"product": "thermostat", "devices": [{"name": "a"}, {}]}
    check("POST", v + "/devices/bulk", 201, many)
    check("POST", v + "/devices/bulk", 409, many)
    check("POST", v + "/devices/bulk", 400, {**many, "devices": []})
    check("PATCH", v + "/devices/{id}", 200,
          {"name": "b", "tags": ["lab"], "channel": "beta"}, id=device.id)
    check("PATCH", v + "/devices/{id}", 409, {"name": "a"}, id=device.id)
    check("PATCH", v + "/devices/{id}", 400, {"channel": "B!"}, id=device.id)
    check("PATCH", v + "/devices/{id}", 200, {"channel": ""}, id=device.id)
    check("GET", v + "/devices/{id}/timeline", 200, id=device.id)
    check("GET", v + "/devices/{id}/why", 200, id=device.id)
    check("GET", v + "/devices/{id}/bucket", 200, id=device.id,
          query=f"?rollout={rollout}")
    check("GET", v + "/devices/{id}/bucket", 404, id=device.id,
          query="?rollout=99")
    check("GET", v + "/devices", 200, query="?sort=-name&query=tag%3Dlab")
    check("GET", v + "/devices", 400, query="?query=tag%3D")
    check("GET", v + "/devices", 400, query="?sort=taste")
    check("GET", v + "/devices", 200, query="?attention=1")
    check("GET", v + "/devices", 200,
          query=f"?rollout={rollout}&outcome=silent")


def check_releases(check, release):
    v, of = "/api/v1", {"manifest": release["manifest"]}
    check("POST", v + "/releases/{manifest}/promote", 409, {"to": "beta"},
          **of)
    check("PATCH", v + "/releases/{manifest}", 200,
          {"channels": ["dev"], "notes": "first", "security": True}, **of)
    check("PATCH", v + "/releases/{manifest}", 400, {"channels": ["X"]}, **of)
    said = check("POST", v + "/releases/{manifest}/promote", 200,
                 {"to": "beta"}, **of)
    assert said["channels"] == ["dev", "beta"]
    check("PATCH", v + "/releases/{manifest}", 200,
          {"channels": [], "security": False}, **of)
    check("GET", v + "/releases/{manifest}/manifest", 200, **of)
    check("GET", v + "/releases/{manifest}/sbom", 404, **of)
    check("PUT", v + "/releases/{manifest}/sbom", 200,
          {"bomFormat": "CycloneDX"}, **of)
    assert check("GET", v + "/releases/{manifest}/sbom", 200, **of) == {
        "bomFormat": "CycloneDX"}


def test_every_operation_answers_as_it_says(server, document):
    check = Checker(server, document)
    v = "/api/v1"
    check("GET", "/healthz", 200, token=None)
    check("GET", "/metrics", 200, token=None)
    check("GET", v + "/openapi.json", 200, token=None)
    check("GET", v + "/server", 200)
    check("GET", v + "/roots", 200)
    check("GET", v + "/roots/{version}", 200, version=1)
    check("GET", v + "/roots/{version}", 404, version=9)
    check("POST", v + "/roots", 422, b"x")
    check("POST", v + "/roots", 201, server.make_root(2))
    lamp = {"name": "lamp", "vendor_domain": "example.com"}
    check("POST", v + "/products", 201, lamp)
    check("POST", v + "/products", 200, lamp)
    check("POST", v + "/products", 409, {**lamp, "vendor_domain": "x.org"})
    check("POST", v + "/products", 400, {})
    check("POST", v + "/products", 403, lamp, token=server.viewer_token)
    check("POST", v + "/products", 413, b"x" * 70000)
    check("GET", v + "/products", 200)
    check("GET", v + "/products", 400, query="?limit=0")
    check("GET", v + "/products/{name}", 200, name="lamp")
    check("GET", v + "/products/{name}", 404, name="none")
    old, new = server.publish(1, "1.0.0"), server.publish(2, "1.1.0")
    payload = new["payloads"][0]["sha256"]
    check("PUT", v + "/payloads/{sha256}", 200, new["content"],
          sha256=payload)
    check("PUT", v + "/payloads/{sha256}", 422, b"x", sha256=payload)
    check("PUT", v + "/payloads/{sha256}", 400, b"x", sha256="x")
    check("GET", v + "/payloads/{sha256}", 200, sha256=payload)
    check("GET", v + "/payloads/{sha256}", 404, sha256="0" * 64)
    envelope = (server.folder / "release-2").read_bytes()
    check("POST", v + "/releases", 200, envelope)
    check("POST", v + "/releases", 422, envelope[:-1])
    check("GET", v + "/releases", 200, query="?limit=1")
    check("GET", v + "/releases/{manifest}", 200, manifest=new["manifest"])
    check("GET", v + "/releases/{manifest}", 404, manifest="0" * 64)
    check("GET", v + "/releases/{manifest}/envelope", 200,
          manifest=new["manifest"])
    server.put_payload(b"third")
    check("POST", v + "/releases", 201, server.envelope(3, "1.2.0", b"third"))
    identity = secrets.token_hex(16)
    wanted = {"id": identity, "product": "thermostat", "tags": ["lab"]}
    token = check("POST", v + "/devices", 201, wanted)["token"]
    check("POST", v + "/devices", 409, wanted)
    check("POST", v + "/devices", 404, {**wanted, "product": "none"})
    check("POST", v + "/devices", 400, {**wanted, "id": "x"})
    check("GET", v + "/devices/{id}", 200, id=identity)  # never seen
    rollout = check("POST", v + "/rollouts", 201, {
        "product": "thermostat", "version": "1.1.0", "stages": [1, 100]})
    device = server.register()
    device.token, device.id = token, identity
    device.run(old, slot=0)
    device.poll()
    device.event(10, 61, 2, 3)
    device.poll(k6=3, k13=[5, 50])
    check("GET", v + "/devices", 200, query="?q=lab&state=downloading")
    check("GET", v + "/devices/{id}", 200, id=identity)
    check("GET", v + "/devices/{id}", 404, id="0" * 32)
    check("GET", v + "/devices/{id}/events", 200, id=identity)
    check("GET", v + "/rollouts", 200, query="?state=running")
    check("POST", v + "/rollouts", 409, {
        "product": "thermostat", "version": "1.1.0", "stages": [100]})
    check("POST", v + "/rollouts", 400, {
        "product": "thermostat", "version": "1.1.0", "stages": [10, 1]})
    check("POST", v + "/rollouts", 404, {
        "product": "thermostat", "version": "9", "stages": [1]})
    check("GET", v + "/rollouts/{id}", 200, id=rollout["id"])
    check("GET", v + "/rollouts/{id}", 404, id=99)
    check("GET", v + "/rollouts/{id}/devices", 200, id=rollout["id"])
    check("GET", v + "/rollouts/{id}/devices", 200, id=rollout["id"],
          query="?outcome=confirmed")
    check("GET", v + "/rollouts/{id}/devices", 400, id=rollout["id"],
          query="?outcome=lost")
    check("GET", v + "/rollouts/{id}/devices", 404, id=99)
    for action, status in (("pause", 200), ("pause", 409), ("resume", 200),
                           ("resume", 409), ("advance", 200),
                           ("advance", 409), ("abort", 200), ("abort", 409)):
        body = {"force": True} if action == "advance" else None
        check("POST", v + "/rollouts/{id}/" + action, status, body,
              id=rollout["id"])
    permit = server.permit(old["manifest"])
    back = {"version": "1.0.0", "permit": permit}
    check("POST", v + "/devices/{id}/rollback", 202, back, id=identity)
    check("GET", v + "/devices/{id}", 200, id=identity)
    check("POST", v + "/devices/{id}/rollback", 422,
          {**back, "permit": server.permit(old["manifest"], "0" * 32)},
          id=identity)
    check("POST", v + "/devices/{id}/rollback", 409,
          {**back, "version": "1.1.0"}, id=identity)
    check("POST", v + "/products/{name}/rollback", 202, back,
          name="thermostat")
    check("POST", v + "/products/{name}/rollback", 400, {"version": "1.0.0"},
          name="thermostat")
    other = server.register(tags=["lab"])
    other.run(old, slot=0)
    other.poll()
    check_devices(check, other, rollout["id"])
    check_releases(check, new)
    check_unmanaged(server, check)
    check_deltas(check, new)
    check_engine(server, check, other)
    check("GET", v + "/audit", 200)
    for path in ("/export/devices", "/export/audit"):
        check("GET", v + path, 200, query="?format=csv")
        check("GET", v + path, 400, query="?format=xls")
    check("GET", v + "/export/rollouts/{id}", 200, id=rollout["id"])
    check("GET", v + "/export/rollouts/{id}", 404, id=999)
    hook = check("POST", v + "/webhooks", 201,
                 {"url": "https://hooks.invalid/"}, token=server.admin_token)
    for method, path, status, body in (
            ("GET", "", 200, None), ("POST", "", 400, {}),
            ("POST", "", 422, {"url": "http://hooks.invalid/"}),
            ("GET", "/{id}", 200, None), ("GET", "/{id}/deliveries", 200,
                                          None),
            ("PATCH", "/{id}", 200, {"events": ["rollout.*"]}),
            ("POST", "/{id}/test", 202, {}), ("DELETE", "/{id}", 204, None),
            ("GET", "/{id}", 404, None)):
        check(method, v + "/webhooks" + path, status, body, id=hook["id"],
              token=server.admin_token)
    with Stream(server) as stream:  # it has no end
        check.seen.add(("GET", v + "/stream", stream.status))
    admin = server.admin_token
    check("GET", v + "/audit/verify", 200)
    check("GET", v + "/audit/export", 200)
    check("GET", v + "/audit/export", 400, query="?format=x")
    check("GET", v + "/settings", 200)
    check("PATCH", v + "/settings", 200, {"four_eyes": False}, token=admin)
    check("PATCH", v + "/settings", 400, {"four": 1}, token=admin)
    check("PATCH", v + "/settings", 403, {"four_eyes": True})
    check_people(server, check)
    check("DELETE", v + "/devices/{id}", 204, id=identity)
    check("DELETE", v + "/devices/{id}", 404, id=identity)
    for method, path in check.operations:
        if not check.operations[method, path].get("security") == []:
            check(method, path, 401, token="wrong")
    good = {(m, p) for m, p, status in check.seen if status < 300}
    assert good == set(check.operations)
