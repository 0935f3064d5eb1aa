# SPDX-License-Identifier: ISC
"""droverd as a service: how it starts, what it tells systemd and Prometheus, and how it stops."""
import http.client
import os
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time

import pytest

import beds
from beds import daemons  # noqa: F401 (fixture)
from conftest import ALLOW_ROOT

FIGURE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([a-z]+)="([^"\\\n]*)"\})? (-?[0-9]+)')


@pytest.fixture
def served(web, daemons):
    """A droverd on product web, with an admin's token."""
    token = beds.admin_token(web)
    daemon = daemons(web)
    daemon.token = token
    return daemon


def read_metrics(text):
    """{name or name{label}: value}; each figure must have its HELP and TYPE before it, and stand together."""
    figures, types, closed, current = {}, {}, set(), None
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, sentence = line[7:].split(" ", 1)
            assert name not in closed and name not in types, f"{name} stands twice"
            assert sentence[0].isupper() or sentence[0].isdigit(), line
            assert sentence.endswith("."), line
            closed.add(current)
            current = name
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == current and kind in ("counter", "gauge"), line
            assert (kind == "counter") == name.endswith("_total"), line
            types[name] = kind
        else:
            match = FIGURE.fullmatch(line)
            assert match, line
            name, label, value, number = match.groups()
            assert name == current and name in types, f"{line}: without HELP and TYPE"
            key = f"{name}{{{value}}}" if label else name
            assert key not in figures, f"{key} stands twice"
            figures[key] = int(number)
    return figures


def test_every_figure_has_its_sentence_and_is_right(served):
    figures = read_metrics(served("GET", "//metrics").text)
    assert figures["drover_landings{web}"] == 5
    assert figures["drover_deployable{web}"] == 2
    assert figures["drover_blockers{web}"] == 3
    assert figures["drover_frozen{web}"] == 0
    assert figures["drover_maintenance"] == 0
    assert figures["drover_store_reachable"] == 1
    assert figures["drover_http_connections{admin}"] == 1
    before = figures["drover_api_requests_total"]
    for _ in range(3):
        served("GET", "/products")
    served.token, token = "drt_wrong", served.token
    assert served("GET", "/products").status == 401
    served.token = token
    after = read_metrics(served("GET", "//metrics").text)
    assert after["drover_api_requests_total"] == before + 4
    assert after["drover_api_refused_total"] == figures["drover_api_refused_total"] + 1


def test_figures_of_products_are_for_who_may_see_them(served, web):
    own = {"drover_landings", "drover_tip", "drover_deployable", "drover_blockers", "drover_frozen"}

    def shown(token):
        served.token = token
        said = served("GET", "//metrics")
        assert said.status == 200
        return {name for name in own if f"\n{name}{{product=\"web\"}} " in said.text}, said.text

    web("node add n1 --product web --channel release --no-invite")
    everything, text = shown(served.token)
    assert everything == own
    assert 'drover_nodes{product="web",state="never"} 1\n' in text and 'drover_nodes{product="web",state="failed"} 0\n' in text
    nothing, text = shown(None)
    assert not nothing and "web" not in text and "\ndrover_changes " in text
    web("user add vera vera@example.org")
    token = web.json("token add tests --person vera")["secret"]
    assert not shown(token)[0], "without a role"
    web("user grant vera viewer web")
    assert shown(token)[0] == own
    served.token = "drt_wrong"
    assert served("GET", "//metrics").status == 401


def test_old_verdicts_that_were_overruled_are_summarised_by_the_clock(web, daemons):
    with sqlite3.connect(web.database) as database:
        database.execute("UPDATE verdict SET at_us = at_us - 500 * 86400000000")
    web("qa bad 1 1 --reason again")
    (web.folder / "soon.conf").write_text("[clock]\nremind-every = 1s\nremind-from = 0\n")
    daemons(web, "--config", "soon.conf")

    def verdicts():
        with sqlite3.connect(web.database) as database:
            return [row[0] for row in database.execute("SELECT state FROM verdict ORDER BY id")]
    assert beds.wait_until(lambda: verdicts() == ["ok", "bad", "bad"], "the overruled one goes")


def test_a_maintenance_file_that_comes_changes_or_goes_is_news_to_open_pages(served, web):
    stream = beds.EventStream(served)

    def newest(other_than=None):
        return beds.wait_until(
            lambda: (data := stream.events[-1][1] if stream.events else None) != other_than and data, "an event")
    said = newest()
    path = web.state / "maintenance.txt"
    for act in (lambda: path.write_text("moving"), lambda: os.utime(path, (1, 1)), path.unlink):
        act()
        now = newest(said)
        assert now["maintenance_file"] != said["maintenance_file"]
        said = now
    stream.close()


def test_a_store_that_was_migrated_meanwhile_ends_droverd_in_words(web, daemons):
    daemon = daemons(web)
    with sqlite3.connect(web.database) as database:
        database.execute("INSERT INTO schema_version (version, name) SELECT max(version) + 1, 'newer' FROM schema_version")
    assert daemon.process.wait(20) == 4
    daemon.reader.join()
    assert "event=store.outdated" in daemon.log and "use the newer drover" in daemon.log


def test_a_schema_that_lost_what_droverd_asks_for_is_outdated_and_not_away(web, daemons):
    daemon = daemons(web)
    with sqlite3.connect(web.database) as database:
        database.execute("ALTER TABLE pool RENAME TO flock")
        database.execute("INSERT INTO counter VALUES ('pools', 1000000) ON CONFLICT DO UPDATE SET value = 1000000")
        database.execute("INSERT INTO schema_version (version, name) SELECT max(version) + 1, 'newer' FROM schema_version")
    assert daemon.process.wait(20) == 4
    daemon.reader.join()
    assert "event=store.outdated" in daemon.log


def test_healthz_says_ok_to_anybody(served):
    served.token = None
    said = served("GET", "//healthz")
    assert (said.status, said.text) == (200, "ok\n")


def notified(listener, wanted, seconds=10):
    listener.settimeout(seconds)
    seen = []
    while wanted not in seen:
        seen.append(listener.recv(4096).decode())
    return seen


@pytest.fixture
def notify_socket(tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        yield path, listener


@pytest.mark.slow
def test_systemd_is_told_when_it_is_ready_well_and_stopping(web, daemons, notify_socket):
    path, listener = notify_socket
    daemon = daemons(web, environment={"NOTIFY_SOCKET": path})
    assert notified(listener, "READY=1") == ["READY=1"]
    assert notified(listener, "WATCHDOG=1") == ["WATCHDOG=1"]
    daemon.process.send_signal(signal.SIGTERM)
    assert notified(listener, "STOPPING=1")[-1] == "STOPPING=1"
    assert daemon.stop() == 0
    assert "event=droverd.stopping" in daemon.log and "event=droverd.stopped" in daemon.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_when_nothing_is_under_way(served, number):
    stream = beds.EventStream(served)
    began = time.monotonic()
    assert served.stop(number) == 0
    assert time.monotonic() - began < 5
    stream.close()


def test_requests_under_way_are_finished(served):
    """Twenty clients ask and write all the time; SIGTERM. Each request that was begun has a whole answer or none."""
    outcomes, begun, stop = [], threading.Event(), threading.Event()

    def ask(number):
        client = served.client()
        turn = 0
        while not stop.is_set():
            turn += 1
            try:
                if turn % 2:
                    said = client("GET", "/products/web/landings")
                    whole = len(said.json["landings"]) == 5
                else:
                    said = client("POST", f"/products/web/landings/{1 + number % 5}/verdicts",
                                  {"state": "ok" if turn % 4 else "bad", "reason": f"client {number}, turn {turn}"})
                    whole = said.status == 200 and said.json
                outcomes.append((said.status, bool(whole)))
                begun.set()
            except ConnectionRefusedError:
                return
            except (ConnectionResetError, BrokenPipeError):
                outcomes.append(("reset", True))  # in the listener's queue when it was closed: nobody read it
                return
            except Exception as problem:  # noqa: BLE001
                outcomes.append((repr(problem), False))
                return

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    begun.wait(10)
    time.sleep(0.5)
    assert served.stop() == 0
    stop.set()
    for thread in threads:
        thread.join()
    halves = [outcome for outcome in outcomes if not outcome[1]]
    assert len(outcomes) > 100 and not halves, halves
    served.drover("history verify")


def test_a_request_that_takes_long_is_finished_within_the_grace(web, daemons, tmp_path):
    """The request sends mail through a server that takes two seconds; SIGTERM comes meanwhile."""
    token = beds.admin_token(web)
    sink = beds.Sink(tmp_path / "mails", "--slow-message", "2")
    beds.configure(web, f"[mail]\nurl = {sink.url}\nrequire-tls = no\n[clock]\nremind-every = 0\nscan-every = 0\n")
    web("product set web --overdue-days 3650")
    daemon = daemons(web)
    daemon.token = token
    answers = []
    asking = threading.Thread(target=lambda: answers.append(daemon("POST", "/jobs/remind")))
    asking.start()
    beds.wait_until(lambda: web.json("notice list --only sending"), "the mail is on its way")
    assert daemon.stop() == 0
    asking.join()
    assert answers[0].status == 200 and answers[0].json["sent"] >= 1
    assert len(sink.mails()) == answers[0].json["sent"]
    sink.stop()


def test_the_admin_address_is_open_to_others_only_with_tls_or_behind_a_proxy(web, daemons):
    daemon = daemons(web, "--admin", "0.0.0.0:0", ready=False)
    assert daemon.process.wait(10) == 2
    daemon.reader.join()
    assert "behind-proxy" in daemon.log and "127.0.0.1" in daemon.log
    daemon = daemons(web, "--admin", "0.0.0.0:0", "--behind-proxy")
    assert daemon("GET", "//healthz").status == 200


def test_root_is_refused(web, daemons):
    done = subprocess.run(
        ["setpriv", "--reuid=0", str(beds.Daemon.program), *web.place], capture_output=True, text=True,
        env=web.environment, timeout=10, check=False) if ALLOW_ROOT and os.geteuid() == 0 else None
    if done is None:
        pytest.skip("only root can try")
    assert done.returncode == 10 and "--allow-root" in done.stderr


def test_tls_works_with_a_certificate_of_ones_own(web, daemons, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=tmp_path, check=True, capture_output=True)
    beds.configure(web, f"[admin]\ncertificate = {tmp_path}/cert.pem\nkey = {tmp_path}/key.pem\n")
    token = beds.admin_token(web)
    daemon = daemons(web, "--admin", "0.0.0.0:0")
    daemon.token = token
    context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    client = daemon.client(context=context)
    assert client("GET", "/status").json["products"][0]["name"] == "web"
    (tmp_path / "client.conf").write_text(f"[server]\nca-file = {tmp_path}/cert.pem\n")
    said = web(f"status --json --server https://127.0.0.1:{daemon.port} --config {tmp_path}/client.conf", alone=True,
               DROVER_TOKEN=token)
    assert said.json["products"][0]["name"] == "web"
    with pytest.raises((http.client.HTTPException, OSError)):
        daemon.client()("GET", "/status")


def test_an_address_in_use_is_said_with_a_plain_error(served, web, daemons):
    second = daemons(web, "--admin", f"127.0.0.1:{served.port}", ready=False)
    assert second.process.wait(10) == 1
    second.reader.join()
    assert str(served.port) in second.log


@pytest.mark.slow
def test_memory_is_flat_over_five_thousand_requests(served):
    client, connection = served.client(), served.client().keep()
    paths = ["/status", "/products/web/landings", "/products/web/deployable", "//metrics", "//products/web", "/nothing"]

    def ask(count):
        for number in range(count):
            client("GET", paths[number % len(paths)], connection=connection)
            if number % 10 == 0:
                client("POST", "/products/web/landings/3/verdicts",
                       {"state": ("ok", "bad")[number // 10 % 2]}, connection=connection)

    ask(1000)
    before = served.memory_kb()
    ask(5000)
    grown = served.memory_kb() - before
    connection.close()
    assert grown < 4096, f"{grown} kB more after 5,000 requests, {before} kB before"
