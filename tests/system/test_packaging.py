# SPDX-License-Identifier: ISC
"""What is installed beside the programs is fit for them."""
import configparser
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


def test_the_user_of_the_services_is_declared():
    text = (ROOT / "packaging/sysusers.d/drover.conf").read_text()
    assert re.search(r'^u drover - "Drover" /var/lib/drover$', text, flags=re.M)


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
        server = Droverd(drover)
        told = [listener.recv(100).decode()]
        while told[-1] != "WATCHDOG=1":
            told.append(listener.recv(100).decode())
        assert server.stop() == 0
        while told[-1] != "STOPPING=1":
            told.append(listener.recv(100).decode())
    assert told[0] == "READY=1"
