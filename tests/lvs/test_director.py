# SPDX-License-Identifier: ISC
"""drover-lvs with a client, real servers and the real IPVS: what happens to requests when things break."""
import signal
import time

import bed
from bed import VIP, Network, eventually
from director import Director, face


@bed.test
def test_the_last_servers_are_held():
    net = Network(servers=3)
    director = Director(net, threshold=".5").checked()
    for name in ("s1", "s2", "s3"):
        net.kill_server(name)
    eventually(lambda: not any(director.server(name)["up"] for name in net.servers))
    held = [name for name in net.servers if director.server(name)["held"]]
    assert len(held) == 2, held
    assert set(director.weights()) == set(held)
    assert "marked down but pooled" in face(director, "/alerts")
    assert "held" in director.alerts()
    for name in ("s1", "s2", "s3"):
        net.start_server(name)
    director.becomes({"s1": 10, "s2": 10, "s3": 10})
    eventually(lambda: "held" not in director.alerts())


@bed.test
def test_a_drain_waits_for_open_connections():
    net = Network(servers=2)
    director = Director(net, threshold=".4").checked()
    connections = [net.client.connect(VIP) for _ in range(4)]
    names = [bed.ask(connection) for connection in connections]
    director.lvs("drain", "web", director.address("s1"))
    director.becomes({"s1": 0, "s2": 10})
    assert [bed.ask(connection) for connection in connections] == names
    assert {net.client.get(VIP) for _ in range(10)} == {"s2"}
    eventually(lambda: director.server("s1")["active"] == names.count("s1"))
    assert director.server("s1")["drain"] == "draining"
    for connection in connections:
        connection.close()
    eventually(lambda: director.server("s1")["drain"] == "drained", 150)
    director.lvs("undrain", "web", director.address("s1"))
    director.becomes({"s1": 10, "s2": 10})


@bed.test
def test_a_drain_is_refused_when_too_few_would_be_left_and_outlasts_a_kill():
    net = Network(servers=3)
    director = Director(net, threshold=".6").checked()
    director.lvs("drain", "web", director.address("s1"))
    assert "left" in director.refused("drain", "web", director.address("s2"))
    director.becomes({"s1": 0, "s2": 10, "s3": 10})
    director.kill()
    director.start()
    director.becomes({"s1": 0, "s2": 10, "s3": 10})
    assert director.server("s1")["drain"] in ("draining", "drained")
    net.kill_server("s2")
    director.becomes({"s1": 10, "s3": 10})
    assert director.address("s1") + " (of root)" in director.alerts()["revoked"]
    director.lvs("undrain", "web", director.address("s1"))
    assert "revoked" not in director.alerts()


@bed.test
def test_kill_and_restart_under_load_fail_no_request_and_touch_no_counter():
    net = Network(servers=3)
    director = Director(net).checked()
    load = net.client.load(VIP)
    connection = net.client.connect(VIP)
    name = bed.ask(connection)
    eventually(lambda: sum(director.connections().values()) > 30, 20)
    for round_number in range(3):
        before = director.connections()
        director.kill()
        time.sleep(0.5)
        director.start().checked()
        time.sleep(2.2)
        after = director.connections()
        assert all(after[server] >= before[server] > 0 for server in before), (round_number, before, after)
        assert director.status()["figures"]["kernel"]["changes"] == 0, director.status()["figures"]
    assert bed.ask(connection) == name
    assert director.stop() == 0
    time.sleep(0.5)
    assert director.weights() == {"s1": 10, "s2": 10, "s3": 10}
    served = load.stop()
    assert served["failures"] == 0 and served["requests"] > 100, served


@bed.test
def test_reload_and_restart_in_place_fail_no_request():
    net = Network(servers=3)
    director = Director(net).checked()
    load = net.client.load(VIP)
    director.process.send_signal(signal.SIGHUP)
    time.sleep(1)
    director.process.send_signal(signal.SIGUSR1)
    assert director.process.wait(20) == 75  # what the unit starts again at once
    director.start().checked()
    director.process.send_signal(signal.SIGHUP)
    time.sleep(1)
    assert director.weights() == {"s1": 10, "s2": 10, "s3": 10}
    served = load.stop()
    assert served["failures"] == 0 and served["requests"] > 50, served


@bed.test
def test_reload_applies_the_difference_only():
    net = Network(servers=3)
    director = Director(net).checked()
    net.kill_server("s3")
    director.becomes({"s1": 10, "s2": 10})
    net.client.get(VIP)
    before = eventually(lambda: sum(director.connections().values()))
    director.write_config(scheduler="rr", threshold=".3")
    director.lvs("reload")
    eventually(lambda: bed.listing(director.host)[f"tcp {VIP}:80"]["scheduler"] == "rr")
    assert director.weights() == {"s1": 10, "s2": 10}
    assert director.server("s3")["up"] is False
    net.client.get(VIP)
    eventually(lambda: sum(director.connections().values()) == before + 1)


@bed.test
def test_a_configuration_with_errors_changes_nothing():
    net = Network(servers=2)
    director = Director(net).checked()
    director.write_config(scheduler="bogus")
    assert "scheduler" in director.refused("reload")
    assert director.weights() == {"s1": 10, "s2": 10}
    assert "configuration" in director.alerts()
    director.write_config(scheduler="wrr")
    director.lvs("reload")
    assert "configuration" not in director.alerts()


@bed.test
def test_strangers_are_left_alone():
    net = Network(servers=1)
    net.director.run("ipvsadm -A -t 192.0.2.9:25 -s lc")
    net.director.run("ipvsadm -a -t 192.0.2.9:25 -r 10.0.0.55 -i -w 7")
    director = Director(net).checked()
    director.lvs("reload")
    director.stop()
    assert bed.listing(net.director)["tcp 192.0.2.9:25"]["servers"]["10.0.0.55:25"]["weight"] == 7


@bed.test
def test_a_table_edited_by_hand_is_repaired_within_a_minute():
    net = Network(servers=2)
    director = Director(net).checked()
    net.director.run(f"ipvsadm -d -t {VIP}:80 -r 10.0.0.11")
    net.director.run(f"ipvsadm -e -t {VIP}:80 -r 10.0.0.12 -g -w 99")
    director.becomes({"s1": 10, "s2": 10}, 75)


@bed.test
def test_weight_0_is_weight_0():
    net = Network(servers=2)
    director = Director(net, servers={"s1": 10, "s2": 0}).checked("s1")
    director.becomes({"s1": 10, "s2": 0})
    assert {net.client.get(VIP) for _ in range(10)} == {"s1"}


@bed.test
def test_a_server_in_maintenance_is_asked_only_when_no_other_is_up():
    net = Network(servers=2)
    director = Director(net, threshold=".5").checked()
    net.restart_server("s1", "maintenance")
    director.becomes({"s2": 10}, 20)
    # While it starts again it is simply down; what it says of itself comes with the next check.
    eventually(lambda: director.server("s1")["maintenance"], 20)
    net.restart_server("s2", "maintenance")
    director.becomes({"s1": 10, "s2": 10}, 20)
    eventually(lambda: director.alerts() == {} or set(director.alerts()) == {"floor"})


@bed.test
def test_slow_start_ramps_the_weight():
    net = Network(servers=2)
    director = Director(net, weight=100, slow_start="8").checked()
    net.kill_server("s1")
    director.becomes({"s2": 100})
    net.start_server("s1")
    eventually(lambda: "s1" in director.weights())
    early = director.weights()["s1"]
    assert early < 60, early
    director.becomes({"s1": 100, "s2": 100}, 20)


@bed.test
def test_the_idle_connection_sees_a_death_at_once():
    net = Network(servers=2)
    director = Director(net, monitors="[ 'IdleConnection' ]").checked()
    net.kill_server("s1")
    took = director.becomes({"s2": 10})
    assert took < 2, took
    net.start_server("s1")
    director.becomes({"s1": 10, "s2": 10}, 20)


bed.main()
