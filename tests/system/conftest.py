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
import shlex
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("DROVER_BUILD", ROOT / "build")).resolve()
# Whoever runs the tests as root says so; the programs are to refuse it otherwise.
ALLOW_ROOT = ["--allow-root"] if os.environ.get("DROVER_TEST_ALLOW_ROOT") else []
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
    """The server on a drover's store, on ports that the kernel picks. Does not scan by itself."""

    program = BUILD / "droverd"

    def __init__(self, drover, *options):
        folder = drover.folder
        (folder / "droverd.conf").write_text("[clock]\nscan-every = 0\nremind-every = 0\n")
        self.log = folder / "droverd.log"
        self.process = subprocess.Popen(
            [self.program, "--config", folder / "droverd.conf", "--state", drover.state, "--log-json",
             "--admin", "127.0.0.1:0", "--public", "127.0.0.1:0", *ALLOW_ROOT, *options],
            stderr=self.log.open("w"), cwd=folder, env=drover.environment)
        ready = self.wait_for("droverd.ready")
        self.admin, self.public = f"http://{ready['admin']}", f"http://{ready['public']}"

    def events(self):
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def wait_for(self, event, seconds=30):
        """The first event of that name in the log."""
        for _ in range(seconds * 50):
            for each in self.events():
                if each["event"] == event:
                    return each
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError(f"no {event} in {seconds} s: {self.log.read_text()}")

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)


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
    """droverd on the same store as `drover`."""
    drover("status")
    running = Droverd(drover)
    yield running
    assert running.stop() == 0


def through(drover, server, role="admin", person="ada"):
    """The command as this person types it elsewhere: it knows the server and a token, and no store."""
    if person not in drover("user list").out:
        drover(f"user add {person} {person}@example.org")
    if role:
        drover(f"user grant {person} {role} all")
    remote = Drover(drover.folder, {**drover.environment, "DROVER_TOKEN": drover(
        f"token add tests --person {person}").out.strip()})
    remote.place = ["--server", server.admin]
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
