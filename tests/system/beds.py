# SPDX-License-Identifier: ISC
"""What stands around the programs in the hard tests: a mail server, databases of PostgreSQL, droverd, and the
library that kills a program at one of its calls. Import the fixtures that a test needs."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time
import uuid

import pytest

from conftest import BUILD, ROOT, Drover, Droverd, frozen_environment

KILL_AT = BUILD / "tests/system/crash/libkill_at.so"
FULL = bool(os.environ.get("DROVER_TEST_FULL"))
SERVER = os.environ.get("DROVER_TEST_POSTGRESQL")
NEEDS_POSTGRESQL = pytest.mark.skipif(not SERVER, reason="run by tests/with-postgres")
ENGINES = ["sqlite", pytest.param("postgresql", marks=NEEDS_POSTGRESQL)]


def wait_until(true, what, seconds=10.0):
    """Returns what true() gave when it was no longer false."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, f"still waiting, after {seconds} s: {what}"
        time.sleep(0.01)
    return value


class Sink:
    """tests/smtp-sink, and the mails that it kept."""

    def __init__(self, folder, *how):
        self.folder = folder
        folder.mkdir()
        self.process = subprocess.Popen(
            ["/usr/bin/python3", str(ROOT / "tests/smtp-sink"), str(folder), *how], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"smtp://127.0.0.1:{self.port}"

    def mails(self):
        """(recipient, Message-ID, text) of each, in the order in which they came."""
        kept = []
        for about in sorted(self.folder.glob("*.json")):
            text = about.with_suffix(".eml").read_text()
            identity = re.search(r"(?mi)^Message-ID:\s*<([^>]+)>", text)
            kept.append((json.loads(about.read_text())["to"][0], identity.group(1), text))
        return kept

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def sink(tmp_path):
    sink = Sink(tmp_path / "mails")
    yield sink
    sink.stop()


class Database:
    """A database of its own on the test run's PostgreSQL server. May be made as a copy of another."""

    def __init__(self, template="template0"):
        self.name = "drover_" + uuid.uuid4().hex[:12]
        self.sql(f"CREATE DATABASE {self.name} TEMPLATE {template}")
        self.url = SERVER.replace("/postgres?", f"/{self.name}?")

    @staticmethod
    def sql(text, url=SERVER):
        return subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", text], check=True,
            capture_output=True, text=True).stdout.strip()

    def query(self, text):
        return self.sql(text, self.url)

    def copy(self):
        """Nobody may be connected."""
        wait_until(lambda: self.sql(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{self.name}'") == "0",
                   "sessions end")
        return Database(self.name)

    def drop(self):
        self.sql(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


@pytest.fixture
def databases():
    """Call it for a database. All are gone after the test."""
    made = []

    def make(of=None):
        made.append(of.copy() if of else Database())
        return made[-1]

    yield make
    for database in made:
        database.drop()


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


@pytest.fixture
def place(engine, tmp_path, databases):
    """The command, on a store of each kind."""
    drover = Drover(tmp_path, frozen_environment(tmp_path))
    if engine == "postgresql":
        drover.place += ["--store", databases().url]
        drover("store migrate")
    else:
        drover.state.mkdir(mode=0o700)
    return drover


def configure(drover, text):
    """Gives the command and droverd a configuration of their own."""
    path = drover.folder / "drover.conf"
    path.write_text(text)
    drover.environment["DROVER_CONFIG"] = str(path)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()


class Client:
    """An HTTP client with a token, one connection a request unless told otherwise."""

    def __init__(self, port, token=None, timeout=40, context=None):
        self.port, self.token, self.timeout, self.context = port, token, timeout, context

    def _connect(self):
        if self.context:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=self.timeout, context=self.context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)

    def __call__(self, method, path, body=None, connection=None, **headers):
        """A path below /api/v1, or any other from //. `body`: JSON, or the text of a form."""
        path = path[1:] if path.startswith("//") else "/api/v1" + path
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if isinstance(body, str):
            headers.update({"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://localhost:{self.port}",
                            "Host": f"localhost:{self.port}"})
        elif body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        own = connection is None
        connection = connection or self._connect()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            if own:
                connection.close()

    def keep(self):
        return self._connect()


class Daemon(Droverd):
    """A droverd on a drover's store, asked as a person with a token asks."""

    def __init__(self, drover, *options, environment=None):
        self.drover = drover
        self.token = None
        super().__init__(drover.place, {**drover.environment, **(environment or {})}, *options, folder=drover.folder)

    def client(self, **how):
        return Client(self.port, self.token, **how)

    def __call__(self, method, path, body=None, **headers):
        return self.client()(method, path, body, **headers)

    def memory_kb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))


@pytest.fixture
def daemons():
    """daemons(drover, options…) starts a droverd and waits for it; all are stopped after the test."""
    started = []

    def start(drover, *options, ready=True, **how):
        daemon = Daemon(drover, *options, **how)
        started.append(daemon)
        return daemon.wait_until_ready() if ready else daemon

    yield start
    for daemon in started:
        daemon.stop()


def admin_token(drover, name="root"):
    """A person who may do everything, and a token of theirs."""
    drover(f"user add {name} {name}@example.org")
    drover(f"user grant {name} admin all")
    return drover.json(f"token add tests --person {name}")["secret"]


class EventStream:
    """A raw reader of GET /events: (event, data) by arrival."""

    def __init__(self, daemon):
        self.events = []
        self.socket = socket.create_connection(("127.0.0.1", daemon.port), timeout=30)
        self.socket.sendall(f"GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
                            f"Authorization: Bearer {daemon.token}\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline()).strip():
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        name = None
        with contextlib.suppress(OSError, ValueError):
            for line in self.file:
                text = line.decode().strip()
                if text.startswith("event:"):
                    name = text[6:].strip()
                elif text.startswith("data:"):
                    self.events.append((name, json.loads(text[5:]), time.monotonic()))

    def newest(self):
        return max((data["changes"] for name, data, _ in list(self.events) if name == "changed"), default=0)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.file.close()
        self.socket.close()
