# SPDX-License-Identifier: ISC
"""drover lvs, with a balancer that the test plays: what is asked over the socket, and how the answer looks."""
import json
import shutil
import socket
import tempfile
import threading

import pytest

SERVER = {"host": "web1", "address": "10.0.0.1", "enabled": True, "ready": True, "up": True, "maintenance": False,
          "checked": True, "pooled": True, "held": False, "drain": "none", "weight": 10, "current_weight": 10,
          "since": "2026-11-21T03:40:00Z", "last_check": "2026-11-21T06:59:56Z", "why": "ProxyFetch: 200 in 3 ms",
          "active": 3, "inactive": 12, "monitors": []}
STATUS = {
    "version": "0.1.0", "started": "2026-11-21T03:00:00Z", "now": "2026-11-21T07:00:00Z", "dry_run": False,
    "configuration": "/etc/drover/lvs.conf",
    "alerts": [{"service": "web", "kind": "held", "since": "2026-11-21T06:48:00Z", "text": "web2 is down, but kept"}],
    "services": [{
        "name": "web", "protocol": "tcp", "address": "2001:db8::1", "port": 80, "scheduler": "wrr", "forward": "dr",
        "depool_threshold": ".5", "can_depool": False, "can_serve": True, "route": "announced", "needed": 2,
        "counting": 1,
        "list": {"url": "file:///etc/drover/web", "read": "2026-11-21T06:00:00Z", "problem": None, "version": 0,
                 "set_aside": {"since": "2026-11-21T06:00:00Z", "why": "it would leave 1 of 3", "servers": 1}},
        "servers": [
            SERVER,
            {**SERVER, "host": "web2", "up": False, "held": True, "why": "ProxyFetch: \x1b[31mrefused"},
            {**SERVER, "host": "web3", "pooled": False, "drain": "draining", "current_weight": 0},
            {**SERVER, "host": "web4", "current_weight": 3, "maintenance": True, "up": False},
        ]}],
    "figures": {}}


class Balancer:
    """Answers the same to everyone, and remembers what it was asked."""

    def __init__(self):
        self.folder = tempfile.mkdtemp()
        self.path = f"{self.folder}/socket"
        self.answer, self.asked = {"answer": STATUS}, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                self.asked.append(json.loads(peer.makefile().readline()))
                if self.answer is not None:
                    peer.sendall(json.dumps(self.answer).encode() + b"\n")

    def close(self):
        self.listener.close()
        shutil.rmtree(self.folder)


@pytest.fixture
def balancer():
    balancer = Balancer()
    yield balancer
    balancer.close()


def test_status_is_a_table_that_a_person_can_read(drover, balancer):
    said = drover(f"lvs status --socket {balancer.path}", alone=True)
    assert balancer.asked == [{"command": "status"}]
    assert "! web: web2 is down, but kept (12 min)" in said.lines
    assert "web  tcp [2001:db8::1]:80, wrr" in said.lines
    assert ("  2 of 4 servers are up; the floor needs 2 (threshold .5) and has 1: it is broken; "
            "route announced") in said.lines
    assert "  list file:///etc/drover/web, read 1 h ago" in said.lines
    assert "  ! a list of 1 servers was set aside: it would leave 1 of 3" in said.lines
    assert "    drover lvs accept web obeys it" in said.lines
    rows = {line.split()[0]: " ".join(line.split()) for line in said.lines if line.startswith("  web")}
    assert rows["web1"] == "web1 up, pooled 3 h 20 min 4 s 10 3+12 ProxyFetch: 200 in 3 ms"
    assert rows["web2"].startswith("web2 down, held 3 h 20 min")
    assert rows["web3"].startswith("web3 up, not pooled, draining 3 h 20 min")
    assert " 3 of 10 " in rows["web4"] and rows["web4"].startswith("web4 maintenance, pooled")
    assert "\x1b" not in said.out
    assert said.lines[-1] == "drover-lvs 0.1.0, running for 4 h with /etc/drover/lvs.conf"


def test_json_is_the_answer_itself(drover, balancer):
    assert drover(f"lvs status --json --socket {balancer.path}", alone=True).json == STATUS


def test_a_service_that_is_not_there_is_told(drover, balancer):
    assert "no service is called mail" in drover(
        f"lvs status mail --socket {balancer.path}", exits=3, alone=True).err


@pytest.mark.parametrize("typed,asked", [
    ("accept web", {"command": "accept", "service": "web"}),
    ("drain web web1", {"command": "drain", "service": "web", "server": "web1"}),
    ("drain web web1 --force", {"command": "drain", "service": "web", "server": "web1", "force": True}),
    ("undrain web web1", {"command": "undrain", "service": "web", "server": "web1"}),
    ("reload", {"command": "reload"}),
])
def test_steering_asks_the_balancer(drover, balancer, typed, asked):
    balancer.answer = {"answer": {}}
    drover(f"lvs {typed} --socket {balancer.path}", alone=True)
    assert balancer.asked == [asked]


@pytest.mark.parametrize("kind,status", [("conflict", 4), ("not-found", 3), ("denied", 5), ("input", 2)])
def test_a_refusal_is_the_balancers_own(drover, balancer, kind, status):
    balancer.answer = {"error": {"kind": kind, "message": "web needs 2 of 3"}}
    assert "web needs 2 of 3" in drover(
        f"lvs drain web web1 --socket {balancer.path}", exits=status, alone=True).err


def test_a_balancer_that_is_not_there_or_hangs_up_is_told(drover, balancer, tmp_path):
    assert "no drover-lvs listens there" in drover(
        f"lvs status --socket {tmp_path}/none", exits=8, alone=True).err
    balancer.answer = None
    assert "hung up without an answer" in drover(f"lvs status --socket {balancer.path}", exits=8, alone=True).err
