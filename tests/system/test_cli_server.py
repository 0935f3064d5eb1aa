# SPDX-License-Identifier: ISC
"""drover --server: the same answers, the same words, the same exit status as on the store."""
import contextlib
import http.server
import json
import threading

import pytest

from conftest import held, through

QUESTIONS = [
    "product list", "product show", "landing list", "landing list --only BAD --limit 1", "landing show 4",
    "landing deployable", "landing deployable --tip 3", "landing where grace", "landing owing", "maintenance status",
    "history list --subject landing", "history show 2", "history verify", "store check", "user list",
    "notice list", "host list",
]


def test_the_same_question_has_the_same_answer(web, server):
    remote = through(web, server)
    for line in QUESTIONS:
        assert remote(line).out == web(line).out, line
        assert remote.json(line) == web.json(line), line


def test_the_same_mistake_has_the_same_exit_status_and_words(web, server):
    remote = through(web, server)
    for line, code in [("landing show 99", 3), ("product add web", 4), ("landing list nothing", 3),
                       ("landing list --limit 0", 2), ("landing list --only UGLY", 2), ("user show nobody", 3)]:
        assert remote(line, exits=code).err == web(line, exits=code).err, line


def test_a_whole_session_through_the_server(drover, repository, server):
    remote = through(drover, server)
    repository.commit("Fix login", "Bug: 7")
    remote(f"product add web --repository {repository.path}")
    assert "web: 1 new landing" in remote("landing scan").out
    remote("qa ok 1 7 --reason tested")
    assert remote.json("landing deployable")["deployable"] == 1
    newest = remote.json("history list --limit 1")["entries"][0]
    assert newest["actor"] == "ada" and newest["reason"] == "tested"
    remote("maintenance on --reason 'moving house'")
    assert "moving house" in remote("landing scan", exits=7).err
    remote("maintenance off")
    remote("report --out report")
    assert (drover.folder / "report/index.html").exists()
    assert remote("run").out == "web: 0 new landings (0 commits); tip 1, deployable 1\n" \
                                "mail: 0 queued, 0 sent, 0 failed, 0 waiting\n"


def test_a_hanging_job_is_told_through_the_server_too(web, server):
    remote = through(web, server)
    with held(web, "scan", minutes=20):
        assert "HUNG? scan is at work" in remote("landing scan", exits=6).err
        assert "HUNG? scan is at work" in remote("status").err


def test_who_lacks_a_role_or_a_token_exits_with_5(web, server):
    viewer = through(web, server, role="viewer", person="grace")
    viewer("landing list")
    assert "tester" in viewer("qa ok 3 3", exits=5).err
    nobody = through(web, server)
    nobody.environment["DROVER_TOKEN"] = "drt_wrong"
    nobody("landing list", exits=5)
    del nobody.environment["DROVER_TOKEN"]
    nobody("landing list", exits=5)


def test_the_token_comes_from_a_file_too(web, server):
    remote = through(web, server)
    token = remote.environment.pop("DROVER_TOKEN")
    (web.folder / "token").write_text(token + "\n")
    (web.folder / "token").chmod(0o600)
    remote("landing list --token-file token")
    remote("landing list", DROVER_TOKEN_FILE="token")
    (web.folder / "client.conf").write_text(f"[server]\nurl = http://127.0.0.1:{server.port}\ntoken-file = token\n")
    remote.place = ["--config", "client.conf"]
    remote("landing list")
    (web.folder / "token").chmod(0o644)
    assert "chmod" in remote("landing list", exits=2).err


def test_root_may_work_through_a_server(web, server):
    remote = through(web, server)
    remote(["landing", "list", *remote.place], alone=True)


def test_a_server_that_is_away_exits_with_8(drover):
    drover.place = ["--server", "http://127.0.0.1:1"]
    assert "127.0.0.1" in drover("status", exits=8).err


def test_what_is_no_server_is_input(drover):
    drover.place = ["--server", "ftp://host"]
    drover("status", exits=2)


@contextlib.contextmanager
def answering(status, body, seen):
    """A server that gives this one answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.path, self.headers.get("Authorization")))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("kind,code", [
    ("internal", 1), ("input", 2), ("not-found", 3), ("conflict", 4), ("denied", 5), ("unauthenticated", 5),
    ("locked", 6), ("maintenance", 7), ("unavailable", 8), ("frozen", 9), ("root", 10), ("too-large", 2), ("rate", 8),
    ("something-new", 1),
])
def test_each_kind_of_error_keeps_its_exit_status(drover, kind, code):
    body = json.dumps({"error": {"kind": kind, "message": "what is wrong \x1b[31m"}}).encode()
    with answering(400, body, []) as url:
        drover.place = ["--server", url]
        assert drover("landing list web", exits=code).err.startswith("drover: error: what is wrong \\x1b[31m\n")


def test_a_page_of_some_proxy_is_told_as_such(drover):
    for status, code in ((200, 1), (403, 5), (404, 3), (502, 8)):
        with answering(status, b"<html>Bad Gateway</html>", []) as url:
            drover.place = ["--server", url]
            assert "not as a droverd does" in drover("landing list web", exits=code).err


def test_the_token_and_the_query_arrive_as_they_were_meant(drover):
    seen = []
    with answering(200, b'{"product":"a b","query":"x&y","deployable":null,"matches":[]}', seen) as url:
        drover.place = ["--server", url + "/"]
        drover(["landing", "where", "x&y=1 é", "--product", "a b"], DROVER_TOKEN="drt_secret")
    assert seen == [("/api/v1/products/a%20b/where?q=x%26y%3D1%20%C3%A9", "Bearer drt_secret")]


def test_a_name_with_a_slash_never_becomes_another_path(drover):
    seen = []
    with answering(200, b"{}", seen) as url:
        drover.place = ["--server", url]
        for name in ("web/landings", "..", ""):
            drover(["landing", "show", "1", "--product", name], exits=2)
    assert seen == []
