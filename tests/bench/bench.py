# SPDX-License-Identifier: ISC
"""What the benches share: processor time, a store with somebody to log in as, a running droverd, tables."""
import contextlib
import hashlib
import os
import re
import resource
import sqlite3
import subprocess
import time

TOKEN, COOKIE = "drt_bench", "bench"
FAR_US = 4_000_000_000_000_000
TICKS = os.sysconf("SC_CLK_TCK")
ALLOW = ["--allow-root"] if os.geteuid() == 0 else []


def run(command, **options):
    """Runs a command; gives its processor time and its wall time in ms, and what it printed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, check=True, stdout=options.pop("stdout", subprocess.PIPE),
                          stderr=subprocess.DEVNULL, text=True, **options)
    wall = (time.monotonic() - start) * 1000
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000
    return cpu, wall, done.stdout


def process_cpu_ms(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
        fields = stream.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def process_memory_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as stream:
        return int(re.search(r"VmRSS:\s+(\d+) kB", stream.read()).group(1)) / 1000


def drover(build, store):
    return [os.path.join(build, "drover"), *ALLOW, "--store", f"sqlite:{store}"]


def add_person(store):
    """An admin, with a token and a session, behind the store's back."""
    def digest(text):
        return hashlib.sha256(text.encode()).hexdigest()
    with contextlib.closing(sqlite3.connect(store)) as database, database:
        database.execute("INSERT INTO person (id, name, email, is_disabled, created_us, data_version) "
                         "VALUES (1, 'ada', 'ada@example.org', 0, 1, 1)")
        database.execute("INSERT INTO person_role (person_id, product, role) VALUES (1, '*', 'admin')")
        database.execute("INSERT INTO token (person_id, name, digest, created_us, expires_us, used_us) "
                         "VALUES (1, 'bench', ?, 1, ?, ?)", (digest(TOKEN), FAR_US, FAR_US))
        database.execute("INSERT INTO session (digest, person_id, created_us, expires_us) VALUES (?, 1, 1, ?)",
                         (digest(COOKIE), FAR_US))


@contextlib.contextmanager
def droverd(build, folder, store):
    """A running droverd: (process id, admin port, public port)."""
    log = os.path.join(folder, "droverd.log")
    with open(log, "w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [os.path.join(build, "droverd"), *ALLOW, "--store", f"sqlite:{store}", "--state", folder,
             "--admin", "127.0.0.1:0", "--public", "127.0.0.1:0"], stderr=stream)
    try:
        for _ in range(600):
            with open(log, encoding="utf-8") as stream:
                found = re.search(r"droverd.ready.* admin=\S+?:(\d+) public=\S+?:(\d+)", stream.read())
            if found:
                break
            time.sleep(0.05)
        yield process.pid, int(found.group(1)), int(found.group(2))
    finally:
        process.terminate()
        process.wait()


def table(title, head, rows):
    print(f"\n{title}\n")
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(str(cell).ljust(width) for cell, width in zip(row, widths)) + " |")
