# SPDX-License-Identifier: ISC
"""Releases as tests make them: a manifest in its one spelling (docs/release.md), and the signature on it, without a tree behind it."""
import hashlib
import json

EMPTY = hashlib.sha256(b"").hexdigest()


def line(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def tree_sha256(files):
    entries = sorted(files, key=lambda entry: entry["path"].encode())
    text = "drover-tree 1\n" + "".join(
        f"link\t{entry['target']}\t{entry['path']}\n" if "target" in entry
        else f"file\t{entry['mode']}\t{entry['size']}\t{entry['sha256']}\t{entry['path']}\n" for entry in entries)
    return hashlib.sha256(text.encode()).hexdigest()


def file(path, content="", mode="0644"):
    return {"path": path, "mode": mode, "size": len(content), "sha256": hashlib.sha256(content.encode()).hexdigest()}


def delta(version):
    return {"from": version, "from_tree_sha256": EMPTY, "size": 50, "sha256": EMPTY, "window_log": 20}


def manifest(version, sequence, revision="ab" * 20, product="web", files=None, **more):
    """The text; `more` over what an ordinary one says."""
    files = sorted(files or [file("bin/web", version, "0755")], key=lambda entry: entry["path"].encode())
    fields = {
        "format": 1, "product": product, "version": version, "sequence": sequence, "revision": revision, "landing": None,
        "tag": None, "test": {"run": f"{version}/1", "log_sha256": EMPTY}, "contract_sha256": None, "min_rollback_sequence": 0,
        "mtime": 1000000000, "payload": {"size": 300, "sha256": EMPTY, "tar_size": 4096, "tar_sha256": EMPTY, "window_log": 23},
        "tree_sha256": tree_sha256(files), "dependencies": [], "deltas": [], **more, "files": files}
    fields["deltas"] = sorted(fields["deltas"], key=lambda each: each["from"].encode())
    lines = []
    for key, value in fields.items():
        if isinstance(value, list):
            items = ",\n".join(map(line, value))
            lines.append(f'"{key}":[\n{items}{chr(10) if items else ""}]')
        else:
            lines.append(f'"{key}":{line(value)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


class Signer:
    """A key of the test's own, by the command."""

    def __init__(self, drover, name="release"):
        self.drover, self.name = drover, name
        drover(f"key generate --secret {name}.key --public {name}.pub --no-password")

    @property
    def public(self):
        return self.drover.folder / f"{self.name}.pub"

    def sign(self, text, comment):
        (self.drover.folder / "to-sign").write_text(text)
        self.drover(["key", "sign", "to-sign", "--key", f"{self.name}.key", "--comment", comment])
        return (self.drover.folder / "to-sign.minisig").read_text()

    def release(self, version, sequence, reason=None, product="web", **more):
        """The body of a publication."""
        text = manifest(version, sequence, product=product, **more)
        signature = self.sign(text, f"drover release product={product} version={version}")
        return {"manifest": text, "signature": signature, **({"reason": reason} if reason else {})}
