# SPDX-License-Identifier: ISC
"""Logs that replay: after any session, what the logs say last about each landing is how it stands."""
import hashlib
import json
import random
import re
import shlex

import pytest

pytestmark = pytest.mark.slow

SEED = 43
STEPS = 60


def read_logfmt(line):
    """{key: value} of one line; values with blanks stand in quotes."""
    pairs = dict(part.partition("=")[::2] for part in shlex.split(line))
    assert "event" in pairs, line
    return pairs


class Replay:
    """The states that the logs tell, by product and landing; and the digests that they tell with their sources."""

    def __init__(self):
        self.states, self.sources = {}, []

    def read(self, stderr, as_json):
        for line in stderr.splitlines():
            if not (line.startswith("{") if as_json else line.startswith("time=")):
                continue
            event = json.loads(line) if as_json else read_logfmt(line)
            if event["event"] == "landing.source":
                self.sources.append((event, self.counts(event["product"])))
            if event["event"] == "landing.transition":
                self.turn(event)

    def counts(self, product):
        values = [state for (name, _), state in self.states.items() if name == product]
        return {word: values.count(word.upper()) for word in ("good", "pending", "bad")}

    def turn(self, event):
        place = event["product"], int(event["landing"])
        assert self.states.get(place, "NONE") == event["from"], event
        assert event["by"] and event["why"], event
        if event["to"] == "GONE":
            del self.states[place]
        else:
            self.states[place] = event["to"]


class Session:
    """Does one thing after the other at random, and keeps what was logged."""

    def __init__(self, drover, repository, generator, as_json):
        self.drover, self.repository, self.generator = drover, repository, generator
        self.as_json, self.replay, self.imported, self.landed = as_json, Replay(), 0, []

    def do(self, line):
        said = self.drover([*shlex.split(line), *(["--log-json"] if self.as_json else [])], exits=ANY)
        self.replay.read(said.err, self.as_json)
        return said

    def commit(self):
        for _ in range(self.generator.randint(1, 3)):
            number = self.generator.randint(1, 12)
            self.landed.append(self.generator.choice([
                lambda: self.repository.commit(f"Change {number}", f"Bug: {number}"),
                lambda: self.repository.commit(f"Change {number} [no-qa]"),
                lambda: self.repository.commit("Orphan"),
                lambda: self.repository.revert(self.generator.choice(self.landed)) if self.landed
                else self.repository.commit("First", "Bug: 1"),
            ])())
        self.do("landing scan web")

    def verdict(self):
        landings = self.drover.json("landing list web")["landings"]
        if not landings:
            return
        landing = self.generator.choice(landings)
        items = [item["id"] for item in landing["items"]]
        state = self.generator.choice(["ok", "bad", "needs-testing", *(["untestable"] if items else [])])
        item = self.generator.choice(items) if items and (state == "untestable" or self.generator.random() < 0.7) else ""
        self.do(f"qa {state} {landing['ordinal']} {item} --product web --reason 'looked \"twice\" at it'")

    def baseline(self):
        tip = self.drover.json("product show web")["summary"]["tip"] or 0
        self.do(f"product set web --baseline {self.generator.randint(0, tip)}")

    def import_one(self):
        self.imported += 1
        (self.drover.folder / "one.json").write_text(json.dumps({"landings": [{
            "rev": self.imported, "revision": f"r{self.imported}", "subject": "Blob", "author": "Ada",
            "email": "ada@example.org", "landed": "2026-11-02T08:00:00Z",
            "items": [{"id": "7", "state": self.generator.choice(["ok", "bad", None])}]}]}))
        self.do("landing import one.json --product firmware")

    def force_push(self):
        count = len(self.landed)
        if count < 3:
            return
        back = self.generator.randint(1, 2)
        self.repository.git("reset", "-q", "--hard", f"HEAD~{back}")
        self.landed = self.landed[:-back]
        self.landed.append(self.repository.commit("Rewritten", "Bug: 3"))
        assert self.drover("landing scan web", exits=9)
        self.do("landing rebase web --confirm --reason rewritten")

    def step(self):
        self.generator.choices([self.commit, self.verdict, self.baseline, self.import_one, self.force_push],
                               [4, 8, 3, 2, 1])[0]()


class _Any:
    """Equal to whatever a command exits with."""

    def __eq__(self, other):
        return True


ANY = _Any()


@pytest.mark.slow
@pytest.mark.parametrize("as_json", [False, True], ids=["logfmt", "json"])
def test_what_the_logs_say_last_is_how_each_landing_stands(drover, repository, as_json):
    repository.commit("Begin", "Bug: 1")
    drover(f"product add web --repository {repository.path}")
    drover("product add firmware")
    session = Session(drover, repository, random.Random(SEED), as_json)
    for _ in range(STEPS):
        session.step()
    final = {}
    for product in ("web", "firmware"):
        landings = drover.json(f"landing list {product} --limit 1000")["landings"]
        final.update({(product, each["ordinal"]): each["state"] for each in landings})
    assert session.replay.states == final
    assert {"GOOD", "PENDING", "BAD"} <= set(final.values()), "the session saw all states"
    for event, told in session.replay.sources:
        assert {word: int(event[word]) for word in told} == told, event


def test_the_digest_of_a_source_is_that_of_the_landings(web):
    log = web("landing scan web").err
    event = read_logfmt(next(line for line in log.splitlines() if "event=landing.source" in line))
    landings = sorted(web.json("landing list web --limit 1000")["landings"], key=lambda each: each["ordinal"])
    text = "".join(f"{each['ordinal']} {each['revision']} {each['state']}\n" for each in landings)
    assert event["digest"] == hashlib.sha256(text.encode()).hexdigest()
    assert (event["landings"], event["good"], event["pending"], event["bad"]) == ("5", "2", "2", "1")
    assert event["tip"] == landings[-1]["revision"]


def test_a_force_push_freezes_alarms_and_keeps_the_answer_over_a_restart(web, repository):
    before = web.json("landing list web"), web.json("landing deployable")
    repository.git("reset", "-q", "--hard", "HEAD~2")
    repository.commit("Another change 4", "Bug: 4")
    said = web("landing scan web", exits=9)
    assert re.search(r"level=error event=landing\.frozen product=web why=", said.err)
    for _ in range(2):  # each command is a start of its own
        assert web("landing scan", exits=9).err.count("frozen") >= 1
        assert web("run", exits=9)
        kept = web.json("landing list web"), web.json("landing deployable")
        assert kept[0]["landings"] == before[0]["landings"]
        assert kept[1]["deployable"] == before[1]["deployable"]
    actions = [entry["action"] for entry in web.json("history list")["entries"]]
    assert any("freeze" in action or "frozen" in action for action in actions), actions


def test_a_confirmed_rebase_retires_ordinals_for_good_and_the_history_tells(web, repository):
    repository.git("reset", "-q", "--hard", "HEAD~2")
    repository.commit("Another change 4", "Bug: 4")
    web("landing scan web", exits=9)
    log = web("landing rebase web --confirm --reason 'a key had leaked'").err
    assert {(event["landing"], event["to"]) for event in map(read_logfmt, filter(
        lambda line: "landing.transition" in line, log.splitlines()))} == {
            ("4", "GONE"), ("5", "GONE"), ("6", "PENDING")}
    assert [each["ordinal"] for each in web.json("landing list web")["landings"]] == [6, 3, 2, 1]
    web("landing show 4 --product web", exits=3)
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.commit("And again", "Bug: 4")
    web("landing scan web", exits=9)
    web("landing rebase web --confirm --reason 'once more'")
    assert [each["ordinal"] for each in web.json("landing list web")["landings"]] == [7, 3, 2, 1]
    entries = [entry for entry in web.json("history list")["entries"] if entry["action"] == "landing.rebase"]
    assert [entry["reason"] for entry in entries] == ["once more", "a key had leaked"]
    web("history verify")
    assert [each["state"] for each in web.json("landing list web")["landings"]][1:] == ["PENDING", "GOOD", "GOOD"]
