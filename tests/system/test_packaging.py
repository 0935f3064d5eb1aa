# SPDX-License-Identifier: ISC
"""What is installed beside the programs is fit for them."""
import configparser
import json
import re
import shutil
import socket
import subprocess

import pytest

from conftest import BUILD, ROOT, Droverd

UNITS = sorted((ROOT / "packaging/systemd").iterdir())


def unit(name):
    """section -> key -> values; a key may stand there several times."""
    read, section = {}, None
    for line in (ROOT / "packaging/systemd" / name).read_text().splitlines():
        if line.startswith("["):
            section = read.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return read


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_understands_the_units(tmp_path):
    for path in UNITS:
        text = re.sub(r"/usr/bin/(?=drover)", f"{BUILD}/", path.read_text())
        (tmp_path / path.name).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
                          capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "drover" in line]
    assert ours == [] and done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["droverd.service", "drover-run.service"])
def test_a_service_is_nobody_who_may_do_anything(name):
    service = unit(name)["Service"]
    assert service["User"] == ["drover"]
    assert service["StateDirectory"] == ["drover"]
    assert service["NoNewPrivileges"] == ["yes"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["CapabilityBoundingSet"] == [""]


def test_the_balancer_may_change_the_network_and_nothing_else():
    read = unit("drover-lvs.service")
    service = read["Service"]
    assert service["User"] == ["drover-lvs"]
    assert service["AmbientCapabilities"] == service["CapabilityBoundingSet"] == ["CAP_NET_ADMIN"]
    assert service["NoNewPrivileges"] == ["yes"] and service["ProtectSystem"] == ["strict"]
    assert "AF_PACKET" not in service["RestrictAddressFamilies"][0]
    assert service["Type"] == ["notify"] and service["WatchdogSec"] == ["30s"]


def test_the_balancer_is_started_again_after_a_pause_and_after_a_crash():
    read = unit("drover-lvs.service")
    header = (ROOT / "src/programs/drover-lvs/run.h").read_text()
    status = re.search(r"#define RUN_RESTART_STATUS (\d+)", header)[1]
    assert read["Service"]["RestartForceExitStatus"] == read["Service"]["SuccessExitStatus"] == [status]
    assert read["Service"]["Restart"] == ["always"] and read["Unit"]["StartLimitIntervalSec"] == ["0"]


def test_the_balancers_example_is_a_configuration_also_with_everything_in_it(tmp_path):
    text = (ROOT / "packaging/drover-lvs.conf").read_text()
    everything = re.sub(r"^# (?=\[|[a-z.-]+ = )", "", text, flags=re.M)
    for name, written in (("as-it-is.conf", text), ("all.conf", everything)):
        (tmp_path / name).write_text(written)
        done = subprocess.run([BUILD / "drover-lvs", "check-config", tmp_path / name], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0 and "error" not in done.stderr, done.stderr
    assert done.stderr == "" and "1 services" in done.stdout


def test_what_a_node_runs_outlives_the_node():
    for name in ("drover-node.service", "drover-node-hold@.service"):
        read = unit(name)
        assert read["Service"]["KillMode"] == ["process"], name
        assert read["Service"]["Restart"] == ["always"] and read["Unit"]["StartLimitIntervalSec"] == ["0"], name
        assert read["Service"]["Type"] == ["notify"] and read["Service"]["ProtectSystem"] == ["full"], name


def test_the_store_of_descriptors_has_room_for_all_sockets_of_a_product():
    header = (ROOT / "src/node/config.h").read_text()
    most = re.search(r"#define NODE_MAXIMUM_LISTENS\s+(\d+)", header)[1]
    assert unit("drover-node-hold@.service")["Service"]["FileDescriptorStoreMax"] == [most]


def test_the_end_of_a_node_leaves_time_for_an_activation():
    header = (ROOT / "src/programs/drover-node/daemon.h").read_text()
    waits_s = int(re.search(r"#define DAEMON_ENDS_S\s+(\d+)", header)[1])
    assert int(unit("drover-node.service")["Service"]["TimeoutStopSec"][0].rstrip("s")) > waits_s


def test_the_nodes_example_is_a_configuration_also_with_everything_in_it(tmp_path):
    text = (ROOT / "packaging/node.conf").read_text()
    everything = re.sub(r"^# (?=\[|[a-z-]+ = )", "", text, flags=re.M)
    held = re.sub(r"^## ", "", re.sub(r"^unit = .*\n", "", everything, flags=re.M), flags=re.M)
    for name, written, products in (("as-it-is.conf", text, 0), ("all.conf", everything, 1), ("held.conf", held, 1)):
        (tmp_path / name).write_text(written)
        done = subprocess.run([BUILD / "drover-node", "check-config", tmp_path / name, "--json"], capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert len(json.loads(done.stdout)["products"]) == products


def test_the_users_of_the_services_are_declared():
    text = (ROOT / "packaging/sysusers.d/drover.conf").read_text()
    assert re.search(r'^u drover - "Drover" /var/lib/drover$', text, flags=re.M)
    assert re.search(r"^u drover-lvs - \"Drover's balancer\" /var/lib/drover-lvs$", text, flags=re.M)


def test_the_example_is_a_configuration_also_with_everything_in_it(drover, tmp_path):
    text = (ROOT / "packaging/drover.conf").read_text()
    (tmp_path / "as-it-is.conf").write_text(text)
    (tmp_path / "all.conf").write_text(re.sub(r"^# (?=[a-z-]+ = )", "", text, flags=re.M))
    for name in ("as-it-is.conf", "all.conf"):
        drover(f"config check {name}", alone=True)
    read = configparser.ConfigParser(interpolation=None)
    read.read(tmp_path / "all.conf")
    assert read["mail"]["from"] == "Drover <drover@example.org>"


def test_systemd_is_told_when_droverd_is_ready_and_that_it_lives(drover, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(30)
        drover("status")
        drover.environment["NOTIFY_SOCKET"] = str(path)
        server = Droverd(drover.place, drover.environment, folder=drover.folder)
        told = [listener.recv(100).decode()]
        while told[-1] != "WATCHDOG=1":
            told.append(listener.recv(100).decode())
        assert server.stop() == 0
        while told[-1] != "STOPPING=1":
            told.append(listener.recv(100).decode())
    assert told[0] == "READY=1"
