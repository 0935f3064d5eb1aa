# SPDX-License-Identifier: ISC
"""drover release publish, list, show, diff, verify, gc, sign, delegate, and drover key rotate: a repository of releases as people keep it."""
import base64
import contextlib
import hashlib
import os
import pty
import shutil
import signal
import socket
import subprocess
import time

import pytest

import beds
from conftest import through
from publisher import Publisher, run

pytestmark = pytest.mark.slow

STALE_LOCK = "drover-lock 1\nid 0123456789abcdef\nhost build7\nplace elsewhere\npid 4711\nstarted 99\nsince 2026-11-21T03:47:19Z\njob publish\n"


@pytest.fixture
def web(drover, repository):
    return Publisher(drover, repository)


# -- publishing ----------------------------------------------------------------------------------------------------

def test_a_release_is_published_listed_shown_and_verified(web):
    revision = web.build("1.0.0", "one\n")
    said = web.publish("1.0.0").out
    assert "published web 1.0.0 as release 1" in said and "the index was signed" in said
    web.release("1.0.1", "two\n")
    assert web.index() == (2, ["1.0.1", "1.0.0"])
    listed = web.drover.json("release list web")
    assert [(release["version"], release["sequence"]) for release in listed] == [("1.0.1", 2), ("1.0.0", 1)]
    assert "1.0.1" in web.drover("release list web").out
    assert "new since 1.0.0:" in web.drover("release show web 1.0.1").out
    shown = web.drover("release show web 1.0.0").out
    assert "\nnew:\n" in shown
    assert "web 1.0.0, release 1" in shown and revision in shown and "signed by the key" in shown
    diff = web.drover("release diff web 1.0.1").out
    assert "~ a.txt" in diff and "~ big.txt" in diff and "3 changed" in diff
    assert web.drover.json("release diff web 1.0.0 1.0.1")["from"] == "1.0.1"
    assert "1.0.1 is whole" in web.drover("release verify web 1.0.1").out
    assert web.drover.json("release verify web 1.0.1")["deltas_tried"] == 1
    web.check(["1.0.0", "1.0.1"])


def test_deltas_come_from_the_last_versions_and_only_when_they_are_shorter(web):
    web.configure("index-key = root.key\ndeltas = 2")
    for number in range(4):
        web.release(f"1.0.{number}", f"{number}\n")
    manifest = web.manifest("1.0.3")
    assert [delta["from"] for delta in manifest["deltas"]] == ["1.0.1", "1.0.2"]
    assert all(delta["size"] < manifest["payload"]["size"] / 10 for delta in manifest["deltas"])
    web.configure("index-key = root.key\ndeltas = 0")
    web.release("1.0.4", "4\n")
    assert web.manifest("1.0.4")["deltas"] == []
    web.configure("index-key = root.key")
    web.build("1.0.5", "", big="all is new\n")
    (web.repository.path / "log.txt").write_text("")
    web.build("1.0.6", "x", big="short\n")
    web.publish("1.0.6")
    assert web.manifest("1.0.6")["deltas"] == [] or web.manifest("1.0.6")["deltas"][0]["size"] < web.manifest("1.0.6")["payload"]["size"]
    web.check([f"1.0.{number}" for number in (0, 1, 2, 3, 4, 6)])


def test_the_same_again_changes_nothing_and_other_bytes_are_refused(web):
    web.release("1.0.0", "one\n")
    before, index = web.bytes("1.0.0"), (web.web / "index").read_bytes()
    again = web.publish("1.0.0")
    assert "found published web 1.0.0" in again.out and "was signed before" in again.out
    # Built again from the same revision, and from another one.
    web.drover("release build web --version 1.0.0 --out again --reason r", exits=2)  # the version is taken
    (web.drover.state / "builds/web/1.0.0/manifest.draft").write_text(
        (web.drover.state / "builds/web/1.0.0/manifest.draft").read_text().replace('"tar_sha256":"', '"tar_sha256":"0')[:])
    web.publish("1.0.0")  # a draft that is none counts as none
    shutil.rmtree(web.drover.state / "builds/web/1.0.0")
    web.publish("1.0.0")
    assert (web.bytes("1.0.0"), (web.web / "index").read_bytes()) == (before, index)
    web.build("1.0.1", "two\n")
    shutil.move(web.drover.state / "builds/web/1.0.1", web.drover.state / "builds/web/1.0.0")
    draft = web.drover.state / "builds/web/1.0.0/manifest.draft"
    draft.write_text(draft.read_text().replace('"version":"1.0.1"', '"version":"1.0.0"'))
    assert "never changes" in web.publish("1.0.0", exits=4).err
    web.check(["1.0.0"])


def test_versions_only_rise(web):
    web.drover("channel settings web --scheme semver")
    web.build("1.1.9", "one\n")
    web.build("1.2.0-rc.1", "two\n")
    web.release("1.2.0-rc.2", "three\n")
    web.release("1.2.0", "four\n")
    for version in ("1.1.9", "1.2.0-rc.1"):
        told = f"web {version} would not be higher than 1.2.0, which is published: versions only rise"
        assert told in web.publish(version, "--reason late", exits=2).err
        # Said before a build that takes long, too.
        assert told in web.drover(f"release build web --version {version}", exits=2).err
    assert "index" in web.drover("release build web --version index", exits=2).err
    web.build("1.10.0-rc.1", "five\n")
    web.publish("1.10.0-rc.1")
    web.release("1.10.0", "six\n")
    web.check(["1.10.0", "1.10.0-rc.1", "1.2.0", "1.2.0-rc.2"])


def test_a_version_that_channels_could_not_compare_is_refused_before_it_lies_in_the_repository(web):
    web.build("0.9.0", "none\n")
    said = web.drover("release build web --version 1.0.0-rc.1", exits=2).err
    assert "'1.0.0-rc.1' is no version of the scheme mozilla" in said and "drover channel settings web --scheme semver" in said
    web.drover("channel settings web --scheme semver")
    web.build("1.0.0-rc.1", "one\n")
    web.drover("channel settings web --scheme mozilla")
    assert "scheme mozilla" in web.publish("1.0.0-rc.1", exits=2).err
    assert not web.web.exists() or web.versions() == []
    web.drover("channel settings web --scheme semver")
    web.publish("1.0.0-rc.1")
    web.check(["1.0.0-rc.1"])


def test_versions_rise_in_the_repository_too_whatever_the_server_knows(web):
    """A repository that another server published to."""
    web.release("1.0.0", "one\n")
    web.build("1.1.0", "two\n")
    (web.web / "1.0.0").rename(web.web / "2.0.0")
    for file in ("manifest", "manifest.minisig"):
        path = web.web / "2.0.0" / file
        path.write_text(path.read_text().replace("1.0.0", "2.0.0"))
    web.drover(f"key sign {web.web}/2.0.0/manifest --key root.key --comment 'drover release product=web version=2.0.0'")
    (web.web / "index").unlink()
    assert "would not be higher than 2.0.0" in web.publish("1.1.0", exits=4).err


# -- a key with a password -----------------------------------------------------------------------------------------

def locked(path, password):
    """The key with a password, by scrypt at the least cost that minisign's files know."""
    comment, text = path.read_text().splitlines()
    record = base64.b64decode(text)
    salt, operations, memory = os.urandom(32), 2**15, 2**24
    stream = hashlib.scrypt(password, salt=salt, n=1024, r=8, p=1, dklen=104)
    opened = record[54:126] + hashlib.blake2b(record[:2] + record[54:126], digest_size=32).digest()
    part = bytes(a ^ b for a, b in zip(opened, stream, strict=True))
    record = b"EdScB2" + salt + operations.to_bytes(8, "little") + memory.to_bytes(8, "little") + part
    path.write_text(f"{comment}\n{base64.b64encode(record).decode()}\n")


def typed(drover, line, password):
    """At a terminal: the exit status, and all that was shown."""
    outer, inner = pty.openpty()
    running = subprocess.Popen(drover.words(line), stdin=inner, stdout=inner, stderr=inner, cwd=drover.folder,
                               env={**drover.environment, "TERM": "dumb"})
    os.close(inner)
    said = b""
    with contextlib.suppress(OSError):
        while not said.endswith(b"Password: "):
            said += os.read(outer, 1024)
        os.write(outer, password + b"\n")
        while part := os.read(outer, 1024):
            said += part
    os.close(outer)
    return running.wait(60), said.decode()


def test_a_release_key_with_a_password_is_typed_at_a_terminal(drover, repository):
    web = Publisher(drover, repository, index_key=False)
    web.build("1.0.0", "one\n")
    locked(drover.folder / "root.key", b"correct horse")
    code, said = typed(drover, "release publish web 1.0.0", b"correct house")
    assert code == 5 and "wrong password" in said and "house" not in said
    assert "no password was given" in web.publish("1.0.0", exits=2).err
    assert not web.web.exists() or web.versions() == []
    code, said = typed(drover, "release publish web 1.0.0", b"correct horse")
    assert code == 0 and "published web 1.0.0 as release 1" in said and "horse" not in said
    # What is there already is not signed again: nothing is asked.
    assert "found published web 1.0.0" in web.publish("1.0.0").out
    drover("release gc web --dry-run --keep 1 --index-key root.key", stdin="correct horse\n")
    web.build("1.0.1", "two\n")
    web.drover("release publish web 1.0.1", stdin="correct horse\n")
    assert web.versions() == ["1.0.0", "1.0.1"]


def test_a_payload_that_was_damaged_since_it_was_built_is_not_published(web):
    web.build("1.0.0", "one\n")
    payload = web.drover.state / "builds/web/1.0.0/payload.tar.zst"
    with payload.open("r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    assert "1.0.0" in web.publish("1.0.0", exits=4).err
    assert not web.web.exists() or web.versions() == []


def test_another_revision_wants_a_reason_which_is_kept(web):
    first = web.build("1.0.0", "one\n")
    web.build("1.0.1", "two\n")
    assert "--reason" in web.publish("1.0.0", exits=2).err
    web.drover(f"release build web --version 1.0.2 --revision {first} --reason 'the new one crashes'")
    web.publish("1.0.2")
    assert web.drover.json("release show web 1.0.2")["reason"] == "the new one crashes"


def test_tags_are_checked_made_and_never_moved(web):
    first = web.build("1.0.0", "one\n")
    web.repository.git("tag", "v1.0.0", first)
    web.publish("1.0.0")
    assert web.manifest("1.0.0")["tag"] == "v1.0.0"
    second = web.build("1.0.1", "two\n")
    web.repository.git("tag", "1.0.1", first)
    assert "never moved" in web.publish("1.0.1", exits=4).err
    web.repository.git("tag", "-d", "1.0.1")
    assert "no tag rel-1" in web.publish("1.0.1", "--tag-name rel-1", exits=3).err
    web.publish("1.0.1", "--tag --tag-name rel-1")
    assert web.repository.git("rev-parse", "rel-1") == second and web.manifest("1.0.1")["tag"] == "rel-1"
    web.build("1.0.2", "three\n")
    web.publish("1.0.2")
    assert web.manifest("1.0.2")["tag"] is None
    assert "no tag was made" in web.publish("1.0.2", "--tag").err


def test_the_tools_of_others_accept_what_was_signed(web):
    web.release("1.0.0", "one\n")
    folder = web.web / "1.0.0"
    if shutil.which("minisign"):
        done = run(["minisign", "-V", "-p", web.keys / "root.pub", "-m", folder / "manifest"])
        assert done.returncode == 0 and "drover release product=web version=1.0.0" in done.stdout, done.stderr
    if shutil.which("signify-openbsd"):
        done = run(["signify-openbsd", "-V", "-p", web.keys / "root.pub", "-x", folder / "manifest.minisig", "-m", folder / "manifest"])
        assert done.returncode == 0, done.stderr
    # The index is a text and its signature in one file.
    lines = (web.web / "index").read_text().splitlines(keepends=True)
    (web.drover.folder / "text").write_text("".join(lines[:-4]))
    (web.drover.folder / "text.minisig").write_text("".join(lines[-4:]))
    web.drover(f"key verify text --key {web.keys}/root.pub")
    unpacked = web.drover.folder / "unpacked"
    unpacked.mkdir()
    assert run(["tar", "--zstd", "-xf", folder / "payload.tar.zst", "-C", unpacked]).returncode == 0
    assert (unpacked / "a.txt").read_text() == "one\n"


def test_a_key_that_nobody_trusts_publishes_nothing(web):
    web.build("1.0.0", "one\n")
    web.drover("key generate --secret other.key --public other.pub --no-password")
    assert "is not trusted" in web.publish("1.0.0", "--key other.key", exits=5).err
    assert "is not trusted" in web.publish("1.0.0", "--index-key other.key", exits=5).err
    assert web.versions() == []
    web.configure()
    (web.drover.folder / "drover.conf").write_text("[release]\nrepository = releases\nkeys = keys\n")
    assert "which key" in web.publish("1.0.0", exits=2).err
    (web.drover.folder / "drover.conf").write_text("[release]\nkey = root.key\n")
    assert "where is the repository" in web.publish("1.0.0", exits=2).err
    assert "is not there" in web.publish("1.0.0", "--releases nowhere", exits=3).err


def test_without_an_index_key_droverd_is_left_to_sign(web):
    web.configure()
    web.build("1.0.0", "one\n")
    assert "droverd signs the index" in web.publish("1.0.0").out
    assert not (web.web / "index").exists()
    web.build("1.0.1", "two\n")
    web.publish("1.0.1")
    assert web.manifest("1.0.1")["sequence"] == 2
    assert [delta["from"] for delta in web.manifest("1.0.1")["deltas"]] == ["1.0.0"]
    web.configure("index-key = root.key")
    web.publish("1.0.1")
    web.check(["1.0.0", "1.0.1"])


def test_through_a_server_it_is_the_same(web, server):
    web.build("1.0.0", "one\n")
    there = through(web.drover, server)
    there.environment["DROVER_CONFIG"] = web.drover.environment["DROVER_CONFIG"]
    there("release publish web state/builds/web/1.0.0")
    assert [release["version"] for release in there.json("release list web")] == ["1.0.0"]
    assert "found published" in there("release publish web state/builds/web/1.0.0").out
    assert "nothing is to be removed" in there("release gc web").out
    web.check(["1.0.0"])


# -- two at once, disks ------------------------------------------------------------------------------------------------

def test_of_two_publishers_one_waits_to_be_told_who_works(web):
    web.build("1.0.0", "one\n")
    holder = subprocess.Popen(web.drover.words("release publish web 1.0.0"), cwd=web.drover.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env={**web.drover.environment, "LD_PRELOAD": str(beds.KILL_AT),
                                                           "KILL_AT": "25", "KILL_WHEN": "stop"})
    _, status = os.waitpid(holder.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    try:
        said = web.publish("1.0.0", exits=6).err
        assert f"publish on host {socket.gethostname()}, pid {holder.pid}" in said
    finally:
        os.kill(holder.pid, signal.SIGCONT)
    assert holder.wait(60) == 0
    holder.communicate()
    web.check(["1.0.0"])


def test_the_lock_of_another_host_is_taken_over_when_it_was_silent(web):
    web.release("1.0.0", "one\n")
    web.build("1.0.1", "two\n")
    lock = web.web / ".lock"
    lock.write_text(STALE_LOCK)
    assert "publish on host build7, pid 4711" in web.publish("1.0.1", exits=6).err
    os.utime(lock, (time.time() - 95, time.time() - 95))
    assert "from publish on host build7" in web.publish("1.0.1").err
    web.check(["1.0.0", "1.0.1"])


READ_ONLY = """mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 77
shift
exec "$@"
"""


def test_a_read_only_repository_is_said_and_nothing_changes(web):
    web.release("1.0.0", "one\n")
    web.build("1.0.1", "two\n")
    before = {path: path.read_bytes() for path in web.releases.rglob("*") if path.is_file()}
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", READ_ONLY, "sh", web.releases,
             *web.drover.words("release publish web 1.0.1"), "--allow-root"]
    done = run(words, cwd=web.drover.folder, env=web.drover.environment)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file systems of our own here")
    assert done.returncode == 1 and "cannot make releases/web/.lock" in done.stderr and "Read-only file system" in done.stderr, done.stderr
    assert {path: path.read_bytes() for path in web.releases.rglob("*") if path.is_file()} == before
    assert web.listed() == ["1.0.0"]
    web.publish("1.0.1")
    web.check(["1.0.0", "1.0.1"])


def test_a_full_disk_publishes_nothing_and_the_next_try_does(web):
    web.release("1.0.0", "one\n")
    web.build("1.0.1", "two\n")
    before, index = web.versions(), (web.web / "index").read_bytes()
    words = web.drover.words("release publish web 1.0.1")
    done = run(["prlimit", "--fsize=40000", *words], cwd=web.drover.folder, env=web.drover.environment)
    assert done.returncode != 0
    assert (web.versions(), (web.web / "index").read_bytes()) == (before, index)
    web.publish("1.0.1")
    web.check(["1.0.0", "1.0.1"])


# -- verifying -----------------------------------------------------------------------------------------------------------

def test_every_kind_of_damage_is_found_and_named(web):
    web.release("1.0.0", "one\n")
    web.release("1.0.1", "two\n")
    whole = web.drover.folder / "whole"
    shutil.copytree(web.releases, whole)

    def damaged(path, change, exits, says, version="1.0.1"):
        shutil.rmtree(web.releases)
        shutil.copytree(whole, web.releases)
        change(web.web / path)
        assert says in web.drover(f"release verify web {version}", exits).err, path

    def flip(path):
        data = bytearray(path.read_bytes())
        data[len(data) // 4] ^= 1
        path.write_bytes(data)

    damaged("1.0.1/manifest", flip, 5, "is not what the key")
    damaged("1.0.1/payload.tar.zst", flip, 2, "payload.tar.zst")
    damaged("1.0.1/from-1.0.0.delta", flip, 2, "from-1.0.0.delta")
    damaged("1.0.1/from-1.0.0.delta", lambda path: path.unlink(), 3, "from-1.0.0.delta")
    damaged("1.0.1/more", lambda path: path.write_text("x"), 2, "the file more")
    damaged("1.0.1/manifest", lambda path: (path.unlink(), os.mkfifo(path)), 2, "is no regular file")
    damaged("1.0.1/payload.tar.zst", lambda path: (path.unlink(), os.mkfifo(path)), 2, "is no regular file")
    damaged("1.0.1", shutil.rmtree, 3, "no version '1.0.1' of web lies in the repository")
    damaged("index", flip, 5, "index")
    damaged("index", lambda path: path.unlink(), 3, "index")
    damaged("1.0.0", lambda path: (shutil.rmtree(path), shutil.copytree(web.web / "1.0.1", path)), 5, "not about", "1.0.0")
    web.drover("key generate --secret other.key --public other.pub --no-password")
    shutil.rmtree(web.releases)
    shutil.copytree(whole, web.releases)
    assert "is not trusted" in web.drover("release verify web 1.0.1 --key other.pub", 5).err
    assert "expired" in web.drover("release verify web 1.0.1 --now 2099-01-01T00:00:00Z", 8).err
    web.drover(f"release verify web 1.0.1 --releases whole --key {web.keys}/root.pub", DROVER_CONFIG=str(web.drover.folder / "empty.conf"))


# -- removing ------------------------------------------------------------------------------------------------------------

def test_gc_takes_what_nothing_names(web):
    for number in range(5):
        web.release(f"1.0.{number}", f"{number}\n")
    web.drover("rule add product=web channel=release mapping=web-1.0.1")
    rehearsed = web.drover.json("release gc web --keep 2 --dry-run")
    assert rehearsed["removed"] == ["1.0.2", "1.0.0"] and rehearsed["dry_run"]
    assert len(web.versions()) == 5
    said = web.drover("release gc web --keep 2").out
    assert "1.0.2 is removed" in said and "1.0.1 stays: " in said
    web.check(["1.0.1", "1.0.3", "1.0.4"])
    assert web.index()[0] == 5
    assert "nothing is to be removed" in web.drover("release gc web --keep 2").out
    removed = [release["version"] for release in web.drover.json("release list web --removed") if release["removed"]]
    assert removed == ["1.0.2", "1.0.0"]
    web.build("1.0.5", "5\n")
    web.publish("1.0.5")
    web.check(["1.0.1", "1.0.3", "1.0.4", "1.0.5"])


def test_gc_needs_the_index_key_and_a_repository(web):
    web.drover("release gc web", exits=3)
    web.release("1.0.0", "one\n")
    web.configure()
    assert "index-key" in web.drover("release gc web", exits=2).err


# -- keys ------------------------------------------------------------------------------------------------------------------

def test_keys_are_delegated_rotated_and_releases_signed_again(web):
    drover = web.drover
    for name in ("release", "index"):
        drover(f"key generate --secret {name}.key --public {name}.pub --no-password")
        drover(f"key trust delegation {name}.pub --by root.key --for web --use {name} --until 2099-01-01")
    said = drover("release delegate web delegation").out
    assert "delegation 2" in said
    text = (web.web / "delegation").read_text().splitlines()
    assert text[:2] == ["drover-delegation 1", "product web"] and text[-2].startswith("trusted comment: drover delegation")

    (drover.folder / "drover.conf").write_text(
        "[release]\nrepository = releases\nkey = release.key\nindex-key = index.key\nkeys = keys\n")
    web.release("1.0.0", "one\n")
    web.check(["1.0.0"])
    assert "signed by the key" in drover("release show web 1.0.0").out

    said = drover("key rotate delegation --use release --by root.key --secret new.key --public new.pub --no-password "
                  "--until 2099-01-01 --overlap 7d --now 2026-12-01T00:00:00Z").out
    assert "drover release delegate web delegation" in said and "until 2026-12-08 00:00" in said
    drover("release delegate web delegation")
    assert "ends" not in drover("release verify web 1.0.0 --now 2026-11-25T00:00:00Z", exits=0).err
    text = (web.web / "delegation").read_text()
    assert "2026-12-08T00:00:00Z" in text and text.count("key release") == 2

    before = web.bytes("1.0.0")
    drover("release sign web 1.0.0 --key new.key")
    after = web.bytes("1.0.0")
    assert after.pop("manifest.minisig") != before.pop("manifest.minisig") and after == before
    new = drover.json("key show new.pub")["id"]
    assert drover.json("release verify web 1.0.0")["signer"] == new
    assert drover.json("release show web 1.0.0")["signer"] == new

    old = drover.json("key show release.pub")["id"]
    drover(f"key revoke delegation {old} --by root.key")
    drover("release delegate web delegation")
    assert f"revoked {old}" in (web.web / "index").read_text()
    web.build("1.0.1", "two\n")
    assert "revoked" in web.publish("1.0.1", exits=5).err
    web.publish("1.0.1", "--key new.key")
    web.check(["1.0.0", "1.0.1"])


def test_what_is_not_as_it_was_published_is_not_signed_again(web):
    web.release("1.0.0", "one\n")
    manifest = web.web / "1.0.0/manifest"
    manifest.write_text(manifest.read_text().replace('"min_rollback_sequence":0', '"min_rollback_sequence":1'))
    assert "is not the one that was published" in web.drover("release sign web 1.0.0", exits=4).err


def test_a_delegation_that_no_root_signed_or_that_is_old_is_refused(web):
    drover = web.drover
    web.release("1.0.0", "one\n")
    drover("key generate --secret other.key --public other.pub --no-password")
    drover("key trust stray other.pub --by other.key --for web --use release --until 2099-01-01")
    drover("release delegate web stray", exits=5)
    drover("key trust new other.pub --by root.key --for web --use release --until 2099-01-01 --serial 5")
    drover("release delegate web new")
    drover("key trust old other.pub --by root.key --for web --use release --until 2099-01-01 --serial 4")
    assert "serial" in drover("release delegate web old", exits=4).err


def test_a_new_key_is_not_put_over_an_old_one(web):
    drover = web.drover
    drover("key rotate delegation --for web --use index --by root.key --secret root.key --public x.pub --no-password "
           "--until 2099-01-01", exits=4)
    assert not (drover.folder / "delegation").exists()
