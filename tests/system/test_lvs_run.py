# SPDX-License-Identifier: ISC
"""drover-lvs run, with --dry-run: real checks of local servers, real sockets, no kernel table."""
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess

import pytest

from lvs_bed import PROGRAM, SANITIZED, WAIT_S, Balancer, Server, servers, until
from conftest import ROOT

pytestmark = pytest.mark.slow

CAP_NET_ADMIN = 1 << 12
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def balancer(environment):
    made = Balancer(environment)
    yield made
    made.close()


@pytest.fixture
def three():
    started = servers(3)
    yield started
    for server in started:
        server.close()


@pytest.fixture
def running(balancer, three):
    """Three servers that are well, all of them checked."""
    balancer.list("127.0.0.1", "127.0.0.2", "127.0.0.3")
    balancer.configure(three[0].port)
    balancer.start()
    until(lambda: all(server["checked"] for server in balancer.service()["servers"]))
    return balancer


# -- what it does ------------------------------------------------------------------------------------------------

def test_a_dry_run_prints_what_ipvsadm_would_take(running, three):
    port = three[0].port
    lines = running.said.read_text().splitlines()
    assert lines[0].startswith(f"-A -t 192.0.2.10:{port} -s wrr")
    assert sorted(lines[1:]) == [f"-a -t 192.0.2.10:{port} -r 127.0.0.{n} -w 10" for n in (1, 2, 3)]


def test_a_server_that_fails_leaves_and_comes_back(running, three):
    three[1].status = 500
    until(lambda: running.pooled() == ["127.0.0.1", "127.0.0.3"])
    assert running.get("/pools/web/127.0.0.2")[2] == "enabled/down/not pooled\n"
    assert running.get("/alerts")[2] == "OK - All pools are healthy\n"
    three[1].status = 200
    until(lambda: running.pooled() == ["127.0.0.1", "127.0.0.2", "127.0.0.3"])


def test_servers_that_are_held_are_an_alert(running, three):
    three[1].status = three[2].status = 500
    alerts = until(lambda: (found := running.json("/alerts"))["status"] == "critical" and found)
    assert re.match(r"web: Servers 127\.0\.0\.[23] are marked down but pooled", alerts["msg"])
    assert running.get("/healthz")[::2] == (200, "ok\n")


def test_a_list_that_changes_is_obeyed(running):
    running.list("127.0.0.1", "127.0.0.2", "127.0.0.3", disabled=["127.0.0.3"])
    until(lambda: running.pooled() == ["127.0.0.1", "127.0.0.2"])


def test_a_list_that_would_cost_too_much_waits_for_a_person(running, drover):
    running.list("127.0.0.1")
    until(lambda: running.service()["list"]["set_aside"])
    assert len(running.pooled()) == 3
    assert "drover lvs accept web obeys it" in drover(f"lvs status --socket {running.socket}", alone=True).out
    drover(f"lvs accept web --socket {running.socket}", alone=True)
    until(lambda: running.pooled() == ["127.0.0.1"])


def test_a_drain_outlasts_a_restart_and_ends_by_word(running, drover):
    drover(f"lvs drain web 127.0.0.2 --socket {running.socket}", alone=True)
    until(lambda: running.pooled() == ["127.0.0.1", "127.0.0.3"])
    assert "127.0.0.3" in drover(f"lvs drain web 127.0.0.3 --socket {running.socket}", exits=4, alone=True).err
    assert drover(f"lvs drain web nobody --socket {running.socket}", exits=3, alone=True).err
    assert running.stop() == 0
    running.start()
    assert running.pooled() == ["127.0.0.1", "127.0.0.3"]
    drover(f"lvs undrain web 127.0.0.2 --socket {running.socket}", alone=True)
    until(lambda: len(running.pooled()) == 3)


def test_status_is_a_table_over_the_real_thing(running, drover):
    said = drover(f"lvs status --socket {running.socket}", alone=True)
    assert "This is a dry run: nothing is done to the kernel." in said.lines
    row = next(line for line in said.lines if line.startswith("  127.0.0.1"))
    assert re.search(r"up, pooled +\d+ .* 10 +0\+0 +ProxyFetch: ", row), row


def test_tls_and_names_work_behind_the_filter(balancer, tmp_path):
    """Also when OpenSSL's own configuration has it load a module."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key", "-out",
                    tmp_path / "chain", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain", tmp_path / "key")
    server = Server("127.0.0.1", tls=context)
    balancer.environment["OPENSSL_CONF"] = str(balancer.write("openssl.cnf", (
        "openssl_conf = all\n[all]\nproviders = loaded\n[loaded]\ndefault = on\nlegacy = on\n"
        "[on]\nactivate = 1\n")))
    balancer.list("localhost")
    balancer.configure(server.port, proxyfetch__verify="no",
                       proxyfetch__url=f"[ 'https://localhost:{server.port}/healthz' ]")
    balancer.start()
    until(lambda: balancer.service()["servers"][0]["checked"])
    assert "/healthz" in server.paths
    server.close()


def test_an_https_list_is_believed_by_the_authority_that_is_named(balancer, three, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key", "-out",
                    tmp_path / "chain", "-days", "2", "-subj", "/CN=lists", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain", tmp_path / "key")
    lists = Server("127.0.0.1", tls=context)
    lists.body = b"{ 'host': '127.0.0.1', 'weight': 10, 'enabled': True }\n"
    url = f"https://127.0.0.1:{lists.port}/web"
    balancer.configure(three[0].port, config=url)
    balancer.start("--ca-file", balancer.write("ca.pem", (tmp_path / "chain").read_text()))
    assert "certificate" in until(lambda: balancer.service()["list"]["problem"])
    assert lists.paths == [] and balancer.stop() == 0
    balancer.configure(three[0].port, general=f"list-ca-file = {balancer.folder}/ca.pem", config=url)
    balancer.start()
    until(lambda: balancer.pooled() == ["127.0.0.1"])
    lists.close()


# -- signals -----------------------------------------------------------------------------------------------------

def test_sighup_applies_the_difference_and_forgets_no_health(running, three):
    three[1].status = 500
    until(lambda: len(running.pooled()) == 2)
    running.configure(three[0].port, depool_threshold=".3")
    running.process.send_signal(signal.SIGHUP)
    until(lambda: running.service()["depool_threshold"] == ".3")
    assert running.pooled() == ["127.0.0.1", "127.0.0.3"]


def test_a_reload_moves_the_face(running, three):
    before = running.port
    running.configure(three[0].port, general="instrumentation-ips = 127.0.0.1, 127.0.0.2")
    assert running.ask({"command": "reload"}) == {"answer": {}}
    running.port = before
    assert running.get("/pools")[2] == "web\n"
    running.configure(three[0].port, general="instrumentation = no")
    assert running.ask({"command": "reload"}) == {"answer": {}}
    with pytest.raises(ConnectionRefusedError):
        running.get("/pools")


def test_a_configuration_with_errors_changes_nothing(running, drover):
    running.write("lvs.conf", "[web]\nprotocol = sctp\n")
    refused = drover(f"lvs reload --socket {running.socket}", exits=2, alone=True)
    assert "must be one of tcp, udp" in refused.err
    assert len(running.pooled()) == 3
    assert running.json("/alerts")["status"] == "warning"


def test_sigterm_ends_it_and_its_socket(running):
    assert running.stop() == 0
    assert not running.socket.exists()
    assert running.events("drover-lvs.ended")[0]["routes"] == "withdrawn"


def test_sigusr1_is_a_pause_that_keeps_the_routes(running):
    header = (ROOT / "src/programs/drover-lvs/run.h").read_text()
    status = int(re.search(r"#define RUN_RESTART_STATUS (\d+)", header)[1])
    assert running.stop(signal.SIGUSR1) == status
    assert running.events("drover-lvs.ended")[0]["routes"] == "kept"
    running.start()


def test_a_crash_leaves_nothing_in_the_way(running):
    running.process.kill()
    running.process.wait()
    running.start()
    assert len(running.pooled()) == 3


def test_a_second_one_is_refused(running):
    done = subprocess.run(running.words(), capture_output=True, text=True, timeout=WAIT_S, env=running.environment,
                          cwd=running.folder, check=False)
    assert done.returncode == 4 and "another drover-lvs listens there" in done.stderr
    assert len(running.pooled()) == 3


def test_the_service_manager_is_told(balancer, three):
    balancer.list("127.0.0.1")
    balancer.configure(three[0].port)
    path = balancer.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        listener.settimeout(WAIT_S)
        balancer.environment.update(NOTIFY_SOCKET=str(path), WATCHDOG_USEC="300000")
        balancer.start()

        def hear(word):
            while not (said := listener.recv(200).decode()).startswith(word):
                pass
            return said
        assert listener.recv(200).decode() == "READY=1"
        assert hear("WATCHDOG") == "WATCHDOG=1"
        balancer.process.send_signal(signal.SIGHUP)
        assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", hear("RELOADING"))
        hear("READY=1")
        balancer.process.send_signal(signal.SIGSTOP)  # it hangs: nothing may be heard any more
        listener.settimeout(0.3)
        with pytest.raises(TimeoutError):
            while True:
                listener.recv(200)
        listener.settimeout(WAIT_S)
        balancer.process.send_signal(signal.SIGCONT)
        hear("WATCHDOG=1")
        balancer.process.terminate()
        hear("STOPPING=1")


# -- who may what ------------------------------------------------------------------------------------------------

@pytest.mark.skipif(SANITIZED, reason="a sanitizer's own calls are not a balancer's")
def test_it_keeps_one_capability_and_can_get_none(running):
    ours = re.search(r"^CapPrm:\s*(\w+)$", pathlib.Path("/proc/self/status").read_text(), flags=re.M)[1]
    kept = int(ours, 16) & CAP_NET_ADMIN
    assert [int(running.proc(key)[0], 16) for key in ("CapEff", "CapPrm", "CapInh", "CapAmb")] == [kept, kept, 0, 0]
    assert running.proc("NoNewPrivs") == ["1"]
    assert running.proc("Seccomp") == ["2"]
    if os.geteuid() == 0:
        assert running.proc("CapBnd") == ["0" * 16]
        assert len(set(running.proc("Uid"))) == 1 and running.proc("Uid") != ["0"] * 4
        assert running.proc("Groups") == []


@ROOT_ONLY
@pytest.mark.skipif(SANITIZED, reason="a sanitizer's own calls are not a balancer's")
def test_it_does_not_go_on_as_root_nor_without_what_it_needs(balancer):
    balancer.configure(80)

    def refused(words, **how):
        done = subprocess.run(words, capture_output=True, text=True, timeout=WAIT_S, check=False,
                              env=balancer.environment, **how)
        return done.returncode, done.stderr
    words = [word if word != "nobody" else "root" for word in balancer.words()]
    status, said = refused(words)
    assert status == 10 and "does not go on as root" in said
    words = [word if word != "nobody" else "nobody-at-all" for word in balancer.words()]
    status, said = refused(words)
    assert status == 3 and "no user nobody-at-all" in said
    balancer.folder.chmod(0o777)
    words = [word for word in balancer.words() if word != "--dry-run"]
    status, said = refused(words, user="nobody", group="nogroup", extra_groups=[])
    assert status == 5 and "CAP_NET_ADMIN" in said


@ROOT_ONLY
def test_others_may_not_steer(balancer, three):
    balancer.list("127.0.0.1")
    balancer.configure(three[0].port)
    balancer.start("--socket-group", "daemon")
    assert balancer.socket.stat().st_mode & 0o777 == 0o660
    ask = [PROGRAM.parent / "drover", "lvs", "status", "--socket", balancer.socket]

    def status_for(user, groups):
        return subprocess.run(ask, capture_output=True, user=user, group=groups[0], extra_groups=groups[1:],
                              timeout=WAIT_S, check=False, env=balancer.environment).returncode
    assert status_for("bin", ["bin"]) == 5
    assert status_for("bin", ["bin", "daemon"]) == 0
    assert status_for("bin", ["daemon"]) == 0
    balancer.socket.chmod(0o666)  # even then the kernel says who it is
    assert status_for("bin", ["bin"]) == 5
    assert balancer.events("control.refused")[0]["who"] == "bin"


def test_who_steers_is_in_the_log(running):
    assert running.ask({"command": "drain", "service": "web", "server": "127.0.0.1"}) == {"answer": {}}
    name = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    assert any(event.get("who") == name for event in running.events())


@pytest.mark.parametrize("line,kind", [
    (b"nonsense\n", "input"), (b"{}\n", "input"), (b'{"command": "accept"}\n', "input"),
    (b'{"command": "accept", "service": "nope"}\n', "not-found"), (b"x" * 5000, "too-large"),
])
def test_what_cannot_be_understood_is_told(running, line, kind):
    assert running.ask(line)["error"]["kind"] == kind


# -- being seen --------------------------------------------------------------------------------------------------

def test_the_face_answers_as_pybals(running):
    assert running.get("/pools")[2] == "web\n"
    assert running.json("/pools") == ["web"]
    assert running.get("/pools/web")[2].splitlines() == [f"127.0.0.{n}:\tenabled/up/pooled" for n in (1, 2, 3)]
    assert running.json("/pools/web/127.0.0.1") == {"pooled": True, "weight": 10, "up": True, "enabled": True}
    status, headers, text = running.get("/pools/web/127.0.0.1")
    assert (status, text) == (200, "enabled/up/pooled\n") and headers["Content-Type"].startswith("text/plain")
    assert running.get("/pools/nope")[0] == running.get("/pools/web/nope")[0] == running.get("/nope")[0] == 404
    assert running.get("/pools", method="POST")[0] == running.get("/pools", method="DELETE")[0] == 405
    assert running.get("/pools", method="HEAD")[::2] == (200, "")


def test_the_table_of_figures_is_what_is_said(running):
    text = running.get("/metrics")[2]
    named = {re.match(r"# TYPE (\w+)", line)[1] for line in text.splitlines() if line.startswith("# TYPE")}
    page = (ROOT / "docs/balance.md").read_text().partition("\n### Figures\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)", page, flags=re.M)) == named
    assert 'pybal_service_pooled_servers{service="web"} 3\n' in text
    took = re.search(r'^pybal_monitor_proxyfetch_request_duration_seconds{service="web",host="127.0.0.1",monitor="ProxyFetch",'
                     r'result="successful"} (.+)$', text, flags=re.M)
    assert 0 < float(took[1]) < WAIT_S
    assert int(re.search(r'^pybal_monitor_up_results_total{.*host="127.0.0.1".*} (\d+)$', text, flags=re.M)[1]) > 0
    assert 'pybal_monitor_status{service="web",host="127.0.0.1",monitor="ProxyFetch"} 1\n' in text
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) .+|\w+(\{(\w+="[^"]*",?)+\})? [-+0-9.e]+', line), line


def test_slow_peers_hold_nothing(running):
    crowd = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(200)]
    for peer in crowd[::2]:
        peer.sendall(b"GET /pools HTTP/1.1\r\nX: ")
    stuck = []
    for _ in range(40):
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(str(running.socket))
        stuck.append(peer)
    assert running.get("/pools")[2] == "web\n"
    assert len(running.service()["servers"]) == 3
    descriptors = len(os.listdir(f"/proc/{running.process.pid}/fd"))
    assert descriptors < 64 + 16 + 60, descriptors
    for peer in crowd + stuck:
        peer.close()


def test_a_face_that_cannot_listen_does_not_keep_it_from_balancing(balancer, three):
    balancer.list("127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        balancer.configure(three[0].port, general=f"instrumentation-port = {taken.getsockname()[1]}")
        text = balancer.config.read_text().replace("instrumentation-port = 0\n", "", 1)
        balancer.write("lvs.conf", text)
        balancer.start()
        assert "cannot answer questions on 127.0.0.1" in balancer.event("face.failed")["why"]
        assert until(lambda: balancer.service()["servers"][0]["checked"])
