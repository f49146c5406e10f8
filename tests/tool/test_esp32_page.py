# SPDX-License-Identifier: Apache-2.0
"""docs/ESP32.md names only what there is: verbs, options, headings."""
import re
import shlex

import pytest

from .conftest import TOP

PAGE = (TOP / "docs/ESP32.md").read_text()
# Commands stand in indented lines, with or without a prompt.
COMMANDS = [line.split("#")[0].strip() for line in
            re.findall(r"^ {4,}(?:\$ )?(bowline [a-z].*)$", PAGE, re.M)]


def slug(heading):
    text = re.sub(r"[^\w\- ]", "", heading.lower())
    return text.replace(" ", "-")


def test_the_page_has_commands():
    assert len(COMMANDS) > 10


@pytest.fixture(scope="module")
def verbs(tmp_path_factory):
    from .conftest import Tool
    tool = Tool(tmp_path_factory.mktemp("page"))
    names = [v["verb"] for v in tool.good("help", "--json").json["verbs"]]

    def of(words):
        for n in (2, 1):
            name = " ".join(words[:n])
            if name in names:
                found = tool.good("help", *words[:n], "--json").json
                return {o["name"] for o in found["options"]}
        raise AssertionError(f"no verb: bowline {' '.join(words[:2])}")
    return of


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_is_one(verbs, command):
    words = shlex.split(command, comments=True)[1:]
    options = verbs(words)
    for word in words:
        if word.startswith("--"):
            assert word[2:].split("=")[0] in options, word


@pytest.mark.parametrize("anchor", sorted(set(re.findall(r"\]\(#([^)]+)\)",
                                                         PAGE))))
def test_a_link_within_the_page_leads_somewhere(anchor):
    headings = re.findall(r"^#+ (.*)$", PAGE, re.M)
    assert anchor in map(slug, headings)


@pytest.mark.parametrize("path", sorted(set(
    re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", PAGE))))
def test_a_link_to_another_page_leads_somewhere(path):
    assert (TOP / "docs" / path).exists()
