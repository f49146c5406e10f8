# SPDX-License-Identifier: Apache-2.0
"""Waiting for what comes about by itself."""
import time

# Only so that nothing hangs: a test that passes never waits so long, and a
# machine may be slow.
LIMIT = 60


def wait_for(condition, seconds=LIMIT, pause=0.05, said=lambda: ""):
    """What the condition came to. `said`: for the report, when it did not."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"it did not come about {said()}"
        time.sleep(pause)
    return result
