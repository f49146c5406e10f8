# SPDX-License-Identifier: Apache-2.0
"""The dashboard's files as bowlined serves them."""
import gzip
import json
import re
import subprocess

import pytest

from browser import WEB


@pytest.fixture(scope="module")
def page(shared_server):
    return shared_server.request("GET", "/")


def assets(page):
    return sorted(set(re.findall(r'"(/assets/[^"]+)"', page.body.decode())))


def test_the_page_comes_without_a_token_and_forbids_inline_script(page):
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    policy = dict(part.strip().split(" ", 1) for part in
                  page.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'", "script-src": "'self'",
        "style-src": "'self'", "img-src": "'self' data:",
        "connect-src": "'self'", "base-uri": "'none'",
        "form-action": "'none'", "frame-ancestors": "'none'"}
    assert not re.search(rb"<script(?![^>]*\bsrc=)|<style|style=|\son\w+=",
                         page.body)


def test_what_the_page_names_is_there_and_is_kept_for_good(
        shared_server, page):
    names = assets(page)
    assert {name.rsplit(".", 1)[1] for name in names} == {
        "js", "css", "svg", "txt"}
    for name in names:
        answer = shared_server.request("GET", name)
        assert answer.status == 200, name
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert int(answer.headers["Content-Length"]) == len(answer.body)


def test_nothing_is_asked_of_another_server(shared_server, page):
    for name in assets(page):
        if name.endswith((".js", ".css")):
            text = shared_server.request("GET", name).body.decode()
            found = re.findall(r"https?://[\w.-]+", text)
            assert set(found) <= {"http://www.w3.org"}, name
            assert "sourceMappingURL" not in text


def test_gzip_is_the_same_content_smaller(shared_server, page):
    total = 0
    for name in ["/", *assets(page)]:
        plain = shared_server.request("GET", name)
        small = shared_server.request(
            "GET", name, headers={"Accept-Encoding": "br, gzip"})
        assert small.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(small.body) == plain.body
        total += len(small.body)
    assert total < 120_000


def test_head_has_the_length_and_no_body(shared_server, page):
    answer = shared_server.request("HEAD", "/")
    assert answer.status == 200 and answer.body == b""
    assert int(answer.headers["Content-Length"]) == len(page.body)


def test_an_unchanged_file_is_not_sent_again(shared_server, page):
    for name in ["/", *assets(page)]:
        first = shared_server.request("GET", name)
        again = shared_server.request(
            "GET", name, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        other = shared_server.request(
            "GET", name, headers={"If-None-Match": '"other"'})
        assert other.status == 200


@pytest.mark.parametrize("path", [
    "/assets/", "/assets/nothing.js", "/assets/../main.js", "/index.html",
    "/assets/..%2f..%2fetc%2fpasswd", "/assets/%2e%2e%2f", "/..", "//",
    "/assets/%2fetc%2fpasswd", "/assets/" + "a" * 300, "/%00"])
def test_no_path_leads_out_of_the_table(shared_server, path):
    answer = shared_server.request("GET", path)
    assert answer.status in (400, 404), path
    assert b"root:" not in answer.body


def test_the_page_is_only_read(shared_server):
    assert shared_server.request("POST", "/", b"x").status == 405
    assert shared_server.request("DELETE", "/").status == 405


def test_the_lock_file_names_versions_and_no_registry():
    lock = json.loads((WEB / "package-lock.json").read_text())
    wanted = json.loads((WEB / "package.json").read_text())
    packages = {k: v for k, v in lock["packages"].items() if k}
    assert packages
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package["integrity"].startswith("sha512-"), name
    for name, version in {**wanted["dependencies"],
                          **wanted["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert lock["packages"][f"node_modules/{name}"]["version"] == version


def test_the_types_of_the_page_hold():
    run = subprocess.run(
        ["node", "node_modules/typescript/bin/tsc", "--noEmit"], cwd=WEB,
        capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout[:4000]
