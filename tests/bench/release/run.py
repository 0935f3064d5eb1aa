# SPDX-License-Identifier: ISC
"""Payloads and deltas beside the tools that people use for the same: bytes, processor time, memory.

    run.py BUILD OLD NEW [OLD NEW ...]

OLD and NEW are folders with two versions of something. Beside `release_once` of the bench build it needs casync,
xdelta3, bsdiff and rsync (Debian packages of these names). All lies in a temporary folder; the file system's cache is
warm, and nothing is synced.
"""
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

LEVEL = 15  # of the payload, too
ROUNDS = 3  # of what is quick
LONGEST_S = 240  # of processor time: what takes longer is of no use here
CASYNC = ["--without=all", "--with=symlinks", "--with=permissions"]


class TooLong(Exception):
    pass


def be_quick():
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_S, LONGEST_S))


class Step:
    """What a command took: processor seconds, wall seconds, and the memory of its largest process in MB."""

    def __init__(self, command, folder="."):
        start = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   preexec_fn=be_quick)
        self.out = process.stdout.read()
        complaint = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        if os.WIFSIGNALED(status) and used.ru_utime + used.ru_stime > LONGEST_S - 2:
            raise TooLong
        if status != 0:
            raise SystemExit(f"{command}: {complaint}")
        self.wall = time.monotonic() - start
        self.cpu = used.ru_utime + used.ru_stime
        self.memory = used.ru_maxrss / 1000


def middle(prepare, command):
    """The step with the median processor time."""
    steps = []
    for _ in range(ROUNDS):
        prepare()
        steps.append(Step(command))
    median = statistics.median_low(step.cpu for step in steps)
    return next(step for step in steps if step.cpu == median)


def remove(path):
    shutil.rmtree(path, ignore_errors=True)


def empty(path):
    remove(path)
    os.mkdir(path)


def files_below(folder):
    return {os.path.relpath(os.path.join(parent, name), folder)
            for parent, _, names in os.walk(folder) for name in names}


def bytes_of(folder, names):
    return sum(os.path.getsize(os.path.join(folder, name)) for name in names)


def both(first, second):
    """Two steps, one after the other, as one."""
    first.cpu += second.cpu
    first.wall += second.wall
    first.memory = max(first.memory, second.memory)
    return first


class Pair:
    def __init__(self, build, old, new, place):
        self.once = os.path.join(os.path.abspath(build), "tests/bench/release_once")
        self.place = place
        self.unpacked = None
        self.old, self.new, self.out = (os.path.join(place, name) for name in ("old", "new", "out"))
        # Copies: lists lie beside them, and modes are those of a release.
        for source, copy in ((old, self.old), (new, self.new)):
            shutil.copytree(source, copy, symlinks=True)
            subprocess.run(["chmod", "-R", "u=rwX,go=rX", copy], check=True)
            subprocess.run([self.once, "list", copy, copy], check=True)
            subprocess.run(["tar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-cf", copy + ".tar", "-C",
                            copy, "."], check=True)

    def path(self, name):
        return os.path.join(self.place, name)

    def check(self):
        subprocess.run(["diff", "-r", self.new, self.out], check=True, stdout=subprocess.DEVNULL)

    def payload(self):
        made = Step([self.once, "pack", self.new, self.path("payload")])
        self.unpacked = middle(lambda: remove(self.out), [self.once, "unpack", self.path("payload"), self.out])
        self.check()
        return os.path.getsize(self.path("payload")), made, self.unpacked

    def delta(self):
        made = Step([self.once, "delta", self.old, self.new, self.path("delta"), str(LEVEL)])
        applied = middle(lambda: remove(self.out), [self.once, "apply", self.path("delta"), self.old, self.out])
        self.check()
        return os.path.getsize(self.path("delta")), made, applied

    def casync(self):
        old_store, new_store, index = self.path("old.castr"), self.path("new.castr"), self.path("new.caidx")
        Step(["casync", "make", *CASYNC, f"--store={old_store}", self.path("old.caidx"), self.old])
        made = Step(["casync", "make", *CASYNC, f"--store={new_store}", index, self.new])
        chunks = files_below(new_store) - files_below(old_store)
        applied = middle(lambda: empty(self.out), ["casync", "extract", *CASYNC, f"--store={new_store}",
                                                   f"--seed={self.old}", index, self.out])
        self.check()
        return bytes_of(new_store, chunks) + os.path.getsize(index), made, applied

    def untar(self):
        empty(self.out)
        step = Step(["tar", "-xf", self.path("made.tar"), "-C", self.out])
        self.check()
        return step

    def xdelta3(self):
        old, new, delta = self.old + ".tar", self.new + ".tar", self.path("xdelta")
        window = str(max(os.path.getsize(old), os.path.getsize(new), 1 << 24))
        made = Step(["xdelta3", "-e", "-9", "-f", "-S", "lzma", "-B", window, "-s", old, new, delta])
        applied = Step(["xdelta3", "-d", "-f", "-B", window, "-s", old, delta, self.path("made.tar")])
        return os.path.getsize(delta), made, both(applied, self.untar())

    def bsdiff(self):
        old, delta = self.old + ".tar", self.path("bsdiff")
        made = Step(["bsdiff", old, self.new + ".tar", delta])
        applied = Step(["bspatch", old, self.path("made.tar"), delta])
        return os.path.getsize(delta), made, both(applied, self.untar())

    def rsync(self):
        """Sender and receiver at once, over a pipe; the receiver's tree is changed where it lies."""
        remove(self.out)
        shutil.copytree(self.old, self.out, symlinks=True)
        done = Step(["rsync", "-rlp", "--checksum", "--delete", "--no-whole-file", "-z", "--stats", self.new + "/", self.out])
        self.check()
        sent = [int(number.replace(",", "")) for number in re.findall(r"Total bytes (?:sent|received): ([\d,]+)", done.out)]
        return sum(sent), None, done

    def beside_tar(self):
        """Of the payload: unpacking and reading everything again, and what a person types for the same."""
        with open(self.path("sums"), "w", encoding="ascii") as sums:
            subprocess.run("find . -type f -print0 | xargs -0 sha256sum", shell=True, cwd=self.new, stdout=sums, check=True)
        typed = f"tar --zstd -xf {self.path('payload')} -C {self.out} && cd {self.out} && sha256sum --quiet -c {self.path('sums')}"
        only = f"tar --zstd -xf {self.path('payload')} -C {self.out}"
        theirs = middle(lambda: empty(self.out), ["sh", "-c", typed])
        untarred = middle(lambda: empty(self.out), ["sh", "-c", only])
        return self.unpacked, theirs, untarred


def told(step):
    return f"{step.cpu:.2f} s | {step.memory:.0f} MB" if step else "- | -"


def measure(build, old, new):
    with tempfile.TemporaryDirectory(prefix="drover-bench-") as place:
        pair = Pair(build, old, new, place)
        print(f"\n### {os.path.basename(old)} to {os.path.basename(new)}: {len(files_below(pair.new))} files, "
              f"{bytes_of(pair.new, files_below(pair.new)) / 1e6:.0f} MB\n")
        print("| way | bytes | making it, CPU | memory | applying it, CPU | memory |\n| --- | --- | --- | --- | --- | --- |")
        for name in ("payload", "delta", "casync", "rsync", "xdelta3", "bsdiff"):
            try:
                size, made, applied = getattr(pair, name)()
            except TooLong:
                print(f"| {name} | - | over {LONGEST_S} s | | | |", flush=True)
                continue
            print(f"| {name} | {size:,} | {told(made)} | {told(applied)} |", flush=True)
        ours, theirs, untarred = pair.beside_tar()
        print("\n| unpacking | CPU | beside the last line | wall | memory |\n| --- | --- | --- | --- | --- |")
        for name, step in (("Drover, everything read again", ours), ("`tar --zstd -x`", untarred),
                           ("`tar --zstd -x`, `sha256sum -c`", theirs)):
            print(f"| {name} | {step.cpu:.2f} s | {step.cpu / theirs.cpu:.2f} | {step.wall:.2f} s | {step.memory:.0f} MB |", flush=True)


def main():
    if len(sys.argv) < 4 or len(sys.argv) % 2 != 0:
        raise SystemExit(__doc__)
    for place in range(2, len(sys.argv), 2):
        measure(sys.argv[1], sys.argv[place].rstrip("/"), sys.argv[place + 1].rstrip("/"))


main()
