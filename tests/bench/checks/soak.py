#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Checks for a long time, with servers that fail at random: memory and descriptors must stay as they are.

2,000 servers are checked every second; 5 % of the checks get a 500, a closed connection, a reset, or no answer. Fails
when after the first tenth of the time memory grows by more than 5 % (and 1 MB), when more descriptors stay open than can
be under way, or when the rate or the share of failures is not what it should be.

usage: soak.py BUILD [MINUTES]       30 minutes; a fraction for a shorter run
"""
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import bench  # noqa: E402

SERVERS, FAILING_PER_MILLE, SAMPLES = 2000, 50, 30
# A quarter of the failures are silent, for half a second each: 12.5 of them at one time. And the rest of the program.
MOST_DESCRIPTORS = 300


def figures(process):
    process.send_signal(signal.SIGUSR1)
    words = process.stdout.readline()
    return {name: int(number) for name, number in re.findall(r"([a-z-]+) (\d+)", words)}


def main():
    build, minutes = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 30
    place = os.path.join(build, "tests/bench")
    responder = subprocess.Popen([f"{place}/checks_responder", str(FAILING_PER_MILLE)], stdout=subprocess.PIPE, text=True)
    port = responder.stdout.readline().strip()
    checker = subprocess.Popen([f"{place}/checks_checker", port, str(SERVERS), "1", "ProxyFetch", ".5"],
                               stdout=subprocess.PIPE, text=True)
    checker.stdout.readline()
    problems, memories, start = [], [], time.monotonic()
    try:
        for sample in range(SAMPLES):
            time.sleep(minutes * 60 / SAMPLES)
            memory, descriptors = bench.process_memory_mb(checker.pid), len(os.listdir(f"/proc/{checker.pid}/fd"))
            now = figures(checker)
            memories.append(memory)
            print(f"{time.monotonic() - start:7.0f} s  {memory:6.2f} MB  {descriptors:4} descriptors  {now}", flush=True)
            if descriptors > MOST_DESCRIPTORS:
                problems.append(f"{descriptors} descriptors are open")
        settled = memories[max(SAMPLES // 10 - 1, 0)]
        if memories[-1] > settled * 1.05 and memories[-1] > settled + 1:
            problems.append(f"memory grew from {settled} to {memories[-1]} MB")
        rate = now["started"] / (time.monotonic() - start)
        if not 0.8 * SERVERS < rate < 1.1 * SERVERS:
            problems.append(f"{rate:.0f} checks a second")
        share = now["down"] * 1000 / now["started"]
        if not 0.8 * FAILING_PER_MILLE < share < 1.5 * FAILING_PER_MILLE:
            problems.append(f"{share:.1f} of 1,000 checks failed")
    finally:
        for process in (checker, responder):
            process.terminate()
            process.wait()
    print("\n".join(problems) or "memory and descriptors stayed as they were")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
