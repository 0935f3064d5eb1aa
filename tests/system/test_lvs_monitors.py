# SPDX-License-Identifier: ISC
"""Every monitor in the real drover-lvs, behind its filter of system calls: servers that are well, ill, and well again.

A call that the filter does not know would end the program at once, and with it the test.
"""
import contextlib
import os
import random
import shutil
import socket
import socketserver
import ssl
import struct
import subprocess
import threading

import pytest

from lvs_bed import SANITIZED, Balancer, Server, servers, until

pytestmark = pytest.mark.slow

ROOT = os.geteuid() == 0
NOBODY = 65534


class Port:
    """Speaks with whom comes, by `speak(self, socket)`, on one port of 127.0.0.1; .well is what it says of itself."""

    def __init__(self, speak, tls=None, port=0, address="127.0.0.1"):
        outer = self
        self.well, self.address, self.speak, self.tls = True, address, speak, tls

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError), contextlib.ExitStack() as open_:
                    line = self.request
                    line.settimeout(30)
                    if tls is not None:
                        line = open_.enter_context(tls.wrap_socket(line, server_side=True))
                    outer.speak(outer, line)

        self.handler = Handler
        self.open(port)

    def open(self, port):
        self.server = socketserver.ThreadingTCPServer((self.address, port), self.handler, bind_and_activate=False)
        self.server.daemon_threads, self.server.allow_reuse_address = True, True
        try:
            self.server.server_bind()
        except OSError:
            self.server.server_close()
            raise
        self.server.server_activate()
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def set_well(self, well):
        self.well = well

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Listener(Port):
    """Whose illness is that nobody listens."""

    def set_well(self, well):
        if well:
            self.open(self.port)
        else:
            self.close()


class Datagrams:
    """`answer(self, bytes)` to each datagram; what it gives goes back."""

    def __init__(self, answer, port=0, address="127.0.0.1"):
        self.well = True
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind((address, port))
        except OSError:
            self.socket.close()
            raise
        self.port, self.answer = self.socket.getsockname()[1], answer
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                said, peer = self.socket.recvfrom(4096)
                if peer is None:  # it was closed
                    return
                if (reply := self.answer(self, said)) is not None:
                    self.socket.sendto(reply, peer)

    def set_well(self, well):
        self.well = well

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Web(Server):
    def set_well(self, well):
        self.status = 200 if well else 500


class Script:
    """For RunCommand: a file that is there, or not."""

    port = 7

    def __init__(self, path):
        self.path = path
        self.set_well(True)

    def set_well(self, well):
        if well:
            self.path.write_text("")
        else:
            self.path.unlink()

    def close(self):
        pass


# -- what they say -----------------------------------------------------------------------------------------------

def hold(port, line):
    """Keeps a connection as long as it is well."""
    line.settimeout(0.02)
    while port.well:
        try:
            if line.recv(100) == b"":
                return
        except TimeoutError:
            pass


def take(port, line):
    line.recv(100)


def smtp(port, line):
    line.sendall(b"220 mail.example.org\r\n" if port.well else b"421 too many connections\r\n")
    with line.makefile("rb") as words:
        for word in words:
            line.sendall(b"221 bye\r\n" if word.upper().startswith(b"QUIT") else b"250-mail\r\n250 HELP\r\n")


def dns_answer(question, code=0, cut=False):
    """With one A record, unless it was cut or the code says no; long.… is 127.0.0.2, all else 127.0.0.1."""
    address = "127.0.0.2" if b"\4long" in question else "127.0.0.1"
    end = question.index(b"\0", 12) + 5
    wants_a = question[end - 4:end - 2] == b"\0\1"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(address)
    count = 1 if wants_a and code == 0 and not cut else 0
    flags = 0x8180 | code | (0x200 if cut else 0)
    return question[:2] + struct.pack(">5H", flags, 1, count, 0, 0) + question[12:end] + record * count


def dns_over_tcp(port, line):
    with line.makefile("rb") as words:
        while len(head := words.read(2)) == 2:
            question = words.read(int.from_bytes(head, "big"))
            reply = dns_answer(question, 0 if port.well else 2)
            line.sendall(len(reply).to_bytes(2, "big") + reply)


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def field(name, value):
    """HPACK: a literal that is not indexed."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def grpc(port, line):
    """Of HTTP/2 as much as one call of grpc.health.v1.Health/Check takes."""
    with line.makefile("rb") as words:
        assert words.read(24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        line.sendall(frame(4, 0, 0))
        while len(head := words.read(9)) == 9:
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
            words.read(int.from_bytes(head[:3], "big"))
            if kind == 4 and not flags & 1:
                line.sendall(frame(4, 1, 0))
            if kind in (0, 1) and flags & 1:
                line.sendall(frame(1, 4, stream, b"\x88" + field(b"content-type", b"application/grpc"))
                             + frame(0, 0, stream, b"\0\0\0\0\2\x08" + (b"\1" if port.well else b"\2"))
                             + frame(1, 5, stream, field(b"grpc-status", b"0")))


# -- all of them -------------------------------------------------------------------------------------------------

def both(stream, datagram, address="127.0.0.1", port=0):
    """(TCP, UDP) on one port."""
    for _ in range(50):
        first = Port(stream, address=address, port=port)
        try:
            return first, Datagrams(datagram, first.port, address)
        except OSError:
            first.close()
    raise AssertionError("no port is free for both")


@pytest.fixture
def tls(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", tmp_path / "key", "-out", tmp_path / "chain", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)

    def make(*protocols):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "chain", tmp_path / "key")
        context.set_alpn_protocols(list(protocols) or ["http/1.1"])
        return context
    make.chain = tmp_path / "chain"
    return make


class Ordinary(Balancer):
    """Started by a user who is nobody, with no capability at all."""

    def words(self, *options):
        words = super().words(*options)
        at = words.index("--user")
        os.chown(self.folder, NOBODY, NOBODY)
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *words[:at], *words[at + 2:]]


@pytest.fixture(params=["as we are", pytest.param("as an ordinary user", marks=pytest.mark.skipif(
    not ROOT or shutil.which("setpriv") is None, reason="needs root and setpriv"))])
def balancer(request, environment):
    made = (Balancer if request.param == "as we are" else Ordinary)(environment)
    yield made
    made.close()


@pytest.fixture
def wards(balancer, tls):
    """Service -> (server, what must be set, what it says when it is well, what when it is ill)."""
    stream, datagram = both(dns_over_tcp, lambda port, said: dns_answer(said, cut=True))
    script = Script(balancer.folder / "fine")
    made = {
        "fetch": (Web("127.0.0.1"), "ProxyFetch", "proxyfetch.url = http://localhost/", "200 in", "500"),
        "secure": (Web("127.0.0.1", tls=tls()), "ProxyFetch", "proxyfetch.url = https://localhost/", "200 in", "500"),
        "idle": (Port(hold), "IdleConnection",
                 "idleconnection.timeout-clean-reconnect = .2\nidleconnection.max-delay = .2", "connected", "closed by"),
        "names": (Datagrams(lambda port, said: dns_answer(said, 0 if port.well else 5)), "DNSQuery",
                  "dnsquery.hostnames = [ 'www.example.org' ]", "NOERROR for www.example.org, 1", "REFUSED"),
        "long": (stream, "DNSQuery", "dnsquery.hostnames = [ 'www.example.org' ]", "NOERROR", "SERVFAIL"),
        "udp": (Datagrams(lambda port, said: said if port.well else b"what?"), "UDP",
                "udp.payload = ping\nudp.expect = ping", "answered", "answered 'what?', wanted 'ping'"),
        "command": (script, "RunCommand", f"runcommand.command = /usr/bin/test\nruncommand.arguments = [ '-e', '{script.path}' ]",
                    "exit status 0", "exit status 1"),
        "tcp": (Listener(take), "TCP", "", "connected in", "connection refused"),
        "mail": (Port(smtp), "SMTP", "", "greeted in", "banner: 421"),
        "grpc": (Port(grpc), "gRPC", "", "SERVING", "NOT_SERVING"),
        "grpcs": (Port(grpc, tls("h2")), "gRPC", "grpc.tls = yes", "SERVING", "NOT_SERVING"),
    }
    yield made
    for server, *_ in made.values():
        server.close()
    datagram.close()


def configure(balancer, wards, general=""):
    text = f"[global]\ninstrumentation-port = 0\n{general}\n"
    for number, (name, (server, monitor, lines, *_)) in enumerate(wards.items()):
        interval = "" if monitor == "IdleConnection" else f"{monitor}.interval = .2\n"
        text += (f"[{name}]\nprotocol = tcp\nip = 192.0.2.{number + 1}\nport = {server.port}\nscheduler = wrr\n"
                 f"config = file://{balancer.folder}/web.list\nmonitors = {monitor}\n{interval}{lines}\n")
    balancer.write("lvs.conf", text)


def words_of(balancer):
    """Service -> (up, what its monitor said last)."""
    answer = balancer.ask({"command": "status"})["answer"]
    return {service["name"]: (server["up"], server["monitors"][0]["why"] or "")
            for service in answer["services"] for server in service["servers"]}


def until_all_say(balancer, wanted):
    """`wanted`: service -> (up, how what it says begins)."""
    last = {}

    def look():
        assert balancer.process.poll() is None, balancer.log.read_text()
        last.update(words_of(balancer))
        return {name for name, (up, word) in wanted.items() if last[name][0] != up or word not in last[name][1]} == set()
    try:
        until(look)
    except AssertionError as problem:
        raise AssertionError(f"{last}") from problem


def test_every_monitor_works_behind_the_filter(balancer, wards, tls):
    balancer.environment["SSL_CERT_FILE"] = str(balancer.write("chain.pem", tls.chain.read_text()))
    balancer.list("127.0.0.1")
    configure(balancer, wards)
    balancer.start()
    if not SANITIZED:
        assert balancer.proc("Seccomp") == ["2"] and int(balancer.proc("Uid")[0]) != 0
    well = {name: (True, words[0]) for name, (_, _, _, *words) in wards.items()}
    ill = {name: (False, words[1]) for name, (_, _, _, *words) in wards.items()}
    until_all_say(balancer, well)
    for state, wanted in ((False, ill), (True, well)):
        for server, *_ in wards.values():
            server.set_well(state)
        until_all_say(balancer, wanted)
    balancer.process.send_signal(1)
    until(lambda: balancer.events("config.reloaded"))
    until_all_say(balancer, well)
    assert balancer.stop() == 0


@pytest.mark.skipif(not ROOT, reason="needs root, for a resolv.conf of its own")
def test_names_are_looked_up_behind_the_filter(environment):
    """Over UDP, and over TCP when the answer was cut short."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs a mount namespace")
    address = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
    try:
        stream, datagram = both(dns_over_tcp, lambda port, said: dns_answer(said, cut=b"\4long" in said), address, 53)
    except (OSError, AssertionError):
        pytest.skip("port 53 is taken")
    webs, balancer = servers(2), Balancer(environment)
    own = balancer.write("resolv.conf", f"nameserver {address}\n")
    plain = balancer.words
    balancer.words = lambda *options: [
        "unshare", "-m", "sh", "-c", f"mount --bind {own} /etc/resolv.conf && exec \"$@\"", "sh", *plain(*options)]
    balancer.list("short.drover.example", "long.drover.example")
    balancer.configure(webs[0].port)
    balancer.start()
    until(lambda: all(server["checked"] and server["up"] for server in balancer.service()["servers"]))
    assert {server["host"]: server["address"] for server in balancer.service()["servers"]} == {
        "short.drover.example": "127.0.0.1", "long.drover.example": "127.0.0.2"}
    for each in (balancer, *webs, stream, datagram):
        each.close()
