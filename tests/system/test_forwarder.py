# SPDX-License-Identifier: ISC
"""The forwarder by itself: bytes go through as they are, ends of bytes too, and nothing piles up (docs/maintenance.md)."""
import contextlib
import hashlib
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import BUILD
from server import eventually
from test_handover import many_files

pytestmark = pytest.mark.slow

DRIVER = BUILD / "tests/unit/node/hold/node_hold_driver"


class Forwarder:
    def __init__(self, folder, target, files=None):
        config = folder / "node.conf"
        config.write_text(f"[node]\nname = test\nstate = {folder}\n[web]\nprefix = {folder}/web\nsources = {folder}/r\n"
                          f"run = true\nlisten = 127.0.0.1:1\nreadiness = forward\nforward-to = {target}\n")
        self.door = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.door.getsockname()[1]
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", f'{f"ulimit -n {files};" if files else ""} exec 3<&{self.door.fileno()}; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"', "bash", DRIVER,
             "forward", "web", "--config", config], pass_fds=[self.door.fileno()])

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def memory_kib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{self.process.pid}/status").read()).group(1))

    def leave(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.door.close()


@pytest.fixture
def service():
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as door:
        door.settimeout(20)
        yield door


@pytest.fixture
def forwarder(tmp_path, service):
    made = Forwarder(tmp_path, f"127.0.0.1:{service.getsockname()[1]}")
    yield made
    made.stop()


def pair(forwarder, service):
    client = forwarder.connect()
    server, _ = service.accept()
    server.settimeout(20)
    return client, server


def read_all(line):
    heard = hashlib.sha256()
    while piece := line.recv(1 << 16):
        heard.update(piece)
    return heard.hexdigest()


def test_bytes_go_both_ways_at_once_and_arrive_as_they_were(forwarder, service):
    client, server = pair(forwarder, service)
    there, back = os.urandom(20_000_000), os.urandom(15_000_000)

    def send(line, data):
        line.sendall(data)
        line.shutdown(socket.SHUT_WR)

    senders = [threading.Thread(target=send, args=each) for each in [(client, there), (server, back)]]
    found = {}
    readers = [threading.Thread(target=lambda name=name, line=line: found.update({name: read_all(line)}))
               for name, line in [("server", server), ("client", client)]]
    for thread in senders + readers:
        thread.start()
    for thread in senders + readers:
        thread.join(60)
    assert found == {"server": hashlib.sha256(there).hexdigest(), "client": hashlib.sha256(back).hexdigest()}


def test_an_end_of_one_direction_leaves_the_other_open(forwarder, service):
    client, server = pair(forwarder, service)
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    assert server.recv(100) == b"question" and server.recv(100) == b""
    server.sendall(b"answer")
    assert client.recv(100) == b"answer"
    server.close()
    assert client.recv(100) == b""


def test_who_does_not_read_makes_the_other_wait_and_nothing_piles_up(forwarder, service):
    client, server = pair(forwarder, service)
    before = forwarder.memory_kib()
    client.settimeout(2)
    sent = 0
    with pytest.raises(TimeoutError):
        while True:
            sent += client.send(b"x" * 65536)
    assert forwarder.memory_kib() - before < 2048
    client.settimeout(20)
    client.shutdown(socket.SHUT_WR)
    heard = 0
    while piece := server.recv(1 << 16):
        heard += len(piece)
    assert heard == sent


def test_a_reset_ends_the_other_side(forwarder, service):
    client, server = pair(forwarder, service)
    client.sendall(b"question")
    assert server.recv(100) == b"question"
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    server.close()
    with contextlib.suppress(ConnectionResetError):
        assert client.recv(100) == b""


def test_a_client_that_stays_when_the_service_has_closed_is_let_go(forwarder, service):
    def count():
        return len(os.listdir(f"/proc/{forwarder.process.pid}/fd"))

    client, server = pair(forwarder, service)
    before = count()
    server.close()
    assert client.recv(100) == b""
    assert eventually(lambda: count() < before)  # it goes on, and only this one's two ends are closed
    client.close()


def test_without_files_to_open_it_waits_and_does_not_spin(tmp_path, service):
    forwarder = Forwarder(tmp_path, f"127.0.0.1:{service.getsockname()[1]}", files=40)
    try:
        clients = [forwarder.connect() for _ in range(40)]
        time.sleep(0.5)
        used = cpu_ticks(forwarder)
        time.sleep(1)
        assert cpu_ticks(forwarder) - used < os.sysconf("SC_CLK_TCK") / 2
        for line in clients:
            line.close()
        with contextlib.closing(forwarder.connect()) as late:
            late.sendall(b"me")
            assert eventually(lambda: service.accept()[0].recv(100) == b"me")
    finally:
        forwarder.stop()


def cpu_ticks(forwarder):
    fields = open(f"/proc/{forwarder.process.pid}/stat").read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_service_that_begins_late_still_gets_its_connections(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    forwarder = Forwarder(tmp_path, f"127.0.0.1:{port}")
    try:
        client = forwarder.connect()
        client.sendall(b"early")
        time.sleep(0.5)
        with socket.create_server(("127.0.0.1", port)) as door:
            door.settimeout(30)
            server, _ = door.accept()
            assert server.recv(100) == b"early"
    finally:
        forwarder.stop()


def test_a_service_that_never_begins_ends_its_connections(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    forwarder = Forwarder(tmp_path, f"127.0.0.1:{port}")
    try:
        began = time.monotonic()
        assert forwarder.connect().recv(100) == b""
        assert time.monotonic() - began > 8  # it was tried for ten seconds
    finally:
        forwarder.stop()


def test_when_it_leaves_open_requests_are_finished_and_idle_connections_closed(forwarder, service):
    working, working_there = pair(forwarder, service)
    idle, idle_there = pair(forwarder, service)
    idle.sendall(b"question")
    idle_there.recv(100)
    idle_there.sendall(b"answer")
    assert idle.recv(100) == b"answer"
    working.sendall(b"a long question")
    working_there.recv(100)
    forwarder.leave()
    assert idle.recv(100) == b""  # after a second in which its client asked nothing
    time.sleep(1.5)
    working_there.sendall(b"a late answer")
    assert working.recv(100) == b"a late answer"
    working.close()
    working_there.close()
    assert forwarder.process.wait(30) == 0
    # The socket is not its own: who comes now waits for the next one.
    late = forwarder.connect()
    forwarder.door.settimeout(10)
    assert forwarder.door.accept()[1] == late.getsockname()


def test_more_connections_than_it_takes_wait_for_their_turn(forwarder, service):
    with many_files(20000):
        clients = [forwarder.connect() for _ in range(4096)]
        servers = [service.accept()[0] for _ in clients]
        one_more = forwarder.connect()
        one_more.sendall(b"me too")
        time.sleep(0.5)
        service.settimeout(0.2)
        with pytest.raises(TimeoutError):
            service.accept()
        service.settimeout(30)
        clients[0].close()
        servers[0].close()
        assert service.accept()[0].recv(100) == b"me too"
        for line in clients + servers:
            line.close()
        assert eventually(lambda: forwarder.process.poll() is None)
