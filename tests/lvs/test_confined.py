# SPDX-License-Identifier: ISC
"""drover-lvs run as it is installed: confined, over the kernel's real table and routes, ended in every way."""
import json
import os
import pathlib
import signal
import socket
import tempfile

import bed
from bed import BUILD, VIP, Network, eventually, weights

CONFIG = """[global]
bgp = yes
[web]
protocol = tcp
ip = {vip}
port = 80
scheduler = rr
config = file://{folder}/list
monitors = [ 'ProxyFetch' ]
proxyfetch.url = [ 'http://www.example.org/' ]
proxyfetch.interval = 0.5
proxyfetch.timeout = 3
"""
BOTH = {"10.0.0.11:80": 10, "10.0.0.12:80": 10}


class Program:
    """drover-lvs run in the director's namespace, become `nobody`."""

    def __init__(self, net, *options):
        self.net, self.options = net, options
        self.folder = pathlib.Path(tempfile.mkdtemp(dir="/run"))
        self.folder.chmod(0o755)
        (self.folder / "conf").write_text(CONFIG.format(vip=VIP, folder=self.folder))
        (self.folder / "list").write_text("".join(
            f"{{ 'host': '10.0.0.1{n}', 'weight': 10, 'enabled': True }}\n" for n in (1, 2)))
        self.start()

    def start(self):
        with open(f"{bed.PLACE}/log", "a", encoding="utf-8") as log:
            self.process = self.net.director.start(
                f"{BUILD}/drover-lvs run --user nobody --config {self.folder}/conf --state-folder {self.folder}/state "
                f"--socket {self.folder}/control/sock {' '.join(self.options)}", stderr=log)
        eventually(self.is_checked, 30)

    def status(self):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(20)
            peer.connect(f"{self.folder}/control/sock")
            peer.sendall(b'{"command": "status"}\n')
            return json.loads(peer.makefile().read())["answer"]

    def is_checked(self):
        assert self.process.poll() is None, f"it ended: {self.process.returncode}"
        try:
            return all(server["checked"] for server in self.status()["services"][0]["servers"])
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(30)

    def says(self, key):
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next((line.split()[1] for line in lines if line.startswith(f"{key}:")), None)


def is_announced(net):
    return f"{VIP} " in net.director.run("ip route show table 9090", check=False) + " "


@bed.test
def test_it_keeps_nothing_but_the_network():
    program = Program(Network(servers=2))
    assert program.says("CapEff") == program.says("CapPrm") == "0000000000001000"
    assert program.says("CapBnd") == "0000000000000000"
    assert program.says("Uid") == str(os.stat(f"{program.folder}/state").st_uid) != "0"
    assert program.says("NoNewPrivs") == "1"
    bed.note(f"Seccomp: {program.says('Seccomp')}")


@bed.test
def test_confined_it_still_moves_the_table():
    net = Network(servers=2)
    Program(net)
    assert weights(net.director) == BOTH and is_announced(net)
    net.servers["s2"].run("ip addr flush dev eth0")
    eventually(lambda: weights(net.director) == {"10.0.0.11:80": 10}, 20)
    assert net.client.get(VIP) == "s1"


@bed.test
def test_neither_a_pause_nor_a_crash_is_felt():
    net = Network(servers=2)
    program = Program(net)
    load = net.client.load(VIP)
    assert program.end(signal.SIGUSR1) == 75
    assert weights(net.director) == BOTH and is_announced(net)
    program.start()
    program.end(signal.SIGKILL)
    assert weights(net.director) == BOTH and is_announced(net)
    program.start()
    seen = load.stop()
    assert seen["failures"] == 0 and seen["requests"] > 10, seen
    assert program.status()["figures"]["kernel"]["changes"] == 0


@bed.test
def test_a_stop_takes_the_route_and_leaves_the_table():
    net = Network(servers=2)
    program = Program(net)
    assert is_announced(net)
    assert program.end(signal.SIGTERM) == 0
    assert not is_announced(net) and weights(net.director) == BOTH


bed.main()
