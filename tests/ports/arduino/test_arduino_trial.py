# SPDX-License-Identifier: Apache-2.0
"""A new image is kept when it has shown that it works, and else not."""
import pytest

from arduino_board import RESTART, SLOTS, Refused, image, push

NEW = image("2.0.0", 9000)


@pytest.fixture
def pushed(board):
    """Slot 1 has a new image that was never started."""
    board.power_on(DEVELOPER=1).wait("ready")
    assert push(board.port, NEW) == "OK"
    assert board.end() == RESTART
    return board


def on_trial(board, health="pending", **settings):
    board.says(health)
    return board.power_on(DEVELOPER=1, HEALTH=board.health,
                          **settings).wait("boots slot 1")


def is_back(board):
    board.power_on(DEVELOPER=1).wait("boots slot 0").wait("not on trial")


def test_it_is_confirmed_when_the_checks_pass(pushed):
    on_trial(pushed).wait("asked, says p")
    assert pushed.state(1) == "pending"
    pushed.says("good")
    pushed.wait("confirmed")
    assert pushed.state(1) == "valid"
    pushed.power_off()
    pushed.power_on(DEVELOPER=1).wait("boots slot 1").wait("not on trial")


def test_before_that_each_reset_leads_back(pushed):
    on_trial(pushed).wait("asked, says p")
    pushed.power_off()
    is_back(pushed)
    assert pushed.state(1) == "aborted"


def test_a_check_that_fails_leads_back_at_once(pushed):
    on_trial(pushed, "bad").wait("returns: sensor")
    assert pushed.end() == RESTART
    assert sum("asked, says b" in line for line in pushed.lines) == 3
    assert pushed.state(1) == "invalid"
    is_back(pushed)


def test_one_bad_round_is_no_end(pushed):
    on_trial(pushed, "bad", INTERVAL=1).wait("asked, says b")
    pushed.says("good")
    pushed.wait("confirmed")
    assert pushed.state(1) == "valid"


def test_what_is_not_confirmed_in_time_goes_back(pushed):
    on_trial(pushed, DEADLINE=1).wait("returns: not confirmed in time")
    assert pushed.end() == RESTART
    is_back(pushed)


def test_a_sketch_that_hangs_goes_back(pushed):
    on_trial(pushed, HANG=1, DEADLINE=1)
    assert pushed.end() == RESTART
    is_back(pushed)
    assert pushed.state(1) == "aborted"


def test_a_sketch_gives_itself_up(pushed):
    on_trial(pushed, GIVE_UP=1).wait("returns: by its own word")
    assert pushed.end() == RESTART
    is_back(pushed)


def test_without_a_check_the_network_confirms(pushed):
    pushed.wifi_down.touch()
    pushed.power_on(DEVELOPER=1).wait("on trial")
    assert not pushed.said("confirmed")
    assert pushed.state(1) == "pending"
    pushed.wifi_down.unlink()
    pushed.wait("confirmed")
    assert pushed.state(1) == "valid"


def test_nothing_is_pushed_over_what_a_trial_goes_back_to(pushed):
    before = pushed.get(SLOTS[0], 0x40000)
    on_trial(pushed).wait("ready")
    with pytest.raises(Refused, match="On Trial"):
        push(pushed.port, image("3.0.0"))
    pushed.wait("error 1")
    assert pushed.get(SLOTS[0], 0x40000) == before
    pushed.says("good")
    pushed.wait("confirmed")
    assert push(pushed.port, image("3.0.0")) == "OK"


def test_with_nothing_to_go_back_to_it_stays(pushed):
    pushed.put(SLOTS[0], bytes(4096))
    on_trial(pushed, "bad").wait("there is no other image to go back to")
    assert pushed.process.poll() is None


def test_a_first_image_is_not_on_trial(board):
    board.power_on(DEVELOPER=1).wait("ready").wait("not on trial")
    assert board.states() == ["valid", None]
