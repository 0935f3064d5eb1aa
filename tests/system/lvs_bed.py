# SPDX-License-Identifier: ISC
"""A drover-lvs of a test's own, which only says what it would do, and servers for it to check.

As root it becomes `nobody`, so its folder lies where nobody may go.
"""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from conftest import BUILD

PROGRAM = BUILD / "drover-lvs"
WAIT_S = 30
# A sanitizer's own calls are not a balancer's.
SANITIZED = b"__asan_init" in PROGRAM.read_bytes() if PROGRAM.exists() else False


def until(what, seconds=WAIT_S):
    """Waits for it to be true, and gives what it gave."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"not in {seconds} s: {what}"
        time.sleep(0.02)
    return found


class Server:
    """Answers every GET with .status and .body, on port `port` of `address`."""

    def __init__(self, address, port=0, tls=None):
        outer = self
        self.status, self.body, self.paths = 200, b"", []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.paths.append(self.path)
                self.send_response(outer.status)
                if outer.status == 503:
                    self.send_header("X-Drover-Maintenance", "1")
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def servers(count):
    """On 127.0.0.1, 127.0.0.2 …, all on one port that is free everywhere."""
    for _ in range(50):
        started = [Server("127.0.0.1")]
        try:
            for number in range(2, count + 1):
                started.append(Server(f"127.0.0.{number}", started[0].port))
            return started
        except OSError:
            for server in started:
                server.close()
    raise AssertionError("no port is free on all addresses")


class Balancer:
    """drover-lvs run --dry-run on a configuration. `services`: name -> the lines of its section."""

    def __init__(self, environment):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="drover-lvs-"))
        self.folder.chmod(0o755)
        self.config, self.socket = self.folder / "lvs.conf", self.folder / "run" / "control.sock"
        self.state, self.log, self.said = self.folder / "state", self.folder / "log", self.folder / "said"
        self.environment = dict(environment)
        self.process = None

    def write(self, name, text):
        """As an editor does: whole, or not at all."""
        path = self.folder / name
        (self.folder / ".new").write_text(text)
        (self.folder / ".new").rename(path)
        return path

    def list(self, *hosts, name="web.list", disabled=()):
        return self.write(name, "".join(
            f"{{ 'host': '{host}', 'weight': 10, 'enabled': {host not in disabled} }}\n" for host in hosts))

    def configure(self, port, general="", **keys):
        values = {"protocol": "tcp", "ip": "192.0.2.10", "port": port, "scheduler": "wrr",
                  "config": f"file://{self.folder}/web.list", "monitors": "[ 'ProxyFetch' ]",
                  "proxyfetch.url": "[ 'http://www.example.org/healthz' ]", "proxyfetch.interval": "0.2"}
        values.update({key.replace("__", ".").replace("_", "-"): value for key, value in keys.items()})
        section = "".join(f"{key} = {value}\n" for key, value in values.items() if value is not None)
        self.write("lvs.conf", f"[global]\ninstrumentation-port = 0\n{general}\n[web]\n{section}")

    def words(self, *options):
        user = ["--user", "nobody"] if os.geteuid() == 0 else []
        return [str(PROGRAM), "run", "--dry-run", "--log-json", "--config", str(self.config), "--state-folder",
                str(self.state), "--socket", str(self.socket), *user,
                *(["--allow-unconfined"] if SANITIZED else []), *map(str, options)]

    def start(self, *options):
        self.log.write_text("")
        self.process = subprocess.Popen(self.words(*options), stdout=self.said.open("a"), stderr=self.log.open("a"),
                                        env=self.environment, cwd=self.folder)
        self.port = int(self.event("drover-lvs.ready")["port"])
        return self

    def events(self, name=None):
        found = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [event for event in found if name in (None, event["event"])]

    def event(self, name):
        def look():
            assert self.process.poll() is None, self.log.read_text()
            return self.events(name)
        return until(look)[0]

    def get(self, path, headers=None, method="GET"):
        """(status, headers, text)."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)) as line:
            line.request(method, path, headers=headers or {})
            answer = line.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()

    def json(self, path):
        return json.loads(self.get(path, {"Accept": "application/json"})[2])

    def ask(self, request):
        """Over the control socket."""
        line = request if isinstance(request, bytes) else json.dumps(request).encode() + b"\n"
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(WAIT_S)
            peer.connect(str(self.socket))
            peer.sendall(line)
            return json.loads(peer.makefile().read())

    def service(self):
        return self.ask({"command": "status"})["answer"]["services"][0]

    def pooled(self):
        return sorted(host for host, server in self.json("/pools/web").items() if server["pooled"])

    def proc(self, key):
        """A line of /proc/PID/status."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(line.split()[1:] for line in lines if line.startswith(f"{key}:"))

    def stop(self, number=15):
        self.process.send_signal(number)
        return self.process.wait(timeout=WAIT_S)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            assert self.stop() == 0, self.log.read_text()
        shutil.rmtree(self.folder)
