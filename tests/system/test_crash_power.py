# SPDX-License-Identifier: ISC
"""A power cut at any call, on a disk that keeps only what was synced: what is replaced as a whole is there as a whole.

The calls are recorded in one run and played on a model of a disk. POSIX promises that a file's bytes last once the
file was synced, and a name once its folder was; about everything else the model is as unkind as it may be, in four
ways: names that were not synced are lost or are kept, in the folder above what is replaced and in the others.
"""
import itertools

import pytest

from publisher import Publisher
from test_crash_locks import preloaded

pytestmark = pytest.mark.slow


class Disk:
    """Files and folders below `root` by number; `now` is what programs see, `synced` what a folder's sync kept."""

    def __init__(self, root):
        self.root, self.count = str(root), itertools.count(1)
        self.now, self.synced, self.unsynced_files = {}, {}, set()
        self.top = self._load(root)

    def _load(self, path):
        number = next(self.count)
        if path.is_dir():
            self.now[number] = {each.name: self._load(each) for each in path.iterdir()}
            self.synced[number] = dict(self.now[number])
        return number

    def _place(self, path):
        """(folder, name), or None when it is not on this disk."""
        if path == self.root or not path.startswith(self.root + "/"):
            return None
        *folders, name = path[len(self.root) + 1:].split("/")
        folder = self.top
        for each in folders:
            folder = self.now[folder][each]
        return folder, name

    def _number(self, path):
        if path == self.root:
            return self.top
        place = self._place(path)
        return self.now[place[0]].get(place[1]) if place else None

    def play(self, name, path, second):
        place = self._place(path)
        number = self._number(path)
        if name == "sync" and number in self.now:
            self.synced[number] = dict(self.now[number])
        elif not place:
            return
        elif name == "sync":
            self.unsynced_files.discard(number)
        elif name in ("write", "truncate", "mkdir"):
            if number is None:
                number = self.now[place[0]][place[1]] = next(self.count)
            if name == "mkdir":
                self.now.setdefault(number, {})
                self.synced.setdefault(number, {})
            else:
                self.unsynced_files.add(number)
        elif name == "rename":
            folder, to = self._place(second)
            self.now[folder][to] = self.now[place[0]].pop(place[1])
        elif name == "exchange":
            folder, to = self._place(second)
            other = self.now[folder][to]
            self.now[folder][to], self.now[place[0]][place[1]] = number, other
        elif name == "rmdir" or (name == "unlink" and number not in self.now):
            self.now[place[0]].pop(place[1], None)

    def after_power_cut(self, top_is_kept, others_are_kept):
        """{path: number} of all files; a number is None where a file's bytes were lost."""
        found = {}

        def look(number, path):
            kept = top_is_kept if number == self.top else others_are_kept
            for name, child in (self.now if kept else self.synced)[number].items():
                if child in self.now:
                    look(child, f"{path}{name}/")
                else:
                    found[path + name] = None if child in self.unsynced_files else child

        look(self.top, "")
        return found


def play(drover, line, root, trace):
    """Every disk that a power cut before, between or after the run's calls may leave."""
    disk = Disk(root)
    process = preloaded(drover, line, KILL_TRACE=str(trace))
    assert process.communicate(timeout=60) and process.returncode == 0
    calls = [call.split("\t") for call in trace.read_text().splitlines()]
    assert any(call[2].startswith(disk.root) and call[0] == "sync" for call in calls)
    disks = []
    for name, _, path, second, _ in calls:
        disk.play(name, path, second)
        for top, others in itertools.product((False, True), repeat=2):
            disks.append((f"after {name} {path}, names kept above: {top}, in the others: {others}",
                          disk.after_power_cut(top, others)))
    return disks, disk


@pytest.mark.parametrize("before", ["nothing there", "an earlier report"])
def test_a_report_is_the_old_or_the_new_one_as_a_whole(web, tmp_path, before):
    root = tmp_path / "srv"
    root.mkdir()
    if before == "an earlier report":
        web("report --out srv/report")
        web("qa ok 3 3")
    disks, disk = play(web, "report --out srv/report", root, tmp_path / "trace")

    def report_of(files):
        return {path: number for path, number in files.items() if path.startswith("report/")}

    old, new = report_of(disks[0][1]), report_of(disk.after_power_cut(False, False))
    assert new and None not in new.values() and new != old
    assert set(new) == {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    for where, files in disks:
        assert report_of(files) in (old, new), where


def test_a_backup_is_the_old_or_the_new_one_as_a_whole(web, tmp_path):
    root = tmp_path / "srv"
    root.mkdir()
    web("store backup srv/backup.db")
    disks, disk = play(web, "store backup srv/backup.db", root, tmp_path / "trace")
    old, new = disks[0][1]["backup.db"], disk.after_power_cut(False, False)["backup.db"]
    assert old != new and new is not None
    for where, files in disks:
        assert files.get("backup.db") in (old, new), where


def test_a_release_is_published_as_a_whole_and_before_the_index_that_names_it(drover, repository, tmp_path):
    web = Publisher(drover, repository)
    web.release("1.0.0", "one\n")
    web.build("1.0.1", "two\n")
    disks, disk = play(drover, "release publish web 1.0.1", web.releases, tmp_path / "trace")

    def version_of(files):
        return {path: number for path, number in files.items() if path.startswith("web/1.0.1/")}

    old, new = disks[0][1]["web/index"], disk.after_power_cut(False, False)["web/index"]
    whole = version_of(disk.after_power_cut(False, False))
    assert old != new and None not in (old, new) and len(whole) == 4 and None not in whole.values()
    for where, files in disks:
        assert version_of(files) in ({}, whole), where
        assert files.get("web/index") in (old, new), where
        assert files.get("web/index") == old or version_of(files) == whole, where


def test_what_is_removed_goes_after_the_index_that_does_not_name_it(drover, repository, tmp_path):
    web = Publisher(drover, repository)
    for number in range(3):
        web.release(f"1.0.{number}", f"{number}\n")
    disks, disk = play(drover, "release gc web --keep 1", web.releases, tmp_path / "trace")
    old, new = disks[0][1]["web/index"], disk.after_power_cut(False, False)["web/index"]
    assert old != new
    before = {path: number for path, number in disks[0][1].items() if path.startswith(("web/1.0.0/", "web/1.0.1/"))}
    assert len(before) == 7
    for where, files in disks:
        assert files.get("web/index") in (old, new), where
        assert files["web/index"] == new or before.items() <= files.items(), where
