# SPDX-License-Identifier: Apache-2.0
"""The Arduino core confirms each new image before setup(). With the library
it does not, however the two are linked."""
import pytest

from arduino_board import SLOTS, image

LINKED = ["arduino-hook-objects", "arduino-hook-core-first",
          "arduino-hook-core-last"]


def started_new(board):
    """A new image in slot 1, and its first start."""
    board.put(SLOTS[1], image("2.0.0"))
    board.record(0, 1, "valid")
    board.record(1, 2, "new")
    return board.power_on().wait("boots slot 1").wait("ready")


def test_the_core_alone_confirms_what_has_done_nothing(make_board):
    board = started_new(make_board("arduino-bare"))
    assert board.said("the core judges the new image by itself")
    assert board.state(1) == "valid"


@pytest.mark.parametrize("program", LINKED)
def test_with_the_library_it_stays_pending(make_board, program):
    board = started_new(make_board(program))
    assert not board.said("the core judges")
    assert board.state(1) == "pending"


@pytest.mark.parametrize("program", LINKED)
def test_and_the_bootloader_goes_back_at_the_next_reset(make_board, program):
    board = started_new(make_board(program))
    board.power_off()
    board.power_on().wait("boots slot 0")
    assert board.states() == ["valid", "aborted"]


def test_a_new_image_that_uses_it_is_confirmed_by_it_alone(make_board):
    board = make_board("arduino-sketch")
    board.says("pending")
    board.put(SLOTS[1], image("2.0.0"))
    board.record(0, 1, "valid")
    board.record(1, 2, "new")
    board.power_on(DEVELOPER=1, HEALTH=board.health).wait("asked, says p")
    assert board.state(1) == "pending"
    board.says("good")
    board.wait("confirmed")
    assert not board.said("the core judges")
    assert board.state(1) == "valid"
