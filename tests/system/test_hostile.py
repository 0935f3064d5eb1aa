# SPDX-License-Identifier: ISC
"""What keeps the house closed: strangers, foreign roles, forged forms, odd bytes, floods.

`house` is one droverd for the whole file, built with sanitizers when they are looked for: stopping it at the end finds
what leaked. What must not disturb the others has a house of its own."""
import base64
import concurrent.futures
import contextlib
import html.parser
import json
import os
import pathlib
import re
import socket
import stat
import subprocess
import time
import urllib.parse

import pytest

import openapi
from conftest import ROOT, Drover, Repository, frozen_environment
from server import PASSWORD, House, Server, eventually

pytestmark = pytest.mark.slow

OPERATIONS = [(method.upper(), path, operation["x-role"]) for path, whole in openapi.document()["paths"].items()
              for method, operation in whole.items() if method in ("get", "post", "put", "patch", "delete")]
PAGES = ["/", "/products/web", "/products/web/landings", "/products/web/landings/1", "/products/web/where?q=a", "/people",
         "/people/tom", "/tokens", "/hosts", "/notices", "/history", "/maintenance", "/channels", "/changes", "/nodes", "/products/web/releases"]
FORMS = ["/products", "/products/web/scan", "/products/web/rebase", "/products/web/landings/1/verdicts", "/maintenance",
         "/notices/remind", "/people", "/people/tom", "/people/tom/roles", "/people/tom/roles/revoke",
         "/people/tom/login-link", "/people/tom/password", "/tokens", "/tokens/1/revoke", "/hosts", "/hosts/web1/revoke", "/logout",
         "/nodes", "/nodes/w1", "/nodes/w1/invite", "/nodes/w1/remove", "/nodes/w1/products/web/order"]


def real(path):
    return path.format(product="web", landing="1", name="tom", id="1", sequence="1", pool="shop", host="w1", channel="release", table="rules",
                       version="1.0.0", node="w1")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = House(tmp_path_factory.mktemp("hostile"))
    yield made
    made.stop()


def head(house):
    return house.api("GET", "/status", token=house.token("ada")).json["history_head"]


@pytest.fixture
def nothing_changes(house):
    """For attacks: whatever they try, history has not grown afterwards."""
    before = head(house)
    yield
    assert head(house) == before


# Who is nobody -------------------------------------------------------------------------------------------------------

def forged(house):
    good = house.token("ada")
    return ["drt_", "x", good[:-1], good + "x", good[:-1] + ("A" if good[-1] != "A" else "B"), good.upper(),
            good.swapcase(), "drh_" + good[4:], "drs_" + good[4:], "Bearer " + good, good + " " + good, f"{good},{good}",
            "drt_" + "A" * 43, "drt_" + "A" * 8000, "drt_%", "drt_' OR '1'='1", "drt_*", "\u00e9", "null", "undefined"]


def test_no_forged_token_opens_any_route(house, nothing_changes):
    said = set()
    for secret in forged(house):
        for method, path, role in OPERATIONS:
            if role == "public":
                continue
            with contextlib.suppress(UnicodeEncodeError):
                answer = house.api(method, real(path), token=secret)
                assert answer.status == 401, (method, path, secret)
                said.add(answer.json["error"]["message"])
    assert len(said) == 1


def test_whoever_sends_nothing_opens_only_what_is_public(house, nothing_changes):
    for method, path, role in OPERATIONS:
        for headers in ({}, {"Authorization": "Basic " + base64.b64encode(b"ada:" + PASSWORD.encode()).decode()},
                        {"Authorization": house.token("ada")}, {"Cookie": "drover-session="}, {"Cookie": "drover-session=drs_x"},
                        {"X-Forwarded-User": "ada"}, {"Authorization": "Bearer"}):
            if role != "public":
                answer = house.api(method, real(path), headers=headers)
                assert answer.status == 401, (method, path, headers, answer.body)
                assert answer.header("WWW-Authenticate")


def test_a_revoked_token_and_one_of_a_disabled_person_open_nothing(house):
    made = house.api("POST", "/tokens", {"name": "short", "person": "tom"}, token=house.token("ada")).json
    assert house.api("GET", "/products", token=made["secret"]).status == 200
    house.api("DELETE", f"/tokens/{made['token']['id']}", token=house.token("ada"))
    house.drover("user add dan dan@example.org")
    house.drover("user grant dan admin all")
    dan = house.drover("token add t --person dan").out.strip()
    assert house.api("GET", "/people", token=dan).status == 200
    house.drover("user set dan --disable")
    for secret in (made["secret"], dan):
        for method, path, role in OPERATIONS:
            if role not in ("public",):
                assert house.api(method, real(path), token=secret).status == 401


def test_an_expired_token_session_and_link_open_nothing(house):
    cookie = house.log_in("tom")
    link = house.api("POST", "/people/tess/login-link", token=house.token("ada")).json["path"]
    invited = house.api("POST", "/hosts", {"name": "late", "kind": "node"}, token=house.token("ada")).json["code"]
    later = Server(house.state, house.environment, "--now", "2030-01-01T00:00:00Z")
    for method, path, role in OPERATIONS:
        if role not in ("public", "host"):
            assert later.api(method, real(path), token=house.token("ada")).status == 401
            assert later.api(method, real(path), cookie=cookie).status == 401
    assert later.ask("GET", "/people", cookie=cookie).status == 303
    assert later.send_form(link, {}).status == 401
    assert later.api("POST", "/enrol", {"code": invited}).status == 401
    later.stop()


def test_a_host_opens_only_its_own_routes(house):
    before = head(house)
    for method, path, role in OPERATIONS:
        if role not in ("public", "host"):
            assert house.api(method, real(path), token=house.host).status == 403, path
    assert house.ask("GET", "/events", token=house.host).status == 403
    assert house.ask("GET", "/", token=house.host).status == 303
    assert head(house) == before
    house.enrol("gone", "node")
    gone = house.enrol("gone", "node")
    house.api("DELETE", "/hosts/gone", token=house.token("ada"))
    assert house.api("POST", "/hosts/self/report", {"now": "2026-11-03T00:00:00Z"}, token=gone).status == 401




# Roles ---------------------------------------------------------------------------------------------------------------

RUNGS = ["nora", "vera", "tom", "olga", "ada"]
NEEDED = {"viewer": 1, "tester": 2, "operator": 3, "admin": 4}


def test_no_role_opens_a_route_above_it(house, nothing_changes):
    for rung, name in enumerate(RUNGS):
        for method, path, role in OPERATIONS:
            if NEEDED.get(role, 0) > rung:
                answer = house.api(method, real(path), token=house.token(name))
                assert answer.status == 403, (name, method, path)
    assert house.api("GET", "/people/ada", token=house.token("vera")).status == 403


def test_a_role_on_one_product_shows_nothing_of_another(house, nothing_changes):
    secrets = ("api", "Secret", "Hidden", "a b", "71")
    for name in ("vic", "tess", "otto"):
        token = house.token(name)
        for method, path, _ in OPERATIONS:
            if "{product}" in path:
                rest = {"landing": "10", "channel": "release", "version": "1.0.0", "node": "w1"}
                asked = path.format(product="api", **rest)
                answer = house.api(method, asked, token=token)
                missing = house.api(method, path.format(product="nothing", **rest), token=token)
                assert answer.status == missing.status == 403
                assert answer.text.replace("api", "nothing") == missing.text
        for path in ("/status", "/products", "/report"):
            text = json.dumps(house.api("GET", path, token=token).json).replace("/api/v1", "")
            assert '"api"' not in text and "product-api" not in text and "Secret plan" not in text and "Hidden" not in text
        for path in ("/history", "/history/1", "/history/verify", "/notices", "/people", "/hosts", "/store/check"):
            assert house.api("GET", path, token=token).status == 403, path
        cookie = house.log_in(name)
        for page in ["/", "/maintenance", "/products/web", "/products/web/landings", "/products/web/where?q=Secret"]:
            shown = house.ask("GET", page, cookie=cookie)
            assert shown.status == 200 and "Secret plan" not in shown.text and "/products/api" not in shown.text, page
        for page in ("/products/api", "/products/api/landings", "/products/api/landings/10", "/products/api/where?q=1",
                     "/history", "/people", "/hosts", "/notices"):
            shown = house.ask("GET", page, cookie=cookie)
            assert shown.status == 403 and not any(word in shown.text for word in secrets[1:3]), page
    assert "Secret plan" in house.api("GET", "/report", token=house.token("vera")).text


def test_an_operator_of_one_product_cannot_point_it_at_another_folder(house, nothing_changes):
    token = house.token("otto")
    version = house.api("GET", "/products/web", token=token).json["settings"]["data_version"]
    for folder in ("/etc", str(house.folder), None, "/proc/self/cwd"):
        answer = house.api("PATCH", "/products/web", {"data_version": version, "repository": folder}, token=token)
        assert answer.status == 403, answer.body
    same = {"data_version": version, "repository": str(house.repository.path)}
    assert house.api("PATCH", "/products/web", same, token=token).status == 200


def test_nobody_gives_themself_more(house, nothing_changes):
    for name in ("nora", "vic", "tess", "otto", "olga"):
        token = house.token(name)
        for method, path, body in [
                ("PUT", f"/people/{name}/roles", {"product": "*", "role": "admin"}),
                ("PATCH", f"/people/{name}", {"data_version": 1, "email": "x@example.org"}),
                ("POST", "/people/ada/login-link", None), ("POST", "/tokens", {"name": "x", "person": "ada"}),
                ("POST", "/hosts", {"name": "x", "kind": "node"}), ("POST", "/people", {"name": "x", "email": "x@example.org"})]:
            assert house.api(method, path, body, token=token).status == 403, (name, path)


# Sessions and forms --------------------------------------------------------------------------------------------------

def test_a_session_is_new_at_each_login_and_ends_at_logout(house):
    planted = "drs_" + "A" * 43
    answer = house.send_form("/login", {"name": "tom", "password": PASSWORD}, cookie=f"drover-session={planted}")
    value, attributes = answer.cookies["drover-session"]
    assert value != planted and {"httponly", "samesite=lax", "path=/"} <= attributes
    assert house.ask("GET", "/tokens", cookie=f"drover-session={planted}").status == 303
    cookie = f"drover-session={value}"
    assert house.ask("GET", "/tokens", cookie=cookie).status == 200
    other = house.log_in("tom")
    assert other != cookie
    assert house.send_form("/logout", {"csrf": house.csrf(cookie)}, cookie=cookie).status == 303
    assert house.ask("GET", "/tokens", cookie=cookie).status == 303
    assert house.api("GET", "/products", cookie=cookie).status == 401
    assert house.ask("GET", "/tokens", cookie=other).status == 200


def test_behind_a_proxy_with_tls_the_cookie_is_secure(house):
    proxied = Server(house.state, house.environment, "--behind-proxy")
    answer = proxied.send_form("/login", {"name": "tom", "password": PASSWORD},
                               headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"})
    assert "secure" in answer.cookies["drover-session"][1]
    plain = house.send_form("/login", {"name": "tom", "password": PASSWORD}, headers={"X-Forwarded-Proto": "https"})
    assert "secure" not in plain.cookies["drover-session"][1]
    proxied.stop()


FOREIGN = [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1"}, {"Origin": "http://127.0.0.1:1"},
           {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://127.0.0.1.evil.example"},
           {"Origin": ""}, {"Sec-Fetch-Site": "nonsense"}]


def test_no_form_is_taken_without_this_sessions_token_or_from_elsewhere(house, nothing_changes):
    cookie, other = house.log_in("ada"), house.log_in("ada")
    good, foreign = house.csrf(cookie), house.csrf(other)
    fields = {"name": "evil", "email": "evil@example.org", "on": "yes", "reason": "x", "state": "bad", "confirm": "yes",
              "product": "*", "role": "admin", "kind": "node", "data_version": "1"}
    for path in FORMS:
        for sent in (fields, {**fields, "csrf": ""}, {**fields, "csrf": "x"}, {**fields, "csrf": foreign},
                     {**fields, "csrf": good[:-1]}, {**fields, "csrf": good.upper() + "x"}):
            assert house.send_form(path, sent, cookie=cookie).status == 403, path
        for headers in FOREIGN:
            assert house.send_form(path, {**fields, "csrf": good}, cookie=cookie, headers=headers).status == 403, (path, headers)
        for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json"):
            body = urllib.parse.urlencode({**fields, "csrf": good}).encode()
            answer = house.ask("POST", path, body, cookie=cookie, headers={"Content-Type": kind})
            assert answer.status == 400, (path, kind)
        assert house.ask("GET", f"{path}?{urllib.parse.urlencode({**fields, 'csrf': good})}", cookie=cookie).status in (200, 303, 404, 405)


def test_the_login_form_is_not_taken_from_elsewhere(house):
    for headers in FOREIGN:
        answer = house.send_form("/login", {"name": "tom", "password": PASSWORD}, headers=headers)
        assert answer.status == 403 and "drover-session" not in answer.cookies, headers


def test_the_api_takes_no_change_by_cookie_without_the_sessions_token(house, nothing_changes):
    cookie, other = house.log_in("ada"), house.csrf(house.log_in("ada"))
    for method, path, role in OPERATIONS:
        if method == "GET" or role in ("public",):
            continue
        for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "x"}, {"X-CSRF-Token": other}):
            assert house.api(method, real(path), cookie=cookie, headers=headers).status == 403, (method, path)


def test_no_get_changes_anything(house, nothing_changes):
    cookie = house.log_in("ada")
    for path in PAGES + FORMS + ["/api/v1" + real(path) for _, path, _ in OPERATIONS]:
        for method in ("GET", "HEAD", "OPTIONS"):
            assert house.ask(method, path, cookie=cookie).status < 500
    assert house.ask("GET", "/tokens", cookie=cookie).status == 200


@pytest.mark.parametrize("target", [
    "https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
    "/\n/evil.example", "javascript:alert(1)", "/%0d%0aSet-Cookie:x=1", "/\r\nSet-Cookie: x=1", " //evil.example",
    "http:evil.example", "/.//evil.example", "evil.example", "/\u2028/x", "data:text/html,x", "/" + "a" * 5000])
def test_a_login_leads_only_into_this_house(house, target):
    answer = house.send_form("/login", {"name": "tom", "password": PASSWORD, "next": target})
    where = answer.header("Location")
    assert answer.status == 303 and where.startswith("/") and not where.startswith("//") and "\\" not in where
    assert urllib.parse.urlsplit(urllib.parse.urljoin("http://house/", where)).netloc == "house"
    assert set(answer.cookies) <= {"drover-session", "drover-flash"}
    shown = house.ask("GET", "/login?" + urllib.parse.urlencode({"next": target}), cookie=house.log_in("tom"))
    assert urllib.parse.urlsplit(urllib.parse.urljoin("http://house/", shown.header("Location"))).netloc == "house"


def test_wrong_passwords_are_counted_by_name_and_by_address(tmp_path):
    house = House(tmp_path / "house")
    tries = [house.send_form("/login", {"name": "tom", "password": "wrong"}, headers={"X-Forwarded-For": f"192.0.2.{n}"})
             for n in range(6)]
    assert [answer.status for answer in tries] == [401] * 5 + [429]
    assert house.send_form("/login", {"name": "tom", "password": PASSWORD}).status == 429
    assert house.log_in("tess")
    statuses = [house.send_form("/login", {"name": f"nobody{n}", "password": "x"}, headers={"X-Forwarded-For": f"192.0.2.{n}"}).status
                for n in range(25)]
    assert statuses[0] == 401 and statuses[-1] == 429, "X-Forwarded-For must not be believed"
    assert house.send_form("/login", {"name": "tess", "password": PASSWORD}).status == 429
    proxied = Server(house.state, house.environment, "--behind-proxy")
    forwarded = {"X-Forwarded-For": "192.0.2.1, 198.51.100.9"}
    assert proxied.send_form("/login", {"name": "tess", "password": PASSWORD}, headers=forwarded).status == 303
    proxied.stop()
    house.stop()


def test_a_login_says_the_same_of_who_is_there_and_who_is_not(house):
    wrong = [house.send_form("/login", {"name": name, "password": "wrong wrong"}) for name in ("vera", "nobody-at-all", "' OR 1=1 --")]
    texts = {re.sub(r'value="[^"]*"', "", answer.text) for answer in wrong}
    assert {answer.status for answer in wrong} == {401} and len(texts) == 1
    for path in ("/people/ada", "/people/nobody", "/products/api", "/products/nothing", "/nothing/at/all"):
        shown = house.ask("GET", path)
        assert shown.status == 303 and shown.header("Location") == "/login?next=" + urllib.parse.quote(path, safe="")


def test_a_stolen_token_guesses_no_password_and_makes_none(house):
    house.drover("user add rob rob@example.org")
    token = house.drover("token add ci --person rob").out.strip()
    made = house.api("PUT", "/people/rob/password", {"new": "the thief's own"}, token=token)
    assert made.status == 403 and "login link" in made.text
    house.drover("user password rob", stdin="the real password\n")
    statuses = [house.api("PUT", "/people/rob/password", {"old": f"guess {n}", "new": "the thief's own"}, token=token).status
                for n in range(6)]
    assert statuses[0] == 403 and statuses[-1] == 429
    right = {"old": "the real password", "new": "the thief's own"}
    assert house.api("PUT", "/people/rob/password", right, token=token).status == 429


# Bytes on the wire ---------------------------------------------------------------------------------------------------

ODD_PATHS = [b"/../etc/passwd", b"/%2e%2e/etc/passwd", b"/..%2fetc/passwd", b"/%252e%252e/etc", b"/..\\..\\etc", b"/%5c..%5cetc",
             b"/%00", b"/login%00.css", b"/%c0%ae%c0%ae/etc", b"/%e0%80%ae/", b"/%ff", b"/assets/../../etc/passwd",
             b"/assets/x/../drover.db", b"/assets//etc/passwd", b"/assets/x//etc/passwd", b"/assets/x/%2fetc%2fpasswd",
             b"/assets/x/drover.css%00", b"//etc/passwd", b"/./", b"/a%0d%0aSet-Cookie:%20x=1", b"http://evil.example/x", b"*",
             b"evil.example:80", b"/?next=%0d%0aSet-Cookie:x", b"/api/v1/products/..%2f..", b"/api/v1/../metrics", b"/%",
             b"/%zz", b"/a#b", b"/login/..;/people", b"/releases/../state/drover.db", b"/\xff\xfe", b"/" + b"a" * 8100]


@pytest.mark.parametrize("listener", ["admin", "public"])
def test_no_path_leads_out_or_into_a_header(house, listener):
    for path in ODD_PATHS:
        heard = house.raw(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", getattr(house, listener))
        top, _, body = heard.partition(b"\r\n\r\n")
        assert re.match(rb"HTTP/1\.1 (303|400|404|414) ", top), (path, heard[:200])
        assert b"root:" not in body and b"SQLite" not in body and b"\nset-cookie" not in top.lower()
        assert b"evil.example" not in top or b"\r\nLocation: /login?next=" in top


HOST = b"Host: x\r\nConnection: close\r\n"
SMUGGLED = {
    "both framings": (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\naaaaaa", 400),
    "list of lengths": (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5, 5\r\n\r\naaaaa", 400),
    "signed length": (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\naaaaa", 400),
    "negative length": (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: -5\r\n\r\naaaaa", 400),
    "hexadecimal length": (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 0x5\r\n\r\naaaaa", 400),
    "huge length": (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999\r\n\r\n", 413),
    "other coding": (b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    "coding twice": (b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400),
    "coding in 1.0": (b"POST /login HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "blank before colon": (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length : 5\r\n\r\naaaaa", 400),
    "folded line": (b"GET /login HTTP/1.1\r\n" + HOST + b"X: a\r\n b: c\r\n\r\n", 400),
    "no host": (b"GET /login HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET /login HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "no version": (b"GET /login\r\n\r\n", 400),
    "two tokens": (b"GET /login HTTP/1.1\r\n" + HOST + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400),
    "bad chunk": (b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400),
    "huge chunk": (b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n\r\n", 413),
    "large header": (b"GET /login HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 17000 + b"\r\n\r\n", 431),
    "many headers": (b"GET /login HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 150 + b"\r\n", 431),
    "long address": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "many queries": (b"GET /login?" + b"a=b&" * 150 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "large body": (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 9000000\r\n\r\n", 413),
    "trace": (b"TRACE /login HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    "connect": (b"CONNECT evil:1 HTTP/1.1\r\n" + HOST + b"\r\n", 405),
}


@pytest.mark.parametrize("name", SMUGGLED)
@pytest.mark.parametrize("listener", ["admin", "public"])
def test_what_could_be_read_in_two_ways_is_refused(house, name, listener):
    data, status = SMUGGLED[name]
    hidden = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    heard = house.raw(data + hidden, getattr(house, listener))
    if listener == "public" and name == "bad chunk":
        status = 413  # no body is read there, so nobody sees that it is a bad one
    assert heard.startswith(b"HTTP/1.1 %d " % status), heard[:300]
    assert b"\r\nok\n" not in heard and not heard.endswith(b"\n\nok\n"), "the hidden request was answered"
    assert b"microhttpd" not in heard.lower() and b"\r\nServer:" not in heard


@pytest.mark.parametrize("parts", [129, 1000, 2040])
def test_a_query_of_too_many_parts_is_refused_in_words(house, parts):
    """Of about a thousand on they would overflow the memory of the HTTP library, which then says nothing."""
    heard = house.raw(b"GET /login?" + b"a=b&" * parts + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert heard.startswith(b"HTTP/1.1 400 ") and b"the query has too many parts" in heard, heard[:300]


def test_what_overflows_the_librarys_memory_is_let_go(house):
    """The library ends these by itself, without a word to us: what was kept for them must go too (the leak check at
    the end of this file counts it)."""
    for _ in range(20):
        with house.connect() as line:
            line.sendall(b"GET /login HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000 + b"\r\n")
    assert house.ask("GET", "/healthz").status == 200


def test_bodies_beyond_the_limit_are_refused(house):
    token = house.token("ada")
    answer = house.raw(b"POST /api/v1/people HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + token.encode() +
                       b"\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
                       (b"10000\r\n" + b"a" * 65536 + b"\r\n") * 20 + b"0\r\n\r\n")
    assert b" 413 " in answer[:30] or answer == b""
    assert house.api("POST", "/people", b" " * (1024 * 1024), token=token, headers={"Content-Type": "application/json"}).status == 400


def test_imports_of_every_kind_of_nonsense(house, nothing_changes):
    token, kind = house.token("ada"), {"Content-Type": "application/json"}
    for text in (b'{"landings": ' + b"[" * 70 + b"]" * 70 + b"}", b'{"landings": [{"rev": 1e999}]}', b'{"landings": [{"rev": NaN}]}',
                 b'{"landings": [{"rev": 20, "rev": 21}]}', b'{"landings": [{"rev": 9223372036854775807}]}',
                 b'{"landings": [{"rev": 99999999999999999999}]}', b'{"landings": [{"rev": 20},{"rev": 20}]}',
                 b'{"landings": [{"rev": 20, "subject": "' + b"x" * 10_000_000 + b'"}]}',
                 b'{"landings": [' + b",".join([b"{}"] * 200000) + b"]}", b'{"landings": "' + b"x" * 10_000_000 + b'"}',
                 b'{"landings": [{"rev": 20, "items": [' + b",".join([b"1"] * 100000) + b"]}]}",
                 b'{"landings": [{"rev": 20, "subject": "\\u0000"}]}', b'{"landings": [{"rev": 20, "subject": "\\ud800"}]}'):
        answer = house.api("POST", "/products/api/landings", text, token=token, headers=kind)
        assert answer.status == 400, answer.body[:300]
        assert len(answer.body) < 2000


# Text that would be markup -------------------------------------------------------------------------------------------

EVIL = '\u202e"\'><script>alert(1)</script><img src=x onerror=alert(1)><!--<style>*{}</style>]]>&lt;b&gt;{{x}}${x}'


class Markup(html.parser.HTMLParser):
    """What elements and attribute names a page has, and where its addresses lead."""

    # What the pages' own source opens.
    ELEMENTS = {name for file in (ROOT / "src/page").glob("*.c")
                for name in re.findall(r'html_\w+\(\s*\w+,\s*"([a-z0-9]+)"', file.read_text())}

    def __init__(self, text):
        super().__init__()
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        assert tag in self.ELEMENTS, tag
        self.scripts += tag == "script"
        for name, value in attrs:
            assert re.fullmatch(r"[a-z][a-zA-Z-]*[0-9]?", name) and not name.startswith("on") and name != "style", name
            if name in ("href", "src", "action"):
                assert re.match(r"(/|#|\?|https?://|[a-z0-9-]+\.(html|css|svg)|\.|mailto:)", value) and "script:" not in value, value

    def handle_comment(self, data):
        raise AssertionError(data)


def evil_house(folder):
    house = House(folder)
    token = house.token("ada")
    landing = {"rev": 20, "subject": EVIL, "author": EVIL, "email": EVIL, "branch": EVIL, "message": EVIL + "\n\n" + EVIL,
               "revision": EVIL, "items": [{"id": EVIL[:150]}]}
    for method, path, body in [
            ("POST", "/products/api/landings", {"landings": [landing]}),
            ("POST", "/products/api/landings/20/verdicts", {"item": EVIL[:150], "state": "bad", "reason": EVIL, "tool": EVIL[:90]}),
            ("POST", "/tokens", {"name": EVIL[:90]}), ("PUT", "/people/tom/roles", {"product": "web", "role": "viewer", "reason": EVIL}),
            ("PUT", "/maintenance", {"on": True, "reason": EVIL}), ("PUT", "/maintenance", {"on": False}),
            ("POST", "/hosts/self/report", {"now": "2026-11-03T00:00:00Z", "version": EVIL[:90]}), ("POST", "/jobs/remind", None)]:
        answer = house.api(method, path, body, token=house.host if "self" in path else token)
        assert answer.status == 200, (path, answer.body)
    version = house.api("GET", "/products/api", token=token).json["settings"]["data_version"]
    settings = {"data_version": version, "title": EVIL, "item_url": 'https://x/"><script>{item}</script>'}
    assert house.api("PATCH", "/products/api", settings, token=token).status == 200
    git = house.repository.git
    git("checkout", "-q", "-b", "x<img/src=x>&\"'")
    house.repository.commit(EVIL, EVIL, author="ada")
    git("checkout", "-q", "main")
    house.repository.commit(EVIL, f"Bug: 1\n{EVIL}", author="<script>alert(1)</script>")
    assert house.api("POST", "/products/web/scan", token=token).status == 200
    return house


def test_no_text_of_others_becomes_markup(tmp_path):
    house = evil_house(tmp_path / "house")
    cookie = house.log_in("ada")
    csrf = house.csrf(cookie)
    (house.state / "maintenance.txt").write_text(EVIL)
    pages = PAGES + ["/products/api", "/products/api/landings", "/products/api/landings/20", "/products/web/landings/8",
                     "/products/api/where?q=script", "/history?actor=%3Cscript%3E", "/nothing%3Cscript%3E", "/people/%3Cscript%3E",
                     "/products/web/where?q=" + urllib.parse.quote(EVIL[:60]), "/products/api/landings?author=%22%3E%3Cscript%3E",
                     "/products/%3Cscript%3E", "/products/api/landings?state=%3Cb%3E", "/products/api/landings?before=%3Cb%3E"]
    for page in pages:
        shown = house.ask("GET", page, cookie=cookie)
        assert shown.status in (200, 400, 403, 404), (page, shown.status)
        policy = shown.header("Content-Security-Policy")
        assert "default-src 'none'" in policy and "unsafe" not in policy and shown.header("X-Content-Type-Options") == "nosniff"
        assert Markup(shown.text).scripts <= 1, page
        assert "<script>alert" not in shown.text and "<img src=x" not in shown.text
    for page in FORMS:
        fields = {name: EVIL for name in ("name", "email", "reason", "item", "state", "product", "role", "kind", "title", "next",
                                          "form", "on", "confirm", "expires_days", "person", "branch", "repository")}
        shown = house.send_form(page, {**fields, "csrf": csrf, "form": "login"}, cookie=cookie)
        assert shown.status < 500 or shown.status == 503, (page, shown.status)  # 503: maintenance.txt is there
        if shown.body:
            assert "<script>alert" not in Markup(shown.text).rawdata
        if page == "/logout":
            break
    shown = house.send_form("/login", {"name": EVIL, "password": EVIL, "next": EVIL})
    assert Markup(shown.text).scripts <= 1
    files = house.api("GET", "/report", token=house.token("ada")).json["files"]
    for name, text in files.items():
        assert re.fullmatch(r"[a-z0-9._-]+", name)
        if name.endswith(".html"):
            assert Markup(text).scripts == 0
    (house.state / "maintenance.txt").unlink()
    house.stop()


def test_no_text_of_others_reaches_a_header_or_a_line_of_the_log(house):
    token = house.token("ada")
    for text in ("x\r\nSet-Cookie: evil=1", "x\nevent=forged level=error", "x\x1b[31mred", "\u2028y", '" why="forged'):
        house.api("POST", "/products/api/landings/10/verdicts", {"item": "71", "state": "bad", "reason": text, "tool": text}, token=token)
        answer = house.api("POST", "/products/api/landings/10/verdicts", {"item": "71", "state": "ok", "reason": text}, token=token)
        assert "evil" not in answer.cookies
    cookie = house.log_in("ada")
    shown = house.send_form("/people/tom", {"csrf": house.csrf(cookie), "data_version": "1", "email": "a@b\r\nX: y"}, cookie=cookie)
    assert shown.header("X") is None
    log = house.log
    assert "\x1b" not in log and not re.search(r"^event=forged", log, re.MULTILINE)
    assert all(line.startswith("time=") for line in house.lines)


def terminal_bytes(text):
    return [char for char in text if (ord(char) < 32 and char not in "\n\t") or 0x7f <= ord(char) < 0xa0]


def test_no_escape_sequence_reaches_the_terminal(tmp_path):
    environment = frozen_environment(tmp_path)
    drover = Drover(tmp_path, environment)
    bad = "\x1b[2J\x1b]0;owned\x07\x9b31m\x08\x7f\r"
    landing = {"rev": 1, "subject": f"S{bad}", "author": f"A{bad}", "email": f"e{bad}@example.org", "branch": f"b{bad}",
               "message": f"S{bad}\n\n{bad}body", "items": [{"id": "7"}]}
    drover("product add api")
    (tmp_path / "landings.json").write_text(json.dumps({"landings": [landing]}))
    said = [drover("landing import landings.json --product api"), drover(["qa", "bad", "1", "7", "--reason", f"r{bad}"])]
    for line in ("landing list", "landing show 1", "landing deployable", "landing owing", "landing where S", "history list",
                 "history show 1", "product show", "remind", "notice list", "landing list --oneline"):
        done = subprocess.run(drover.words(line), capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
        assert not terminal_bytes(done.stdout + done.stderr), (line, done.stdout)
    for words in (["landing", "show", f"x{bad}"], ["product", "show", f"x{bad}"], ["qa", "ok", "1", f"x{bad}"],
                  ["user", "show", f"x{bad}"], [f"x{bad}"], ["landing", "list", f"--x{bad}"], ["user", "add", f"x{bad}", "e"],
                  ["landing", "list", "--only", f"x{bad}"], ["landing", "import", f"x{bad}"]):
        done = subprocess.run(drover.words(words), capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
        assert done.returncode and not terminal_bytes(done.stdout + done.stderr), (words, done.stderr)
    assert not any(terminal_bytes(each.out + each.err) for each in said)


# Floods --------------------------------------------------------------------------------------------------------------

DEADLINE_S = 30


def seconds_until_closed(line):
    """How long the server leaves this connection open that says no more."""
    began = time.monotonic()
    line.settimeout(DEADLINE_S + 30)
    with contextlib.suppress(ConnectionError):
        while line.recv(65536):
            pass
    return time.monotonic() - began


def trickle(house, data):
    """A byte each half second, as long as it is taken."""
    began = time.monotonic()
    line = house.connect()
    with contextlib.suppress(OSError), contextlib.closing(line):
        for byte in data:
            line.sendall(bytes([byte]))
            time.sleep(0.5)
            if time.monotonic() - began > DEADLINE_S + 30:
                break
    return time.monotonic() - began


def test_slow_requests_are_cut_at_the_deadline(house):
    """Slow in the head, slow in the body, silent, and one whose query the library chokes on: all at once."""
    half = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\na"
    choking = b"GET /login?" + b"a=b&" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        waits = [pool.submit(trickle, house, b"GET /login HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 1000),
                 pool.submit(trickle, house, b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"a" * 1000)]
        for opening in (b"", b"GET /login HT", half, choking):
            line = house.connect()
            line.sendall(opening)
            waits.append(pool.submit(seconds_until_closed, line))
        began = time.monotonic()
        while time.monotonic() - began < 5:
            assert house.ask("GET", "/healthz").status == 200
        assert all(wait.result() < DEADLINE_S + 15 for wait in waits), [wait.result() for wait in waits]


def test_slow_ones_hold_up_nobody_and_many_idle_ones_neither(house):
    """64 connections an address: the rest is refused at once. Each of them is slow in its own way."""
    slow = []
    for number in range(60):
        line = house.connect(house.admin)
        line.sendall([b"", b"GET /login HT", b"GET /login HTTP/1.1\r\nHost: x\r\nX-",
                      b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na"][number % 4])
        slow.append(line)
    began = time.monotonic()
    for _ in range(5):
        assert house.ask("GET", "/healthz").status == 200
    assert time.monotonic() - began < 10
    for line in slow:
        line.close()


def test_a_thousand_idle_connections_are_held_or_refused_and_the_house_answers(house):
    idle = []
    for _ in range(1000):
        with contextlib.suppress(OSError):
            idle.append(house.connect(house.public, timeout=5))
    for line in idle:
        line.close()
    assert eventually(lambda: house.ask("GET", "/healthz", port=house.public).status == 200)
    assert house.ask("GET", "/healthz").status == 200


def test_event_streams_beyond_the_limit_are_refused_and_the_rest_goes_on(house):
    request = f"GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.token('vic')}\r\n\r\n".encode()
    streams = []
    with contextlib.suppress(OSError):
        for _ in range(50):
            line = house.connect(timeout=10)
            streams.append(line)
            line.sendall(request)
            assert line.recv(12) == b"HTTP/1.1 200"
    assert len(streams) == 50 and house.api("GET", "/status", token=house.token("ada")).status == 200
    for line in streams:
        line.close()
    assert house.ask("GET", "/events").status == 401


@pytest.mark.parametrize("how", ["logged-out", "revoked", "no-role", "disabled"])
def test_a_stream_ends_with_the_right_to_it(house, how):
    token, others = house.make_person(how, [("viewer", "web")]), house.token("ada")
    cookie = house.log_in(how)
    right = f"Cookie: {cookie}" if how == "logged-out" else f"Authorization: Bearer {token}"
    with house.connect(timeout=20) as line, house.connect(timeout=20) as other:
        for each, shown in ((line, right), (other, f"Authorization: Bearer {others}")):
            each.sendall(f"GET /events HTTP/1.1\r\nHost: x\r\n{shown}\r\n\r\n".encode())
            assert each.recv(12) == b"HTTP/1.1 200"
        if how == "logged-out":
            assert house.send_form("/logout", {"csrf": house.csrf(cookie)}, cookie=cookie).status == 303
        elif how == "revoked":
            number, = [each["id"] for each in house.drover.json("token list") if each["person"] == how]
            house.drover(f"token revoke {number}")
        else:
            house.drover(f"user revoke {how} viewer web" if how == "no-role" else f"user set {how} --disable")
        heard = b""
        while piece := line.recv(65536):
            heard += piece
        assert heard.endswith(b"\r\n0\r\n\r\n"), heard
        other.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            assert other.recv(65536) != b"", "nobody else's ends"


def test_expensive_questions_end_in_time(tmp_path):
    environment = frozen_environment(tmp_path)
    drover = Drover(tmp_path, environment)
    drover("product add big")
    landings = [{"rev": n, "subject": f"{'a' * 200} {n}", "author": "a" * 100, "email": f"a{n}@example.org",
                 "items": [{"id": n, "state": "ok" if n % 3 else None}]} for n in range(1, 20001)]
    (tmp_path / "landings.json").write_text(json.dumps({"landings": landings}))
    drover("landing import landings.json --product big")
    drover("user add ada ada@example.org")
    drover("user grant ada admin all")
    token = drover("token add t --person ada").out.strip()
    server = Server(drover.state, environment)
    server.api("GET", "/products/big", token=token)
    began = time.monotonic()
    assert all(server.ask("GET", path).status == 200 for path in ("/login", "/healthz", "/metrics") for _ in range(10))
    assert time.monotonic() - began < 10, "strangers must not be able to keep the workers busy"
    worst = urllib.parse.quote("a" * 199 + "b")
    for path in (f"/products/big/where?q={worst}", f"/products/big/landings?author={'a' * 99}b&limit=1000", "/products/big/owing",
                 "/products/big/landings?state=BAD&limit=1000", "/products/big/deployable", "/status", "/report",
                 f"/products/big/where?q={urllib.parse.quote('İ' * 100)}", "/history?subject=" + "%25" * 500):
        began = time.monotonic()
        answer = server.api("GET", path, token=token)
        assert answer.status == 200 and time.monotonic() - began < 15, path
        assert len(answer.body) < 20_000_000
    server.stop()


# Secrets and files ---------------------------------------------------------------------------------------------------

def test_secrets_are_in_no_log_no_history_no_metrics_and_no_process_list(house):
    link = house.api("POST", "/people/vera/login-link", token=house.token("ada")).json["path"]
    code = house.api("POST", "/hosts", {"name": "n9", "kind": "node"}, token=house.token("ada")).json["code"]
    cookie = house.log_in("vera")
    assert house.send_form(link, {}).status == 303 and house.send_form(link, {}).status == 401
    house.send_form("/login", {"name": PASSWORD, "password": "x"})
    secrets = [PASSWORD, link.split("/")[-1], code, cookie.split("=")[1], house.host, *house.tokens.values()]
    told = [house.log, house.ask("GET", "/metrics").text,
            house.api("GET", "/history?limit=1000", token=house.token("ada")).text,
            pathlib.Path(f"/proc/{house.process.pid}/cmdline").read_text(),
            pathlib.Path(f"/proc/{house.process.pid}/environ").read_bytes().decode(errors="replace")]
    told += [file.read_bytes().decode("latin-1") for file in house.state.glob("drover.db*") if file.is_file()]
    for secret in secrets:
        assert not any(secret in text for text in told), secret


def test_what_lies_in_the_state_folder_is_its_owners_alone(house, tmp_path):
    fresh = Server(tmp_path / "fresh", frozen_environment(tmp_path))
    for top in (house.state, fresh.state):
        for path in [top, *top.rglob("*")]:
            mode = stat.S_IMODE(path.lstat().st_mode)
            assert mode & 0o077 == 0 or path.is_socket(), f"{path} {mode:o}"
    fresh.stop()


def test_strangers_learn_nothing_of_the_house(house):
    for path in ("/login", "/healthz", "/nothing", "/api/v1/nothing", "/api/v1/openapi.json", "/metrics", "/events"):
        for port in (house.admin, house.public):
            answer = house.ask("GET", path, port=port)
            assert answer.header("Server") is None and answer.header("X-Powered-By") is None
            for word in ("Secret plan", "example.org", "ada", str(house.folder), "sqlite"):
                assert not re.search(rf"\b{re.escape(word)}\b", answer.text), (path, word)
    house.api("PUT", "/maintenance", {"on": True, "reason": "the vault is open"}, token=house.token("ada"))
    for answer in (house.api("POST", "/enrol", {"code": "dre_wrong"}), house.ask("GET", "/login"),
                   house.send_form("/login", {"name": "x", "password": "y"})):
        assert "vault" not in answer.text
    house.api("PUT", "/maintenance", {"on": False}, token=house.token("ada"))


# Repositories --------------------------------------------------------------------------------------------------------

@pytest.fixture
def bed(tmp_path):
    environment = frozen_environment(tmp_path)
    drover, repository = Drover(tmp_path, environment), Repository(tmp_path / "repository", environment)
    repository.commit("Begin", "Bug: 1")
    drover.repository, drover.folder = repository, tmp_path
    return drover


def ends(drover, line, within_s=20):
    return subprocess.run(drover.words(line), capture_output=True, text=True, env=drover.environment, cwd=drover.folder,
                          timeout=within_s, check=False)


@pytest.mark.parametrize("name", ["config", "packed-refs", "objects/info/alternates", "refs/heads/main", "HEAD", "commondir",
                                  "refs/heads/other", "config.worktree"])
def test_a_pipe_in_a_repository_holds_no_scan(bed, name):
    bed(f"product add web --repository {bed.repository.path}")
    pipe = bed.repository.path / ".git" / name
    pipe.parent.mkdir(parents=True, exist_ok=True)
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    assert ends(bed, "landing scan").returncode != 0
    assert ends(bed, f"product add other --repository {bed.repository.path}").returncode != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to another user")
def test_the_settings_of_another_users_repository_are_not_even_read(bed):
    bed(f"product add web --repository {bed.repository.path}")
    os.mkfifo(bed.folder / "pipe")
    with (bed.repository.path / ".git/config").open("a") as config:
        config.write(f"[include]\n\tpath = {bed.folder}/pipe\n")
    os.chown(bed.repository.path / ".git", 65534, 65534)
    said = ends(bed, "landing scan")
    assert said.returncode == 2 and "belongs to another user" in said.stderr, said.stderr
    assert f"--add safe.directory '{bed.repository.path}'" in said.stderr


def test_what_is_no_repository_is_refused_in_time(bed):
    os.mkfifo(bed.folder / "pipe")
    os.symlink(bed.folder / "loop", bed.folder / "loop")
    (bed.folder / "linked").mkdir()
    os.mkfifo(bed.folder / "linked/.git")
    (bed.folder / "turning").mkdir()
    (bed.folder / "turning/.git").write_text(f"gitdir: {bed.folder}/turning/.git\n")
    (bed.folder / "endless").mkdir()
    os.symlink("/dev/zero", bed.folder / "endless/.git")
    for path in ("pipe", "loop", "linked", "turning", "endless", "/dev/zero", "/dev/null", "/dev/stdin", "/proc/self/mem", "/etc",
                 "/proc/self/fd/0", "/etc/passwd", "/", "nothing"):
        whole = path if path.startswith("/") else str(bed.folder / path)
        assert ends(bed, ["product", "add", "web", "--repository", whole]).returncode != 0, path
    for path in ("-", "--help-me", "", "file:///etc", "ssh://x/y", "git@x:y", "ext::sh -c touch% owned"):
        answer = ends(bed, ["product", "add", "web", f"--repository={path}"])
        assert answer.returncode != 0 or path == "", (path, answer.stdout)
    assert not (bed.folder / "owned").exists()


def test_nothing_in_a_repository_is_ever_run(bed):
    marker = bed.folder / "owned"
    script = bed.folder / "run.sh"
    script.write_text(f"#!/bin/sh\ntouch {marker}\n")
    script.chmod(0o755)
    git = bed.repository.path / ".git"
    for hook in ("post-checkout", "reference-transaction", "fsmonitor-watchman", "pre-auto-gc", "post-index-change", "update"):
        (git / "hooks").mkdir(exist_ok=True)
        (git / "hooks" / hook).symlink_to(script)
    with (git / "config").open("a") as config:
        config.write(f"[core]\n\tfsmonitor = {script}\n\tpager = {script}\n\teditor = {script}\n\tsshCommand = {script}\n"
                     f"\thooksPath = {git}/hooks\n\tgitProxy = {script}\n\taskPass = {script}\n[credential]\n\thelper = !{script}\n"
                     f"[alias]\n\tlog = !{script}\n[diff]\n\texternal = {script}\n[filter \"x\"]\n\tclean = {script}\n\tsmudge = {script}\n"
                     f"[gpg]\n\tprogram = {script}\n[uploadpack]\n\tpackObjectsHook = {script}\n")
    (bed.repository.path / ".gitattributes").write_text("* filter=x diff=x\n")
    bed(f"product add web --repository {bed.repository.path}")
    assert "1 new landing" in bed("landing scan").out
    bed("run")
    assert not marker.exists()


def write_object(repository, text):
    done = subprocess.run(["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"], input=text, capture_output=True,
                          cwd=repository.path, env=repository.environment, check=True)
    return done.stdout.decode().strip()


@pytest.mark.parametrize("author, message", ids=range(11), argvalues=[
    (b"A <a@example.org> 1700000000 +0000", b"a\0b\n\nBug: 2\n"), (b"A" * 3_000_000 + b" <a@example.org> 1700000000 +0000", b"long\n"),
    (b"A <a@b> 99999999999999999999 +0000", b"late\n"), (b"A <a@b> -1 +9999", b"early\n"), (b"<<>>", b"odd\n"), (b"", b"none\n"),
    (b"\xff\xfe <\xff> 1 +0000", b"\xff\xfe\xfd\n"), (b"A <a@b> 1700000000 +0000", b"[rollback=9223372036854775807,-1,0]\n"),
    (b"A <a@b> 1700000000 +0000", b"Bug: " + b"9, " * 300000), (b"A <a@b> 1700000000 +0000", b"x" * 5_000_000),
    (b"A\x1b[2J <a@b\r\nBcc: c@d> 1700000000 +0000", b"\x1b[2J\n")])
def test_an_odd_commit_is_read_or_refused_in_words(bed, author, message):
    tree, parent = bed.repository.git("rev-parse", "HEAD^{tree}"), bed.repository.git("rev-parse", "HEAD")
    sha = write_object(bed.repository, b"tree " + tree.encode() + b"\nparent " + parent.encode() + b"\nauthor " + author +
                       b"\ncommitter " + author + b"\n\n" + message)
    (bed.repository.path / ".git/refs/heads/main").write_text(sha + "\n")
    bed(f"product add web --repository {bed.repository.path}")
    done = ends(bed, "landing scan", 60)
    assert done.returncode in (0, 1, 2, 3), done.stderr[-500:]
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr
    for line in ("landing list", "landing show 2", "landing owing", "report --out report", "store check", "remind"):
        shown = ends(bed, line, 60)
        assert "Sanitizer" not in shown.stderr and not terminal_bytes(shown.stdout), line
    assert bed.json("store check")["good"]


def test_odd_names_of_branches_are_data(bed):
    for name in ("refs/heads/-x", "refs/heads/$(touch owned)", "refs/heads/\x1b[2J", "refs/heads/" + "a" * 200, "refs/heads/a/'b\""):
        path = bed.repository.path / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(bed.repository.git("rev-parse", "HEAD") + "\n")
    (bed.repository.path / ".git/refs/heads/loop").write_text("ref: refs/heads/loop\n")
    (bed.repository.path / ".git/refs/heads/out").write_text("ref: ../../../../etc/passwd\n")
    bed(f"product add web --repository {bed.repository.path}")
    done = ends(bed, "landing scan")
    assert done.returncode in (0, 2, 3) and not terminal_bytes(done.stdout + done.stderr), done.stderr
    assert not terminal_bytes(ends(bed, "landing where a").stdout) and not (bed.folder / "owned").exists()


def test_a_git_folder_elsewhere_is_read_only_when_it_is_ours(bed):
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    away = bed.folder / "away"
    away.mkdir()
    (bed.repository.path / ".git").rename(bed.folder / "real.git")
    (away / ".git").write_text(f"gitdir: {bed.folder}/real.git\n")
    subprocess.run(["chown", "-R", "65534", str(bed.folder / "real.git")], check=True)
    said = ends(bed, f"product add web --repository {away}")
    assert said.returncode == 2 and "another user" in said.stderr
