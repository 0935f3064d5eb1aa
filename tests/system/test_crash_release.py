# SPDX-License-Identifier: ISC
"""`kill -9` of drover release publish and gc at every call that changes a file or a folder; then the same command again.

Whatever the instant: a reader finds whole versions and a good index, before and after; and the command typed again
leaves what one that nobody disturbed leaves, byte for byte, told to the server once. A sample of the instants by
default; DROVER_TEST_FULL=1 tries them all.
"""
import hashlib
import random
import shutil
import signal
import subprocess
import time

import pytest

import beds
from conftest import Drover, Repository, frozen_environment
from publisher import Publisher

pytestmark = pytest.mark.slow

SAMPLE, SEED = 25, 20261121
NAMELESS_S = 7  # a lock whose maker was killed before it wrote its name there is put aside after 5 s


class Copy(Publisher):
    """The same state in a folder of its own."""

    def __init__(self, folder, origin):
        shutil.copytree(origin.drover.folder, folder, symlinks=True)
        self.drover = Drover(folder, frozen_environment(folder))
        self.repository = origin.repository
        self.releases, self.keys = folder / "releases", folder / "keys"
        self.drover.environment["DROVER_CONFIG"] = str(folder / "drover.conf")

    def run(self, line, **environment):
        return subprocess.run(
            self.drover.words(line), capture_output=True, text=True, timeout=120, cwd=self.drover.folder, check=False,
            env={**self.drover.environment, **environment})

    def again(self, line):
        until = time.monotonic() + NAMELESS_S
        while (done := self.run(line)).returncode == 6 and time.monotonic() < until:
            assert "has not said a name" in done.stderr, done.stderr
            time.sleep(0.5)
        assert done.returncode == 0, f"again: exit {done.returncode}: {done.stdout}{done.stderr}"

    def read(self):
        """What anybody may see at any time: whole versions, and an index of them."""
        for version in self.versions():
            payload = (self.web / version / "payload.tar.zst").read_bytes()
            said = self.manifest(version)
            assert said["version"] == version and hashlib.sha256(payload).hexdigest() == said["payload"]["sha256"], version
            for delta in said["deltas"]:
                data = (self.web / version / f"from-{delta['from']}.delta").read_bytes()
                assert hashlib.sha256(data).hexdigest() == delta["sha256"], version
        for line in (self.web / "index").read_text().splitlines():
            if line.startswith("release "):
                _, _, version, sha256 = line.split()
                assert hashlib.sha256((self.web / version / "manifest").read_bytes()).hexdigest() == sha256, version

    def truth(self):
        """All that the command is to leave, without what differs from one time to the next."""
        history = [(entry["action"], entry["subject"]) for entry in self.drover.json("history list --limit 1000")["entries"]]
        return {
            "files": {version: self.bytes(version) for version in self.versions()},
            "index": self.index(),
            "listed": [(release["version"], release["sequence"], release["manifest_sha256"], bool(release["removed"]))
                       for release in self.drover.json("release list web --removed")],
            "history": [entry for entry in history if entry[0].startswith("release.")],
            "documents": sorted(row["name"] for row in self.drover.json("release-doc list")["rows"]),
        }


def choose(points):
    if beds.FULL:
        return points
    return sorted(random.Random(SEED).sample(points, min(SAMPLE, len(points))))


def sweep(tmp_path, origin, line, versions, wanted):
    undisturbed = Copy(tmp_path / "undisturbed", origin)
    trace = tmp_path / "trace"
    done = undisturbed.run(line, LD_PRELOAD=str(beds.KILL_AT), KILL_TRACE=str(trace))
    assert done.returncode == 0, done.stderr
    undisturbed.check(versions)
    expected = undisturbed.truth()
    calls = trace.read_text().splitlines()
    for name in wanted:
        assert any(call.startswith(name + "\t") and "/releases/" in call for call in calls), f"no {name} was seen"

    points = [(number, when) for number in range(1, len(calls) + 1) for when in ("before", "after")]
    failed = []
    for number, when in choose(points):
        copy = Copy(tmp_path / f"round{number}{when}", origin)
        try:
            done = copy.run(line, LD_PRELOAD=str(beds.KILL_AT), KILL_AT=str(number), KILL_WHEN=when)
            assert done.returncode == -signal.SIGKILL, f"exit {done.returncode}: {done.stderr}"
            copy.read()
            copy.again(line)
            copy.read()
            copy.check(versions)
            now = copy.truth()
            for name, value in expected.items():
                assert now[name] == value, f"{name}: {str(value)[:1000]} became {str(now[name])[:1000]}"
        except AssertionError as problem:
            failed.append(f"killed {when} call {number} ({calls[number - 1]}): {str(problem)[:2000]}")
        shutil.rmtree(copy.drover.folder)
    assert not failed, f"{len(failed)} failed:\n" + "\n".join(failed)


@pytest.fixture
def origin(tmp_path):
    """A product with a repository of releases, nothing published."""
    folder = tmp_path / "origin"
    folder.mkdir()
    drover = Drover(folder, frozen_environment(folder))
    return Publisher(drover, Repository(tmp_path / "repository", drover.environment))


@pytest.mark.slow
def test_a_publication_killed_at_any_call_is_published_once_and_the_same(tmp_path, origin):
    origin.release("1.0.0", "one\n")
    origin.build("1.0.1", "two\n")
    sweep(tmp_path, origin, "release publish web 1.0.1", ["1.0.0", "1.0.1"],
          ("write", "sync", "rename", "unlink", "mkdir"))


@pytest.mark.slow
def test_a_removal_killed_at_any_call_is_finished_by_the_next(tmp_path, origin):
    for number in range(4):
        origin.release(f"1.0.{number}", f"{number}\n")
    origin.drover("rule add product=web channel=release mapping=web-1.0.1")
    sweep(tmp_path, origin, "release gc web --keep 1", ["1.0.1", "1.0.3"],
          ("write", "sync", "rename", "unlink"))


@pytest.mark.slow
def test_killed_again_and_again_it_gets_there(tmp_path, origin):
    """Ends in a row, each at another call, then one to the end."""
    origin.release("1.0.0", "one\n")
    origin.build("1.0.1", "two\n")
    line = "release publish web 1.0.1"
    undisturbed = Copy(tmp_path / "undisturbed", origin)
    undisturbed.again(line)
    copy = Copy(tmp_path / "copy", origin)
    generator = random.Random(SEED)
    for _ in range(15):
        copy.run(line, LD_PRELOAD=str(beds.KILL_AT), KILL_AT=str(generator.randint(1, 120)))
        copy.read()
    copy.again(line)
    copy.check(["1.0.0", "1.0.1"])
    assert copy.truth() == undisturbed.truth()
