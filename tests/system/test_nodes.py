# SPDX-License-Identifier: ISC
"""Nodes between people and machines, over real sockets, on both databases: docs/hosts.md."""
import sqlite3
import time

import pytest

import beds
import openapi
import releases
from balancer import Balancer, Waiting, now
from beds import daemons, databases, engine, place  # noqa: F401 (fixtures)

pytestmark = pytest.mark.slow

AT_ONCE_S = 3  # far below the 25 s that a question waits at the most; usually some milliseconds


class Node(Balancer):
    """What drover-node says, as the test has it."""

    def __init__(self, port, secret):
        super().__init__(port, secret, None)

    def orders(self, after=None, **how):
        status, said = self.call("GET", "/node/orders" + (f"?after={after}" if after else ""), **how)
        assert status == 200, said
        openapi.check(said, "NodeOrders")
        self.version, self.epoch = said["version"], said["epoch"]
        return said

    def order(self, product="web"):
        return next(each for each in self.orders()["products"] if each["product"] == product)

    def ask_later(self, after=None, wait=25, **how):
        known = after or self.version
        return Waiting(lambda: self.call("GET", f"/node/orders?after={known}&wait={wait}", **how))

    def report(self, expected=200, **about):
        body = {"now": now(), "version": "1.0", "products": [{"product": "web", "state": "idle", "order_id": 0, **about}]}
        status, said = self.call("POST", "/node/report", body)
        assert status == expected, said
        return said


class House:
    """A droverd with product web, its releases 1.0.0 to 1.0.3, and a channel that gives 1.0.1 to everybody."""

    def __init__(self, drover, daemons):
        beds.configure(drover, "[clock]\nscan-every = 0\nremind-every = 0\n")
        self.drover = drover
        drover("product add web")
        self.daemon = daemons(drover)
        self.daemon.token = beds.admin_token(drover)
        signer = releases.Signer(drover)
        for number in range(4):
            floor = 3 if number == 3 else 0
            deltas = [releases.delta(f"1.0.{number - 1}")] if number else []
            body = signer.release(f"1.0.{number}", number + 1, "first", min_rollback_sequence=floor, deltas=deltas)
            self.good("POST", "/products/web/releases", body)
        self.map(1, "web-1.0.1", op="insert")

    def good(self, method, path, body=None):
        answer = self.daemon(method, path, body)
        assert answer.status == 200, (path, answer.text)
        return answer.json

    def map(self, rule, mapping, op="update", **more):
        row = {"mapping": mapping, **({"product": "web", "channel": "release", "priority": 10} if op == "insert" else {}), **more}
        self.good("POST", "/edits", {"ops": [{"op": op, "table": "rules", "rule_id": rule, "row": row}]})

    def node(self, name="n1", channel="release", options=""):
        added = self.drover.json(f"node add {name} --product web --channel {channel} {options}")
        code = added["invitation"]["code"]
        secret = beds.Client(self.daemon.port)("POST", "/enrol", {"code": code}).json["secret"]
        return Node(self.daemon.port, secret)

    def shown(self, name="n1"):
        node = self.good("GET", f"/nodes/{name}")
        openapi.check(node, "NodeDetail")
        return node["products"][0]

    def public(self, path):
        return beds.Client(self.daemon.public_port)("GET", "//update/node/" + path).json


@pytest.fixture
def house(place, daemons):  # noqa: F811
    return House(place, daemons)


def test_a_node_runs_what_its_channel_says(house):
    n1 = house.node()
    order = n1.order()
    assert (order["version"], order["sequence"], order["is_ordered"], order["keep_named"]) == ("1.0.1", 2, False, [])
    manifest = house.good("GET", "/products/web/releases/1.0.1")
    assert order["manifest_sha256"] == manifest["manifest_sha256"]
    beds.wait_until(lambda: house.public("web/release").get("release"), "the public address follows")
    assert house.public("web/release?id=n1")["release"]["version"] == "1.0.1"
    assert house.public("web/release?id=n1")["rule_id"] == house.shown()["should"]["rule_id"] == 1


def test_a_node_is_asked_for_with_its_tags_and_its_name(house):
    house.map(2, "web-1.0.2", op="insert", priority=90, tags={"rack": ["b"]})
    house.map(3, "web-1.0.3", op="insert", priority=95, rate=50)
    house.drover("node add n2 --product web --channel beta --tag rack=b --tag row=7 --no-invite")
    assert house.good("GET", "/nodes/n2")["tags"] == {"rack": "b", "row": "7"}
    for number in range(12):
        house.drover(f"node add m{number} --product web --channel release --tag rack=b --no-invite")
        public = house.public(f"web/release?id=m{number}&tag.rack=b")
        expected = public["release"]["version"] if public["release"] else None
        assert house.shown(f"m{number}")["should"]["version"] == expected
    drawn = {house.shown(f"m{number}")["should"]["version"] for number in range(12)}
    assert drawn == {"1.0.3", None}, "some are within the rate, some not"


def test_a_mapping_that_was_never_published_is_told_and_nothing_runs(house):
    house.good("POST", "/edits", {"ops": [{"op": "insert", "table": "releases", "row": {"name": "web-9", "product": "web", "version": "9.0"}}]})
    house.map(1, "web-9")
    order = house.node().order()
    assert order["version"] is None and "web-9" in order["why"] and "never published" in order["why"]
    assert house.shown()["should"]["mapping"] == "web-9"


def test_a_waiting_node_hears_of_a_rule_that_alters_what_it_should_run(house):
    n1 = house.node()
    n1.orders()
    waiting = n1.ask_later()
    house.map(1, "web-1.0.2")
    status, said = waiting.answer(AT_ONCE_S)
    assert status == 200 and said["version"] > n1.version and said["products"][0]["version"] == "1.0.2"


def test_a_change_that_goes_live_wakes_the_node_and_no_other(house):
    n1, beta = house.node(), house.node("n2", channel="beta")
    n1.orders(), beta.orders()
    waiting, quiet = n1.ask_later(), beta.ask_later(wait=6)
    house.drover("rule set 1 mapping=web-1.0.2 --when +2s --reason next")
    assert n1.order()["keep_named"] == ["1.0.2"]
    status, said = waiting.answer(10)
    assert status == 200 and said["products"][0]["version"] == "1.0.2"
    assert quiet.answer(10)[1]["version"] == beta.version, "nothing moved for it: it waited to the end"


def test_an_order_wakes_the_node_and_holds_until_it_follows_again(house):
    n1 = house.node()
    n1.orders()
    waiting = n1.ask_later()
    house.drover("node order n1 1.0.0 --reason 'logins fail'")
    said = waiting.answer(AT_ONCE_S)[1]
    order = said["products"][0]
    assert (order["version"], order["is_ordered"], order["order_id"]) == ("1.0.0", True, said["version"])
    assert order["keep_named"] == ["1.0.1"], "what its channel would give it"
    house.map(1, "web-1.0.2")
    assert n1.order()["version"] == "1.0.0"
    house.drover("node follow n1")
    assert n1.order()["version"] == "1.0.2" and n1.order()["order_id"] == 0
    entries = house.drover.json("history list --subject node/n1/web")["entries"]
    assert [(each["action"], each["reason"]) for each in entries] == [("node.follow", None), ("node.order", "logins fail")]


def test_nothing_below_the_floor_of_what_runs_is_ordered(house):
    n1 = house.node()
    n1.report(running="1.0.3", sequence=4)
    said = house.drover("node order n1 1.0.1 --reason back", exits=4).err
    assert "min_rollback_sequence" in said and "1.0.3" in said
    house.drover("node order n1 1.0.2 --reason back")
    house.drover("node order n1 7.7.7 --reason back", exits=3)
    house.drover("node order n1 1.0.2", exits=2)


def test_a_node_that_is_gone_hears_401(house):
    n1 = house.node()
    n1.orders()
    waiting = n1.ask_later()
    house.drover("node remove n1 --reason sold")
    assert waiting.answer(AT_ONCE_S)[0] == 401
    assert n1.call("POST", "/node/report", {})[0] == 401
    house.drover("node show n1", exits=3)


def test_the_token_of_a_node_opens_nothing_else(house):
    n1 = house.node()
    opened = []
    for path, methods in openapi.document()["paths"].items():
        for method, about in methods.items():
            if method not in ("get", "post", "put", "patch", "delete") or about["x-role"] == "public":
                continue
            real = path.format(product="web", version="1.0.0", node="n1", name="root", id="1", landing="1", pool="p", host="h",
                               channel="release", table="rules", sequence="1")
            status = n1.call(method.upper(), real, {} if method != "get" else None)[0]
            if status not in (401, 403):
                opened.append((method, path))
    assert sorted(opened) == [("get", "/node/orders"), ("post", "/hosts/self/report"), ("post", "/node/report")]


def by_hand(house, statement):
    """What would take too long by the API."""
    if house.drover.place[-2:-1] == ["--store"]:
        beds.Database.sql(statement, house.drover.place[-1])
    else:
        with sqlite3.connect(house.drover.database) as database:
            database.execute(statement)


def age_reports(house, seconds):
    by_hand(house, f"UPDATE node_product SET reported_us = reported_us - {seconds} * 1000000")


def numbers(last):
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT"


def test_each_state_has_its_sentence(house):
    assert house.drover("node add n0 --product web --channel release --no-invite").out.splitlines() == ["added node n0"]
    assert house.shown("n0")["state"] == "never" and "enrolled" in house.shown("n0")["text"]
    n1 = house.node()
    assert house.shown()["state"] == "never"
    for about, state, word in [
            ({"running": "1.0.1", "sequence": 2}, "good", "runs 1.0.1"),
            ({"running": "1.0.0", "sequence": 1}, "behind", "is to run 1.0.1"),
            ({"running": "1.0.2", "sequence": 3}, "behind", "goes back only by an order"),
            ({"running": "1.0.0", "state": "installing", "doing": {"version": "1.0.1", "step": "fetch", "done": 50, "total": 200}},
             "working", "installs 1.0.1: fetch, 25 %"),
            ({"running": "1.0.0", "state": "activating", "doing": {"version": "1.0.1"}}, "working", "switches to 1.0.1"),
            ({"running": "1.0.0", "state": "failed", "error": "disk full"}, "failed", "disk full"),
            ({"running": "1.0.0", "state": "maintenance", "maintenance": {"on": True, "reason": "new disk", "overdue": True}},
             "maintenance", "new disk"),
            ({"running": "1.0.1", "sequence": 2}, "good", "runs 1.0.1")]:
        n1.report(**about)
        shown = house.shown()
        assert (shown["state"], word in shown["text"]) == (state, True), shown["text"]
    events = house.good("GET", "/nodes/n1")["events"]
    assert [(each["state"], each["version"], each["text"]) for each in reversed(events)] == [
        ("running", "1.0.1", None), ("running", "1.0.0", None), ("running", "1.0.2", None), ("running", "1.0.0", None), ("failed", "1.0.0", "disk full"),
        ("maintenance", "1.0.0", "new disk"), ("running", "1.0.1", None)]
    age_reports(house, 76)
    assert house.shown()["state"] == "silent"
    lines = house.drover("node list").lines
    assert [line.split()[0] for line in lines] == ["NODE", "n0", "n1"] and "silent" in lines[2]
    assert "its host has not enrolled" in house.drover("node show n0").out


def test_events_do_not_grow_for_ever(house):
    n1 = house.node()
    for number in range(130):
        n1.report(running=f"1.0.{number % 2}")
    assert len(house.good("GET", "/nodes/n1")["events"]) == 100


def test_the_newest_200_events_of_a_node_are_shown(house):
    house.drover("node add n1 --product web --channel release --no-invite")
    by_hand(house, f"INSERT INTO node_event (node_id, product_id, at_us, state, version) {numbers(250)} "
                   "node.id, product.id, i, 'running', CAST(i AS TEXT) FROM n, node, product")
    shown = [event["version"] for event in house.good("GET", "/nodes/n1")["events"]]
    assert shown == [str(number) for number in range(250, 50, -1)]


def test_there_are_10000_nodes_at_most(house):
    by_hand(house, f"INSERT INTO node (name, tags_json, version, data_version) {numbers(9_999)} 'bulk' || i, '{{}}', 1, 1 FROM n")
    house.drover("node add n1 --product web --channel release --no-invite")
    said = house.drover("node add n2 --product web --channel release --no-invite", exits=4).err
    assert "there are 10000 nodes already" in said and "remove one first" in said
    house.drover("node remove bulk1 --reason sold")
    house.drover("node add n2 --product web --channel release --no-invite")


def test_a_node_is_told_to_keep_1000_versions_at_most(house):
    """1,001 of them are named by one change that waits."""
    n1, names = house.node(), [f"web-2.0.{number}" for number in range(1, 1002)]
    columns = ("revision, landing, manifest, manifest_sha256, signature, signer, tree_sha256, tar_sha256, size_bytes, tree_bytes, "
               "files, min_rollback_sequence, actor, published_us")
    by_hand(house, f"INSERT INTO release (product_id, version, sequence, document, {columns}) {numbers(1001)} "
                   f"product_id, '2.0.' || i, 1000 + i, 'web-2.0.' || i, {columns} FROM n, release WHERE version = '1.0.0'")
    house.good("POST", "/edits", {"ops": [
        {"op": "insert", "table": "releases", "row": {"name": name, "product": "web", "version": name[4:]}} for name in names]})
    house.good("POST", "/changes", {"title": "All of them", "reason": "many", "when": time.strftime("%FT%TZ", time.gmtime(time.time() + 86400)), "ops": [
        {"op": "insert", "table": "rules", "row": {"product": "web", "channel": f"c{number}", "priority": 1, "mapping": name}}
        for number, name in enumerate(names)]})
    assert n1.order()["keep_named"] == [name[4:] for name in names[:1000]]


def test_a_node_runs_50_products_at_most(house):
    many = [{"product": "web", "channel": "release"}] * 51
    answer = house.daemon("POST", "/nodes", {"name": "n9", "products": many})
    assert answer.status == 400 and "at most 50" in answer.text
    status, said = house.node().call("POST", "/node/report", {"now": now(), "version": "1", "products": [{"product": "web", "state": "idle"}] * 51})
    assert status == 400 and "at most 50" in said["error"]["message"]


def test_a_release_must_stay_for_20_reasons_of_many(house):
    for number in range(30):
        house.drover(f"node add m{number} --product web --channel release --no-invite")
    needed = {each["version"]: each["because"] for each in house.good("GET", "/products/web/releases/needed")["versions"]}
    assert len(needed["1.0.1"]) == 20 and house.good("GET", "/products/web/releases/1.0.1")["nodes"]["should"] == 30


def test_what_nodes_name_is_kept(house):
    n1 = house.node()
    n1.report(running="1.0.0", sequence=1)
    house.drover("node order n1 1.0.2 --reason try")
    needed = {each["version"]: each["because"] for each in house.good("GET", "/products/web/releases/needed")["versions"]}
    assert needed == {"1.0.3": ["it is the newest"], "1.0.2": ["node n1 is ordered to run it"],
                      "1.0.1": ["rule 1 of channel release maps to it", "channel release gives it to node n1"],
                      "1.0.0": ["node n1 runs it"]}
    assert house.daemon("POST", "/products/web/releases/1.0.0/remove", {}).status == 409
    n1.report(running="1.0.2", sequence=3)
    removed = house.good("POST", "/products/web/releases/1.0.0/remove", {"reason": "old"})
    assert removed["removed"]
    rows = house.good("GET", "/tables/releases")["rows"]
    old = next(row for row in rows if row["name"] == "web-1.0.0")
    assert old["published"] is False, "a delta still leads from it, but nothing maps to it any more"
    house.daemon.token = None
    assert house.daemon("GET", "/nodes").status == 401


def test_a_stale_edit_is_refused_and_tags_alter_what_a_node_gets(house):
    n1 = house.node(options="--tag rack=a")
    house.map(2, "web-1.0.2", op="insert", priority=90, tags={"rack": ["b"]})
    n1.orders()
    waiting = n1.ask_later()
    version = house.good("GET", "/nodes/n1")["data_version"]
    house.drover("node set n1 --tag rack=b --reason moved")
    assert waiting.answer(AT_ONCE_S)[1]["products"][0]["version"] == "1.0.2"
    assert "data_version" in house.drover(f"node set n1 --tag rack= --data-version {version}", exits=4).err
    house.drover("node set n1 --tag rack=")
    assert n1.order()["version"] == "1.0.1"
    house.drover("node set n1 --without web")
    assert n1.orders()["products"] == []


def test_a_server_of_a_pool_waits_for_an_order(house):
    n1 = house.node()
    n1.report(running="1.0.0", sequence=1)
    assert n1.order()["version"] == "1.0.1"
    waiting = n1.ask_later()
    house.drover("pool add shop N1.example.org db1")
    order = waiting.answer(AT_ONCE_S)[1]["products"][0]
    assert (order["version"], order["manifest_sha256"], order["is_ordered"]) == (None, None, False)
    assert order["why"] == "its channel gives it 1.0.1, but it is in pool shop: it waits for an order, or its rollout, since nobody drains it"
    shown = house.shown()
    assert (shown["should"]["version"], shown["waits_in"], shown["follows"], shown["state"]) == ("1.0.1", "shop", "alone", "behind")
    assert "is in pool shop" in shown["text"] and "1.0.1" in shown["text"]
    assert "it is in pool shop, so it does not follow by itself" in house.drover("node show n1").out
    house.map(1, "web-1.0.2")
    assert n1.order()["version"] is None
    house.drover("node order n1 1.0.2 --reason now")
    assert n1.order()["version"] == "1.0.2" and house.shown()["waits_in"] is None
    house.drover("node follow n1")
    n1.orders()
    waiting = n1.ask_later()
    house.drover("pool remove shop N1.example.org")
    assert waiting.answer(AT_ONCE_S)[1]["products"][0]["version"] == "1.0.2"


def test_a_server_that_is_switched_off_waits_too_and_others_of_like_names_do_not(house):
    house.drover("pool add shop n1 n22.example.org 10.0.0.1")
    version = house.good("GET", "/pools/shop")["data_version"]
    house.good("PUT", "/pools/shop/servers/n1", {"enabled": False, "data_version": version})
    expected = {"n1": None, "N22": None, "n2": "1.0.1", "n1.example.org": "1.0.1", "n22.other.org": "1.0.1", "10": "1.0.1", "10.0.0.1": None}
    for name, version in expected.items():
        node = house.node(name.lower())
        node.report(running="1.0.0", sequence=1)
        assert (name, node.order()["version"]) == (name, version)


def test_a_first_install_follows_in_a_pool_once_that_is_known(house):
    house.drover("pool add shop n1")
    n1 = house.node()
    assert n1.orders()["products"][0]["version"] is None, "it may run something: it has not said yet"
    waiting = n1.ask_later()
    n1.report(running=None)
    assert waiting.answer(AT_ONCE_S)[1]["products"][0]["version"] == "1.0.1"
    n1.report(running="1.0.1", sequence=2)
    assert house.shown()["state"] == "good"
    house.map(1, "web-1.0.2")
    assert n1.order()["version"] is None and house.shown()["state"] == "behind"


def test_a_person_may_let_it_follow_in_a_pool(house):
    house.drover("pool add shop n1")
    n1 = house.node()
    n1.report(running="1.0.0", sequence=1)
    n1.orders()
    waiting = n1.ask_later()
    house.drover("node set n1 --product web --follow always --reason 'handed over without a cut'")
    assert waiting.answer(AT_ONCE_S)[1]["products"][0]["version"] == "1.0.1"
    assert (house.shown()["follows"], house.shown()["waits_in"]) == ("always", None)
    assert "in a pool, too" in house.drover("node show n1").out
    entry = house.drover.json("history list --subject node/n1")["entries"][0]
    assert (entry["action"], entry["reason"]) == ("node.update", "handed over without a cut")
    assert [entry[side]["products"][0]["follows"] for side in ("before", "after")] == ["alone", "always"]
    house.drover("node set n1 --product web --channel release")
    assert house.shown()["follows"] == "always", "what is not named stays"
    house.drover("node set n1 --product web --follow alone")
    assert n1.order()["version"] is None
    assert "follows" in house.drover("node set n1 --product web --follow never", exits=2).err
    house.drover("node set n1 --follow always", exits=2)
    house.drover("node add n2 --product web --channel release --follow always --no-invite")
    assert house.shown("n2")["follows"] == "always"


def test_other_droverds_wake_the_node_too(house, engine, daemons):  # noqa: F811
    if engine == "sqlite":
        pytest.skip("several droverds want PostgreSQL")
    n1 = house.node()
    other = daemons(house.drover)
    n1.orders()
    waiting = n1.ask_later(port=other.port)
    house.map(1, "web-1.0.2")
    assert waiting.answer(AT_ONCE_S)[1]["products"][0]["version"] == "1.0.2"


def test_orders_are_right_while_nothing_may_be_written(house):
    n1 = house.node()
    before = n1.orders()
    house.drover("maintenance on --reason moving")
    house.drover("shutoff add web release --reason 'it eats bookmarks'")
    assert n1.order()["version"] is None and n1.version == before["version"]
    waiting = n1.ask_later()
    house.drover("maintenance off")
    assert waiting.answer(10)[1]["version"] > before["version"]
