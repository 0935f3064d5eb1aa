# SPDX-License-Identifier: ISC
"""drover key: keys and signatures, both ways between Drover, minisign and signify."""
import json
import os
import shutil
import stat
import subprocess

import pytest

pytestmark = pytest.mark.slow

COMMENT = "drover release product=web version=1.4.2"


def tool(folder, *words, stdin="", fails=False):
    """Runs minisign or signify-openbsd in `folder`; what it said. A host without the tool is one that lacks a package
    of tools/packages.txt: the test fails there, and does not pass quietly."""
    assert shutil.which(words[0]), f"{words[0]} is not installed; tools/packages.txt names it"
    done = subprocess.run(words, cwd=folder, input=stdin, capture_output=True, text=True, timeout=120)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def signed(drover):
    """A key of ours, a file, and our signature of it."""
    (drover.folder / "notes").write_bytes(b"What is new\n\x00\xff")
    drover("key generate --secret web.key --public web.pub --no-password")
    drover(f"key sign notes --key web.key --comment '{COMMENT}'")
    return drover


def test_minisign_believes_our_signature(signed):
    said = tool(signed.folder, "minisign", "-V", "-p", "web.pub", "-m", "notes")
    assert "Signature and comment signature verified" in said and f"Trusted comment: {COMMENT}" in said
    (signed.folder / "notes").write_text("other\n")
    assert "verification failed" in tool(signed.folder, "minisign", "-V", "-p", "web.pub", "-m", "notes", fails=True)


def test_signify_believes_our_signature(signed):
    words = ("signify-openbsd", "-V", "-p", "web.pub", "-x", "notes.minisig", "-m", "notes")
    assert "Signature Verified" in tool(signed.folder, *words)
    (signed.folder / "notes").write_text("other\n")
    assert "verification failed" in tool(signed.folder, *words, fails=True)


def test_minisign_signs_with_our_key(signed):
    tool(signed.folder, "minisign", "-S", "-s", "web.key", "-x", "theirs", "-m", "notes", "-t", "by minisign")
    said = signed("key verify notes --key web.pub --signature theirs")
    assert said.lines[-1] == "trusted comment: by minisign"


def test_minisign_opens_our_key_with_its_password(drover):
    (drover.folder / "notes").write_text("new\n")
    drover("key generate --secret a.key --public a.pub", stdin="correct horse\n")
    tool(drover.folder, "minisign", "-S", "-s", "a.key", "-m", "notes", stdin="correct horse\n")
    drover("key verify notes --key a.pub")
    tool(drover.folder, "minisign", "-S", "-s", "a.key", "-m", "notes", stdin="correct Horse\n", fails=True)


def test_we_sign_with_minisigns_key_and_its_password(drover):
    (drover.folder / "notes").write_text("new\n")
    tool(drover.folder, "minisign", "-G", "-p", "m.pub", "-s", "m.key", stdin="correct horse\ncorrect horse\n")
    drover("key sign notes --key m.key", stdin="correct horse\n")
    assert "file:notes" in tool(drover.folder, "minisign", "-V", "-p", "m.pub", "-m", "notes")
    assert "wrong password" in drover("key sign notes --key m.key", stdin="correct Horse\n", exits=5).err
    assert drover.json("key show m.pub")["public_key"] == json.loads(
        drover("key show m.key --json", stdin="correct horse\n").out)["public_key"]


@pytest.mark.parametrize("old", [True, False], ids=["Ed", "ED"])
def test_we_believe_minisigns_signatures(drover, old):
    (drover.folder / "notes").write_text("new\n")
    tool(drover.folder, "minisign", "-G", "-W", "-p", "m.pub", "-s", "m.key")
    tool(drover.folder, "minisign", "-S", *(["-l"] if old else []), "-s", "m.key", "-m", "notes", "-t", COMMENT)
    line = (drover.folder / "m.pub").read_text().splitlines()[1]
    assert drover(f"key verify notes --key {line}").lines[-1] == f"trusted comment: {COMMENT}"
    (drover.folder / "notes").write_text("old\n")
    assert "was changed" in drover("key verify notes --key m.pub", exits=5).err


def test_we_believe_signifys_keys_and_signatures(drover):
    (drover.folder / "notes").write_text("new\n")
    tool(drover.folder, "signify-openbsd", "-G", "-n", "-p", "s.pub", "-s", "s.sec")
    tool(drover.folder, "signify-openbsd", "-S", "-s", "s.sec", "-m", "notes")
    assert len(drover("key verify notes --key s.pub --signature notes.sig").lines) == 1  # it has no trusted comment
    (drover.folder / "notes").write_text("old\n")
    drover("key verify notes --key s.pub --signature notes.sig", exits=5)


def test_minisign_shows_the_same_id(signed):
    shown = signed.json("key show web.pub")
    comment = (signed.folder / "web.pub").read_text().splitlines()[0]
    assert comment == f"untrusted comment: minisign public key {shown['id']}"
    tool(signed.folder, "minisign", "-R", "-s", "web.key", "-p", "again.pub")
    again = (signed.folder / "again.pub").read_text().splitlines()
    assert again[1] == shown["public_key"]
    assert again[0].split()[-1].rjust(16, "0") == shown["id"]


def test_a_secret_key_is_for_its_owner_and_is_never_written_over(signed):
    key = signed.folder / "web.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    signed("key generate --secret web.key --public other.pub --no-password", exits=4)
    signed("key generate --secret other.key --public web.pub --no-password", exits=4)
    assert key.read_bytes() == before and not (signed.folder / "other.key").exists()
    os.chmod(key, 0o640)
    assert "chmod 600" in signed("key sign notes --key web.key", exits=5).err


def test_what_a_key_is_can_be_shown(signed):
    public, secret = signed.json("key show web.pub"), signed.json("key show web.key")
    assert (public.pop("secret"), secret.pop("secret")) == (False, True)
    assert public == secret
    assert signed("key show web.pub").lines == [f"key {public['id']}, public", public["public_key"]]
    assert "notes is no public key" in signed("key show notes", exits=5).err  # and everybody may read it
    signed("key show nothing", exits=3)


def test_secrets_do_not_come_out(signed):
    secret = (signed.folder / "web.key").read_text().splitlines()[1]
    for line in ("key show web.key", "key show web.key --json", "key sign notes --key web.key"):
        said = signed(line)
        assert secret not in said.out + said.err


def test_what_cannot_be_signed_is_refused(signed):
    assert "--key" in signed("key sign notes", exits=2).err
    signed("key sign nothing --key web.key", exits=3)
    signed("key sign notes --key web.key --comment 'a\nb'", exits=2)
    signed("key sign notes --key web.key --comment " + "x" * 8192, exits=2)
    signed("key generate --secret only.key", exits=2)
    signed("key generate --secret a.key --public a.pub", exits=2)  # no password on standard input
    assert not (signed.folder / "a.key").exists()


# -- delegations -------------------------------------------------------------------------------------------------

@pytest.fixture
def roots(drover):
    """Two root keys, a key for the index and one for releases."""
    for name in ("root", "second", "index", "release"):
        drover(f"key generate --secret {name}.key --public {name}.pub --no-password")
    return drover


def ids(drover, *names):
    return [drover.json(f"key show {name}.pub")["id"] for name in names]


def lines_of(drover, name="delegation"):
    return (drover.folder / name).read_text().splitlines()


def test_a_root_key_lets_others_sign(roots):
    roots("key trust delegation index.pub --by root.key --for web --use index --until 2099-02-21")
    said = roots("key trust delegation release.pub --by root.key --use release --until 2099-11-21T00:00:00Z")
    index, release = (roots.json(f"key show {name}.pub")["public_key"] for name in ("index", "release"))
    lines = lines_of(roots)
    assert lines[:3] == ["drover-delegation 1", "product web", "serial 2"]
    assert lines[4:] == [f"key release {release} 2099-11-21T00:00:00Z", f"key index {index} 2099-02-21T00:00:00Z"]
    assert said.out == f"trusted the key {ids(roots, 'release')[0]} of web; delegation has the serial 2\n"
    shown = roots("key verify delegation --key root.pub")
    assert shown.lines[-1] == "trusted comment: drover delegation product=web version=2"
    tool(roots.folder, "minisign", "-V", "-p", "root.pub", "-m", "delegation")


def test_a_key_is_trusted_for_longer_by_naming_it_again(roots):
    for year in (2098, 2099):
        roots(f"key trust delegation index.pub --by root.key --for web --use index --until {year}-02-21")
    keys = [line for line in lines_of(roots) if line.startswith("key ")]
    assert len(keys) == 1 and keys[0].endswith(" 2099-02-21T00:00:00Z")


def test_a_revoked_key_stays_revoked(roots):
    index, release = ids(roots, "index", "release")
    for name, use in (("index", "index"), ("index", "release"), ("release", "release")):
        roots(f"key trust delegation {name}.pub --by root.key --for web --use {use} --until 2099-02-21")
    roots(f"key revoke delegation {index} --by root.key")
    lines = lines_of(roots)
    assert lines[2] == "serial 4" and lines[-1] == f"revoked {index}" and len(lines) == 6
    refused = roots("key trust delegation index.pub --by root.key --use index --until 2099-02-21", exits=4)
    assert "for ever" in refused.err and lines_of(roots) == lines
    roots("key verify delegation --key root.pub")


def test_the_second_root_key_revokes_the_first(roots):
    roots("key trust delegation index.pub --by root.key --for web --use index --until 2099-02-21")
    root = ids(roots, "root")[0]
    assert "another root key" in roots(f"key revoke delegation {root} --by root.key", exits=2).err
    assert "name the keys anew" in roots(f"key revoke delegation {root} --by second.key", exits=5).err
    roots(f"key revoke anew {root} --by second.key --for web --serial 2")
    roots("key trust anew index.pub --by second.key --use index --until 2099-02-21")
    assert lines_of(roots, "anew")[2] == "serial 3" and lines_of(roots, "anew")[-1] == f"revoked {root}"
    roots("key verify anew --key second.pub")


def test_a_delegation_that_was_altered_is_not_signed_again(roots):
    roots("key trust delegation index.pub --by root.key --for web --use index --until 2099-02-21")
    path = roots.folder / "delegation"
    path.write_text(path.read_text().replace("2099-02-21", "2199-02-21"))
    before = path.read_bytes()
    said = roots("key trust delegation release.pub --by root.key --use release --until 2099-02-21", exits=5)
    assert "was changed" in said.err and path.read_bytes() == before


@pytest.mark.parametrize("options, says", [
    ("--by root.key --use index --until 2099-02-21", "--for PRODUCT"),
    ("--by root.key --for ../web --use index --until 2099-02-21", "product"),
    ("--for web --use index --until 2099-02-21", "--by"),
    ("--by root.key --for web --until 2099-02-21", "--use release or --use index"),
    ("--by root.key --for web --use root --until 2099-02-21", "--use release or --use index"),
    ("--by root.key --for web --use index", "--until TIME"),
    ("--by root.key --for web --use index --until 2001-02-21", "is over"),
    ("--by root.key --for web --use index --until 2099-02-21 --serial 0", "serial"),
])
def test_a_delegation_that_says_too_little_is_refused(roots, options, says):
    assert says in roots(f"key trust delegation index.pub {options}", exits=2).err
    assert not (roots.folder / "delegation").exists()
