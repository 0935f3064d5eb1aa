# SPDX-License-Identifier: ISC
"""Several droverds on one database, and a database that goes away: one truth, and no accepted write is lost."""
import contextlib
import os
import sqlite3
import statistics
import subprocess
import threading
import time

import pytest

import beds
from beds import daemons, databases, engine, place  # noqa: F401 (fixtures)
from conftest import Repository

pytestmark = pytest.mark.slow

WRITERS = 8
DEADLINE_S = 30  # of a request, HttpServerOptions.deadline_ms
RETRY_S = 10


@pytest.fixture
def eight(place, tmp_path):
    """Product web with a landing for each writer, whose item is its number; and a token."""
    repository = Repository(tmp_path / "repository", place.environment)
    for number in range(1, WRITERS + 1):
        repository.commit(f"Change {number}", f"Bug: {number}")
    place(f"product add web --repository {repository.path}")
    place("landing scan")
    place.token = beds.admin_token(place)
    beds.configure(place, "[clock]\nscan-every = 1s\n")
    return place


def start(daemons, drover, count=1):
    started = [daemons(drover) for _ in range(count)]
    for daemon in started:
        daemon.token = drover.token
    return started


def rule(daemon, landing, turn, reason):
    return daemon("POST", f"/products/web/landings/{landing}/verdicts",
                  {"item": str(landing), "state": ("bad", "ok")[turn % 2], "reason": reason})


class Writers:
    """Each rules on its own landing, ok and bad in turn, through one droverd after the other."""

    def __init__(self, daemons, turns=None):
        self.daemons, self.turns = daemons, turns
        self.accepted, self.refused, self.wrong, self.slowest = [], [], [], 0.0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._write, args=(number,)) for number in range(1, WRITERS + 1)]
        for thread in self.threads:
            thread.start()

    def _write(self, number):
        turn = 0
        while not self.stop.is_set() and turn != self.turns:
            turn += 1
            reason = f"writer {number}, turn {turn}"
            began = time.monotonic()
            try:
                said = rule(self.daemons[turn % len(self.daemons)], number, turn, reason)
            except Exception as problem:  # noqa: BLE001
                self.wrong.append(f"{reason}: {problem!r}")
                continue
            self.slowest = max(self.slowest, time.monotonic() - began)
            if said.status == 200:
                if said.json["changed"]:
                    self.accepted.append(reason)
            elif said.status == 503 and said.headers["Retry-After"]:
                self.refused.append(reason)
                time.sleep(0.05)
            else:
                self.wrong.append(f"{reason}: {said.status} {said.text}")

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def reasons(drover):
    """Of all verdicts in the history, as a list: what stands twice is there twice."""
    found, before = [], None
    while True:
        page = drover.json(f"history list --limit 200{f' --before {before}' if before else ''}")
        found += [entry["reason"] for entry in page["entries"] if entry["action"] == "verdict.add"]
        before = page.get("next")
        if not before:
            return found


@beds.NEEDS_POSTGRESQL
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_what_one_droverd_took_the_other_shows_at_once_and_tells_its_streams(eight, daemons):
    one, two = start(daemons, eight, 2)
    stream = beds.EventStream(two)
    assert stream.status == 200 and stream.headers["content-type"].startswith("text/event-stream")
    beds.wait_until(stream.newest, "a stream begins with the newest change")
    waited = []
    for turn in range(1, 8):
        before = stream.newest()
        said = rule(one, 1, turn, f"turn {turn}")
        told = time.monotonic()
        assert said.status == 200
        shown = two("GET", "/products/web/landings/1").json
        assert shown["landing"]["items"][0]["state"] == ("bad", "ok")[turn % 2], shown
        beds.wait_until(lambda: stream.newest() > before, "the other's stream tells it", 5)
        waited.append(stream.events[-1][2] - told)
        time.sleep(0.5)  # one event a change
    assert statistics.median(waited) < 1, waited
    stream.close()


@pytest.mark.parametrize("count", [2])
def test_eight_writers_through_two_droverds_leave_one_whole_history(eight, daemons, count):
    both = start(daemons, eight, count)
    writers = Writers(both, turns=40)
    for thread in writers.threads:
        thread.join()
    assert not writers.wrong and not writers.refused, (writers.wrong or writers.refused)[:5]
    assert len(writers.accepted) == WRITERS * 40
    assert sorted(reasons(eight)) == sorted(writers.accepted)
    eight("history verify")
    truths = [daemon("GET", "/products/web/landings").json for daemon in both]
    assert truths[0] == truths[1]
    assert truths[0]["landings"] == eight.json("landing list")["landings"]
    assert eight.json("landing deployable")["deployable"] is None, "each ends with bad: turn 40 is even"


@beds.NEEDS_POSTGRESQL
@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_database_killed_under_load_loses_no_accepted_write(eight, daemons):
    both = start(daemons, eight, 2)
    writers = Writers(both)
    stream = beds.EventStream(both[0])
    for _ in range(3):
        time.sleep(0.7)
        assert subprocess.run([os.environ["DROVER_TEST_POSTGRESQL_RESTART"]], check=False).returncode == 0
        taken = len(writers.accepted)
        beds.wait_until(lambda: len(writers.accepted) > taken + 50, "the service resumes by itself", RETRY_S)
    writers.end()
    assert not writers.wrong, writers.wrong[:5]
    assert writers.slowest < DEADLINE_S
    kept = reasons(eight)
    lost = set(writers.accepted) - set(kept)
    assert not lost, f"{len(lost)} of {len(writers.accepted)} lost: {sorted(lost)[:5]}"
    twice = {reason for reason in kept if kept.count(reason) > 1}
    assert not twice, twice
    eight("history verify")
    eight("store check")
    for daemon in both:
        assert daemon("GET", "//healthz").status == 200
        assert "event=api.fault" not in daemon.log, daemon.log
    before = stream.newest()
    rule(both[1], 1, 1, "after")
    rule(both[1], 1, 2, "after")
    beds.wait_until(lambda: stream.newest() > before, "an open stream goes on")
    stream.close()


@contextlib.contextmanager
def away(database):
    """Nobody gets in, and who is in is put out."""
    database.sql(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS false")
    database.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.name}'")
    yield
    database.sql(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS true")


@beds.NEEDS_POSTGRESQL
@pytest.mark.slow
def test_while_the_database_is_away_everything_says_503_and_then_works_again(tmp_path, environment, daemons, databases):
    drover = beds.Drover(tmp_path, environment)
    database = databases()
    drover.place += ["--store", database.url]
    drover("store migrate")
    drover("product add web")
    drover.token = beds.admin_token(drover)
    daemon, = start(daemons, drover)
    with away(database):
        for method, path, body in (
                ("GET", "/status", None), ("GET", "/products", None), ("POST", "/jobs/run", None),
                ("POST", "/products", {"name": "api"}), ("GET", "//healthz", None), ("GET", "//events", None)):
            said = daemon(method, path, body)
            assert said.status == 503 and said.headers["Retry-After"], (path, said.status, said.text)
        figures = daemon("GET", "//metrics")
        assert figures.status == 200 and "\ndrover_store_reachable 0\n" in figures.text
        assert database.name in drover("status", exits=8).err
        beds.wait_until(lambda: daemon.said("event=store.away"), "it is logged")
        second = daemons(drover, ready=False)
        assert second.process.wait(20) == 8
        second.reader.join()
        assert database.name in second.log
    beds.wait_until(lambda: daemon("GET", "//healthz").status == 200, "it is back")
    beds.wait_until(lambda: daemon.said("event=store.back"), "it is logged")
    assert [product["name"] for product in daemon("GET", "/products").json] == ["web"]
    assert daemon("POST", "/products", {"name": "api"}).status == 200


@beds.NEEDS_POSTGRESQL
def test_after_a_restart_of_the_database_no_request_is_refused(tmp_path, environment, daemons, databases):
    drover = beds.Drover(tmp_path, environment)
    database = databases()
    drover.place += ["--store", database.url]
    drover("store migrate")
    drover.token = beds.admin_token(drover)
    daemon, = start(daemons, drover)
    for path in ("/products", "//healthz"):
        database.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.name}'")
        assert [daemon("GET", path).status for _ in range(20)] == [200] * 20, "each worker has its own connection"
    database.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.name}'")
    assert [daemon("POST", "/products", {"name": f"p{number}"}).status for number in range(20)] == [200] * 20


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_sqlite_file_that_somebody_holds_gives_503_and_then_works_again(eight, daemons):
    daemon, = start(daemons, eight)
    holder = sqlite3.connect(eight.database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    said = rule(daemon, 1, 1, "while it is held")
    assert said.status == 503 and said.headers["Retry-After"] and "sqlite:" in said.text
    assert time.monotonic() - began < DEADLINE_S
    assert daemon("GET", "/products/web/landings").status == 200, "readers are not in its way"
    assert daemon("GET", "//healthz").status == 200
    holder.execute("ROLLBACK")
    holder.close()
    assert rule(daemon, 1, 1, "afterwards").status == 200
    assert reasons(eight) == ["afterwards"]
