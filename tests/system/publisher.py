# SPDX-License-Identifier: ISC
"""A product that is built and published for real: root, release and index in one key, a repository of releases beside."""
import hashlib
import json
import subprocess

import beds

BIG = "".join(hashlib.sha256(str(number).encode()).hexdigest() + "\n" for number in range(2000))


class Publisher:
    """web("release publish web 1.0.0") and the like, with all that it needs set up."""

    def __init__(self, drover, repository, index_key=True):
        self.drover, self.repository = drover, repository
        self.releases = drover.folder / "releases"
        self.keys = drover.folder / "keys"
        self.releases.mkdir()
        self.keys.mkdir()
        drover(f"key generate --secret root.key --public {self.keys}/root.pub --no-password")
        self.configure("index-key = root.key" if index_key else "")
        drover(f"product add web --repository {repository.path}")

    def configure(self, more=""):
        beds.configure(self.drover, "[release]\nrepository = releases\nkey = root.key\nkeys = keys\n" + more + "\n")

    def build(self, version, text, big=BIG):
        """A good landing with these files, built."""
        (self.repository.path / "a.txt").write_text(text)
        (self.repository.path / "big.txt").write_text(big + text)
        revision = self.repository.commit(f"Version {version}")
        self.drover("landing scan")
        self.drover(f"qa ok {revision}")
        self.drover(f"release build web --version {version}")
        return revision

    def publish(self, version, more="", exits=0, **environment):
        return self.drover(f"release publish web {version} {more}", exits, **environment)

    def release(self, version, text):
        self.build(version, text)
        return self.publish(version)

    @property
    def web(self):
        return self.releases / "web"

    def manifest(self, version):
        return json.loads((self.web / version / "manifest").read_text())

    def index(self):
        """(newest, versions) of what is signed now."""
        lines = (self.web / "index").read_text().splitlines()
        newest, = [int(line.split()[1]) for line in lines if line.startswith("newest ")]
        return newest, [line.split()[2] for line in lines if line.startswith("release ")]

    def versions(self):
        return sorted(path.name for path in self.web.iterdir() if path.is_dir() and not path.name.startswith("."))

    def listed(self):
        return [release["version"] for release in self.drover.json("release list web")]

    def bytes(self, version):
        return {path.name: path.read_bytes() for path in (self.web / version).iterdir()}

    def check(self, versions):
        """All is in order, and these are the versions everywhere."""
        self.drover("release list web")
        assert self.versions() == sorted(versions)
        assert sorted(self.index()[1]) == sorted(versions)
        assert sorted(self.listed()) == sorted(versions)
        for version in versions:
            self.drover(f"release verify web {version}")
        left = sorted(path.name for path in self.web.iterdir() if path.name.startswith(".") and
                      (path.is_file() or any(path.iterdir())))
        assert left == [], left


def run(words, **more):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, **more)

