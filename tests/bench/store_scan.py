#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""`drover landing scan` with its store, beside `git log --format=%H%B` of the same repository in the same run.

The repository is that of scan/run.py: 50,000 commits with merges. The share of git and that of the store are told
apart by time_scan, which reads git alone.

usage: store_scan.py BUILD [COMMITS [RUNS]]
"""
import os
import shutil
import sys
import tempfile

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "scan")]
import bench  # noqa: E402
import run as scan_bench  # noqa: E402


def main():
    build = sys.argv[1]
    commits = int(sys.argv[2]) if len(sys.argv) > 2 else 50000
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(HOME=folder, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1")
        repository, store = os.path.join(folder, "repo.git"), os.path.join(folder, "store.db")
        scan_bench.build(repository, commits)
        drover = bench.drover(build, store)
        bench.run([*drover, "product", "add", "web", "--repository", repository, "--branch", "main"])
        shutil.copy(store, store + ".empty")
        log, git, full, again = [], [], [], []
        for _ in range(runs):
            shutil.copy(store + ".empty", store)
            log.append(bench.run(["git", "-C", repository, "log", "--format=%H%B", "main"])[:2])
            git.append(bench.run([os.path.join(build, "tests/bench/time_scan"), repository])[:2])
            full.append(bench.run([*drover, "landing", "scan", "web"])[:2])
            again.append(bench.run([*drover, "landing", "scan", "web"])[:2])
    base = min(log)[0]
    rows = []
    for name, times, target in (("git log", log, "1"), ("reading git (time_scan)", git, "1.5"),
                                ("landing scan, with its store", full, "1.5"),
                                ("landing scan, nothing new", again, "-")):
        cpu, wall = min(times)[0], min(t[1] for t in times)
        rows.append([name, f"{cpu:.0f}", f"{wall:.0f}", f"{cpu / base:.2f}", target])
    bench.table(f"Scan of {commits} commits, best of {runs}", ["what", "CPU ms", "wall ms", "CPU ratio", "target"], rows)


if __name__ == "__main__":
    main()
