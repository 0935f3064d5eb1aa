# SPDX-License-Identifier: ISC
"""A node that fetches from droverd's public address, which is killed in the middle of the payload."""
import contextlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import beds
import node_bed
from beds import daemons  # noqa: F811,F401 (fixture)
from conftest import BUILD

pytestmark = pytest.mark.slow

UNAVAILABLE = 8
PASSES = 2_000_000  # bytes of the payload, until the way is barred


class Way:
    """Between a node and droverd: it hears what is asked, and lets PASSES bytes of a connection through until it is opened."""

    def __init__(self):
        self.droverd_port, self.asked = None, b""
        self.is_open, self.barred, self.go_on = False, threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                node, _ = self.listener.accept()
                try:
                    droverd = socket.create_connection(("127.0.0.1", self.droverd_port), timeout=20)
                except OSError:
                    node.close()
                    continue
                threading.Thread(target=self._ask, args=(node, droverd), daemon=True).start()
                threading.Thread(target=self._answer, args=(node, droverd), daemon=True).start()

    def _ask(self, node, droverd):
        with contextlib.suppress(OSError):
            while part := node.recv(65536):
                self.asked += part
                droverd.sendall(part)

    def _answer(self, node, droverd):
        passed = 0
        with contextlib.suppress(OSError):
            while part := droverd.recv(65536):
                node.sendall(part)
                passed += len(part)
                if passed >= PASSES and not self.is_open:
                    self.barred.set()
                    self.go_on.wait(30)
                    break
        for end in (node, droverd):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def ranges(self):
        """Of what was asked of the payload: where each began."""
        requests = [text for text in self.asked.decode().split("\r\n\r\n") if "payload" in text]
        found = [re.search(r"(?mi)^range: bytes=(\d+)-", text) for text in requests]
        return [int(each[1]) if each else 0 for each in found]


def test_what_was_fetched_before_the_server_was_killed_is_not_fetched_again(drover, daemons, tmp_path):  # noqa: F811
    repository, way = node_bed.Repository(tmp_path / "releases"), Way()
    repository.issued = int(time.time()) - 600
    repository.release("1.0.0", 1, size=6_000_000)
    repository.index(expires=int(time.time()) + node_bed.WEEK)
    prefix, conf = tmp_path / "prefix", tmp_path / "node.conf"
    conf.write_text(f"[web]\nprefix = {prefix}\nsources = http://127.0.0.1:{way.port}/releases\nkeys = {repository.folder}/keys\n")
    beds.configure(drover, f"[release]\nrepository = {repository.path}\n")
    words = [str(BUILD / "drover-node"), "install", "web", "--config", str(conf)]

    daemon = daemons(drover)
    way.droverd_port = daemon.public_port
    node = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=drover.environment)
    assert way.barred.wait(30)
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()
    way.go_on.set()
    _, said = node.communicate(timeout=60)
    assert node.returncode == UNAVAILABLE and f"http://127.0.0.1:{way.port}/releases" in said, said
    assert not (prefix / "current").exists() and not (prefix / "releases/1.0.0").exists()
    part, = (prefix / ".drover/fetch").glob("*.part")
    there = part.stat().st_size
    assert 1_000_000 < there <= PASSES + 65536 and way.ranges()[0] == 0

    way.is_open, way.asked = True, b""
    way.droverd_port = daemons(drover).public_port
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=drover.environment, check=False)
    assert done.returncode == 0, done.stderr
    assert way.ranges() == [there]
    assert node_bed.contents(prefix / "releases/1.0.0") == node_bed.contents(repository.trees["1.0.0"])
    way.listener.close()
