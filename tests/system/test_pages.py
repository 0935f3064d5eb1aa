# SPDX-License-Identifier: ISC
"""The pages as a browser without scripts meets them: droverd, cookies and forms, nothing else."""
import html.parser
import http.client
import re
import urllib.parse

import pytest

from conftest import Droverd

HOSTILE = "Serve <script>alert(1)</script> \"pages\" & 'more'"


class Forms(html.parser.HTMLParser):
    """The forms of a page: id -> (action, {name: value of its hidden and text fields})."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.current = {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form" and attributes.get("method") == "post":
            self.current = {}
            self.forms[attributes["id"]] = (attributes["action"], self.current)
        elif tag == "input" and self.current is not None:
            self.current[attributes["name"]] = attributes.get("value", "")
        elif tag == "select" and self.current is not None:
            self.select = attributes["name"]
        elif tag == "option" and self.current is not None and "selected" in attributes:
            self.current[self.select] = attributes["value"]

    def handle_endtag(self, tag):
        if tag == "form":
            self.current = None


class Browser:
    """Keeps cookies, shows status, headers and text of what it got last."""

    def __init__(self, address):
        self.address, self.cookies = address, {}

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers.setdefault("Origin", f"http://{self.address}")
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(body)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        self.status, self.headers = answer.status, answer.headers
        self.text = answer.read().decode()
        connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
            if "Max-Age=0" in cookie:
                del self.cookies[name]
        return self

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def send(self, form, **fields):
        """Fills in a form of the page shown and sends it."""
        action, values = Forms(self.text).forms[form]
        return self.ask("POST", action, {**values, **fields})

    def follow(self):
        assert self.status == 303, f"{self.status}\n{self.text}"
        return self.get(self.headers["Location"])


@pytest.fixture
def browser(web, repository, tmp_path):
    """Somebody at the login page; `web` has a sixth landing with a hostile subject."""
    repository.commit(HOSTILE, "Bug: 6")
    web("landing scan")
    server = Droverd(["--state", web.state], web.environment, folder=tmp_path).wait_until_ready()
    yield Browser(f"127.0.0.1:{server.port}")
    server.stop()


def link_of(drover, name, role):
    drover(f"user add {name} {name}@example.org")
    drover(f"user grant {name} {role} all")
    return drover(f"user login-link {name}").out.strip()


@pytest.fixture
def tester(browser, drover):
    browser.get(link_of(drover, "tess", "tester")).send("login-by-link").follow()
    return browser


def test_nobody_sees_only_the_way_in(browser):
    for path in ("/", "/products/web", "/history", "/people", "/nowhere"):
        assert browser.get(path).status == 303
        assert browser.headers["Location"].startswith("/login")
        assert "web" not in browser.text


def test_a_login_link_works_once_and_not_by_looking_at_it(browser, drover):
    link = link_of(drover, "ada", "viewer")
    for _ in range(3):
        assert browser.get(link).status == 200
    browser.send("login-by-link").follow()
    assert "You are logged in." in browser.text
    assert "landing 2" in browser.text
    again = Browser(browser.address)
    assert again.get(link).send("login-by-link").status == 401
    assert not again.cookies


def test_a_password_leads_to_where_one_wanted_to_go_and_nowhere_else(browser, drover):
    drover("user add ada ada@example.org")
    drover("user grant ada viewer all")
    drover("user password ada", stdin="a long enough password\n")
    browser.get("/products/web/landings?state=BAD").follow()
    browser.send("login", name="ada", password="a wrong password")
    assert browser.status == 401 and 'value="ada"' in browser.text
    browser.send("login", name="ada", password="a long enough password").follow()
    assert "Change 4" in browser.text and "Change 3" not in browser.text
    for place in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        stranger = Browser(browser.address)
        stranger.get("/login?" + urllib.parse.urlencode({"next": place}))
        assert "evil" not in stranger.text
        stranger.send("login", name="ada", password="a long enough password", next=place)
        assert (stranger.status, stranger.headers["Location"]) == (303, "/")


def test_a_verdict_by_form_moves_what_is_deployable(tester, drover):
    tester.get("/products/web/landings/3").send("verdict-item-1", state="ok", reason="tried it").follow()
    assert "The verdict is written down." in tester.text
    assert "tried it" in tester.text
    assert drover.json("landing deployable")["deployable"] == 3
    assert "The verdict is written down." not in tester.get("/products/web/landings/3").text
    assert "tess" in drover("history list").out


def test_forged_forms_change_nothing(tester, drover):
    action, values = Forms(tester.get("/products/web/landings/3").text).forms["verdict-item-1"]
    values["state"] = "ok"
    forgeries = (
        ({**values, "csrf": ""}, {}), ({**values, "csrf": "x" * len(values["csrf"])}, {}),
        (values, {"Origin": "http://evil.example"}), (values, {"Origin": "null"}),
        (values, {"Sec-Fetch-Site": "cross-site"}))
    for body, headers in forgeries:
        assert tester.ask("POST", action, body, **headers).status == 403
    assert drover.json("landing deployable")["deployable"] == 2
    assert tester.ask("POST", action, values).status == 303
    assert drover.json("landing deployable")["deployable"] == 3


def test_maintenance_stops_a_form_and_keeps_what_was_typed(tester, drover):
    tester.get("/products/web/landings/3")
    drover(["maintenance", "on", "--reason", "new <b>disk</b>"])
    tester.send("verdict-item-1", state="ok", reason="half an hour's work")
    assert tester.status == 503
    assert 'value="half an hour&#39;s work"' in tester.text
    assert "new &lt;b&gt;disk&lt;/b&gt;" in tester.text and "<b>disk" not in tester.text
    drover("maintenance off")
    assert tester.send("verdict-item-1", state="ok").status == 303


def test_settings_that_somebody_else_changed_are_not_overwritten(browser, drover):
    browser.get(link_of(drover, "olga", "operator")).send("login-by-link")
    browser.get("/products/web").send("product-settings", mail_list="qa@example.org", remind="no").follow()
    assert "The settings are saved." in browser.text
    settings = drover.json("product show web")["settings"]
    assert (settings["mail_list"], settings["remind"], settings["baseline"]) == ("qa@example.org", False, None)
    drover("product set web --overdue-days 9")
    browser.send("product-settings", mail_list="", overdue_days="2")
    assert browser.status == 409
    assert 'name="overdue_days" value="2"' in browser.text
    assert drover.json("product show web")["settings"]["overdue_days"] == 9
    browser.send("product-settings").follow()
    settings = drover.json("product show web")["settings"]
    assert (settings["mail_list"], settings["overdue_days"]) == (None, 2)


def test_a_tester_is_told_who_may_do_the_rest(tester):
    for path in ("/people", "/notices", "/hosts"):
        assert tester.get(path).status == 403
        assert "role" in tester.text
    assert "maintenance" not in Forms(tester.get("/maintenance").text).forms
    assert "An operator" in tester.text


def test_every_answer_carries_the_policy_and_no_payload(tester):
    for path in ("/", "/products/web", "/products/web/landings", "/products/web/landings/6",
                 "/products/web/where?q=6", "/history", "/tokens", "/maintenance", "/nowhere", "/login/x"):
        tester.get(path)
        policy = tester.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert tester.headers["Cache-Control"] == "no-store"
        assert tester.headers["X-Content-Type-Options"] == "nosniff"
        assert "<script>" not in tester.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in tester.get("/products/web/landings/6").text


def test_logging_out_ends_the_session_on_the_server(tester):
    stolen = dict(tester.cookies)
    tester.get("/").send("logout").follow()
    assert "You are logged out." in tester.text
    tester.cookies = stolen
    assert tester.get("/").status == 303


def test_the_sheet_is_kept_by_the_browser(browser):
    path = re.search(r'href="(/assets/[^"]*/drover\.css)"', browser.get("/login").text)[1]
    assert "immutable" in browser.get(path).headers["Cache-Control"]
    assert browser.get(path, **{"If-None-Match": browser.headers["ETag"]}).status == 304
    assert browser.get("/assets/x/../../etc/passwd").status in (400, 303, 404)
