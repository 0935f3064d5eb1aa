# SPDX-License-Identifier: ISC
"""Changes with several droverds, clocks and people at once, and with a store that goes away: each goes live once, its
author hears of it once, no accepted edit is lost, and every droverd answers clients the same."""
import datetime
import json
import os
import re
import signal
import sqlite3
import statistics
import subprocess
import threading
import time

import pytest

import beds
from beds import daemons, databases, engine, place, sink  # noqa: F401 (fixtures)
from test_crash_database import start

pytestmark = pytest.mark.slow

CHANGES = 120
SPREAD_S = 4
VISIBLE_S = 1
QUEUED_S = 40
POSTGRESQL = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
RELEASES = 4


def instant(seconds):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return then.isoformat().replace("+00:00", "Z")


def insert(table, row, **more):
    return {"op": "insert", "table": table, "row": row, **more}


def update(rule, **row):
    return {"op": "update", "table": "rules", "rule_id": rule, "row": row}


@pytest.fixture
def channels(place, sink):
    """Product web with four releases and rules 1 to 10, each of a channel c1 to c10 of its own."""
    beds.configure(place, "[clock]\nscan-every = 0\nremind-every = 0\n"
                   f"[mail]\nurl = {sink.url}\nfrom = drover@example.org\nrequire-tls = no\n")
    place.token = beds.admin_token(place)
    place.sink = sink
    return place


def fill(daemon):
    edit(daemon, insert("products", {"product": "web", "scheme": "semver"}),
         *(insert("releases", {"name": f"web-{n}", "product": "web", "version": f"{n}.0.0"}) for n in range(1, RELEASES + 1)),
         *(insert("rules", {"product": "web", "channel": f"c{n}", "mapping": "web-1"}, rule_id=n) for n in range(1, 11)))


def good(said):
    assert said.status == 200, said.text
    return said.json


def edit(daemon, *ops):
    return good(daemon("POST", "/edits", {"ops": list(ops), "reason": "a test"}))


def submit(daemon, when, *ops, title="A change"):
    return good(daemon("POST", "/changes", {"title": title, "when": when, "ops": list(ops), "reason": "because"}))


def show(daemon, change):
    return good(daemon("GET", f"/changes/{change['id']}"))


def offered(daemon, channel):
    """The version that a client is told, by the public address."""
    line = beds.Client(daemon.public_port)
    said = line("GET", f"//update/node/web/{channel}?version=0.5.0")
    assert said.status == 200, said.text
    found = re.search(r"web-(\d)", said.text)
    return int(found[1]) if found else 0


def entries(drover, action):
    """All of that action in the history, oldest first."""
    found, before = [], None
    while True:
        page = drover.json(f"history list --limit 200{f' --before {before}' if before else ''}")
        found += [entry for entry in page["entries"] if entry["action"] == action]
        before = page.get("next")
        if not before:
            return found[::-1]


def whole(drover):
    drover("history verify")
    drover("store check")


def is_empty(daemon):
    return not good(daemon("GET", "/changes?state=scheduled"))["changes"]


def went_live_once(drover, changes):
    lived = [entry["subject"] for entry in entries(drover, "change.live")]
    assert sorted(lived) == sorted(f"change/{change['id']}" for change in changes)


def told_once(drover, changes):
    """One mail about each; mails that were being sent as their droverd was killed may come again, under the same id."""
    wanted = sorted(change["id"] for change in changes)

    def live():
        found = {identity: text for _, identity, text in drover.sink.mails()}
        return sorted(int(re.search(r"(?m)^Subject: change (\d+) is live", text)[1]) for text in found.values())

    beds.wait_until(lambda: live() == wanted, "every author heard", 30)


def submit_many(daemon):
    """On ten rows, twelve on each, with what they leave: rates 1 to 12. Each row's go live in their order."""
    begin = time.time() + 5
    made = []
    for number in range(CHANGES):
        when = datetime.datetime.fromtimestamp(begin + SPREAD_S * number / CHANGES, datetime.timezone.utc)
        made.append(submit(daemon, when.isoformat().replace("+00:00", "Z"), update(number % 10 + 1, rate=number // 10 + 1)))
    return made, begin


def rates(drover):
    return [row.get("rate") for row in drover.json("rule list")["rows"]]


@beds.NEEDS_POSTGRESQL
@pytest.mark.slow
@pytest.mark.alone
@POSTGRESQL
def test_each_change_goes_live_once_though_a_droverd_and_the_database_die(channels, daemons):
    one, two = start(daemons, channels, 2)
    fill(one)
    made, begin = submit_many(one)
    time.sleep(max(0, begin + SPREAD_S / 4 - time.time()))
    two.process.send_signal(signal.SIGKILL)
    two.process.wait()
    two, = start(daemons, channels)
    assert subprocess.run([os.environ["DROVER_TEST_POSTGRESQL_RESTART"]], check=False).returncode == 0
    beds.wait_until(lambda: one("GET", "/changes?state=scheduled").status == 200 and is_empty(one), "all went live", QUEUED_S)
    went_live_once(channels, made)
    assert rates(channels) == [CHANGES // 10] * 10
    assert not is_overdue(channels)
    told_once(channels, made)
    whole(channels)


def is_overdue(drover):
    return [entry for entry in entries(drover, "change.wait") if "overdue" in json.dumps(entry)]


@beds.NEEDS_POSTGRESQL
@POSTGRESQL
def test_two_droverds_answer_the_same_within_a_second(channels, daemons):
    both = start(daemons, channels, 2)
    fill(both[0])
    took = []
    for turn in range(4):
        wanted = turn % (RELEASES - 1) + 2
        change = submit(both[turn % 2], instant(0.3), update(1, mapping=f"web-{wanted}"))
        beds.wait_until(lambda: show(both[0], change)["state"] == "live", "it goes live")
        live = time.monotonic()
        for daemon in both:
            beds.wait_until(lambda: offered(daemon, "c1") == wanted, "its clients hear")
        took.append(time.monotonic() - live)
    assert statistics.median(took) < VISIBLE_S, took


class Threads:
    """Each does its work until all of it is done; whatever it could not do fails the test."""

    def __init__(self, *works):
        self.problems = []
        self.threads = [threading.Thread(target=self._run, args=(work,)) for work in works]
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()
        assert not self.problems, self.problems[0]

    def _run(self, work):
        try:
            work()
        except Exception as problem:  # noqa: BLE001
            self.problems.append(repr(problem))


@pytest.mark.slow
def test_direct_edits_race_with_the_clock_and_nothing_is_lost(channels, daemons):
    """Both write rules 1 to 3, other columns: whoever comes first, the other is merged."""
    both = start(daemons, channels, 2 if "--store" in channels.place else 1)
    fill(both[0])
    made = [submit(both[0], instant(1.5 + number / 15), update(number % 3 + 1, rate=number + 1)) for number in range(30)]
    accepted = []

    def write(who):
        for turn in range(25):
            comment = f"{who}, turn {turn}"
            said = both[turn % len(both)]("POST", "/edits", {"ops": [update(turn % 3 + 1, comment=comment)], "reason": comment})
            assert said.status == 200, said.text
            accepted.append(comment)
            time.sleep(0.05)

    Threads(lambda: write("ada"), lambda: write("bob"))
    beds.wait_until(lambda: is_empty(both[0]), "all went live", QUEUED_S)
    went_live_once(channels, made)
    edits = [entry["reason"] for entry in entries(channels, "rules.update") if "turn" in (entry["reason"] or "")]
    assert sorted(edits) == sorted(accepted) and len(edits) == 50
    rows = channels.json("rule list")["rows"]
    last = {rule: [each for each in edits if int(each.split()[-1]) % 3 + 1 == rule][-1] for rule in (1, 2, 3)}
    assert [(row["rate"], row["comment"]) for row in rows[:3]] == [(28, last[1]), (29, last[2]), (30, last[3])]
    whole(channels)


def test_an_edit_that_races_with_going_live_is_live_or_was_refused(channels, daemons):
    daemon, = start(daemons, channels)
    fill(daemon)
    made = [submit(daemon, instant(1.0 + number / 10), update(number + 1, priority=1)) for number in range(10)]
    last = {rule: 1 for rule in range(1, 11)}

    def push(change, rule):
        priority = 1
        while True:
            now = show(daemon, change)
            if now["state"] == "live":
                return
            said = daemon("PUT", f"/changes/{change['id']}",
                          {"data_version": now["data_version"], "ops": [update(rule, priority=priority + 1)]})
            assert said.status in (200, 409), said.text
            if said.status == 200:
                priority += 1
                last[rule] = priority

    Threads(*(lambda change=change, rule=rule: push(change, rule) for rule, change in enumerate(made, 1)))
    assert {row["rule_id"]: row["priority"] for row in channels.json("rule list")["rows"]} == last
    went_live_once(channels, made)
    whole(channels)


def test_nothing_goes_live_that_nobody_signed(channels, daemons):
    """An author who edits again and again, and one who signs what they read."""
    daemon, = start(daemons, channels)
    fill(daemon)
    edit(daemon, insert("requirements", {"product": "web", "channel": "*", "role": "relman", "n": 1}))
    channels("user add rita rita@example.org")
    channels("user grant rita relman all")
    channels("user grant rita viewer all")
    rita = beds.Client(daemon.port, channels.json("token add tests --person rita")["secret"])
    change = submit(daemon, instant(0.2), update(1, rate=1))
    signed, refused = {}, []

    def write():
        for rate in range(2, 40):
            now = show(daemon, change)
            said = daemon("PUT", f"/changes/{change['id']}",
                          {"data_version": now["data_version"], "ops": [update(1, rate=rate)]})
            if said.status != 200:
                return
            time.sleep(0.01)

    def sign():
        until = time.monotonic() + 30
        while (now := show(daemon, change))["state"] != "live":
            assert time.monotonic() < until
            said = rita("POST", f"/changes/{change['id']}/sign", {"role": "relman", "digest": now["digest"]})
            assert said.status in (200, 404, 409), said.text
            if said.status == 200:
                signed[now["digest"]] = now["content"][0]["after"]["rate"]
            else:
                refused.append(said.status)

    Threads(write, sign)
    went_live_once(channels, [change])
    live, = entries(channels, "change.live")
    after = json.loads(live["after"]) if isinstance(live["after"], str) else live["after"]
    rate, = rates(channels)[:1]
    assert signed[after["digest"]] == rate
    whole(channels)


def test_of_two_changes_with_the_same_rule_one_is_taken(channels, daemons):
    both = start(daemons, channels, 2 if "--store" in channels.place else 1)
    fill(both[0])
    for rule in range(50, 56):
        said, when = [], instant(3600)

        def send(daemon):
            body = {"title": "t", "when": when, "reason": "r",
                    "ops": [insert("rules", {"product": "web", "channel": "c1", "mapping": "web-1"}, rule_id=rule)]}
            said.append(daemon("POST", "/changes", body).status)

        Threads(*(lambda daemon=daemon: send(daemon) for daemon in (both[0], both[-1], both[0])))
        assert sorted(said) == [200, 409, 409]
    whole(channels)


def test_numbers_of_rules_are_given_once_whoever_asks(channels, daemons):
    both = start(daemons, channels, 2 if "--store" in channels.place else 1)
    fill(both[0])
    given = []

    def send(daemon, directly):
        op = insert("rules", {"product": "web", "channel": "c1", "mapping": "web-1"})
        for _ in range(5):
            if directly:
                given.append(edit(daemon, op)["rows"][0]["row"]["rule_id"])
            else:
                given.append(submit(daemon, instant(3600), op)["ops"][0]["rule_id"])

    Threads(*(lambda daemon=daemon, directly=directly: send(daemon, directly)
              for daemon in both for directly in (True, False, True)))
    assert len(set(given)) == len(given) == 15 * len(both) and min(given) > 10


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_is_under_way_stops_when_maintenance_comes(channels, daemons):
    daemon, = start(daemons, channels)
    fill(daemon)
    when = instant(5)
    made = [submit(daemon, when, update(number % 10 + 1, rate=number // 10 + 1)) for number in range(80)]
    beds.wait_until(lambda: show(daemon, made[0])["state"] == "live", "the first goes live", 20)
    good(daemon("PUT", "/maintenance", {"on": True, "reason": "moving house"}))
    order = [entry["action"] for entry in reversed(channels.json("history list --limit 200")["entries"])]
    time.sleep(1.5)
    assert [entry["action"] for entry in reversed(channels.json("history list --limit 200")["entries"])] == order
    assert order[-1] == "maintenance.on"
    left = good(daemon("GET", "/changes?state=scheduled"))["changes"]
    good(daemon("PUT", "/maintenance", {"on": False}))
    beds.wait_until(lambda: is_empty(daemon), "the others follow", QUEUED_S)
    went_live_once(channels, made)
    told_once(channels, made)
    assert left, "it came too late to say anything"


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_file_that_somebody_holds_delays_changes_and_loses_none(channels, daemons):
    daemon, = start(daemons, channels)
    fill(daemon)
    made = [submit(daemon, instant(1 + number / 10), update(number + 1, rate=7)) for number in range(10)]
    holder = sqlite3.connect(channels.database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    time.sleep(4)
    assert offered(daemon, "c1") == 1, "clients are answered meanwhile"
    assert len(good(daemon("GET", "/changes?state=scheduled"))["changes"]) == 10
    holder.execute("ROLLBACK")
    holder.close()
    beds.wait_until(lambda: is_empty(daemon), "all went live", QUEUED_S)
    went_live_once(channels, made)
    told_once(channels, made)
    whole(channels)
