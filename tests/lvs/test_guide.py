# SPDX-License-Identifier: ISC
"""docs/directors.md, typed as it stands there."""
import pathlib
import re
import subprocess

import bed
from bed import BUILD, HERE, Network, eventually, run

GUIDE = (pathlib.Path(HERE).parent.parent / "docs/directors.md").read_text(encoding="utf-8")
VIP = "10.0.0.80"


def blocks(heading):
    section = GUIDE.partition(f"## {heading}")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)


def typed(text, place):
    """What cannot be here is left out: the module is there already, there is no systemd, /etc is the host's."""
    lines = [line for line in text.replace("/etc/drover-lvs", place).splitlines()
             if not re.match(r"modprobe|systemctl|echo ip_vs|.*--dry-run", line)]
    return "\n".join(lines).replace("drover-lvs check", f"{BUILD}/drover-lvs check")


@bed.test
def test_a_first_director_in_ten_minutes():
    net = Network(servers=2, vips=())
    place = "/run/etc"
    director, server = blocks("A first director in ten minutes")[:2]
    net.director.run(f"sh -ec {bed.quote(typed(director, place))}")
    for host in net.servers.values():
        host.run(f"sh -ec {bed.quote(server)}")
    dry = subprocess.Popen(["ip", "netns", "exec", net.director.name, f"{BUILD}/drover-lvs", "run", "--dry-run", "--config",
                            f"{place}/drover-lvs.conf", "--state-folder", "/run/dry", "--socket", "/run/dry.sock",
                            "--user", "nobody"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    bed.finally_do(dry.kill)
    assert dry.stdout.readline() == f"-A -t {VIP}:80 -s wrr\n"
    dry.kill()
    assert bed.listing(net.director) == {}
    net.director.start(f"{BUILD}/drover-lvs run --config {place}/drover-lvs.conf --state-folder /run/state "
                       "--socket /run/control.sock --user nobody", stderr=subprocess.DEVNULL)
    eventually(lambda: bed.weights(net.director, f"tcp {VIP}:80") == {"10.0.0.11:80": 10, "10.0.0.12:80": 10}, 20)
    assert {net.client.get(VIP) for _ in range(8)} == {"s1", "s2"}
    shown = run(f"{BUILD}/drover lvs status --socket /run/control.sock")
    assert "10.0.0.11" in shown and "10.0.0.12" in shown
    for words in ("drain web 10.0.0.11", "undrain web 10.0.0.11"):
        assert f"drover lvs {words}" in GUIDE
        run(f"{BUILD}/drover lvs {words} --socket /run/control.sock")


bed.main()
