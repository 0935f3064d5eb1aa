#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What a check costs, beside HAProxy checking the same servers at the same intervals in the same run.

For each rate: processor time a check, the most open sockets, the burst factor (the most connections that came in any
100 ms, over the mean) of the engine and of HAProxy, by turns against the same responder, three times, of which the one
with the middle ratio is shown; and the engine's memory a server. The most open sockets are as the responder sees them.

usage: run.py BUILD [SECONDS [RATE...]]
"""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import bench  # noqa: E402

WARM_UP_S, ROUNDS = 2, 3
HAPROXY = """global
    nbthread 1
    maxconn 4000
    spread-checks 10
defaults
    mode http
    timeout connect 5s
    timeout check 5s
    timeout client 5s
    timeout server 5s
frontend f
    bind unix@{folder}/face
    default_backend b
backend b
    option httpchk GET /check HTTP/1.1
    http-check send hdr Host www.example.org hdr Connection close
"""


class Responder:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def counts(self):
        """Accepted, most in 100 ms, most open, since the last call."""
        self.process.send_signal(signal.SIGUSR1)
        return [int(word) for word in self.process.stdout.readline().split()]


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def measure(process, responder, seconds):
    time.sleep(WARM_UP_S)
    responder.counts()
    cpu, start = bench.process_cpu_ms(process.pid), time.monotonic()
    time.sleep(seconds)
    cpu, wall = bench.process_cpu_ms(process.pid) - cpu, time.monotonic() - start
    accepted, most, opened = responder.counts()
    if accepted == 0:
        raise SystemExit(f"no checks came from {process.args[0]}")
    return {"rate": accepted / wall, "us": cpu * 1000 / accepted, "burst": most / (accepted / wall / 10), "open": opened}


def ours(build, responder, servers, seconds, monitor):
    path = os.path.join(build, "tests/bench/checks_checker")
    with running([path, str(responder.port), str(servers), "1", monitor], stdout=subprocess.PIPE, text=True) as process:
        memory = int(process.stdout.readline().split()[1])
        return {**measure(process, responder, seconds), "memory": memory}


def haproxy(folder, responder, servers, seconds):
    path = os.path.join(folder, "haproxy.cfg")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(HAPROXY.format(folder=folder))
        for i in range(servers):
            stream.write(f"    server s{i} 127.1.{i // 250}.{i % 250 + 1}:{responder.port} check inter 1s\n")
    with running(["haproxy", "-db", "-f", path], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        time.sleep(1 + servers / 5000)
        return measure(process, responder, seconds)


def main():
    build, seconds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10
    rates = [int(word) for word in sys.argv[3:]] or [1000, 5000, 10000]
    beside = shutil.which("haproxy") is not None
    rows = []
    responder = Responder(os.path.join(build, "tests/bench/checks_responder"))
    try:
        with tempfile.TemporaryDirectory() as folder:
            for rate in rates:
                rounds = []
                for _ in range(ROUNDS):
                    theirs = haproxy(folder, responder, rate, seconds) if beside else None
                    rounds.append((ours(build, responder, rate, seconds, "ProxyFetch"), theirs))
                rounds.sort(key=lambda pair: pair[0]["us"] / (pair[1] or {"us": 1})["us"])
                own, theirs = rounds[ROUNDS // 2]
                ratio = f"{own['us'] / theirs['us']:.2f}" if theirs else "-"
                for name, one in [("drover", own), ("HAProxy", theirs)]:
                    if one:
                        rows.append([f"{rate:,}", name, f"{one['rate']:,.0f}", f"{one['us']:.1f}",
                                     ratio if one is own else "", one["open"], f"{one['burst']:.2f}",
                                     f"{own['memory']:,} B" if one is own else ""])
    finally:
        responder.process.terminate()
    bench.table("What a check costs (targets: ratio 0.85, burst 2, 2,000 B a server)",
                ["checks a second", "who", "seen", "CPU µs a check", "ratio", "open at one time", "burst", "memory a server"],
                rows)


if __name__ == "__main__":
    main()
