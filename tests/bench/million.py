#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A product with 1,000,000 landings: importing them, loading the book, memory, page views, one verdict.

usage: million.py BUILD [LANDINGS]
"""
import json
import os
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bench  # noqa: E402

PART = 100000
VIEWS = ("/", "/products/web", "/products/web/landings", "/api/v1/status", "/api/v1/products/web/where?q=change+7")


def fill(build, store, landings):
    drover = bench.drover(build, store)
    bench.run([*drover, "product", "add", "web"])
    cpu = wall = 0
    for first in range(1, landings + 1, PART):
        part = [{"rev": i, "subject": f"change {i}", "author": "Ada", "email": f"ada{i % 40}@example.org",
                 "items": [{"id": i, "state": "ok" if i < landings - 30 else "needs-testing"}]}
                for i in range(first, min(first + PART, landings + 1))]
        with open(store + ".json", "w", encoding="utf-8") as stream:
            json.dump(part, stream)
        one = bench.run([*drover, "landing", "import", store + ".json", "--product", "web"])
        cpu, wall = cpu + one[0], wall + one[1]
    bench.add_person(store)
    return cpu, wall


def ask(port, path, body=None):
    """Milliseconds until the whole answer is here."""
    headers = {"Authorization": "Bearer " + bench.TOKEN, "Content-Type": "application/json"} if path.startswith(
        "/api/") else {"Cookie": "drover-session=" + bench.COOKIE}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, headers=headers)
    start = time.monotonic()
    with urllib.request.urlopen(request) as answer:
        answer.read()
    return (time.monotonic() - start) * 1000


def main():
    build = sys.argv[1]
    landings = int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store.db")
        cpu, wall = fill(build, store, landings)
        rows.append([f"import in parts of {PART}", f"{wall:.0f} ms wall, {cpu:.0f} ms CPU", "-"])
        rows.append(["the store's file", f"{os.path.getsize(store) / 1e6:.0f} MB", "-"])
        with bench.droverd(build, folder, store) as (pid, admin, _):
            before = bench.process_cpu_ms(pid)
            wall = ask(admin, VIEWS[0])
            rows.append(["first view of /: loads the book",
                         f"{wall:.0f} ms wall, {bench.process_cpu_ms(pid) - before:.0f} ms CPU", "-"])
            rows.append(["memory of droverd", f"{bench.process_memory_mb(pid):.0f} MB", "-"])
            for path in VIEWS:
                ask(admin, path)
                rows.append([f"later view of {path}", f"{min(ask(admin, path) for _ in range(5)):.1f} ms", "50 ms"])
            path = f"/api/v1/products/web/landings/{landings - 5}/verdicts"
            body = json.dumps({"item": str(landings - 5), "state": "ok"}).encode()
            rows.append(["verdict by the API", f"{ask(admin, path, body):.1f} ms", "50 ms"])
            rows.append(["first view of / after it", f"{ask(admin, '/'):.1f} ms", "50 ms"])
    bench.table(f"{landings:,} landings", ["what", "measured", "target"], rows)


if __name__ == "__main__":
    main()
