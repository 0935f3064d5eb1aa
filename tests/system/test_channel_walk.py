# SPDX-License-Identifier: ISC
"""A walk through what the channel stage promises, with the programs as they are, by somebody who wants to see it fail.

`walk` is one droverd for the file, on SQLite. web's channel `release` needs the word of two release managers (rita and
rolf) and of a tester (quinn); `nightly` needs nobody's. Each test leaves the queue empty."""
import contextlib
import datetime
import json
import threading
import urllib.parse

import pytest

from beds import Daemon, admin_token, place, engine, databases, wait_until  # noqa: F401
from conftest import Repository, frozen_environment
from server import House, eventually

URL = "https://cdn.example.org/{}.tar"
SHA = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"


def instant(seconds):
    """So far from now."""
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return then.isoformat().replace("+00:00", "Z")


def release(version, **more):
    name = f"web-{version}"
    files = {"completes": [{"from": "*", "url": URL.format(name), "size": 100, "sha256": SHA}]}
    return {"name": name, "product": "web", "version": version, "build_id": "20261101",
            "platforms": {"linux": {"locales": {"en": files}}}, **more}


def insert(table, **row):
    return {"op": "insert", "table": table, "row": row}


def update(rule, **row):
    return {"op": "update", "table": "rules", "rule_id": rule, "row": row}


def delete(table, **key):
    return {"op": "delete", "table": table, "row": key}


ROWS = [
    insert("products", product="web", scheme="semver", hosts=["cdn.example.org", "stage.example.org"]),
    *(insert("releases", **release(f"1.{n}.0")) for n in range(4)),
    {**insert("rules", product="web", channel="release", priority=90, mapping="web-1.0.0"), "rule_id": 1},
    {**insert("rules", product="web", channel="nightly", priority=90, mapping="web-1.0.0"), "rule_id": 2},
    insert("channels", product="web", channel="release"),
    insert("channels", product="web", channel="release-stage", base="release",
           rewrite={"cdn.example.org": "stage.example.org"}),
    insert("channels", product="web", channel="nightly-last", base="nightly", on_conflict="last"),
    insert("roles", role="qa", tester=True),
    insert("requirements", product="web", channel="release*", role="relman", n=2),
    insert("requirements", product="web", channel="release", role="qa", n=1),
]


class Walk(House):
    PEOPLE = {**House.PEOPLE, "rita": [("viewer", "web"), ("relman", "web")], "rolf": [("viewer", "web"), ("relman", "web")],
              "quinn": [("viewer", "web"), ("qa", "web")]}

    def call(self, who, method, path, body=None, status=200):
        said = self.api(method, path, body, token=self.token(who))
        assert said.status == status, (method, path, said.body)
        return said.json

    def refused(self, who, method, path, body=None, status=409):
        return self.call(who, method, path, body, status)["error"]["message"]

    def edit(self, *ops, who="ada", status=200):
        return self.call(who, "POST", "/edits", {"ops": list(ops), "reason": "a walk"}, status)

    def edit_refused(self, *ops, who="ada", status=409):
        return self.edit(*ops, who=who, status=status)["error"]["message"]

    def submit(self, *ops, after=3600, who="otto", title="A change"):
        return self.call(who, "POST", "/changes", {"title": title, "when": instant(after), "ops": list(ops), "reason": "because"})

    def show(self, change):
        return self.call("ada", "GET", f"/changes/{change['id']}")

    def deed(self, who, change, verb, status=200, **body):
        return self.call(who, "POST", f"/changes/{change['id']}/{verb}", body, status)

    def agree(self, change, *but):
        """All who must say yes to what it is now, but those."""
        now = self.show(change)
        for who, role in [("rita", "relman"), ("rolf", "relman"), ("quinn", "qa")]:
            if who not in but:
                self.deed(who, now, "sign", role=role, digest=now["digest"])
        if "quinn" not in but:
            self.deed("quinn", now, "tested", role="qa", digest=now["tested"]["digest"])
        return self.show(change)

    def withdraw(self, *changes):
        for change in changes:
            now = self.show(change)
            if now["state"] == "scheduled":
                self.deed("ada", now, "withdraw", data_version=now["data_version"], reason="done")

    def kind(self, change):
        return self.show(change)["standing"]["kind"]

    def stands(self, change, kind):
        assert eventually(lambda: self.kind(change) == kind), self.show(change)["standing"]

    def public_answer(self, channel, **query):
        asked = {"product": "web", "channel": channel, "version": "0.9.0", "platform": "linux", "locale": "en", **query}
        return self.ask("GET", "/update/json?" + urllib.parse.urlencode(asked), port=self.public)

    def gives(self, channel, mapping, **query):
        """Within the second that a change may take to be seen, and some for a busy machine."""
        assert eventually(lambda: self.public_answer(channel, **query).json["mapping"] == mapping, 5), \
            self.public_answer(channel, **query).json

    def history(self, at, channel="nightly"):
        return self.call("ada", "GET", f"/channels/web/{channel}/answer?at={at}&version=0.9.0&platform=linux&locale=en")["mapping"]


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    made = Walk(tmp_path_factory.mktemp("walk"))
    made.edit(*ROWS)
    yield made
    made.stop()


# Gates hold edits, too -----------------------------------------------------------------------------------------------

@pytest.fixture
def freeze(walk):
    row = {"name": "yule", "product": "web", "from": instant(-60), "until": instant(3600), "reason": "quiet days"}
    change = walk.submit(insert("freezes", **row), after=0, who="ada")
    walk.agree(change)
    walk.stands(change, "live")
    yield row
    change = walk.submit(delete("freezes", name="yule"), after=0, who="ada")
    walk.agree(change)
    walk.stands(change, "live")


def test_a_freeze_holds_direct_edits_of_what_clients_get(walk, freeze):
    said = walk.edit_refused(update(2, rate=50))
    assert "yule" in said and "quiet days" in said and "change submit" in said and "admin" in said
    assert walk.edit(insert("releases", **release("1.9.0")))["written"] == 1, "which nothing maps to yet"


def test_a_freeze_lets_a_channel_be_switched_off_but_not_on(walk, freeze):
    walk.edit(insert("shutoffs", product="web", channel="nightly", reason="it burns"), who="otto")
    walk.gives("nightly", None)
    assert "yule" in walk.edit_refused(delete("shutoffs", product="web", channel="nightly"), who="otto")
    change = walk.submit(delete("shutoffs", product="web", channel="nightly"), after=0)
    walk.stands(change, "gate")
    walk.deed("otto", change, "override", 403, gate="freeze", reason="it is out")
    walk.deed("ada", change, "override", gate="freeze", reason="it is out")
    walk.stands(change, "live")
    walk.gives("nightly", "web-1.0.0")


def test_a_direct_edit_maps_to_no_landing_that_is_not_deployable(walk):
    deployable = walk.call("ada", "GET", "/products/web/deployable")["deployable_all"]
    bad = next(n for n in range(1, 8) if n not in deployable)
    walk.edit(insert("releases", **release("1.7.0", landing=bad)), insert("releases", **release("1.8.0", landing=deployable[0])))
    said = walk.edit_refused(update(2, mapping="web-1.7.0"))
    assert "web-1.7.0" in said and f"landing {bad}" in said and "operator" in said
    walk.edit(update(2, mapping="web-1.8.0"))
    walk.gives("nightly", "web-1.8.0")
    walk.edit(update(2, mapping="web-1.0.0"))
