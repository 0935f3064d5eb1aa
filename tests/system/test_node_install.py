# SPDX-License-Identifier: ISC
"""Installing, activating, going back and tidying up on a node: what is done, and what is refused.

How it is when it is killed in the middle: test_crash_node.py.
"""
import concurrent.futures
import hashlib
import http.server
import io
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tarfile
import threading
import time

import pytest

from node_bed import NOW, SERVICE, WEEK, Node, Repository, contents, digest, forge

pytestmark = pytest.mark.slow

DENIED, CONFLICT, INPUT, NOT_FOUND, LOCKED, UNAVAILABLE, INTERNAL = 5, 4, 2, 3, 6, 8, 1


@pytest.fixture
def repository(tmp_path):
    repository = Repository(tmp_path)
    repository.release("1.0.0", 1)
    repository.release("1.1.0", 2, old="1.0.0")
    repository.index()
    return repository


@pytest.fixture
def node(tmp_path, repository):
    return Node(tmp_path / "node", repository)


def leftovers(node):
    return [name for name in contents(node.prefix)
            if ".tmp" in name or ".gone" in name or ".part" in name or ".current-next" in name]


# -- what is done ------------------------------------------------------------------------------------------------

def test_the_newest_is_installed_activated_and_taken_back(node):
    assert node("install", "1.0.0") == "1.0.0\n"
    assert node.is_whole("1.0.0") and node.current() is None
    node("activate", "1.0.0")
    assert node.current() == node.running() == "1.0.0"
    assert node("install") == "1.1.0\n"
    assert node.is_whole("1.1.0") and node.current() == "1.0.0"
    node("activate", "1.1.0")
    assert node.current() == node.running() == "1.1.0"
    node("rollback")
    assert node.current() == node.running() == "1.0.0"
    node("verify")
    told = node.tell()
    assert (told["current"], told["previous"], told["installed"]) == ("1.0.0", "1.1.0", ["1.1.0", "1.0.0"])
    assert leftovers(node) == []


def test_a_delta_is_enough_when_its_base_is_here(node, repository):
    node("install", "1.0.0")
    (repository.path / "web/1.1.0/payload.tar.zst").unlink()
    node("install", "1.1.0")
    assert node.is_whole("1.1.0")


def test_without_its_base_the_payload_is_fetched(node, repository):
    (repository.path / "web/1.1.0/from-1.0.0.delta").unlink()
    node("install", "1.1.0")
    assert node.is_whole("1.1.0")


def test_a_delta_on_a_changed_base_or_a_spoiled_one_falls_back_to_the_payload(node, repository):
    node("install", "1.0.0")
    (node.prefix / "releases/1.0.0/data").write_bytes(b"x" * 60_005)
    node("install", "1.1.0")
    assert node.is_whole("1.1.0")


def test_a_delta_that_came_to_harm_falls_back_to_the_payload(node, repository):
    node("install", "1.0.0")
    delta = repository.path / "web/1.1.0/from-1.0.0.delta"
    delta.write_bytes(delta.read_bytes()[:-1] + b"!")
    node("install", "1.1.0")
    assert node.is_whole("1.1.0") and leftovers(node) == []


def test_installing_again_changes_nothing_and_needs_no_payload(node, repository):
    node("install", "1.0.0")
    before = node.state()
    (repository.path / "web/1.0.0/payload.tar.zst").unlink()
    node("install", "1.0.0")
    assert node.state() == before


def test_modes_do_not_depend_on_the_umask(node):
    subprocess.run(["sh", "-c", 'umask 077; exec "$@"', "sh", *node.line("install", "1.0.0")], env=node.environment,
                   check=True, timeout=60)
    assert node.is_whole("1.0.0")
    for folder in ("", "releases", "releases/1.0.0", "shared/log"):
        assert (node.prefix / folder).stat().st_mode & 0o777 == 0o755
    assert (node.prefix / ".drover").stat().st_mode & 0o777 == 0o700


def test_what_is_kept_is_what_runs_what_ran_what_is_named_and_the_newest(tmp_path, repository):
    for number in range(2, 7):
        repository.release(f"1.{number}.0", number + 1)
    repository.index()
    node = Node(tmp_path / "node", repository)
    for number in range(7):
        node("install", f"1.{number}.0")
    node("activate", "1.0.0")
    node("activate", "1.1.0")
    assert node("gc", 2, "1.3.0").split() == ["1.4.0", "1.2.0"]
    assert node.tell()["installed"] == ["1.6.0", "1.5.0", "1.3.0", "1.1.0", "1.0.0"]
    assert sorted(os.listdir(node.prefix / "releases")) == ["1.0.0", "1.1.0", "1.3.0", "1.5.0", "1.6.0"]
    assert sorted(os.listdir(node.prefix / ".drover/manifests")) == ["1.0.0", "1.1.0", "1.3.0", "1.5.0", "1.6.0"]
    assert node("gc", 2, "1.3.0") == ""


def test_verify_names_what_changed_on_the_disk(node):
    node("install", "1.0.0")
    node("activate", "1.0.0")
    (node.prefix / "releases/1.0.0/bin/web").write_text("#!/bin/sh\necho evil\n")
    (node.prefix / "releases/1.0.0/more").write_text("")
    said = node("verify", exits=INPUT)
    assert "bin/web (changed), more (not listed)" in said


def test_a_release_that_changed_on_the_disk_is_not_activated(node):
    node("install", "1.0.0")
    (node.prefix / "releases/1.0.0/data").write_text("x")
    assert "data (changed)" in node("activate", "1.0.0", exits=INPUT)
    assert node.current() is None


# -- activation --------------------------------------------------------------------------------------------------

def active(tmp_path, repository, more):
    node = Node(tmp_path / "other", repository, more)
    node("install", "1.0.0")
    node("install", "1.1.0")
    node("activate", "1.0.0")
    assert node.current() == "1.0.0"
    return node


def test_what_is_not_healthy_is_taken_back_and_the_old_runs_again(tmp_path, repository):
    sick = SERVICE.replace("health = ", 'health = test "$DROVER_VERSION" != 1.1.0 || { echo too sick; exit 3; }; ')
    node = active(tmp_path, repository, sick + "health-timeout = 1\n")
    said = node("activate", "1.1.0", exits=CONFLICT)
    assert "not healthy within 1 s: health failed with exit status 3: too sick; 1.0.0 runs again" in said
    assert node.current() == node.running() == "1.0.0"
    assert node.tell()["intent"] == 0


def test_a_restart_that_fails_is_taken_back(tmp_path, repository):
    node = active(tmp_path, repository, 'restart = test "$DROVER_VERSION" = 1.0.0 || { echo no such port; exit 1; }\n')
    assert "restart failed with exit status 1: no such port; 1.0.0 runs again" in node("activate", "1.1.0", exits=CONFLICT)
    assert node.current() == "1.0.0"


def test_when_the_old_one_does_not_run_either_it_is_stuck_and_says_so(tmp_path, repository):
    node = active(tmp_path, repository, 'restart = test ! -e "$DROVER_PREFIX/shared/var/broken"\n')
    (node.prefix / "shared/var/broken").write_text("")
    assert "web is stuck: 1.1.0 does not run" in node("activate", "1.1.0", exits=INTERNAL)
    assert node.current() == "1.0.0" and node.tell()["intent"] == 0


def test_before_switch_can_refuse_and_nothing_was_touched(tmp_path, repository):
    node = active(tmp_path, repository, SERVICE + 'before-switch = test "$DROVER_VERSION" = 1.0.0 || { echo not now; false; }\n')
    said = node("activate", "1.1.0", exits=CONFLICT)
    assert "web 1.1.0 is not activated, 1.0.0 goes on: before-switch failed with exit status 1: not now" in said
    assert node.current() == node.running() == "1.0.0"


def test_after_switch_runs_when_it_is_healthy_and_can_take_it_back(tmp_path, repository):
    node = active(tmp_path, repository, SERVICE + 'after-switch = test "$DROVER_VERSION $DROVER_PREVIOUS" != "1.1.0 1.0.0"\n')
    assert "after-switch failed with exit status 1" in node("activate", "1.1.0", exits=CONFLICT)
    assert node.current() == node.running() == "1.0.0"


def test_a_hook_that_hangs_is_killed_with_all_that_it_started(tmp_path, repository):
    node = active(tmp_path, repository, SERVICE + "hook-timeout = 1\nbefore-switch = "
                  'test "$DROVER_VERSION" = 1.0.0 || { sleep 1000 & echo $! > "$DROVER_PREFIX/shared/var/child"; wait; }\n')
    assert "before-switch was killed after 1 s" in node("activate", "1.1.0", exits=CONFLICT)
    child = int((node.prefix / "shared/var/child").read_text())
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{child}") and "State:\tZ" not in open(f"/proc/{child}/status").read():
        assert time.monotonic() < deadline, "the hook's child lives"
        time.sleep(0.01)
    assert node.current() == "1.0.0"


def test_a_node_that_is_stuck_after_an_interruption_says_so_once(tmp_path, repository):
    node = active(tmp_path, repository, 'restart = test ! -e "$DROVER_PREFIX/shared/var/broken"\n'
                  'health = test "$DROVER_VERSION" = 1.0.0 || { touch "$DROVER_PREFIX/shared/var/broken"; kill -9 $PPID; }\n')
    assert node.run("activate", "1.1.0").returncode == -signal.SIGKILL
    assert "web is stuck: an activation was interrupted, and 1.0.0 does not run again" in node("recover", exits=INTERNAL)
    assert node.current() == "1.0.0"
    node("recover")


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked += 1
        self.send_response(503 if self.server.asked < self.server.good_from else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def health():
    """A service's health over HTTP: 200 from the third question on."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        server.asked, server.good_from = 0, 3
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_health_over_http_is_asked_until_it_is_200(tmp_path, repository, health):
    active(tmp_path, repository, f"health = http://127.0.0.1:{health.server_port}/health\n")
    assert health.asked == 3


def test_health_over_http_that_is_never_200_is_told(tmp_path, repository, health):
    node = active(tmp_path, repository, f"health = http://127.0.0.1:{health.server_port}/health\nhealth-timeout = 1\n")
    health.good_from = 1_000_000
    said = node("activate", "1.1.0", exits=INTERNAL)
    assert f"not healthy within 1 s: http://127.0.0.1:{health.server_port}/health answered 503, not 200" in said


def test_a_unit_is_restarted_by_systemctl(tmp_path, repository):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/systemctl").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    (tmp_path / "bin/systemctl").chmod(0o755)
    node = Node(tmp_path / "other", repository, "unit = web.service\n")
    node("install", "1.0.0")
    node("activate", "1.0.0", PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert (tmp_path / "asked").read_text() == "restart -- web.service\n"


def test_hooks_do_not_hear_what_systemd_says_to_us(tmp_path, repository):
    node = Node(tmp_path / "other", repository, "before-switch = env\n")
    node("install", "1.0.0")
    node("activate", "1.0.0", NOTIFY_SOCKET="/run/x", LISTEN_FDS="1", WATCHDOG_USEC="1")
    log = (node.prefix / "shared/log/before-switch.log").read_text()
    assert "DROVER_VERSION=1.0.0" in log and "NOTIFY" not in log and "LISTEN" not in log and "WATCHDOG" not in log


def test_whoever_reads_through_current_meanwhile_always_finds_a_whole_release(tmp_path, repository):
    node = active(tmp_path, repository, "")
    found, done = set(), threading.Event()

    def read():
        while not done.is_set():
            found.add((node.prefix / "current/bin/web").read_text())

    with concurrent.futures.ThreadPoolExecutor() as pool:
        reader = pool.submit(read)
        for _ in range(5):
            node("activate", "1.1.0")
            node("rollback")
        done.set()
        reader.result()
    assert found == {f"#!/bin/sh\necho {version}\n" for version in ("1.0.0", "1.1.0")}


def test_hooks_run_in_the_new_release_and_their_words_are_kept(tmp_path, repository):
    node = active(tmp_path, repository, SERVICE + "before-switch = pwd; sh bin/web; echo $DROVER_PRODUCT $DROVER_PREFIX\n")
    node("activate", "1.1.0")
    log = (node.prefix / "shared/log/before-switch.log").read_text()
    assert log == f"{node.prefix}/releases/1.1.0\n1.1.0\nweb {node.prefix}\n"


# -- which release may follow which ------------------------------------------------------------------------------

def test_older_than_what_runs_needs_an_order_or_root(node):
    node("install", "1.1.0")
    node("activate", "1.1.0")
    assert "only an order goes back" in node("install", "1.0.0", exits=DENIED)
    node("install", "1.0.0", DROVER_ORDERED="1")
    assert "only an order goes back" in node("activate", "1.0.0", exits=DENIED)
    node("rollback", "1.0.0")
    assert node.current() == "1.0.0"


def test_nothing_goes_below_the_floor_not_even_by_order(tmp_path, repository):
    repository.release("2.0.0", 3, floor=2)
    repository.index()
    node = Node(tmp_path / "node", repository)
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        node("install", version)
    node("activate", "2.0.0")
    assert "below 2" in node("rollback", "1.0.0", exits=DENIED)
    assert "below 2" in node("activate", "1.0.0", exits=DENIED, DROVER_ORDERED="1")
    node("rollback", "1.1.0")
    assert node.current() == "1.1.0" and node.tell()["floor"] == 2


def test_rollback_without_anything_before_says_what_to_name(node):
    node("install", "1.0.0")
    assert "activate a version instead" in node("rollback", exits=NOT_FOUND)
    node("activate", "1.0.0")
    assert "name the version to go back to" in node("rollback", exits=NOT_FOUND)
    assert "drover-node install web 9.9.9" in node("activate", "9.9.9", exits=NOT_FOUND)


# -- who is believed ---------------------------------------------------------------------------------------------

def test_an_index_that_expired_or_is_of_the_future_is_refused(node, repository):
    repository.index(issued=NOW - 100, expires=NOW)
    assert "expired at" in node("install", exits=UNAVAILABLE)
    repository.index(issued=NOW + 301)
    assert "in the future" in node("install", exits=UNAVAILABLE)
    assert node.tell()["newest"] == 0


def test_an_old_index_is_refused_and_so_is_one_whose_sequence_fell(node, repository):
    old = (repository.path / "web/index").read_bytes()
    repository.index()
    node("install", "1.0.0")
    (repository.path / "web/index").write_bytes(old)
    assert "is old: issued at" in node("install", exits=CONFLICT)
    (repository.path / "web/1.1.0/manifest").rename(repository.folder / "manifest")
    repository.index()
    repository.index()
    assert "and it never falls" in node("install", exits=CONFLICT)


def test_a_stale_source_is_left_for_the_next(tmp_path, repository):
    good = Repository(tmp_path / "good")
    good.key = repository.key
    good.release("1.0.0", 1)
    good.index()
    repository.index(key=repository.key, issued=NOW - WEEK, expires=NOW - 1)
    node = Node(tmp_path / "node", repository, sources=f"{repository.path} {good.path}")
    assert node("install") == "1.0.0\n"


def test_a_stranger_is_not_believed(node, repository):
    forge("key", repository.folder / "stranger")
    stranger = repository.folder / "stranger.key"
    repository.index(key=stranger)
    assert "is not trusted" in node("install", exits=DENIED)
    repository.index()
    forge("sign", stranger, repository.path / "web/1.0.0/manifest", "web", "1.0.0")
    assert "is not trusted" in node("install", "1.0.0", exits=DENIED)
    forge("sign", repository.key, repository.path / "web/1.0.0/manifest", "mail", "1.0.0")
    assert "not" in node("install", "1.0.0", exits=DENIED)
    assert node.tell()["installed"] == []


def delegated(repository):
    """Releases 1.2.0 by a key that the root key delegated to: root's key, the other's file and its id."""
    forge("key", repository.folder / "release")
    pub = repository.folder / "release.pub"
    root, repository.key = repository.key, repository.folder / "release.key"
    repository.release("1.2.0", 3)
    repository.key = root
    repository.index()
    forge("delegation", root, repository.path, "web", 1, NOW - 10, f"release={pub}={NOW + WEEK}")
    return root, pub, re.search(r"([0-9A-F]{16})", pub.read_text())[1]


def test_a_delegated_key_counts_until_it_is_revoked_and_what_it_signed_does_not_run(tmp_path, repository):
    root, pub, identity = delegated(repository)
    node = Node(tmp_path / "node", repository)
    node("install", "1.1.0")
    node("install", "1.2.0")
    forge("delegation", root, repository.path, "web", 2, NOW - 5, identity)
    repository.index()
    node("install", "1.1.0")
    assert (node.tell()["serial"], node.tell()["revoked"]) == (2, 1)
    assert "is revoked" in node("activate", "1.2.0", exits=DENIED)
    node("activate", "1.1.0")
    forge("delegation", root, repository.path, "web", 1, NOW - 10, f"release={pub}={NOW + WEEK}")
    assert "is old: 2 was seen" in node("install", exits=CONFLICT)


def test_what_another_key_has_signed_since_runs_again(tmp_path, repository):
    root, _, identity = delegated(repository)
    node = Node(tmp_path / "node", repository)
    for version in ("1.1.0", "1.2.0"):
        node("install", version)
        node("activate", version)
    forge("delegation", root, repository.path, "web", 2, NOW - 5, identity)
    repository.index()
    assert "is revoked" in node("install", "1.2.0", exits=DENIED)
    node("rollback", "1.1.0")
    assert "is revoked" in node("rollback", exits=DENIED)
    forge("sign", root, repository.path / "web/1.2.0/manifest", "web", "1.2.0")
    shutil.move(repository.path, tmp_path / "away")
    assert "is revoked" in node("rollback", exits=DENIED)
    shutil.move(tmp_path / "away", repository.path)
    node("rollback")
    assert node.current() == node.running() == "1.2.0"
    node("install", "1.2.0")
    node("verify")


def test_what_others_may_write_to_is_not_obeyed(node, repository):
    node("install", "1.0.0")
    for path in (node.conf, repository.folder / "keys", node.prefix, node.prefix / "releases"):
        before = path.stat().st_mode
        path.chmod(before | 0o002)
        assert f"{path}" in node("install", exits=DENIED)
        path.chmod(before)
    node("install", "1.1.0")


def test_what_is_installed_runs_also_when_its_key_was_replaced_since(tmp_path, repository):
    root, _, _ = delegated(repository)
    node = Node(tmp_path / "node", repository)
    node("install", "1.2.0")
    forge("delegation", root, repository.path, "web", 2, NOW - 5)
    node("install", "1.1.0")
    node("activate", "1.2.0")
    assert node.current() == "1.2.0"


def test_without_root_keys_nothing_is_believed(node, repository):
    (repository.folder / "keys/root.pub").unlink()
    assert "put the public keys (*.pub) there" in node("install", exits=NOT_FOUND)


def test_another_manifest_under_the_same_version_is_refused(node, repository):
    node("install", "1.0.0")
    (repository.trees["1.0.0"] / "more").write_text("new")
    forge("release", repository.key, repository.path, "web", "1.0.0", 1, 0, repository.trees["1.0.0"])
    other = Node(node.folder.parent / "other", repository)
    assert "it was exchanged" in other("install", "1.0.0", exits=DENIED)
    repository.index()
    assert "a published release never changes" in node("install", "1.0.0", exits=DENIED)


# -- what comes to harm, or means harm ---------------------------------------------------------------------------

def refused(node, code=None, version="1.0.0"):
    """It is not installed, and nothing is left of it."""
    done = node.run("install", version)
    assert done.returncode != 0 and done.returncode == (code or done.returncode), done.stderr
    assert node.tell()["installed"] == [] and node.tell()["intent"] == 0
    assert os.listdir(node.prefix / "releases") == []
    assert os.listdir(node.prefix / ".drover/manifests") == []
    return done.stderr


@pytest.mark.parametrize("harm", ["cut", "longer", "bit", "missing"])
def test_a_payload_that_came_to_harm_is_not_installed(node, repository, harm):
    payload = repository.path / "web/1.0.0/payload.tar.zst"
    good = payload.read_bytes()
    if harm == "missing":
        payload.unlink()
    else:
        payload.write_bytes({"cut": good[:-100], "longer": good + b"x",
                             "bit": good[:1000] + bytes([good[1000] ^ 1]) + good[1001:]}[harm])
    refused(node, UNAVAILABLE)
    payload.write_bytes(good)
    node("install", "1.0.0")
    assert node.is_whole("1.0.0")


def pack(entries):
    """A tar of (TarInfo, bytes) as forge would have written it, but for what is in it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, body in entries:
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


def entry(name, body=b"", mode=0o644, kind=tarfile.REGTYPE, target=""):
    info = tarfile.TarInfo(name)
    info.mode, info.type, info.linkname, info.mtime = mode, kind, target, 1_700_000_000
    return info, body


# Each in the place of the first entry, bin/web, whose bytes, size and mode it has if it can.
WEB = b"#!/bin/sh\necho 1.0.0\n"
HOSTILE = {
    "climbs": entry("../evil", WEB, 0o755),
    "climbs within": entry("bin/../../evil", WEB, 0o755),
    "absolute": entry("/bin/web", WEB, 0o755),
    "link out": entry("bin/web", kind=tarfile.SYMTYPE, target="../../../etc/passwd"),
    "absolute link": entry("bin/web", kind=tarfile.SYMTYPE, target="/etc/passwd"),
    "hard link out": entry("bin/web", kind=tarfile.LNKTYPE, target="/etc/passwd"),
    "device": entry("bin/web", kind=tarfile.CHRTYPE, mode=0o755),
    "pipe": entry("bin/web", kind=tarfile.FIFOTYPE, mode=0o755),
    "folder": entry("bin/web", kind=tarfile.DIRTYPE, mode=0o755),
    "setuid": entry("bin/web", WEB, 0o4755),
    "other bytes": entry("bin/web", WEB.replace(b"1.0.0", b"9.9.9"), 0o755),
}


def publish(repository, tar, log=20, **says):
    """The release 1.0.0 with this tar for payload, well signed; `says` replaces keys of the manifest's payload."""
    folder = repository.path / "web/1.0.0"
    packed = forge("compress", log, input=tar)
    (folder / "payload.tar.zst").write_bytes(packed)
    manifest = (folder / "manifest").read_text()
    values = {"size": len(packed), "sha256": digest(folder / "payload.tar.zst"), "tar_size": len(tar),
              "tar_sha256": hashlib.sha256(tar).hexdigest(), "window_log": log, **says}
    line = re.search(r'(?m)^"payload":\{.*\}', manifest)[0]
    (folder / "manifest").write_text(manifest.replace(line, '"payload":' + json.dumps(values, separators=(",", ":"))))
    forge("sign", repository.key, folder / "manifest", "web", "1.0.0")
    repository.index()


@pytest.mark.parametrize("what", HOSTILE)
def test_a_well_signed_payload_with_something_else_in_it_is_refused(node, repository, what):
    publish(repository, pack([HOSTILE[what]]))
    said = refused(node, INPUT)
    assert "web 1.0.0 is not installed: the payload" in said or "the files on the disk are not the manifest's" in said
    assert list(node.folder.rglob("evil")) == []


def test_a_bomb_stops_at_the_size_that_was_signed(node, repository):
    publish(repository, bytes(50_000_000), tar_size=200_000)
    started = time.monotonic()
    assert "not installed" in refused(node, INPUT)
    assert time.monotonic() - started < 20


def test_a_frame_that_wants_more_memory_than_was_signed_for_is_refused(node, repository):
    publish(repository, os.urandom(3_000_000), 21, window_log=12)
    assert "memory" in refused(node, INPUT)


def sign_manifest(repository, change):
    folder = repository.path / "web/1.0.0"
    text = (folder / "manifest").read_text()
    changed = change(text)
    assert changed != text
    (folder / "manifest").write_text(changed)
    forge("sign", repository.key, folder / "manifest", "web", "1.0.0")
    repository.index()


@pytest.mark.parametrize("path", ["../evil", "/evil", "a/../../evil", "a//b", "x/" * 32 + "deep", "a\\u0000b"])
def test_a_well_signed_manifest_with_a_path_that_leaves_is_refused(node, repository, path):
    sign_manifest(repository, lambda text: text.replace('"path":"data"', f'"path":"{path}"'))
    refused(node)


def test_a_well_signed_manifest_of_too_many_files_is_refused(node, repository):
    def change(text):
        line = re.search(r'(?m)^.*"path":"data".*$', text)[0]
        more = ",\n".join(line.rstrip(",").replace('"data"', f'"data{n:07}"') for n in range(200_001))
        return text.replace(line, line.rstrip(",") + ",\n" + more + ("," if line.endswith(",") else ""))
    sign_manifest(repository, change)
    refused(node)


def test_a_file_that_may_not_grow_is_told_like_a_full_disk(node, repository):
    node("install", "1.0.0")
    node("activate", "1.0.0")
    (repository.path / "web/1.1.0/from-1.0.0.delta").unlink()

    def little():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = subprocess.run(node.line("install", "1.1.0"), preexec_fn=little, capture_output=True, text=True,
                             env=node.environment, timeout=60, check=False)
    assert process.returncode == INTERNAL and "File too large" in process.stderr
    assert node.current() == node.running() == "1.0.0" and node.is_whole("1.0.0")
    assert [name for name in leftovers(node) if ".part" not in name] == []
    node("install", "1.1.0")
    assert node.is_whole("1.1.0")


IN_A_SMALL_FILE_SYSTEM = """
mount -t tmpfs -o "$1" tmpfs "$2/prefix" || exit 77
cp -a "$2/before/." "$2/prefix/"
folder="$2"; shift 2
"$@"; status=$?
cp -a "$folder/prefix/." "$folder/after/"
exit $status
"""


def install_in(node, options, version, folder):
    """In a file system of its own, which is thrown away: what was done, and what was there afterwards."""
    (folder / "after").mkdir(parents=True)
    (folder / "prefix").mkdir()
    shutil.copytree(node.prefix, folder / "before", symlinks=True)
    inside = Node(folder, node.repository)
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", IN_A_SMALL_FILE_SYSTEM, "sh", options, str(folder),
         *inside.line("install", version)], capture_output=True, text=True, env=inside.environment, timeout=60, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file systems of our own here")
    return done, contents(folder / "after")


def is_as_before(after, version):
    return after["current"] == ("link", f"releases/{version}") and not [
        name for name in after if name.startswith("releases/") and not name.startswith(f"releases/{version}")]


def test_a_disk_that_is_too_small_is_said_before_anything_is_fetched(node, repository, tmp_path):
    node("install", "1.0.0")
    node("activate", "1.0.0")
    repository.release("2.0.0", 3, size=2_000_000)
    repository.index()
    done, after = install_in(node, "size=1m", "2.0.0", tmp_path / "small")
    assert done.returncode == INTERNAL and "make room (drover-node gc)" in done.stderr
    assert is_as_before(after, "1.0.0")


def test_a_disk_that_gets_full_at_any_file_is_said_and_the_old_release_goes_on(node, repository, tmp_path):
    """Files run out here, not bytes: the disk seems to have room."""
    node("install", "1.0.0")
    node("activate", "1.0.0")
    (repository.path / "web/1.1.0/from-1.0.0.delta").unlink()
    before, failures = len(contents(node.prefix)) + 1, 0
    for more in range(1, 30):
        done, after = install_in(node, f"size=10m,nr_inodes={before + more}", "1.1.0", tmp_path / f"small{more}")
        if done.returncode == 0:
            break
        assert done.returncode == INTERNAL and "No space left on device" in done.stderr, done.stderr
        # Only the journal's last line is missing: the next command writes it.
        is_whole = {name[len("releases/1.1.0/"):]: what for name, what in after.items()
                    if name.startswith("releases/1.1.0/")} == contents(repository.trees["1.1.0"])
        assert is_as_before(after, "1.0.0") or is_whole and after["current"] == ("link", "releases/1.0.0"), more
        failures += 1
    assert 5 <= failures < 29


READ_ONLY = """mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 77
shift
exec "$@"
"""


@pytest.mark.parametrize("deed", [("install", "1.1.0"), ("activate", "1.1.0"), ("rollback",)])
def test_a_read_only_disk_is_said_and_the_old_release_goes_on(node, deed):
    node("install", "1.0.0")
    node("activate", "1.0.0")
    if deed[0] != "install":
        node("install", "1.1.0")
    before = contents(node.prefix)
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", READ_ONLY, "sh", str(node.prefix), *node.line(*deed)],
        capture_output=True, text=True, env=node.environment, timeout=60, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file systems of our own here")
    assert done.returncode == INTERNAL and "Read-only file system" in done.stderr and str(node.prefix) in done.stderr, done.stderr
    assert contents(node.prefix) == before and node.current() == node.running() == "1.0.0"
    node("install", "1.1.0")
    node("activate", "1.1.0")


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path, repository):
    (tmp_path / "file").write_text("")
    node = Node(tmp_path / "node", repository)
    node.conf.write_text(node.conf.read_text().replace(str(node.prefix), str(tmp_path / "file/prefix")))
    assert "Not a directory" in node("install", exits=INTERNAL)


# -- the place itself --------------------------------------------------------------------------------------------

def test_two_at_once_are_one_and_a_refusal(tmp_path, repository):
    node = active(tmp_path, repository, SERVICE + 'before-switch = test "$DROVER_VERSION" = 1.0.0 || sleep 5\n')
    process = node.start("activate", "1.1.0")
    deadline = time.monotonic() + 10
    while node.tell()["intent"] == 0:
        assert time.monotonic() < deadline
    assert "web: drover-node is at work on host" in node("install", exits=LOCKED)
    process.kill()
    process.communicate()
    node("recover")
    assert node.current() == "1.0.0"


def test_a_journal_that_cannot_be_read_stops_everything_and_touches_nothing(node):
    node("install", "1.0.0")
    journal = node.prefix / ".drover/journal"
    journal.write_text(journal.read_text()[:-10])
    before = node.state()
    assert "cannot be read" in node("install", "1.1.0", exits=INPUT)
    assert node.state() == before


def test_a_journal_that_was_moved_away_is_written_again_from_what_is_there(node, repository):
    node("install", "1.0.0")
    node("activate", "1.0.0")
    (node.prefix / ".drover/journal").unlink()
    (repository.path / "web/1.0.0/payload.tar.zst").unlink()
    node("install", "1.0.0")
    assert node.tell()["installed"] == ["1.0.0"] and node.is_whole("1.0.0") and node.current() == "1.0.0"


def test_a_current_that_is_not_ours_is_not_touched(node):
    node.prefix.mkdir()
    (node.prefix / "current").mkdir()
    assert "move it away" in node("install", exits=CONFLICT)
    (node.prefix / "current").rmdir()
    (node.prefix / "current").symlink_to("/somewhere")
    assert "move it away" in node("install", exits=CONFLICT)
