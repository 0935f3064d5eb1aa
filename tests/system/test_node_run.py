# SPDX-License-Identifier: ISC
"""A node follows its channel: a real droverd, a real repository, a real drover-node.

The service is a file that says which version was made to run last; it is healthy unless the tree holds `sick`."""
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import node_bed
from conftest import BUILD, Drover, frozen_environment
from conftest import Repository as Git
from server import Server, eventually

pytestmark = pytest.mark.slow

SERVICE = """restart = echo "$DROVER_VERSION" > "$DROVER_PREFIX/shared/var/running"
health = test ! -e "$DROVER_PREFIX/current/sick"
health-timeout = 2s
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A drover-node under way; its log is read all the time."""

    def __init__(self, conf, environment, under=()):
        self.process = subprocess.Popen(
            [*under, str(BUILD / "drover-node"), "run", "--config", str(conf)], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace", env=environment)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
        self.process.stderr.close()

    @property
    def log(self):
        return "\n".join(list(self.lines))

    def said(self, text):
        return text in self.log

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        try:
            return self.process.wait(30)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            self.reader.join()


class Bed:
    """web with its repository; droverd on a port that stays; a node `web1` that follows the channel `production`."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = frozen_environment(folder)
        self.port = free_port()
        self.repository = node_bed.Repository(folder / "releases")
        self.repository.issued = int(time.time()) - 600
        git = Git(folder / "git", self.environment)
        git.commit("Begin", "Bug: 1")
        self.drover = Drover(folder, self.environment)
        self.drover(f"product add web --repository {git.path}")
        self.drover("landing scan")
        self.drover("user add ada ada@example.org")
        self.drover("user grant ada admin all")
        self.token = self.drover("token add test --person ada").out.strip()
        self.droverd = self.node = None
        self.start_droverd()
        self.has_rule = False
        self.conf = folder / "node.conf"
        self.prefix = folder / "prefix"
        self.configure(SERVICE)

    def configure(self, more):
        self.conf.write_text(
            f"[node]\nserver = http://127.0.0.1:{self.port}\nstate = {self.folder}/state-of-node\n"
            f"[web]\nprefix = {self.prefix}\nsources = {self.repository.path}\n"
            f"keys = {self.repository.folder}/keys\n{more}")

    def start_droverd(self):
        self.droverd = Server(self.drover.state, self.environment, "--admin", f"127.0.0.1:{self.port}")

    def stop_droverd(self):
        self.droverd.stop()
        self.droverd = None

    def api(self, method, path, body=None, status=200):
        answer = self.droverd.api(method, path, body, token=self.token)
        assert answer.status == status, (method, path, answer.body)
        return answer.json

    # -- releases ------------------------------------------------------------------------------------------------

    def release(self, version, sequence, floor=0, sick=False):
        """Into the repository, and made known to droverd."""
        tree = node_bed.tree(self.repository.folder / "trees" / version, version, 20_000)
        if sick:
            (tree / "sick").write_text("yes")
        self.repository.trees[version] = tree
        node_bed.forge("release", self.repository.key, self.repository.path, "web", version, sequence, floor, tree)
        self.repository.index(expires=int(time.time()) + node_bed.WEEK)
        place = self.repository.path / "web" / version
        self.api("POST", "/products/web/releases", {
            "manifest": (place / "manifest").read_text(), "signature": (place / "manifest.minisig").read_text(),
            "reason": "made by a test"})

    def channel_says(self, version):
        """A change goes live."""
        row = {"product": "web", "channel": "production", "priority": 90, "mapping": f"web-{version}"}
        op = {"op": "update" if self.has_rule else "insert", "table": "rules", "rule_id": 1, "row": row}
        self.has_rule = True
        self.api("POST", "/edits", {"ops": [op], "reason": "a test"})

    # -- the node ------------------------------------------------------------------------------------------------

    def command(self, *words, exits=0, stdin=""):
        done = subprocess.run(
            [str(BUILD / "drover-node"), *words, "--config", str(self.conf)], input=stdin, capture_output=True,
            text=True, timeout=60, env=self.environment, check=False)
        assert done.returncode == exits, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def status(self):
        return json.loads(self.command("status", "--json"))["products"][0]

    def enrol(self):
        self.api("POST", "/nodes", {"name": "web1", "products": [{"product": "web", "channel": "production"}]})
        code = self.api("POST", "/hosts", {"name": "web1", "kind": "node"})["code"]
        assert "enrolled as web1" in self.command("enrol", stdin=code + "\n")

    def start(self, under=()):
        self.node = Program(self.conf, self.environment, under)
        return self.node

    def stop(self):
        assert self.node.stop() == 0, self.node.log
        self.node = None

    def running(self):
        """What the service was told to run last, which must be what `current` names."""
        try:
            said = (self.prefix / "shared/var/running").read_text().strip()
            return said if os.readlink(self.prefix / "current") == f"releases/{said}" else None
        except FileNotFoundError:
            return None

    def runs(self, version):
        assert eventually(lambda: self.running() == version), f"{self.running()}\n{self.node and self.node.log}"

    def seen(self):
        """The node's product as droverd sees it."""
        return self.api("GET", "/nodes/web1")["products"][0]

    def is_seen(self, **wanted):
        def does():
            seen = self.seen()
            return all(seen[key] == value for key, value in wanted.items())
        assert eventually(does), f"{self.seen()}\n{self.node and self.node.log}"

    def order(self, version, reason="a test"):
        return self.api("POST", "/nodes/web1/products/web/order", {"version": version, "reason": reason})

    def close(self):
        if self.node is not None:
            self.node.stop(signal.SIGKILL)
        if self.droverd is not None:
            self.droverd.stop()


@pytest.fixture
def bed(tmp_path):
    made = Bed(tmp_path)
    yield made
    made.close()


@pytest.fixture
def following(bed):
    """1.0.0 runs, as the channel says."""
    bed.release("1.0.0", 1)
    bed.channel_says("1.0.0")
    bed.enrol()
    bed.start()
    bed.runs("1.0.0")
    return bed


def test_a_node_follows_what_goes_live(following):
    following.is_seen(running="1.0.0", state="good")
    following.release("1.1.0", 2)
    following.channel_says("1.1.0")
    following.runs("1.1.0")
    following.is_seen(running="1.1.0", state="good")
    report = following.seen()["report"]
    assert report["previous"] == "1.0.0" and report["health"] == "good" and report["error"] is None
    assert {each["version"] for each in report["installed"]} == {"1.0.0", "1.1.0"}
    following.stop()


def test_the_last_orders_hold_while_droverd_is_away_also_after_a_restart(following):
    following.release("1.1.0", 2)
    following.stop_droverd()
    assert eventually(lambda: following.node.said("event=droverd.away"))
    assert following.running() == "1.0.0"
    following.stop()
    following.start()
    assert eventually(lambda: following.node.said("event=drover-node.ready"))
    time.sleep(1)
    assert following.running() == "1.0.0" and "release.active" not in following.node.log
    assert "droverd is not heard" in following.command("status")
    following.start_droverd()
    following.channel_says("1.1.0")
    following.runs("1.1.0")
    assert following.node.said("event=droverd.heard")


def test_an_order_takes_the_node_back_and_its_end_forward_again(following):
    following.release("1.1.0", 2)
    following.channel_says("1.1.0")
    following.runs("1.1.0")
    following.order("1.0.0", "1.1.0 eats disks")
    following.runs("1.0.0")
    following.is_seen(running="1.0.0", ordered="1.0.0")
    following.order(None)
    following.runs("1.1.0")


def test_a_channel_that_goes_back_is_no_order(following):
    following.release("1.1.0", 2)
    following.channel_says("1.1.0")
    following.runs("1.1.0")
    following.channel_says("1.0.0")
    following.is_seen(state="failed")
    assert "only an order goes back" in following.seen()["report"]["error"]
    assert following.running() == "1.1.0"


def test_a_release_that_is_not_healthy_is_taken_back_said_once_and_not_tried_again(following):
    following.release("1.1.0", 2, sick=True)
    following.channel_says("1.1.0")
    following.is_seen(state="failed", running="1.0.0")
    following.runs("1.0.0")
    report = following.seen()["report"]
    assert report["health"] == "bad" and "not tried again until the order moves" in report["error"]
    assert len(re.findall("event=order.failed", following.node.log)) == 1
    following.stop()
    following.start()
    assert eventually(lambda: following.node.said("event=drover-node.ready"))
    time.sleep(1)
    assert "order.failed" not in following.node.log and following.status()["state"] == "failed"
    following.release("1.2.0", 3)
    following.channel_says("1.2.0")
    following.runs("1.2.0")
    following.is_seen(state="good")


def test_an_order_that_found_a_full_disk_is_tried_again_when_there_is_room(following):
    """A file that may not grow is told like a full disk."""
    following.release("1.1.0", 2)
    following.stop()
    following.start(["prlimit", "--fsize=10000"])
    following.channel_says("1.1.0")
    following.is_seen(state="failed", running="1.0.0")
    error = following.seen()["report"]["error"]
    assert "File too large" in error and error.endswith("it is tried again")
    following.stop()
    # Half a minute later.
    path = following.folder / "state-of-node/web.follow"
    memory = json.loads(path.read_text())
    path.write_text(json.dumps({**memory, "failed_us": memory["failed_us"] - 31_000_000}))
    following.start()
    following.runs("1.1.0")
    following.is_seen(state="good", running="1.1.0")
    following.stop()


def test_a_token_that_was_taken_back_stops_orders_and_nothing_else(following):
    following.api("DELETE", "/hosts/web1", {"reason": "stolen"})
    assert eventually(lambda: following.node.said("event=droverd.away"), within_s=60)
    assert "drover-node enrol" in following.node.log
    assert following.running() == "1.0.0"
    following.release("1.1.0", 2)
    following.channel_says("1.1.0")
    time.sleep(1)
    assert following.running() == "1.0.0"


def test_what_root_does_by_hand_stays_until_the_order_moves(following):
    following.release("1.1.0", 2)
    following.channel_says("1.1.0")
    following.runs("1.1.0")
    said = following.command("rollback")
    assert "web runs 1.0.0" in said and "droverd wants 1.1.0" in said
    time.sleep(2)
    assert following.running() == "1.0.0" and "by hand" in following.status()["next"]
    following.release("1.2.0", 3)
    following.channel_says("1.2.0")
    following.runs("1.2.0")


def test_a_kill_in_the_middle_is_made_good_by_the_next_start(following):
    following.release("1.1.0", 2)
    following.configure(SERVICE + "before-switch = touch $DROVER_PREFIX/shared/var/hooked; sleep 30\n")
    following.stop()
    following.start()
    following.channel_says("1.1.0")
    assert eventually(lambda: (following.prefix / "shared/var/hooked").exists()), following.node.log
    following.node.stop(signal.SIGKILL)
    following.configure(SERVICE)
    following.start()
    following.runs("1.1.0")
    assert following.node.said("event=place.recovered")


def test_a_kill_while_health_is_awaited_is_gone_back_from_and_then_tried_anew(following):
    following.release("1.1.0", 2)
    following.stop()
    slow = SERVICE.replace("test ! -e", "touch $DROVER_PREFIX/shared/var/asked; sleep 30; test ! -e")
    following.configure(slow.replace("health-timeout = 2s", "health-timeout = 60s"))
    following.start()
    following.channel_says("1.1.0")
    assert eventually(lambda: (following.prefix / "shared/var/asked").exists()), following.node.log
    assert os.readlink(following.prefix / "current") == "releases/1.1.0"
    following.node.stop(signal.SIGKILL)
    following.stop_droverd()
    following.configure(SERVICE)
    (following.folder / "state-of-node/orders").unlink()
    following.start()
    following.runs("1.0.0")
    following.start_droverd()
    following.runs("1.1.0")


def test_an_activation_under_way_is_finished_before_the_end(following):
    following.release("1.1.0", 2)
    following.configure(SERVICE + "before-switch = touch $DROVER_PREFIX/shared/var/hooked; sleep 2\n")
    following.stop()
    following.start()
    following.channel_says("1.1.0")
    assert eventually(lambda: (following.prefix / "shared/var/hooked").exists()), following.node.log
    following.stop()
    assert following.running() == "1.1.0"


def test_two_do_not_follow_at_once(following):
    said = following.command("run", exits=6)
    assert "at work" in said


def test_a_product_that_the_configuration_does_not_know_is_said(bed):
    bed.release("1.0.0", 1)
    bed.channel_says("1.0.0")
    bed.enrol()
    bed.conf.write_text(bed.conf.read_text().replace("[web]", "[shop]"))
    bed.start()
    bed.is_seen(state="failed")
    assert "no section [web]" in bed.seen()["report"]["error"]


def test_nobody_is_followed_without_a_server_or_a_token(bed):
    assert "enrol" in bed.command("run", exits=3)
    bed.conf.write_text(re.sub("server = .*\n", "", bed.conf.read_text()))
    assert "there is nobody to follow" in bed.command("run", exits=2)


def test_status_says_what_stands_in_the_way(bed):
    assert "drover-node enrol makes this machine" in bed.command("status")
    bed.release("1.0.0", 1)
    bed.command("install", "web", "1.0.0")
    link = bed.prefix / "current"
    link.symlink_to("/etc")
    said = bed.status()
    assert said["state"] == "failed" and "should be a link to releases/VERSION" in said["next"]


def test_a_token_that_others_may_read_is_refused(bed):
    bed.enrol()
    (bed.folder / "state-of-node/token").chmod(0o644)
    assert "chmod 600" in bed.command("run", exits=2)


def test_a_code_is_for_nodes_and_for_one_of_them(bed):
    code = bed.api("POST", "/hosts", {"name": "lb1", "kind": "balancer"})["code"]
    assert "another kind of host" in bed.command("enrol", code, exits=2)
    assert "is no code" in bed.command("enrol", "two words", exits=2)
    bed.enrol()
    assert (bed.folder / "state-of-node/token").stat().st_mode & 0o777 == 0o600


def test_the_service_manager_is_told(following):
    following.stop()
    path = following.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(30)
        following.environment.update(NOTIFY_SOCKET=str(path), WATCHDOG_USEC="300000")
        following.start()
        told = [listener.recv(100).decode()]
        while told[-1] != "WATCHDOG=1":
            told.append(listener.recv(100).decode())
        following.stop()
        while told[-1] != "STOPPING=1":
            told.append(listener.recv(100).decode())
    assert told[0] == "READY=1"
