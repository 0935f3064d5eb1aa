# SPDX-License-Identifier: ISC
"""Maintenance: whatever changes something stops before it touches anything, in the command, in the API, in the clock.

The lists of what there is come from the program itself (`drover help --json`) and from openapi.yaml, so whatever is
added later is held to this too."""
import html
import json
import os
import re
import time

import pytest

import beds
import openapi
from beds import daemons  # noqa: F401 (fixture)

pytestmark = pytest.mark.slow

# Commands that change nothing, that end maintenance, or that are how one gets out of it.
READ_OR_ALLOWED = {
    "status", "landing list", "landing show", "landing deployable", "landing where", "landing owing", "product list",
    "product show", "notice list", "maintenance on", "maintenance off", "maintenance status", "history list",
    "history show", "history verify", "store backup", "store check", "user list", "user show", "token list",
    "host list", "pool list", "pool show", "node list", "node show", "channel answer", "channel version",
    "channel explain", "channel lint", "channel diff", "channel list", "channel show", "channel preview", "channel history",
    "rule list", "rule show", "release-doc list", "release-doc show", "shutoff list", "pin list", "requirement list",
    "signing-role list", "freeze list", "change list", "change show", "change diff",
    "config keys", "config check", "help", "completion", "version",
    "shutoff add",  # an emergency does not wait: test_a_channel_can_be_shut_off_even_then
    "upgrade",  # brings maintenance with it: test_cli_maintenance.py
    "store migrate",  # is what upgrades do meanwhile
    "store restore",  # only into an empty store, which knows of no maintenance
    "release check",  # reads git and a manifest
    "release list", "release show", "release diff", "release verify",
    # Keys are files, and have no store.
    "key generate", "key show", "key sign", "key verify", "key trust", "key revoke", "key rotate",
    # This host's balancer, which has no store; servers must be saved while droverd is maintained.
    "lvs status", "lvs accept", "lvs drain", "lvs undrain", "lvs reload",
}
ARGUMENTS = {
    "report": "--out out", "landing import": "landings.json --product firmware", "landing rebase":
    "web --confirm --reason r", "qa ok": "3 3 --product web", "qa bad": "3 3 --product web",
    "qa untestable": "3 3 --product web", "qa needs-testing": "1 1 --product web", "product add": "api",
    "product set": "web --overdue-days 2", "user add": "grace grace@example.org", "user set": "root --disable",
    "user grant": "root tester web", "user revoke": "root admin all", "user login-link": "root",
    "user password": "root", "token add": "t --person root", "token revoke": "1",
    "host invite": "web1 --kind node", "host revoke": "web1",
    "pool add": "api", "pool set": "web web2", "pool remove": "web web1", "pool drain": "web web1",
    "rule add": "product=web", "rule set": "1 rate=5", "rule delete": "1", "release-doc put": "release.json",
    "rule import": "--balrog balrog.json", "release-doc import": "--balrog blob.json --product web",
    "release-doc delete": "web-1", "shutoff delete": "web release",
    "pin add": "web release 1. web-1", "pin delete": "web release 1.", "requirement set": "web release relman 1",
    "requirement delete": "web release relman", "signing-role set": "qa --tester yes", "signing-role delete": "qa",
    "freeze add": "rest --product web --from 2099-01-01 --until 2099-01-02", "freeze delete": "rest",
    "channel declare": "x-test --product web --base x", "channel remove": "x-test --product web",
    "channel settings": "web --scheme semver",
    "change submit": "change.json", "change edit": "1 change.json", "change move": "1 +2h", "change withdraw": "1 --reason r",
    "change sign": "1 --role relman", "change tested": "1 --role qa", "change revoke": "1 --role relman",
    "change override": "1 freeze --reason r", "change break-glass": "1 --reason r", "change review": "1 --reason r",
    "change go": "1 --reason r",
    "node add": "n1 --product web --channel release", "node set": "web1 --notes x", "node order": "web1 1.0 --reason r",
    "node follow": "web1", "node remove": "web1",
    "release build": "web --version 1.0.0 --out out", "release publish": "web 1.0.0", "release gc": "web",
    "release sign": "web 1.0.0", "release delegate": "web delegation",
    "pool reserve": "web web1", "pool pool": "web web1", "pool release": "web web1", "pool forget": "web lb1",
}
OPS = [{"op": "delete", "table": "rules", "rule_id": 1}]
BODIES = {
    ("POST", "/products"): {"name": "api"},
    ("PATCH", "/products/{product}"): {"overdue_days": 2, "data_version": 1},
    ("POST", "/products/{product}/landings"): {"landings": []},
    ("POST", "/products/{product}/landings/{landing}/verdicts"): {"state": "ok", "item": "3"},
    ("POST", "/products/{product}/rebase"): {"confirm": True, "reason": "r"},
    ("POST", "/people"): {"name": "grace", "email": "grace@example.org"},
    ("PATCH", "/people/{name}"): {"disabled": True, "data_version": 1},
    ("PUT", "/people/{name}/roles"): {"role": "tester", "product": "web"},
    ("DELETE", "/people/{name}/roles"): {"role": "admin", "product": "*"},
    ("PUT", "/people/{name}/password"): {"old": None, "password": "correct horse battery"},
    ("POST", "/tokens"): {"name": "t"},
    ("POST", "/hosts"): {"name": "web2", "kind": "node"},
    ("POST", "/edits"): {"ops": OPS},
    ("POST", "/changes"): {"title": "t", "when": "2026-11-21T12:00:00Z", "reason": "r", "ops": OPS},
    ("POST", "/changes/check"): {"title": "t", "when": "2026-11-21T12:00:00Z", "reason": "r", "ops": OPS},
    ("PUT", "/changes/{id}"): {"title": "t", "data_version": 1},
    ("POST", "/changes/{id}/sign"): {"role": "relman", "digest": "0" * 64},
    ("POST", "/changes/{id}/revoke"): {"role": "relman"},
    ("POST", "/changes/{id}/tested"): {"role": "qa", "digest": "0" * 64},
    ("POST", "/changes/{id}/withdraw"): {"reason": "r", "data_version": 1},
    ("POST", "/changes/{id}/override"): {"gate": "freeze", "reason": "r"},
    ("POST", "/changes/{id}/break-glass"): {"reason": "r"},
    ("POST", "/changes/{id}/review"): {"reason": "r"},
    ("POST", "/changes/{id}/go"): {"reason": "r"},
    ("POST", "/products/{product}/releases"): {"manifest": "{}", "signature": "x"},
    ("POST", "/nodes"): {"name": "web2", "products": []},
    ("PUT", "/nodes/{node}"): {"notes": "x", "data_version": 1},
    ("POST", "/nodes/{node}/products/{product}/order"): {"version": None},
    ("POST", "/enrol"): None,  # the code is put in by the test
}
PLACES = {"product": "web", "landing": "3", "name": "root", "id": "1", "pool": "web", "host": "web1",
          "version": "1.0.0", "node": "web1"}
EVIL = "disk <script>alert(1)</script> & \"quotes\" \x1b[31m"


def mutating_routes():
    for path, methods in openapi.document()["paths"].items():
        for method in methods:
            if method in ("post", "put", "patch", "delete") and path != "/maintenance":
                yield method.upper(), path


@pytest.fixture
def full(web):
    """Product web, one that is imported, a person with a token, a host that was invited, a pool, a rule and a change of it."""
    web("product add firmware")
    web("channel settings web --hosts cdn.example.org")
    web("rule add product=web channel=release")
    web("rule set 1 rate=5 --when +1h --reason r")
    (web.folder / "release.json").write_text('{"name": "web-1", "product": "web", "version": "1.0"}')
    (web.folder / "balrog.json").write_text(
        '{"rules": [{"rule_id": 9, "priority": 1, "product": "web", "channel": "beta", "backgroundRate": 100}]}')
    (web.folder / "blob.json").write_text(
        json.dumps({"name": "web-2", "schema_version": 9, "hashFunction": "sha512", "appVersion": "2.0",
                    "fileUrls": {"*": {"completes": {"*": "https://cdn.example.org/web.mar"}}},
                    "platforms": {"Linux": {"OS_BOUNCER": "linux", "buildID": "20240704", "locales": {
                        "de": {"completes": [{"from": "*", "filesize": 70, "hashValue": "0" * 128}]}}}}}))
    (web.folder / "change.json").write_text(
        '{"title": "t", "when": "+2h", "ops": [{"op": "delete", "table": "rules", "rule_id": 1}]}')
    web("pool add web web1")
    web("node add web1 --product web --channel release --no-invite")
    (web.folder / "landings.json").write_text('{"landings": []}')
    web.token = beds.admin_token(web)
    web.code = web.json("host invite web1 --kind node")["code"]
    return web


def truth(drover):
    """Everything that a command could have changed; whatever does leaves a line in the history."""
    return (drover.json("history verify"), drover.json("notice list"), drover.json("landing list --product web"),
            drover.json("product list"), drover.json("token list"), drover.json("user list"), drover.json("host list"),
            drover.json("pool list"), drover.json("node list"), drover.json("rule list"), drover.json("change list"))


def test_every_command_that_changes_something_stops_with_7(full):
    commands = [command["name"] for command in full("help --json", alone=True).json["commands"]]
    full("maintenance on --reason 'moving house'")
    before = truth(full)
    for name in commands:
        if name in READ_OR_ALLOWED:
            continue
        said = full(f"{name} {ARGUMENTS.get(name, '')}", exits=7, stdin="correct horse battery\n")
        assert "moving house" in said.err, name
    assert truth(full) == before
    assert not (full.folder / "out").exists()
    full("maintenance off")


@pytest.mark.parametrize("by_file", [False, True], ids=["by the switch", "by maintenance.txt"])
def test_every_route_that_changes_something_answers_503(full, daemons, by_file):
    daemon = daemons(full)
    daemon.token = full.token
    daemon("GET", "/status")
    if by_file:
        (full.state / "maintenance.txt").write_text("moving house\n")
    else:
        full("maintenance on --reason 'moving house'")
    before = truth(full)
    routes = list(mutating_routes())
    assert len(routes) > 15
    for method, pattern in routes:
        path = re.sub(r"{(\w+)}", lambda match: PLACES[match.group(1)], pattern)
        if path in ("/hosts/self/report", "/pools/web/reports", "/node/report"):
            continue  # needs a host's token, and none can enrol: below
        if pattern == "/hosts/{name}":
            path = "/hosts/web1"
        body = {"code": full.code} if path == "/enrol" else BODIES.get((method, pattern))
        said = daemon(method, path, body)
        assert said.status == 503, f"{method} {path}: {said.status} {said.text}"
        assert said.json["error"]["kind"] == "maintenance" and said.headers["Retry-After"], path
        assert "moving house" in said.json["error"]["message"]
    assert truth(full) == before
    for path in ("/status", "/products", "/products/web/landings", "/history", "/store/check", "/report"):
        assert daemon("GET", path).status == 200, path
    if by_file:
        (full.state / "maintenance.txt").unlink()
    else:
        assert daemon("PUT", "/maintenance", {"on": False}).status == 200
    assert daemon("POST", "/jobs/run").status == 200


def test_a_channel_can_be_shut_off_even_then(full, daemons):
    full("rule add product=web channel=beta")
    daemon = daemons(full)
    daemon.token = full.token
    full("maintenance on --reason 'moving house'")
    off = {"op": "insert", "table": "shutoffs", "row": {"product": "web", "channel": "beta", "reason": "it eats bookmarks"}}
    more = {"op": "update", "table": "rules", "rule_id": 1, "row": {"rate": 1}}
    on = {"op": "delete", "table": "shutoffs", "product": "web", "channel": "beta"}
    before = truth(full)
    for ops in ([off, more], [more], [on], [off, on], [{**off, "table": "pins"}]):
        said = daemon("POST", "/edits", {"ops": ops})
        assert said.status == 503 and "moving house" in said.json["error"]["message"], (ops, said.text)
    assert truth(full) == before
    assert daemon("POST", "/edits", {"ops": [off], "reason": "bookmarks"}).status == 200
    full("shutoff add web release --reason 'bookmarks, too'")
    assert {row["channel"] for row in full.json("shutoff list")["rows"]} == {"beta", "release"}
    full("shutoff delete web beta", exits=7)
    full("history verify")


def test_a_host_reports_again_when_it_is_over(full, daemons):
    daemon = daemons(full)
    daemon.token = None
    host = daemon("POST", "/enrol", {"code": full.code})
    assert host.status == 200, host.text
    daemon.token = host.json["secret"]
    full("maintenance on --reason 'moving house'")
    said = daemon("POST", "/hosts/self/report", {"version": "1", "now": "2026-11-21T00:00:00Z"})
    assert said.status == 503 and said.headers["Retry-After"], said.text


def test_the_clock_stops_and_goes_on(full, daemons, repository):
    beds.configure(full, "[clock]\nscan-every = 1s\nremind-every = 1s\nremind-from = 0s\n")
    full("maintenance on --reason 'moving house'")
    before = full.json("history verify"), full.json("notice list")
    daemon = daemons(full)
    daemon.token = full.token
    repository.commit("Change 6", "Bug: 6")
    time.sleep(2.5)
    assert (full.json("history verify"), full.json("notice list")) == before
    assert full.json("product show web")["summary"]["tip"] == 5
    full("maintenance off")
    beds.wait_until(lambda: full.json("product show web")["summary"]["tip"] == 6, "the clock scans")
    beds.wait_until(lambda: full.json("notice list"), "and reminds")


@pytest.mark.parametrize("by_file", [False, True], ids=["by the switch", "by maintenance.txt"])
def test_pages_show_the_reason_escaped_with_its_age(full, daemons, by_file):
    daemon = daemons(full)
    client = daemon.client()
    if by_file:
        (full.state / "maintenance.txt").write_text(EVIL)
    else:
        full(["maintenance", "on", "--reason", EVIL])
    cookie = log_in(full, client)
    page = client("GET", "//", Cookie=cookie)
    assert page.status == 200
    assert "<script>alert" not in page.text and "\x1b" not in page.text
    assert "alert(1)" in html.unescape(page.text)
    age = re.search(r'id="banner-maintenance".*?Maintenance</strong> for ([^,]+),', page.text)
    assert age, page.text
    assert not by_file or age.group(1).replace("\N{NO-BREAK SPACE}", " ") == "20 min"


def log_in(drover, client):
    """The session's cookie. Nobody new gets in while maintenance is on, so it is ended for that moment."""
    reason = drover.json("maintenance status")
    file = drover.state / "maintenance.txt"
    text = file.read_text() if file.exists() else None
    file.unlink(missing_ok=True)
    if reason["source"] == "switch":
        drover("maintenance off")
    link = drover.json("user login-link root")["path"]
    cookies = client("POST", "/" + link, "form=login-by-link").headers.get_all("Set-Cookie")
    cookie, = [cookie for cookie in cookies if cookie.startswith("drover-session=")]
    if text is not None:
        file.write_text(text)
        os.utime(file, (time.time() - 20 * 60 - 5, time.time() - 20 * 60 - 5))
    else:
        drover(["maintenance", "on", "--reason", reason["reason"]])
    return cookie.split(";")[0]
