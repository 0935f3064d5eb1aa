# SPDX-License-Identifier: ISC
"""drover maintenance, upgrade, and the locks of jobs."""
import os
import signal
import socket
import time

import pytest

from conftest import held


def test_maintenance_stops_whatever_changes_something_and_nothing_else(web):
    web("maintenance on --reason 'moving house'")
    before = web.json("history verify")
    for line in ("landing scan", "qa ok 3 3", "run", "remind", "product set --overdue-days 2", "product add api",
                 "report --out report", "user add ada ada@example.org"):
        said = web(line, exits=7)
        assert "moving house" in said.err, line
    assert web.json("history verify") == before
    assert not (web.folder / "report").exists()
    for line in ("landing list", "landing deployable", "status", "store check", "store backup backup.db"):
        web(line)
    assert "moving house" in web("status").out
    web("maintenance off")
    web("qa ok 3 3")


def test_maintenance_wants_a_reason(web):
    assert "--reason" in web("maintenance on", exits=2).err
    assert web("maintenance status").out == "Maintenance is off.\n"


def test_a_file_dropped_by_hand_does_the_same(web):
    (web.state / "maintenance.txt").write_text("disk is\x1b[31m full\n")
    said = web("qa ok 3 3", exits=7)
    assert "disk is" in said.err and "\x1b" not in said.err
    assert web.json("maintenance status")["source"] == "file"
    assert "maintenance.txt" in web("maintenance status").out
    (web.state / "maintenance.txt").unlink()
    web("qa ok 3 3")


def test_a_second_copy_exits_with_6_and_names_the_holder(web):
    with held(web, "scan"):
        said = web("landing scan", exits=6)
    assert f"host {socket.gethostname()}, pid {os.getpid()}" in said.err
    web("landing scan")


def test_a_persons_verdict_waits_for_no_job(web):
    with held(web, "scan"):
        web("qa ok 3 3")


def test_a_dead_holder_never_blocks(web):
    with held(web, "scan"):
        pass
    web("landing scan")


def test_a_lock_older_than_lock_warn_is_loud_on_every_command(web):
    with held(web, "scan", minutes=20):
        for line, code in (("landing scan", 6), ("landing list", 0), ("status", 0)):
            assert "HUNG? scan is at work" in web(line, exits=code).err
    with held(web, "scan", minutes=10):
        assert "HUNG?" not in web("landing list").err
    assert "HUNG?" not in web("landing list").err


def test_upgrade_runs_the_command_under_maintenance(web):
    done = web(["upgrade", "--command", f"{web.program} maintenance status --state {web.state} "
                f"{' '.join(web.words('')[len(web.place) + 1:])}"])
    assert "Maintenance is on" in done.out and "upgrade under way" in done.out
    assert done.lines[-1] == "upgraded"
    assert web.json("maintenance status")["on"] is False


@pytest.mark.parametrize("line,why", [
    ("upgrade --command 'exit 3'", "code 3"),
    ("upgrade --command true --self-test false", "self-test"),
])
def test_a_failed_upgrade_leaves_maintenance_on_with_the_reason(web, line, why):
    said = web(line, exits=1)
    assert "maintenance stays on" in said.err
    now = web.json("maintenance status")
    assert now["on"] is True
    assert now["reason"].startswith("upgrade failed: ") and why in now["reason"]


def test_an_upgrade_that_breaks_the_store_is_caught_by_the_self_test(web):
    web(["upgrade", "--command", f"printf broken > {web.database}"], exits=1)


def test_maintenance_that_was_there_before_stays(web):
    web("maintenance on --reason 'moving house'")
    web("upgrade --command true")
    assert web.json("maintenance status")["reason"] == "moving house"
    web("upgrade --command false", exits=1)
    reason = web.json("maintenance status")["reason"]
    assert "upgrade failed" in reason and "moving house" in reason


def test_upgrade_waits_for_jobs_but_not_for_ever(web):
    with held(web, "scan"):
        said = web("upgrade --command 'touch ran' --wait 1s", exits=6)
    assert "scan is at work" in said.err
    assert not (web.folder / "ran").exists()
    assert web.json("maintenance status")["on"] is True


def test_upgrade_killed_at_any_step_leaves_maintenance_on(web):
    running = web.start("upgrade --command 'touch began; exec sleep 60'")
    while not (web.folder / "began").exists():
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    now = web.json("maintenance status")
    assert now["on"] is True and "upgrade under way" in now["reason"]
    running.stdout.close()
    running.stderr.close()
    web("maintenance off")
    web("upgrade --command true")


def test_two_upgrades_do_not_meet(web):
    with held(web, "upgrade"):
        web("upgrade --command true", exits=6)
    assert web.json("maintenance status")["on"] is False
