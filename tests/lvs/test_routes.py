# SPDX-License-Identifier: ISC
"""Routes: what the kernel has, and what two real BIRDs make of it."""
import bed
from bed import VIP, VIP6, Keeper, Network, eventually
from bird import bird

def routes(director):
    return [sorted(line.split()[1] for line in director.run(f"ip {family} route show table 9090 proto 190", check=False).splitlines()
                   if line.startswith("blackhole"))
            for family in ("-4", "-6")]


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
    except BaseException:
        bed.note("director: " + own("show route all").replace("\n", "\n# "))
        bed.note("router: " + known().replace("\n", "\n# "))
        bed.note("router: " + peer("show protocols all").replace("\n", "\n# "))
        raise


bed.main()
