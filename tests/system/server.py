# SPDX-License-Identifier: ISC
"""A droverd of a test's own, asked over real sockets, and a house with something in it.

    house.ask("GET", "/api/v1/products", token=house.token("vera")).json

`ask` speaks proper HTTP; `raw` sends bytes as they are. A server is stopped by SIGTERM and must then leave with
status 0: with sanitizers built in, a leak or a bad access anywhere in the run fails the test that used it.
"""
import contextlib
import http.client
import json
import re
import socket
import time
import urllib.parse

from conftest import Drover, Droverd, Repository, frozen_environment

PASSWORD = "correct horse battery"


class Answer:
    """What came back: .status, .body (bytes), .headers (names in lower case; a list, since some stand twice)."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.fields = [(name.lower(), value) for name, value in headers]

    def header(self, name):
        found = [value for key, value in self.fields if key == name.lower()]
        return found[0] if found else None

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def cookies(self):
        """Name to (value, attributes)."""
        found = {}
        for key, value in self.fields:
            if key == "set-cookie":
                pair, *attributes = [part.strip() for part in value.split(";")]
                name, _, content = pair.partition("=")
                found[name] = (content, {part.lower() for part in attributes})
        return found


class Server(Droverd):
    """droverd on a state folder, asked in proper HTTP and in bytes."""

    def __init__(self, state, environment, *options):
        super().__init__(["--state", state], environment, *options)
        self.wait_until_ready()
        self.state = state
        self.admin, self.public = self.port, self.public_port

    def connect(self, port=None, timeout=30):
        return socket.create_connection(("127.0.0.1", port or self.admin), timeout=timeout)

    def ask(self, method, path, body=None, token=None, cookie=None, port=None, headers=(), timeout=60):
        """`body`: bytes as they are, else sent as JSON. No redirect is followed."""
        sent = dict(headers)
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if cookie is not None:
            sent["Cookie"] = cookie
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port or self.admin, timeout=timeout)) as line:
            line.request(method, path, body=body, headers=sent)
            answer = line.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())

    def api(self, method, path, body=None, **how):
        return self.ask(method, f"/api/v1{path}", body, **how)

    def send_form(self, path, fields, cookie=None, headers=()):
        body = urllib.parse.urlencode(fields).encode()
        return self.ask("POST", path, body, cookie=cookie,
                        headers={"Content-Type": "application/x-www-form-urlencoded", **dict(headers)})

    def raw(self, data, port=None, timeout=10):
        """Sends these bytes, and gives all that comes back until the server closes (or the time is up)."""
        heard = b""
        with contextlib.closing(self.connect(port, timeout)) as line:
            with contextlib.suppress(OSError):
                line.sendall(data)
            with contextlib.suppress(OSError):
                while piece := line.recv(65536):
                    heard += piece
        return heard

    def log_in(self, name, password=PASSWORD, headers=()):
        """The session as a Cookie header."""
        answer = self.send_form("/login", {"name": name, "password": password}, headers=headers)
        assert answer.status == 303, answer.body
        return "drover-session=" + answer.cookies["drover-session"][0]

    def csrf(self, cookie):
        """What this session's forms carry."""
        return re.search(r'name="csrf" value="([^"]+)"', self.ask("GET", "/tokens", cookie=cookie).text).group(1)

    def stop(self, expected=0):
        assert super().stop() == expected, "\n".join(self.lines[-200:])
        assert "runtime error" not in self.log


class House(Server):
    """A server with two products, people of every kind with tokens and passwords, hosts, and something in the outbox.

    web is read from a repository with a merge, a rollback, a fix and notes; api is imported."""

    PEOPLE = {
        "ada": [("admin", "all")], "vera": [("viewer", "all")], "tom": [("tester", "all")],
        "olga": [("operator", "all")], "vic": [("viewer", "web")], "tess": [("tester", "web")],
        "otto": [("operator", "web")], "nora": [],
    }

    def __init__(self, folder, store=None):
        """`store`: the address of an empty database; else a file."""
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.environment = frozen_environment(folder)
        self.drover = Drover(folder, self.environment)
        place = ["--store", store] if store else []
        self.drover.place += place
        if store:
            self.drover("store migrate")
        self.repository = Repository(folder / "repository", self.environment)
        self.fill_repository()
        self.drover(f"product add web --repository {self.repository.path}")
        self.drover("landing scan")
        super().__init__(self.drover.state, self.environment, *place)
        self.tokens = {name: self.make_person(name, roles) for name, roles in self.PEOPLE.items()}
        self.fill()

    def fill_repository(self):
        commit = self.repository.commit
        commit("Begin", "Bug: 1")
        broken = commit("Break login", "Bug: 2", author="grace")
        self.repository.revert(broken)
        commit("Paint [no-qa]")
        commit("Fix paint", "Bug: 4\n\nFixes-Landing: 4")
        commit("Refer to nothing", "Bug: 5\n\nRollback-Of: abcdef1234")
        git = self.repository.git
        git("checkout", "-q", "-b", "topic")
        commit("First step", "Bug: 6", author="grace")
        commit("Second step", author="grace")
        git("checkout", "-q", "main")
        git("merge", "-q", "--no-ff", "-m", "Merge topic\n\nBug: 6", "topic", **self.repository._when("ada"))
        git("checkout", "-q", "-b", "ahead")
        commit("Not landed yet", author="grace")
        git("checkout", "-q", "main")

    def make_person(self, name, roles):
        """Gives a token."""
        self.drover(f"user add {name} {name}@example.org")
        self.drover(f"user password {name}", stdin=PASSWORD + "\n")
        for role, product in roles:
            self.drover(f"user grant {name} {role} {product}")
        return self.drover(f"token add test --person {name}").out.strip()

    def fill(self):
        ada = self.tokens["ada"]
        for path, body in [
                ("/products", {"name": "api", "title": "The API", "item_url": "https://bugs.example/{item}"}),
                ("/products/api/landings", {"landings": [
                    {"rev": 10, "subject": "Secret plan", "author": "Grace", "email": "grace@example.org",
                     "items": [{"id": 71, "state": "ok"}]},
                    {"rev": 11, "subject": "Hidden", "author": "Ada", "items": [{"id": "a b"}]},
                    {"rev": 12, "subject": "Undo", "rollback_of": 11}, {"rev": 13, "fixes": [10], "qa": "no-qa"}]}),
                ("/products/web/landings/1/verdicts", {"item": "1", "state": "ok", "reason": "seen"}),
                ("/products/web/landings/5/verdicts", {"item": "4", "state": "bad", "reason": "smudged"}),
                ("/products/web/landings/6/verdicts", {"item": "5", "state": "untestable"}),
                ("/jobs/remind", None)]:
            answer = self.api("POST", path, body, token=ada)
            assert answer.status == 200, (path, answer.body)
        self.host = self.enrol("web1", "node")
        self.enrol("lb1", "balancer")

    def enrol(self, name, kind):
        invited = self.api("POST", "/hosts", {"name": name, "kind": kind}, token=self.tokens["ada"])
        return self.api("POST", "/enrol", {"code": invited.json["code"]}).json["secret"]

    def token(self, name):
        return self.tokens[name]


def eventually(question, within_s=20):
    """True once it is; for what another thread or process will have done soon."""
    until = time.monotonic() + within_s
    while not question():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
