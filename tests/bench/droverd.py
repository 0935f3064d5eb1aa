#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""droverd's processor time per request, beside nginx answering the same body in the same run.

Needs wrk; without nginx the ratios are left out. The store has one product with 1,000 landings.

usage: droverd.py BUILD [SECONDS]
"""
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bench  # noqa: E402

CONNECTIONS = "16"
NGINX = """daemon off; worker_processes 1; pid {folder}/pid; error_log /dev/null;
events {{ worker_connections 256; }}
http {{ access_log off; keepalive_requests 1000000000; open_file_cache max=10; client_body_temp_path {folder};
 proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
 server {{ listen 127.0.0.1:{port}; root {folder}; location = /health {{ return 200 "ok\\n"; }} }} }}
"""


def fill(build, store):
    drover = bench.drover(build, store)
    bench.run([*drover, "product", "add", "web"])
    landings = [{"rev": i, "subject": f"change {i}", "author": "Ada", "email": "ada@example.org",
                 "items": [{"id": i, "state": "ok" if i < 980 else "needs-testing"}]} for i in range(1, 1001)]
    path = store + ".json"
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(landings, stream)
    bench.run([*drover, "landing", "import", path, "--product", "web"])
    bench.add_person(store)


def fetch(url, headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return answer.read()


def load(pids, url, headers, seconds):
    """Processor time per request in microseconds, and requests per second."""
    words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    before = sum(bench.process_cpu_ms(pid) for pid in pids)
    text = subprocess.run(["wrk", "-t1", "-c" + CONNECTIONS, f"-d{seconds}s", *words, url], check=True,
                          capture_output=True, text=True).stdout
    after = sum(bench.process_cpu_ms(pid) for pid in pids)
    if "Non-2xx" in text:
        sys.exit(f"{url}: {text}")
    count = int(re.search(r"(\d+) requests in", text).group(1))
    return (after - before) * 1000 / count, count / seconds


@contextlib.contextmanager
def nginx(folder, bodies):
    """Process ids and port of an nginx that serves the bodies; None without one."""
    if not shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"):
        yield None
        return
    os.chmod(folder, 0o755)
    port = 20000 + os.getpid() % 20000
    for name, body in bodies.items():
        with open(os.path.join(folder, name), "wb") as stream:
            stream.write(body)
    configuration = os.path.join(folder, "nginx.conf")
    with open(configuration, "w", encoding="ascii") as stream:
        stream.write(NGINX.format(folder=folder, port=port))
    master = subprocess.Popen(["nginx", "-c", configuration], stderr=subprocess.DEVNULL,
                              env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
    try:
        time.sleep(0.5)
        workers = subprocess.run(["ps", "-o", "pid=", "--ppid", str(master.pid)], capture_output=True,
                                 text=True, check=True).stdout.split()
        yield workers, port
    finally:
        master.terminate()
        master.wait()


def main():
    build = sys.argv[1]
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    if not shutil.which("wrk"):
        print("droverd: needs wrk (Debian package wrk): left out")
        return
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store.db")
        fill(build, store)
        with bench.droverd(build, folder, store) as (pid, admin, public):
            token = {"Authorization": "Bearer " + bench.TOKEN}
            cookie = {"Cookie": "drover-session=" + bench.COOKIE}
            asked = [("public GET /healthz", f"http://127.0.0.1:{public}/healthz", {}, "health", "1.5"),
                     ("admin GET /api/v1/products", f"http://127.0.0.1:{admin}/api/v1/products", token, "api", "-"),
                     ("admin overview page", f"http://127.0.0.1:{admin}/", cookie, "page", "-")]
            bodies = {name: fetch(url, headers) for _, url, headers, name, _ in asked}
            rows = []
            with nginx(folder, bodies) as other:
                for what, url, headers, name, target in asked:
                    cpu, rate = load([pid], url, headers, seconds)
                    row = [what, len(bodies[name]), f"{cpu:.1f}", f"{rate:.0f}"]
                    if other:
                        theirs, _ = load(other[0], f"http://127.0.0.1:{other[1]}/{name}", {}, seconds)
                        row += [f"{theirs:.1f}", f"{cpu / theirs:.1f}"]
                    rows.append(row + ["-", "-"] * (not other) + [target])
    bench.table(f"Processor time per request, {CONNECTIONS} kept connections, {seconds} s each",
                ["what", "bytes", "CPU us", "per second", "nginx CPU us", "ratio", "target"], rows)


if __name__ == "__main__":
    main()
