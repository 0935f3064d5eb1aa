# SPDX-License-Identifier: ISC
"""A real drover-lvs and a real droverd: docs/pools.md from end to end, but for the kernel."""
import os
import pwd
import subprocess

import pytest

import beds
from beds import Client, daemons  # noqa: F401 (fixture)
from conftest import Drover, frozen_environment
from lvs_bed import PROGRAM, Balancer, servers, until

pytestmark = pytest.mark.slow

HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


class House:
    """droverd with pool web, and a balancer that has its list from there and checks three servers."""

    def __init__(self, folder, daemons, settings=""):
        self.drover = Drover(folder, frozen_environment(folder))
        self.drover.state.mkdir(mode=0o700)
        beds.configure(self.drover, f"[clock]\nscan-every = 0\nremind-every = 0\n{settings}")
        self.drover(f"pool add web {' '.join(HOSTS)}")
        self.daemons = daemons
        self.daemon = daemons(self.drover)
        self.servers = servers(3)
        self.lvs = Balancer(self.drover.environment)
        self.token_file = self.lvs.folder / "token"

    def invite(self, name="lb1"):
        return self.drover.json(f"host invite {name} --kind balancer")["code"]

    def give_token(self, secret):
        """Whole, or not at all, and readable for the balancer alone."""
        new = self.lvs.folder / ".token"
        new.touch(mode=0o600)
        new.write_text(secret + "\n")
        if os.geteuid() == 0:
            os.chown(new, pwd.getpwnam("nobody").pw_uid, -1)
        new.rename(self.token_file)

    def enrol_by_command(self, code, *options, scheme="http"):
        user = ["--user", "nobody"] if os.geteuid() == 0 else []
        return subprocess.run(
            [PROGRAM, "enrol", "--server", f"{scheme}://127.0.0.1:{self.daemon.port}", "--token-file", self.token_file,
             *user, *options], input=code + "\n", capture_output=True, text=True, timeout=60)

    def enrol(self, name="lb1"):
        self.give_token(Client(self.daemon.port)("POST", "/enrol", {"code": self.invite(name)}).json["secret"])

    def balance(self, general="", host="127.0.0.1"):
        self.lvs.configure(self.servers[0].port, general=f"droverd-token-file = {self.token_file}\n{general}",
                           config=f"drover://{host}:{self.daemon.port}/pools/web")
        self.lvs.start()
        return self.lvs

    def pool(self):
        return self.drover.json("pool show web")

    def sight(self, host):
        """What the balancer says of it; None before its first report."""
        server = next(each for each in self.pool()["servers"] if each["host"] == host)
        return next((sight for sight in server["sights"]), None)

    def alerts(self):
        return [alert["text"] for alert in self.lvs.ask({"command": "status"})["answer"]["alerts"]]

    def close(self):
        self.lvs.close()
        for server in self.servers:
            server.close()


@pytest.fixture
def houses(tmp_path, daemons):  # noqa: F811
    made = []

    def make(settings=""):
        made.append(House(tmp_path, daemons, settings))
        return made[-1]
    yield make
    for house in made:
        house.close()


@pytest.fixture
def running(houses):
    house = houses()
    house.enrol()
    house.balance()
    until(lambda: house.lvs.pooled() == HOSTS)
    return house


def test_a_list_of_droverd_is_obeyed_and_what_is_seen_is_told(running):
    until(lambda: (sight := running.sight("127.0.0.1")) and sight["pooled"])
    running.servers[1].status = 500
    until(lambda: running.lvs.pooled() == ["127.0.0.1", "127.0.0.3"])
    until(lambda: running.sight("127.0.0.2")["state"] == "down")
    assert running.alerts() == []


def test_a_drain_goes_there_and_its_answer_comes_back(running):
    until(lambda: running.sight("127.0.0.1"))
    running.drover("pool drain web 127.0.0.2 --reason disk")
    until(lambda: running.lvs.pooled() == ["127.0.0.1", "127.0.0.3"])
    until(lambda: running.sight("127.0.0.2")["answer"] in ("working", "drained"))
    running.drover("pool drain web 127.0.0.3 --reason greed")
    until(lambda: running.sight("127.0.0.3")["answer"] == "refused")
    assert running.lvs.pooled() == ["127.0.0.1", "127.0.0.3"]


def test_a_droverd_that_is_away_changes_nothing(running):
    port = running.daemon.port
    running.daemon.stop()
    until(lambda: any("droverd is away" in text for text in running.alerts()))
    assert running.lvs.pooled() == HOSTS
    assert running.lvs.stop() == 0
    running.lvs.start()
    assert running.lvs.pooled() == HOSTS
    running.drover("pool drain web 127.0.0.2 --reason disk")
    running.daemon = running.daemons(running.drover, "--admin", f"127.0.0.1:{port}")
    until(lambda: running.lvs.pooled() == ["127.0.0.1", "127.0.0.3"])
    until(lambda: running.alerts() == [])


def test_a_host_that_is_revoked_keeps_its_orders_and_says_so(running):
    running.drover("host revoke lb1")
    running.drover("pool drain web 127.0.0.2 --reason disk")  # ends the poll that is under way
    until(lambda: any("refuses this host's token (401" in text for text in running.alerts()))
    assert running.lvs.pooled() == HOSTS


def test_a_token_that_others_can_read_is_told(houses):
    house = houses()
    house.enrol()
    house.token_file.chmod(0o644)
    house.balance()
    until(lambda: any("others than its owner" in text for text in house.alerts()))
    house.token_file.chmod(0o600)
    until(lambda: house.lvs.pooled() == HOSTS)


def test_a_balancer_enrols_with_a_code_that_is_good_once(houses):
    house = houses()
    code = house.invite()
    done = house.enrol_by_command(code)
    assert (done.returncode, done.stdout) == (0, f"enrolled as lb1; its token is in {house.token_file}\n"), done.stderr
    assert house.token_file.stat().st_mode & 0o777 == 0o600
    before = house.token_file.read_text()
    again = house.enrol_by_command(code)
    assert again.returncode != 0 and "drover-lvs: droverd at http" in again.stderr
    assert house.token_file.read_text() == before
    house.balance()
    until(lambda: house.lvs.pooled() == HOSTS)


def test_enrol_says_how_it_is_used(houses):
    for words in (["enrol"], ["enrol", "code"], ["enrol", "--server", "https://a", "code"]):
        done = subprocess.run([PROGRAM, *words], input="", capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "standard input" in done.stderr


def certificate(folder):
    path = folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=drover", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", path],
        check=True, capture_output=True)
    return path


def test_tls_trusts_whom_the_configuration_trusts(houses, tmp_path):
    path = certificate(tmp_path)
    house = houses(f"[admin]\ncertificate = {path}\nkey = {tmp_path}/key.pem\n")
    mine = house.lvs.write("ca.pem", path.read_text())
    mine.chmod(0o644)
    code = house.invite()
    refused = house.enrol_by_command(code, scheme="https")
    assert refused.returncode == 8 and "certificate" in refused.stderr and not house.token_file.exists()
    assert house.enrol_by_command(code, "--ca-file", mine, scheme="https").returncode == 0
    house.balance(f"droverd-ca-file = {mine}\n")
    until(lambda: house.lvs.pooled() == HOSTS)
    until(lambda: house.sight("127.0.0.1"))
    assert house.lvs.stop() == 0
    other = tmp_path / "other"
    other.mkdir()
    mine = house.lvs.write("ca.pem", certificate(other).read_text())
    mine.chmod(0o644)
    house.lvs.start()
    until(lambda: any("certificate" in text for text in house.alerts()))
    assert house.lvs.pooled() == HOSTS
