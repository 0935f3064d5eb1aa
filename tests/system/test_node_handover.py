# SPDX-License-Identifier: ISC
"""From one version of a service to the next without losing a request, with the real drover-node on both sides: signed
releases, its commands, its daemon, its holder; under load, killed, with versions that are no good, in maintenance
(docs/maintenance.md, docs/node.md). test_handover.py has the holder alone."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import node_bed
from conftest import BUILD
from server import eventually
from test_handover import EXAMPLES, PYTHON, Client, compiled, free_port, load
from test_handover import Bed as Asked
from test_node_run import Bed as Followed

pytestmark = pytest.mark.slow

SHEEP = (EXAMPLES / "python/sheep.py").read_text()
NEVER_READY = "import time; time.sleep(1000)"
SICK = SHEEP.replace("send_response(200)", 'send_response(500 if self.path == "/health" else 200)')
SLOW = SHEEP.replace('\nnotify("READY=1")', '\nimport time; time.sleep(1); notify("READY=1")')
ANSWERS = r"sheep \d+\.\d+\.\d+\n"


class Service:
    """What beds of a product `web` under the holder have in common: folder, prefix, conf, repository, environment."""
    ask = Asked.ask

    def tree(self, version, *files, text=None):
        """Published: a version with these files; `text`: its only one, sheep.py."""
        folder = self.repository.folder / "trees" / version
        folder.mkdir(parents=True)
        for file in files:
            shutil.copy(file, folder)
        if text is not None or not files:
            (folder / "sheep.py").write_text(text or SHEEP)
        for file in folder.iterdir():
            file.chmod(0o755)
        self.count = getattr(self, "count", 0) + 1
        node_bed.forge("release", self.repository.key, self.repository.path, "web", version, self.count, 0, folder)
        self.repository.issued = max(self.repository.issued, int(time.time()) - 3600)
        self.repository.index(expires=int(time.time()) + node_bed.WEEK)

    def line(self, *words):
        return [str(BUILD / "drover-node"), *words, "--config", str(self.conf)]

    def begin(self, *words):
        return subprocess.Popen(self.line(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment)

    def command(self, *words, exits=0, stdin=""):
        done = subprocess.run(self.line(*words), input=stdin, capture_output=True, text=True, timeout=100,
                              env=self.environment, check=False)
        assert done.returncode == exits, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}{self.said()}"
        return done.stdout + done.stderr

    def put(self, version):
        self.command("install", version)
        self.command("activate", version)

    def said(self):
        log = self.prefix / "shared/log/hold.log"
        return log.read_text() if log.exists() else ""

    def answers(self, version):
        return self.ask().text == f"sheep {version}\n"

    def comes(self, version):
        """Who was in front is asked to go and may take one more connection."""
        return eventually(lambda: self.answers(version))

    def status(self):
        return json.loads(self.command("status", "--json"))["products"][0]

    def end_holder(self):
        """The holder ends what it began."""
        for process in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                words = open(f"/proc/{process}/cmdline", "rb").read().split(b"\0")
                if b"hold" in words and str(self.conf).encode() in words:
                    os.kill(int(process), signal.SIGTERM)
                    assert eventually(lambda: not os.path.exists(f"/proc/{process}") or
                                      ") Z" in open(f"/proc/{process}/stat").read(), 30)
        assert "runtime error" not in self.said() and "Sanitizer" not in self.said(), self.said()


class Bed(Service):
    """By hand: no droverd is followed."""

    def __init__(self, folder, run=f"{PYTHON} sheep.py", **settings):
        self.folder, self.prefix, self.conf, self.port = folder, folder / "web", folder / "node.conf", free_port()
        self.environment = dict(os.environ)
        self.repository = node_bed.Repository(folder / "releases")
        self.repository.issued = int(time.time()) - 3600
        settings = {"run": run, "listen": f"127.0.0.1:{self.port}", "ready-timeout": "30s", "drain-timeout": "20s",
                    **settings}
        self.conf.write_text(f"[node]\nstate = {folder}/state\n[web]\nprefix = {self.prefix}\n"
                             f"sources = {self.repository.path}\nkeys = {self.repository.folder}/keys\n" +
                             "".join(f"{key} = {value}\n" for key, value in settings.items()))


class FollowedBed(Service, Followed):
    """The daemon follows a droverd."""

    def __init__(self, folder):
        super().__init__(folder)
        self.web = self.port_of_service = free_port()
        self.configure(f"run = {PYTHON} sheep.py\nlisten = 127.0.0.1:{self.web}\nready-timeout = 20s\n")

    def ask(self, *words, **how):
        port, self.port = self.port, self.web
        try:
            return Asked.ask(self, *words, **how)
        finally:
            self.port = port

    def publish(self, version):
        self.tree(version)
        place = self.repository.path / "web" / version
        self.api("POST", "/products/web/releases", {
            "manifest": (place / "manifest").read_text(), "signature": (place / "manifest.minisig").read_text(),
            "reason": "made by a test"})


@pytest.fixture
def bed_of(tmp_path):
    beds = []

    def make(*words, **settings):
        beds.append(Bed(tmp_path, *words, **settings))
        return beds[-1]

    yield make
    for each in beds:
        each.end_holder()


@pytest.fixture
def bed(bed_of):
    """Runs 1.0.0, and 1.0.1 is installed."""
    made = bed_of(**{"ready-timeout": "2s", "health-timeout": "1s"})
    made.tree("1.0.0")
    made.tree("1.0.1")
    made.put("1.0.0")
    made.command("install", "1.0.1")
    assert made.comes("1.0.0")
    return made


# -- under load ----------------------------------------------------------------------------------------------------

KINDS = {
    "c": ("./sheep", None, 10, {}),
    "python": (f"{PYTHON} sheep.py", EXAMPLES / "python/sheep.py", 10, {}),
    "forward": (f"{PYTHON} plain.py", EXAMPLES / "python/plain.py", 3,
                {"readiness": "forward", "forward-to": "127.0.0.1:0", "health": "http://127.0.0.1:1/"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_releases_come_and_go_under_load_and_no_request_is_lost(bed_of, tmp_path, kind):
    run, file, count, settings = KINDS[kind]
    bed = bed_of(run, **settings)
    if kind == "forward":  # what is asked from outside is the forwarder's address
        bed.conf.write_text(bed.conf.read_text().replace("127.0.0.1:1/", f"127.0.0.1:{bed.port}/"))
    file = file or compiled(tmp_path)
    for number in range(count + 1):
        bed.tree(f"1.0.{number}", file)
    bed.put("1.0.0")
    with load(bed, versions="%d+%.%d+%.%d+") as found:
        for number in range(1, count + 1):
            bed.put(f"1.0.{number}")
        bed.command("rollback")
    assert bed.comes(f"1.0.{count - 1}")
    assert found.pop("requests") > 100
    assert found == {"bad": 0, "connect": 0, "read": 0, "write": 0, "timeout": 0}, bed.said()


# -- kills ---------------------------------------------------------------------------------------------------------

def test_activate_may_be_killed_at_any_time_and_the_next_command_repairs(bed):
    with Client(bed, ANSWERS) as client:
        for number, after_ms in enumerate([5, 15, 30, 60, 120, 250], 1):
            version = f"1.0.{number}"
            if number > 1:
                bed.tree(version)
                bed.command("install", version)
            killed = bed.begin("activate", version)
            time.sleep(after_ms / 1000)
            killed.kill()
            killed.communicate()
            bed.command("activate", version)
            assert bed.comes(version) and bed.status()["running"] == version
            bed.command("verify")
    assert client.wrong == [] and client.count > 0


def test_a_killed_activate_is_gone_back_from_by_rollback_too(bed):
    bed.tree("1.0.2", text=SLOW)
    bed.command("install", "1.0.2")
    bed.command("activate", "1.0.1")
    with Client(bed, ANSWERS) as client:
        killed = bed.begin("activate", "1.0.2")
        assert eventually(lambda: os.readlink(bed.prefix / "current") == "releases/1.0.2")
        killed.kill()
        killed.communicate()
        bed.command("rollback", "1.0.0")
        assert bed.comes("1.0.0")
    assert client.wrong == []


@pytest.fixture
def followed(tmp_path):
    made = FollowedBed(tmp_path)
    made.publish("1.0.0")
    made.channel_says("1.0.0")
    made.enrol()
    made.start()
    assert eventually(lambda: made.status()["running"] == "1.0.0" and made.answers("1.0.0")), made.node.log
    yield made
    made.close()
    made.end_holder()


def test_the_daemon_may_be_killed_in_the_middle_and_the_next_start_goes_on(followed):
    with Client(followed, ANSWERS) as client:
        for number, after_ms in enumerate([0, 60, 200], 1):
            version = f"1.0.{number}"
            followed.publish(version)
            followed.channel_says(version)
            assert eventually(lambda: (followed.prefix / "releases" / version).exists()), followed.node.log
            time.sleep(after_ms / 1000)
            followed.node.stop(signal.SIGKILL)
            followed.start()
            assert eventually(lambda: followed.answers(version)), followed.node.log + followed.said()
            assert eventually(lambda: followed.status()["running"] == version)
    assert client.wrong == [] and client.count > 0


# -- versions that are no good -------------------------------------------------------------------------------------

BROKEN = {
    "never ready": (NEVER_READY, "did not say READY=1"),
    "ends": ("raise SystemExit(3)", "ended with status 3"),
    "sick": (SICK, "not healthy"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_version_that_is_no_good_is_gone_back_from(bed, kind):
    text, why = BROKEN[kind]
    if text is SICK:
        bed.conf.write_text(bed.conf.read_text() + f"health = http://127.0.0.1:{bed.port}/health\n")
    bed.tree("1.0.9", text=text)
    bed.command("install", "1.0.9")
    with Client(bed, ANSWERS if text is SICK else r"sheep 1\.0\.0\n") as client:
        assert why in bed.command("activate", "1.0.9", exits=4)
    assert client.wrong == [] and client.count > 0
    assert bed.comes("1.0.0") and bed.status()["running"] == "1.0.0"


# -- maintenance ---------------------------------------------------------------------------------------------------

def test_maintenance_by_the_command_header_by_header(bed):
    with Client(bed, ANSWERS + r"|This service (is in maintenance|cannot answer)(.|\n)*") as client:
        assert "maintenance is on" in bed.command("maintenance", "on", "--reason", "disks", "--until", "10min")
        health = bed.ask(path="/health")
        seconds = health.getheader("Retry-After")
        assert health.status == 503 and 590 <= int(seconds) <= 720
        assert dict(health.getheaders()).items() >= {
            "X-Weave-Backoff": seconds, "X-Weave-Maintenance": "1", "X-Drover-Maintenance": "1", "Cache-Control": "no-store",
            "Connection": "close", "Vary": "Accept"}.items()
        assert "maintenance is off" in bed.command("maintenance", "off")
        assert bed.comes("1.0.0")
    assert client.wrong == [] and client.count > 0


def test_maintenance_that_is_overdue_is_a_warning(bed):
    assert "warning" not in bed.command("maintenance", "on", "--reason", "disks", "--until", "1s")
    time.sleep(1.1)
    for words in (["maintenance", "status"], ["status"], ["status", "web"]):
        said = bed.command(*words)
        assert "OVERDUE" in said and "for longer than was said" in said, said
    assert bed.ask().status == 503  # nobody knows whether the work is done
    bed.command("maintenance", "on", "--reason", "disks", "--until", "1h")
    assert "longer" not in bed.command("maintenance", "status")


def test_maintenance_waits_for_a_handover_under_way(bed):
    bed.tree("1.0.2", text=SLOW)
    bed.command("install", "1.0.2")
    activation = bed.begin("activate", "1.0.2")
    assert eventually(lambda: os.readlink(bed.prefix / "current") == "releases/1.0.2")
    time.sleep(0.2)
    bed.command("maintenance", "on", "--reason", "disks", "--until", "1h")
    assert activation.wait(30) == 0, activation.stderr.read()
    activation.communicate()
    assert bed.ask().status == 503 and json.loads(bed.command("maintenance", "status", "--json"))["on"] is True
    bed.command("maintenance", "off")
    assert bed.comes("1.0.2")


def test_maintenance_without_a_holder_is_a_file_that_the_next_one_finds(bed):
    bed.end_holder()
    assert "no holder runs" in bed.command("maintenance", "on", "--reason", "disks", "--until", "1h")
    bed.command("activate", "1.0.1")  # it begins a holder, and ends the maintenance when it is ready
    assert bed.comes("1.0.1") and "maintenance is off" in bed.command("maintenance", "status")


def test_maintenance_that_a_crash_left_on_is_told_by_droverd(followed):
    followed.stop()
    followed.command("maintenance", "on", "--reason", "new disks", "--until", "3s")
    followed.start()
    followed.is_seen(state="maintenance")
    assert followed.api("GET", "/status")["warnings"] == []
    followed.node.stop(signal.SIGKILL)
    followed.node = None
    assert eventually(lambda: followed.api("GET", "/status")["warnings"]), followed.seen()
    warning = followed.api("GET", "/status")["warnings"][0]
    assert re.match(r"nodes: web on web1 is still in maintenance, which was to end at .*drover-node maintenance off", warning)
    seen = followed.seen()
    assert seen["report"]["maintenance"]["overdue"] is True and "which is over" in seen["text"]
    assert followed.ask().status == 503
    followed.start()
    assert eventually(lambda: followed.node.said("event=maintenance.overdue")), followed.node.log
    followed.command("maintenance", "off")
    followed.stop()
    followed.start()
    assert eventually(lambda: followed.api("GET", "/status")["warnings"] == [])
    assert followed.comes("1.0.0")
