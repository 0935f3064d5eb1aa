# SPDX-License-Identifier: ISC
"""A service under the holder, by the commands of drover-node: exchanged, taken back, maintained, and left alone."""
import contextlib
import http.client
import json
import os
import signal
import time

import pytest

import node_bed
from server import eventually
from test_node_run import Bed, free_port

pytestmark = pytest.mark.slow

SERVICE = """import http.server, os, socket, sys
version = os.environ["DROVER_VERSION"]
if os.path.exists("sick"):
    sys.exit(3)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = version.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=3)
server.server_address = server.socket.getsockname()
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as said:
    name = os.environ["NOTIFY_SOCKET"]
    said.sendto(b"READY=1", "\\0" + name[1:] if name[0] == "@" else name)
server.serve_forever()
"""


class Served(Bed):
    """Its service answers with its version. No droverd is followed."""

    def __init__(self, folder):
        super().__init__(folder)
        self.web = free_port()
        self.configure(f"run = /usr/bin/python3 serve.py\n"
                       f"listen = 127.0.0.1:{self.web}\nready-timeout = 20s\n")

    def release(self, version, sequence, floor=0, sick=False):
        tree = node_bed.tree(self.repository.folder / "trees" / version, version, 5_000)
        (tree / "serve.py").write_text(SERVICE)
        if sick:
            (tree / "sick").write_text("yes")
        self.repository.trees[version] = tree
        node_bed.forge("release", self.repository.key, self.repository.path, "web", version, sequence, floor, tree)
        self.repository.index(expires=int(time.time()) + node_bed.WEEK)

    def ask(self, headers=()):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.web, timeout=20)) as line:
            line.request("GET", "/", headers=dict(headers))
            answer = line.getresponse()
            return answer.status, answer.read().decode(), answer

    def put(self, version, sequence):
        self.release(version, sequence)
        self.command("install", version)
        self.command("activate", version)

    def close(self):
        super().close()
        with contextlib.suppress(OSError, ValueError):
            os.kill(self.holder(), signal.SIGTERM)

    def holder(self):
        """The process that holds the socket."""
        for process in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                words = open(f"/proc/{process}/cmdline", "rb").read().split(b"\0")
                if b"hold" in words and str(self.conf).encode() in words:
                    return int(process)
        raise ValueError("no holder")


@pytest.fixture
def served(tmp_path):
    made = Served(tmp_path)
    yield made
    made.close()


def test_a_service_is_exchanged_and_taken_back(served):
    served.put("1.0.0", 1)
    assert served.ask()[:2] == (200, "1.0.0")
    served.put("1.1.0", 2)
    assert served.ask()[:2] == (200, "1.1.0")
    served.command("rollback")
    assert served.ask()[:2] == (200, "1.0.0")
    assert served.status()["service"]["pid"] > 0


def test_a_service_that_does_not_start_leaves_the_old_one_at_work(served):
    served.put("1.0.0", 1)
    served.release("1.1.0", 2, sick=True)
    served.command("install")
    served.command("activate", "1.1.0", exits=4)
    assert served.ask()[:2] == (200, "1.0.0")
    assert served.status()["running"] == "1.0.0"


def test_maintenance_answers_for_the_service_and_ends(served):
    served.put("1.0.0", 1)
    said = served.command("maintenance", "on", "--reason", "new disks", "--until", "10min")
    assert "maintenance is on" in said and "new disks" in said
    status, _, answer = served.ask()
    assert status == 503 and int(answer.getheader("Retry-After")) > 0
    assert served.status()["state"] == "maintenance"
    assert "in maintenance until" in served.command("status", "web")
    assert json.loads(served.command("maintenance", "web", "status", "--json"))["overdue"] is False
    assert "maintenance is off" in served.command("maintenance", "web", "off")
    assert eventually(lambda: served.ask()[:2] == (200, "1.0.0"))


@pytest.mark.parametrize("words,problem", [
    (["on"], "say why and for how long"),
    (["on", "--reason", "disks", "--until", "soon"], "is no time"),
    (["on", "--reason", "disks", "--until", "2020-01-01T00:00:00Z"], "is over already"),
    (["maybe"], "not 'maybe'"),
])
def test_maintenance_says_what_it_needs(served, words, problem):
    assert problem in served.command("maintenance", "web", *words, exits=2)


def test_the_service_outlives_drover_node(served):
    served.release("1.0.0", 1)
    served.enrol()
    served.command("install", "1.0.0")
    served.command("activate", "1.0.0")
    served.start()
    assert eventually(lambda: served.node.said("event=drover-node.ready"))
    served.stop()
    assert served.ask()[:2] == (200, "1.0.0")
    served.start()
    assert eventually(lambda: served.node.said("event=drover-node.ready"))
    served.node.stop(signal.SIGKILL)
    served.node = None
    assert served.ask()[:2] == (200, "1.0.0")
