# SPDX-License-Identifier: ISC
"""Every way of forwarding, v4 and v6, and every way of hashing: what clients meet when a server dies or is drained."""
import time

import bed
from bed import VIP, VIP6, Network, eventually
from director import Director


def forward_case(forward, family):
    """A killed server leaves within one check's time, requests go on; it is back when it recovers."""
    net = Network(servers=3)
    vip = VIP if family == 4 else VIP6
    if forward == "tunnel":
        net.tunnelling(family)
    if forward == "masquerade":
        net.masquerading(family)
    director = Director(net, forward=forward, family=family).checked()
    director.becomes({"s1": 10, "s2": 10, "s3": 10})
    load = net.client.load(vip)
    eventually(lambda: min(director.connections().values()) > 3, 20)
    net.kill_server("s2")
    took = director.becomes({"s1": 10, "s3": 10})
    assert took < 3, f"it took {took:.1f} s; the interval is 0.5 s"
    assert director.server("s2")["up"] is False
    served = load.stop()
    # One at a time: those that met the dead server before it left were refused at once.
    assert served["requests"] - served["failures"] > 20, served
    after = net.client.load(vip)
    time.sleep(1)
    served = after.stop()
    assert served["failures"] == 0 and set(served["servers"]) == {"s1", "s3"}, served
    net.start_server("s2")
    director.becomes({"s1": 10, "s2": 10, "s3": 10})
    assert {net.client.get(vip) for _ in range(12)} == {"s1", "s2", "s3"}


@bed.test
def test_direct_routing():
    forward_case("dr", 4)


@bed.test
def test_direct_routing_v6():
    forward_case("dr", 6)


@bed.test
def test_masquerading():
    forward_case("masquerade", 4)


@bed.test
def test_masquerading_v6():
    forward_case("masquerade", 6)


@bed.test
def test_tunnel():
    forward_case("tunnel", 4)


@bed.test
def test_tunnel_v6():
    forward_case("tunnel", 6)


def hashing_case(scheduler, **words):
    """Many clients, one server drained: who had it goes on, no new connection meets it, and nobody is lost."""
    net = Network(servers=3)
    net.director.sysctl("net.ipv4.vs.expire_quiescent_template", 1)
    director = Director(net, scheduler=scheduler, threshold=".4", **words).checked()
    for number in range(20):
        net.client.run(f"ip addr add 10.0.1.{number + 1}/32 dev eth0")
        net.director.run(f"ip route replace 10.0.1.{number + 1}/32 dev eth0", check=False)
        for server in net.servers.values():
            server.run(f"ip route replace 10.0.1.{number + 1}/32 dev eth0", check=False)
    sources = [f"10.0.1.{number + 1}" for number in range(20)]
    first = {source: net.client.get(VIP, source=source) for source in sources}
    assert len(set(first.values())) >= 2, first
    assert {source: net.client.get(VIP, source=source) for source in sources} == first
    victim = sorted(set(first.values()))[0]
    director.lvs("drain", "web", director.address(victim))
    eventually(lambda: director.weights()[victim] == 0)
    after = {source: net.client.get(VIP, source=source) for source in sources}
    assert victim not in after.values(), after
    if scheduler == "mh" or "persistence" in words:
        moved = [source for source in sources if first[source] != victim and after[source] != first[source]]
        assert len(moved) <= 4, (first, after)


@bed.test
def test_a_drain_under_sh_loses_no_client():
    hashing_case("sh")


@bed.test
def test_a_drain_under_mh_loses_no_client():
    hashing_case("mh")


@bed.test
def test_a_drain_under_persistence_loses_no_client():
    hashing_case("wrr", persistence="300")


@bed.test
def test_dh_refuses_drains():
    net = Network(servers=2)
    director = Director(net, scheduler="dh", threshold=".1").checked()
    assert "dh" in director.refused("drain", "web", director.address("s1"))


bed.main()
