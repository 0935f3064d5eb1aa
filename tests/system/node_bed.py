# SPDX-License-Identifier: ISC
"""A node without droverd: a repository made by forge, a configuration, and node-steps for one deed each.

The time stands still at NOW, so what two runs leave can be compared byte for byte.
"""
import hashlib
import json
import os
import pathlib
import random
import shutil
import stat
import subprocess

from conftest import BUILD

NOW = 1_800_000_000
WEEK = 7 * 86400
STEPS = BUILD / "tests/system/crash/node-steps"
FORGE = BUILD / "tests/system/crash/forge"
# The service is a file that says which version was made to run last.
SERVICE = """restart = echo "$DROVER_VERSION" > "$DROVER_PREFIX/shared/var/running"
health = test "$(cat "$DROVER_PREFIX/shared/var/running")" = "$(basename "$(readlink "$DROVER_PREFIX/current")")"
"""


def forge(*arguments, **how):
    return subprocess.run([str(FORGE), *map(str, arguments)], check=True, capture_output=True, timeout=60, **how).stdout


def tree(folder, version, size=60_000):
    """The files of a version: most of `data` is the same in all of them."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/web").write_text(f"#!/bin/sh\necho {version}\n")
    (folder / "bin/web").chmod(0o755)
    (folder / "data").write_bytes(random.Random(1).randbytes(size) + version.encode())
    (folder / "data").chmod(0o644)
    (folder / "latest").symlink_to("bin/web")
    return folder


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def contents(folder):
    """What is in a folder: path -> kind, mode and bytes or target."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name, mode = str(path.relative_to(folder)), path.lstat().st_mode
        if stat.S_ISLNK(mode):
            found[name] = ("link", os.readlink(path))
        elif stat.S_ISDIR(mode):
            found[name] = ("folder", stat.S_IMODE(mode))
        else:
            found[name] = ("file", stat.S_IMODE(mode), digest(path))
    return found


class Repository:
    """Releases of web: `release` adds one; `index` says again what there is."""

    def __init__(self, folder):
        self.folder, self.path, self.trees = folder, folder / "repository", {}
        (folder / "keys").mkdir(parents=True)
        self.key = folder / "root.key"
        forge("key", folder / "root")
        shutil.copy(folder / "root.pub", folder / "keys")
        self.issued = NOW - 3600

    def release(self, version, sequence, floor=0, old=None, size=60_000):
        self.trees[version] = tree(self.folder / "trees" / version, version, size)
        more = [old, self.trees[old]] if old else []
        forge("release", self.key, self.path, "web", version, sequence, floor, self.trees[version], *more)
        return self.path / "web" / version

    def index(self, *revoked, key=None, issued=None, expires=None):
        self.issued = issued or self.issued + 1
        forge("index", key or self.key, self.path, "web", self.issued, expires or NOW + WEEK, *revoked)


class Node:
    def __init__(self, folder, repository, more=SERVICE, sources=None):
        self.folder, self.repository, self.more = folder, repository, more
        self.prefix, self.conf = folder / "prefix", folder / "node.conf"
        folder.mkdir(exist_ok=True)
        self.conf.write_text(f"[web]\nprefix = {self.prefix}\nsources = {sources or repository.path}\n"
                             f"keys = {repository.folder}/keys\n{more}")

        self.environment = {**os.environ, "DROVER_NOW": str(NOW * 1_000_000)}

    def line(self, *deed):
        return [str(STEPS), str(self.conf), "web", *map(str, deed)]

    def start(self, *deed, **environment):
        return subprocess.Popen(self.line(*deed), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**self.environment, **environment})

    def run(self, *deed, **environment):
        process = self.start(*deed, **environment)
        said, error = process.communicate(timeout=60)
        return subprocess.CompletedProcess(deed, process.returncode, said, error)

    def __call__(self, *deed, exits=0, **environment):
        done = self.run(*deed, **environment)
        assert done.returncode == exits, f"{deed}: exit {done.returncode}, not {exits}: {done.stderr}"
        return done.stdout if exits == 0 else done.stderr

    def tell(self):
        return json.loads(self("tell"))

    def current(self):
        link = self.prefix / "current"
        return pathlib.Path(os.readlink(link)).name if link.is_symlink() else None

    def running(self):
        return (self.prefix / "shared/var/running").read_text().strip()

    def is_whole(self, version):
        """The tree on the disk is what was released, without drover's own word for it."""
        return contents(self.prefix / "releases" / version) == contents(self.repository.trees[version])

    def state(self):
        """All that lasts, but for logs and who holds the lock."""
        return {name: what for name, what in contents(self.prefix).items()
                if not name.startswith("shared/log/") and not name.endswith(".lock")}

    def copy(self, folder):
        shutil.copytree(self.prefix, folder / "prefix", symlinks=True)
        return Node(folder, self.repository, self.more)
