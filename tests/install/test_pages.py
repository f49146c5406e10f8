# SPDX-License-Identifier: Apache-2.0
"""Man pages and completions of the programs that are not `bowline`: true to
what the programs say of themselves."""
import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PACKAGING = TOP / "packaging"
PAGES = {"bowlined": "bowlined.8", "bowline-sim": "bowline-sim.1",
         "bowline-device": "bowline-device.1"}
VERBS = {"bowlined": ["backup", "restore"], "bowline-sim": [],
         "bowline-device": ["provision", "run", "show", "cut", "set",
                            "consent"]}
ALL = [(p, v) for p, verbs in VERBS.items() for v in ["", *verbs]]


def programs():
    return Path(os.environ.get("BOWLINE_BIN", TOP / "bin")).resolve()


def usage(program, verb=""):
    run = subprocess.run(
        [programs() / program, *([verb] if verb else []), "--help"],
        capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout


def options(text):
    return set(re.findall(r"--[a-z][a-z-]+", text))


def offered(program, *words):
    """What bash offers for the last of `words`."""
    script = """
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        f=$(complete -p "${0##*/}" | sed 's/.*-F \\([a-z_]*\\).*/\\1/')
        "$f" "$1"
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    run = subprocess.run(
        ["bash", "-u", "-c", script, program,
         PACKAGING / "completion" / f"{program}.bash", program, *words],
        env={"PATH": f"{programs()}:/usr/bin:/bin"}, capture_output=True,
        text=True, timeout=60)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    return set(run.stdout.split())


@pytest.mark.parametrize("program", PAGES)
def test_man_page_is_clean_and_names_each_option_and_verb(program):
    path = PACKAGING / "man" / PAGES[program]
    run = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path],
                         capture_output=True, text=True)
    assert run.stdout + run.stderr == ""
    text = path.read_text()
    for verb in VERBS[program]:
        assert re.search(rf"^\.(It )?Cm (.* )?{verb}\b", text, re.M), verb
    said = "".join(usage(program, verb) for verb in ["", *VERBS[program]])
    named = set(re.findall(r"(?:Fl |, |\| |^)-(-?[a-z][a-z-]*)", text, re.M))
    named = {name.lstrip("-") for name in named}
    assert {o.lstrip("-") for o in options(said)} - named == set()


def test_man_page_names_each_key_of_the_configuration():
    conf = (PACKAGING / "bowlined.conf").read_text()
    keys = set(re.findall(r"^#?\s?([a-z_]+) = ", conf, re.M))
    assert len(keys) > 20
    page = (PACKAGING / "man/bowlined.8").read_text()
    assert {k for k in keys if not re.search(rf"\b{k}\b", page)} == set()


@pytest.mark.parametrize("program, verb", ALL)
def test_bash_offers_each_option(program, verb):
    wanted = options(usage(program, verb))
    assert wanted
    words = [verb, "--"] if verb else ["--"]
    assert offered(program, *words) == wanted
    one = sorted(wanted)[0]
    assert one in offered(program, *words[:-1], one[:4])


@pytest.mark.parametrize("program", VERBS)
def test_both_shells_offer_each_verb(program):
    assert offered(program, "") == set(VERBS[program])
    said = usage(program)
    zsh = (PACKAGING / "completion" / f"_{program}").read_text()
    assert zsh.startswith(f"#compdef {program}\n")
    for verb in VERBS[program]:
        assert re.search(rf"\b{verb}\b", said)
        assert re.search(rf"compadd -- .*\b{verb}\b", zsh)
