# SPDX-License-Identifier: ISC
"""Channels over the API of a real droverd: who may do what, the life of a change, and what strangers send.

`house` is one droverd for the file, on each kind of store. olga operates everything, otto only web; rita is web's release manager, quinn tests
it: a change of web's channel `release` needs both. Nothing else needs anybody."""
import datetime
import json
import time

import pytest

import beds
import openapi
from server import House, eventually

pytestmark = pytest.mark.slow

RULE = {"product": "web", "channel": "release", "priority": 90, "mapping": "web-1.0.0"}
ROWS = [
    {"op": "insert", "table": "products", "row": {"product": "web", "scheme": "semver", "hosts": ["cdn.example.org"]}},
    *({"op": "insert", "table": "releases", "row": {"name": f"web-1.{n}.0", "product": "web", "version": f"1.{n}.0"}}
      for n in range(6)),
    {"op": "insert", "table": "releases", "row": {"name": "api-1.0.0", "product": "api", "version": "1.0"}},
    {"op": "insert", "table": "rules", "row": {**RULE, "rule_id": 1}},
    {"op": "insert", "table": "rules", "row": {**RULE, "rule_id": 2, "channel": "nightly"}},
    {"op": "insert", "table": "rules", "row": {"rule_id": 3, "product": "api", "channel": "release", "mapping": "api-1.0.0"}},
    {"op": "insert", "table": "channels", "row": {"product": "web", "channel": "release"}},
    {"op": "insert", "table": "channels", "row": {"product": "web", "channel": "nightly"}},
    {"op": "insert", "table": "roles", "row": {"role": "qa", "tester": True}},
    {"op": "insert", "table": "requirements", "row": {"product": "web", "channel": "release", "role": "relman", "n": 1}},
    {"op": "insert", "table": "requirements", "row": {"product": "web", "channel": "release", "role": "qa", "n": 1}},
]


def instant(seconds):
    """So far from now."""
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return then.isoformat().replace("+00:00", "Z")


def draft(*ops):
    return {"title": "A draft", "when": instant(60), "ops": list(ops), "reason": "because"}


class Channels(House):
    PEOPLE = {**House.PEOPLE, "rita": [("viewer", "web"), ("relman", "web")], "quinn": [("viewer", "web"), ("qa", "web")],
              "rolf": [("viewer", "all"), ("relman", "all")]}

    def ask_api(self, who, method, path, body=None):
        return self.api(method, path, body, token=self.token(who))

    def good(self, who, method, path, body=None, schema=None):
        answer = self.ask_api(who, method, path, body)
        assert answer.status == 200, (method, path, answer.body)
        if schema:
            openapi.check(answer.json, schema)
        return answer.json

    def bad(self, who, method, path, body=None, status=400, says=()):
        answer = self.ask_api(who, method, path, body)
        openapi.check(answer.json, "Error")
        assert answer.status == status, (method, path, answer.body)
        for word in says:
            assert word in answer.json["error"]["message"], answer.body
        return answer.json["error"]["message"]

    def edit(self, *ops, who="ada"):
        return self.good(who, "POST", "/edits", {"ops": list(ops)}, "Edited")

    def submit(self, *ops, who="otto", when=None, title="A change"):
        body = {"title": title, "when": when or instant(3600), "ops": list(ops), "reason": "because"}
        return self.good(who, "POST", "/changes", body, "ChangeDetail")

    def show(self, change, who="ada"):
        return self.good(who, "GET", f"/changes/{change['id']}", schema="ChangeDetail")

    def deed(self, who, change, verb, **body):
        return self.good(who, "POST", f"/changes/{change['id']}/{verb}", body, "ChangeDetail")

    def agree(self, change):
        """rita and quinn say yes to what it is now."""
        now = self.show(change)
        self.deed("rita", now, "sign", role="relman", digest=now["digest"])
        self.deed("quinn", now, "sign", role="qa", digest=now["digest"])
        return self.deed("quinn", now, "tested", role="qa", digest=now["tested"]["digest"])

    def answer(self, channel, query="", who="ada"):
        return self.good(who, "GET", f"/channels/web/{channel}/answer?{query}", schema="Answer")

    def is_live(self, change):
        return self.show(change)["state"] == "live"

    def kind(self, change):
        return self.show(change)["standing"]["kind"]

    def notices(self, change, word):
        """Who was told that, sorted."""
        listed = self.good("ada", "GET", "/notices?limit=1000")
        return sorted(each["recipient"].partition("@")[0] for each in listed
                      if each["subject"].startswith(f"change {change['id']} {word}"))


ENGINES = ["sqlite", pytest.param("postgresql", marks=[beds.NEEDS_POSTGRESQL, pytest.mark.slow])]


@pytest.fixture(scope="module", params=ENGINES)
def house(request, tmp_path_factory):
    database = beds.Database() if request.param == "postgresql" else None
    made = Channels(tmp_path_factory.mktemp("channels"), database.url if database else None)
    made.edit(*ROWS)
    yield made
    made.stop()
    if database:
        database.drop()


def mapping(rule, release):
    return {"op": "update", "table": "rules", "rule_id": rule, "row": {"mapping": release}}


# The life of a change ------------------------------------------------------------------------------------------------

def test_a_change_goes_live_when_all_agreed_and_answers_as_it_was_tested(house):
    assert "change submit" in house.bad("otto", "POST", "/edits", {"ops": [mapping(1, "web-1.1.0")]}, status=409, says=["relman"])
    checked = house.good("otto", "POST", "/changes/check", draft(mapping(1, "web-1.1.0")), "ChangeDetail")
    assert checked["id"] is None and checked["words"] == ["rule 1: mapping web-1.0.0 -> web-1.1.0"]
    change = house.submit(mapping(1, "web-1.1.0"), when=instant(6), title="1.1")
    assert change["standing"]["kind"] == "unsigned" and change["scopes"] == [{"product": "web", "channel": "release"}]
    assert {each["role"]: each["missing"] for each in change["required"]} == {"relman": 1, "qa": 1}
    assert house.answer("release")["mapping"] == "web-1.0.0" and house.answer("release-test")["mapping"] == "web-1.1.0"
    soon = house.answer("release", "at=" + change["when"])
    assert soon["mapping"] == "web-1.1.0"
    diff = house.good("rita", "GET", f"/changes/{change['id']}/diff", schema="ChangeDiff")["channels"]
    assert [(each["product"], each["channel"], each["same"]) for each in diff] == [("web", "release", False)]
    assert diff[0]["classes"][0]["after"]["mapping"] == "web-1.1.0"
    for who, role, status in [("rolf", "qa", 403), ("vic", "relman", 403), ("rita", "nothing", 400)]:
        house.bad(who, "POST", f"/changes/{change['id']}/sign", {"role": role, "digest": change["digest"]}, status=status)
    house.bad("rita", "POST", f"/changes/{change['id']}/sign", {"role": "relman", "digest": "0" * 64}, status=409)
    ready = house.agree(change)
    assert ready["standing"]["kind"] == "ready", ready["standing"]
    tested = ready["tested"]["digests"]
    view = house.good("vic", "GET", "/channels/web/release", schema="ChannelView")
    assert [each["id"] for each in view["queue"]] == [change["id"]] and view["waiting"] == 1
    assert eventually(lambda: house.is_live(change))
    live = house.answer("release")
    assert live["mapping"] == soon["mapping"] and {"product": "web", "channel": "release", "digest": live["digest"]} in tested
    assert house.answer("release", "at=2020-01-01T00:00:00Z")["mapping"] is None
    assert eventually(lambda: house.notices(change, "is live") == ["otto", "quinn", "rita"])
    past = house.good("ada", "GET", "/tables/rules/row?key=1", schema="TableRow")["versions"][0]
    assert past["change"] == change["id"]
    assert house.good("rita", "GET", f"/changes/{change['id']}/diff")["channels"][0]["classes"] == diff[0]["classes"]
    assert house.good("ada", "GET", "/changes?state=live", schema="ChangeList")["changes"][0]["id"] == change["id"]


def test_an_unsigned_change_waits_and_those_who_can_help_are_told_once(house):
    change = house.submit(mapping(1, "web-1.2.0"), when=instant(0.2))
    assert eventually(lambda: house.notices(change, "waits for sign-offs"))
    for _ in range(3):
        went = house.good("ada", "POST", "/jobs/go-live", schema="WentLive")
        assert [(each["change"], each["kind"]) for each in went["waiting"]] == [(change["id"], "unsigned")] and went["live"] == []
    assert house.notices(change, "waits for sign-offs") == ["otto", "quinn", "rita", "rolf"]
    house.agree(change)
    assert eventually(lambda: house.is_live(change))


def test_an_edit_voids_what_was_said_and_a_stale_edit_is_refused(house):
    change = house.submit(mapping(1, "web-1.3.0"))
    assert house.agree(change)["standing"]["kind"] == "ready"
    path = f"/changes/{change['id']}"
    version = house.show(change)["data_version"]
    moved = house.good("otto", "PUT", path, {"data_version": version, "when": instant(7200)}, "ChangeDetail")
    assert [each["counts"] for each in moved["sign_offs"]] == [True, True]
    house.bad("otto", "PUT", path, {"data_version": version, "when": instant(9000)}, status=409)
    house.bad("otto", "PUT", path, {"when": instant(9000)}, says=["data_version"])
    edited = house.good("otto", "PUT", path, {"data_version": moved["data_version"], "ops": [mapping(1, "web-1.4.0")]}, "ChangeDetail")
    assert [each["counts"] for each in edited["sign_offs"]] == [False, False] and edited["standing"]["kind"] == "unsigned"
    house.bad("otto", "POST", path + "/withdraw", {"data_version": edited["data_version"]}, says=["reason"])
    house.bad("vic", "POST", path + "/withdraw", {"data_version": edited["data_version"], "reason": "no"}, status=403)
    gone = house.deed("otto", change, "withdraw", data_version=edited["data_version"], reason="no")
    assert gone["state"] == "withdrawn"


def test_a_direct_edit_rebases_the_queue_and_says_so(house):
    change = house.submit(mapping(2, "web-1.5.0"))
    edited = house.edit({"op": "update", "table": "rules", "rule_id": 2, "row": {"comment": "beside it"}}, who="otto")
    assert [each["change"] for each in edited["rebased"]] == [change["id"]] and edited["rebased"][0]["conflicts"] == []
    edited = house.edit(mapping(2, "web-1.2.0"), who="otto")
    assert edited["rebased"][0]["conflicts"][0]["column"] == "mapping"
    assert house.kind(change) == "conflict"
    assert eventually(lambda: house.notices(change, "conflicts") == ["otto"])
    now = house.show(change)
    house.deed("otto", change, "withdraw", data_version=now["data_version"], reason="settled")


def test_what_does_not_come_from_a_deployable_landing_wants_a_word(house):
    deployable = house.good("ada", "GET", "/products/web/deployable")
    landing = next(n for n in range(7, 0, -1) if n not in deployable["deployable_all"])
    house.edit({"op": "insert", "table": "releases", "row": {"name": "web-fix", "product": "web", "version": "1.9.0", "landing": landing}})
    change = house.submit(mapping(2, "web-fix"), when=instant(0.2))
    gate = next(each for each in change["gates"] if each["name"] == "deployable")
    assert not gate["passes"] and str(landing) in gate["text"] and gate["role"] == "operator"
    assert eventually(lambda: house.notices(change, "is held by a gate") == ["otto"])
    house.bad("vic", "POST", f"/changes/{change['id']}/override", {"gate": "deployable", "reason": "hotfix"}, status=403)
    house.bad("otto", "POST", f"/changes/{change['id']}/override", {"gate": "deployable"}, says=["reason"])
    house.bad("otto", "POST", f"/changes/{change['id']}/override", {"gate": "weather", "reason": "x"}, status=404)
    house.deed("otto", change, "override", gate="deployable", reason="hotfix")
    assert eventually(lambda: house.is_live(change))
    assert house.show(change)["overrides"][0]["reason"] == "hotfix"


def test_a_freeze_holds_changes_and_an_operator_cannot_lift_it(house):
    freeze = {"name": "holidays", "product": "api", "from": instant(-60), "until": instant(3600), "reason": "quiet days"}
    house.edit({"op": "insert", "table": "freezes", "row": freeze}, who="olga")
    change = house.submit({"op": "update", "table": "rules", "rule_id": 3, "row": {"rate": 50}}, who="olga", when=instant(0.2))
    assert eventually(lambda: house.kind(change) == "gate" and house.notices(change, "is held by a gate") == ["olga"])
    lift = {"op": "delete", "table": "freezes", "name": "holidays"}
    house.bad("olga", "POST", "/edits", {"ops": [lift]}, status=403, says=["admin"])
    house.bad("olga", "POST", "/changes", draft(lift), status=403, says=["admin"])
    house.bad("olga", "POST", f"/changes/{change['id']}/override", {"gate": "freeze", "reason": "x"}, status=403)
    assert not house.is_live(change)
    house.edit(lift)
    assert eventually(lambda: house.is_live(change))


def test_breaking_the_glass_is_heard_and_reviewed_by_another(house):
    change = house.submit(mapping(1, "web-1.5.0"))
    house.bad("vic", "POST", f"/changes/{change['id']}/break-glass", {"reason": "fire"}, status=403)
    house.bad("otto", "POST", f"/changes/{change['id']}/break-glass", {}, says=["reason"])
    assert house.deed("otto", change, "break-glass", reason="fire")["state"] == "live"
    assert house.answer("release")["mapping"] == "web-1.5.0"
    told = house.notices(change, "went live by breaking the glass")
    assert {"otto", "olga", "ada", "rita", "quinn", "rolf"} <= set(told) and "vic" not in told
    house.bad("otto", "POST", f"/changes/{change['id']}/review", {"reason": "fine"}, status=403)
    assert house.deed("olga", change, "review", reason="fine")["may"]["review"] is False


# Who sees and may what -----------------------------------------------------------------------------------------------

def test_who_sees_no_product_of_a_change_does_not_learn_of_it(house):
    foreign = house.submit({"op": "update", "table": "rules", "rule_id": 3, "row": {"comment": "secret"}}, who="olga")
    both = house.submit({"op": "update", "table": "rules", "rule_id": 3, "row": {"comment": "more"}}, mapping(2, "web-1.4.0"), who="olga")
    ids = {each["id"]: each for each in house.good("otto", "GET", "/changes?state=scheduled", schema="ChangeList")["changes"]}
    assert foreign["id"] not in ids and {each["product"] for each in ids[both["id"]]["scopes"]} == {"web"}
    assert {foreign["id"], both["id"]} <= {each["id"] for each in house.good("olga", "GET", "/changes?product=api")["changes"]}
    unknown = house.bad("otto", "GET", "/changes/999999", status=404)
    for method, path, body in [("GET", "", None), ("GET", "/diff", None), ("PUT", "", {"data_version": 1}),
                               ("POST", "/sign", {"role": "qa", "digest": "0"}), ("POST", "/tested", {"role": "qa", "digest": "0"}),
                               ("POST", "/revoke", {"role": "qa"}), ("POST", "/withdraw", {"reason": "r", "data_version": 1}),
                               ("POST", "/override", {"gate": "freeze", "reason": "r"}), ("POST", "/break-glass", {"reason": "r"}),
                               ("POST", "/review", {"reason": "r"}), ("POST", "/go", {"reason": "r"})]:
        said = house.bad("otto", method, f"/changes/{foreign['id']}{path}", body, status=404)
        assert said == unknown.replace("999999", str(foreign["id"]))
        said = house.bad("otto", method, f"/changes/{both['id']}{path}", body, status=403)
        assert "secret" not in said and "api" not in said
    for who in ("nora", "vic"):
        house.bad(who, "POST", "/changes", draft(mapping(2, "web-1.4.0")), status=403)
    house.bad("otto", "POST", "/changes", draft(mapping(3, None)), status=403)
    for change in (both, foreign):
        now = house.show(change)
        house.deed("olga", change, "withdraw", data_version=now["data_version"], reason="done")


@pytest.mark.parametrize("table, row", [
    ("grants", {"product": "web", "person": "otto", "role": "relman"}), ("roles", {"role": "relman", "author_may_sign": True}),
    ("requirements", {"product": "*", "channel": "*", "role": "relman", "n": 1}), ("rules", {"priority": 1}),
    ("freezes", {"name": "f", "product": "*", "from": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "reason": "r"})])
def test_nobody_gives_themself_what_they_lack(house, table, row):
    op = {"op": "insert", "table": table, "row": row}
    house.bad("otto", "POST", "/edits", {"ops": [op]}, status=403)
    house.bad("otto", "POST", "/changes", draft(op), status=403)
    house.bad("otto", "POST", "/changes/check", draft(op), status=403)


def test_a_role_that_was_taken_counts_no_more(house):
    change = house.submit(mapping(1, "web-1.3.0"))
    assert house.agree(change)["standing"]["kind"] == "ready"
    revoked = {"product": "web", "role": "relman"}
    house.good("ada", "DELETE", "/people/rita/roles", revoked)
    assert house.kind(change) == "unsigned"
    house.good("ada", "PUT", "/people/rita/roles", revoked)
    assert house.kind(change) == "ready"
    assert house.deed("rita", change, "revoke", role="relman")["standing"]["kind"] == "unsigned"
    now = house.show(change)
    house.deed("otto", change, "withdraw", data_version=now["data_version"], reason="done")


# Odd things ----------------------------------------------------------------------------------------------------------

DEEP = {}
for _ in range(50):
    DEEP = {"a": DEEP}
ODD_OPS = [
    None, {}, "text", 7, [7], [None], [[]], [{}], [{"op": "insert"}], [{"op": "insert", "table": "rules"}],
    [{"op": "insert", "table": "people", "row": {}}], [{"op": "explode", "table": "rules", "rule_id": 1}],
    [{"op": "insert", "table": "rules", "row": []}], [{"op": "insert", "table": "rules", "row": DEEP}],
    [{"op": "update", "table": "rules", "rule_id": "1", "row": {}}], [{"op": "update", "table": "rules", "rule_id": -1, "row": {"rate": 1}}],
    [{"op": "update", "table": "rules", "rule_id": 2**62, "row": {"rate": 1}}], [{"op": "delete", "table": "rules"}],
    [{"op": "insert", "table": "rules", "row": {**RULE, "rule_id": 2**63 - 1}}],
    [{"op": "update", "table": "rules", "rule_id": 2, "row": {"locale": "x" * 5000}}],
    [{"op": "update", "table": "rules", "rule_id": 2, "row": {"tags": {"a": DEEP}}}],
    [{"op": "update", "table": "rules", "rule_id": 2, "row": {"comment": "a"}, "data_version": "1"}],
    [{"op": "insert", "table": "pins", "row": {"product": "web"}}], [{"op": "insert", "table": "grants", "row": {"person": 1}}],
    [{"op": "insert", "table": "releases", "row": {"name": "x" * 300, "product": "web", "version": "1.0.0"}}],
    [{"op": "insert", "table": "channels", "row": {"product": "web", "channel": "a", "base": "a"}}],
    [mapping(2, "web-1.0.0")] * 2001]


@pytest.mark.parametrize("ops", ODD_OPS, ids=range(len(ODD_OPS)))
def test_odd_ops_are_refused_and_change_nothing(house, ops):
    def head():
        return house.good("ada", "GET", "/status")["history_head"]

    before = head()
    for path, body in [("/edits", {"ops": ops}), ("/changes/check", {"when": instant(60), "ops": ops}),
                       ("/changes", {"when": instant(60), "ops": ops, "title": "odd"})]:
        answer = house.ask_api("ada", "POST", path, body)
        assert answer.status in (400, 404, 409, 413), (path, json.dumps(body)[:300], answer.body)
        openapi.check(answer.json, "Error")
    assert head() == before


@pytest.mark.parametrize("field, value", [
    ("when", None), ("when", 7), ("when", "soon"), ("when", "2020-01-01T00:00:00Z"), ("when", "9999-01-01T00:00:00Z"),
    ("when", "x" * 5000), ("title", 7), ("title", "x" * 201), ("reason", 7), ("reason", "x" * 4097), ("ops", {}), ("ops", None)])
def test_an_odd_draft_is_refused_by_name(house, field, value):
    body = {"title": "t", "when": instant(60), "ops": [mapping(2, "web-1.4.0")], "reason": "r", field: value}
    for path in ("/changes", "/changes/check"):
        house.bad("ada", "POST", path, body, says=[field])


def test_a_large_release_is_taken_and_a_huge_body_is_not(house):
    files = {"completes": [{"from": "*", "url": "https://cdn.example.org/" + "x" * 2000, "size": 1, "sha256": "ab" * 32}]}
    row = {"name": "web-large", "product": "web", "version": "9.0.0", "platforms": {
        f"p{n}": {"locales": {f"l{m}": files for m in range(20)}} for n in range(50)}}
    written = house.edit({"op": "insert", "table": "releases", "row": row}, who="otto")
    assert len(json.dumps(row)) > 2**20 and written["written"] == 1
    brief = house.good("otto", "GET", "/tables/releases?brief=1", schema="TableRows")["rows"]
    assert {"name": "web-large", "product": "web", "version": "9.0.0", "data_version": 1} in brief
    for path in ("/edits", "/changes"):
        head = (f"POST /api/v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.token('otto')}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {16 * 2**20 + 1}\r\n\r\n")
        assert b" 413 " in house.raw(head.encode(), timeout=5)[:30]


def test_the_generation_moves_with_each_edit_and_with_nothing_else(house):
    def generation():
        return house.good("ada", "GET", "/channels", schema="ChannelList")["generation"]

    before = generation()
    house.good("ada", "POST", "/changes/check", draft(mapping(2, "web-1.4.0")))
    house.answer("release-test")
    assert generation() == before
    house.edit({"op": "update", "table": "rules", "rule_id": 2, "row": {"comment": str(time.time())}})
    assert generation() > before


def test_metrics_count_what_waits(house):
    change = house.submit(mapping(1, "web-1.4.0"))
    text = house.ask("GET", "/metrics", token=house.token("ada")).text
    figures = dict(line.split() for line in text.splitlines() if line.startswith("drover_changes_waiting"))
    assert figures['drover_changes_waiting{kind="unsigned"}'] == "1" and figures['drover_changes_waiting{kind="ready"}'] == "0", figures
    now = house.show(change)
    house.deed("otto", change, "withdraw", data_version=now["data_version"], reason="done")
