# SPDX-License-Identifier: ISC
"""`kill -9` at every call with which a node installs, activates, goes back and tidies up.

Whatever the instant, what `current` names afterwards is whole, the old or the new one; the next command finishes or
takes back the rest, and the deed once more leaves what it leaves when nobody disturbs it: byte for byte. A sample of the instants by
default; DROVER_TEST_FULL=1 tries them all.
"""
import random
import shutil
import signal

import pytest

import beds
from node_bed import Node, Repository, SERVICE

pytestmark = pytest.mark.slow

SAMPLE = 14
SEED = 20261121
HOOKS = 'before-switch = true\nafter-switch = true\n'
# What was done before, and the deed that is killed.
DEEDS = {
    "first-install": ([], ["install", "1.0.0"]),
    "install": (["install 1.0.0", "activate 1.0.0"], ["install", "1.2.0"]),
    "install-delta": (["install 1.0.0", "activate 1.0.0"], ["install", "1.1.0"]),
    "first-activate": (["install 1.0.0"], ["activate", "1.0.0"]),
    "activate": (["install 1.0.0", "install 1.1.0", "activate 1.0.0"], ["activate", "1.1.0"]),
    "rollback": (["install 1.0.0", "install 1.1.0", "activate 1.0.0", "activate 1.1.0"], ["rollback", "1.0.0"]),
    "gc": (["install 1.0.0", "install 1.1.0", "install 1.2.0", "activate 1.2.0"], ["gc", "0"]),
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    repository = Repository(tmp_path_factory.mktemp("repository"))
    repository.release("1.0.0", 1)
    repository.release("1.1.0", 2, old="1.0.0")
    repository.release("1.2.0", 3)
    repository.index()
    return repository


def points_of(node, deed, trace):
    """The instants: (number of the call, before or after it), and what the calls are."""
    node(*deed, LD_PRELOAD=str(beds.KILL_AT), KILL_TRACE=str(trace))
    owner = trace.read_text().split("\n", 1)[0].rsplit("\t", 1)[1]
    calls = [line for line in trace.read_text().splitlines() if line.rsplit("\t", 1)[1] == owner]
    return calls, [(number, when) for number in range(1, len(calls) + 1) for when in ("before", "after")]



@pytest.mark.slow
@pytest.mark.parametrize("name", DEEDS)
def test_killed_at_any_call_the_node_has_a_whole_tree_and_the_next_command_repairs_the_rest(tmp_path, repository, name):
    before, deed = DEEDS[name]
    origin = Node(tmp_path / "origin", repository, SERVICE + HOOKS)
    origin.prefix.mkdir()
    for line in before:
        origin(*line.split())
    undisturbed = origin.copy(tmp_path / "undisturbed")
    calls, points = points_of(undisturbed, deed, tmp_path / "trace")
    expected, good = undisturbed.state(), {origin.current(), undisturbed.current()}
    assert len(points) > 20
    found = set()
    for number, when in points if beds.FULL else sorted(random.Random(SEED).sample(points, SAMPLE)):
        where = f"killed {when} call {number}: {calls[number - 1]}"
        node = origin.copy(tmp_path / "copy")
        done = node.run(*deed, LD_PRELOAD=str(beds.KILL_AT), KILL_AT=str(number), KILL_WHEN=when)
        assert done.returncode == -signal.SIGKILL, f"{where}: {done.stderr}"
        assert node.current() in good, where
        assert node.current() is None or node.is_whole(node.current()), where
        found.add(node.current())
        node("recover")
        assert node.current() in good, where
        assert node.current() is None or node.is_whole(node.current()) and node.running() == node.current(), where
        assert node.tell()["intent"] == 0, where
        for version in node.tell()["installed"]:
            assert node.is_whole(version), where
        node(*deed)
        assert node.state() == expected, where
        shutil.rmtree(tmp_path / "copy")
    assert found == good or not beds.FULL


def test_what_was_unpacked_is_on_the_disk_before_it_has_its_name(tmp_path, repository):
    """The order that a loss of power wants: all of the tree, its name, the folder that the name is in, the journal."""
    node = Node(tmp_path / "node", repository)
    node.prefix.mkdir()
    calls, _ = points_of(node, ["install", "1.0.0"], tmp_path / "trace")
    calls = [line.split("\t") for line in calls]
    tree, last_write = f"{node.prefix}/releases/.1.0.0.tmp", 0
    for number, (name, _, path, _, _) in enumerate(calls):
        if name in ("write", "mkdir", "symlink") and path.startswith(tree):
            last_write = number
    rest = [(name, path) for name, _, path, _, _ in calls[last_write + 1:] if name in ("sync", "rename")]
    journal = f"{node.prefix}/.drover/journal.part-"
    assert rest[:3] == [("sync", tree), ("rename", tree), ("sync", f"{node.prefix}/releases")]
    assert [(name, path.startswith(journal)) for name, path in rest[3:5]] == [("sync", True), ("rename", True)]
    assert rest[5] == ("sync", f"{node.prefix}/.drover") and len(rest) == 6


@pytest.mark.slow
def test_killed_again_and_again_an_installation_still_ends(tmp_path, repository):
    """Recovering is killed, too: each time a few calls later."""
    node = Node(tmp_path / "node", repository, SERVICE + HOOKS)
    for deed in (["install", "1.0.0"], ["activate", "1.0.0"], ["install", "1.1.0"], ["activate", "1.1.0"], ["gc", "0"]):
        for number in range(3, 200, 7):
            done = node.run(*deed, LD_PRELOAD=str(beds.KILL_AT), KILL_AT=str(number), KILL_WHEN="after")
            assert node.current() is None or node.is_whole(node.current())
            if done.returncode == 0:
                break
        node(*deed)
    assert node.current() == node.running() == "1.1.0"
    assert node.tell()["installed"] == ["1.1.0", "1.0.0"]
