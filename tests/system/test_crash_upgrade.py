# SPDX-License-Identifier: ISC
"""drover upgrade: the order of its steps, a holder that is waited for, and `kill -9` at any of its calls.
What a failing step leaves is held by test_cli_maintenance.py."""
import os
import random
import shutil
import signal

import pytest

import beds
from conftest import Drover
from test_crash_locks import calls_while_holding, preloaded, stopped

pytestmark = pytest.mark.slow

SEED = 7
SAMPLE = 30
STEPS = "upgrade --command 'touch ran' --self-test 'touch tested'"


def actions(drover):
    return [(entry["action"], entry["reason"]) for entry in reversed(drover.json("history list")["entries"])
            if entry["action"].startswith("maintenance")]


def test_the_steps_come_in_their_order(web):
    status = f"{web.program} maintenance status {' '.join(web.words('')[1:])}"
    said = web(["upgrade", "--command", f"echo 1 command; {status}", "--self-test", f"echo 2 self-test; {status}"])
    told = [line for line in said.lines if line]
    assert told[0] == "1 command" and "Maintenance is on" in said.out.split("2 self-test")[0]
    assert "Maintenance is on" in said.out.split("2 self-test")[1]
    assert told[-1] == "upgraded"
    assert [action for action, _ in actions(web)] == ["maintenance.on", "maintenance.off"]
    assert web.json("maintenance status")["on"] is False


def test_a_job_at_work_is_waited_for(web, tmp_path):
    holder = stopped(web, "report --out out", calls_while_holding(web, "report --out out", tmp_path)[20])
    upgrade = web.start("upgrade --command 'touch ran' --wait 60s")
    waiting = next(line for line in upgrade.stderr if "waiting:" in line)
    assert "report is at work on host" in waiting and f"pid {holder.pid}" in waiting
    assert web.json("maintenance status")["on"] is True
    assert not (tmp_path / "ran").exists()
    os.kill(holder.pid, signal.SIGCONT)
    holder.communicate(timeout=60)
    assert holder.returncode == 0, "what is under way is finished"
    upgrade.communicate(timeout=60)
    assert upgrade.returncode == 0
    assert (tmp_path / "ran").exists() and web.json("maintenance status")["on"] is False


@pytest.mark.slow
def test_killed_at_any_call_it_never_leaves_half_an_upgrade_without_maintenance(web, tmp_path):
    """The programs that it starts die at their call of that number, too."""

    def copy(name):
        drover = Drover(tmp_path / name, web.environment)
        drover.folder.mkdir()
        shutil.copytree(web.state, drover.state)
        return drover

    counted = copy("counted")
    trace = tmp_path / "trace"
    process = preloaded(counted, STEPS, KILL_TRACE=str(trace))
    assert process.communicate(timeout=60) and process.returncode == 0
    pids = [line.rsplit("\t", 1)[1] for line in trace.read_text().splitlines()]
    most = max(pids.count(pid) for pid in pids)
    points = [(number, when) for number in range(1, most + 1) for when in ("before", "after")]
    chosen = points if beds.FULL else sorted(random.Random(SEED).sample(points, SAMPLE))
    for number, when in chosen:
        drover = copy(f"{number}-{when}")
        process = preloaded(drover, STEPS, KILL_AT=str(number), KILL_WHEN=when)
        _, said = process.communicate(timeout=60)
        ran, tested = (drover.folder / "ran").exists(), (drover.folder / "tested").exists()
        now = drover.json("maintenance status")
        where = f"killed {when} call {number}: {said}"
        if process.returncode == 0:
            assert ran and tested and not now["on"], where
        elif ran and not tested:
            assert now["on"] and "upgrade" in now["reason"], where
        elif not now["on"]:
            assert not ran or [action for action, _ in actions(drover)] == ["maintenance.on", "maintenance.off"], where
        drover("history verify")
        drover("maintenance off")
        drover(STEPS)
        assert drover.json("maintenance status")["on"] is False


@pytest.mark.parametrize("step", ["command", "self-test"])
def test_killed_in_the_middle_it_leaves_maintenance_on(web, step):
    steps = {"command": "true", "self-test": "true", step: "kill -9 $PPID"}
    web(["upgrade", "--command", steps["command"], "--self-test", steps["self-test"]], exits=-signal.SIGKILL)
    now = web.json("maintenance status")
    assert now["on"] is True and now["reason"].startswith("upgrade under way")
    web("qa ok 3 3", exits=7)
