# SPDX-License-Identifier: ISC
"""Routes: what the kernel has, and what two real BIRDs make of it."""
import os

import bed
from bed import VIP, VIP6, Keeper, Network, eventually, run

BIRD = """
router id {own};
protocol device {{ scan time 1; }}
{learn}
protocol bgp peer {{
    local {own} as {local_as};
    neighbor {peer} as {peer_as};
    hold time 9;
    connect retry time 1;
    connect delay time 1;
    error wait time 1, 2;
    ipv4 {{ import {take}; export {give}; {next4} }};
    ipv6 {{ import {take}; export {give}; {next6} }};
}}
"""
# What docs/kernel.md shows.
LEARN = """
ipv4 table services4;
ipv6 table services6;
protocol kernel services_v4 {
    kernel table 9090;
    learn;
    scan time 1;
    ipv4 { table services4; import all; export none; };
}
protocol kernel services_v6 {
    kernel table 9090;
    learn;
    scan time 1;
    ipv6 { table services6; import all; export none; };
}
protocol pipe { table master4; peer table services4; import where krt_source = 190; export none; }
protocol pipe { table master6; peer table services6; import where krt_source = 190; export none; }
"""


def routes(director):
    return [sorted(line.split()[1] for line in director.run(f"ip {family} route show table 9090 proto 190", check=False).splitlines()
                   if line.startswith("blackhole"))
            for family in ("-4", "-6")]


def bird(host, name, own, peer, local_as, peer_as, director):
    place = f"/run/{host.name}"
    os.makedirs(place)
    with open(f"{place}/bird.conf", "w", encoding="utf-8") as stream:
        stream.write(BIRD.format(
            own=own, peer=peer, local_as=local_as, peer_as=peer_as, learn=LEARN if director else "",
            take="none" if director else "all", give="where krt_source = 190" if director else "none",
            next4="" if director else "", next6="next hop address fd00::1;" if director else ""))
    host.start(f"bird -f -c {place}/bird.conf -s {place}/ctl -P {place}/pid")
    return lambda command: run(f"birdc -s {place}/ctl {command}", check=False)


@bed.test
def test_routes_are_announced_and_withdrawn():
    net = Network()
    keeper = Keeper(net.director)
    keeper(f"announce {VIP}", f"announce {VIP}", f"announce {VIP6}", "announce 192.0.2.7")
    assert routes(net.director) == [[VIP, "192.0.2.7"], [VIP6]]
    keeper("withdraw 192.0.2.7", "withdraw 192.0.2.7")
    assert routes(net.director) == [[VIP], [VIP6]]


@bed.test
def test_routes_are_adopted():
    net = Network()
    first = Keeper(net.director)
    first(f"announce {VIP}", f"announce {VIP6}", "announce 192.0.2.7")
    first.kill()
    assert routes(net.director) == [[VIP, "192.0.2.7"], [VIP6]]
    again = Keeper(net.director)
    again(f"announce {VIP}", f"announce {VIP6}", f"withdraw-others {VIP} {VIP6}")
    assert routes(net.director) == [[VIP], [VIP6]]
    again("withdraw-others")
    assert routes(net.director) == [[], []]


@bed.test
def test_routes_are_repaired_and_strangers_left_alone():
    net = Network()
    net.director.run("ip route add blackhole 192.0.2.50/32 table 9090 proto static")
    net.director.run("ip route add blackhole 192.0.2.51/32 table 91 proto 190")
    keeper = Keeper(net.director)
    keeper(f"announce {VIP}", f"announce {VIP6}", "routes-reconcile")
    net.director.run(f"ip route del blackhole {VIP}/32 table 9090")
    net.director.run("ip route add blackhole 192.0.2.8/32 table 9090 proto 190")
    assert keeper.send("routes-reconcile") == "repaired"
    assert routes(net.director) == [[VIP], [VIP6]]
    assert "192.0.2.50" in net.director.run("ip route show table 9090")
    assert "192.0.2.51" in net.director.run("ip route show table 91")
    keeper("routes-reconcile")


@bed.test
def test_packets_do_not_see_the_table():
    net = Network(servers=1)
    keeper = Keeper(net.director)
    bed.simple(keeper, servers=("10.0.0.11",))
    keeper(f"announce {VIP}", f"announce {VIP6}")
    assert net.client.get(VIP) == "s1"


@bed.test
def test_two_birds():
    net = Network()
    keeper = Keeper(net.director)
    own = bird(net.director, "director", "10.0.0.1", "10.0.0.100", 65001, 65002, True)
    peer = bird(net.client, "router", "10.0.0.100", "10.0.0.1", 65002, 65001, False)

    def known():
        return peer("show route")

    keeper(f"announce {VIP}")
    try:
        eventually(lambda: VIP in known())
        keeper(f"announce {VIP6}")
        eventually(lambda: VIP6 in known())
        assert "via 10.0.0.1" in known()
        keeper(f"withdraw {VIP}")
        eventually(lambda: VIP + "/32" not in known())
        assert VIP6 in known()
        keeper.kill()
        again = Keeper(net.director)
        again(f"announce {VIP6}", "withdraw-others " + VIP6)
        assert VIP6 in known()
        again(f"withdraw {VIP6}")
        eventually(lambda: VIP6 not in known())
    finally:
        bed.note("director: " + own("show route all").replace("\n", "\n# "))
        bed.note("router: " + known().replace("\n", "\n# "))
        bed.note("router: " + peer("show protocols all").replace("\n", "\n# "))


bed.main()
