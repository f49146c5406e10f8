# SPDX-License-Identifier: Apache-2.0
"""Four eyes: what one starts, somebody else approves."""
import pytest
from operators import add_user, login


@pytest.fixture
def world(server):
    """Two releases, a device on the first, four eyes on."""
    server.old = server.publish(1, "1.0.0")
    server.new = server.publish(2, "1.1.0")
    server.device = server.register()
    server.device.run(server.old, slot=0)
    server.device.poll()
    four_eyes(server, True)
    return server


def four_eyes(server, on, approvals=1):
    server.api("PATCH", "/settings", {"four_eyes": on, "approvals": approvals},
               200, token=server.admin_token)


def start(server, expect=201, **more):
    return server.api("POST", "/rollouts", {
        "product": "thermostat", "version": "1.1.0", "stages": [100]},
        expect, **more).json


def judge(server, rollout, what, token, expect):
    return server.api("POST", f"/rollouts/{rollout['id']}/{what}",
                      {"note": "looked at it"}, expect, token=token).json


def state(server, rollout):
    return server.api("GET", f"/rollouts/{rollout['id']}").json["state"]


def offered(server):
    """Is the device told to run something else?"""
    server.device.poll()
    return server.device.show()["target"] is not None


def test_without_four_eyes_a_rollout_runs_at_once(world):
    four_eyes(world, False)
    assert start(world)["state"] == "running"


def test_a_rollout_waits_for_somebody_else(world):
    rollout = start(world)
    assert rollout["state"] == "approval"
    assert rollout["approvals"] == {"needed": 1, "given": []}
    assert not offered(world), "no device is told of what nobody approved"
    for action in "resume", "advance", "pause", "retry":
        answer = world.api("POST", f"/rollouts/{rollout['id']}/{action}", {})
        assert answer.status == 409 or action == "retry", answer.body
        assert state(world, rollout) == "approval"
    judge(world, rollout, "approve", world.viewer_token, 403)
    assert judge(world, rollout, "approve", world.token, 403)["error"][
        "code"] == "own"
    assert not offered(world)
    done = judge(world, rollout, "approve", world.approver_token, 200)
    assert done["state"] == "running"
    assert [(a["by"], a["note"]) for a in done["approvals"]["given"]] == [
        ("pru", "looked at it")]
    assert offered(world)
    lines = world.api("GET", "/audit?action=rollout-approve").json["items"]
    assert [(line["actor"], line["object"], line["detail"])
            for line in lines] == [
        ("pru", str(rollout["id"]), "thermostat: looked at it")]


def test_what_is_denied_never_runs(world):
    rollout = start(world)
    judge(world, rollout, "deny", world.viewer_token, 403)
    assert judge(world, rollout, "deny", world.approver_token,
                 200)["state"] == "aborted"
    line, = world.api("GET", "/audit?action=rollout-deny").json["items"]
    assert line["detail"] == "thermostat: looked at it"
    judge(world, rollout, "approve", world.admin_token, 409)
    assert not offered(world)


def test_it_waits_over_a_restart(world):
    rollout = start(world)
    world.stop()
    world.start()
    assert state(world, rollout) == "approval" and not offered(world)
    judge(world, rollout, "approve", world.token, 403)
    judge(world, rollout, "approve", world.approver_token, 200)


def test_so_many_people_must_approve(world):
    four_eyes(world, True, 2)
    rollout = start(world)
    judge(world, rollout, "approve", world.approver_token, 200)
    judge(world, rollout, "approve", world.approver_token, 409)
    assert state(world, rollout) == "approval"
    judge(world, rollout, "approve", world.admin_token, 200)
    assert state(world, rollout) == "running"


def test_an_admin_is_somebody_else_only_of_others(world):
    rollout = start(world, token=world.admin_token)
    judge(world, rollout, "approve", world.admin_token, 403)
    assert state(world, rollout) == "approval"
    judge(world, rollout, "approve", world.token, 200)


def test_ones_own_token_is_not_somebody_else(world):
    add_user(world, "kim", "admin")
    kim = login(world, "kim")
    tokens = [kim.api("POST", "/tokens", {"name": name, "role": "operator"},
                      201).json["token"] for name in ("ci", "cd")]
    four_eyes(world, True, 2)
    rollout = start(world, token=tokens[0])
    path = f"/rollouts/{rollout['id']}/approve"
    kim.api("POST", path, {}, 403)
    for token in tokens:
        judge(world, rollout, "approve", token, 403)
    assert state(world, rollout) == "approval"
    add_user(world, "lee", "approver")
    login(world, "lee").api("POST", path, {}, 200)
    judge(world, rollout, "approve", world.approver_token, 200)
    assert state(world, rollout) == "running"


def token(server, by, name):
    """A token `by` a session or another token: (its number, its secret)."""
    body = {"name": name, "role": "admin"}
    made = (by.api("POST", "/tokens", body, 201) if hasattr(by, "api") else
            server.api("POST", "/tokens", body, 201, token=by)).json
    return made["id"], made["token"]


def test_a_token_made_by_ones_token_is_not_somebody_else(world):
    add_user(world, "kim", "admin")
    kim = login(world, "kim")
    number, first = token(world, kim, "one")
    _, second = token(world, first, "two")
    rollout = start(world, token=second)
    path = f"/rollouts/{rollout['id']}/approve"
    kim.api("POST", path, {}, 403)
    judge(world, rollout, "approve", first, 403)
    kim.api("DELETE", f"/tokens/{number}", expect=204)
    kim.api("POST", path, {}, 403)
    judge(world, rollout, "approve", second, 403)
    assert state(world, rollout) == "approval"
    judge(world, rollout, "approve", world.approver_token, 200)


def test_a_token_that_is_gone_spoke_for_who_made_it(world):
    add_user(world, "kim", "admin")
    kim = login(world, "kim")
    number, secret = token(world, kim, "ci")
    rollout = start(world, token=secret)
    kim.api("DELETE", f"/tokens/{number}", expect=204)
    world.stop()
    world.start()
    kim = login(world, "kim")
    kim.api("POST", f"/rollouts/{rollout['id']}/approve", {}, 403)
    assert state(world, rollout) == "approval"
    judge(world, rollout, "approve", world.token, 200)


def test_one_person_approves_once_whatever_speaks_for_them(world):
    four_eyes(world, True, 2)
    add_user(world, "kim", "admin")
    kim = login(world, "kim")
    number, first = token(world, kim, "one")
    _, second = token(world, first, "two")
    rollout = start(world)
    judge(world, rollout, "approve", first, 200)
    kim.api("DELETE", f"/tokens/{number}", expect=204)
    kim.api("POST", f"/rollouts/{rollout['id']}/approve", {}, 409)
    judge(world, rollout, "approve", second, 409)
    assert state(world, rollout) == "approval"
    judge(world, rollout, "approve", world.approver_token, 200)
    assert state(world, rollout) == "running"


def test_a_permit_that_core_refuses_is_no_part_of_a_plan(world):
    four_eyes(world, False)
    bad = [{"manifest": world.old["manifest"], "permit": "AA=="}]
    good = [{"manifest": world.old["manifest"],
             "permit": as_text(world.permit(world.old["manifest"]))}]
    world.api("POST", "/rollouts", {
        "product": "thermostat", "version": "1.1.0", "stages": [100],
        "permits": bad}, 422)
    rollout = start(world)
    change(world, rollout, {"permits": bad}, world.token, 422)
    plan = world.api("GET", f"/rollouts/{rollout['id']}/plan").json
    assert plan["permits"] == []
    change(world, rollout, {"permits": good}, world.token, 200)


def as_text(permit):
    return permit if isinstance(permit, str) else permit.decode()


def mark(server, release, body, expect, **more):
    return server.api("PATCH", f"/releases/{release['manifest']}", body,
                      expect, **more).json


def approved(server, version, **more):
    rollout = server.api("POST", "/rollouts", {
        "product": "thermostat", "version": version, "stages": [100],
        **more}, 201).json
    return judge(server, rollout, "approve", server.approver_token, 200)


def test_no_stepping_stone_comes_before_what_was_approved(world):
    world.publish(3, "1.2.0")
    rollout = approved(world, "1.2.0")
    for token in world.token, world.admin_token:
        error = mark(world, world.new, {"stepping": True}, 409,
                     token=token)["error"]
        assert error["code"] == "approved"
        assert f"rollout {rollout['id']} " in error["message"]
    assert world.new["manifest"] != world.device.show()["target"]
    mark(world, world.new, {"notes": "for kitchens"}, 200)
    world.api("POST", f"/rollouts/{rollout['id']}/abort", {}, 200)
    mark(world, world.new, {"stepping": True}, 200)


def test_no_promotion_widens_what_was_approved(world):
    mark(world, world.new, {"channels": ["beta"]}, 200)
    rollout = approved(world, "1.1.0")
    promote = ("POST", f"/releases/{world.new['manifest']}/promote",
               {"to": "stable"})
    assert world.api(*promote, 409).json["error"]["code"] == "approved"
    mark(world, world.new, {"channels": []}, 409)
    mark(world, world.new, {"security": True}, 409)
    assert not offered(world)
    world.api("POST", f"/rollouts/{rollout['id']}/abort", {}, 200)
    world.api(*promote, 200)


def test_a_plan_with_a_channel_is_untouched_by_other_channels(world):
    mark(world, world.new, {"channels": ["beta"]}, 200)
    approved(world, "1.1.0", target={"channel": "beta"})
    world.api("POST", f"/releases/{world.new['manifest']}/promote",
              {"to": "stable"}, 200)
    mark(world, world.new, {"channels": ["stable"]}, 409)
    assert not offered(world)


def test_what_nobody_has_approved_yet_may_be_marked(world):
    start(world)
    mark(world, world.new, {"security": True}, 200)


def test_who_may_only_publish_steers_no_rollout(world):
    def scoped(name, *scopes):
        return world.api("POST", "/tokens", {
            "name": name, "role": "operator", "scopes": scopes}, 201,
            token=world.admin_token).json["token"]

    publish, both = scoped("a", "publish"), scoped("b", "publish", "rollout")
    for body in {"stepping": True}, {"channels": ["x"]}, {"security": True}:
        assert mark(world, world.new, body, 403,
                    token=publish)["error"]["code"] == "scope"
    mark(world, world.new, {"notes": "n"}, 200, token=publish)
    mark(world, world.new, {"security": True}, 200, token=both)
    four_eyes(world, False)
    mark(world, world.new, {"channels": ["beta"]}, 200, token=publish)
    start(world)
    mark(world, world.new, {"channels": ["stable"]}, 403, token=publish)
    mark(world, world.new, {"channels": ["stable"]}, 200)


def test_turning_it_off_lets_nothing_loose_by_itself(world):
    rollout = start(world)
    four_eyes(world, False)
    assert state(world, rollout) == "approval" and not offered(world)
    judge(world, rollout, "approve", world.token, 403)
    judge(world, rollout, "approve", world.approver_token, 200)


def test_the_way_back_waits_too(world):
    rollout = start(world)
    judge(world, rollout, "approve", world.approver_token, 200)
    world.device.run(world.new)
    world.device.poll()
    back = world.api("POST", "/products/thermostat/rollback", {
        "version": "1.0.0", "permit": world.permit(world.old["manifest"])},
        202).json
    assert back["state"] == "approval" and not offered(world)
    judge(world, back, "approve", world.token, 403)
    judge(world, back, "approve", world.approver_token, 200)
    assert offered(world)


def test_a_preview_says_that_it_will_wait(world):
    plan = {"product": "thermostat", "version": "1.1.0", "stages": [100]}
    ask = ("POST", "/rollouts/preview", plan, 200)
    assert world.api(*ask, token=world.viewer_token).json["approval"]
    four_eyes(world, False)
    assert not world.api(*ask, token=world.viewer_token).json["approval"]


def change(server, rollout, body, token, expect):
    return server.api("PATCH", f"/rollouts/{rollout['id']}", body, expect,
                      token=token).json


def test_what_was_approved_does_not_become_another(world):
    rollout = world.api("POST", "/rollouts", {
        "product": "thermostat", "version": "1.1.0", "stages": [1, 100]},
        201).json
    wide = {"rate_per_hour": 100000}
    four_eyes(world, True, 2)
    judge(world, rollout, "approve", world.approver_token, 200)
    change(world, rollout, wide, world.admin_token, 403)
    assert change(world, rollout, wide, world.token,
                  200)["approvals"]["given"] == [], "approvals were of before"
    judge(world, rollout, "approve", world.admin_token, 200)
    assert state(world, rollout) == "approval"
    judge(world, rollout, "approve", world.approver_token, 200)
    assert state(world, rollout) == "running"
    for token in world.token, world.admin_token:
        for body in (wide, {"stages": [1, 2, 100]}, {"windows": []},
                     {"gates": {"soak": 0}}, {"name": "x", **wide}):
            change(world, rollout, body, token, 409)
    assert change(world, rollout, {"name": "winter"}, world.token,
                  200)["name"] == "winter"
    four_eyes(world, False)
    change(world, rollout, wide, world.token, 409)
