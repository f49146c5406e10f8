# SPDX-License-Identifier: Apache-2.0
"""The board: really runs what is in its slot, resets, loses power, and the
whole loop of an update with a small server beside it."""
import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path

from board import program
from waiting import wait_for

# codes of core/include/bowline/status.h
OK, SIGNATURE, LOW, CLASS, DIGEST = 0, 22, 31, 41, 64
STALE, TRIES, HEALTH, DEADLINE = 73, 100, 101, 102
POWER, SOFTWARE, WATCHDOG, CRASH = 1, 2, 3, 4


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(n) for n in f.read().split()]


def start(device, gate, world, build="1.0.0", sequence=1, *options, **kw):
    factory = world.release(sequence, build)
    server = gate(factory)
    one = device(server.url, factory, *options, **kw)
    assert one.made.returncode == 0, one.made.stderr
    return one, server, factory


def offset_of_slot(one, slot):
    text = (one.dir / "device.conf").read_text()
    assert "size = 8388608" in text
    return (one.dir / "flash.bin").stat().st_size - (2 - slot) * 8388608


def patch(one, offset, content):
    with open(one.dir / "flash.bin", "r+b") as f:
        f.seek(offset)
        f.write(content)


# --- The factory -----------------------------------------------------------

def test_provisioned_device_holds_the_factory_release(device, gate, world):
    one, _, factory = start(device, gate, world, "1.0.0", 7)
    shown = one.show()
    assert shown["root_version"] == 1
    assert shown["state"]["active"] == "A" and shown["state"]["trial"] is None
    assert shown["state"]["floor"] == 7
    a, b = shown["slots"]
    assert a["status"] == "confirmed" and a["whole"] and a["trusted"]
    assert a["version"] == "1.0.0"
    assert a["image"] == factory.image_digest.hex()
    assert a["manifest"] == factory.digest.hex()
    assert b["status"] == "empty"
    assert shown["journal"] == []


def test_a_device_is_not_provisioned_over(device, gate, world):
    one, _, factory = start(device, gate, world)
    before = (one.dir / "flash.bin").read_bytes()
    again = subprocess.run(one.made.args, capture_output=True, text=True)
    assert again.returncode == 1 and "is a device already" in again.stderr
    assert (one.dir / "flash.bin").read_bytes() == before


def test_factory_refuses_a_release_of_unknown_keys(device, gate, world):
    import documents
    factory = world.release(1, "1.0.0", key=documents.Key())
    one = device("http://127.0.0.1:1", factory)
    assert one.made.returncode == 1
    assert "no trusted key" in one.made.stderr
    assert not (one.dir / "flash.bin").exists()


def test_factory_refuses_another_image(device, gate, world):
    factory = world.release(1, "1.0.0")
    factory.image += b"\0"
    one = device("http://127.0.0.1:1", factory)
    assert one.made.returncode == 1 and "digest differ" in one.made.stderr


def test_payload_is_found_where_the_tool_puts_it(tmp_path, world):
    factory = world.release(3, "1.0.0", image=b"an image" * 999)
    (tmp_path / "f.suit").write_bytes(factory.envelope)
    command = [program("bowline-device"), "provision",
               f"--dir={tmp_path}/d", "--id=" + "42" * 16,
               "--server=https://localhost", f"--root={world.root}",
               f"--factory={tmp_path}/f.suit"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1 and "payloads/" in run.stderr
    (tmp_path / "payloads").mkdir()
    (tmp_path / "payloads" / factory.image_digest.hex()).write_bytes(
        factory.image)
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


# --- Running ---------------------------------------------------------------

def test_what_runs_are_the_bytes_of_the_slot(device, gate, world):
    one, server, factory = start(device, gate, world)
    one.power_on()
    server.wait_running(factory)
    (child,) = children(one.process.pid)
    with open(f"/proc/{child}/exe", "rb") as f:
        running = f.read()
    assert hashlib.sha256(running).digest() == factory.image_digest
    assert "memfd" in os.readlink(f"/proc/{child}/exe")
    with open(one.dir / "flash.bin", "rb") as f:
        f.seek(offset_of_slot(one, 0))
        assert f.read(len(running)) == running


def test_firmware_is_told_which_slot_was_started(device, gate, world):
    one, server, _ = start(device, gate, world)
    new = server.release = world.release(2, "1.1.0")
    told = []

    def both_started():
        for child in children(one.process.pid):
            try:
                environment = Path(f"/proc/{child}/environ").read_bytes()
            except OSError:
                continue  # it has just ended
            slot = [v for v in environment.split(b"\0")
                    if v.startswith(b"BOWLINE_SLOT=")]
            if slot and slot[0] not in told:
                told.append(slot[0])
        return len(told) == 2

    one.power_on()
    wait_for(both_started)
    server.wait_running(new)
    assert told == [b"BOWLINE_SLOT=1", b"BOWLINE_SLOT=2"]


def test_running_image_is_sealed_against_change(device, gate, world):
    one, server, factory = start(device, gate, world)
    one.power_on()
    server.wait_running(factory)
    (child,) = children(one.process.pid)
    try:
        with open(f"/proc/{child}/exe", "r+b") as f:
            f.write(b"\0")
        raise AssertionError("the running image could be written")
    except OSError:
        pass


def test_reports_carry_identity_version_and_token(device, gate, world):
    one, server, factory = start(device, gate, world, "1.0.0", 3,
                                 "--hardware=rev-b")
    one.power_on()
    report = server.wait_running(factory)
    assert report[1].hex() == "000102030405060708090a0b0c0d0e0f"
    assert report[8] == 3 and report[14] == 3
    assert report[11] == "rev-b" and report[12] == "1.0.0"
    assert server.tokens == {"Bearer 0123456789abcdef"}
    assert "0123456789abcdef" not in one.said()


def test_power_switch_ends_board_and_firmware(device, gate, world):
    one, server, factory = start(device, gate, world)
    one.power_on()
    server.wait_running(factory)
    (child,) = children(one.process.pid)
    assert one.power_off() == 0
    assert not os.path.exists(f"/proc/{child}")


def test_killed_board_takes_its_firmware_along(device, gate, world):
    one, server, factory = start(device, gate, world)
    one.power_on()
    server.wait_running(factory)
    (child,) = children(one.process.pid)
    one.process.kill()
    one.process.wait()
    wait_for(lambda: not os.path.exists(f"/proc/{child}"))
    one.power_on()
    server.reports.clear()
    server.wait_running(factory)


def test_one_power_supply_for_a_board(device, gate, world):
    one, server, factory = start(device, gate, world)
    one.power_on()
    server.wait_running(factory)
    second = subprocess.run([program("bowline-device"), "run",
                             f"--dir={one.dir}"], capture_output=True,
                            text=True, timeout=10)
    assert second.returncode == 1
    assert "switched on already" in second.stderr


def test_frozen_firmware_is_bitten_by_the_watchdog(device, gate, world):
    one, server, factory = start(device, gate, world)
    one.power_on()
    server.wait_running(factory)
    (child,) = children(one.process.pid)
    os.kill(child, signal.SIGSTOP)
    wait_for(lambda: "the watchdog bit" in one.said())
    server.reports.clear()
    server.wait_running(factory)
    assert one.show()["state"]["last_reset"] == "watchdog"
    assert children(one.process.pid) != [child]


def test_crash_of_a_confirmed_firmware_starts_it_again(device, gate, world):
    one, server, factory = start(device, gate, world)
    one.power_on()
    server.wait_running(factory)
    (child,) = children(one.process.pid)
    os.kill(child, signal.SIGABRT)
    wait_for(lambda: "the firmware crashed" in one.said())
    server.reports.clear()
    server.wait_running(factory)
    state = one.show()["state"]
    assert state["last_reset"] == "crash" and state["active"] == "A"


def test_corrupt_slot_is_refused_and_the_board_says_so(device, gate, world):
    one, _, factory = start(device, gate, world)
    patch(one, offset_of_slot(one, 0) + 5000, b"\0" * 64)
    one.power_on()
    assert one.process.wait(20) == 3
    assert "no slot holds an image that may boot" in one.said()


def test_image_that_cannot_run_here_is_told(device, gate, world):
    factory = world.release(1, "1.0.0", image=b"\xe9not for this chip" * 99)
    one = device("http://127.0.0.1:1", factory)
    one.power_on()
    wait_for(lambda: "holder = true" in one.said())


def test_holder_keeps_another_chips_image(device, gate, world):
    old = world.release(1, "1.0.0", image=b"\xe9first" * 5000)
    new = world.release(2, "2.0.0", image=b"\xe9second" * 9000)
    server = gate(old)
    one = device(server.url, old, "--holder")
    one.power_on()
    server.wait_running(old)
    server.release = new
    report = server.wait_running(new)
    assert report[12] == "2.0.0" and report[5] == 1


# --- Updates ---------------------------------------------------------------

def test_good_release_is_installed_and_confirmed(device, gate, world):
    one, server, _ = start(device, gate, world)
    new = server.release = world.release(2, "1.1.0")
    one.power_on()
    report = server.wait_running(new)
    assert report[5] == 1 and report[12] == "1.1.0" and report[14] == 2
    states = [s for s, _, q, _ in server.story() if q == 2]
    assert states[-3:] == ["rebooting", "testing", "confirmed"]
    (child,) = children(one.process.pid)
    with open(f"/proc/{child}/exe", "rb") as f:
        assert hashlib.sha256(f.read()).digest() == new.image_digest


def bad_release(device, gate, world, build):
    """Tries it; the event of the return. The device must run 1.0.0 again."""
    one, server, factory = start(device, gate, world)
    bad = server.release = world.release(2, build)
    one.power_on()
    event = server.wait_event("returned", 2)
    server.reports.clear()
    server.release = factory
    report = server.wait_running(factory)
    assert report[5] == 0 and report[12] == "1.0.0" and report[14] == 1
    shown = one.show()
    assert shown["state"]["outcome_sequence"] == 2
    assert shown["slots"][1]["status"] == "bad"
    assert shown["slots"][1]["manifest"] == bad.digest.hex()
    return event, one


def test_release_that_crashes_returns_after_three_tries(device, gate, world):
    event, one = bad_release(device, gate, world, "1.2.0-crash")
    assert event[1] == TRIES and event[3] == CRASH
    assert one.said().count("the firmware crashed") == 3


def test_release_that_hangs_returns_by_the_watchdog(device, gate, world):
    event, one = bad_release(device, gate, world, "1.2.1-hang")
    assert event[1] == TRIES and event[3] == WATCHDOG
    assert one.said().count("the watchdog bit") == 3


def test_release_with_failing_health_returns(device, gate, world):
    event, _ = bad_release(device, gate, world, "1.2.2-unhealthy")
    assert event[1] == HEALTH


def test_release_that_never_confirms_returns(device, gate, world):
    event, _ = bad_release(device, gate, world, "1.2.3-pending")
    assert event[1] == DEADLINE


def test_broken_sensor_returns_a_good_release(device, gate, world):
    one, server, _ = start(device, gate, world, "1.0.0", 1, sensor="broken")
    server.release = world.release(2, "1.1.0")
    one.power_on()
    assert server.wait_event("returned", 2)[1] == HEALTH


# --- Refusals --------------------------------------------------------------

def refused(device, gate, world, change):
    one, server, factory = start(device, gate, world, "1.0.0", 5)
    one.power_on()
    server.wait_running(factory)
    change(server)
    event = wait_for(lambda: [e for e in server.story()
                              if e[0] in ("refused", "failed")])[0]
    report = server.reports[-1]
    assert report[4] == factory.digest and report[7] is True
    return event


def test_flipped_payload_byte_is_refused(device, gate, world):
    def change(server):
        server.release = world.release(6, "1.1.0")
        image = bytearray(server.release.image)
        image[70000] ^= 1
        server.payload = bytes(image)
    assert refused(device, gate, world, change)[:3] == ("refused", DIGEST, 6)


def test_manifest_of_another_key_is_refused(device, gate, world):
    import documents

    def change(server):
        server.release = world.release(6, "1.1.0", key=documents.Key())
    assert refused(device, gate, world, change)[:2] == ("refused", SIGNATURE)


def test_manifest_for_another_product_is_refused(device, gate, world):
    def change(server):
        server.release = world.release(6, "1.1.0", class_id=b"\x77" * 16)
    assert refused(device, gate, world, change)[:2] == ("refused", CLASS)


def test_old_release_is_refused(device, gate, world):
    def change(server):
        server.release = world.release(4, "1.1.0")
    assert refused(device, gate, world, change)[:2] == ("refused", LOW)


def test_stale_ticket_is_refused(device, gate, world):
    import documents

    def change(server):
        server.release = world.release(6, "1.1.0")
        server.stale = documents.ticket(
            world.ticket_key, bytes(range(16)), b"an older nonce..",
            server.release.digest)
    assert refused(device, gate, world, change)[:2] == ("refused", STALE)


# --- Downloads -------------------------------------------------------------

def test_download_that_is_cut_goes_on_by_offset(device, gate, world):
    one, server, _ = start(device, gate, world)
    new = server.release = world.release(2, "1.1.0")
    server.cut_after = len(new.image) // 3
    one.power_on()
    server.wait_running(new)
    assert server.cuts >= 2
    ranges = [r for path, r in server.gets if "payloads" in path]
    assert any(ranges[1:]) and all(r is not None for r in ranges[1:])


def test_server_that_ignores_range_does_no_harm(device, gate, world):
    one, server, _ = start(device, gate, world)
    new = server.release = world.release(2, "1.1.0")
    server.cut_after = len(new.image) // 2
    one.power_on()
    wait_for(lambda: server.cuts >= 1)
    server.ignores_range, server.cut_after = True, 0
    server.wait_running(new)


def test_server_that_is_down_is_asked_again(device, gate, world):
    one, server, factory = start(device, gate, world)
    server.down = True
    one.power_on()
    time.sleep(2)
    assert not server.reports
    assert one.log.read_text().count("answers with status 503") == 1
    server.down = False
    server.wait_running(factory)
    wait_for(lambda: "the server answers again" in one.log.read_text())


def test_refused_token_is_told_in_the_log_once(device, gate, world):
    one, server, factory = start(device, gate, world)
    server.refuses = True
    one.power_on()
    wait_for(lambda: server.refusals >= 3)
    said = one.log.read_text()
    assert said.count("does not accept this device (status 401)") == 1
    assert said.count("status") == 1
    server.refuses = False
    server.wait_running(factory)


def test_backup_server_is_asked_when_the_first_is_gone(device, gate, world):
    factory = world.release(1, "1.0.0")
    server = gate(factory)
    one = device("http://127.0.0.1:1", factory,
                 f"--backup-server={server.url}")
    one.power_on()
    server.wait_running(factory)


# --- Power -----------------------------------------------------------------

def cut_and_recover(device, gate, world, *cut):
    one, server, _ = start(device, gate, world)
    new = server.release = world.release(2, "1.1.0")
    one.cut(*cut)
    one.power_on()
    assert one.process.wait(30) == -signal.SIGKILL
    assert one.log.read_text().endswith("board: the power is cut\n")
    one.power_on()
    server.wait_running(new)
    assert not (one.dir / "cut").exists()
    return one, server


def test_power_cut_in_the_image_goes_on_and_completes(device, gate, world):
    one, server = cut_and_recover(device, gate, world, "--install",
                                  "--after=2059")
    ranges = [r for path, r in server.gets if "payloads" in path]
    assert len(ranges) == 2 and ranges[1] is not None


def test_power_cut_at_any_early_operation_recovers(device, gate, world):
    for n, kind in enumerate(("absent", "partial", "complete")):
        cut_and_recover(device, gate, world, f"--after={2 + n}",
                        f"--kind={kind}")


def test_power_cut_does_not_touch_the_shell_that_started_it(device, gate,
                                                            world):
    one, _, _ = start(device, gate, world)
    one.cut("--after=0")
    script = (f"{program('bowline-device')} run --dir={one.dir} 2>/dev/null; "
              "echo still here")
    run = subprocess.run(["sh", "-c", script], capture_output=True,
                         text=True, timeout=30)
    assert "still here" in run.stdout


# --- The program -----------------------------------------------------------

def test_usage_is_told():
    tool = program("bowline-device")
    for arguments, status in ((["--help"], 0), ([], 2), (["fly"], 2),
                              (["run"], 2), (["run", "--help"], 0),
                              (["show", "--help"], 0), (["cut"], 2),
                              (["provision", "--help"], 0),
                              (["provision"], 2),
                              (["provision", "--poll=x"], 2)):
        run = subprocess.run([tool, *arguments], capture_output=True,
                             text=True)
        assert run.returncode == status, arguments
        assert run.stdout if status == 0 else run.stderr


def test_missing_device_is_one_clear_error(tmp_path):
    run = subprocess.run([program("bowline-device"), "run",
                          f"--dir={tmp_path}"], capture_output=True, text=True)
    assert run.returncode == 1
    assert "device.conf" in run.stderr and run.stderr.count("\n") == 1
