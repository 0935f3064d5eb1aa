# SPDX-License-Identifier: ISC
"""`kill -9` of drover run at every call that changes a file, a folder or a socket; and the next run.

A run that has all there is to do: landings to read, a merge and a revert among them, reminders that are due, mails
that were queued before, a report to replace. Whatever the instant of its end, the next run must leave what a run
that nobody disturbed leaves: nothing lost, nothing done twice. (A mail may come twice, under the same Message-ID,
when the end came while it was `sending`.) A sample of the instants by default; DROVER_TEST_FULL=1 tries them all.
"""
import json
import random
import shutil
import signal
import subprocess

import pytest

import beds
from beds import databases, sink  # noqa: F401 (fixtures)
from conftest import Drover, Repository, frozen_environment

QUEUED_AT = "2026-11-07T07:30:00Z"
RUN_AT = "2026-11-07T09:00:00Z"
SAMPLES = {"sqlite": 40, "postgresql": 16}
SEED = 20261107


class Bed:
    """Copies of one state; each has a folder, a store and a report of its own, all send to one sink."""

    def __init__(self, folder, engine, databases, sink):
        self.folder, self.engine, self.databases, self.sink = folder, engine, databases, sink
        self.count = self.read = 0
        self.origin = Drover(folder / "origin", self._environment(folder / "origin"))
        self.database = databases() if engine == "postgresql" else None
        self._tell(self.origin, self.database, "")
        self._fill()

    def _environment(self, folder):
        folder.mkdir(exist_ok=True)
        return frozen_environment(folder)

    def _tell(self, drover, database, mail):
        beds.configure(drover, f"[report]\nfolder = {drover.folder}/report\n{mail}")
        if database:
            drover.place += ["--store", database.url]

    def _fill(self):
        drover, repository = self.origin, Repository(self.folder / "repository", self.origin.environment)
        for number in range(1, 9):
            revision = repository.commit(f"Change {number}", f"Bug: {number}", "ada" if number % 2 else "grace")
        if self.database:
            drover("store migrate")
        drover(f"product add web --repository {repository.path} --mail-list qa@example.org --overdue-days 1")
        drover("product add firmware")
        (drover.folder / "firmware.json").write_text(json.dumps({"landings": [
            {"rev": number, "revision": f"r{number}", "subject": f"Blob {number}", "author": "Linus",
             "email": "linus@example.org", "landed": "2026-11-01T08:00:00Z", "items": [{"id": str(number)}]}
            for number in (1, 2)]}))
        drover("landing import firmware.json --product firmware")
        drover(f"run --now {QUEUED_AT}")
        for line in ("qa ok 1 1", "qa ok 2 2", "qa bad 4 4", "qa untestable 5 5"):
            drover(f"{line} --product web --now {QUEUED_AT}")
        repository.commit("Change 9", "Bug: 9", "grace")
        repository.git("checkout", "-q", "-b", "topic", "HEAD~2")
        repository.git("commit", "-q", "--allow-empty", "-m", "Topic\n\nBug: 10", **repository._when("edsger"))
        repository.git("checkout", "-q", "main")
        repository.git("merge", "-q", "--no-ff", "-m", "Merge topic", "topic", **repository._when("ada"))
        repository.revert(revision)
        assert all(notice["state"] == "queued" for notice in drover.json("notice list"))

    def copy(self):
        self.count += 1
        folder = self.folder / f"round{self.count}"
        shutil.copytree(self.origin.folder, folder)
        drover = Drover(folder, frozen_environment(folder))
        database = self.databases(self.database) if self.database else None
        self._tell(drover, database, f"[mail]\nurl = {self.sink.url}\nfrom = drover@example.org\nrequire-tls = no\n")
        return drover, database

    def forget(self, drover, database):
        shutil.rmtree(drover.folder)
        if database:
            database.drop()

    def new_mails(self):
        mails = self.sink.mails()[self.read:]
        self.read += len(mails)
        return mails


def run(drover, exits=0, **environment):
    done = subprocess.run(
        drover.words(f"run --now {RUN_AT}"), capture_output=True, text=True, timeout=60, cwd=drover.folder,
        env={**drover.environment, **environment}, check=False)
    assert done.returncode == exits, f"exit {done.returncode}, not {exits}: {done.stdout}{done.stderr}"
    return done


def report_of(drover):
    folder = drover.folder / "report"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def truth(drover):
    """All that the run is to leave, without what differs from one store to the next."""
    return {
        "web": drover.json("landing list web --limit 1000"),
        "firmware": drover.json("landing list firmware"),
        "deployable": drover.json("landing deployable --product web"),
        "verdicts": [drover.json(f"landing show {number} --product web") for number in (1, 4, 10, 11)],
        "notices": sorted((notice["recipient"], notice["subject"], notice["state"])
                          for notice in drover.json("notice list")),
        "history": [(entry["action"], entry["subject"]) for entry in drover.json("history list")["entries"]],
        "report": report_of(drover),
    }


def check(bed, drover, expected, expected_mails):
    """After a killed run: the next one makes all good. Returns how many mails came twice."""
    sending = {notice["recipient"] for notice in drover.json("notice list") if notice["state"] == "sending"}
    run(drover)
    now = truth(drover)
    for name, value in expected.items():
        assert now[name] == value, f"{name}: {value} became {now[name]}"
    drover("history verify")
    drover("store check")
    beside = sorted(path.name for path in drover.folder.iterdir() if "part-" in path.name)
    assert beside == [], "left beside the report"
    mails = bed.new_mails()
    identities = [identity for _, identity, _ in mails]
    assert set(identities) == expected_mails, "mails lost or of another name"
    twice = [recipient for recipient, identity, _ in mails if identities.count(identity) > 1]
    assert len(twice) in (0, 2) and set(twice) <= sending, f"sent twice: {twice}; sending were {sending}"
    return len(twice) // 2


def choose(points, sample):
    if beds.FULL:
        return points
    return sorted(random.Random(SEED).sample(points, min(sample, len(points))))


@pytest.mark.slow
@pytest.mark.parametrize("engine", beds.ENGINES)
def test_a_run_killed_at_any_call_loses_nothing_and_does_nothing_twice(tmp_path, engine, databases, sink):
    bed = Bed(tmp_path, engine, databases, sink)
    undisturbed, database = bed.copy()
    trace = tmp_path / "trace"
    run(undisturbed, LD_PRELOAD=str(beds.KILL_AT), KILL_TRACE=str(trace))
    calls = trace.read_text().splitlines()
    assert len(calls) > 100
    for name in ("write", "send", *(("sync", "exchange", "unlink") if engine == "sqlite" else ("exchange",))):
        assert any(call.startswith(name) for call in calls), f"no {name} was seen"
    expected = truth(undisturbed)
    expected_mails = {identity for _, identity, _ in bed.new_mails()}
    assert len(expected_mails) >= 4
    assert {state for _, _, state in expected["notices"]} == {"sent"}, undisturbed.json("notice list")
    bed.forget(undisturbed, database)

    points = [(number, when) for number in range(1, len(calls) + 1) for when in ("before", "after")]
    failed = []
    for number, when in choose(points, SAMPLES[engine]):
        drover, database = bed.copy()
        try:
            run(drover, exits=-signal.SIGKILL, LD_PRELOAD=str(beds.KILL_AT), KILL_AT=str(number), KILL_WHEN=when)
            check(bed, drover, expected, expected_mails)
        except AssertionError as problem:
            failed.append(f"killed {when} call {number} ({calls[number - 1]}): {str(problem)[:2000]}")
            bed.new_mails()
        bed.forget(drover, database)
    assert not failed, f"{len(failed)} failed:\n" + "\n".join(failed)


@pytest.mark.slow
@pytest.mark.parametrize("engine", beds.ENGINES)
def test_killed_again_and_again_it_gets_there(tmp_path, engine, databases, sink):
    """Ends in a row, each at another call, then one run to the end."""
    bed = Bed(tmp_path, engine, databases, sink)
    undisturbed, _ = bed.copy()
    run(undisturbed)
    expected = truth(undisturbed)
    expected_mails = {identity for _, identity, _ in bed.new_mails()}
    drover, _ = bed.copy()
    generator = random.Random(SEED)
    for _ in range(30):
        subprocess.run(
            drover.words(f"run --now {RUN_AT}"), capture_output=True, timeout=60, cwd=drover.folder, check=False,
            env={**drover.environment, "LD_PRELOAD": str(beds.KILL_AT), "KILL_AT": str(generator.randint(1, 150))})
    run(drover)
    assert truth(drover) == expected
    assert {identity for _, identity, _ in bed.new_mails()} == expected_mails
    drover("history verify")
    drover("store check")
