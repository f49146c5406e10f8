# SPDX-License-Identifier: Apache-2.0
"""The verb: exit codes and counts. The vectors themselves: tests/vectors."""
import json

from .conftest import TOP

VECTORS = TOP / "tests" / "vectors"


def test_published_vectors_come_out_as_published(tool):
    files = sorted(VECTORS.glob("*/*.json"))
    assert len(files) >= 5
    result = tool.good("conformance", *files, "--json").json
    assert result["differs"] == 0 and result["same"] > 400


def test_a_vector_that_differs_is_exit_1(tool):
    path = next(p for p in sorted(VECTORS.glob("wycheproof/*.json"))
                if "ed25519" in p.name or "p256" in p.name
                or "secp256r1" in p.name)
    text = path.read_text()
    body = json.loads(text)
    test = next(t for g in body["testGroups"] for t in g["tests"]
                if t["result"] == "valid")
    test["result"] = "invalid"
    (tool.folder / "wrong.json").write_text(json.dumps(body))
    result = tool("conformance", "wrong.json", "--json")
    assert result.code == 1 and result.json["differs"] == 1
    assert tool("conformance", "wrong.json").code == 1


def test_what_is_no_vector_file(tool):
    (tool.folder / "x.json").write_text("{\"a\": 1}")
    assert "x.json" in tool.refused(3, "conformance", "x.json")
    (tool.folder / "y.json").write_text("no json")
    assert "y.json" in tool.refused(3, "conformance", "y.json")
