# SPDX-License-Identifier: ISC
"""What once took services down, done to drover-lvs."""
import os
import time

import bed
from bed import Network, eventually
from director import Director


@bed.test
def test_a_list_that_would_remove_the_pool_is_set_aside_until_it_is_accepted():
    net = Network(servers=3)
    director = Director(net).checked()
    director.write_list({"s1": 10, "s2": 10, "s3": 10}, disabled=("s1", "s2", "s3"))
    eventually(lambda: "set-aside" in director.alerts())
    assert director.weights() == {"s1": 10, "s2": 10, "s3": 10}
    assert director.service()["list"]["set_aside"]["servers"] == 3
    director.write_list({"s1": 10})
    eventually(lambda: director.service()["list"]["set_aside"]["servers"] == 1)
    assert director.weights() == {"s1": 10, "s2": 10, "s3": 10}
    director.lvs("accept", "web")
    director.becomes({"s1": 10})
    assert "set-aside" not in director.alerts()


@bed.test
def test_an_empty_list_keeps_the_last_one():
    net = Network(servers=2)
    director = Director(net).checked()
    director.write_list({})
    eventually(lambda: "set-aside" in director.alerts())
    assert director.weights() == {"s1": 10, "s2": 10}
    director.kill()
    director.start()
    assert director.weights() == {"s1": 10, "s2": 10}
    eventually(lambda: "set-aside" in director.alerts())
    director.write_list({"s1": 10, "s2": 5})
    director.becomes({"s1": 10, "s2": 5})
    eventually(lambda: "set-aside" not in director.alerts())


@bed.test
def test_a_list_replaced_without_care_never_shows_half_of_itself():
    net = Network(servers=3)
    director = Director(net, threshold=".1").checked()
    seen = []
    for round_number in range(3):
        text = open(director.list, encoding="utf-8").read().replace("'weight': 10", f"'weight': {20 + round_number}")
        with open(director.list, "w", encoding="utf-8") as stream:  # emptied first, then written line by line
            for line in text.splitlines(True):
                stream.write(line)
                stream.flush()
                seen.append(director.weights())
                time.sleep(0.2)
        director.becomes(dict.fromkeys(("s1", "s2", "s3"), 20 + round_number))
        open(director.list, "w", encoding="utf-8").write(text.replace(f"'weight': {20 + round_number}", "'weight': 10"))
        director.becomes(dict.fromkeys(("s1", "s2", "s3"), 10))
    assert all(len(weights) == 3 for weights in seen), seen


@bed.test
def test_a_list_that_is_gone_for_a_while_changes_nothing():
    net = Network(servers=2)
    director = Director(net).checked()
    os.rename(director.list, director.list + ".away")
    eventually(lambda: "list" in director.alerts(), 20)
    assert director.weights() == {"s1": 10, "s2": 10}
    director.write_list({"s1": 10, "s2": 3})
    director.becomes({"s1": 10, "s2": 3})


@bed.test
def test_half_the_servers_answer_301():
    net = Network(servers=4)
    director = Director(net, threshold=".5").checked()
    for name in ("s1", "s2"):
        net.restart_server(name, "301")
    director.becomes({"s3": 10, "s4": 10}, 20)
    assert "301" in director.server("s1")["why"]
    net.restart_server("s3", "301")
    eventually(lambda: director.server("s3")["held"], 20)
    assert director.weights() == {"s3": 10, "s4": 10}


@bed.test
def test_a_check_that_hangs_delays_no_other():
    net = Network(servers=3)
    director = Director(net, threshold=".1").checked()
    net.restart_server("s1", "silent")
    director.becomes({"s2": 10, "s3": 10}, 20)
    net.kill_server("s2")
    assert director.becomes({"s3": 10}) < 3


@bed.test
def test_a_command_that_hangs_for_ever_is_killed_and_delays_no_other():
    net = Network(servers=2)
    # Hangs for the one server, for ever, and with a child that ignores being asked.
    script = f"/run/{net.director.name}-check"
    with open(script, "w", encoding="utf-8") as stream:
        stream.write("#!/bin/sh\n[ \"$1\" = 10.0.0.12 ] && exit 0\ntrap '' TERM\nsleep 1000 & sleep 1001\n")
    os.chmod(script, 0o755)
    director = Director(net, monitors="[ 'RunCommand' ]", threshold=".1", **{
        "runcommand.command": script, "runcommand.arguments": "[ server.ip ]", "runcommand.timeout": "1",
        "runcommand.interval": "0.5"})
    director.becomes({"s2": 10}, 20)
    time.sleep(3)
    assert director.server("s2")["up"] is True
    sleeping = [line for line in bed.run("ps -eo args").splitlines() if line.startswith("sleep 100")]
    assert len(sleeping) <= 2, sleeping


@bed.test
def test_a_resolver_that_is_down_delays_nobody_who_has_an_address():
    net = Network(servers=2)
    director = Director(net, start=False, threshold=".1")
    with open(director.list, "a", encoding="utf-8") as stream:
        stream.write("{ 'host': 'nowhere.example.org', 'weight': 10, 'enabled': True }\n")
    begin = time.monotonic()
    director.start().checked("s1", "s2")
    director.becomes({"s1": 10, "s2": 10})
    assert time.monotonic() - begin < 15
    nowhere = director.server("nowhere.example.org")
    assert nowhere["ready"] is False and nowhere["pooled"] is False


@bed.test
def test_a_server_that_accepts_and_closes_is_down():
    net = Network(servers=2)
    director = Director(net, monitors="[ 'IdleConnection' ]", threshold=".1").checked()
    net.restart_server("s1", "close")
    director.becomes({"s2": 10}, 20)
    time.sleep(2)
    assert director.weights() == {"s2": 10}


@bed.test
def test_a_thousand_servers_fail_at_once():
    net = Network(servers=1)
    servers = {}
    with open(f"/run/{net.director.name}-thousand", "w", encoding="utf-8") as stream:
        for number in range(1000):
            address = f"10.0.{4 + number // 250}.{1 + number % 250}"
            servers[address] = number
            stream.write(f"{{ 'host': '{address}', 'weight': 1, 'enabled': True }}\n")
    host = net.servers["s1"]
    for network in range(4, 8):
        host.run(f"ip route add local 10.0.{network}.0/24 dev lo")
        net.director.run(f"ip route add 10.0.{network}.0/24 via 10.0.0.11")
    director = Director(net, start=False, threshold=".25", **{"proxyfetch.interval": "5"})
    os.rename(f"/run/{net.director.name}-thousand", director.list)
    director.start()
    eventually(lambda: sum(server["checked"] for server in director.service()["servers"]) == 1000, 60)
    assert len(director.weights()) == 1000
    net.kill_server("s1")
    eventually(lambda: not any(server["up"] for server in director.service()["servers"]), 60)
    found = director.service()["servers"]
    assert sum(server["held"] for server in found) == len(director.weights()) == 250
    net.start_server("s1")
    eventually(lambda: len(director.weights()) == 1000, 60)


@bed.test
def test_the_clock_jumps_by_an_hour():
    net = Network(servers=2)
    director = Director(net).checked()
    now = time.time()
    for jump in (3600, -3600):
        time.clock_settime(time.CLOCK_REALTIME, time.time() + jump)
        time.sleep(1.5)
        assert director.weights() == {"s1": 10, "s2": 10}
        assert director.alerts() == {}, director.alerts()
    net.kill_server("s1")
    assert director.becomes({"s2": 10}) < 3
    assert abs(time.time() - now) < 60


bed.main()
