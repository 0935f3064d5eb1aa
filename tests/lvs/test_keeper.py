# SPDX-License-Identifier: ISC
"""The keeper against the real IPVS: adopts, changes what differs, repairs, drains."""
import socket

import bed
from bed import SERVICE, VIP, Keeper, Network, eventually, listing, quiescent, simple, table, weights

LINE = f"-a -t {VIP}:80 -r"


@bed.test
def test_a_table_is_made_as_it_was_meant():
    net = Network()
    keeper = Keeper(net.director)
    simple(keeper)
    assert table(net.director) == [
        f"-A -t {VIP}:80 -s wrr", f"{LINE} 10.0.0.11:80 -g -w 10", f"{LINE} 10.0.0.12:80 -g -w 10"]


@bed.test
def test_what_is_right_already_is_not_touched():
    net = Network()
    first = Keeper(net.director)
    simple(first)
    first.kill()
    again = Keeper(net.director)
    simple(again)
    assert again.figures()["changes"] == 0 and again.figures()["repairs"] == 0
    assert weights(net.director) == {"10.0.0.11:80": 10, "10.0.0.12:80": 10}


@bed.test
def test_only_what_differs_is_changed():
    net = Network()
    first = Keeper(net.director)
    simple(first)
    first.kill()
    net.director.run(f"ipvsadm -e -t {VIP}:80 -r 10.0.0.12 -w 3")
    again = Keeper(net.director)
    simple(again, servers=("10.0.0.11", "10.0.0.12", "10.0.0.13"))
    assert again.figures()["changes"] == 2
    assert weights(net.director) == {"10.0.0.11:80": 10, "10.0.0.12:80": 10, "10.0.0.13:80": 10}


@bed.test
def test_a_connection_survives_the_keeper():
    net = Network(servers=1)
    first = Keeper(net.director)
    simple(first, servers=("10.0.0.11",))
    connection = net.client.connect(VIP)
    assert bed.ask(connection) == "s1"
    first.kill()
    simple(Keeper(net.director), servers=("10.0.0.11",))
    assert bed.ask(connection) == "s1"


@bed.test
def test_a_table_changed_by_hand_is_repaired():
    net = Network()
    keeper = Keeper(net.director)
    simple(keeper)
    before = table(net.director)
    net.director.run(f"ipvsadm -E -t {VIP}:80 -s rr -p 20")
    net.director.run(f"ipvsadm -d -t {VIP}:80 -r 10.0.0.11")
    net.director.run(f"ipvsadm -e -t {VIP}:80 -r 10.0.0.12 -i -w 1")
    keeper("reconcile")
    assert table(net.director) == before
    assert keeper.figures()["repairs"] == 3
    net.director.run("ipvsadm -C")
    keeper("reconcile")
    assert table(net.director) == before


@bed.test
def test_an_order_that_fails_leads_to_a_repair():
    net = Network()
    keeper = Keeper(net.director)
    simple(keeper)
    net.director.run("ipvsadm -C")
    keeper(f"serve {SERVICE} 10.0.0.13 10")
    assert weights(net.director) == {"10.0.0.11:80": 10, "10.0.0.12:80": 10, "10.0.0.13:80": 10}
    assert not any(event.startswith("trouble") for event in keeper.events)


@bed.test
def test_strangers_are_left_alone():
    net = Network()
    net.director.run("ipvsadm -A -t 192.0.2.9:443 -s lc -p 77")
    net.director.run("ipvsadm -a -t 192.0.2.9:443 -r 10.0.0.19 -w 4")
    net.director.run("ipvsadm -A -f 5 -s rr")
    before = set(table(net.director))
    keeper = Keeper(net.director)
    simple(keeper)
    keeper("reconcile", f"remove-service {SERVICE}")
    assert set(table(net.director)) == before


@bed.test
def test_strangers_go_when_all_is_ours():
    net = Network()
    net.director.run("ipvsadm -A -t 192.0.2.9:443 -s lc -p 77")
    net.director.run("ipvsadm -a -t 192.0.2.9:443 -r 10.0.0.19 -w 4")
    net.director.run("ipvsadm -A -f 5 -s rr")
    net.director.run("ipvsadm -A -f 6 -6 -s rr")
    keeper = Keeper(net.director, "--own-all")
    simple(keeper)
    assert list(listing(net.director)) == [f"tcp {VIP}:80"]


@bed.test
def test_a_drained_server_leaves_with_its_last_connection():
    net = Network(servers=2)
    keeper = Keeper(net.director)
    simple(keeper)
    one, other = net.client.connect(VIP), net.client.connect(VIP)
    names = [bed.ask(one), bed.ask(other)]
    assert sorted(names) == ["s1", "s2"]
    kept = one if names[0] == "s1" else other
    keeper(f"drain {SERVICE} 10.0.0.11")
    assert weights(net.director) == {"10.0.0.11:80": 0, "10.0.0.12:80": 10}
    assert {net.client.get(VIP) for _ in range(6)} == {"s2"}
    assert keeper.figures()["draining"] == 1
    keeper("reconcile")
    assert bed.ask(kept) == "s1"
    kept.close()
    keeper.wait_for("drained 10.0.0.11")
    assert weights(net.director) == {"10.0.0.12:80": 10}
    assert keeper.figures()["draining"] == 0


def who_answers(client, seconds=1):
    """A UDP client that keeps its port: the name of its server, None for silence."""
    client.settimeout(seconds)
    client.sendto(b"who?", (VIP, 53))
    try:
        return client.recv(100).decode()
    except TimeoutError:
        return None


@bed.test
def test_udp_is_not_waited_for_and_known_clients_need_a_sysctl():
    net = Network(servers=2)
    for name, host in net.servers.items():
        host.start(f"/usr/bin/python3 {bed.HERE}/udp_server.py {VIP} 53 {name}")
    keeper = Keeper(net.director)
    udp = f"udp {VIP} 53"
    keeper(f"service {udp} rr dr 0 300000", f"serve {udp} 10.0.0.11 10", f"serve {udp} 10.0.0.12 10", "start")
    with net.client:
        clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    before = [eventually(lambda: who_answers(client)) for client in clients]
    assert sorted(before) == ["s1", "s2"]
    counts = listing(net.director)[f"udp {VIP}:53"]["servers"]["10.0.0.11:53"]
    assert (counts["active"], counts["inactive"]) == (0, 1)
    keeper(f"drain {udp} 10.0.0.11")
    keeper.wait_for("drained 10.0.0.11")
    known = clients[before.index("s1")]
    assert who_answers(known) is None and who_answers(known) is None
    net.director.sysctl("net.ipv4.vs.expire_nodest_conn", 1)
    assert eventually(lambda: who_answers(known)) == "s2"


@bed.test
def test_a_server_that_is_served_again_stops_draining():
    net = Network(servers=2)
    keeper = Keeper(net.director)
    simple(keeper)
    net.client.connect(VIP), net.client.connect(VIP)
    keeper(f"drain {SERVICE} 10.0.0.11", f"serve {SERVICE} 10.0.0.11 7")
    assert weights(net.director) == {"10.0.0.11:80": 7, "10.0.0.12:80": 10}
    assert keeper.figures()["draining"] == 0 and keeper.events == []


@bed.test
def test_a_drain_ends_with_its_time():
    net = Network(servers=1)
    keeper = Keeper(net.director)
    simple(keeper, drain_ms=1500, servers=("10.0.0.11",))
    connection = net.client.connect(VIP)
    assert bed.ask(connection) == "s1"
    keeper(f"drain {SERVICE} 10.0.0.11")
    assert weights(net.director) == {"10.0.0.11:80": 0}
    keeper.wait_for("drained 10.0.0.11")
    assert weights(net.director) == {}


@bed.test
def test_a_server_that_stays_is_told_once_and_stays():
    net = Network(servers=1)
    keeper = Keeper(net.director)
    simple(keeper, servers=("10.0.0.11", "10.0.0.12"))
    keeper(f"stay {SERVICE} 10.0.0.11")
    keeper.wait_for("drained 10.0.0.11")
    keeper("reconcile", "reconcile")
    assert weights(net.director) == {"10.0.0.11:80": 0, "10.0.0.12:80": 10}
    assert keeper.events == ["drained 10.0.0.11"]


@bed.test
def test_a_server_that_nobody_knows_drains():
    net = Network(servers=2)
    first = Keeper(net.director)
    simple(first)
    first.kill()
    connections = [net.client.connect(VIP) for _ in range(2)]
    again = Keeper(net.director)
    simple(again, servers=("10.0.0.12",))
    assert weights(net.director) == {"10.0.0.11:80": 0, "10.0.0.12:80": 10}
    assert sorted(map(bed.ask, connections)) == ["s1", "s2"]
    for connection in connections:
        connection.close()
    again.wait_for("drained 10.0.0.11")
    assert weights(net.director) == {"10.0.0.12:80": 10}


@bed.test
def test_dh_does_not_drain():
    net = Network(servers=2)
    keeper = Keeper(net.director)
    simple(keeper, scheduler="dh")
    keeper(f"drain {SERVICE} 10.0.0.11")
    assert weights(net.director) == {"10.0.0.12:80": 10}
    assert keeper.events == ["drained 10.0.0.11"]


@bed.test
def test_a_forgotten_service_goes_when_it_is_empty():
    net = Network(servers=2)
    keeper = Keeper(net.director)
    simple(keeper)
    connection = net.client.connect(VIP)
    name = bed.ask(connection)
    keeper(f"forget {SERVICE}")
    assert weights(net.director) == {"10.0.0.11:80": 0, "10.0.0.12:80": 0}
    eventually(lambda: len(weights(net.director)) == 1)
    assert bed.ask(connection) == name
    connection.close()
    eventually(lambda: weights(net.director) is None)


@bed.test
def test_settings_change_in_place():
    net = Network(servers=2)
    keeper = Keeper(net.director)
    quiescent(net.director)
    simple(keeper)
    connections = [net.client.connect(VIP) for _ in range(2)]
    keeper(f"service {SERVICE} sh tunnel 60500 1000")
    found = listing(net.director)[f"tcp {VIP}:80"]
    assert found["scheduler"] == "sh" and found["rest"] == "(sh-fallback) persistent 61"
    assert {server["forward"] for server in found["servers"].values()} == {"Tunnel"}
    assert sum(server["active"] for server in found["servers"].values()) == 2
    keeper(f"service {SERVICE} wrr dr 0 1000")
    assert sorted(map(bed.ask, connections)) == ["s1", "s2"]
    assert table(net.director)[0] == f"-A -t {VIP}:80 -s wrr"


@bed.test
def test_persistence_without_its_sysctl_is_trouble():
    net = Network()
    keeper = Keeper(net.director)
    simple(keeper, persistence_ms=300000)
    assert len(keeper.events) == 1 and "sysctl -w net.ipv4.vs.expire_quiescent_template=1" in keeper.events[0]
    quiescent(net.director)
    keeper("reconcile")
    assert keeper.events[1:] == ["trouble none"]


@bed.test
def test_a_refusal_is_trouble_until_it_is_over():
    net = Network()
    keeper = Keeper(net.director)
    keeper(f"service {SERVICE} wrr dr 0 1000", f"serve {SERVICE} fd00::11 10", "start")
    assert len(keeper.events) == 1 and "`ipvsadm -a -t 192.0.2.1:80 -r" in keeper.events[0], keeper.events
    keeper(f"remove {SERVICE} fd00::11", "reconcile")
    assert keeper.events[1:] == ["trouble none"]


@bed.test
def test_a_scheduler_that_is_too_small_is_trouble():
    net = Network()
    keeper = Keeper(net.director)
    keeper(f"service {SERVICE} mh dr 0 1000", f"fill {SERVICE} 4100", "start")
    assert len(keeper.events) == 1 and f"`ipvsadm -E -t {VIP}:80 -s mh -b mh-fallback`" in keeper.events[0], keeper.events
    assert len(weights(net.director)) == 4100
    keeper(f"service {SERVICE} wrr dr 0 1000")
    eventually(lambda: listing(net.director)[f"tcp {VIP}:80"]["scheduler"] == "wrr")
    keeper("reconcile")
    assert keeper.events[1:] == ["trouble none"]


@bed.test
def test_a_dry_run_prints_and_does_nothing():
    net = Network()
    net.director.run(f"ipvsadm -A -t {VIP}:80 -s rr")
    net.director.run(f"ipvsadm -a -t {VIP}:80 -r 10.0.0.12 -w 10")
    keeper = Keeper(net.director, "--dry-run")
    simple(keeper)
    keeper(f"drain {SERVICE} 10.0.0.11")
    keeper(f"serve {SERVICE} 10.0.0.12 10")
    assert keeper.events == [
        f"{LINE} 10.0.0.11 -w 10", f"-E -t {VIP}:80 -s wrr",  # what differs
        f"-d -t {VIP}:80 -r 10.0.0.11", "drained 10.0.0.11",  # no connection to wait for
        f"-e -t {VIP}:80 -r 10.0.0.12 -w 10"], keeper.events  # said again
    assert table(net.director) == [f"-A -t {VIP}:80 -s rr", f"{LINE} 10.0.0.12:80 -g -w 10"]


bed.main()
