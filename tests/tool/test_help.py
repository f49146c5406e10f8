# SPDX-License-Identifier: Apache-2.0
"""Help, man pages and completions come from one table, and hold."""
import os
import re
import shutil
import subprocess

import pytest

from .conftest import TOP, programs


def all_verbs():
    run = subprocess.run([programs() / "bowline", "help"],
                         capture_output=True, text=True, check=True)
    part = run.stdout.split("\n\n")[2]
    return [re.split(r"  +", line.strip())[0] for line in part.splitlines()]


VERBS = all_verbs()


def test_there_are_verbs():
    assert len(VERBS) >= 30 and "rollout start" in VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_help(tool, verb):
    out = tool.good(*verb.split(), "--help").out
    assert out.startswith(f"bowline {verb}: ")
    for part in ("Usage: bowline ", "Options:", "--json", "Exit codes:"):
        assert part in out
    assert max(map(len, out.splitlines())) <= 110
    assert tool.good("help", *verb.split()).out == out


@pytest.mark.parametrize("verb", VERBS)
def test_man_page_is_clean(tool, verb):
    page = tool.good("help", *verb.split(), "--man").out
    check_page(tool, page)
    assert f".Nm bowline-{verb.replace(' ', '-')}\n" in page


def check_page(tool, page):
    assert shutil.which("mandoc"), "mandoc is in packages.txt"
    path = tool.folder / "page.1"
    path.write_text(page)
    run = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path],
                         capture_output=True, text=True)
    assert run.stdout + run.stderr == ""
    run = subprocess.run(["mandoc", "-T", "utf8", path],
                         capture_output=True, text=True, check=True)
    # Bold is written as a letter over itself.
    assert "EXIT STATUS" in re.sub(".\b", "", run.stdout)


def test_choices_read_as_a_sentence(tool):
    page = tool.good("help", "rollout", "status", "--man").out
    assert "\nWhen to use colors; one of auto, always, never.\n" in page
    assert "cannot come; one of finished, settled," in page


def test_the_programs_own_page_is_clean(tool):
    page = tool.good("help", "--man").out
    check_page(tool, page)
    for verb in VERBS:
        assert f".It Cm {verb}\n" in page


def test_all_pages_are_written(tool):
    tool.good("help", "--man-folder", "man")
    names = {p.name for p in (tool.folder / "man").iterdir()}
    assert names == {"bowline.1"} | {f"bowline-{v.replace(' ', '-')}.1"
                                     for v in VERBS}


def test_the_reference_is_up_to_date(tool):
    assert (TOP / "docs/CLI.md").read_text() == \
        tool.good("help", "--markdown").out, \
        "write it anew: bowline help --markdown > docs/CLI.md"


def test_the_page_of_codes_is_up_to_date(tool):
    assert (TOP / "docs/CODES.md").read_text() == \
        tool.good("status-codes", "--markdown").out, \
        "write it anew: bowline status-codes --markdown > docs/CODES.md"
    tool.refused(2, "status-codes", "--markdown", "--json")


def test_unknown_verbs_and_groups(tool):
    assert "no verb" in tool("frobnicate").err
    assert tool("frobnicate").code == 2
    group = tool("rollout")
    assert group.code == 2 and group.out == ""
    assert group.err.startswith("bowline: say which verb")
    assert "rollout start" in group.err
    assert tool.good("rollout", "--help").out in group.err
    assert tool().code == 2 and tool().out == ""
    assert "Usage" in tool.good("--help").out


@pytest.mark.parametrize("words, meant", [
    (["rolout", "start"], '"rollout"'),
    (["rollout", "strat"], '"rollout start"'),
    (["help", "rollout", "strat"], '"rollout start"'),
    (["help", "relaese"], '"release"'),
    (["rollout", "status", "--wtch"], "--watch"),
])
def test_a_mistyped_word_is_guessed(tool, words, meant):
    said = tool(*words)
    assert said.code == 2 and said.out == ""
    assert f"did you mean {meant}?" in said.err
    assert words[-1] in said.err or words[0] in said.err


def test_nothing_is_guessed_from_afar(tool):
    for words in (["frob"], ["rollout", "zzzz"], ["release", "--zzzz"],
                  ["x" * 5000]):
        assert "did you mean" not in tool(*words).err
    assert '"publish start", but "publish"' in \
        tool.refused(2, "help", "publish", "start")
    assert "no verb \"release zzzz\"" in \
        tool.refused(2, "help", "release", "zzzz")


@pytest.mark.parametrize("words", [
    ["frob"], ["rollout", "strat"], ["rollout"], [], ["help", "frob"],
    ["completion", "bash"], ["help", "--man"], ["rollout", "--zzz"],
    ["device", "show"]])
def test_json_is_one_object_also_when_it_failed(tool, words):
    said = tool(*words, "--json")
    assert said.code == 2
    assert said.json["error"]["exit"] == 2
    assert said.json["error"]["message"] in said.err


def test_help_as_json(tool):
    verbs = tool.good("help", "--json").json["verbs"]
    assert [v["verb"] for v in verbs] == VERBS
    assert tool.good("--help", "--json").json["verbs"] == verbs
    group = tool.good("rollout", "--help", "--json").json["verbs"]
    assert group == [v for v in verbs if v["verb"].startswith("rollout ")]
    one = tool.good("rollout", "status", "--help", "--json").json
    assert one == tool.good("help", "rollout", "status", "--json").json
    assert "watch" in {o["name"] for o in one["options"]}
    assert one["exits"] == [0, 1, 2, 3, 4, 5, 6, 7]


def test_a_reader_that_leaves_is_no_error(tool):
    """The pipe is closed before anything is written to it."""
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run([programs() / "bowline", "help", "--markdown"],
                         stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert run.returncode == 0 and run.stderr == ""
    with open("/dev/full", "w") as full:
        run = subprocess.run([programs() / "bowline", "help", "--markdown"],
                             stdout=full, stderr=subprocess.PIPE, text=True)
    assert run.returncode == 7 and "could not be written" in run.stderr


def complete(tool, line):
    """What bash offers behind `line`."""
    (tool.folder / "c.bash").write_text(
        tool.good("completion", "bash").out)
    script = f"""
        source c.bash
        COMP_WORDS=({line})
        [ "${{LINE: -1}}" = " " ] && COMP_WORDS+=("")
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _bowline
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    run = subprocess.run(["bash", "-u", "-c", script], cwd=tool.folder,
                         env={"LINE": line, "PATH": "/usr/bin:/bin"},
                         capture_output=True, text=True)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    return set(run.stdout.split())


def test_bash_completes_verbs(tool):
    assert complete(tool, "bowline ro") == {"root", "rollout", "rollback"}
    assert complete(tool, "bowline ") == {v.split()[0] for v in VERBS}
    assert complete(tool, "bowline rollout ab") == {"abort"}
    assert complete(tool, "bowline --") == {"--help", "--version"}
    assert complete(tool, "bowline help ro") == {"root", "rollout",
                                                 "rollback"}
    assert complete(tool, "bowline help rollout a") == {
        "abort", "advance", "apply", "approve"}
    assert complete(tool, "bowline help --man-") == {"--man-folder"}
    assert complete(tool, "bowline help release ") == set()


def test_bash_completes_options_values_and_files(tool):
    (tool.folder / "fw.bin").touch()
    assert complete(tool, "bowline release --min") == {"--min-version"}
    assert "hss" in complete(tool, "bowline key new --kind ")
    assert "finished" in complete(tool, "bowline rollout status --wait ")
    assert complete(tool, "bowline release fw") == {"fw.bin"}
    assert complete(tool, "bowline completion ") == {"bash", "zsh"}


def test_zsh_completion_is_well_formed(tool):
    out = tool.good("completion", "zsh").out
    assert out.startswith("#compdef bowline\n")
    for verb in VERBS:
        assert f'    "{verb}")' in out
    zsh = shutil.which("zsh")
    if zsh is None:
        # No zsh here: at least quotes and brackets must pair.
        for line in out.splitlines():
            assert line.replace("'\\''", "").count("'") % 2 == 0, line
        return
    (tool.folder / "_bowline").write_text(out)
    subprocess.run([zsh, "-n", "_bowline"], cwd=tool.folder, check=True)
