# SPDX-License-Identifier: ISC
"""drover-lvs and two BIRDs: the router knows the service's address while the pool can serve, and only then."""
import time

import bed
from bed import VIP, Network, eventually
from bird import bird
from director import Director


def announced(net):
    return VIP in net.director.run("ip route show table 9090 proto 190", check=False)


@bed.test
def test_the_route_follows_the_pool_and_outlives_a_crash_but_not_a_stop():
    net = Network(servers=2)
    bird(net.director, "director", "10.0.0.1", "10.0.0.100", 65001, 65002, True)
    router = bird(net.client, "router", "10.0.0.100", "10.0.0.1", 65002, 65001, False)

    def is_known():
        return f"{VIP}/32" in router("show route")

    director = Director(net, everywhere="bgp = yes", threshold=".5").checked()
    eventually(is_known, 60)
    assert director.service()["route"] == "announced"
    for name in net.servers:
        net.kill_server(name)
    eventually(lambda: not announced(net), 20)  # one is held, but none can serve
    eventually(lambda: not is_known(), 20)
    assert len(director.weights()) == 1
    net.start_server("s1")
    eventually(is_known, 30)
    director.kill()
    time.sleep(2)
    assert announced(net) and is_known()
    director.start()
    for _ in range(20):
        assert announced(net) and is_known()
        time.sleep(0.1)
    director.checked("s1")
    assert director.stop() == 0
    assert not announced(net)  # gone before the program was
    eventually(lambda: not is_known(), 20)
    assert director.weights() == {"s1": 10}


@bed.test
def test_announce_min_is_how_many_must_be_able():
    net = Network(servers=3)
    director = Director(net, everywhere="bgp = yes", threshold=".1", announce_min="2").checked()
    eventually(lambda: announced(net))
    net.kill_server("s1")
    director.becomes({"s2": 10, "s3": 10})
    assert announced(net)
    net.kill_server("s2")
    eventually(lambda: not announced(net))
    net.start_server("s2")
    eventually(lambda: announced(net))


@bed.test
def test_maintenance_counts_as_able():
    net = Network(servers=1)
    director = Director(net, everywhere="bgp = yes").checked()
    eventually(lambda: announced(net))
    net.restart_server("s1", "maintenance")
    eventually(lambda: director.server("s1")["maintenance"])
    time.sleep(1)
    assert announced(net) and director.weights() == {"s1": 10}


bed.main()
