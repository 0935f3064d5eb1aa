# SPDX-License-Identifier: ISC
"""src/api/openapi.yaml against the real answers: every route, asked rightly and wrongly.

Each answer is held to the document: status, type, headers, every field. `contract` is the house plus a memory of which
operations answered 200; the last test but one looks whether any was left out."""
import datetime
import json
import random
import re
import sqlite3

import jsonschema
import pytest
import yaml

import openapi
import releases
from conftest import ROOT
from server import PASSWORD, House, eventually

SEED = 20261103
RANDOM_REQUESTS = 2000
METHODS = ("get", "post", "put", "patch", "delete")
FORMATS = jsonschema.FormatChecker()


@FORMATS.checks("date-time", raises=ValueError)
def is_time(text):
    """RFC 3339 in UTC, as the document promises."""
    if isinstance(text, str):
        assert text.endswith("Z")
        datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return True


OPERATIONS = {
    (method.upper(), path): (operation, whole.get("parameters", []) + operation.get("parameters", []))
    for path, whole in openapi.document()["paths"].items()
    for method, operation in whole.items() if method in METHODS}


def template_of(method, path):
    """The document's path for a real one; words win over parameters."""
    path = path.partition("?")[0]
    fitting = [template for known, template in OPERATIONS if known == method
               and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path)]
    return min(fitting, key=lambda template: template.count("{"))


def check_headers(answer):
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Content-Security-Policy") == "default-src 'none'; frame-ancestors 'none'"
    assert answer.header("Server") is None and not answer.cookies


def check_error(answer, status=None, kind=None, says=()):
    check_headers(answer)
    openapi.check(answer.json, "Error")
    assert 400 <= answer.status < 500, (answer.status, answer.body)
    assert status in (None, answer.status), (answer.status, answer.body)
    assert kind in (None, answer.json["error"]["kind"]), answer.body
    for word in says:
        assert word in answer.json["error"]["message"], (word, answer.body)
    return answer.json["error"]["message"]


class Contract(House):
    def __init__(self, folder):
        super().__init__(folder)
        self.seen = set()

    def right(self, method, path, body=None, who="ada", **how):
        """Answered 200 as the document says. Gives the JSON."""
        answer = self.api(method, path, body, **({"token": self.token(who)} if who else {}), **how)
        assert answer.status == 200, (method, path, answer.body)
        check_headers(answer)
        template = template_of(method, path)
        schema = OPERATIONS[method, template][0]["responses"]["200"]["content"]["application/json"]["schema"]
        whole = {"allOf": [schema], "components": openapi.document()["components"]}
        jsonschema.Draft202012Validator(whole, format_checker=FORMATS).validate(answer.json)
        self.seen.add((method, template))
        return answer.json

    def wrong(self, method, path, body=None, status=None, says=(), who="ada", kind=None, **how):
        answer = self.api(method, path, body, **({"token": self.token(who)} if who else {}), **how)
        return check_error(answer, status, kind, says)


@pytest.fixture(scope="module")
def contract(tmp_path_factory):
    made = Contract(tmp_path_factory.mktemp("contract"))
    yield made
    made.stop()


def test_the_document_is_what_the_server_hands_out(contract):
    given = contract.right("GET", "/openapi.json", who=None)
    assert given == json.loads(json.dumps(yaml.safe_load(openapi.DOCUMENT.read_text()), default=str))


def test_every_route_is_in_the_document_and_every_path_of_it_is_a_route(contract):
    tables = re.compile(r'^\t\{"(GET|POST|PUT|PATCH|DELETE)", "(/[^"]*)", ROLE_', re.MULTILINE)
    routes = {found for file in (ROOT / "src/api").glob("*.c") for found in tables.findall(file.read_text())}
    assert routes == set(OPERATIONS)
    for method, path in sorted(OPERATIONS):
        answer = contract.api(method, re.sub(r"\{[^}]+\}", "1", path))
        assert answer.status == 200 or "the routes are in" not in answer.text, (method, path)


def test_status_and_questions_about_the_house(contract):
    status = contract.right("GET", "/status")
    assert [each["name"] for each in status["products"]] == ["api", "web"]
    assert contract.right("GET", "/store/check")["good"] is True
    contract.right("GET", "/status", who="vic")
    assert set(contract.right("GET", "/report")["files"]) >= {"index.html", "product-web.html", "drover.css"}


def test_products(contract):
    contract.right("GET", "/products")
    assert [each["name"] for each in contract.right("GET", "/products", who="vic")] == ["web"]
    for name in ("web", "api"):
        product = contract.right("GET", f"/products/{name}")
        assert product["settings"]["name"] == name
    added = contract.right("POST", "/products", {"name": "docs", "title": "Docs", "reason": "new"})
    changed = {"data_version": added["data_version"], "title": "The docs", "mail_list": "docs@example.org",
               "item_url": "https://bugs.example/{item}", "overdue_days": 3, "remind": False, "baseline": None}
    after = contract.right("PATCH", "/products/docs", changed)
    assert after["title"] == "The docs" and after["data_version"] == added["data_version"] + 1
    contract.wrong("PATCH", "/products/docs", changed, status=409)
    contract.wrong("PATCH", "/products/docs", {"title": "x"}, status=400, says=["data_version"])
    contract.wrong("POST", "/products", {"name": "docs"}, status=409)
    contract.wrong("POST", "/products", {}, status=400, says=["name"])
    contract.wrong("POST", "/products", status=400, says=["body"])
    contract.wrong("GET", "/products/nothing", status=404, kind="not-found")
    contract.wrong("GET", "/products/web", who=None, status=401, kind="unauthenticated")
    contract.wrong("GET", "/products/api", who="vic", status=403, kind="denied")


@pytest.mark.parametrize("field, value", [
    ("name", "7web"), ("name", "-rf"), ("name", "a/b"), ("name", ""), ("name", "x" * 64), ("name", "a\n"), ("name", 7),
    ("title", ""), ("title", "a\nb"), ("title", "a\x1b[2J"), ("title", "x" * 1025),
    ("repository", "relative"), ("repository", "-"), ("repository", "--upload-pack=x"),
    ("repository", "file:///etc"), ("branch", ""), ("branch", "a\nb"), ("branch", "x" * 1025),
    ("item_url", "javascript:alert(1)//{item}"), ("item_url", "JavaScript:x{item}"), ("item_url", "data:text/html,{item}"),
    ("item_url", " https://x/{item}"), ("item_url", "//x/{item}"), ("item_url", "https://x/"), ("item_url", 7),
    ("item_patterns", ""), ("mail_list", "a\r\nBcc: b@example.org"),
    ("mail_list", "no address"), ("overdue_days", 0), ("overdue_days", 3651), ("overdue_every_days", 1.5),
    ("overdue_days", "3"), ("baseline", -1), ("baseline", 2**63 - 1 + 0.5), ("authors_may_rule", "yes"), ("remind", 1)])
def test_a_bad_setting_is_refused_by_name(contract, field, value):
    contract.wrong("POST", "/products", {"name": "bad", field: value}, status=400, says=[field])
    if field != "name":
        version = contract.right("GET", "/products/api")["settings"]["data_version"]
        contract.wrong("PATCH", "/products/api", {"data_version": version, field: value}, status=400, says=[field])


def test_landings_of_a_scanned_product(contract):
    listed = contract.right("GET", "/products/web/landings?limit=3")
    assert [each["ordinal"] for each in listed["landings"]] == [7, 6, 5] and listed["next"] == 5
    more = contract.right("GET", f"/products/web/landings?limit=100&before={listed['next']}")
    assert more["next"] is None and len(more["landings"]) == 4
    for filters in ("state=BAD", "state=", "author=grace", "author=", "before=1", "nothing=1"):
        contract.right("GET", f"/products/web/landings?{filters}")
    for landing in more["landings"] + listed["landings"]:
        detail = contract.right("GET", f"/products/web/landings/{landing['ordinal']}")
        assert detail["landing"]["revision"] == landing["revision"]
        by_revision = contract.right("GET", f"/products/web/landings/{landing['revision'][:10]}")
        assert by_revision == detail
    assert contract.right("GET", "/products/web/landings/3")["landing"]["rolls_back"] == [2]
    assert contract.right("GET", "/products/web/landings/5")["landing"]["fixes"] == [4]
    assert contract.right("GET", "/products/web/landings/6")["landing"]["notes"]
    for bad in ("limit=0", "limit=1001", "limit=x", "limit=1e3", "before=-1", "before=99999999999999999999",
                "state=good", "state=%3Cb%3E"):
        contract.wrong("GET", f"/products/web/landings?{bad}", status=400, says=[bad.partition("=")[0]])
    for bad in ("0", "99", "-1", "abcdef0123", "zz", "1234567890123456789012"):
        contract.wrong("GET", f"/products/web/landings/{bad}")


def test_questions_about_landings(contract):
    for product in ("web", "api"):
        contract.right("GET", f"/products/{product}/deployable")
        contract.right("GET", f"/products/{product}/owing")
        for query in ("", "ahead", "grace", "%231", "1", "Break", "%E2%80%AE"):
            contract.right("GET", f"/products/{product}/where?q={query}")
        contract.right("GET", f"/products/{product}/where")
    assert contract.right("GET", "/products/web/deployable?tip=1")["tip"] == 1
    contract.wrong("GET", "/products/web/deployable?tip=99", status=404)
    contract.wrong("GET", "/products/web/deployable?tip=x")
    contract.wrong("GET", "/products/web/where?q=" + "x" * 201, status=400, says=["q"])
    found = contract.right("GET", "/products/web/where?q=ahead")["matches"]
    assert {"kind": "branch", "landing": None}.items() <= found[0].items()


def test_scanning_and_jobs(contract):
    contract.repository.commit("One more", "Bug: 8")
    assert contract.right("POST", "/products/web/scan", who="otto")["new_landings"] == 1
    assert contract.right("POST", "/products/web/scan", {})["new_landings"] == 0
    contract.wrong("POST", "/products/api/scan", status=400)
    contract.wrong("POST", "/products/web/scan", who="tess", status=403)
    run = contract.right("POST", "/jobs/run")
    assert [each["product"] for each in run["scans"]] == ["web"] and run["problems"] == []
    contract.right("POST", "/jobs/remind", who="olga")
    listed = contract.right("GET", "/notices")
    assert listed and listed[0]["state"] == "queued"
    for state in ("queued", "sending", "sent", "failed"):
        contract.right("GET", f"/notices?state={state}&limit=5")
    contract.wrong("GET", "/notices?state=lost", status=400, says=["state"])
    contract.wrong("GET", "/notices?limit=0", status=400, says=["limit"])


def test_a_rewritten_branch_is_frozen_until_it_is_confirmed(contract):
    contract.wrong("POST", "/products/web/rebase", {"confirm": False, "reason": "x"}, status=400, says=["confirm"])
    contract.wrong("POST", "/products/web/rebase", {"confirm": "yes", "reason": "x"}, status=400, says=["confirm"])
    contract.repository.git("reset", "-q", "--hard", "HEAD~1")
    contract.repository.commit("Another eighth", "Bug: 9")
    contract.wrong("POST", "/products/web/scan", kind="frozen")
    assert contract.right("GET", "/products/web")["summary"]["frozen"]
    contract.right("GET", "/status")
    contract.right("POST", "/products/web/rebase", {"confirm": True, "reason": "pushed by mistake"})
    contract.right("POST", "/products/web/scan")


def test_importing(contract):
    new = {"rev": 20, "revision": "r20", "branch": "trunk", "author": "Ada", "email": "ada@example.org",
           "subject": "S", "message": "S\n\nlong", "time": "2026-11-01T00:00:00Z", "qa": "required",
           "items": [{"id": "x", "state": None}], "rollback_of": None, "fixes": []}
    assert contract.right("POST", "/products/api/landings", {"landings": [new]})["new_landings"] == 1
    assert contract.right("POST", "/products/api/landings", {"landings": [new], "reason": "again"})["unchanged"] == 1
    assert contract.right("POST", "/products/api/landings", {"landings": []})["landings"] == 5
    contract.wrong("POST", "/products/web/landings", {"landings": []}, status=400, says=["web"])
    contract.wrong("POST", "/products/api/landings", {"landings": [{**new, "items": []}]}, status=409, says=["items"])
    contract.wrong("POST", "/products/api/landings", {"landings": [{"rev": 1}]}, status=409)
    for field, value in [
            ("rev", 0), ("rev", -1), ("rev", "21"), ("rev", 2.5), ("rev", None), ("rev", 2**63 - 1), ("revision", ""),
            ("revision", "a\nb"), ("revision", "x" * 201), ("author", 7), ("subject", "x" * 65537), ("time", "yesterday"),
            ("qa", "never"), ("items", 7), ("items", [7]), ("items", [{"id": ""}]), ("items", [{"id": 1}, {"id": "1"}]),
            ("items", [{"id": 1, "state": "fine"}]), ("rollback_of", "20"), ("rollback_of", 0), ("fixes", [None]),
            ("fixes", list(range(1, 1002))), ("items", [{"id": n} for n in range(1, 1002)])]:
        contract.wrong("POST", "/products/api/landings", {"landings": [{**new, "rev": 21, "revision": "r21", field: value}]},
                       status=400, says=[field])
    for bad in (None, 7, {}, [7], [None], [[]], [{"rev": 21}, {"rev": 21}]):
        contract.wrong("POST", "/products/api/landings", {"landings": bad}, status=400)


def test_verdicts(contract):
    path = "/products/web/landings/2/verdicts"
    first = contract.right("POST", path, {"item": "2", "state": "bad", "tool": "ci", "reason": "broke"}, who="tess")
    assert first["changed"] and first["was"] is None
    again = contract.right("POST", path, {"item": "2", "state": "bad"})
    assert not again["changed"]
    contract.right("POST", path, {"state": "ok", "item": None})
    contract.right("POST", path, {"state": "needs-testing"})
    for body, field in [({}, "state"), ({"state": "fine"}, "state"), ({"state": "OK"}, "state"), ({"state": 1}, "state"),
                        ({"state": "untestable"}, "untestable"), ({"state": "ok", "item": 2}, "item"),
                        ({"state": "ok", "item": "x" * 201}, "item"), ({"state": "ok", "tool": "x" * 101}, "tool"),
                        ({"state": "ok", "tool": None, "reason": 3}, "reason"),
                        ({"state": "ok", "reason": "x" * 4097}, "reason")]:
        contract.wrong("POST", path, body, status=400, says=[field])
    contract.wrong("POST", path, {"state": "ok", "item": "99"}, status=404, says=["99"])
    contract.wrong("POST", "/products/web/landings/99/verdicts", {"state": "ok"}, status=404)
    contract.wrong("POST", path, {"state": "ok"}, who="vic", status=403)


def test_maintenance(contract):
    assert contract.right("GET", "/maintenance", who="vic")["on"] is False
    for body in ({}, {"on": "yes", "reason": "x"}, {"on": None}, {"on": True}, {"on": True, "reason": 7}):
        contract.wrong("PUT", "/maintenance", body, status=400)
    on = contract.right("PUT", "/maintenance", {"on": True, "reason": "moving"}, who="olga")
    assert on["source"] == "switch" and on["actor"] == "olga"
    refused = contract.api("POST", "/products/web/scan", token=contract.token("ada"))
    assert refused.status == 503 and refused.json["error"]["kind"] == "maintenance" and refused.header("Retry-After")
    openapi.check(refused.json, "Error")
    contract.right("GET", "/status")
    contract.right("PUT", "/maintenance", {"on": False})
    (contract.state / "maintenance.txt").write_text("<b>by hand</b>\n")
    assert contract.right("GET", "/maintenance")["source"] == "file"
    contract.wrong("PUT", "/maintenance", {"on": False}, status=409)
    (contract.state / "maintenance.txt").unlink()


def test_history(contract):
    listed = contract.right("GET", "/history?limit=5")
    assert len(listed["entries"]) == 5 and listed["next"]
    contract.right("GET", f"/history?before={listed['next']}&limit=1000")
    contract.right("GET", "/history?subject=person&actor=ada")
    contract.right("GET", "/history?subject=%25&actor=%27%22--")
    shown = contract.right("GET", f"/history/{listed['entries'][0]['sequence']}")
    assert shown == listed["entries"][0]
    verdict = contract.right("GET", "/history/verify")
    assert verdict["good"] and contract.right("GET", f"/history/verify?head={verdict['head']}")["good"]
    assert not contract.right("GET", "/history/verify?head=0123")["good"]
    for bad in ("limit=0", "limit=", "before=x"):
        contract.wrong("GET", f"/history?{bad}", status=400, says=[bad.partition("=")[0]])
    contract.wrong("GET", "/history/0", status=400, says=["sequence"])
    contract.wrong("GET", "/history/9999999", status=404)
    contract.wrong("GET", "/history/x", status=400, says=["sequence"])
    contract.wrong("GET", "/history", who="vic", status=403)


def test_people_and_roles(contract):
    contract.right("GET", "/people")
    contract.right("GET", "/people/vic", who="vic")
    contract.wrong("GET", "/people/ada", who="vic", status=403)
    contract.wrong("GET", "/people/nobody", status=404)
    made = contract.right("POST", "/people", {"name": "zoe", "email": "zoe@example.org", "password": "x" * 10})
    for field, value in [("name", "Zoe"), ("name", ""), ("name", "a b"), ("name", "x" * 64), ("name", 1), ("name", None),
                         ("email", "nothing"), ("email", "a@b\r\nBcc: c@example.org"), ("email", None), ("email", 5),
                         ("email", "x" * 400 + "@example.org"), ("password", "short"), ("password", "x" * 1025),
                         ("password", 5)]:
        contract.wrong("POST", "/people", {"name": "new", "email": "new@example.org", field: value}, status=400, says=[field])
    contract.wrong("POST", "/people", {"name": "zoe", "email": "zoe@example.org"}, status=409)
    version = made["data_version"]
    contract.wrong("PATCH", "/people/zoe", {"email": "z@example.org"}, status=400, says=["data_version"])
    contract.wrong("PATCH", "/people/zoe", {"data_version": version + 1, "email": "z@example.org"}, status=409)
    for field, value in [("email", "x"), ("disabled", "yes"), ("password", ""), ("data_version", "1"), ("reason", 1)]:
        contract.wrong("PATCH", "/people/zoe", {"data_version": version, field: value}, status=400, says=[field])
    contract.right("PATCH", "/people/zoe", {"data_version": version, "password": None, "reason": "gone"})
    contract.right("PUT", "/people/zoe/roles", {"product": "web", "role": "signer-qa"})
    contract.right("PUT", "/people/zoe/roles", {"product": "*", "role": "viewer", "reason": "new"})
    contract.wrong("PUT", "/people/zoe/roles", {"product": "nothing", "role": "viewer"}, status=404, says=["product"])
    contract.wrong("PUT", "/people/zoe/roles", {"product": "web", "role": "Viewer"}, status=400, says=["role"])
    contract.wrong("PUT", "/people/zoe/roles", {"product": "web"}, status=400, says=["role"])
    contract.wrong("PUT", "/people/nobody/roles", {"product": "web", "role": "viewer"}, status=404)
    contract.right("DELETE", "/people/zoe/roles", {"product": "*", "role": "viewer"})
    contract.wrong("DELETE", "/people/zoe/roles", {"product": "*", "role": "viewer"}, status=404)
    contract.wrong("DELETE", "/people/ada/roles", {"product": "*", "role": "admin"}, status=409, says=["last admin"])
    contract.right("PUT", "/people/tess/password", {"old": PASSWORD, "new": PASSWORD + "!"}, who="tess")
    contract.wrong("PUT", "/people/tess/password", {"old": PASSWORD, "new": PASSWORD}, who="tess")
    contract.wrong("PUT", "/people/tess/password", {"old": PASSWORD + "!", "new": "short"}, who="tess", status=400, says=["new"])
    contract.wrong("PUT", "/people/ada/password", {"old": PASSWORD, "new": PASSWORD + "!"}, who="tess")
    link = contract.right("POST", "/people/zoe/login-link")
    assert link["path"].startswith("/login/")
    contract.wrong("POST", "/people/nobody/login-link", status=404)


def test_tokens(contract):
    contract.right("GET", "/tokens")
    assert {each["person"] for each in contract.right("GET", "/tokens", who="vic")} == {"vic"}
    made = contract.right("POST", "/tokens", {"name": "mine", "expires_days": 366}, who="vic")
    contract.wrong("POST", "/tokens", {"name": "hers", "person": "ada"}, who="vic", status=403)
    for field, value in [("name", ""), ("name", "a\nb"), ("name", "x" * 101), ("name", None), ("expires_days", 0),
                         ("expires_days", 367), ("expires_days", -1), ("expires_days", "90"), ("expires_days", 1.5),
                         ("person", 7)]:
        contract.wrong("POST", "/tokens", {"name": "t", field: value}, status=400, says=[field])
    contract.wrong("DELETE", f"/tokens/{made['token']['id']}", who="tess", status=404)
    assert contract.right("DELETE", f"/tokens/{made['token']['id']}", who="vic")["revoked"]
    contract.wrong("GET", "/tokens", who=None, status=401)
    for bad in ("0", "x", "-1", "99999999999999999999"):
        contract.wrong("DELETE", f"/tokens/{bad}", status=400, says=["id"])
    contract.wrong("DELETE", "/tokens/99999", status=404)


def test_hosts(contract):
    invited = contract.right("POST", "/hosts", {"name": "n2.example.org", "kind": "node", "reason": "new rack"})
    for field, value in [("name", ""), ("name", "UP"), ("name", "a b"), ("name", "-x"), ("name", "x" * 254), ("kind", "mule"),
                         ("kind", ""), ("kind", None), ("kind", 1), ("reason", 1)]:
        contract.wrong("POST", "/hosts", {"name": "n3", "kind": "node", field: value}, status=400, says=[field])
    for code in ("", "x", "dre_" + "A" * 43):
        contract.wrong("POST", "/enrol", {"code": code}, who=None, status=401)
    contract.wrong("POST", "/enrol", {}, who=None, status=400, says=["code"])
    contract.wrong("POST", "/enrol", {"code": invited["code"], "now": "soon"}, who=None, status=400, says=["now"])
    made = contract.right("POST", "/enrol", {"code": invited["code"], "version": "1.0", "now": "2026-11-03T00:00:00Z"},
                          who=None)
    contract.wrong("POST", "/enrol", {"code": invited["code"]}, who=None, status=401)
    contract.wrong("POST", "/hosts/self/report", {"now": "2026-11-03T00:00:00Z"}, status=403)
    contract.tokens["host"] = made["secret"]
    report = contract.right("POST", "/hosts/self/report", {"now": "2026-11-03T00:00:00Z", "version": "2"}, who="host")
    assert report["clock_warning"]
    for body in ({}, {"now": 5}, {"now": "x"}, {"now": "2026-11-03T00:00:00Z", "version": "x" * 101},
                 {"now": "9999-99-99T00:00:00Z"}, {"now": ""}):
        contract.wrong("POST", "/hosts/self/report", body, who="host", status=400)
    for when in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
        answer = contract.api("POST", "/hosts/self/report", {"now": when}, token=made["secret"])
        assert answer.status in (200, 400), answer.body
    contract.right("GET", "/hosts")
    contract.right("DELETE", "/hosts/n2.example.org")
    contract.wrong("DELETE", "/hosts/nothing", status=404)
    contract.wrong("POST", "/hosts/self/report", {"now": "2026-11-03T00:00:00Z"}, who="host", status=401)


REPORT = {"version": 1, "epoch": 1, "now": "2026-11-03T00:00:00Z", "started": "2026-11-02T00:00:00Z", "sequence": 1,
          "can_serve": True, "can_depool": True, "alerts": ["one"],
          "servers": [{"host": "w1", "state": "up", "pooled": True, "active": 3, "checked": "2026-11-03T00:00:00Z"}]}


def test_pools(contract):
    made = contract.right("POST", "/pools", {"name": "shop", "servers": [{"host": "w1"}, {"host": "w2", "weight": 0}],
                                             "notes": "long\nnotes"}, who="olga")
    assert made["title"] == "shop" and [each["weight"] for each in made["servers"]] == [10, 0]
    for field, value in [("name", ""), ("name", "Shop"), ("name", "a/b"), ("name", "x" * 64), ("name", "x.json"),
                         ("name", ".x"), ("title", "a\nb"), ("title", "x" * 201), ("notes", "x" * 4097),
                         ("servers", [{}]), ("servers", [7]), ("servers", [{"host": "a b"}]), ("servers", [{"host": ""}]),
                         ("servers", [{"host": "w"}, {"host": "w"}]), ("servers", [{"host": "w", "weight": 65536}]),
                         ("servers", [{"host": "w", "weight": -1}]), ("servers", [{"host": "w", "enabled": 1}]),
                         ("servers", [{"host": "-rf"}]), ("servers", [{"host": f"w{n}"} for n in range(2001)])]:
        contract.wrong("POST", "/pools", {"name": "bad", field: value}, status=400, says=[field])
    contract.wrong("POST", "/pools", {"name": "shop"}, status=409, says=["shop"])
    contract.wrong("POST", "/pools", {"name": "mine"}, status=403, who="vera")
    contract.wrong("GET", "/pools", status=403, who="vic")
    changed = contract.right("PATCH", "/pools/shop", {"data_version": 1, "title": "The shop", "notes": None})
    assert changed["data_version"] == 2 and changed["notes"] is None
    contract.wrong("PATCH", "/pools/shop", {"data_version": 1, "title": "x"}, status=409)
    contract.wrong("PUT", "/pools/shop/servers", {"data_version": 2, "servers": [], "force": True}, status=400, says=["reason"])
    listed = contract.right("PUT", "/pools/shop/servers", {"data_version": 2, "servers": [{"host": "w1", "weight": 5}, {"host": "w3"}]})
    assert [(each["host"], each["weight"]) for each in listed["servers"]] == [("w1", 5), ("w3", 10)]
    assert listed["version"] > changed["version"]
    contract.right("PUT", "/pools/shop/servers/w4", {"data_version": 3, "enabled": False})
    contract.wrong("PUT", "/pools/shop/servers/a%20b", {"data_version": 4}, status=400, says=["host"])
    contract.right("DELETE", "/pools/shop/servers/w4", {"data_version": 4, "reason": "sold"})
    contract.wrong("DELETE", "/pools/shop/servers/w4", {"data_version": 5}, status=404)
    drained = contract.right("PUT", "/pools/shop/servers/w1/order", {"order": "drain", "reason": "disk", "order_id": 0})
    assert drained["order_id"] > 0 and drained["asked_by"] == "ada" and drained["asked"]
    contract.wrong("PUT", "/pools/shop/servers/w1/order", {"order": "serve", "order_id": 0}, status=409, says=["drain", "ada"])
    contract.wrong("PUT", "/pools/shop/servers/w1/order", {"order": "flee"}, status=400, says=["order"])
    contract.wrong("PUT", "/pools/shop/servers/w1/order", {"order": "drain", "force": True}, status=400, says=["reason"])
    contract.wrong("PUT", "/pools/shop/servers/w9/order", {"order": "drain"}, status=404, says=["w9"])
    contract.right("DELETE", "/pools/shop/servers/w1/order")
    contract.tokens["lb"] = contract.enrol("lb9", "balancer")
    contract.tokens["a-node"] = contract.host
    orders = contract.right("GET", "/pools/shop/orders", who="lb")
    assert [(each["host"], each["order"]) for each in orders["servers"]] == [("w1", "serve"), ("w3", "serve")]
    contract.right("GET", "/pools/shop/orders?after=1", who="lb")
    contract.wrong("GET", "/pools/shop/orders?after=x", who="lb", status=400, says=["after"])
    contract.wrong("GET", "/pools/shop/orders", who="a-node", status=403, says=["node"])
    contract.wrong("GET", "/pools/shop/orders", status=403)
    contract.wrong("GET", "/pools/nothing/orders", who="lb", status=404)
    contract.wrong("POST", "/pools/shop/reports", REPORT, who="a-node", status=403, says=["node"])
    assert contract.right("POST", "/pools/shop/reports", REPORT, who="lb")["dropped"] is False
    assert contract.right("POST", "/pools/shop/reports", REPORT, who="lb")["dropped"] is True
    for field, value in [("now", "soon"), ("started", "x"), ("sequence", -1), ("version", -1), ("alerts", [7]), ("servers", [7]),
                         ("servers", [{"host": "w", "state": "fine"}]), ("servers", [{"host": "w"}]),
                         ("servers", [{"state": "up"}]), ("servers", [{"host": "w", "state": "up", "active": -1}]),
                         ("servers", [{"host": "w", "state": "up", "answer": "no"}]),
                         ("servers", [{"host": "w", "state": "up", "since": "x"}]),
                         ("servers", [{"host": "w", "state": "up"}] * 2)]:
        contract.wrong("POST", "/pools/shop/reports", {**REPORT, field: value}, who="lb", status=400, says=[field])
    shown = contract.right("GET", "/pools/shop")
    assert shown["servers"][0]["state"] == "up" and shown["servers"][1]["state"] == "unknown"
    assert [each["name"] for each in shown["balancers"]] == ["lb9"]
    assert contract.right("GET", "/pools", who="vera")[0]["problems"] == ["lb9: one"]
    contract.wrong("DELETE", "/pools/shop", {"data_version": 5}, status=409, says=["lb9"])
    contract.right("DELETE", "/pools/shop/balancers/lb9")
    contract.wrong("DELETE", "/pools/shop/balancers/lb9", status=404)
    contract.right("DELETE", "/pools/shop", {"data_version": 5})
    contract.wrong("GET", "/pools/shop", status=404)


def test_releases(contract):
    """What they mean is told in test_releases.py."""
    signer = releases.Signer(contract.drover)
    path = "/products/api/releases"
    plan = contract.right("GET", path + "/plan", who="olga")
    assert plan["newest"] is None and plan["next_sequence"] == 1
    contract.wrong("GET", path + "/plan", who="vera", status=403)
    contract.wrong("GET", path + "/plan?revision=abcdef0123", status=404)
    first = signer.release("1.0.0", 1, product="api")
    contract.wrong("POST", path, first, status=409, says=["reason"])
    made = contract.right("POST", path, {**first, "reason": "the first"}, who="olga")
    assert (made["document"], made["signature_state"]["good"], made["previous"]) == ("api-1.0.0", None, None)
    files = [releases.file("bin/web", "2"), {"path": "latest", "target": "bin/web"}]
    wheel = {"name": "six", "version": "1.16.0", "file": "six-1.16.0.tar.gz", "sha256": releases.EMPTY}
    second = signer.release("1.0.1", 2, "fix", product="api", files=files, deltas=[releases.delta("1.0.0")], dependencies=[wheel],
                            test=None, tag="v1", contract_sha256=releases.EMPTY)
    assert contract.right("POST", path, second)["deltas"][0]["from"] == "1.0.0"
    for body, field in [({**second, "manifest": "{}"}, "manifest"), ({**second, "signature": "x"}, "signature"),
                        ({**second, "reason": "x" * 4097}, "reason")]:
        contract.wrong("POST", path, body, says=[field])
    listed = contract.right("GET", path)["releases"]
    assert [each["version"] for each in listed] == ["1.0.1", "1.0.0"]
    contract.wrong("GET", path + "?removed=maybe", status=400, says=["removed"])
    contract.wrong("GET", path, who="vic", status=403)
    assert contract.right("GET", path + "/1.0.1")["previous"] == "1.0.0"
    assert contract.right("GET", path + "/1.0.1/manifest") == {key: second[key] for key in ("manifest", "signature")}
    page = contract.right("GET", path + "/1.0.1/files?limit=1")
    assert page["next"] == "bin/web" and contract.right("GET", path + "/1.0.1/files?after=bin/web")["next"] is None
    assert [file["path"] for file in contract.right("GET", path + "/1.0.1/files?q=n/w")["files"]] == ["bin/web"]
    contract.wrong("GET", path + "/1.0.1/files?limit=0", status=400, says=["limit"])
    diff = contract.right("GET", path + "/1.0.1/diff")
    assert [each["path"] for each in diff["added"] + diff["changed"]] == ["latest", "bin/web"]
    assert diff["dependencies"]["added"] == [wheel]
    contract.right("GET", path + "/1.0.0/diff?from=1.0.1")
    contract.wrong("GET", path + "/1.0.0/diff", status=404)
    assert [each["version"] for each in contract.right("GET", path + "/needed")["versions"]] == ["1.0.1"]
    contract.wrong("POST", path + "/1.0.1/remove", status=409, says=["newest"])
    assert contract.right("POST", path + "/1.0.0/remove", {"reason": "old"}, who="olga")["removed"]
    contract.wrong("POST", path, {**first, "reason": "again"}, status=409, says=["removed"])
    contract.wrong("GET", path + "/9.9.9", status=404, says=["9.9.9"])


NODE_REPORT = {
    "product": "api", "running": "1.0.1", "sequence": 2, "manifest_sha256": releases.EMPTY, "previous": None,
    "installed": [{"version": "1.0.1", "sequence": 2}], "order_id": 0, "state": "idle",
    "doing": {"version": "1.0.2", "step": "fetch", "done": 1, "total": 2}, "error": None, "health": "good",
    "maintenance": {"on": False, "reason": None, "until": None, "overdue": False},
    "service": {"pid": 7, "since": "2026-11-03T00:00:00Z", "restarts": 0}}


def test_nodes(contract):
    """What they mean is told in test_nodes.py."""
    body = {"name": "n8", "notes": "first rack", "tags": {"rack": "a"}, "products": [{"product": "api", "channel": "release"}]}
    made = contract.right("POST", "/nodes", body)
    assert made["host"] is None and made["products"][0]["state"] == "never" and made["data_version"] == 1
    contract.wrong("POST", "/nodes", body, status=409, says=["n8"])
    contract.wrong("POST", "/nodes", {**body, "name": "n9"}, status=403, who="olga")
    contract.wrong("POST", "/nodes", {**body, "name": "lb1"}, status=409, says=["balancer"])
    for field, value in [
            ("name", ""), ("name", "UP"), ("name", "x" * 254), ("notes", "x" * 4097), ("tags", {"A": "x"}), ("tags", {"a": 7}),
            ("tags", {"a": ""}), ("tags", {"a": "b\n"}), ("tags", {"a": "x" * 101}), ("tags", {f"t{n}": "x" for n in range(51)}),
            ("products", [{}]), ("products", [7]), ("products", [{"product": "api", "channel": "a/b"}]),
            ("products", [{"product": "api", "channel": "r*"}]), ("products", [{"product": "api", "channel": "a"}] * 2)]:
        contract.wrong("POST", "/nodes", {**body, "name": "bad", field: value}, status=400, says=[field])
    contract.wrong("POST", "/nodes", {**body, "name": "bad", "products": [{"product": "nothing", "channel": "a"}]}, status=404)
    contract.right("GET", "/nodes?product=api&channel=release", who="vera")
    assert contract.right("GET", "/nodes?product=web")["nodes"] == contract.right("GET", "/nodes", who="vic")["nodes"] == []
    contract.wrong("GET", "/nodes/n8", who="vic", status=403)
    contract.wrong("GET", "/nodes/nothing", status=404)
    changed = contract.right("PUT", "/nodes/n8", {"data_version": 1, "notes": None, "tags": {}})
    assert (changed["notes"], changed["tags"], changed["products"][0]["channel"]) == (None, {}, "release")
    contract.wrong("PUT", "/nodes/n8", {"data_version": 1, "notes": "x"}, status=409)
    path = "/nodes/n8/products/api/order"
    ordered = contract.right("POST", path, {"version": "1.0.1", "reason": "try it"}, who="olga")["products"][0]
    assert ordered["ordered"] == "1.0.1" and ordered["order_id"] > 0 and ordered["asked_by"] == "olga"
    contract.wrong("POST", path, {"version": "1.0.1"}, status=400, says=["reason"])
    contract.wrong("POST", path, {"version": "1.0.0", "reason": "x"}, status=404, says=["1.0.0"])
    contract.wrong("POST", path, {"version": None}, status=403, who="vera")
    contract.wrong("POST", "/nodes/n8/products/web/order", {"version": None}, status=404, says=["web"])
    contract.tokens["n8"] = contract.enrol("n8", "node")
    orders = contract.right("GET", "/node/orders", who="n8")
    assert [(each["version"], each["is_ordered"]) for each in orders["products"]] == [("1.0.1", True)]
    contract.right("GET", f"/node/orders?after={orders['version']}&wait=0", who="n8")
    for bad in ("after=x", "wait=26", "wait=x"):
        contract.wrong("GET", f"/node/orders?{bad}", who="n8", status=400, says=[bad.partition("=")[0]])
    contract.tokens["lb"] = contract.enrol("lb7", "balancer")
    contract.tokens["a-node"] = contract.host
    for who, status in (("ada", 403), ("lb", 403), ("a-node", 404), (None, 401)):
        contract.wrong("GET", "/node/orders", who=who, status=status)
        contract.wrong("POST", "/node/report", {}, who=who, status=status)
    report = {"now": "2026-11-03T00:00:00Z", "version": "1.0", "products": [NODE_REPORT, {"product": "other", "state": "idle"}]}
    assert contract.right("POST", "/node/report", report, who="n8")["clock_warning"]
    for field, value in [("running", 7), ("running", "x" * 101), ("sequence", -1), ("manifest_sha256", "x"), ("installed", [7]),
                         ("installed", [{}]), ("installed", [{"version": "1"}] * 201), ("order_id", -1), ("state", "fine"),
                         ("state", None), ("doing", 7), ("doing", {"done": "x"}), ("maintenance", {"until": "soon"}),
                         ("health", "so so"), ("service", {"pid": -1}), ("product", None)]:
        contract.wrong("POST", "/node/report", {**report, "products": [{**NODE_REPORT, field: value}]}, who="n8", status=400, says=[field])
    contract.wrong("POST", "/node/report", {**report, "products": [NODE_REPORT] * 2}, who="n8", status=400, says=["products", "twice"])
    shown = contract.right("GET", "/nodes/n8", who="vera")
    assert shown["products"][0]["state"] == "good" and [each["state"] for each in shown["events"]] == ["running"]
    assert contract.right("GET", "/products/api/releases/1.0.1")["nodes"] == {"running": 1, "should": 1}
    followed = contract.right("POST", path, {"version": None, "reason": "enough"})
    assert followed["products"][0]["ordered"] is None
    assert contract.right("DELETE", "/nodes/n8", {"reason": "sold"}) == {}
    contract.wrong("DELETE", "/nodes/n8", status=404)
    contract.wrong("GET", "/node/orders", who="n8", status=401)


ROWS = [
    {"op": "insert", "table": "products", "row": {"product": "web", "scheme": "semver", "hosts": ["cdn.example.org"]}},
    {"op": "insert", "table": "releases", "row": {
        "name": "web-1.0.0", "product": "web", "version": "1.0.0", "build_id": "20260101", "platforms": {
            "linux": {"locales": {"en": {"completes": [
                {"from": "*", "url": "https://cdn.example.org/web-1.0.0.tar", "size": 7, "sha256": "ab" * 32}]}}}}}},
    {"op": "insert", "table": "releases", "row": {"name": "web-1.1.0", "product": "web", "version": "1.1.0"}},
    {"op": "insert", "table": "rules", "row": {"product": "web", "channel": "release", "priority": 90, "mapping": "web-1.0.0",
                                               "platform": "linux", "flags": {"jaws": False}, "tags": {"rack": ["a", "b"]}}},
    {"op": "insert", "table": "rules", "row": {"product": "web", "channel": "rel*", "priority": 10, "mapping": "web-1.1.0"}},
    {"op": "insert", "table": "rules", "row": {"product": "api", "channel": "release", "priority": 10}},
    {"op": "insert", "table": "pins", "row": {"product": "web", "channel": "release", "version": "1.0.", "mapping": "web-1.0.0"}},
    {"op": "insert", "table": "shutoffs", "row": {"product": "web", "channel": "nightly", "reason": "rotten"}},
    {"op": "insert", "table": "channels", "row": {"product": "web", "channel": "release", "title": "For everybody"}},
    {"op": "insert", "table": "channels", "row": {"product": "web", "channel": "release-cdntest", "base": "release"}},
]


def test_edits_of_channels(contract):
    edited = contract.right("POST", "/edits", {"ops": ROWS, "reason": "begin"}, who="olga")
    assert edited["written"] == len(ROWS) == len(edited["rows"]) and edited["rebased"] == []
    assert [row["key"] for row in edited["rows"] if row["table"] == "rules"] == ["1", "2", "3"]
    note = {"op": "update", "table": "rules", "rule_id": 1, "data_version": 1, "row": {"comment": "first"}}
    assert contract.right("POST", "/edits", {"ops": [note]}, who="otto")["rows"][0]["row"]["data_version"] == 2
    contract.wrong("POST", "/edits", {"ops": [note]}, status=409, says=["rules 1"])
    contract.wrong("POST", "/edits", {"ops": []}, status=400, says=["ops"])
    for row, field in [({"rate": 101}, "rate"), ({"channel": "r*x"}, "channel"), ({"mapping": "nothing"}, "mapping"), ({"colour": 1}, "colour")]:
        contract.wrong("POST", "/edits", {"ops": [{"op": "update", "table": "rules", "rule_id": 2, "row": row}]}, says=[field])


@pytest.mark.parametrize("op", [
    {"op": "update", "table": "rules", "rule_id": 3, "row": {"rate": 5}},
    {"op": "update", "table": "rules", "rule_id": 1, "row": {"product": None}},
    {"op": "insert", "table": "rules", "row": {"priority": 1}}, {"op": "insert", "table": "releases", "row": {"name": "r"}},
    {"op": "insert", "table": "requirements", "row": {"product": "*", "channel": "*", "role": "relman", "n": 1}},
    {"op": "insert", "table": "roles", "row": {"role": "relman", "author_may_sign": True}},
    {"op": "insert", "table": "grants", "row": {"product": "web", "person": "otto", "role": "admin"}},
    {"op": "insert", "table": "freezes", "row": {"name": "f", "product": "*", "from": "2026-01-01T00:00:00Z",
                                                 "until": "2026-01-02T00:00:00Z", "reason": "r"}}])
def test_an_edit_needs_the_operator_of_what_it_concerns(contract, op):
    contract.wrong("POST", "/edits", {"ops": [op]}, who="otto", status=403, kind="denied")
    contract.wrong("POST", "/edits", {"ops": [op]}, who="tess", status=403)


def test_channels(contract):
    listed = contract.right("GET", "/channels")["channels"]
    assert [(each["product"], each["channel"]) for each in listed] == [
        ("api", "release"), ("web", "nightly"), ("web", "release"), ("web", "release-cdntest")]
    assert [each["kind"] for each in listed] == ["live", "live", "live", "test"]
    assert listed[1]["shut_off"]["reason"] == "rotten" and listed[2]["title"] == "For everybody"
    assert {each["product"] for each in contract.right("GET", "/channels", who="vic")["channels"]} == {"web"}
    assert contract.right("GET", "/channels?product=api", who="vic")["channels"] == []
    view = contract.right("GET", "/channels/web/release")
    assert [(each["rule_id"], each["order"]) for each in view["rules"]] == [(1, 0), (2, 1)]
    assert view["rules"][0]["release"]["version"] == "1.0.0" and view["scheme"] == "semver"
    assert {each["column"]: each["text"] for each in view["rules"][0]["matchers"]} == {
        "product": "web", "channel": "release", "platform": "linux", "flags.jaws": "false", "tag.rack": "a, b"}
    assert sorted((each["channel"], each["same"]) for each in view["tests"]) == [("release-cdntest", True), ("release-test", True)]
    assert len(view["pins"]) == 1 and view["moments"][0]["tables"] == ["rules"]
    test = contract.right("GET", "/channels/web/release-cdntest")
    assert (test["kind"], test["base"], test["cut"], test["digest"]) == ("test", "release", "all", view["digest"])
    assert contract.right("GET", "/channels/web/nothing")["declared"] is False
    contract.right("GET", "/channels/web/release?cut=all")
    contract.right("GET", "/channels/web/release?cut=until%202026-12-01T00:00:00Z")
    assert contract.right("GET", "/channels/web/release?at=2020-01-01T00:00:00Z")["rules"] == []
    for bad, field in [("cut=some", "cut"), ("cut=through%209", "cut"), ("cut=until%20x-y", "cut"), ("at=soon", "at")]:
        contract.wrong("GET", f"/channels/web/release?{bad}", says=[field])
    contract.wrong("GET", "/channels/web/" + "x" * 201, status=400, says=["channel"])
    contract.wrong("GET", "/channels/api/release", who="vic", status=403)
    contract.wrong("GET", "/channels", who="nora", status=403)
    contract.wrong("GET", "/channels", who=None, status=401)


def test_questions_about_channels(contract):
    asked = "version=0.9.0&platform=linux&locale=en&jaws=0&tag.rack=a&memory=8192&draw=50"
    for channel, is_test in (("release", False), ("release-test", True)):
        answer = contract.right("GET", f"/channels/web/{channel}/answer?{asked}")
        assert (answer["mapping"], answer["rule_id"], answer["rule_data_version"], answer["is_test"]) == ("web-1.0.0", 1, 2, is_test)
        assert answer["files"]["completes"][0]["size"] == 7
    explained = contract.right("GET", f"/channels/web/release/explain?{asked}")
    assert [(each["rule_id"], each["wins"]) for each in explained["rules"]] == [(1, True), (2, False)]
    assert explained["query"]["tag.rack"] == "a" and explained["answer"]["mapping"] == "web-1.0.0"
    assert contract.right("GET", "/channels/web/release/answer?version=1.0.0")["mapping"] == "web-1.1.0"
    assert contract.right("GET", "/channels/web/release/answer?version=1.0.0&at=2020-01-01T00:00:00Z")["mapping"] is None
    for bad, field in [("version=x", "version"), ("memory=x", "memory"), ("draw=100", "draw"), ("force=2", "force"),
                       ("jaws=maybe", "jaws"), ("versoin=1", "versoin"), ("tags=a", "tags"), ("at=x", "at")]:
        contract.wrong("GET", f"/channels/web/release/answer?{bad}", status=400, says=[field])
        contract.wrong("GET", f"/channels/web/release/explain?{bad}", status=400, says=[field])
    assert contract.right("GET", "/channels/web/release-test/diff")["same"] is True
    assert contract.right("GET", "/channels/web/release-test/diff?with=release-cdntest&with_cut=all")["classes"] == []
    contract.wrong("GET", "/channels/web/release/diff?with=nightly", status=400, says=["with", "base"])
    shadowed = {"op": "insert", "table": "rules", "row": {"product": "web", "channel": "release", "priority": 5, "mapping": None}}
    rule = contract.right("POST", "/edits", {"ops": [shadowed]})["rows"][0]["key"]
    finding = contract.right("GET", "/channels/web/release/lint")["findings"]
    assert [(each["rule_id"], each["kind"], each["by"]) for each in finding] == [(int(rule), "shadowed", 2)]
    assert contract.right("GET", "/channels/web/nightly/lint")["findings"] == []
    contract.right("POST", "/edits", {"ops": [{"op": "delete", "table": "rules", "rule_id": int(rule)}]})
    gone = contract.right("GET", f"/tables/rules/row?key={rule}")
    assert gone["row"] is None and [each["row"] is None for each in gone["versions"]] == [True, False]


def test_tables(contract):
    for table in ("rules", "releases", "shutoffs", "pins", "requirements", "products", "channels", "roles", "grants", "freezes"):
        contract.right("GET", f"/tables/{table}")
        contract.right("GET", f"/tables/{table}?product=web&channel=release&at=2020-01-01T00:00:00Z")
    contract.wrong("GET", "/tables/people", status=404, says=["rules"])
    assert [each["rule_id"] for each in contract.right("GET", "/tables/rules")["rows"]] == [1, 2, 3]
    assert [each["rule_id"] for each in contract.right("GET", "/tables/rules", who="vic")["rows"]] == [1, 2]
    assert [each["rule_id"] for each in contract.right("GET", "/tables/rules?product=api")["rows"]] == [3]
    first = contract.right("GET", "/tables/rules?limit=2")
    assert first["next"] == "2" and [each["rule_id"] for each in contract.right("GET", "/tables/rules?after=2")["rows"]] == [3]
    assert all("platforms" not in each for each in contract.right("GET", "/tables/releases?brief=1")["rows"])
    assert all(each["product"] == "web" for each in contract.right("GET", "/tables/grants", who="vic")["rows"] if each["product"] != "*")
    row = contract.right("GET", "/tables/rules/row?key=1")
    assert row["row"]["comment"] == "first" and [each["row"]["data_version"] for each in row["versions"]] == [2, 1]
    contract.right("GET", "/tables/shutoffs/row?key=%5B%22web%22,%22nightly%22%5D")
    contract.wrong("GET", "/tables/rules/row?key=3", who="vic", status=404)
    contract.wrong("GET", "/tables/rules/row?key=99", status=404)
    contract.wrong("GET", "/tables/rules/row", status=400, says=["key"])
    contract.wrong("GET", "/tables/rules/row?key=" + "9" * 1025, status=400, says=["key"])
    for bad in ("limit=0", "limit=10001", "limit=x", "at=x"):
        contract.wrong("GET", f"/tables/rules?{bad}", status=400, says=[bad[:2]])


def instant(seconds):
    """So far from now."""
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return then.isoformat().replace("+00:00", "Z")


def test_changes(contract):
    """What they mean is told in test_channels_api.py."""
    contract.right("POST", "/edits", {"ops": [
        {"op": "insert", "table": "roles", "row": {"role": "relman", "author_may_sign": True}},
        {"op": "insert", "table": "roles", "row": {"role": "qa", "tester": True, "author_may_sign": True}},
        {"op": "insert", "table": "requirements", "row": {"product": "web", "channel": "release", "role": "relman", "n": 1}},
        {"op": "insert", "table": "grants", "row": {"product": "web", "person": "ada", "role": "relman"}}]})
    body = {"title": "Faster", "when": instant(3600), "reason": "fast", "ops": [
        {"op": "update", "table": "rules", "rule_id": 1, "row": {"rate": 50}}]}
    assert contract.right("POST", "/changes/check", body, who="otto")["id"] is None
    change = contract.right("POST", "/changes", body)
    path = f"/changes/{change['id']}"
    assert contract.right("GET", path)["standing"]["kind"] == "unsigned"
    signed = contract.right("POST", path + "/sign", {"role": "relman", "digest": change["digest"]})
    assert signed["standing"]["kind"] == "ready" and signed["sign_offs"][0]["counts"] is True
    contract.wrong("POST", path + "/sign", {"role": "relman", "digest": change["digest"]}, status=409)
    assert contract.right("POST", path + "/revoke", {"role": "relman"})["standing"]["kind"] == "unsigned"
    moved = contract.right("PUT", path, {"data_version": change["data_version"], "when": instant(7200)})
    contract.wrong("PUT", path, {"data_version": change["data_version"], "when": instant(7200)}, status=409)
    assert contract.right("GET", path + "/diff")["channels"][0]["channel"] == "release"
    broken = contract.right("POST", path + "/break-glass", {"reason": "fire"}, who="otto")
    assert broken["state"] == "live" and contract.right("POST", path + "/review", {"reason": "fine"})["overrides"]
    for filters in ("", "?state=live", "?product=web&channel=release", "?product=api", "?before=1", "?limit=1", "?state=&product="):
        contract.right("GET", f"/changes{filters}")
    for bad in ("state=good", "limit=0", "limit=1001", "before=x", "before=-1"):
        contract.wrong("GET", f"/changes?{bad}", status=400, says=[bad.partition("=")[0]])
    for bad in ("99999", "x", "0", "-1", "99999999999999999999"):
        contract.wrong("GET", f"/changes/{bad}", status=404)
    assert moved["data_version"] > change["data_version"]
    contract.right("POST", "/jobs/go-live")
    contract.right("POST", "/jobs/send")
    contract.wrong("POST", "/jobs/go-live", who="otto", status=403)


def test_changes_that_are_tested_overridden_withdrawn_and_missed(contract):
    contract.right("POST", "/edits", {"ops": [
        {"op": "insert", "table": "products", "row": {"product": "api", "late_s": 1}},
        {"op": "insert", "table": "requirements", "row": {"product": "web", "channel": "nightly", "role": "qa", "n": 1}},
        {"op": "insert", "table": "grants", "row": {"product": "web", "person": "ada", "role": "qa"}},
        {"op": "insert", "table": "releases", "row": {"name": "web-2", "product": "web", "version": "2.0.0", "landing": 99}}]})
    body = {"title": "Nightly", "when": instant(3600), "reason": "new", "ops": [
        {"op": "insert", "table": "rules", "row": {"product": "web", "channel": "nightly", "mapping": "web-2"}}]}
    change = contract.right("POST", "/changes", body)
    path = f"/changes/{change['id']}"
    contract.wrong("POST", path + "/tested", {"role": "qa", "digest": change["digest"]}, status=409)
    tested = contract.right("POST", path + "/tested", {"role": "qa", "digest": change["tested"]["digest"]})
    assert tested["tested"]["given"][0]["matches"] is True
    passed = contract.right("POST", path + "/override", {"gate": "deployable", "reason": "hotfix"})
    assert passed["overrides"][0]["by"] == "ada"
    gone = contract.right("POST", path + "/withdraw", {"data_version": passed["data_version"], "reason": "no"})
    assert gone["state"] == "withdrawn"
    missed = contract.right("POST", "/changes", {"title": "Missed", "when": instant(1), "reason": "late", "ops": [
        {"op": "update", "table": "rules", "rule_id": 3, "row": {"rate": 50}}]})
    contract.right("PUT", "/maintenance", {"on": True, "reason": "nobody watches the clock"})
    with sqlite3.connect(contract.drover.database) as database:  # since an hour ago
        database.execute("UPDATE counter SET value = value - 3600000000 WHERE name = 'clock'")
        database.execute("UPDATE channel_change SET when_us = when_us - 3600000000, created_us = created_us - 3600000000"
                         " WHERE id = ?", [missed["id"]])
    database.close()
    contract.right("PUT", "/maintenance", {"on": False})
    path = f"/changes/{missed['id']}"
    assert eventually(lambda: contract.right("GET", path)["standing"]["kind"] == "overdue")
    assert contract.right("POST", path + "/go", {"reason": "still right"})["standing"]["kind"] != "overdue"
    assert eventually(lambda: contract.right("GET", path)["state"] == "live")


@pytest.mark.parametrize("method, path", sorted(OPERATIONS))
def test_every_field_of_the_wrong_type_is_refused_by_name(contract, method, path):
    operation, parameters = OPERATIONS[method, path]
    if "requestBody" not in operation:
        return
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    contract.tokens["any-host"] = contract.host
    who = {"host": "any-host", "public": None}.get(operation["x-role"], "ada")
    if path == "/people/{name}/password":
        who = "tom"
    real = path.format(product="web", landing="1", name="tom", id="1", pool="typed", host="w1", channel="release", table="rules", version="1.0.1", node="typed")
    full = {"data_version": contract.right("GET", "/products/web")["settings"]["data_version"], "confirm": True,
            "name": "fresh", "email": "a@example.org", "state": "ok", "on": True, "role": "viewer", "product": "web",
            "kind": "node", "code": "x", "reason": "why", "new": "long enough", "now": "2026-11-03T00:00:00Z", "landings": [], "order": "drain",
            "ops": ROWS[:1], "title": "Typed", "when": instant(3600), "gate": "deployable", "digest": "0" * 64, "manifest": "{}", "signature": "x",
            "version": "1.0.1", "products": [{"product": "web", "channel": "release"}]}
    if path.startswith("/node"):
        contract.api("POST", "/nodes", {"name": "typed", "products": full["products"]}, token=contract.token("ada"))
        full["data_version"] = contract.right("GET", "/nodes/typed")["data_version"]
    if path == "/node/report":
        full["products"] = []
        contract.tokens["any-host"] = contract.enrol("typed", "node")
    if path.startswith("/pools/"):
        contract.api("POST", "/pools", {"name": "typed", "servers": [{"host": "w1"}]}, token=contract.token("ada"))
        full = {**full, **REPORT, "data_version": contract.right("GET", "/pools/typed")["data_version"]}
        contract.tokens["any-host"] = contract.tokens["lb"]
    base = {name: full[name] for name in schema.get("required", [])}
    if path == "/people/{name}":
        base["data_version"] = contract.right("GET", "/people/tom")["data_version"]
    if path == "/products/{product}/landings":
        real = "/products/api/landings"
    for name, field in schema["properties"].items():
        kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
        for value, kind in [("word", "string"), (7, "integer"), (1.5, "number"), (True, "boolean"), ([], "array"), ({}, "object")]:
            if kind not in kinds:
                contract.wrong(method, real, {**base, name: value}, who=who, status=400, says=[name])
    for name in schema.get("required", []):
        without = {key: value for key, value in base.items() if key != name}
        contract.wrong(method, real, without, who=who, status=400, says=[name])
    for body in ([], "text", 7, True, [base]):
        contract.wrong(method, real, body, who=who, status=400, says=["body"])


def test_an_unknown_path_is_a_json_404_to_everybody(contract):
    for path in ("/", "/nothing", "/products/web/nothing", "/products/", "/products/web/", "/a/b/c/d/e/f/g/h/i/j",
                 "/products/web/landings/1/verdicts/9", "/openapi.yaml", "/STATUS", "/status/"):
        for who in ("ada", None):
            contract.wrong("GET", path, who=who, status=404, kind="not-found", says=["openapi.json"])


def test_a_method_that_a_path_does_not_have_is_refused_and_changes_nothing(contract):
    before = contract.right("GET", "/status")["changes"]
    for path in sorted({path for _, path in OPERATIONS}):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            if (method, path) not in OPERATIONS:
                real = re.sub(r"\{[^}]+\}", "1", path)
                if method == "GET" and real == "/hosts/self/report":
                    continue
                check_error(contract.api(method, real, {}, token=contract.token("ada")), 404)
    assert contract.right("GET", "/status")["changes"] == before


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonp",
                                  "multipart/form-data", "text/json", "application/json-patch+json"])
def test_a_body_of_another_type_is_refused(contract, kind):
    headers = {} if kind is None else {"Content-Type": kind}
    answer = contract.api("PUT", "/maintenance", b'{"on": true, "reason": "x"}', token=contract.token("ada"), headers=headers)
    check_error(answer, 400, says=["Content-Type"])
    for good in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
        headers = {"Content-Type": good}
        assert contract.api("PUT", "/maintenance", b'{"on": false}', token=contract.token("ada"), headers=headers).status == 200


@pytest.mark.parametrize("text", [
    b"{", b"nonsense", b"\xff\xfe", b'{"on": true, "on": false}', b'{"on": NaN}', b'{"on": Infinity}', b'{"on": 1e999}',
    b'{"on": 99999999999999999999999999}', b'{"on": -}', b'{"on": 01}', b'{"on": true,}', b"{'on': true}", b'{"on": "\\u0000"}',
    b'{"\\u0000": 1}', b'{"on": "\\ud800"}', b'{"on": "\xff"}', b'{"on": "\xed\xa0\x80"}', b'{"on": "\xc0\xaf"}',
    b"[" * 65 + b"]" * 65, b"[" * 100000, b'{"a":' * 100000, b'{"on": true} x', b'{"on": true}{"on": true}', b"\x00", b" ",
    b'{"on": "a\nb"}', b'{"on": 1' + b"0" * 5000 + b"}", b'\xef\xbb\xbf{"on": true}', b"// x\n{}"])
def test_what_is_no_json_is_refused(contract, text):
    answer = contract.api("PUT", "/maintenance", text, token=contract.token("ada"), headers={"Content-Type": "application/json"})
    check_error(answer, 400, says=["body"])


def test_depth_up_to_the_limit_is_read(contract):
    deep = json.loads("[" * 63 + "]" * 63)
    contract.right("PUT", "/maintenance", {"on": False, "unknown": deep})


WORDS = ["", "web", "api", "ada", "ok", "bad", "*", "viewer", "node", "x" * 300, "\x1b[31m", "<script>", "\u202e", "a\nb", "0",
         "%s%n", "'; DROP TABLE person; --", "/etc/passwd", "-", "null", "2026-11-03T00:00:00Z", "🐑", "\ud83d\ude00"]
NUMBERS = [0, 1, -1, 2, 20, 2**31, 2**53, 2**63 - 1, -(2**63), 1.5, -0.0, 1e308, 5e-324]


def random_value(dice, names, depth=0):
    kind = dice.randrange(8 if depth < 4 else 5)
    if kind < 2:
        return dice.choice(WORDS)
    if kind < 3:
        return dice.choice(NUMBERS)
    if kind < 5:
        return dice.choice([None, True, False])
    if kind < 6:
        return [random_value(dice, names, depth + 1) for _ in range(dice.randrange(4))]
    return {dice.choice(names): random_value(dice, names, depth + 1) for _ in range(dice.randrange(7))}


def test_no_random_body_is_ever_a_fault_of_the_server(contract):
    """Seeded: the same 2,000 requests each time. Half of each body's fields bear right names."""
    dice = random.Random(SEED)
    writers = [(key, value[0]) for key, value in sorted(OPERATIONS.items()) if key[0] != "GET"]
    landing = ["rev", "revision", "items", "id", "state", "rollback_of", "fixes", "qa", "subject", "time", "bugs"]
    for _ in range(RANDOM_REQUESTS):
        (method, path), operation = dice.choice(writers)
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        names = list(content.get("schema", {}).get("properties", {"reason": 0})) + ["reason", "x"]
        body = {name: random_value(dice, names + landing) for name in dice.sample(names, dice.randrange(len(names)))}
        if "landings" in names:
            body["landings"] = [random_value(dice, landing, 1) for _ in range(dice.randrange(4))]
        if path in ("/maintenance", "/jobs/run", "/jobs/remind"):
            body.pop("on", None)
        if dice.random() < 0.1:
            body = random_value(dice, names)
        real = path.format(product=dice.choice(["web", "api"]), landing=dice.choice(["1", "10", "0"]),
                           name=dice.choice(["zoe", "nobody", "n9"]), id=dice.choice(["999", "0"]),
                           pool=dice.choice(["typed", "other"]), host=dice.choice(["w1", "w9"]),
                           version=dice.choice(["1.0.0", "1.0.1", "9"]), node=dice.choice(["typed", "other"]))
        who = contract.tokens["lb"] if operation["x-role"] == "host" else contract.token("ada")
        answer = contract.api(method, real, body, token=who)
        assert answer.status < 500, (method, real, body, answer.body)
        check_headers(answer)
        if answer.status != 200:
            openapi.check(answer.json, "Error")
    assert contract.right("GET", "/store/check")["good"] and contract.right("GET", "/history/verify")["good"]


def test_every_operation_of_the_document_was_answered(contract):
    assert contract.seen == set(OPERATIONS)


def test_it_still_reads_what_it_was_given(contract):
    for path in ("/status", "/products/web", "/products/api", "/people", "/hosts", "/tokens", "/report"):
        contract.right("GET", path)
