# SPDX-License-Identifier: ISC
"""droverd keeps the indexes of a repository signed, and serves them: docs/keys.md, docs/release.md."""
import re
import shutil
import subprocess

import pytest

import beds
import releases
from beds import daemons  # noqa: F401 (fixture)
from publisher import Publisher

pytestmark = pytest.mark.slow

LIFE_S = 12  # of an index: half of it, and a look of droverd's more, is how long the test takes


class House:
    """A repository with web 1.0.0 in it, signed by a release key that a root key delegated to, and an index key."""

    def __init__(self, drover):
        self.drover = drover
        self.folder = drover.folder / "repository"
        self.root, self.index, self.release = (releases.Signer(drover, name) for name in ("root", "index", "release"))
        keys = drover.folder / "keys/web"
        keys.mkdir(parents=True)
        (keys / "root.pub").write_text(self.root.public.read_text())
        for use in ("index", "release"):
            more = "--for web" if use == "index" else ""
            drover(f"key trust delegation {use}.pub --by root.key {more} --use {use} --until 2099-01-01")
        self.write("1.0.0", 1)
        delegation = (drover.folder / "delegation").read_text() + (drover.folder / "delegation.minisig").read_text()
        (self.folder / "web/delegation").write_text(delegation)
        drover("product add web")
        beds.configure(drover, f"""[clock]\nscan-every = 0\nremind-every = 0
[release]\nrepository = {self.folder}\nkeys = {drover.folder}/keys\nindex-key = {drover.folder}/index.key\nindex-life = {LIFE_S}s\n""")

    def write(self, version, sequence, signer=None):
        folder = self.folder / "web" / version
        folder.mkdir(parents=True)
        body = (signer or self.release).release(version, sequence)
        (folder / "payload.tar.zst").write_bytes(b"x" * 300)
        (folder / "manifest.minisig").write_text(body["signature"])
        (folder / "manifest").write_text(body["manifest"])

    @property
    def text(self):
        path = self.folder / "web/index"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def house(drover):
    return House(drover)


def test_an_index_is_signed_and_signed_again(house, daemons):  # noqa: F811
    daemon = daemons(house.drover)
    first = beds.wait_until(lambda: house.text, "the first index", 30)
    assert "release 1 1.0.0 " in first and "newest 1\n" in first
    lines = first.splitlines(keepends=True)
    (house.drover.folder / "signed").write_text("".join(lines[:-4]))
    (house.drover.folder / "signed.minisig").write_text("".join(lines[-4:]))
    subprocess.run(["minisign", "-V", "-p", house.index.public, "-m", house.drover.folder / "signed"], check=True,
                   stdout=subprocess.DEVNULL)
    house.write("1.0.1", 2)
    second = beds.wait_until(lambda: "newest 2\n" in house.text and house.text, "another release", 30)
    assert re.search("issued (.*)", second)[1] > re.search("issued (.*)", first)[1]
    beds.wait_until(lambda: house.text != second, "half of its life is over", 60)
    assert "newest 2\n" in house.text
    public = beds.Client(daemon.public_port)
    for file, expected in (("index", "no-cache"), ("delegation", "no-cache"), ("1.0.0/manifest.minisig", "no-cache"),
                           ("1.0.0/manifest", "public, max-age=31536000, immutable")):
        answer = public("GET", f"//releases/web/{file}")
        assert (answer.status, answer.headers["Cache-Control"]) == (200, expected), file
    for hidden in (".lock", ".incoming", ".removed", ".incoming/x/manifest"):
        (house.folder / "web/.incoming/x").mkdir(parents=True, exist_ok=True)
        (house.folder / "web/.incoming/x/manifest").write_text("{}")
        assert public("GET", f"//releases/web/{hidden}").status == 404, hidden
    assert 'drover_index_problems_total 0' in beds.Client(daemon.port)("GET", "//metrics").text


def test_a_removed_release_that_somebody_brings_back_is_not_listed_again(drover, repository, daemons):  # noqa: F811
    web = Publisher(drover, repository)
    web.release("1.0.0", "one\n")
    web.release("1.0.1", "two\n")
    shutil.copytree(web.web / "1.0.0", drover.folder / "kept")
    drover("release gc web --keep 1")
    shutil.copytree(drover.folder / "kept", web.web / "1.0.0")
    (web.web / "index").unlink()
    daemons(drover)
    beds.wait_until(lambda: (web.web / "index").exists(), "an index", 30)
    assert web.index() == (2, ["1.0.1"])


def test_a_repository_that_is_mounted_later_is_served_then_and_never_made(house, daemons):  # noqa: F811
    away = house.drover.folder / "away"
    house.folder.rename(away)
    public = beds.Client(daemons(house.drover).public_port)
    assert public("GET", "//releases/web/1.0.0/manifest").status == 404 and not house.folder.exists()
    away.rename(house.folder)
    assert public("GET", "//releases/web/1.0.0/manifest").status == 200


def test_a_revocation_is_in_the_next_index_at_once(house, daemons):  # noqa: F811
    """Long before half of the index's life is over, and though no release came or went."""
    drover = house.drover
    conf = drover.folder / "drover.conf"
    conf.write_text(conf.read_text().replace(f"index-life = {LIFE_S}s", "index-life = 7d"))
    elsewhere = drover.folder / "elsewhere.conf"  # where the index key is not
    elsewhere.write_text(re.sub("index-key = .*\n", "", conf.read_text()))
    daemon = daemons(drover)
    first = beds.wait_until(lambda: house.text, "the first index", 30)
    releases.Signer(drover, "stolen")
    identity = drover.json("key show stolen.pub")["id"]
    drover(f"key revoke delegation {identity} --by root.key")
    drover("release delegate web delegation", DROVER_CONFIG=str(elsewhere))
    second = beds.wait_until(lambda: house.text != first and house.text, "the next index", 30)
    assert f"revoked {identity}\n" in second and "release 1 1.0.0 " in second
    beds.wait_until(lambda: sum("event=index.signed" in line for line in daemon.lines) == 2, "it is told")


def test_trouble_is_told_while_it_lasts(house, daemons):  # noqa: F811
    delegation = (house.folder / "web/delegation").read_text()
    (house.folder / "web/delegation").write_text("broken\n")
    daemon = daemons(house.drover)
    daemon.token = beds.admin_token(house.drover)
    said = beds.wait_until(lambda: daemon("GET", "/status").json["warnings"], "a warning", 30)
    assert len(said) == 1 and said[0].startswith("the index of web: ")
    assert daemon.said("event=index.trouble") and house.text == ""
    (house.folder / "web/delegation").write_text(delegation)
    daemon.stop()
    daemon = daemons(house.drover)
    beds.wait_until(lambda: house.text, "an index", 30)


def test_two_droverds_sign_once(house, daemons):  # noqa: F811
    one, two = daemons(house.drover), daemons(house.drover)
    beds.wait_until(lambda: house.text, "an index", 30)
    first = house.text
    beds.wait_until(lambda: house.text != first, "the next one", 60)

    def signed(daemon):
        return sum("event=index.signed" in line for line in daemon.lines)

    # The line of the log comes behind the file.
    beds.wait_until(lambda: signed(one) + signed(two) >= 2, "both are told", 30)
    assert signed(one) + signed(two) == 2
    for daemon in (one, two):
        assert not daemon.said("event=index.trouble")


@pytest.mark.parametrize("lines, word", [
    ("index-key = {folder}/index.key", "keys"), ("index-key = {folder}/nothing.key\nrepository = {folder}\nkeys = {folder}", "nothing.key"),
    ("index-key = {folder}/locked.key\nrepository = {folder}\nkeys = {folder}", "password")])
def test_a_key_that_cannot_be_used_is_told_at_the_start(drover, daemons, lines, word):  # noqa: F811
    releases.Signer(drover, "index")
    drover("key generate --secret locked.key --public locked.pub", stdin="correct horse\n")
    beds.configure(drover, "[release]\n" + lines.format(folder=drover.folder) + "\n")
    daemon = daemons(drover, ready=False)
    assert daemon.process.wait(30) != 0
    daemon.reader.join(10)
    assert "[release] index-key" in daemon.log and word in daemon.log
