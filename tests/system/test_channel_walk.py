# SPDX-License-Identifier: ISC
"""A walk through what the channel stage promises, with the programs as they are, by somebody who wants to see it fail.

`walk` is one droverd for the file, on SQLite. web's channel `release` needs the word of two release managers (rita and
rolf) and of a tester (quinn); `nightly` needs nobody's. Each test leaves the queue empty."""
import contextlib
import datetime
import json
import sqlite3
import threading
import urllib.parse

import pytest

from beds import Client, Database, admin_token, daemons, databases, engine, place, wait_until  # noqa: F401
from server import House, eventually

pytestmark = pytest.mark.slow

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


def draft(*ops, after=0.0):
    return {"title": "A draft", "when": instant(after), "ops": list(ops), "reason": "because"}


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
    walk.edit(insert("freezes", **row))
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


# The queue ---------------------------------------------------------------------------------------------------------

def test_a_conflict_says_so_on_both_and_last_answers_as_before_it(walk):
    first = walk.submit(update(2, rate=60, mapping="web-1.1.0"), after=3600)
    second = walk.submit(update(2, mapping="web-1.2.0"), after=7200)
    walk.gives("nightly-last", "web-1.2.0", force=1)
    walk.edit(update(2, mapping="web-1.3.0"))
    assert (walk.kind(first), walk.kind(second)) == ("conflict", "behind")
    shown = walk.show(first)["conflicts"]
    assert [(each["column"], each["ours"], each["theirs"], each["with"]) for each in shown] == [
        ("mapping", "web-1.1.0", "web-1.3.0", "live")] or shown, shown
    assert eventually(lambda: walk.public_answer("nightly-test").header("Drover-Undefined"), 5)
    said = walk.public_answer("nightly-test")
    assert said.status == 200 and said.json["mapping"] is None and str(first["id"]) in said.json["undefined"]
    held = walk.public_answer("nightly-last", force=1)
    assert held.json["mapping"] == "web-1.3.0" and held.header("Drover-Held") and held.json["undefined"] is None
    assert walk.public_answer("release-test").json["undefined"] is None, "which has nothing to do with it"
    walk.withdraw(first, second)
    walk.gives("nightly-test", "web-1.3.0")
    walk.edit(update(2, mapping="web-1.0.0"))


def test_cuts_end_where_they_say(walk):
    first = walk.submit(update(2, mapping="web-1.1.0"), after=3600)
    second = walk.submit(update(2, mapping="web-1.2.0"), after=7200)
    declare = [insert("channels", product="web", channel="nightly-first", base="nightly", cut=f"through {first['id']}"),
               insert("channels", product="web", channel="nightly-until", base="nightly", cut=f"until {first['when']}")]
    change = walk.submit(*declare, after=0)
    walk.agree(change)
    walk.stands(change, "live")
    for channel, mapping in [("nightly", "web-1.0.0"), ("nightly-first", "web-1.1.0"), ("nightly-until", "web-1.1.0"),
                             ("nightly-test", "web-1.2.0")]:
        walk.gives(channel, mapping)
    said = walk.public_answer("nightly-first")
    assert said.header("Drover-Cut") == f"through {first['id']}" and said.header("Drover-Digest") == said.json["digest"]
    assert walk.public_answer("nightly-until").json["digest"] == said.json["digest"]
    walk.withdraw(second, first)
    assert eventually(lambda: walk.public_answer("nightly-first").header("Drover-Undefined"), 5)
    undo = walk.submit(*(delete("channels", product="web", channel=name) for name in ("nightly-first", "nightly-until")), after=0)
    walk.agree(undo)
    walk.stands(undo, "live")


def test_a_change_that_meets_nothing_overtakes_and_voids_nothing(walk):
    waits = walk.submit(update(1, mapping="web-1.1.0"), after=0)
    behind = walk.submit(update(1, rate=50), after=0.2)
    assert walk.agree(behind)["standing"]["kind"] == "behind"
    tested = walk.show(behind)["tested"]["digest"]
    overtakes = walk.submit(update(2, comment="overtakes"), after=0.4)
    walk.stands(overtakes, "live")
    assert walk.kind(behind) == "behind" and walk.show(behind)["tested"]["digest"] == tested
    assert [each["matches"] for each in walk.show(behind)["tested"]["given"]] == [True]
    walk.agree(waits)
    walk.stands(behind, "live")
    walk.gives("release", "web-1.1.0", force=1)
    assert walk.call("ada", "GET", "/tables/rules/row?key=1")["row"]["rate"] == 50
    undo = walk.submit(update(1, mapping="web-1.0.0", rate=None), after=0)
    walk.agree(undo)
    walk.stands(undo, "live")


def test_what_lies_under_a_test_voids_it_and_names_the_channels(walk):
    change = walk.submit(update(1, mapping="web-1.1.0"), after=3600)
    assert walk.agree(change)["standing"]["kind"] == "ready"
    walk.edit(insert("shutoffs", product="web", channel="release", reason="it burns"))
    now = walk.show(change)
    assert now["standing"]["kind"] == "needs-retest" and all(each["counts"] for each in now["sign_offs"])
    assert {each["channel"] for each in now["tested"]["differs"]} >= {"release"}
    walk.withdraw(change)
    on = walk.submit(delete("shutoffs", product="web", channel="release"), after=0)
    assert walk.kind(on) == "unsigned"
    walk.agree(on)
    walk.stands(on, "live")
    assert [(each["product"], each["channel"]) for each in walk.show(on)["scopes"]] == [("web", "release")], \
        "also when it is over, the list says whom it concerned"


def test_only_moving_it_in_time_keeps_what_was_signed(walk):
    change = walk.agree(walk.submit(update(1, rate=10), after=3600))
    moved = walk.call("otto", "PUT", f"/changes/{change['id']}", {"data_version": change["data_version"], "when": instant(7200)})
    assert moved["standing"]["kind"] == "needs-retest" and moved["digest"] == change["digest"]
    assert all(each["counts"] for each in moved["sign_offs"])
    edited = walk.call("otto", "PUT", f"/changes/{change['id']}", {"data_version": moved["data_version"], "ops": [update(1, rate=11)]})
    assert edited["standing"]["kind"] == "unsigned" and not any(each["counts"] for each in edited["sign_offs"])
    walk.withdraw(change)


def test_two_who_sign_what_they_read_while_another_edits(walk):
    """Whoever is late signs nothing: the digest that was read is not the change's any more."""
    change = walk.submit(update(1, rate=10), after=3600)
    said = []

    def sign(who):
        body = {"role": "relman", "digest": change["digest"]}
        said.append(walk.api("POST", f"/changes/{change['id']}/sign", body, token=walk.token(who)).status)

    def edit():
        body = {"data_version": change["data_version"], "ops": [update(1, rate=20)]}
        said.append(walk.api("PUT", f"/changes/{change['id']}", body, token=walk.token("otto")).status)

    threads = [threading.Thread(target=sign, args=["rita"]), threading.Thread(target=edit), threading.Thread(target=sign, args=["rolf"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(said) <= {200, 409} and said.count(200) >= 1
    now = walk.show(change)
    assert now["standing"]["kind"] == "unsigned" and not any(each["counts"] for each in now["sign_offs"])
    walk.withdraw(change)


def test_the_past_is_answered_as_it_was(walk):
    before = instant(0)
    walk.edit(update(2, mapping="web-1.1.0"))
    walk.gives("nightly", "web-1.1.0")
    between = instant(0)
    waits = walk.submit(update(2, mapping="web-1.2.0"), after=3600)
    queued = instant(0)
    walk.withdraw(waits)
    walk.edit(update(2, mapping="web-1.0.0"))
    assert [walk.history(at) for at in (before, between, instant(0))] == ["web-1.0.0", "web-1.1.0", "web-1.0.0"]
    assert walk.history(queued, "nightly-test") == "web-1.2.0", "the queue as it was"
    then = walk.call("ada", "GET", f"/channels/web/nightly?at={queued}")
    assert [each["id"] for each in then["queue"]] == [waits["id"]]


def test_a_rewrite_moves_files_and_nothing_else(walk):
    live, test = (walk.public_answer(channel, force=1).json for channel in ("release", "release-stage"))
    assert test["files"]["complete"].pop("url") == live["files"]["complete"].pop("url").replace("cdn.", "stage.")
    assert test["files"] == live["files"] and test["mapping"] == live["mapping"]


def test_what_a_change_took_away_is_shown_to_nobody_who_did_not_see_it(walk):
    """vic sees web alone. The rows are gone; that they were api's is not."""
    walk.edit({**insert("rules", product="api", channel="secret"), "rule_id": 70}, {**insert("rules", product="api"), "rule_id": 71})
    gone = walk.submit({"op": "delete", "table": "rules", "rule_id": 70}, after=0, who="olga", title="Secret")
    walk.stands(gone, "live")
    burnt = walk.submit({"op": "delete", "table": "rules", "rule_id": 71}, who="olga", title="Secret")
    walk.deed("olga", burnt, "break-glass", reason="fire")
    assert {each["id"] for each in walk.call("vic", "GET", "/changes")["changes"]}.isdisjoint({gone["id"], burnt["id"]})
    assert burnt["id"] in {each["id"] for each in walk.call("ada", "GET", "/changes?product=api")["changes"]}
    for change in (gone, burnt):
        walk.call("vic", "GET", f"/changes/{change['id']}", status=404)
    walk.deed("otto", burnt, "review", 404, reason="I operate web")
    walk.deed("ada", burnt, "review", reason="was right")


# Who must agree ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("op", [
    {**insert("rules", product="web", priority=1), "rule_id": 900}, {**insert("rules", product="web", channel="rel*", priority=1), "rule_id": 900},
    {**insert("rules", product="web", channel="release*", priority=1), "rule_id": 900},
    update(1, channel="nightly"), update(1, comment="only words"), update(2, channel="release"), update(2, channel=None),
    update(2, channel="re*"), {"op": "delete", "table": "rules", "rule_id": 1},
    {"op": "update", "table": "releases", "name": "web-1.0.0", "row": {"version": "1.0.1"}},
    insert("pins", product="web", channel="release", version="1.0.", mapping="web-1.0.0"),
    {"op": "update", "table": "products", "row": {"product": "web", "hosts": ["cdn.example.org", "stage.example.org", "evil.example.org"]}},
    {"op": "update", "table": "products", "row": {"product": "web", "scheme": "loose"}},
    delete("requirements", product="web", channel="release", role="qa"), insert("requirements", product="web", channel="release", role="x", n=1),
    {"op": "update", "table": "requirements", "row": {"product": "web", "channel": "release*", "role": "relman", "n": 1}},
    insert("requirements", product="*", channel="*", role="qa", n=1),
    {"op": "update", "table": "roles", "row": {"role": "qa", "tester": False}}, insert("roles", role="relman", author_may_sign=True),
    insert("grants", product="web", person="otto", role="relman"),
    {"op": "update", "table": "channels", "row": {"product": "web", "channel": "release-stage", "rewrite": None}},
    delete("channels", product="web", channel="release"),
], ids=lambda op: f"{op['op']}-{op['table']}-{json.dumps(op.get('row', op), sort_keys=True)[:50]}")
def test_nothing_that_reaches_the_channel_goes_around_who_must_agree(walk, op):
    """Not even by an admin, and not for a rule that reaches it by a star or says no channel at all."""
    said = walk.edit_refused(op)
    assert "change submit" in said and ("relman" in said or "qa" in said)


def test_a_rule_for_every_product_needs_those_of_each(walk):
    assert "relman" in walk.edit_refused({**insert("rules", priority=1), "rule_id": 900})
    assert walk.edit({**insert("rules", product="web", channel="nightly", priority=1), "rule_id": 900})["written"] == 1
    walk.edit({"op": "delete", "table": "rules", "rule_id": 900})


# Rows that wait ------------------------------------------------------------------------------------------------------

def test_a_rule_to_come_has_its_number_and_those_on_it_fall_with_it(walk):
    first = walk.submit(insert("rules", product="web", channel="nightly", priority=95, mapping="web-1.1.0", alias="coming"))
    number = first["ops"][0]["rule_id"]
    second = walk.submit(update(number, rate=50), after=7200)
    third = walk.submit(insert("rules", product="web", channel="nightly", priority=96, mapping="web-1.2.0"), after=7200)
    assert third["ops"][0]["rule_id"] == number + 1
    taken = {**insert("rules", product="web", channel="nightly"), "rule_id": number}
    assert f"change {first['id']} waits to bring a rule of this number" in walk.edit_refused(taken)
    said = walk.refused("otto", "POST", "/changes", draft(taken))
    assert f"change {first['id']}" in said or "is there already" in said
    walk.edit({**insert("rules", product="web", channel="nightly", alias="coming"), "rule_id": number + 100})
    assert walk.kind(first) == "conflict" and "coming" in walk.show(first)["standing"]["text"], "taken while it waited"
    walk.edit({"op": "delete", "table": "rules", "rule_id": number + 100})
    assert walk.kind(first) == "ready"
    walk.withdraw(first)
    assert walk.kind(second) == "conflict"
    assert "not there" in walk.show(second)["standing"]["text"]
    walk.withdraw(second)
    assert walk.kind(third) == "ready"
    walk.withdraw(third)


def test_what_is_not_published_waits_and_goes_when_it_is(walk):
    walk.edit(insert("releases", **release("2.0.0", published=False)))
    assert "not published" in walk.edit_refused(update(2, mapping="web-2.0.0"))
    change = walk.submit(update(2, mapping="web-2.0.0"), after=0)
    walk.stands(change, "conflict")
    assert "web-2.0.0 is not published" in walk.show(change)["standing"]["text"]
    walk.gives("nightly-test", "web-2.0.0")
    assert "waits to map" in walk.edit_refused({"op": "update", "table": "releases", "name": "web-2.0.0", "row": {"version": "2.0.1"}})
    assert "waits to map" in walk.edit_refused({"op": "delete", "table": "releases", "name": "web-2.0.0"})
    walk.edit({"op": "update", "table": "releases", "name": "web-2.0.0", "row": {"published": True}})
    walk.stands(change, "live")
    walk.gives("nightly", "web-2.0.0")
    walk.edit(update(2, mapping="web-1.0.0"))


# Several droverds ----------------------------------------------------------------------------------------------------

def public(daemon, channel="release"):
    """What a client gets of a droverd's public address, by force."""
    asked = f"product=web&channel={channel}&version=0.9.0&platform=linux&locale=en&force=1"
    return Client(daemon.public_port)("GET", f"//update/json?{asked}").json["mapping"]


def sql(drover, statement):
    if "--store" in drover.place:
        Database.sql(statement, drover.place[-1])
    else:
        with contextlib.closing(sqlite3.connect(drover.database)) as database, database:
            database.execute(statement)


def changes_live(daemon):
    text = daemon("GET", "//metrics").text
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("drover_changes_live_total ")))


def test_of_two_droverds_one_does_it_and_both_show_it(place, daemons):  # noqa: F811
    place("product add web")
    token = admin_token(place)
    one, other = daemons(place), daemons(place)
    one.token = other.token = token
    rows = [row for row in ROWS if row["table"] in ("products", "releases", "rules")]
    assert one("POST", "/edits", {"ops": rows, "reason": "a walk"}).status == 200
    ids = [one("POST", "/changes", draft(update(1, mapping=f"web-1.{n}.0"), after=1 + n / 10)).json["id"] for n in (1, 2, 3)]
    wait_until(lambda: all(public(daemon) == "web-1.3.0" for daemon in (one, other)), "both answer the last")
    assert changes_live(one) + changes_live(other) == 3
    row = one("GET", "/tables/rules/row?key=1").json
    assert [version["change"] for version in row["versions"]][:3] == ids[::-1] and len(row["versions"]) == 4
    history = place.json("history list --subject change --limit 100")
    live = [entry["subject"] for entry in history["entries"] if entry["action"] == "change.live"]
    assert sorted(live) == [f"change/{each}" for each in ids]


def test_what_was_missed_asks_and_what_was_not_goes(place, daemons):  # noqa: F811
    """Downtime over `when`: more than the product lets pass, or less."""
    place("product add web")
    place("product add api")
    token = admin_token(place)
    daemon = daemons(place)
    daemon.token = token
    rows = [row for row in ROWS if row["table"] in ("products", "releases", "rules")]
    for more in (insert("products", product="api", late_s=0), {**insert("rules", product="api"), "rule_id": 9}):
        rows.append(more)
    assert daemon("POST", "/edits", {"ops": rows, "reason": "a walk"}).status == 200
    goes = daemon("POST", "/changes", draft(update(1, mapping="web-1.1.0"), after=30)).json["id"]
    asks = daemon("POST", "/changes", draft(update(9, rate=50), after=30)).json["id"]
    daemon.stop()
    # As if it had been away for a minute.
    shift = ["UPDATE channel_change SET when_us = when_us - 90000000, created_us = created_us - 90000000", "UPDATE counter SET value = value - 60000000 WHERE name = 'clock'"]
    for statement in shift:
        sql(place, statement)
    again = daemons(place)
    again.token = token
    wait_until(lambda: again("GET", f"/changes/{goes}").json["state"] == "live", "less than an hour")
    assert again("GET", f"/changes/{asks}").json["standing"]["kind"] == "overdue"
    wait_until(lambda: public(again) == "web-1.1.0", "and clients see it")
    assert again("POST", f"/changes/{asks}/go", {"reason": "yes"}).status == 200
    wait_until(lambda: again("GET", f"/changes/{asks}").json["state"] == "live", "somebody said go")


# From Balrog -----------------------------------------------------------------------------------------------------------

def test_what_balrog_knew_is_imported_agreed_on_and_answered(place, daemons):  # noqa: F811
    """Its products have capitals, and people get roles on them as on all others."""
    folder = place.folder
    rule = {"rule_id": 61, "alias": "firefox-release", "product": "Firefox", "channel": "release*", "priority": 90,
            "backgroundRate": 100, "mapping": "Firefox-128.0-build2", "update_type": "minor", "version": "<128.0", "data_version": 4}
    files = {"de": {"completes": [{"from": "*", "filesize": 70, "hashValue": "0" * 128}]}}
    blob = {"name": "Firefox-128.0-build2", "schema_version": 9, "hashFunction": "sha512", "appVersion": "128.0", "displayVersion": "128.0",
            "fileUrls": {"*": {"completes": {"*": "https://cdn.example.org/%LOCALE%.mar"}}},
            "platforms": {"Linux_x86_64-gcc3": {"buildID": "20240704", "locales": files}}}
    (folder / "rules.json").write_text(json.dumps({"rules": [rule]}))
    (folder / "blob.json").write_text(json.dumps(blob))
    for line in ("product add Firefox", "channel settings Firefox --hosts cdn.example.org", "release-doc import --balrog blob.json --product Firefox",
                 "rule import --balrog rules.json", "requirement set Firefox release relman 1", "user add grace grace@example.org",
                 "user grant grace viewer Firefox", "user grant grace relman Firefox"):
        place(line)
    place("rule set firefox-release rate=50", exits=4)
    said = place("rule set firefox-release rate=50 --when now --reason half")
    assert "grace" in said.out
    daemon = daemons(place)
    daemon.token = place.json("token add tests --person grace")["secret"]
    client = Client(daemon.public_port)
    path = "/update/6/Firefox/127.0/20240101/Linux_x86_64-gcc3/de/release-cck-acme/Linux/ISET:SSE4_2,MEM:8192,JAWS:0/default/default/update.xml"
    answer = client("GET", "/" + path)
    assert answer.headers["Rule-ID"] == "61" and 'URL="https://cdn.example.org/de.mar"' in answer.text
    assert "<patch" not in client("GET", "/" + path.replace("127.0", "128.0")).text
    detail = daemon("GET", "/changes/1").json
    assert daemon("POST", "/changes/1/sign", {"role": "relman", "digest": detail["digest"]}).status == 200
    wait_until(lambda: daemon("GET", "/changes/1").json["state"] == "live", "all agreed")
    wait_until(lambda: client("GET", "/" + path + "?force=-1").text.count("<patch") == 0, "who is outside the rate gets nothing")
