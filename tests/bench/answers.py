#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What an update answer costs: processor time per query beside nginx's `return 200` of the same body in the same run.

nginx has as many workers as droverd has loops. Needs wrk; without nginx the ratios are left out. Rules are spread over products evenly; a product's rules have falling
priorities and versions that the client has left behind, so the last one answers and all before it are looked at.

usage: answers.py BUILD [SECONDS]
"""
import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bench  # noqa: E402

SIZES = [(100, 1), (100, 50), (1000, 10), (10000, 50), (10000, 1)]
CONNECTIONS = 16
ROUNDS = 3
OPS_AT_ONCE = 400
LATE_MS = 10
QUERY = "/update/6/p0/60.0/20180501/Linux_x86_64/de/release/Linux%205.10/ISET:SSE4_2,MEM:8192,JAWS:0/default/default/update.xml"
ANEW = QUERY + "?anew=1"  # answers with something behind the path are not kept
NGINX = """daemon off; worker_processes {loops}; pid {folder}/pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}; proxy_temp_path {folder};
 fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
 server {{ listen 127.0.0.1:{port} reuseport; default_type "text/xml; charset=utf-8";
  location / {{ return 200 '{body}'; }} location = /ok {{ return 200 "ok\\n"; }} }} }}
"""


def insert(table, row, **more):
    return {"op": "insert", "table": table, "row": row, **more}


def release(product):
    files = [{"from": "*", "url": f"https://cdn.example.org/{product}-61.0", "size": 61000000, "sha512": "c" * 128}]
    return {"name": f"{product}-61.0", "product": product, "version": "61.0", "build_id": "20180601",
            "platforms": {"Linux_x86_64": {"locales": {"de": {"completes": files}}}}}


def rows(rules, products):
    for product in range(products):
        yield insert("products", {"product": f"p{product}", "scheme": "mozilla", "hosts": ["cdn.example.org"]})
        yield insert("releases", release(f"p{product}"))
    for rule in range(rules):
        product, nth = rule % products, rule // products
        is_last = rule + products >= rules
        row = {"product": f"p{product}", "mapping": f"p{product}-61.0", "priority": rules - rule}
        row |= {"channel": "release"} if is_last or nth % 2 else {"channel": "release*", "locale": "de,fr,en-US"}
        row |= {} if is_last else {"version": f"<{nth % 50 + 1}.0.{nth % 7}"}
        yield insert("rules", row, rule_id=rule + 1)


class Api:
    def __init__(self, port):
        self.port = port

    def edit(self, ops, status=200):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        line.request("POST", "/api/v1/edits", json.dumps({"ops": ops, "reason": "a bench"}),
                     {"Authorization": "Bearer " + bench.TOKEN, "Content-Type": "application/json"})
        said = line.getresponse()
        text = said.read()
        if said.status != status:
            sys.exit(f"edit: {said.status} {text[:300]}")
        line.close()


def get(port, path):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.request("GET", path)
    body = line.getresponse().read()
    line.close()
    return body


@contextlib.contextmanager
def nginx(folder, body, loops):
    """Process ids and port of an nginx that returns the body; None without one."""
    path = os.environ["PATH"] + ":/usr/sbin"
    if not shutil.which("nginx", path=path):
        yield None
        return
    os.chmod(folder, 0o755)
    port = 20000 + os.getpid() % 20000
    configuration = os.path.join(folder, "nginx.conf")
    text = body.decode().replace("\\", "\\\\").replace("'", "\\'").replace("$", "")
    with open(configuration, "w", encoding="utf-8") as stream:
        stream.write(NGINX.format(folder=folder, port=port, body=text, loops=loops))
    master = subprocess.Popen(["nginx", "-c", configuration], stderr=subprocess.DEVNULL, env={**os.environ, "PATH": path})
    try:
        time.sleep(0.5)
        workers = subprocess.run(["ps", "-o", "pid=", "--ppid", str(master.pid)], capture_output=True, text=True, check=True)
        yield workers.stdout.split(), port
    finally:
        master.terminate()
        master.wait()


def load(pids, port, path, seconds, connections=CONNECTIONS):
    """Processor time per request in microseconds."""
    before = sum(bench.process_cpu_ms(pid) for pid in pids)
    said = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"http://127.0.0.1:{port}{path}"], check=True,
                          capture_output=True, text=True).stdout
    after = sum(bench.process_cpu_ms(pid) for pid in pids)
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(said)
    return (after - before) * 1000 / int(re.search(r"(\d+) requests in", said).group(1))


def beside(pid, port, path, other, other_path, seconds):
    """Both in turn, so that none has the better moment; the medians."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(load([pid], port, path, seconds))
        if other:
            theirs.append(load(*other, other_path, seconds))
    middle = ROUNDS // 2
    return sorted(ours)[middle], sorted(theirs)[middle] if theirs else None


def hurry(thread):
    """No other process is to hold it up: what is late then is late by its own fault. Only root may."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(1))


class Asker(threading.Thread):
    """Asks again and again on one connection; keeps how long each answer took, by what happened meanwhile."""

    def __init__(self, port):
        super().__init__()
        self.port, self.times, self.phase, self.done = port, {}, None, False

    def run(self):
        hurry(0)
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.done:
            phase, began = self.phase, time.perf_counter()
            times = self.times.setdefault(phase, [])
            line.request("GET", ANEW if len(times) % 2 else QUERY)
            line.getresponse().read()
            times.append((time.perf_counter() - began) * 1000)
            time.sleep(0.0005)
        line.close()


def longest(pid, port, api, rounds):
    """The longest answers in ms while nothing happens, while an edit is refused, and while one is published: a second each, in turn."""
    def edit(status, **more):
        api.edit([{"op": "update", "table": "rules", "rule_id": 1, "row": {"comment": str(time.time())}, **more}], status)

    acts = {"nothing": lambda: None, "an edit is refused": lambda: edit(409, data_version=1 << 30), "an edit is published": lambda: edit(200)}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/comm", encoding="ascii") as stream:
            if stream.read().strip() == "http-loop":
                hurry(int(thread))
    asker = Asker(port)
    asker.start()
    for _ in range(rounds):
        for asker.phase, act in acts.items():
            until = time.monotonic() + 1
            act()
            time.sleep(max(0, until - time.monotonic()))
    asker.done = True
    asker.join()
    for phase in acts:
        times = sorted(asker.times[phase])
        yield [phase, len(times), sum(took > LATE_MS for took in times), f"{times[-1 - len(times) // 1000]:.1f}", f"{times[-1]:.1f}"]


def measure(build, rules, products, seconds):
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store.db")
        bench.run([*bench.drover(build, store), "store", "migrate"])
        bench.add_person(store)
        with bench.droverd(build, folder, store) as (pid, admin, public):
            api, ops = Api(admin), list(rows(rules, products))
            empty = bench.process_memory_mb(pid)
            for at in range(0, len(ops), OPS_AT_ONCE):
                api.edit(ops[at:at + OPS_AT_ONCE])
            while b"61.0" not in (body := get(public, QUERY)):
                time.sleep(0.1)
            time.sleep(2)
            memory = bench.process_memory_mb(pid) - empty
            with nginx(folder, body, min(os.cpu_count(), 4)) as other:
                if other and get(other[1], "/") != body:
                    sys.exit("nginx has another body")
                ours, theirs = beside(pid, public, QUERY, other, "/", seconds)
                anew = beside(pid, public, ANEW, other, "/", seconds)
                health = beside(pid, public, "/healthz", other, "/ok", seconds)
            late = [[rules, products, *row] for row in longest(pid, public, api, 5)]

            def ratio(one, other):
                return f"{one / other:.2f}" if other else "-"

            return ([rules, products, len(body), f"{ours:.1f}", f"{theirs or 0:.1f}", ratio(ours, theirs), "1",
                     f"{anew[0]:.1f}", ratio(*anew), f"{health[0]:.1f}", ratio(*health), f"{memory:.0f}"],
                    late)


def main():
    build = sys.argv[1]
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    if not shutil.which("wrk"):
        print("answers: needs wrk (Debian package wrk): left out")
        return
    measured = [measure(build, rules, products, seconds) for rules, products in SIZES]
    bench.table(f"An update answer: {CONNECTIONS} kept connections, medians of {ROUNDS} times {seconds} s",
                ["rules", "products", "bytes", "CPU us", "nginx CPU us", "ratio", "target", "made anew us", "its ratio", "/healthz us", "its ratio", "memory MB"],
                [row for row, _ in measured])
    bench.table("How long answers take one asker, half of them made anew, by what happens each second",
                ["rules", "products", "meanwhile", "answers", f"over {LATE_MS} ms", "1 of 1000, ms", "longest, ms"],
                [row for _, late in measured for row in late])


if __name__ == "__main__":
    main()
