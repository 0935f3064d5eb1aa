# SPDX-License-Identifier: ISC
"""`kill -9` at every call with which changes go live, or are submitted, edited, moved, withdrawn or signed, rows are
edited, the glass is broken and files are imported; and the next look, or the deed once more.

Three changes are due and ready, two on one row; one lacks a word, and one waits behind it. Whatever the instant of
the end, the next look must leave the store as a look that nobody disturbed leaves it: byte for byte, the history's
chain included. What a person does is one transaction: it is there whole or not at all. A sample of the instants by default; DROVER_TEST_FULL=1 tries them all.
"""
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess

import pytest

import beds
from beds import databases, engine  # noqa: F401 (fixtures)
from conftest import BUILD, Drover
from test_crash_locks import preloaded

STEPS = BUILD / "tests/system/crash/channel-steps"
SAMPLES = {"sqlite": 60, "postgresql": 25}
DEED_SAMPLES = {"sqlite": 6, "postgresql": 2}
DEEDS = ["edit", "break-glass", "direct", "submit", "move", "withdraw", "sign"]
COMMAND_SAMPLE = 12
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


class Copies:
    """Of one drover's state; the command killed in each at another call."""

    def __init__(self, origin, folder):
        self.origin, self.folder, self.count = origin, folder, 0

    def make(self):
        self.count += 1
        drover = Drover(self.folder / f"copy{self.count}", self.origin.environment)
        drover.folder.mkdir()
        shutil.copytree(self.origin.state, drover.state)
        return drover

    def killed(self, line):
        """(the copy, where it was killed) for each instant that is tried; the first is of a copy that nobody killed."""
        drover, trace = self.make(), self.folder / "trace"
        process = preloaded(drover, line, KILL_TRACE=str(trace))
        assert process.communicate(timeout=60) and process.returncode == 0
        yield drover, "not killed"
        calls = len(trace.read_text().splitlines())
        points = [(number, when) for number in range(1, calls + 1) for when in ("before", "after")]
        assert len(points) > 20
        for number, when in choose(points, COMMAND_SAMPLE):
            drover = self.make()
            process = preloaded(drover, line, KILL_AT=str(number), KILL_WHEN=when)
            process.communicate(timeout=60)
            yield drover, f"killed {when} call {number}, exit {process.returncode}"
            shutil.rmtree(drover.folder)


def told(drover):
    """Whom what was told, and what is in which state."""
    return (sorted((each["recipient"], each["subject"]) for each in drover.json("notice list")),
            [(each["id"], each["state"]) for each in drover.json("change list")["changes"]])


@pytest.mark.slow
def test_a_look_killed_before_its_mails_still_tells_each_author_once(drover, tmp_path):
    """One goes live, one lacks a sign-off, and one that is not due conflicts since somebody edited its row."""
    drover("user add ada ada@example.org")
    for role in ("operator", "relman"):
        drover(f"user grant ada {role} all")
    drover("release-doc put -", stdin='{"name": "web-1", "product": "web"}')
    for channel in ("release", "beta", "esr"):
        drover(f"rule add product=web channel={channel} mapping=web-1 rate=10")
    drover("requirement set web esr relman 1")
    for number, hours in ((1, 1), (2, 9), (3, 1)):
        drover(f"rule set {number} rate=20 --when +{hours}h --reason r --now 2026-11-21T10:00:00Z")
    with contextlib.closing(sqlite3.connect(drover.database, isolation_level=None)) as database:
        database.execute("UPDATE channel_change SET author = 'ada'")
    drover("rule set 2 rate=30 --now 2026-11-21T10:30:00Z")
    line = "change enact --now 2026-11-21T11:01:00Z"
    expected = None
    for copy, where in Copies(drover, tmp_path).killed(line):
        copy(line)
        expected = expected or told(copy)
        assert told(copy) == expected, where
        copy("history verify")
    assert [subject.split(":")[0] for _, subject in expected[0]] == [
        "change 1 is live", "change 2 conflicts", "change 3 waits for sign-offs"]


@pytest.mark.slow
def test_an_import_killed_at_any_call_is_there_whole_or_not_at_all(drover, tmp_path):
    rules = [{"rule_id": number, "priority": number, "product": "web", "channel": f"c{number}", "backgroundRate": 100,
              "data_version": 1} for number in range(1, 21)]
    (tmp_path / "rules.json").write_text(json.dumps({"rules": rules}))
    drover("status")
    line = f"rule import --balrog {tmp_path}/rules.json"
    counts = set()
    for copy, where in Copies(drover, tmp_path).killed(line):
        counts.add(len(copy.json("rule list")["rows"]))
        assert counts <= {0, 20}, where
        copy(f"{line} --without-refused")
        assert len(copy.json("rule list")["rows"]) == 20, where
        copy("history verify")
    assert counts == {0, 20}
