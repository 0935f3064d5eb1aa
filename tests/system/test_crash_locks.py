# SPDX-License-Identifier: ISC
"""One at a time: two simultaneous `drover run`, dead holders, and locks that are held for too long."""
import os
import random
import re
import signal
import socket
import subprocess

import pytest

import beds
from beds import daemons, databases, engine, place, sink  # noqa: F401 (fixtures)
from conftest import Repository

pytestmark = pytest.mark.slow

SEED = 4711
# Rounds with a holder that is stopped at some instant; with two that start at once while mail is slow; with two
# that start at once and nothing else. 200 in all on SQLite, 50 on PostgreSQL.
ROUNDS = {"sqlite": (100, 60, 40), "postgresql": (25, 15, 10)}
SLOW_MAIL_S = 0.15


@pytest.fixture
def small(place, tmp_path):
    """A product with one landing whose owner is reminded every day."""
    repository = Repository(tmp_path / "repository", place.environment)
    repository.commit("Change 1", "Bug: 1")
    place(f"product add web --repository {repository.path}")
    beds.configure(place, f"[report]\nfolder = {tmp_path}/report\n")
    place("run")
    return place


def preloaded(drover, line, pass_fds=(), **environment):
    return subprocess.Popen(
        drover.words(line), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=drover.folder,
        pass_fds=pass_fds, env={**drover.environment, "LD_PRELOAD": str(beds.KILL_AT), **environment})


def together(drover, line):
    """Two copies that pass the door at the same instant: [(exit status, what was said, pid)]."""
    ready, tell_ready = os.pipe()
    go, hold = os.pipe()
    both = [preloaded(drover, line, pass_fds=(tell_ready, go), KILL_BARRIER=f"{tell_ready},{go}") for _ in range(2)]
    got = b""
    while len(got) < 2:
        got += os.read(ready, 2)
    for fd in (ready, tell_ready, go, hold):
        os.close(fd)
    said = [process.communicate(timeout=60)[1] for process in both]
    return [(process.returncode, text, process.pid) for process, text in zip(both, said)]


def names_the_holder(said, pid):
    return re.search(rf"is at work on host {re.escape(socket.gethostname())}, pid {pid}, for \d+ (s|min)", said)


def stopped(drover, line, at):
    """A copy that has stopped before its call number `at`, and whatever it holds."""
    process = preloaded(drover, line, KILL_AT=str(at), KILL_WHEN="stop")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), f"ended before its call {at}"
    return process


def calls_while_holding(drover, line, tmp_path):
    """Numbers of the calls between those in which the first lock gets its holder's name and loses it again."""
    trace = tmp_path / "trace"
    process = preloaded(drover, line, KILL_TRACE=str(trace))
    process.communicate(timeout=60)
    assert process.returncode == 0
    calls = [call.split("\t") for call in trace.read_text().splitlines()]
    trace.unlink()
    if "--store" in drover.place:
        # The report's files are written while the lock is held; before them, the store is asked and written.
        marked = [number for number, call in enumerate(calls, 1) if "report" in call[2]]
        return range(marked[0], marked[-1])
    named = next(number for number, call in enumerate(calls, 1) if call[0] == "write" and "report.lock" in call[2])
    emptied = max(number for number, call in enumerate(calls, 1) if "report.lock" in call[2])
    return range(named + 1, emptied + 1)


@pytest.mark.slow
def test_of_two_simultaneous_runs_one_works_and_the_other_says_who(small, engine, tmp_path, sink):
    held, raced, bare = ROUNDS[engine]
    generator = random.Random(SEED)

    beds.configure(small, f"[report]\nfolder = {tmp_path}/report\n")
    instants = calls_while_holding(small, "run", tmp_path)
    for _ in range(held):
        first = stopped(small, "run", generator.choice(instants))
        second = small("run", exits=6)
        assert names_the_holder(second.err, first.pid), second.err
        os.kill(first.pid, signal.SIGCONT)
        said = first.communicate(timeout=60)
        assert first.returncode == 0, said

    slow = beds.Sink(tmp_path / "slow", "--slow-message", str(SLOW_MAIL_S))
    beds.configure(small, f"[report]\nfolder = {tmp_path}/report\n[mail]\nurl = {slow.url}\nrequire-tls = no\n")
    small("run --now 2027-01-01T08:00:00Z")
    before = len(slow.mails())
    for day in range(1, raced + 1):
        now = f"2027-{1 + day // 28:02d}-{1 + day % 28:02d}T09:00:00Z"
        outcome = sorted(together(small, f"run --now {now}"))
        assert [code for code, _, _ in outcome] == [0, 6], outcome
        assert names_the_holder(outcome[1][1], outcome[0][2]), outcome
        assert len(slow.mails()) == before + day, "one works: one mail"
    slow.stop()

    beds.configure(small, "")
    for _ in range(bare):
        outcome = sorted(together(small, "run"))
        codes = [code for code, _, _ in outcome]
        assert codes in ([0, 6], [0, 0]), outcome  # so short that the second may come when the first is done
        assert codes == [0, 0] or names_the_holder(outcome[1][1], outcome[0][2]), outcome


def test_a_holder_that_was_killed_blocks_nobody(small, tmp_path):
    instants = calls_while_holding(small, "run", tmp_path)
    for at in instants[::max(1, len(instants) // 8)]:
        holder = stopped(small, "run", at)
        small("run", exits=6)
        holder.kill()
        holder.communicate()
        # SQLite's lock is gone with the process; PostgreSQL's server sees within moments that its client is.
        if "--store" in small.place:
            beds.wait_until(lambda: small.json("status")["jobs"] == [], "the server sees that its client is gone", 5)
        small("run")
        assert small.json("status")["jobs"] == []


def test_a_lock_held_for_too_long_is_loud_everywhere(small, tmp_path, daemons):
    beds.configure(small, f"[report]\nfolder = {tmp_path}/report\n[job]\nlock-warn = 1s\n[clock]\nscan-every = 1s\n")
    token = beds.admin_token(small)
    instants = calls_while_holding(small, "run", tmp_path)
    holder = stopped(small, "run", instants[-1])
    daemon = daemons(small)
    daemon.token = token
    try:
        def report():
            return next(job for job in daemon("GET", "/status").json["jobs"] if job["job"] == "report")

        job = beds.wait_until(lambda: report()["stale"] and report(), "the lock is called stale")
        assert job["pid"] == holder.pid and job["host"] == socket.gethostname()
        said = small("run", exits=6).err
        assert "HUNG? report is at work" in said and str(holder.pid) in said
        assert "HUNG?" in small("landing list").err
        line = beds.wait_until(lambda: daemon.said("event=clock.trouble"), "droverd logs it")
        assert "level=warning" in line and f"pid {holder.pid}" in line
    finally:
        holder.kill()
        holder.communicate()
    at_work = lambda: [job["job"] for job in daemon("GET", "/status").json["jobs"]]  # noqa: E731
    beds.wait_until(lambda: "report" not in at_work(), "the database sees that its client is gone", 5)
    beds.configure(small, "")
    assert "HUNG?" not in small("report --out report").err
