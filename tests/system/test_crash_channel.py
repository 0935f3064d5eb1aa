# SPDX-License-Identifier: ISC
"""`kill -9` at every call with which changes go live, or are submitted, edited, moved, withdrawn or signed, rows are
edited, the glass is broken and files are imported; and the next look, or the deed once more.

Three changes are due and ready, two on one row; one lacks a word, and one waits behind it. Whatever the instant of
the end, the next look must leave the store as a look that nobody disturbed leaves it: byte for byte, the history's
chain included. What a person does is one transaction: it is there whole or not at all. A sample of the instants by default; DROVER_TEST_FULL=1 tries them all.
"""
import os
import random
import shutil
import signal
import subprocess

import pytest

import beds
from beds import databases, engine  # noqa: F401 (fixtures)
from conftest import BUILD

STEPS = BUILD / "tests/system/crash/channel-steps"
SAMPLES = {"sqlite": 60, "postgresql": 25}
DEED_SAMPLES = {"sqlite": 6, "postgresql": 2}
DEEDS = ["edit", "break-glass", "direct", "submit", "move", "withdraw", "sign"]
FEW = {"sqlite": len(DEEDS), "postgresql": 3}  # copies of a database take long
SEED = 20261121


class Bed:
    """Copies of one filled store."""

    def __init__(self, folder, engine, databases):
        self.folder, self.databases, self.count = folder, databases, 0
        self.database = databases() if engine == "postgresql" else None
        (folder / "origin").mkdir()
        self.origin = self.database.url if self.database else f"sqlite:{folder}/origin/store.db"
        step(self.origin, "fill")

    def copy(self):
        self.count += 1
        if self.database:
            database = self.databases(self.database)
            return database.url, database.drop
        folder = self.folder / str(self.count)
        shutil.copytree(self.folder / "origin", folder)
        return f"sqlite:{folder}/store.db", lambda: shutil.rmtree(folder)


def step(store, name, exits=0, **environment):
    done = subprocess.run([str(STEPS), store, name], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, **environment})
    assert done.returncode == exits, f"exit {done.returncode}, not {exits}: {done.stderr}"
    return done.stdout


def choose(points, sample):
    return points if beds.FULL else sorted(random.Random(SEED).sample(points, min(sample, len(points))))


def calls_of(store, name, trace):
    """Which calls the step makes, one by one."""
    trace.unlink(missing_ok=True)
    step(store, name, LD_PRELOAD=str(beds.KILL_AT), KILL_TRACE=str(trace))
    calls = trace.read_text().splitlines()
    return calls, [(number, when) for number in range(1, len(calls) + 1) for when in ("before", "after")]


@pytest.mark.slow
def test_a_look_killed_at_any_call_is_finished_by_the_next(tmp_path, engine, databases):
    bed = Bed(tmp_path, engine, databases)
    store, forget = bed.copy()
    calls, points = calls_of(store, "look", tmp_path / "trace")
    expected = step(store, "tell")
    assert [f"{number}live" in expected for number in (1, 2, 3, 4, 5)] == [True, True, False, False, True]
    forget()
    assert len(points) > 30
    for number, when in choose(points, SAMPLES[engine]):
        store, forget = bed.copy()
        step(store, "look", -signal.SIGKILL, LD_PRELOAD=str(beds.KILL_AT), KILL_AT=str(number), KILL_WHEN=when)
        step(store, "look")
        assert step(store, "tell") == expected, f"killed {when} call {number} ({calls[number - 1]})"
        forget()


@pytest.mark.slow
def test_a_deed_killed_at_any_call_is_there_whole_or_not_at_all(tmp_path, engine, databases):
    bed = Bed(tmp_path, engine, databases)
    store, forget = bed.copy()
    before = step(store, "tell")
    forget()
    for name in DEEDS if beds.FULL else DEEDS[:FEW[engine]]:
        store, forget = bed.copy()
        calls, points = calls_of(store, name, tmp_path / "trace")
        after = step(store, "tell")
        forget()
        assert after != before and len(points) >= 8
        found = set()
        for number, when in choose(points, DEED_SAMPLES[engine]):
            store, forget = bed.copy()
            step(store, name, -signal.SIGKILL, LD_PRELOAD=str(beds.KILL_AT), KILL_AT=str(number), KILL_WHEN=when)
            now = step(store, "tell")
            assert now in (before, after), f"{name}, killed {when} call {number} ({calls[number - 1]})"
            found.add(now)
            if now == before:
                step(store, name)
            assert step(store, "tell") == after, f"{name}, again after a kill {when} call {number}"
            forget()
        assert before in found
