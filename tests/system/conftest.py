# SPDX-License-Identifier: ISC
"""What the system tests share: the built programs, a store of their own, and git repositories to read.

A test reads like a session at a terminal:

    def test_it_may_be_deployed_when_all_is_ok(drover, repository):
        repository.commit("Fix login", "Bug: 7")
        drover(f"product add web --repository {repository.path}")
        drover("landing scan")
        drover("qa ok 1 7")
        assert "landing 1" in drover("landing deployable").out

The programs are those in the folder that DROVER_BUILD names (build/ by default). Nothing outside the test's own
folder is read or written: no home, no configuration, no other git settings.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DROVER_BUILD", ROOT / "build")).resolve()
# Whoever runs the tests as root says so; the programs are to refuse it otherwise.
ALLOW_ROOT = ["--allow-root"] if os.environ.get("DROVER_TEST_ALLOW_ROOT") else []
READY_S, ENDS_S = 30, 60
KEPT = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LD_LIBRARY_PATH")


def pytest_configure():
    if os.geteuid() == 0 and not ALLOW_ROOT:
        pytest.exit("the programs refuse to work as root: run the tests as another user, or set DROVER_TEST_ALLOW_ROOT=1",
                    returncode=4)


class Result:
    """What a program said: .out, .err, .code; .json is .out read."""

    def __init__(self, done):
        self.out, self.err, self.code = done.stdout, done.stderr, done.returncode

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return self.out.splitlines()


class Drover:
    """The command on a store of its own. drover("landing scan") must exit with 0, or with `exits`."""

    program = BUILD / "drover"

    def __init__(self, folder, environment):
        self.folder = folder
        self.state = folder / "state"
        self.environment = environment
        self.place = ["--state", str(self.state)]

    @property
    def database(self):
        return self.state / "drover.db"

    def words(self, line, alone=False):
        given = shlex.split(line) if isinstance(line, str) else [str(word) for word in line]
        return [str(self.program), *given, *([] if alone else self.place + ALLOW_ROOT)]

    def __call__(self, line, exits=0, stdin="", alone=False, **environment):
        """`alone`: without the options that name the store. More variables go into the environment."""
        done = subprocess.run(
            self.words(line, alone), input=stdin, capture_output=True, text=True, timeout=60, cwd=self.folder,
            env={**self.environment, **environment}, check=False)
        assert done.returncode == exits, f"{line}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return Result(done)

    def start(self, line):
        """Leaves it running: a Popen."""
        return subprocess.Popen(
            self.words(line), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder,
            env=self.environment)

    def json(self, line, exits=0):
        return self([*shlex.split(line), "--json"], exits).json


class Droverd:
    """A droverd under way, on ports that the kernel picks unless `options` say otherwise; its log is read all the time.

    .port and .public_port are there when wait_until_ready() has returned."""

    program = BUILD / "droverd"

    def __init__(self, place, environment, *options, folder=None):
        self.process = subprocess.Popen(
            [str(self.program), *map(str, place), "--admin", "127.0.0.1:0", "--public", "127.0.0.1:0",
             *map(str, options), *ALLOW_ROOT],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", cwd=folder, env=environment)
        self.lines = []
        self.port = self.public_port = None
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
        self.process.stderr.close()

    @property
    def log(self):
        return "\n".join(list(self.lines))

    def said(self, text):
        return next((line for line in list(self.lines) if text in line), None)

    def wait_until_ready(self):
        until = time.monotonic() + READY_S
        while not (line := self.said("event=droverd.ready")):
            if self.process.poll() is not None:
                self.reader.join(timeout=10)  # what it said last is the message
            assert self.process.poll() is None and time.monotonic() < until, self.log
            time.sleep(0.01)
        self.port, self.public_port = (
            int(re.search(rf" {address}=\S+:(\d+)", line)[1]) for address in ("admin", "public"))
        return self

    def stop(self, number=signal.SIGTERM):
        """Its exit status. Who does not end is killed, and fails the test."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(ENDS_S)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.reader.join()


class Repository:
    """A git repository on branch main. Every commit is a minute after the one before."""

    def __init__(self, path, environment):
        self.path = path
        self.environment = environment
        self.minutes = 0
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words, **environment):
        return subprocess.run(
            ["git", *words], cwd=self.path, check=True, capture_output=True, text=True,
            env={**self.environment, **environment}).stdout.strip()

    def _when(self, author):
        self.minutes += 1
        hours, minutes = divmod(self.minutes, 60)
        when = f"2026-11-02T{8 + hours:02d}:{minutes:02d}:00+00:00"
        name, email = author.capitalize(), f"{author}@example.org"
        return {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "GIT_AUTHOR_NAME": name,
                "GIT_AUTHOR_EMAIL": email, "GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email}

    def commit(self, subject, body="", author="ada"):
        """Returns the revision."""
        (self.path / "log.txt").open("a").write(f"{self.minutes} {subject!r}\n")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"{subject}\n\n{body}".strip(), **self._when(author))
        return self.git("rev-parse", "HEAD")

    def revert(self, revision, author="ada"):
        subject = self.git("log", "-1", "--format=%s", revision)
        return self.commit(f'Revert "{subject}"', f"This reverts commit {revision}.", author)


def frozen_environment(folder):
    (folder / "home").mkdir(exist_ok=True)
    (folder / "empty.conf").write_text("")
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        "HOME": str(folder / "home"), "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "dumb",
        "DROVER_CONFIG": str(folder / "empty.conf"),
        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
    }


@pytest.fixture
def environment(tmp_path):
    return frozen_environment(tmp_path)


@pytest.fixture
def drover(tmp_path, environment):
    return Drover(tmp_path, environment)


@pytest.fixture
def server(drover):
    """droverd on the same store as `drover`. Does not scan by itself."""
    drover("status")
    (drover.folder / "droverd.conf").write_text("[clock]\nscan-every = 0\nremind-every = 0\n")
    running = Droverd(drover.place, drover.environment, "--config", drover.folder / "droverd.conf", folder=drover.folder)
    yield running.wait_until_ready()
    assert running.stop() == 0


def through(drover, server, role="admin", person="ada"):
    """The command as this person types it elsewhere: it knows the server and a token, and no store."""
    if person not in drover("user list").out:
        drover(f"user add {person} {person}@example.org")
    if role:
        drover(f"user grant {person} {role} all")
    remote = Drover(drover.folder, {**drover.environment, "DROVER_TOKEN": drover(
        f"token add tests --person {person}").out.strip()})
    remote.place = ["--server", f"http://127.0.0.1:{server.port}"]
    return remote


@contextlib.contextmanager
def held(drover, job, minutes=0):
    """Somebody holds the job's lock, and has for some minutes."""
    folder = drover.state / "drover.db.locks"
    folder.mkdir(exist_ok=True)
    with open(folder / f"{job}.lock", "w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        file.write(f"{socket.gethostname()} {os.getpid()} {int((time.time() - 60 * minutes) * 1e6)}\n")
        file.flush()
        yield


@pytest.fixture
def repository(tmp_path, environment):
    return Repository(tmp_path / "repository", environment)


@pytest.fixture
def web(drover, repository):
    """Product web: five landings about items 1 to 5; 1 and 2 are ok, 4 is bad, 3 and 5 wait. Gives the drover."""
    for number in range(1, 6):
        repository.commit(f"Change {number}", f"Bug: {number}", author="ada" if number % 2 else "grace")
    drover(f"product add web --repository {repository.path}")
    drover("landing scan")
    for line in ("qa ok 1 1", "qa ok 2 2", "qa bad 4 4 --reason 'login fails'"):
        drover(line)
    return drover
