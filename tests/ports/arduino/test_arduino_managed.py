# SPDX-License-Identifier: Apache-2.0
"""A sketch starts the managed client. The client here is a stand-in: what it
does with a server is tested in tests/ports/esp_idf."""
import time

import pytest

from arduino_board import RESTART, SLOTS, image


@pytest.fixture
def board(make_board):
    board = make_board("arduino-managed")
    board.put(SLOTS[1], image("2.0.0"))
    board.record(0, 1, "valid")
    board.record(1, 2, "new")
    board.says("pending")
    return board


def start(board, **settings):
    return board.power_on(**{"VERSION": "2.0.0", "HEALTH": board.health}
                          | settings).wait("boots slot 1")


def test_the_boot_is_counted_before_the_sketch_begins(board):
    start(board).wait("managed")
    assert board.lines.index("[component] early hook") \
        < board.lines.index("setup")
    assert not board.said("the core judges")


def test_the_client_gets_each_setting(board):
    start(board).wait("managed")
    assert board.said("server=https://localhost:8443 pem=PEM token=TOKEN "
                      "vendor=example.com product=bench version=2.0.0 "
                      "hardware=2 root=3 id=aa55")


def test_it_is_confirmed_when_the_sketchs_checks_pass(board):
    start(board).wait("check sketch")
    time.sleep(0.3)
    assert board.state(1) == "pending"
    board.says("good")
    board.wait("health 1").wait("confirmed")
    assert board.state(1) == "valid"


def test_a_failed_check_is_told(board):
    board.says("bad")
    start(board).wait("health 2")
    assert board.state(1) == "pending"


def test_the_word_of_a_loop_that_hangs_grows_stale(board):
    board.says("bad")
    start(board, HANG=1).wait("health 2").wait("health 0")
    assert board.state(1) == "pending"


def test_the_sketch_gives_itself_up(board):
    start(board, GIVE_UP=1).wait("rejected")
    assert board.end() == RESTART
    assert board.state(1) == "invalid"


def test_without_a_version_it_is_not_started_and_not_confirmed(board):
    board.says("good")
    start(board, VERSION="").wait("not managed")
    assert board.said("version is missing")
    time.sleep(0.3)
    assert board.state(1) == "pending"


def test_pushes_and_a_server_exclude_each_other(board):
    start(board).wait("no pushes")
    assert board.said("gets its releases from a server")
    board.power_off()
    board.record(1, 2, "new")
    start(board, PUSHES_FIRST=1).wait("not managed")
    assert board.said("one or the other")
