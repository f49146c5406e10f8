# SPDX-License-Identifier: Apache-2.0
"""Pushes to the Arduino library, by the protocol that espota.py speaks."""
import pytest

from arduino_board import RESTART, SLOTS, Refused, Sender, free_port, image, md5, push

NEW = image("2.0.0", 20000)
BENCH = {"DEVELOPER": 1}


def untouched(board):
    """The image that runs is what starts next time, too."""
    assert board.states() == ["valid", None]
    board.power_off()
    board.power_on(**BENCH).wait("boots slot 0").wait("ready")


@pytest.mark.parametrize("settings", [
    {}, {"PASSWORD": "s3cret pw"}, {"PASSWORD": "s3cret pw", "STRONG": 1},
    {"HASH": md5(b"s3cret pw")}], ids=["open", "md5", "pbkdf2", "hash"])
def test_a_push_is_installed_and_starts_on_trial(board, settings):
    board.power_on(**BENCH, **settings).wait("ready")
    assert push(board.port, NEW, "s3cret pw") == "OK"
    assert board.end() == RESTART
    assert board.said("start sketch")
    assert board.said("progress 0 of")
    assert board.said(f"progress {len(NEW)} of {len(NEW)}")
    assert board.said("end")
    assert board.get(SLOTS[1], len(NEW)) == NEW
    assert board.state(1) == "new"
    board.says("pending")
    board.power_on(**BENCH, HEALTH=board.health).wait("boots slot 1")
    board.wait("] a new image, on trial").wait("asked, says p")
    assert board.state(1) == "pending"


def test_without_restart_it_listens_on(board):
    board.power_on(**BENCH, NO_RESTART=1).wait("ready")
    for version in "2.0.0", "3.0.0":
        data = image(version, 9000)
        assert push(board.port, data) == "OK"
        board.wait("end")
        assert board.get(SLOTS[1], len(data)) == data
    assert board.process.poll() is None


def test_a_wrong_password_is_refused_and_told(board):
    board.power_on(**BENCH, PASSWORD="right").wait("ready")
    with pytest.raises(Refused, match="Authentication Failed"):
        push(board.port, NEW, "wrong")
    board.wait("error 0")
    assert not board.said("start")
    untouched(board)


def test_an_answer_cannot_be_played_again(board):
    board.power_on(**BENCH, PASSWORD="right").wait("ready")
    with Sender(board.port) as sender:
        sent = []
        ask = sender.ask
        sender.ask = lambda text: sent.append(text) or ask(text)
        sender.invite(NEW, "right")
        sender.tcp.accept()[0].close()
        board.wait("error 3")
        assert ask(sent[0]).startswith("AUTH ")
        assert ask(sent[1]) == "Authentication Failed"
    untouched(board)


def test_a_lost_connection_leaves_the_running_image(board):
    board.power_on(**BENCH).wait("ready")
    assert push(board.port, NEW, stop_at=8192) is None
    board.wait("error 3")
    untouched(board)


def test_after_a_lost_connection_the_next_push_succeeds(board):
    board.power_on(**BENCH).wait("ready")
    assert push(board.port, NEW, stop_at=8192) is None
    board.wait("error 3")
    assert push(board.port, NEW) == "OK"
    assert board.end() == RESTART


def test_power_lost_in_a_push_leaves_the_running_image(board):
    board.power_on(**BENCH).wait("ready")
    with Sender(board.port) as sender:
        sender.invite(NEW)
        connection, _ = sender.tcp.accept()
        connection.sendall(NEW[:8192])
        board.wait("progress 8192 of")
        board.power_off()
    untouched(board)


def test_nobody_who_listens_is_an_error_of_the_connection(board):
    board.power_on(**BENCH).wait("ready")
    with Sender(board.port) as sender:
        sender.tcp.close()
        assert sender.ask(f"0 {free_port()} {len(NEW)} {md5(NEW)}\n") == "OK"
    board.wait("error 2")
    untouched(board)


def test_a_wrong_md5_is_refused(board):
    board.power_on(**BENCH).wait("ready")
    assert "MD5" in push(board.port, NEW, digest="0" * 32)
    board.wait("error 4")
    untouched(board)


@pytest.mark.parametrize("data", [
    b"\x7fELF" + bytes(5000), NEW[:-1] + b"?", NEW[:9000]],
    ids=["no image", "flipped", "cut"])
def test_what_is_no_whole_image_is_never_started(board, data):
    board.power_on(**BENCH).wait("ready")
    assert push(board.port, data) not in ("OK", "")
    board.wait("error ")
    untouched(board)


def test_what_does_not_fit_is_refused_before_a_byte_is_sent(board):
    board.power_on(**BENCH).wait("ready")
    with Sender(board.port) as sender, pytest.raises(Refused):
        sender.invite(NEW, size=0x50000)
    board.wait("error 1")
    untouched(board)


def test_a_file_system_goes_to_its_partition(board):
    data = b"SPIFFS" * 2000
    board.power_on(**BENCH).wait("ready")
    assert push(board.port, data, command=100) == "OK"
    assert board.end() == RESTART
    assert board.said("start filesystem")
    assert board.get(0x90000, len(data)) == data
    untouched(board)


HOSTILE = [
    b"", b"\n", b"0", b"0 1 2 3", b"200 a b\n", b"0 " * 700, bytes(1400),
    b"0 99999 5000 " + b"a" * 32, b"0 80 -1 " + b"a" * 32,
    b"7 80 5000 " + b"a" * 32 + b"\n", b"0 80 5000 " + b"g" * 32 + b"\n"]


@pytest.mark.parametrize("datagram", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_datagram_changes_nothing(board, datagram):
    board.power_on(**BENCH).wait("ready")
    with Sender(board.port) as sender:
        sender.udp.sendto(datagram, sender.device)
    assert push(board.port, NEW) == "OK"
    assert board.end() == RESTART


def test_the_device_announces_itself(board):
    board.power_on(**BENCH, PASSWORD="x").wait("ready")
    assert board.said("mdns host=bench")
    assert board.said(f"mdns _arduino._tcp port={board.port} auth=yes")


def test_nothing_is_listened_for_without_a_word_on_signatures(board):
    board.power_on().wait("not listening")
    assert board.said("setRoot()")
    assert not board.said("mdns")
    with Sender(board.port) as sender, pytest.raises(Refused):
        sender.ask(f"0 1 2 {md5(b'')}\n", 0.5)


def test_developer_mode_says_loudly_what_it_is(board):
    board.power_on(**BENCH).wait("ready")
    assert board.said("DEVELOPER MODE")
    assert board.said("whoever is on this network may install anything")
    board.power_off()
    board.power_on(**BENCH, PASSWORD="s3cret pw").wait("ready")
    assert board.said("whoever knows the password may install anything")
    assert not board.said("s3cret pw")
