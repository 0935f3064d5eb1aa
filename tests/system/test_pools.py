# SPDX-License-Identifier: ISC
"""Pools between people and balancers, over real sockets, on both databases: docs/pools.md."""
import ast
import http.client
import json
import signal
import socket
import sqlite3
import time

import pytest

import beds
from balancer import Balancer
from beds import daemons, databases, engine, place  # noqa: F401 (fixtures)

pytestmark = pytest.mark.slow

AT_ONCE_S = 2  # far below the 25 s that a question waits at the most; usually some milliseconds


def enrolled(drover, daemon, name, kind="balancer"):
    code = drover.json(f"host invite {name} --kind {kind}")["code"]
    return beds.Client(daemon.port)("POST", "/enrol", {"code": code}).json["secret"]


class House:
    """A droverd with pool web (web1, web2, web3), an operator's command, and balancers."""

    def __init__(self, drover, daemons):
        beds.configure(drover, "[clock]\nscan-every = 0\nremind-every = 0\n")
        self.drover = drover
        drover("pool add web web1 web2 web3=20 --title 'The shop'")
        self.daemon = daemons(drover)
        self.daemon.token = beds.admin_token(drover)

    def balancer(self, name="lb1", **how):
        return Balancer(self.daemon.port, enrolled(self.drover, self.daemon, name), "web", **how)

    def shown(self, host=None):
        pool = self.daemon("GET", "/pools/web").json
        return pool if host is None else next(each for each in pool["servers"] if each["host"] == host)


@pytest.fixture
def house(place, daemons):  # noqa: F811
    return House(place, daemons)


def test_a_balancer_is_told_what_the_list_says(house):
    orders = house.balancer().orders()
    assert [(each["host"], each["weight"], each["enabled"], each["order"], each["order_id"]) for each in orders["servers"]] == [
        ("web1", 10, True, "serve", 0), ("web2", 10, True, "serve", 0), ("web3", 20, True, "serve", 0)]
    assert orders["force"] is False and orders["epoch"] > 0


def test_a_waiting_balancer_hears_of_a_drain_at_once(house):
    lb = house.balancer()
    lb.orders()
    waiting = lb.ask_later()
    time.sleep(1)
    assert not waiting.is_answered
    house.daemon("PUT", "/pools/web/servers/web2/order", {"order": "drain", "reason": "disk"})
    status, orders = waiting.answer(AT_ONCE_S)
    assert status == 200 and orders["version"] > lb.version
    web2 = orders["servers"][1]
    assert web2["order"] == "drain" and web2["order_id"] == orders["version"] and web2["forced"] is False


def test_a_drain_by_the_command_wakes_too(house):
    """Another process wrote it: the watcher sees it within half a second."""
    lb = house.balancer()
    lb.orders()
    waiting = lb.ask_later()
    house.drover("pool drain web web1 --reason update")
    assert waiting.answer(AT_ONCE_S)[1]["servers"][0]["order"] == "drain"


def test_a_question_about_another_pool_is_not_woken(house):
    house.drover("pool add other o1")
    lb = house.balancer()
    lb.orders()
    waiting = lb.ask_later()
    house.drover("pool drain other o1")
    time.sleep(1.5)
    assert not waiting.is_answered
    house.drover("pool set web web4")
    assert len(waiting.answer(AT_ONCE_S)[1]["servers"]) == 4


def test_who_asks_with_an_old_version_is_answered_at_once(house):
    lb = house.balancer()
    begin = time.monotonic()
    lb.orders(after=99999)
    assert time.monotonic() - begin < AT_ONCE_S


def test_a_question_without_news_is_answered_after_25_seconds(house):
    lb = house.balancer()
    before = lb.orders()
    waiting = lb.ask_later()
    status, after = waiting.answer(40)
    assert status == 200 and after["servers"] == before["servers"] and after["version"] == before["version"]
    assert 20 < waiting.took_s < 32


def test_a_pool_that_is_removed_is_told_to_who_waits(house):
    lb = house.balancer()
    lb.orders()
    waiting = lb.ask_later()
    house.drover("pool remove web")
    assert waiting.answer(AT_ONCE_S)[0] == 404


def test_versions_never_come_back(house):
    lb = house.balancer()
    before = lb.orders()["version"]
    house.drover("pool remove web")
    house.drover("pool add web web9")
    assert lb.orders()["version"] > before


def test_what_a_balancer_sees_stands_in_api_command_and_page(house):
    lb = house.balancer()
    lb.orders()
    lb.report(alerts=["web2 is down but pooled"], web1={}, web2={"state": "down", "held": True, "why": "TCP: refused"},
              web3={"active": 7, "inactive": 2, "current_weight": 20, "weight": 20})
    assert house.shown("web2")["state"] == "held" and house.shown("web2")["why"] == "TCP: refused"
    assert house.shown("web3")["sights"][0]["active"] == 7
    summary = house.shown()["summary"]
    assert (summary["states"]["up"], summary["states"]["held"], summary["trouble"]) == (2, 1, True)
    assert summary["problems"] == ["lb1: web2 is down but pooled"]
    said = house.drover("pool show web").out
    assert "held" in said and "TCP: refused" in said and "7+2" in said and "! lb1: web2 is down but pooled" in said
    listed = house.drover("pool list").out
    assert "web2 is down but pooled" in listed


def test_a_drain_is_followed_to_its_end(house):
    lb = house.balancer()
    lb.orders()
    lb.report(web1={}, web2={}, web3={})
    house.drover("pool drain web web2 --reason 'new disk'")
    order = lb.order("web2")["order_id"]
    at_work = {"pooled": False, "current_weight": 0, "active": 3, "order_id": order, "answer": "working"}
    lb.report(web1={}, web2=at_work, web3={})
    server = house.shown("web2")
    assert server["state"] == "draining" and server["reason"] == "new disk" and server["sights"][0]["answer"] == "working"
    lb.report(web1={}, web2={**at_work, "active": 0, "answer": "drained"}, web3={})
    assert house.shown("web2")["state"] == "drained"
    house.drover("pool pool web web2")
    assert lb.order("web2")["order"] == "serve"
    lb.report(web1={}, web2={"order_id": lb.order("web2")["order_id"]}, web3={})
    assert [event["state"] for event in house.shown("web2")["timeline"]] == ["up", "draining", "drained", "up"]
    house.drover("pool release web web2")
    assert house.shown("web2")["asked_by"] is None and lb.order("web2")["order_id"] == 0


def test_what_a_balancer_refuses_is_shown_with_its_reason(house):
    lb = house.balancer()
    house.drover("pool drain web web1")
    why = "depool refused: web has 2 of 3 servers up, threshold 0.5 needs 2 left; 1 would remain"
    order = lb.order("web1")["order_id"]
    lb.report(web1={"order_id": order, "answer": "refused", "answer_why": why}, web2={}, web3={"state": "down", "pooled": False})
    assert f"lb1 refuses to drain web1: {why}" in house.shown()["summary"]["problems"]
    assert why in house.drover("pool show web").out
    house.drover("pool drain web web1")  # tried anew
    again = lb.order("web1")
    assert again["order_id"] > order
    assert not any("refuses" in each for each in house.shown()["summary"]["problems"])
    lb.report(web1={"order_id": again["order_id"], "answer": "revoked", "answer_why": "the floor broke"}, web2={}, web3={})
    assert "lb1 no longer agrees to drain web1: the floor broke" in house.shown()["summary"]["problems"]


def test_what_is_forced_needs_a_reason_and_is_told(house):
    lb = house.balancer()
    said = house.drover("pool drain web web1 --force", exits=2).err
    assert "reason" in said and lb.order("web1")["forced"] is False
    house.drover("pool drain web web1 --force --reason 'it burns'")
    assert lb.order("web1")["forced"] is True
    house.drover("pool set web web1 --disable --force --reason 'it burns'")
    assert lb.orders()["force"] is True
    house.drover("pool drain web web2")
    assert lb.orders()["force"] is True, "the list is still the forced one"
    house.drover("pool set web web1 --enable")
    assert lb.orders()["force"] is False


def test_balancers_that_disagree_are_shown_each(house):
    one, two = house.balancer("lb1"), house.balancer("lb2")
    one.report(web1={}, web2={}, web3={})
    two.report(web1={}, web2={"state": "down", "pooled": False, "why": "TCP: timeout"}, web3={})
    server = house.shown("web2")
    assert server["state"] == "down" and server["agree"] is False and server["why"] == "TCP: timeout"
    assert "balancers disagree about web2" in house.shown()["summary"]["problems"]
    lines = [line.split()[:3] for line in house.drover("pool show web").lines if line.startswith("web2")]
    assert lines == [["web2", "lb1", "up"], ["web2", "lb2", "down"]]
    assert [line.split()[:3] for line in house.drover("pool show web").lines if line.startswith("web1")] == [["web1", "all", "up"]]


def age_reports(house, seconds):
    statement = f"UPDATE pool_balancer SET reported_us = reported_us - {seconds} * 1000000"
    if house.drover.place[-2:-1] == ["--store"]:
        beds.Database.sql(statement, house.drover.place[-1])
    else:
        with sqlite3.connect(house.drover.database) as database:
            database.execute(statement)


def test_a_balancer_that_is_silent_has_no_voice(house):
    one, two = house.balancer("lb1"), house.balancer("lb2")
    one.report(web1={"state": "down", "pooled": False}, web2={}, web3={})
    age_reports(house, 91)
    two.report(web1={}, web2={}, web3={})
    server = house.shown("web1")
    assert server["state"] == "up" and server["agree"] is True
    assert [(each["balancer"], each["silent"]) for each in server["sights"]] == [("lb1", True), ("lb2", False)]
    assert house.shown()["summary"]["silent"] == 1 and "lb1 is silent" in house.shown()["summary"]["problems"]
    house.drover("pool forget web lb1")
    assert house.shown()["summary"]["problems"] == []


def test_a_late_report_is_dropped(house):
    lb = house.balancer()
    old = lb.body(web1={"state": "down", "pooled": False})
    assert lb.report(web1={})["dropped"] is False
    assert lb.call("POST", "/pools/web/reports", old)[1]["dropped"] is True
    assert house.shown("web1")["state"] == "up"
    before_it_started = {**lb.body(web1={"state": "down"}), "started": "2020-01-01T00:00:00Z", "sequence": 999}
    assert lb.call("POST", "/pools/web/reports", before_it_started)[1]["dropped"] is True
    age_reports(house, 91)  # its clock went back, and it is the only one there is
    assert lb.call("POST", "/pools/web/reports", before_it_started)[1]["dropped"] is False
    assert house.shown("web1")["state"] == "down"


def test_a_revoked_balancer_hears_401(house):
    lb = house.balancer()
    lb.orders()
    lb.report(web1={})
    waiting = lb.ask_later()
    house.drover("host revoke lb1")
    house.drover("pool set web web4")
    assert waiting.answer(AT_ONCE_S)[0] == 401
    assert lb.call("POST", "/pools/web/reports", lb.body(web1={}))[0] == 401
    assert house.shown()["balancers"] == [], "its word counts no longer"


def test_only_balancers_may_ask_and_report(house):
    node = Balancer(house.daemon.port, enrolled(house.drover, house.daemon, "n1", "node"), "web")
    person = Balancer(house.daemon.port, house.daemon.token, "web")
    nobody = Balancer(house.daemon.port, "drh_" + "A" * 43, "web")
    for who, expected in [(node, 403), (person, 403), (nobody, 401)]:
        assert who.call("GET", "/pools/web/orders")[0] == expected
        assert who.call("POST", "/pools/web/reports", who.body(web1={}))[0] == expected
    lb = house.balancer()
    for method, path in [("GET", "/pools"), ("GET", "/pools/web"), ("PUT", "/pools/web/servers/web1/order")]:
        assert lb.call(method, path, None if method == "GET" else {"order": "drain"})[0] == 403


def test_an_oversized_report_is_refused_and_long_texts_are_cut(house):
    lb = house.balancer()
    many = {f"w{number}": {} for number in range(2001)}
    status, said = lb.call("POST", "/pools/web/reports", lb.body(**many))
    assert status == 400 and "2000" in said["error"]["message"]
    with socket.create_connection(("127.0.0.1", house.daemon.port), timeout=30) as line:  # refused by what it announces
        line.sendall(f"POST /api/v1/pools/web/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {lb.secret}\r\n"
                     f"Content-Type: application/json\r\nContent-Length: {4 * 1024 * 1024 + 1}\r\n\r\n".encode())
        assert line.recv(100).startswith(b"HTTP/1.1 413 ")
    lb.report(alerts=["é" * 3000] * 150, web1={"why": "y" * 5000})
    balancer = house.shown()["balancers"][0]
    assert len(balancer["alerts"]) == 101 and balancer["alerts"][-1] == "and 50 more"
    assert balancer["alerts"][0] == "é" * 500 + "…"
    assert house.shown("web1")["why"] == "y" * 1000 + "…"


def test_a_timeline_does_not_grow_for_ever(house):
    lb = house.balancer()
    for number in range(120):
        lb.report(web1={"state": "down" if number % 2 else "up"})
    events = house.shown("web1")["timeline"]
    assert len(events) == 50 and events[-1]["state"] == "down"
    lb.report(web2={})
    assert house.shown("web1")["timeline"] == []


def test_each_droverd_that_starts_takes_a_higher_epoch(house, daemons):  # noqa: F811
    lb = house.balancer()
    first = lb.orders()["epoch"]
    house.daemon.stop()
    again = daemons(house.drover)
    lb.port = again.port
    assert lb.orders()["epoch"] > first


def test_two_droverds_say_the_same_epoch_and_wake_each_others_balancers(house, engine, daemons):  # noqa: F811
    if engine == "sqlite":
        pytest.skip("several droverds want PostgreSQL")
    lb = house.balancer()
    other = daemons(house.drover)
    lb.orders()
    assert lb.orders(port=other.port)["epoch"] == lb.orders()["epoch"]
    waiting = lb.ask_later(port=other.port)
    house.daemon("PUT", "/pools/web/servers/web2/order", {"order": "drain"})
    assert waiting.answer(AT_ONCE_S)[1]["servers"][1]["order"] == "drain"


def test_two_hundred_waiting_balancers_keep_nobody_waiting(house):
    lb = house.balancer()
    lb.orders()
    lines = []
    request = (f"GET /api/v1/pools/web/orders?after={lb.version} HTTP/1.1\r\nHost: x\r\n"
               f"Authorization: Bearer {lb.secret}\r\n\r\n").encode()

    def figure():
        text = house.daemon("GET", "//metrics").text
        return int(next(line for line in text.splitlines() if line.startswith('drover_http_polls{listener="admin"}')).split()[1])

    for number in range(200):
        line = socket.create_connection(("127.0.0.1", house.daemon.port), timeout=30)
        line.sendall(request)
        lines.append(line)
        if number % 20 == 19:  # those that wait do not count for their address, those that come do
            beds.wait_until(lambda expected=len(lines): figure() == expected, "they wait")
    for _ in range(20):
        begin = time.monotonic()
        assert house.daemon("GET", "/pools").status == 200
        assert time.monotonic() - begin < AT_ONCE_S
    house.daemon("PUT", "/pools/web/servers/web2/order", {"order": "drain"})
    for line in lines:
        answer = http.client.HTTPResponse(line)
        answer.begin()
        assert answer.status == 200 and json.loads(answer.read())["version"] > lb.version
        line.close()


def test_a_peer_that_leaves_is_let_go(house):
    lb = house.balancer()
    lb.orders()
    line = socket.create_connection(("127.0.0.1", house.daemon.port))
    line.sendall((f"GET /api/v1/pools/web/orders?after={lb.version} HTTP/1.1\r\nHost: x\r\n"
                  f"Authorization: Bearer {lb.secret}\r\n\r\n").encode())
    polls = 'drover_http_polls{listener="admin"} '
    beds.wait_until(lambda: polls + "1" in house.daemon("GET", "//metrics").text, "it waits")
    line.close()
    beds.wait_until(lambda: polls + "0" in house.daemon("GET", "//metrics").text, "it is let go")


def test_stopping_ends_all_waiting_at_once(house):
    lb = house.balancer()
    lb.orders()
    waiting = [lb.ask_later() for _ in range(10)]
    time.sleep(0.5)
    begin = time.monotonic()
    assert house.daemon.stop(signal.SIGTERM) == 0
    assert time.monotonic() - begin < 8
    assert {each.answer(5)[0] for each in waiting} == {503}


def test_pybal_reads_both_formats(house):
    house.drover("pool set web web3 --disable")
    house.drover("pool drain web web2")
    public = beds.Client(house.daemon.public_port)

    def lists():
        text = public("GET", "//pools/web").text
        return [ast.literal_eval(line) for line in text.splitlines()]

    expected = [{"host": "web1", "weight": 10, "enabled": True}, {"host": "web2", "weight": 10, "enabled": False},
                {"host": "web3", "weight": 20, "enabled": False}]
    beds.wait_until(lambda: lists() == expected, "the public list follows")
    answer = public("GET", "//pools/web.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {each["host"]: {"weight": each["weight"], "enabled": each["enabled"]} for each in expected}
    assert public("GET", "//pools/web.json", If_None_Match=answer.headers["ETag"]).status == 304
    assert public("GET", "//pools/nothing").status == 404 and public("POST", "//pools/web").status == 405
    house.drover("pool remove web")
    beds.wait_until(lambda: public("GET", "//pools/web").status == 404, "it is gone")


def test_the_public_lists_can_be_turned_off(place, daemons):  # noqa: F811
    place("pool add web web1")
    beds.configure(place, "[public]\npools = no\n")
    daemon = daemons(place)
    public = beds.Client(daemon.public_port)
    assert beds.wait_until(lambda: (public("GET", "//pools/web").status != 503) and public("GET", "//pools/web"), "read").status == 404


def test_a_stale_edit_is_refused(house):
    version = house.shown()["data_version"]
    house.drover("pool set web web4")
    said = house.drover(f"pool set web web5 --data-version {version}", exits=4).err
    assert "data_version" in said
    first = house.shown("web1")["order_id"]
    house.drover("pool drain web web1")
    answer = house.daemon("PUT", "/pools/web/servers/web1/order", {"order": "serve", "order_id": first})
    assert answer.status == 409 and "drain" in answer.json["error"]["message"]


def test_a_pool_that_is_in_use_is_not_removed_unless_forced(house):
    house.balancer().report(web1={})
    assert "lb1" in house.drover("pool remove web", exits=4).err
    house.drover("pool remove web --force --reason 'moved'")
    house.drover("pool show web", exits=3)


def test_every_edit_stands_in_the_history(house):
    house.drover("pool set web web1=5 --reason r1")
    house.drover("pool drain web web1 --reason r2")
    house.drover("pool release web web1 --reason r3")
    house.drover("pool remove web web2 --reason r4")
    house.drover("pool set web --title T --reason r5")
    house.drover("pool remove web --reason r6")
    entries = house.drover.json("history list --subject pool/web")["entries"]
    assert [(each["action"], each["reason"]) for each in reversed(entries)] == [
        ("pool.add", None), ("pool.list", "r1"), ("pool.order", "r2"), ("pool.release", "r3"), ("pool.list", "r4"),
        ("pool.update", "r5"), ("pool.remove", "r6")]
    assert house.drover.json("history verify")["good"]


def test_pools_survive_backup_and_restore_and_the_epoch_goes_on(house, daemons, tmp_path):  # noqa: F811
    lb = house.balancer()
    lb.report(web1={})
    house.drover("pool drain web web2")
    epoch = lb.orders()["epoch"]
    before = house.drover.json("pool show web")
    house.drover(f"store backup {tmp_path}/copy.db")
    house.daemon.stop()
    place = beds.Drover(tmp_path / "other", house.drover.environment) if (tmp_path / "other").mkdir() is None else None
    place(f"store restore {tmp_path}/copy.db")
    assert place.json("pool show web")["servers"] == before["servers"]
    lb.port = daemons(place).port
    assert lb.orders()["epoch"] > epoch


def test_hostile_texts_of_a_balancer_move_no_terminal_and_run_nowhere(house):
    evil = "\x1b[31m<script>alert(1)</script>\u202e\n'"
    lb = house.balancer()
    house.drover("pool drain web web1")
    lb.report(alerts=[evil], web1={"why": evil, "order_id": lb.order("web1")["order_id"], "answer": "refused", "answer_why": evil})
    said = house.drover("pool show web").out
    assert "\x1b" not in said and "\u202e" not in said and "<script>alert(1)" in said
    client = house.daemon.client()
    client.token = None
    link = house.drover.json("user login-link root")["path"]
    cookies = client("POST", "/" + link, "form=login-by-link").headers.get_all("Set-Cookie")
    cookie, = [each.split(";")[0] for each in cookies if each.startswith("drover-session=")]
    for path in ("//", "//pools", "//pools/web"):
        page = client("GET", path, Cookie=cookie)
        assert page.status == 200 and "<script>alert" not in page.text and "\x1b" not in page.text, path
        assert "&lt;script&gt;alert(1)" in page.text, path
