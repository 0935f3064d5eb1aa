# SPDX-License-Identifier: ISC
"""drover-lvs in the director's namespace, run and steered as an operator would."""
import json
import os
import signal
import subprocess
import time

import bed
from bed import BUILD, VIP, eventually

# Checks as fast as they may be, so that tests are.
SERVICE = """
[{name}]
protocol = {protocol}
ip = {ip}
port = 80
scheduler = {scheduler}
forward = {forward}
config = file://{list}
monitors = {monitors}
depool-threshold = {threshold}
{more}
"""


class Director:
    """Begins with a service "web" of all servers of the network; `words` change its section, or add to it."""

    def __init__(self, net, servers=None, weight=10, family=4, start=True, options="", everywhere="", **words):
        self.net, self.host, self.family = net, net.director, family
        self.place = f"/run/{self.host.name}"
        os.makedirs(self.place, 0o755)
        self.list, self.options = f"{self.place}/web.list", options
        self.socket, self.log = f"{self.place}/control.sock", f"{self.place}/log"
        self.words = {"name": "web", "protocol": "tcp", "ip": VIP if family == 4 else bed.VIP6, "scheduler": "wrr",
                      "forward": "dr", "list": self.list, "monitors": "[ 'ProxyFetch' ]", "threshold": ".5",
                      "proxyfetch.url": "[ 'http://www.example.org/' ]", "proxyfetch.interval": "0.5",
                      "proxyfetch.timeout": "1", "idleconnection.max-delay": "1", **words}
        self.everywhere = everywhere  # of [global]
        self.write_list(servers or {name: weight for name in net.servers})
        self.write_config()
        self.process = None
        if start:
            self.start()

    def address(self, name):
        number = self.net.numbers[name] if name in self.net.numbers else int(name[1:]) + 10
        return f"10.0.0.{number}" if self.family == 4 else f"fd00::{number:x}"

    def write_list(self, servers, disabled=()):
        """Whole and at once, as a careful editor does."""
        with open(self.list + ".new", "w", encoding="utf-8") as stream:
            for name, weight in servers.items():
                stream.write(f"{{ 'host': '{self.address(name)}', 'weight': {weight}, 'enabled': {name not in disabled} }}\n")
        os.rename(self.list + ".new", self.list)

    def write_config(self, sections="", **words):
        self.words.update(words)
        more = "\n".join(f"{key.replace('_', '-')} = {value}" for key, value in self.words.items()
                         if key not in ("name", "protocol", "ip", "scheduler", "forward", "list", "monitors", "threshold"))
        with open(f"{self.place}/drover-lvs.conf", "w", encoding="utf-8") as stream:
            stream.write(f"[global]\n{self.everywhere}\n" + SERVICE.format(**self.words, more=more) + sections)

    def start(self):
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = self.host.start(
                f"{BUILD}/drover-lvs run --config {self.place}/drover-lvs.conf --state-folder {self.place}/state "
                f"--socket {self.socket} --user nobody {self.options}", stdout=log, stderr=log)
        bed.finally_do(self.show_log)
        eventually(lambda: self.is_ready(), 20)
        return self

    def is_ready(self):
        assert self.process.poll() is None, f"drover-lvs ended with {self.process.returncode}:\n{self.tail()}"
        return os.path.exists(self.socket) and self.lvs("status", check=False)

    def tail(self):
        with open(self.log, encoding="utf-8") as stream:
            return "".join(stream.readlines()[-15:])

    def show_log(self):
        with open(f"{bed.PLACE}/log-{self.host.name}", "w", encoding="utf-8") as kept, open(self.log, encoding="utf-8") as log:
            kept.write(log.read())

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def lvs(self, *words, check=True):
        done = subprocess.run(
            ["ip", "netns", "exec", self.host.name, f"{BUILD}/drover", "lvs", *words, "--socket", self.socket],
            capture_output=True, text=True, check=False, timeout=30)
        assert not check or done.returncode == 0, f"{words}: {done.returncode}: {done.stderr}"
        return done.stdout if check or done.returncode == 0 else None

    def refused(self, *words):
        """What the command says when it is refused."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.host.name, f"{BUILD}/drover", "lvs", *words, "--socket", self.socket],
            capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode != 0, f"{words} was not refused: {done.stdout}"
        return done.stderr

    def status(self):
        return json.loads(self.lvs("status", "--json"))

    def service(self, name="web"):
        return next(service for service in self.status()["services"] if service["name"] == name)

    def server(self, name):
        wanted = name if "." in name else self.address(name)
        return next(server for server in self.service()["servers"] if server["host"] == wanted)

    def alerts(self):
        return {alert["kind"]: alert["text"] for alert in self.status()["alerts"]}

    def weights(self):
        """Of the kernel, by the servers' names."""
        ip = self.words["ip"]
        found = bed.weights(self.host, f"tcp [{ip}]:80" if ":" in ip else f"tcp {ip}:80") or {}
        names = {self.address(name): name for name in self.net.servers}
        return {names.get(where.rpartition(":")[0].strip("[]"), where): weight for where, weight in found.items()}

    def connections(self):
        """Connections that each server was ever given, by its address and port."""
        ip = self.words["ip"]
        return bed.connections(self.host, f"tcp [{ip}]:80" if ":" in ip else f"tcp {ip}:80") or {"": 0}

    def becomes(self, wanted, seconds=15):
        begin = time.monotonic()
        try:
            eventually(lambda: self.weights() == wanted, seconds)
        except AssertionError as error:
            raise AssertionError(f"the kernel has {self.weights()}, not {wanted}\n{self.tail()}") from error
        return time.monotonic() - begin

    def checked(self, *names):
        """Waits until each of them has passed a check."""
        eventually(lambda: all(self.server(name)["checked"] for name in names or self.net.servers), 20)
        return self


def face(director, path, accept="text/plain"):
    return director.host.run(f"curl -s -H 'Accept: {accept}' http://127.0.0.1:9090{path}")

