#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""`drover landing scan` with its store, beside `git log --format=%H%B` of the same repository in the same run.

The repository is that of scan/run.py: 50,000 commits with merges. What bounds the whole is measured beside it:
time_scan reads git alone, and the rows that a scan wrote go once more into an empty store, by nothing but SQLite.

usage: store_scan.py BUILD [COMMITS [RUNS]]
"""
import contextlib
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "scan")]
import bench  # noqa: E402
import run as scan_bench  # noqa: E402

TABLES = ("landing", "landing_item", "landing_target", "brought_commit", "branch_tip")


def cpu_ms():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1000


def bare_inserts(written, empty):
    """CPU and wall ms of putting what a scan wrote into an empty store, in one transaction as safe as the scan's."""
    with contextlib.closing(sqlite3.connect(written)) as database:
        rows = {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    with contextlib.closing(sqlite3.connect(empty, isolation_level=None)) as database:
        for setting in ("foreign_keys = ON", "synchronous = FULL", "cache_size = -32000"):
            database.execute(f"PRAGMA {setting}")
        before, start = cpu_ms(), time.monotonic()
        database.execute("BEGIN IMMEDIATE")
        for table in TABLES:
            if rows[table]:
                marks = ", ".join("?" * len(rows[table][0]))
                database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows[table])
        database.execute("COMMIT")
        return cpu_ms() - before, (time.monotonic() - start) * 1000


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
        log, git, full, again, bare = [], [], [], [], []
        for _ in range(runs):
            shutil.copy(store + ".empty", store)
            log.append(bench.run(["git", "-C", repository, "log", "--format=%H%B", "main"],
                                 stdout=subprocess.DEVNULL)[:2])
            git.append(bench.run([os.path.join(build, "tests/bench/time_scan"), repository])[:2])
            full.append(bench.run([*drover, "landing", "scan", "web"])[:2])
            again.append(bench.run([*drover, "landing", "scan", "web"])[:2])
            shutil.copy(store + ".empty", store + ".bare")
            bare.append(bare_inserts(store, store + ".bare"))
    base = [statistics.median(one[i] for one in log) for i in (0, 1)]
    rows = []
    for name, times, target in (("git log", log, "1"), ("reading git (time_scan)", git, "1.5"),
                                ("the same rows into SQLite", bare, "-"),
                                ("landing scan, with its store", full, "1.5"),
                                ("landing scan, nothing new", again, "-")):
        cpu, wall = (statistics.median(one[i] for one in times) for i in (0, 1))
        rows.append([name, f"{cpu:.0f}", f"{wall:.0f}", f"{cpu / base[0]:.2f}", f"{wall / base[1]:.2f}", target])
    bench.table(f"Scan of {commits} commits, medians of {runs}",
                ["what", "CPU ms", "wall ms", "CPU ratio", "wall ratio", "target"], rows)


if __name__ == "__main__":
    main()
