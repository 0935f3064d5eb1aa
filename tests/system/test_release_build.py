# SPDX-License-Identifier: ISC
"""drover release build and check: what is committed is built, without network, and tested before it is packed."""
import hashlib
import http.server
import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import zlib

import pytest

from conftest import ROOT, Repository
from publisher import Publisher

pytestmark = pytest.mark.slow

ABC = hashlib.sha256(b"abc").hexdigest()


class Shop:
    """Product web, whose landings are good; built into a folder of the test's own."""

    def __init__(self, drover, repository):
        self.drover, self.repository = drover, repository
        self.out = drover.folder / "built"
        drover(f"product add web --repository {repository.path}")

    def write(self, path, text, mode=0o644):
        target = self.repository.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
        target.chmod(mode)

    def land(self, recipe=None):
        """What lies in the repository becomes a landing that is good."""
        if recipe is not None:
            self.write("drover.ini", recipe)
        revision = self.repository.commit("Change")
        self.drover("landing scan")
        self.drover(f"qa ok {revision}")
        return revision

    def build(self, more="", exits=0, out=None):
        return self.drover(f"release build web --version 1.0.0 --out {out or self.out} {more}", exits)

    @property
    def draft(self):
        return json.loads((self.out / "manifest.draft").read_text())

    def is_there(self):
        """Something that could be published."""
        return (self.out / "manifest.draft").exists()

    def paths(self):
        return [entry["path"] for entry in self.draft["files"]]


@pytest.fixture
def shop(drover, repository):
    return Shop(drover, repository)


# -- what is built -----------------------------------------------------------------------------------------------

def test_only_what_is_committed_is_built(shop):
    shop.write("a.txt", "committed\n")
    shop.write(".gitignore", "*.o\n")
    shop.land()
    shop.write("a.txt", "edited\n")
    shop.write("new.txt", "not added\n")
    shop.write("x.o", "ignored\n")
    shop.write("staged.txt", "staged\n")
    shop.repository.git("add", "staged.txt")
    shop.build()
    assert shop.paths() == [".gitignore", "a.txt", "log.txt"]
    assert (shop.out / "tree/a.txt").read_text() == "committed\n"


def test_modes_and_links_are_as_git_has_them(shop):
    shop.write("bin/run", "#!/bin/sh\n", 0o755)
    shop.write("lib/x.py", "x\n", 0o600)
    (shop.repository.path / "bin/latest").symlink_to("run")
    (shop.repository.path / "py").symlink_to("lib/x.py")
    before = os.umask(0o077)
    try:
        shop.land()
        shop.build()
    finally:
        os.umask(before)
    shown = {entry["path"]: entry.get("mode", entry.get("target")) for entry in shop.draft["files"]}
    assert shown == {"bin/latest": "run", "bin/run": "0755", "lib/x.py": "0644", "log.txt": "0644", "py": "lib/x.py"}
    assert (shop.out / "tree/bin").stat().st_mode & 0o777 == 0o755
    tar = subprocess.run(f"zstd -dc {shop.out}/payload.tar.zst | tar -tvf -", shell=True, capture_output=True, text=True,
                         check=True).stdout
    assert "-rwxr-xr-x 0/0" in tar and "bin/latest -> run" in tar


def test_line_ends_and_keywords_stay_as_they_were_committed(shop):
    shop.write(".gitattributes", "*.txt text eol=crlf\n*.id ident\n*.bat -text\nold.txt -text\nhidden export-ignore\n")
    shop.write("unix.txt", "one\ntwo\n")
    shop.write("old.txt", b"one\r\ntwo\r\n")
    shop.write("a.id", "$Id$\n")
    shop.write("hidden", "is in the release\n")
    shop.land()
    shop.build()
    tree = shop.out / "tree"
    assert (tree / "unix.txt").read_bytes() == b"one\ntwo\n"
    assert (tree / "old.txt").read_bytes() == b"one\r\ntwo\r\n"
    assert (tree / "a.id").read_bytes() == b"$Id$\n"
    assert (tree / "hidden").exists()


def test_a_submodule_is_refused_and_named(shop, environment, tmp_path):
    other = Repository(tmp_path / "other", environment)
    other.commit("One")
    shop.repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.path), "third/party")
    shop.land()
    said = shop.build(exits=2)
    assert "third/party is a submodule" in said.err and "Pin them as a dependency" in said.err
    assert not shop.is_there()


def plumb(shop, entries):
    """A commit whose tree git itself would not make. `entries`: (mode, name, SHA)."""
    git = shop.repository.git
    body = b""
    for mode, name, sha in entries:
        body += f"{mode} {name}".encode() + b"\0" + bytes.fromhex(sha)
    made = subprocess.run(["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"], input=body,
                          cwd=shop.repository.path, capture_output=True, check=True, env=shop.repository.environment)
    tree = made.stdout.decode().strip()
    commit = git("commit-tree", "-p", "HEAD", "-m", "evil", tree, **shop.repository._when("ada"))
    git("update-ref", "refs/heads/main", commit)
    shop.drover("landing scan")
    shop.drover(f"qa ok {commit}")


def test_an_object_that_is_not_what_its_name_says_stops_the_build(shop):
    """A damaged disk, or somebody with a way to it: git's own names of things are held to what they hold."""
    shop.write("a.txt", "good\n")
    shop.land()
    blob = shop.repository.git("rev-parse", "HEAD:a.txt")
    loose = shop.repository.path / ".git/objects" / blob[:2] / blob[2:]
    loose.chmod(0o644)
    loose.write_bytes(zlib.compress(b"blob 5\0evil\n"))
    said = shop.build(exits=2)
    assert "a.txt" in said.err and "git fsck" in said.err
    assert not shop.is_there()


@pytest.mark.parametrize("name", ["..", ".", "a/../../x", "/etc"])
def test_a_hostile_tree_of_git_writes_nothing_outside(shop, name):
    shop.write("a.txt", "x\n")
    shop.land()
    blob = shop.repository.git("rev-parse", "HEAD:a.txt")
    plumb(shop, [("100644", name, blob)])
    before = sorted(path for path in shop.drover.folder.rglob("*") if "repository" not in path.parts)
    said = shop.build(exits=2)
    assert not shop.is_there() and said.err.startswith("drover: error:")
    made = {path for path in shop.drover.folder.rglob("*") if "repository" not in path.parts} - set(before)
    assert all(shop.out in (path, *path.parents) for path in made if path != shop.drover.state / "drover.db-wal")


def test_a_link_and_a_folder_of_one_name_do_not_lead_outside(shop, tmp_path):
    """Git forbids it, and so it comes: a link `a`, then files below a folder `a`."""
    outside = tmp_path / "outside"
    outside.mkdir()
    shop.write("f", "evil\n")
    shop.write("l/f", "x\n")
    (shop.repository.path / "a").symlink_to(outside)
    shop.land()
    link, folder = (shop.repository.git("rev-parse", f"HEAD:{name}") for name in ("a", "l"))
    plumb(shop, [("120000", "a", link), ("40000", "a", folder)])
    shop.build(exits=2)
    assert list(outside.iterdir()) == [] and not shop.is_there()


def test_a_link_that_leads_outside_stops_the_build(shop):
    (shop.repository.path / "passwd").symlink_to("/etc/passwd")
    shop.land()
    assert "passwd" in shop.build(exits=2).err
    assert not shop.is_there()
    shop.land("[build]\nremove = passwd\n")
    shop.build()
    assert "passwd" not in shop.paths()


# -- which revision ----------------------------------------------------------------------------------------------

def test_the_deployable_landing_is_built_unless_a_reason_is_given(shop):
    good = shop.land("")
    shop.write("new", "x")
    bad = shop.repository.commit("Not tested")
    shop.drover("landing scan")
    shop.build()
    assert shop.draft["revision"] == good and shop.draft["landing"] == 1
    said = shop.build(f"--revision {bad}", exits=2)
    assert "say --reason WHY" in said.err
    assert shop.draft["revision"] == good, "a refused build leaves what is there"
    shop.build(f"--revision {bad} --reason 'hotfix for 1042'")
    assert shop.draft["revision"] == bad and shop.draft["landing"] == 2
    assert (shop.out / "reason").read_text() == "hotfix for 1042"
    shop.build()
    assert not (shop.out / "reason").exists()


def test_a_commit_that_is_no_landing_needs_a_reason_and_has_no_landing(shop):
    shop.land("")
    shop.repository.git("checkout", "-q", "-b", "side")
    side = shop.repository.commit("Aside")
    shop.build(f"--revision {side}", exits=2)
    shop.build(f"--revision {side} --reason try")
    assert shop.draft["revision"] == side and shop.draft["landing"] is None


def test_nothing_is_built_while_no_landing_may_be_deployed(shop):
    shop.repository.commit("Not tested")
    shop.drover("landing scan")
    assert "no landing of web may be deployed" in shop.build(exits=2).err
    assert not shop.out.exists()


def test_where_the_repository_is_not_a_clone_will_do(shop, tmp_path):
    shop.land("")
    shop.repository.git("clone", "-q", "--bare", str(shop.repository.path), str(tmp_path / "bare.git"))
    shop.repository.path.rename(tmp_path / "moved")
    assert "name a clone with --repository DIR" in shop.build(exits=3).err
    shop.build(f"--repository {tmp_path}/bare.git")
    assert shop.paths() == ["drover.ini", "log.txt"]


def test_the_first_version_must_be_said(shop):
    shop.land("")
    assert "--version" in shop.drover(f"release build web --out {shop.out}", exits=2).err


def test_what_was_built_lies_where_the_configuration_says(shop):
    shop.land("")
    shop.drover("release build web --version 1.0.0")
    assert (shop.drover.state / "builds/web/1.0.0/manifest.draft").exists()
    (shop.drover.folder / "d.conf").write_text(f"[release]\nbuilds = {shop.drover.folder}/elsewhere\n")
    said = shop.drover.json("release build web --version 1.0.1 --config d.conf")
    assert said["folder"] == f"{shop.drover.folder}/elsewhere/web/1.0.1"
    assert said["files"] == 2 and said["test"] is None and said["landing"] == 1


def test_a_folder_with_other_files_is_never_emptied(shop):
    shop.land("")
    shop.out.mkdir()
    (shop.out / "tree").mkdir()
    (shop.out / "tree/thesis.txt").write_text("years of work")
    assert "holds files that no build of drover made" in shop.build(exits=4).err
    assert (shop.out / "tree/thesis.txt").exists()


def test_only_one_build_is_at_work_in_a_folder(shop):
    shop.land("[build]\ncommand = sleep 1000\n")
    first = shop.drover.start(f"release build web --version 1.0.0 --out {shop.out}")
    try:
        while not (shop.out / "build.log").exists():
            assert first.poll() is None
            time.sleep(0.01)
        assert "another build is at work" in shop.build(exits=6).err
    finally:
        first.kill()
        first.communicate()


# -- dependencies ------------------------------------------------------------------------------------------------

def pin(shop, sha256=ABC, more=""):
    shop.write("deps.lock", f"# pinned\nsix 1.16.0 {sha256} six.tgz\n")
    shop.land(f"[build]\nlock = deps.lock\n{more}")


def vendor_of(shop, files):
    vendor = shop.drover.folder / "vendor"
    vendor.mkdir()
    for name, text in files.items():
        (vendor / name).write_bytes(text)
    (shop.drover.folder / "v.conf").write_text(f"[release]\nvendor = {vendor}\n")
    return "--config v.conf"


def test_pinned_dependencies_go_into_the_release(shop):
    pin(shop, more="into = third/party\ncommand = cp third/party/six.tgz used\n")
    shop.build(vendor_of(shop, {"six.tgz": b"abc"}))
    assert shop.draft["dependencies"] == [{"name": "six", "version": "1.16.0", "file": "six.tgz", "sha256": ABC}]
    assert "third/party/six.tgz" in shop.paths() and (shop.out / "tree/used").read_bytes() == b"abc"


def test_a_missing_dependency_stops_the_build(shop):
    pin(shop)
    said = shop.build(vendor_of(shop, {}), exits=3)
    assert "six 1.16.0, which deps.lock pins, cannot be had" in said.err and "six.tgz" in said.err
    assert not shop.is_there()


def test_another_file_than_the_pinned_one_stops_the_build(shop):
    pin(shop)
    config = vendor_of(shop, {"six.tgz": b"abd"})
    said = shop.build(config, exits=2)
    assert "six 1.16.0 is another file than the one that was pinned" in said.err
    assert ABC in said.err and hashlib.sha256(b"abd").hexdigest() in said.err
    assert not shop.is_there() and list((shop.out / "cache").iterdir()) == []


def test_a_dependency_beyond_the_limit_is_not_copied(shop, web_vendor):
    pin(shop)
    vendor = shop.drover.folder / "vendor"
    vendor.mkdir()
    (vendor / "six.tgz").touch()
    os.truncate(vendor / "six.tgz", 4 * 2**30 + 1)
    (shop.drover.folder / "f.conf").write_text(f"[release]\nvendor = {vendor}\n")
    assert "File too large" in shop.build("--config f.conf", exits=2).err
    web_vendor.files["/files/six.tgz"] = (200, b"abc")
    web_vendor.length = 4 * 2**30 + 1
    assert "is larger than 4294967296 bytes" in shop.build("--config v.conf", exits=2).err


def test_nowhere_to_fetch_from_is_said(shop):
    pin(shop)
    assert "[release]" in shop.build(exits=2).err


def test_a_lock_that_is_not_there_is_named(shop):
    shop.land("[build]\nlock = deps.lock\n")
    assert "the lock file deps.lock, which is not in revision" in shop.build(exits=2).err


def test_what_was_fetched_is_kept_but_not_believed(shop):
    pin(shop)
    config = vendor_of(shop, {"six.tgz": b"abc"})
    shop.build(config)
    (shop.drover.folder / "vendor/six.tgz").unlink()
    shop.build(config)
    assert shop.is_there()
    (shop.out / f"cache/{ABC}").write_bytes(b"abd")
    assert "the cache's copy of six.tgz was altered" in shop.build(config, exits=4).err
    assert not shop.is_there()


class Vendor(http.server.BaseHTTPRequestHandler):
    files = {}
    asked = []
    length = None  # what it says, when that is not so

    def do_GET(self):
        type(self).asked.append(self.path)
        status, body = self.files.get(self.path, (404, b"none"))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/there")
        self.send_header("Content-Length", str(self.length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def web_vendor(shop):
    class Own(Vendor):
        files, asked = {}, []

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (shop.drover.folder / "v.conf").write_text(f"[release]\nvendor = http://127.0.0.1:{server.server_port}/files\n")
    yield Own
    server.shutdown()
    server.server_close()


def test_dependencies_are_fetched_over_http(shop, web_vendor):
    pin(shop)
    web_vendor.files["/files/six.tgz"] = (200, b"abc")
    shop.build("--config v.conf --verify")
    assert (shop.out / "tree/vendor/six.tgz").read_bytes() == b"abc"
    assert web_vendor.asked == ["/files/six.tgz"], "once, for both builds"


@pytest.mark.parametrize("answer, exits, words", [
    ((404, b"abc"), 3, "status 404"), ((500, b"abc"), 8, "status 500"), ((302, b"abc"), 8, "status 302"),
    ((200, b"abd"), 2, "another file"), ((200, b""), 2, "another file")])
def test_a_web_server_is_believed_nothing(shop, web_vendor, answer, exits, words):
    pin(shop)
    web_vendor.files.update({"/files/six.tgz": answer, "/there": (200, b"abc")})
    assert words in shop.build("--config v.conf", exits=exits).err
    assert not shop.is_there()


# -- commands ----------------------------------------------------------------------------------------------------

@pytest.fixture
def listening():
    """The port of a server that really listens here."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("section", ["build", "test"])
def test_commands_have_no_network_but_by_a_persons_word(shop, listening, section):
    shop.land(f"[{section}]\ncommand = python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {listening}))'\n")
    assert "Connection refused" in shop.build(exits=2).err
    assert not shop.is_there()
    shop.build("--with-network")
    assert shop.is_there()


def test_a_host_without_namespaces_is_told_and_what_to_do(shop):
    """In a namespace of its own, root may forbid further ones."""
    unshare = ["unshare", "--user", "--map-root-user", "sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"', "sh"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("nor can this host forbid them to one program")
    shop.land("[build]\ncommand = touch made\n")
    words = shop.drover.words(f"release build web --version 1.0.0 --allow-root --out {shop.out}")
    done = subprocess.run([*unshare, *words], capture_output=True, text=True, cwd=shop.drover.folder, check=False,
                          env=shop.drover.environment)
    assert done.returncode == 8, done.stderr
    assert "no user and network namespaces" in done.stderr and "--with-network" in done.stderr
    assert not shop.is_there()
    subprocess.run([*unshare, *words, "--with-network"], cwd=shop.drover.folder, check=True, env=shop.drover.environment)
    assert "made" in shop.paths()


def test_folders_that_nobody_may_write_to_are_removed_all_the_same(shop):
    shut = "mkdir -p $HOME/a/b; touch $HOME/a/b/c; chmod 0 $HOME/a/b; chmod 555 $HOME/a"
    shop.land(f"[build]\ncommand = {shut}\n[test]\ncommand = {shut}; mkdir d; touch d/e; chmod 555 d\n")
    shop.build("--verify")
    shop.build()
    assert not (shop.out / "home").exists() and not (shop.out / "test").exists()


def test_a_recipe_is_a_file(shop):
    (shop.repository.path / "drover.ini").symlink_to("log.txt")
    shop.land()
    assert "drover.ini" in shop.build(exits=2).err


def test_a_build_that_fails_shows_its_last_words(shop):
    shop.land("[build]\ncommand = echo compiling; echo no such header >&2; exit 3\n")
    said = shop.build(exits=2)
    assert "the build of web 1.0.0 failed with exit status 3" in said.err
    assert said.err.splitlines()[-2:] == ["  compiling", "  no such header"]
    assert (shop.out / "build.log").read_text() == "compiling\nno such header\n"
    assert not shop.is_there()


def test_a_build_that_takes_too_long_is_ended_with_all_it_began(shop, tmp_path):
    shop.land(f"[build]\ntimeout = 1s\ncommand = setsid sleep 1000 & echo $! > {tmp_path}/pid; sleep 1000\n")
    assert "was ended after 1 s" in shop.build(exits=2).err
    pid = int((tmp_path / "pid").read_text())
    assert not pathlib.Path(f"/proc/{pid}").exists()


def test_who_kills_drover_ends_the_build(shop, tmp_path):
    shop.land(f"[build]\ncommand = echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; sleep 1000\n")
    building = shop.drover.start(f"release build web --version 1.0.0 --out {shop.out}")
    while not (tmp_path / "pid").exists():
        assert building.poll() is None
        time.sleep(0.01)
    building.kill()
    building.communicate()
    pid = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 30
    while pathlib.Path(f"/proc/{pid}").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    assert not shop.is_there()


def test_what_is_no_part_of_the_release_is_removed_after_the_build(shop):
    shop.write("tests/t.py", "x")
    shop.write("src/a.c", "x")
    shop.land("[build]\ncommand = cat tests/t.py src/a.c > out\nremove = tests src log.txt\n")
    shop.build()
    assert shop.paths() == ["drover.ini", "out"]


def test_a_path_to_remove_that_is_not_there_is_a_mistake(shop):
    shop.land("[build]\nremove = test\n")
    assert "[build] remove names test, which is not there" in shop.build(exits=2).err


def test_removing_never_leads_through_a_link(shop, tmp_path):
    (tmp_path / "precious").write_text("x")
    shop.land(f"[build]\ncommand = ln -s {tmp_path} out\nremove = out/precious\n")
    shop.build(exits=2)
    assert (tmp_path / "precious").exists()


# -- tests of the product ----------------------------------------------------------------------------------------

def test_tests_that_fail_leave_nothing_to_publish(shop):
    shop.land("[test]\ncommand = true\n")
    shop.build()
    assert shop.is_there()
    shop.land("[test]\ncommand = echo 1 of 3 failed; false\n")
    said = shop.build(exits=2)
    assert "the test run of web 1.0.0 failed with exit status 1" in said.err and "  1 of 3 failed" in said.err
    assert not shop.is_there(), "nor what was built before"
    assert not (shop.out / "payload.tar.zst").exists()


def test_tests_run_on_a_copy_of_what_is_packed(shop):
    shop.write("a", "x\n")
    shop.land("[build]\ncommand = echo built > made\n[test]\ncommand = cat made; echo y >> a; rm made; touch new; ls\n")
    shop.build()
    assert shop.paths() == ["a", "drover.ini", "log.txt", "made"]
    assert (shop.out / "tree/a").read_text() == "x\n"
    log = (shop.out / "test.log").read_bytes()
    assert log == b"built\na\ndrover.ini\nlog.txt\nnew\n"
    test = shop.draft["test"]
    assert test["log_sha256"] == hashlib.sha256(log).hexdigest()
    assert test["run"].startswith(shop.draft["tree_sha256"][:12] + "-")


def test_each_run_of_the_tests_has_a_name_of_its_own(shop):
    shop.land("[test]\ncommand = true\n")
    runs = set()
    for _ in range(2):
        shop.build()
        runs.add(shop.draft["test"]["run"])
    assert len(runs) == 2


def test_tests_that_reach_the_release_itself_are_caught(shop):
    shop.land("[test]\ncommand = echo x > ../tree/smuggled\n")
    assert "the tests changed the release itself" in shop.build(exits=4).err
    assert not shop.is_there()


def test_contract_and_rollback_stand_in_the_manifest(shop):
    shop.write("openapi.yaml", "abc")
    shop.land("[release]\ncontract = openapi.yaml\nmin-rollback-sequence = 7\n")
    shop.build()
    assert shop.draft["contract_sha256"] == ABC and shop.draft["min_rollback_sequence"] == 7
    shop.land("[release]\ncontract = api.yaml\n")
    assert "contract names api.yaml, which is no file" in shop.build(exits=2).err


# -- the same again ----------------------------------------------------------------------------------------------

BUSY = """[build]
command = mkdir -p out/lib; for f in c a b; do echo $f $DROVER_VERSION $SOURCE_DATE_EPOCH > out/lib/$f; done; ln -s lib/a out/first; chmod 700 out/lib/a
[test]
command = test -x out/first
"""


def test_building_twice_gives_the_same_tar(shop):
    shop.land(BUSY)
    said = shop.drover.json(f"release build web --version 1.0.0 --out {shop.out} --verify")
    assert said["verified"] is True and not (shop.out / "second").exists()
    first = shop.draft
    shop.build()
    second = shop.draft
    assert first["payload"] == second["payload"] and first["tree_sha256"] == second["tree_sha256"]
    first.pop("test"), second.pop("test")
    assert first == second


def test_two_clones_in_two_places_give_the_same_tar(shop, tmp_path):
    shop.land(BUSY)
    shop.build()
    here = shop.draft["payload"]
    clone = tmp_path / "a/deeper/clone"
    shop.repository.git("clone", "-q", str(shop.repository.path), str(clone))
    (clone / "untracked").write_text("x")
    shop.out = tmp_path / "another/place/built"
    shop.build(f"--repository {clone}")
    assert shop.draft["payload"] == here


@pytest.mark.parametrize("command, path", [
    ("date +%s%N > built/stamp", "built/stamp"),
    ("pwd > built/where", "built/where"),
    ("mktemp -p built who.XXXXXXXX", "built/who."),
])
def test_a_build_that_is_not_the_same_twice_is_caught_and_named(shop, command, path):
    shop.land(f"[build]\ncommand = mkdir built; echo same > built/same; {command.replace('%', '%%')}\n")
    shop.build()
    said = shop.build("--verify", exits=4)
    assert "built twice, web 1.0.0 is not the same: " + path in said.err
    assert "built/same" not in said.err
    assert not shop.is_there() and (shop.out / "second/built/same").exists()


# -- check -------------------------------------------------------------------------------------------------------

def test_check_says_what_is_in_one_and_not_in_the_other(shop):
    shop.write("src/a.c", "a\n")
    shop.write("VERSION", "dev\n")
    shop.write("run", "#!/bin/sh\n")
    shop.land("[build]\ncommand = echo obj > a.o; echo $DROVER_VERSION > VERSION; chmod +x run\nremove = src\n")
    shop.build()
    said = shop.drover(f"release check web {shop.out}")
    assert said.lines[:-1] == ["+ a.o", "~ VERSION", "~ run", "- src/a.c"]
    assert "+ 1 only in the release, ~ 2 different, - 1 only in git; 2 files the same" in said.lines[-1]
    assert shop.drover.json(f"release check web {shop.out}")["only_git"] == ["src/a.c"]


def test_check_lists_what_no_release_may_hold(shop, environment, tmp_path):
    (shop.repository.path / "abs").symlink_to("/etc/passwd")
    shop.land("[build]\nremove = abs\n")
    shop.build()
    other = Repository(tmp_path / "other", environment)
    other.commit("One")
    assert shop.drover.json(f"release check web {shop.out}")["only_git"] == ["abs"]


def test_check_of_what_was_not_built_or_is_anothers(shop):
    shop.land("")
    assert "no finished build" in shop.drover(f"release check web {shop.out}", exits=3).err
    shop.build()
    shop.drover(f"product add api --repository {shop.repository.path}")
    assert "is a build of web, not of api" in shop.drover(f"release check api {shop.out}", exits=2).err


def test_check_of_a_published_release_is_that_of_its_build(drover, repository):
    web = Publisher(drover, repository)
    web.release("1.0.0", "one\n")
    shown = drover.json("release check web 1.0.0")
    assert shown == drover.json("release check web state/builds/web/1.0.0")
    assert shown["version"] == "1.0.0" and shown["changed"] == []
    web.build("1.0.1", "two\n")
    assert drover.json("release check web 1.0.1")["version"] == "1.0.1"  # built, and not published yet
    assert "1.0.9" in drover("release check web 1.0.9", exits=3).err


# -- this project ------------------------------------------------------------------------------------------------

@pytest.mark.slow
def test_this_project_is_exported_as_it_is_committed(drover, tmp_path, environment):
    """A clone of this repository, with no recipe but an empty one; the whole of it is built by hand."""
    if not (ROOT / ".git").exists():
        pytest.skip("these sources are no git repository")
    clone = Repository(tmp_path / "clone", environment)
    # Whoever owns these sources: a fetch would ask for that, a bundle is a file like any other.
    bundle = tmp_path / "sources.bundle"
    clone.git("-c", "safe.directory=*", "-C", str(ROOT), "bundle", "create", "-q", str(bundle), "HEAD")
    clone.git("fetch", "-q", "--no-tags", str(bundle), "HEAD")
    clone.git("read-tree", "-u", "--reset", "FETCH_HEAD")
    (clone.path / "drover.ini").write_text("[test]\ncommand = test -f meson.build\n")
    shop = Shop(drover, clone)
    shop.land()
    shop.build("--verify")
    committed = clone.git("ls-tree", "-r", "--name-only", "HEAD").splitlines()
    assert shop.paths() == sorted(committed, key=str.encode)
    check = drover.json(f"release check web {shop.out}")
    assert (check["only_release"], check["only_git"], check["changed"]) == ([], [], [])
