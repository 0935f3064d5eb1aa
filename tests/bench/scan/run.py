#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Time of a full scan against `git log --format=%H%B` of the same repository, in the same run.

Builds a repository of 50,000 commits with merges in a temporary folder, then takes the best of several runs
of each, in processor time. Fails when the ratio is over 1.5 or a scan with nothing new takes over 50 ms.

usage: run.py TIME_SCAN [COMMITS [RUNS]]
"""
import os
import random
import subprocess
import sys
import tempfile

LIMIT_RATIO = 1.5
LIMIT_AGAIN_MS = 50.0
WORDS = ("rounding cache page login export order customer index timeout header parser retry queue "
         "invoice locale upgrade monitor balance route server release channel rollout check").split()


def message(rand, number):
    lines = [f"{rand.choice(WORDS)}: {' '.join(rand.choices(WORDS, k=5))}", ""]
    for _ in range(rand.randint(0, 6)):
        lines.append(" ".join(rand.choices(WORDS, k=10)))
    lines += ["", f"Bug: {number % 9000 + 1}" if number % 3 else "QA: no-qa",
              "Signed-off-by: Ann Example <ann@example.org>"]
    return "\n".join(lines) + "\n"


def history(commits):
    """A fast-import stream: two of three commits on main, the others on branches that are merged."""
    rand = random.Random(1)
    number, main = 0, 0
    while number < commits:
        chain = [(main, None)] if number % 10 else []
        start = main
        if not chain and main:
            side = rand.randint(1, 8)
            chain = [(start if i == 0 else number + i, None) for i in range(side)]
            chain.append((main, number + side))
        for parent, other in chain or [(0, None)]:
            number += 1
            text = message(rand, number).encode()
            yield (f"commit refs/heads/main\nmark :{number}\n"
                   f"author Ann Example <ann{number % 40}@example.org> {1600000000 + number * 60} +0100\n"
                   f"committer Carl Example <carl@example.org> {1600000000 + number * 60} +0100\n"
                   f"data {len(text)}\n").encode() + text
            if parent:
                yield f"from :{parent}\n".encode()
            if other:
                yield f"merge :{other}\n".encode()
            yield f"M 100644 inline f{number % 50}\ndata 6\n{number % 100000:05d}\n\n".encode()
        main = number


def build(folder, commits):
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", folder], check=True)
    stream = b"".join(history(commits))
    subprocess.run(["git", "-C", folder, "fast-import", "--quiet", "--force"], input=stream, check=True)
    subprocess.run(["git", "-C", folder, "repack", "-adq"], check=True)


def git_log_ms(folder):
    before = os.times()
    subprocess.run(["git", "-C", folder, "log", "--format=%H%B", "main"], check=True,
                   stdout=subprocess.DEVNULL)
    after = os.times()
    return (after.children_user + after.children_system
            - before.children_user - before.children_system) * 1000


def scan_ms(time_scan, folder, since=()):
    words = subprocess.run([time_scan, folder, *since], check=True, capture_output=True,
                           text=True).stdout.split()
    return float(words[0]), words[7], " ".join(words[2:6])


def main():
    time_scan = sys.argv[1]
    commits = int(sys.argv[2]) if len(sys.argv) > 2 else 50000
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(HOME=folder, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1")
        repository = os.path.join(folder, "repo.git")
        build(repository, commits)
        log, full, again, what = [], [], [], ""
        for _ in range(runs):
            log.append(git_log_ms(repository))
            one_full, tip, what = scan_ms(time_scan, repository)
            full.append(one_full)
            again.append(scan_ms(time_scan, repository, [tip])[0])
    ratio = min(full) / min(log)
    print(f"{what}: scan {min(full):.0f} ms, git log {min(log):.0f} ms, ratio {ratio:.2f} "
          f"(limit {LIMIT_RATIO}); nothing new {min(again):.1f} ms (limit {LIMIT_AGAIN_MS:.0f})")
    return 0 if ratio <= LIMIT_RATIO and min(again) <= LIMIT_AGAIN_MS else 1


if __name__ == "__main__":
    sys.exit(main())
