# SPDX-License-Identifier: ISC
"""The bed, inside user-mode Linux: network namespaces, servers, clients, and the kernel's IPVS table.

A scenario is a file test_NAME.py that ends with `bed.main()`. Its tests are functions marked `@bed.test`; each
has a network of its own, because IPVS, routes and sysctls belong to a namespace.

    @bed.test
    def test_a_server_answers():
        net = bed.Network(servers=2)
        ...
        assert net.client.get("192.0.2.1") == "s1"

On the wire: the client 10.0.0.100, the director 10.0.0.1, servers 10.0.0.11 and so on, joined by a bridge; the same in
fd00::. The addresses of services, 192.0.2.0/24 and 2001:db8::/64, are routed to the director.
"""
import contextlib
import ctypes
import itertools
import json
import os
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("DROVER_BUILD", "")
PLACE = "/run/bed"  # shared with the host: results, logs
DIRECTOR, CLIENT = "10.0.0.1", "10.0.0.100"
VIP, VIP6 = "192.0.2.1", "2001:db8::1"
SCHEDULERS = "rr wrr lc wlc lblc lblcr dh sh sed nq mh fo ovf".split()

_libc = ctypes.CDLL(None, use_errno=True)
_tests = []
_cleanups = []
_numbers = itertools.count(1)


# -- tests -------------------------------------------------------------------------------------------------------

def test(function):
    _tests.append(function)
    return function


def finally_do(function, *arguments):
    """After the test, whatever becomes of it; the last one first."""
    _cleanups.append((function, arguments))


def note(text):
    """A line for people, in the results."""
    with open(f"{PLACE}/results", "a", encoding="utf-8") as stream:
        stream.write(f"# {text}\n")


def main():
    """Runs the tests of this file, those alone that are named on the command line."""
    wanted = sys.argv[1:]
    for function in _tests:
        if wanted and function.__name__ not in wanted:
            continue
        begin, problem = time.monotonic(), None
        try:
            function()
        except BaseException:  # also an exit: the next test goes on
            problem = traceback.format_exc()
        while _cleanups:
            cleanup, arguments = _cleanups.pop()
            with contextlib.suppress(Exception):
                cleanup(*arguments)
        with open(f"{PLACE}/results", "a", encoding="utf-8") as stream:
            if problem:
                stream.write("".join(f"# {line}\n" for line in problem.splitlines()))
            stream.write(f"{'not ok' if problem else 'ok'} {function.__name__} {time.monotonic() - begin:.1f} s\n")


def eventually(question, seconds=60, every=0.1):
    """Asks until the answer is true, and returns it; fails when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {seconds} s; the last answer was {answer!r}"
        time.sleep(every)


quote = shlex.quote


def run(command, check=True, **options):
    done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **options)
    assert not check or done.returncode == 0, f"{command}: {done.returncode}: {done.stdout}"
    return done.stdout


# -- namespaces --------------------------------------------------------------------------------------------------

class Namespace:
    """A host of its own. `with namespace:` opens sockets there."""

    def __init__(self, word):
        self.name = f"{word}-{next(_numbers)}"
        run(f"ip netns add {self.name}")
        finally_do(run, f"ip netns del {self.name}")
        self.run("ip link set lo up")

    def run(self, command, check=True, **options):
        return run(f"ip netns exec {self.name} {command}", check, **options)

    def start(self, command, **options):
        """A program that ends with the test."""
        process = subprocess.Popen(["ip", "netns", "exec", self.name, *shlex.split(command)], **options)
        finally_do(process.wait)
        finally_do(process.kill)
        return process

    def sysctl(self, name, value):
        self.run(f"sysctl -q -w {name}={value}")

    def __enter__(self):
        self._before = os.open("/proc/self/ns/net", os.O_RDONLY)
        inside = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
        assert _libc.setns(inside, 0x40000000) == 0, os.strerror(ctypes.get_errno())
        os.close(inside)
        return self

    def __exit__(self, *_):
        assert _libc.setns(self._before, 0x40000000) == 0
        os.close(self._before)


class Client(Namespace):
    def connect(self, address, port=80, timeout=20, source=None):
        """An open TCP connection, closed with the test."""
        with self:
            connection = socket.create_connection((address, port), timeout, (source, 0) if source else None)
        finally_do(connection.close)
        return connection

    def get(self, address, port=80, timeout=20, source=None):
        """The name of the server that answers."""
        with self.connect(address, port, timeout, source) as connection:
            return ask(connection)

    def load(self, address, port=80):
        """Requests one after the other until stop()."""
        return Load(self, address, port)


def ask(connection):
    """A request on an open connection; what the server calls itself."""
    connection.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    text = b""
    while b"\r\n\r\n" not in text or not text.endswith(b"\n"):
        more = connection.recv(4096)
        if not more:
            raise ConnectionError("closed")
        text += more
    return text.partition(b"\r\n\r\n")[2].decode().strip()


class Load:
    """Counts what a client sees: {"requests": 120, "failures": 0, "servers": {"s1": 60, "s2": 60}, "errors": […]}."""

    def __init__(self, client, address, port):
        self.process = client.start(f"/usr/bin/python3 {HERE}/load.py {address} {port}", stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()  # the first answer came

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=20)
        return json.loads(out)


class Network:
    """A client, a director and servers on one bridge."""

    def __init__(self, servers=0, vips=(VIP, VIP6)):
        self.switch = Namespace("switch")
        self.switch.run("ip link add br0 type bridge forward_delay 0")
        self.switch.run("ip link set br0 up")
        self.director = self._join(Namespace("director"), 1)
        self.client = self._join(Client("client"), 100)
        self.client.run(f"ip route add 192.0.2.0/24 via {DIRECTOR}")
        self.client.run("ip -6 route add 2001:db8::/64 via fd00::1")
        self.director.sysctl("net.ipv4.ip_forward", 1)
        self.director.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.servers, self.processes, self.numbers = {}, {}, {}
        for vip in vips:
            self.add_address(self.director, vip)
        for number in range(1, servers + 1):
            self.add_server(f"s{number}", 10 + number, vips)

    def _join(self, host, number):
        port = f"v{next(_numbers)}"
        run(f"ip link add {port} netns {self.switch.name} type veth peer name eth0 netns {host.name}")
        self.switch.run(f"ip link set {port} master br0 up")
        host.sysctl("net.ipv6.conf.eth0.accept_dad", 0)
        host.run("ip link set eth0 up")
        host.run(f"ip addr add 10.0.0.{number}/24 dev eth0")
        host.run(f"ip addr add fd00::{number:x}/64 dev eth0 nodad")
        return host

    @staticmethod
    def add_address(host, address):
        host.run(f"ip addr add {address}/{128 if ':' in address else 32} dev lo")

    def add_server(self, name, number, vips=(VIP, VIP6)):
        """Answers HTTP on port 80 with its name; takes what comes for the services' addresses, as direct routing wants."""
        host = self._join(Namespace(name), number)
        for setting in ("conf.all.arp_ignore=1", "conf.all.arp_announce=2", "conf.all.rp_filter=0"):
            host.sysctl(*f"net.ipv4.{setting}".split("="))
        for vip in vips:
            self.add_address(host, vip)
        host.run(f"ip route add 192.0.2.0/24 via {DIRECTOR}", check=False)
        self.servers[name], self.numbers[name] = host, number
        self.start_server(name)
        return host

    def start_server(self, name, *behaviour):
        """Behaviour is http_server.py's; it answers with its name unless told otherwise."""
        server = self.servers[name].start(
            f"/usr/bin/python3 {HERE}/http_server.py {name} {' '.join(behaviour)}", stdout=subprocess.PIPE, text=True)
        assert server.stdout.readline() == "ready\n"
        self.processes[name] = server

    def kill_server(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def restart_server(self, name, *behaviour):
        self.kill_server(name)
        self.start_server(name, *behaviour)

    def masquerading(self, family=4):
        """Servers send what they answer back through the director, as masquerading wants."""
        client, director = (CLIENT, DIRECTOR) if family == 4 else ("fd00::64", "fd00::1")
        for host in self.servers.values():
            host.run("ip addr flush dev lo to 192.0.2.0/24")
            host.run("ip -6 addr flush dev lo to 2001:db8::/64")
            for setting in ("ipv4.conf.all", "ipv4.conf.eth0", "ipv6.conf.all", "ipv6.conf.eth0"):
                host.sysctl(f"net.{setting}.accept_redirects", 0)
            host.run(f"ip route add {client}/{32 if family == 4 else 128} via {director}")

    def tunnelling(self, family=4):
        """Servers take parcels: IP in IP, or IPv6 in IPv6."""
        if family == 6:
            run("modprobe -d /run/m ip6_tunnel")
        run("modprobe -d /run/m ipip")
        for host in self.servers.values():
            host.run("ip link set tunl0 up" if family == 4 else "ip link set ip6tnl0 up")
            if family == 4:
                host.sysctl("net.ipv4.conf.tunl0.rp_filter", 0)


# -- the kernel's table ------------------------------------------------------------------------------------------

def table(director, *options):
    """`ipvsadm -Sn`, sorted: what would make this table again."""
    return sorted(director.run(f"ipvsadm -Sn {' '.join(options)}").splitlines())


def listing(director):
    """`ipvsadm -Ln` as a value: {"tcp 192.0.2.1:80": {"scheduler": "wrr", "rest": "persistent 300",
    "servers": {"10.0.0.11:80": {"forward": "Route", "weight": 10, "active": 0, "inactive": 0}}}}"""
    services, servers = {}, None
    for line in director.run("ipvsadm -Ln").splitlines()[3:]:
        words = line.split()
        if words[0] in ("TCP", "UDP", "FWM"):
            servers = {}
            services[f"{words[0].lower()} {words[1]}"] = {
                "scheduler": words[2], "rest": " ".join(words[3:]), "servers": servers}
        elif words[0] == "->":
            servers[words[1]] = {"forward": words[2], "weight": int(words[3]), "active": int(words[4]),
                                 "inactive": int(words[5])}
    return services


def weights(director, service=f"tcp {VIP}:80"):
    """{"10.0.0.11:80": 10} of one service; None when it is not there."""
    found = listing(director).get(service)
    return None if found is None else {name: server["weight"] for name, server in found["servers"].items()}


def connections(director, service=f"tcp {VIP}:80"):
    """{"10.0.0.11:80": 3}: connections that each server was ever given (late by up to two seconds)."""
    counts, inside = {}, False
    for line in director.run("ipvsadm -Ln --stats --exact").splitlines()[3:]:
        words = line.split()
        if words[0] != "->":
            inside = f"{words[0].lower()} {words[1]}" == service
        elif inside:
            counts[words[1]] = int(words[2])
    return counts


# -- the keeper at the end of a pipe -----------------------------------------------------------------------------

class Keeper:
    """tests/lvs/keeper_driver.c in the director's namespace."""

    def __init__(self, director, *options, patience=60):
        self.events, self.patience = [], patience
        self.process = director.start(f"{BUILD}/tests/lvs/keeper_driver {' '.join(options)}", stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, bufsize=0)
        self._rest = b""
        assert self._answer() == "ready"

    def _line(self, seconds):
        deadline = time.monotonic() + seconds
        while b"\n" not in self._rest:
            ready = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))[0]
            if not ready:
                return None
            more = os.read(self.process.stdout.fileno(), 65536)
            assert more, f"the keeper ended: {self.process.wait()}"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def _answer(self):
        while True:
            line = self._line(self.patience)
            assert line is not None, "the keeper does not answer"
            if line.startswith("= "):
                return line[2:]
            self.events.append(line)

    def send(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        return self._answer()

    def __call__(self, *commands):
        """Each is done when this returns, with the turn that follows it."""
        for command in commands:
            answer = self.send(command)
            assert answer == "ok", f"{command}: {answer}"
        # The turn's timer is due at once, and is done before the second of two commands is read.
        self.send("turn")
        self.send("turn")

    def figures(self):
        return json.loads(self.send("figures"))

    def wait_for(self, event, seconds=60):
        deadline = time.monotonic() + seconds
        while event not in self.events:
            line = self._line(deadline - time.monotonic())
            assert line is not None, f"no {event!r} within {seconds} s, but {self.events}"
            self.events.append(line)
        return event

    def kill(self):
        self.process.kill()
        self.process.wait()


def quiescent(director):
    director.sysctl("net.ipv4.vs.expire_quiescent_template", 1)


SERVICE = f"tcp {VIP} 80"


def simple(keeper, scheduler="wrr", forward="dr", persistence_ms=0, drain_ms=300000, servers=("10.0.0.11", "10.0.0.12")):
    """Says the service 192.0.2.1:80 with these servers, and starts."""
    keeper(f"service {SERVICE} {scheduler} {forward} {persistence_ms} {drain_ms}",
           *[f"serve {SERVICE} {server} 10" for server in servers], "start")
