# SPDX-License-Identifier: ISC
"""The socket holder, with real services, real load and real kills (docs/maintenance.md).

A bed has a product "web" of which the versions v1, v2, … are installed, each with the service's script in it, and a
holder of its own. Services answer "sheep VERSION".
"""
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import BUILD, ROOT
from server import eventually

pytestmark = pytest.mark.slow

DRIVER = BUILD / "tests/unit/node/hold/node_hold_driver"
EXAMPLES = ROOT / "examples"
PYTHON = "/usr/bin/python3"
CHECKING = """
bad = 0
threads = {}
function setup(thread) table.insert(threads, thread) end
function response(status, headers, body)
    if status ~= 200 or not body:match("^sheep v%d+\\n$") then bad = bad + 1 end
end
function done(summary)
    local bad, errors = 0, summary.errors
    for _, thread in ipairs(threads) do bad = bad + thread:get("bad") end
    print(string.format('RESULT {"requests": %d, "bad": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}',
        summary.requests, bad, errors.connect, errors.read, errors.write, errors.timeout))
end
"""


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class Bed:
    def __init__(self, folder, run, **settings):
        self.folder, self.prefix, self.port = folder, folder / "web", free_port()
        self.config = folder / "node.conf"
        self.settings = {"prefix": self.prefix, "sources": folder / "repository", "run": run,
                         "listen": f"127.0.0.1:{self.port}", "ready_timeout": "30s", "drain_timeout": "20s", **settings}
        self.holder = None
        (self.prefix / "releases").mkdir(parents=True)
        self.configure()

    def configure(self, **settings):
        self.settings.update(settings)
        self.config.write_text(f"[node]\nname = test\nstate = {self.folder}\n\n[web]\n" + "".join(
            f"{key.replace('_', '-')} = {value}\n" for key, value in self.settings.items()))

    def install(self, version, *files, text=None):
        """A version with these files in it; `text`: its only file, sheep.py."""
        place = self.prefix / "releases" / version
        place.mkdir()
        for file in files:
            shutil.copy(file, place)
        if text is not None:
            (place / "sheep.py").write_text(text)

    def make_current(self, version):
        beside = self.prefix / "current.new"
        beside.symlink_to(f"releases/{version}")
        beside.rename(self.prefix / "current")

    def start(self, wait=True):
        self.log = open(self.folder / "holder.log", "ab")
        self.holder = subprocess.Popen([DRIVER, "hold", "web", "--config", self.config], stderr=self.log)
        if wait:
            assert eventually(lambda: self.answers() != "nobody"), self.said()

    def said(self):
        if not (self.folder / "holder.log").exists():
            return ""
        return (self.folder / "holder.log").read_text()

    def drive(self, what, *last):
        return subprocess.Popen([DRIVER, what, "web", "--config", self.config, *last], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def call(self, **message):
        caller = self.drive("call", json.dumps(message))
        out, err = caller.communicate(timeout=120)
        self.error, self.code = err, caller.returncode
        return json.loads(out) if caller.returncode == 0 else None

    def handover(self, version):
        status = self.call(do="handover", version=version)
        assert status is not None, self.error + self.said()
        assert status["version"] == version
        return status

    def status(self):
        return self.call(do="status")

    def answers(self):
        status = self.status()
        return status["answers"] if status else "nobody"

    def ask(self, method="GET", path="/", body=None, headers=(), timeout=30):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as line:
            line.request(method, path, body=body, headers=dict(headers))
            answer = line.getresponse()
            answer.text = answer.read().decode()
            return answer

    def stop(self):
        if self.holder is not None and self.holder.poll() is None:
            self.holder.terminate()
            assert self.holder.wait(60) == 0, self.said()
        for found in re.findall(r"kind=\w+ .*pid=(\d+)", self.said()):
            with contextlib.suppress(OSError):
                if str(self.prefix).encode() in open(f"/proc/{found}/environ", "rb").read():
                    os.kill(int(found), signal.SIGKILL)
        assert "runtime error" not in self.said() and "Sanitizer" not in self.said(), self.said()


@pytest.fixture
def bed_of(tmp_path):
    beds = []

    def make(run=f"{PYTHON} sheep.py", **settings):
        beds.append(Bed(tmp_path, run, **settings))
        return beds[-1]

    yield make
    for each in beds:
        each.stop()


def installed(bed, *files, count=2):
    for number in range(1, count + 1):
        bed.install(f"v{number}", *files)
    bed.make_current("v1")
    return bed


@pytest.fixture
def bed(bed_of):
    """Of the example in Python, running v1."""
    bed = installed(bed_of(), EXAMPLES / "python/sheep.py")
    bed.start()
    assert bed.ask().text == "sheep v1\n"
    return bed


@contextlib.contextmanager
def load(bed, *options, versions="v%d+"):
    """wrk, until the block ends; gives a dictionary that is filled then."""
    script = bed.folder / "checking.lua"
    script.write_text(CHECKING.replace("v%d+", versions))
    found = {}
    wrk = subprocess.Popen(["wrk", "-t1", "-c16", "-d300s", "--timeout", "60s", "-s", script, *options,
                            f"http://127.0.0.1:{bed.port}/"], stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(0.3)
        yield found
    finally:
        wrk.send_signal(signal.SIGINT)
        out, _ = wrk.communicate(timeout=90)
        found.update(json.loads(re.search(r"RESULT (.*)", out).group(1)))


class Client:
    """Asks again and again, each time by a new connection; keeps what was wrong."""

    def __init__(self, bed, good=r"sheep v\d+\n"):
        self.bed, self.good, self.wrong, self.count, self.done = bed, good, [], 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.done.is_set():
            self.count += 1
            try:
                answer = self.bed.ask()
                if not re.fullmatch(self.good, answer.text):
                    self.wrong.append(answer.text)
            except OSError as failure:
                self.wrong.append(repr(failure))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


# -- ten updates under load ----------------------------------------------------------------------------------------

def update_ten_times(bed, *options):
    bed.start()
    assert eventually(lambda: bed.answers() == "service"), bed.said()
    with load(bed, *options) as found:
        for number in range(2, 12):
            bed.handover(f"v{number}")
    assert bed.ask().text == "sheep v11\n"
    assert found["requests"] > 100
    found.pop("requests")
    assert found == {"bad": 0, "connect": 0, "read": 0, "write": 0, "timeout": 0}, bed.said()


def compiled(folder):
    program = folder / "sheep"
    subprocess.run(["cc", "-o", program, EXAMPLES / "c/sheep.c"], check=True)
    return program


def test_a_service_in_c_is_updated_ten_times_without_losing_a_request(bed_of, tmp_path):
    update_ten_times(installed(bed_of(run="./sheep"), compiled(tmp_path), count=11))


def test_a_service_in_python_is_updated_ten_times_without_losing_a_request(bed_of):
    update_ten_times(installed(bed_of(), EXAMPLES / "python/sheep.py", count=11))


def test_a_service_in_node_is_updated_ten_times_without_losing_a_request(bed_of):
    update_ten_times(installed(bed_of(run="/usr/bin/env node sheep.js"), EXAMPLES / "node/sheep.js", count=11))


def test_a_service_that_says_nothing_is_verified_first_and_updated_ten_times(bed_of):
    bed = bed_of(run=f"/usr/bin/env -u NOTIFY_SOCKET {PYTHON} sheep.py", readiness="verify",
                 health="http://127.0.0.1:1/anything")
    update_ten_times(installed(bed, EXAMPLES / "python/sheep.py", count=11))


def test_a_service_that_takes_no_socket_is_updated_ten_times_behind_the_forwarder(bed_of):
    bed = bed_of(run=f"{PYTHON} plain.py", readiness="forward", forward_to="127.0.0.1:0")
    update_ten_times(installed(bed, EXAMPLES / "python/plain.py", count=11))


def test_behind_the_forwarder_connections_that_stay_open_are_ended_by_the_service(bed_of):
    bed = bed_of(run="/usr/bin/env node sheep.js", readiness="forward", forward_to="127.0.0.1:0", drain_timeout="4s")
    update_ten_times(installed(bed, EXAMPLES / "node/sheep.js", count=11))


def test_a_service_with_a_port_of_its_own_makes_clients_wait_but_refuses_none(bed_of):
    bed = installed(bed_of(run=f"{PYTHON} plain.py", readiness="forward", forward_to=f"127.0.0.1:{free_port()}"),
                    EXAMPLES / "python/plain.py")
    bed.start()
    assert eventually(lambda: bed.answers() == "service"), bed.said()
    with Client(bed, r"sheep v\d+\n|This service cannot answer right now.*\n") as client:
        bed.handover("v2")
    assert client.wrong == [] and bed.ask().text == "sheep v2\n"


def test_an_open_request_is_finished_by_the_old_version(bed):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", bed.port, timeout=30)) as line:
        line.connect()
        line.putrequest("GET", "/")
        bed.handover("v2")
        line.endheaders()
        answer = line.getresponse()
        assert answer.read() == b"sheep v1\n" and answer.getheader("Connection") == "close"
    assert bed.ask().text == "sheep v2\n"


# -- versions that are no good -------------------------------------------------------------------------------------

BROKEN = {
    "ends at once": ("raise SystemExit(3)", "its service ended with status 3"),
    # Longer than a caller may take to say what it wants.
    "never says READY=1": ("import time; time.sleep(1000)", "it did not say READY=1 in 12 s"),
    "hangs in SIGTERM": ("import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(1000)",
                         "it did not say READY=1 in 12 s"),
    "cannot be started": ("", "its service ended with status"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_new_version_that_is_no_good_leaves_the_old_one_answering(bed_of, kind):
    text, why = BROKEN[kind]
    bed = installed(bed_of(ready_timeout="12s"), EXAMPLES / "python/sheep.py")
    bed.install("v9", text=text)
    if kind == "cannot be started":
        (bed.prefix / "releases/v9/sheep.py").unlink()
    bed.start()
    assert eventually(lambda: bed.answers() == "service"), bed.said()
    with Client(bed, r"sheep v1\n") as client:
        assert bed.call(do="handover", version="v9") is None
    assert bed.code == 4 and why in bed.error and "still answering: version v1" in bed.error
    assert client.wrong == [] and client.count > 0
    status = bed.status()
    assert status["version"] == status["wanted"] == "v1" and why in status["failure"]
    assert eventually(lambda: len(bed.status()["children"]) == 1), bed.said()  # the new one is gone, hanging or not


def test_a_verified_version_that_is_not_healthy_never_gets_the_shared_socket(bed_of):
    sheep = (EXAMPLES / "python/sheep.py").read_text()
    bed = installed(bed_of(readiness="verify", ready_timeout="3s", health="http://127.0.0.1:1/health"),
                    EXAMPLES / "python/sheep.py")
    bed.install("v9", text=sheep.replace("send_response(200)", "send_response(500)").replace("sheep {", "wrong {"))
    bed.start()
    assert eventually(lambda: bed.answers() == "service"), bed.said()
    with Client(bed, r"sheep v1\n") as client:
        assert bed.call(do="handover", version="v9") is None
    assert "it was not healthy in 3 s" in bed.error and client.wrong == []


def test_an_old_version_that_does_not_leave_is_killed_at_the_deadline(bed_of):
    bed = installed(bed_of(drain_timeout="1s"), EXAMPLES / "python/sheep.py")
    sheep = (EXAMPLES / "python/sheep.py").read_text()
    bed.install("v9", text=sheep.replace("\nflock.server_close()", "\nimport time; time.sleep(1000)"))
    bed.make_current("v9")
    bed.start()
    assert eventually(lambda: bed.answers() == "service"), bed.said()
    stuck = bed.status()["service"]["pid"]
    with Client(bed, r"sheep v\d\n") as client:
        bed.handover("v1")
        assert eventually(lambda: not os.path.exists(f"/proc/{stuck}"))
    assert client.wrong == [] and "was killed by signal 9" in bed.said()
    assert bed.ask().text == "sheep v1\n"


@pytest.mark.parametrize("when", ["it begins", "it leaves"])
def test_a_service_that_shuts_the_socket_down_does_not_end_it(bed_of, when):
    sheep = (EXAMPLES / "python/sheep.py").read_text()
    bed = installed(bed_of(), EXAMPLES / "python/sheep.py")
    line = 'notify("READY=1")\n' if when == "it begins" else "flock.server_close()\n"
    bed.install("v9", text=sheep.replace("\n" + line, f"\nflock.socket.shutdown(socket.SHUT_RDWR)\n{line}"))
    bed.make_current("v9")
    bed.start()
    assert eventually(lambda: bed.answers() == "service"), bed.said()
    assert eventually(lambda: connects(bed)) and bed.ask().text == "sheep v9\n"
    bed.handover("v1")
    assert eventually(lambda: "event=hold.shut" in bed.said() and len(bed.status()["children"]) == 1), bed.said()
    assert eventually(lambda: connects(bed)) and bed.ask().text == "sheep v1\n"


def connects(bed):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", bed.port), timeout=20).close()
        return True
    return False


def test_a_service_that_prints_without_end_does_not_fill_the_disk(bed_of):
    bed = bed_of()
    sheep = (EXAMPLES / "python/sheep.py").read_text()
    bed.install("v1", text="import sys\nfor _ in range(70): sys.stderr.write('x' * 1_000_000)\n" + sheep)
    bed.make_current("v1")
    assert bed.drive("ensure").wait(30) == 0
    holder, log = bed.status()["pid"], bed.prefix / "shared/log/hold.log"
    assert eventually(lambda: "event=hold.log-cut" in log.read_text()[-2000:])
    assert log.stat().st_size < 2_000_000 and eventually(lambda: bed.ask().text == "sheep v1\n")
    os.kill(holder, signal.SIGTERM)
    assert eventually(lambda: not os.path.exists(f"/proc/{holder}"))


def test_ready_is_believed_of_the_service_only(bed_of):
    bed = installed(bed_of(ready_timeout="3s"), EXAMPLES / "python/sheep.py")
    bed.install("v9", text="import os, time\n"
                           f"open({str(bed.folder / 'name')!r}, 'w').write(os.environ['NOTIFY_SOCKET'])\n"
                           "time.sleep(1000)")
    bed.start()
    assert eventually(lambda: bed.answers() == "service"), bed.said()
    caller = bed.drive("restart", "v9")
    assert eventually((bed.folder / "name").exists) and eventually((bed.folder / "name").read_text)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"READY=1", "\0" + (bed.folder / "name").read_text()[1:])
    _, err = caller.communicate(timeout=60)
    assert caller.returncode == 4 and "did not say READY=1" in err
    assert "event=hold.stranger" in bed.said() and bed.ask().text == "sheep v1\n"


# -- what ends by itself -------------------------------------------------------------------------------------------

def test_a_service_that_is_killed_comes_back_and_nobody_is_refused(bed):
    before = bed.status()["service"]["pid"]
    os.kill(before, signal.SIGKILL)
    assert bed.ask().text == "sheep v1\n"  # waited at the socket
    assert eventually(lambda: bed.answers() == "service")
    assert bed.status()["service"]["pid"] != before


def test_a_service_that_always_ends_leaves_the_answers_to_the_responder(bed_of):
    bed = bed_of()
    bed.install("v1", text="raise SystemExit(1)")
    bed.install("v2", EXAMPLES / "python/sheep.py")
    bed.make_current("v1")
    bed.start(wait=False)
    assert eventually(lambda: bed.answers() == "responder"), bed.said()
    answer = bed.ask()
    assert answer.status == 503 and 30 <= int(answer.getheader("Retry-After")) <= 36
    # It is no maintenance: whoever looks can tell.
    assert answer.getheader("X-Weave-Maintenance") is None
    assert bed.ask(path="/health").getheader("X-Drover-Maintenance") is None
    assert eventually(lambda: bed.said().count("event=hold.started product=web kind=service") == 5)
    time.sleep(2)
    assert bed.said().count("event=hold.started product=web kind=service") == 5  # no more of them in this minute
    bed.handover("v2")
    assert bed.ask().text == "sheep v2\n"


def test_a_responder_that_is_killed_comes_back(bed):
    bed.call(do="stop-service")
    responder = bed.status()["children"][0]["pid"]
    os.kill(responder, signal.SIGKILL)
    assert bed.ask().status == 503
    assert bed.status()["children"][0]["pid"] != responder


# -- who is killed, and when ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("after_ms", [0, 5, 20, 60, 150, 400])
def test_whoever_ordered_a_handover_may_be_killed_at_any_time(bed, after_ms):
    with Client(bed) as client:
        caller = bed.drive("restart", "v2")
        time.sleep(after_ms / 1000)
        caller.kill()
        caller.communicate()
        # It either never was asked, or goes on to its end.
        assert eventually(lambda: bed.status()["doing"] is None)
        assert bed.status()["answers"] == "service"
        assert eventually(lambda: bed.call(do="handover", version="v2") is not None)
    assert client.wrong == [] and bed.ask().text == "sheep v2\n"


@pytest.mark.parametrize("after_ms", [0, 10, 30, 100, 250, 600])
def test_a_holder_may_be_killed_at_any_time_and_the_next_one_goes_on(bed, after_ms):
    with Client(bed) as client:
        caller = bed.drive("call", '{"do": "handover", "version": "v2"}')
        time.sleep(after_ms / 1000)
        bed.holder.kill()
        bed.holder.wait()
        caller.communicate(timeout=60)
        bed.start()
        assert eventually(lambda: bed.answers() == "service"), bed.said()
        bed.handover("v2")
        assert eventually(lambda: len(bed.status()["children"]) == 1), bed.status()
    assert client.wrong == [] and bed.ask().text == "sheep v2\n"


def test_a_renewed_holder_keeps_its_process_and_its_services(bed):
    before = bed.status()
    bed.configure(drain_timeout="7s")
    with Client(bed, r"sheep v1\n") as client:
        bed.holder.send_signal(signal.SIGHUP)
        assert eventually(lambda: bed.said().count("event=hold.begin") == 2)
        assert eventually(lambda: bed.answers() == "service"), bed.said()
    after = bed.status()
    assert after["pid"] == before["pid"] == bed.holder.pid and client.wrong == []
    assert after["service"]["pid"] == before["service"]["pid"]
    bed.handover("v2")


def test_one_holder_at_a_time(bed):
    second = bed.drive("hold")
    _, err = second.communicate(timeout=30)
    assert second.returncode == 6 and "hold" in err
    assert bed.ask().text == "sheep v1\n"


def test_ensure_starts_a_holder_that_outlives_who_asked(bed_of):
    bed = installed(bed_of(), EXAMPLES / "python/sheep.py")
    for _ in range(2):
        starter = bed.drive("ensure")
        assert starter.wait(30) == 0, starter.stderr.read()
    holder = bed.status()["pid"]
    assert eventually(lambda: bed.ask().text == "sheep v1\n")
    os.kill(holder, signal.SIGTERM)
    assert eventually(lambda: not os.path.exists(f"/proc/{holder}"))
    assert "event=hold.begin" in (bed.prefix / "shared/log/hold.log").read_text()
    with pytest.raises(ConnectionRefusedError):
        bed.ask()


# -- maintenance ---------------------------------------------------------------------------------------------------

def later(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


@pytest.fixture
def closed(bed):
    """In maintenance for 1,000 s."""
    assert bed.call(do="maintenance", on=True, reason="new disks & <cables>", until=later(1000)) is not None, bed.error
    return bed


def test_maintenance_answers_header_by_header(closed):
    answer = closed.ask()
    seconds = int(answer.getheader("Retry-After"))
    assert answer.status == 503 and 990 <= seconds <= 1200
    assert sorted(answer.getheaders()) == sorted([
        ("Retry-After", str(seconds)), ("X-Weave-Backoff", str(seconds)), ("X-Weave-Maintenance", "1"),
        ("Cache-Control", "no-store"), ("Connection", "close"), ("Vary", "Accept"), ("X-Content-Type-Options", "nosniff"),
        ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(answer.text.encode())))])
    assert answer.text.startswith("This service is in maintenance.") and "new disks & <cables>" in answer.text
    health = closed.ask(path="/health")
    assert health.status == 503 and health.getheader("X-Drover-Maintenance") == "1"
    head = closed.ask(method="HEAD")
    assert head.status == 503 and head.text == "" and int(head.getheader("Content-Length")) > 0


def test_browsers_get_a_page_and_programs_json(closed):
    page = closed.ask(headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.getheader("Content-Type") == "text/html; charset=utf-8"
    assert "Back soon" in page.text and "new disks &amp; &lt;cables&gt;" in page.text
    found = closed.ask(headers={"Accept": "application/json"})
    said = json.loads(found.text)
    assert said["error"]["code"] == "maintenance" and said["reason"] == "new disks & <cables>"
    assert said["retry_after_s"] == int(found.getheader("Retry-After"))


def test_names_of_headers_and_the_page_are_the_products(bed_of, tmp_path):
    (tmp_path / "page.html").write_text("<p>Gone fishing</p>")
    bed = installed(bed_of(retry_header="Try-Later", backoff_header="X-Slow", maintenance_header="X-Closed",
                           health_path="/up", page=tmp_path / "page.html"), EXAMPLES / "python/sheep.py")
    bed.start()
    bed.call(do="maintenance", on=True, reason="fish", until=later(10))
    answer = bed.ask(path="/up?deep=1", headers={"Accept": "text/html"})
    names = {name for name, _ in answer.getheaders()}
    assert {"Try-Later", "X-Slow", "X-Closed", "X-Drover-Maintenance"} <= names and "Retry-After" not in names
    assert answer.text == "<p>Gone fishing</p>"


def test_a_thousand_clients_at_once_are_told_to_come_back_at_different_times(closed):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    lines = [socket.create_connection(("127.0.0.1", closed.port), timeout=60) for _ in range(1200)]
    for line in lines:
        line.sendall(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
    seconds = []
    for line in lines:
        heard = b""
        while piece := line.recv(65536):
            heard += piece
        assert heard.startswith(b"HTTP/1.1 503 ")
        seconds.append(int(re.search(rb"Retry-After: (\d+)", heard).group(1)))
        line.close()
    # 1,000 s are left, less what this took, and 0 to 20 % more: as many answers in each fifth of that.
    assert min(seconds) >= 900 and max(seconds) <= 1200 and max(seconds) - min(seconds) > 180
    begin = min(seconds)
    fifths = [sum(1 for each in seconds if begin + 40 * i <= each < begin + 40 * (i + 1)) for i in range(5)]
    assert min(fifths) > 140, fifths


@pytest.mark.parametrize("how", ["length", "chunks", "whole before it reads"])
def test_a_body_is_drained_so_that_the_answer_is_seen(closed, how):
    body = b"x" * 1_000_000
    if how == "whole before it reads":
        with socket.create_connection(("127.0.0.1", closed.port), timeout=60) as line:
            line.sendall(b"POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 1000000\r\n\r\n")
            time.sleep(0.5)  # the answer is there long before the body
            line.sendall(body)
            heard = b""
            while piece := line.recv(65536):
                heard += piece
        assert heard.startswith(b"HTTP/1.1 503 ")
        return
    sent = body if how == "length" else iter([body[:1000]] * 1000)
    headers = {} if how == "length" else {"Transfer-Encoding": "chunked"}
    assert closed.ask("POST", "/", sent, headers).status == 503


def test_a_hundred_big_bodies_at_once_get_their_answers(closed):
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: closed.ask("POST", "/", b"x" * 1_000_000, timeout=120).status, range(100)))
    assert answers == [503] * 100


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 3 + b"\n\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                  b"\n\n", b"GET / HTTP/1.1\nHost: x\n\n", b"A" * 20000, b"GET /\0/ HTTP/1.1\r\n\r\n"])
def test_whatever_a_client_sends_it_is_answered(closed, data):
    with socket.create_connection(("127.0.0.1", closed.port), timeout=30) as line:
        line.sendall(data)
        assert line.recv(65536).startswith(b"HTTP/1.1 503 ")


def test_clients_that_send_nothing_are_let_go(closed):
    with socket.create_connection(("127.0.0.1", closed.port), timeout=40) as line:
        line.sendall(b"GET / HT")
        assert line.recv(100) == b""
    with socket.create_connection(("127.0.0.1", closed.port), timeout=40) as line:
        line.sendall(b"GET / HTTP/1.1\r\n\r\n")
        while line.recv(65536):
            pass
        # The answer is whole, and the other half stays open for a while; then that ends too.
        assert eventually(lambda: not still_open(closed, line)), "it lingers for ever"


def still_open(bed, line):
    port = line.getsockname()[1]
    with open("/proc/net/tcp", encoding="ascii") as table:
        ours = [row.split() for row in table]
    server, client = f":{bed.port:04X}", f":{port:04X}"
    # What nobody has open any more has no inode; the kernel keeps its end for a while.
    return any(row[1].endswith(server) and row[2].endswith(client) and row[9] != "0" for row in ours[1:])


def test_maintenance_is_a_file_that_survives_everybody(closed):
    closed.holder.kill()
    closed.holder.wait()
    state = json.loads((closed.prefix / ".drover/maintenance").read_text())
    assert state["reason"] == "new disks & <cables>"
    assert closed.ask().status == 503  # the responder goes on by itself
    closed.start()
    assert closed.answers() == "responder" and closed.ask().status == 503
    assert closed.status()["maintenance"]["on"] is True
    assert closed.call(do="maintenance", on=False)["answers"] == "service"
    assert closed.ask().text == "sheep v1\n" and not (closed.prefix / ".drover/maintenance").exists()


def test_between_service_and_maintenance_nobody_is_refused(bed):
    with Client(bed, r"sheep v\d\n|This service (is in maintenance|cannot answer)(.|\n)*") as client:
        for number in range(3):
            status = bed.call(do="maintenance", on=True, reason="again", until=None)
            assert [each["kind"] for each in status["children"]] == ["responder"]
            assert bed.call(do="maintenance", on=False)["answers"] == "service"
    assert client.wrong == [] and client.count > 0


def test_a_new_release_that_gets_ready_ends_the_maintenance(closed):
    closed.handover("v2")
    assert closed.ask().text == "sheep v2\n"
    assert closed.status()["maintenance"]["on"] is False


def test_a_new_release_that_does_not_get_ready_leaves_the_maintenance_on(bed_of):
    bed = installed(bed_of(ready_timeout="1s"), EXAMPLES / "python/sheep.py")
    bed.install("v9", text="import time; time.sleep(1000)")
    bed.start()
    bed.call(do="maintenance", on=True, reason="try", until=later(60))
    assert bed.call(do="handover", version="v9") is None and "the responder answers" in bed.error
    assert bed.status()["maintenance"]["on"] is True and bed.ask().status == 503


def test_new_words_of_a_maintenance_are_said_at_once(closed):
    closed.call(do="maintenance", on=True, reason="takes longer", until=later(5000))
    assert eventually(lambda: "takes longer" in closed.ask().text)
    assert int(closed.ask().getheader("Retry-After")) > 4900


# -- the control socket --------------------------------------------------------------------------------------------

def test_the_control_socket_is_its_owners_alone_and_takes_anything(bed):
    path = bed.prefix / ".drover/hold.sock"
    assert path.stat().st_mode & 0o777 == 0o600

    def say(data):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(20)
            line.connect(str(path))
            with contextlib.suppress(BrokenPipeError):
                line.sendall(data)
            heard = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := line.recv(65536):
                    heard += piece
            return heard

    for data in [b"\n", b"[]\n", b"{\n", b'{"do": "handover", "version": "../../etc"}\n', b"\xff\xfe\n", b'{"do": 7}\n',
                 b'{"do": "maintenance", "on": true, "reason": "r", "until": "soon"}\n']:
        assert json.loads(say(data))["error"]["code"] == "input", data
    assert b"too-large" in say(b"x" * 70000)
    assert json.loads(say(b'{"do": "handover", "version": "v77"}\n'))["error"]["code"] == "not-found"
    silent = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    for line in silent:
        line.connect(str(path))
    assert eventually(lambda: bed.status() is not None, 30)  # the silent are let go
    for line in silent:
        line.close()
    assert bed.ask().text == "sheep v1\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_services_run_as_their_user_and_the_responder_is_nobody(bed_of, tmp_path):
    for folder in [tmp_path, *tmp_path.parents[:-1]]:
        if folder.stat().st_uid == 0:
            folder.chmod(folder.stat().st_mode | 0o055)
    bed = installed(bed_of(user="daemon", group="games"), EXAMPLES / "python/sheep.py")
    bed.start()
    assert eventually(lambda: bed.answers() == "service"), bed.said()
    status = open(f"/proc/{bed.status()['service']['pid']}/status").read()
    assert re.search(r"Uid:\t1\t1\t1\t1\nGid:\t60\t60\t60\t60", status)
    bed.call(do="stop-service")
    responder = bed.status()["children"][0]["pid"]
    assert re.search(r"Uid:\t1\t1", open(f"/proc/{responder}/status").read())


# -- the page about it ---------------------------------------------------------------------------------------------

def test_the_page_shows_what_the_examples_say():
    page = (ROOT / "docs/maintenance.md").read_text()
    told = re.findall(r"^```(python|js|c)\n(.*?)^```", page, re.M | re.S)
    files = {"python": "python/sheep.py", "js": "node/sheep.js", "c": "c/sheep.c"}
    assert {language for language, _ in told} == set(files)

    def without_indent(text):
        return [line.strip() for line in text.strip().splitlines()]

    for language, text in told:
        lines, wanted = without_indent((EXAMPLES / files[language]).read_text()), without_indent(text)
        assert any(lines[i:i + len(wanted)] == wanted for i in range(len(lines))), text


# -- where the sockets are kept ------------------------------------------------------------------------------------

def test_systemd_keeps_the_sockets_and_gives_them_back(bed_of):
    bed = installed(bed_of(), EXAMPLES / "python/sheep.py")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(bed.folder / "notify"))
        manager.settimeout(30)
        os.environ["NOTIFY_SOCKET"] = str(bed.folder / "notify")
        try:
            bed.start()
        finally:
            del os.environ["NOTIFY_SOCKET"]
        text, kept, _, _ = socket.recv_fds(manager, 4096, 4)
        assert text == b"FDSTORE=1\nFDNAME=listen0" and len(kept) == 1
        assert manager.recv(4096) == b"READY=1"
    assert eventually(lambda: bed.answers() == "service")
    # Everybody dies at once, and who comes then waits at the socket.
    everybody = [bed.holder.pid, bed.status()["service"]["pid"]]
    for process in everybody:
        os.kill(process, signal.SIGKILL)
    bed.holder.wait()
    assert eventually(lambda: not os.path.exists(f"/proc/{everybody[1]}") or
                      ") Z" in open(f"/proc/{everybody[1]}/stat").read())
    with socket.create_connection(("127.0.0.1", bed.port), timeout=60) as line:
        line.sendall(b"GET / HTTP/1.0\r\n\r\n")
        bed.holder = subprocess.Popen(
            ["/bin/bash", "-c", f'exec 3<&{kept[0]}; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"', "bash", DRIVER, "hold", "web",
             "--config", bed.config], stderr=bed.log, pass_fds=kept)
        os.close(kept[0])
        assert line.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert "hold.not-taken" not in bed.said()


def test_what_does_not_give_the_socket_back_is_ended_first(bed_of):
    sheep = (EXAMPLES / "python/sheep.py").read_text()
    bed = installed(bed_of(), EXAMPLES / "python/sheep.py")
    bed.install("v9", text=sheep.replace("fileno=3)", "fileno=__import__('fcntl').fcntl(3, 0, 100))\n        os.close(3)"))
    bed.make_current("v9")
    bed.start()
    assert eventually(lambda: bed.answers() == "service"), bed.said()
    before = bed.status()["service"]["pid"]
    bed.holder.kill()
    bed.holder.wait()
    bed.start()
    assert eventually(lambda: bed.answers() == "service"), bed.said()
    assert "hold.not-taken" in bed.said() and bed.status()["service"]["pid"] != before
    assert bed.ask().text == "sheep v9\n"


# -- limits --------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def many_files(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        pytest.skip(f"this host lets a process open {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield


def test_a_body_without_end_is_cut_at_the_limit(closed):
    with socket.create_connection(("127.0.0.1", closed.port), timeout=60) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 1000000000\r\n\r\n")
        sent = 0
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            while sent < 200_000_000:
                line.sendall(b"x" * 1_000_000)
                sent += 1_000_000
    assert 64_000_000 <= sent <= 90_000_000  # and what the kernel's buffers take


def test_answered_clients_that_stay_do_not_keep_others_out(closed):
    with many_files(9000):
        staying = [socket.create_connection(("127.0.0.1", closed.port), timeout=60) for _ in range(3000)]
        for line in staying:
            line.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")
        responder = closed.status()["children"][0]["pid"]

        def stay():
            for line in staying:  # never idle
                with contextlib.suppress(OSError):
                    line.send(b"x")
            return len(os.listdir(f"/proc/{responder}/fd"))

        assert eventually(lambda: stay() < 2200)  # it would be a minute
        for line in staying:
            line.close()


def test_more_clients_than_the_responder_takes_wait_and_are_answered(closed):
    with many_files(9000):
        silent = [socket.create_connection(("127.0.0.1", closed.port), timeout=60) for _ in range(4096)]
        with socket.create_connection(("127.0.0.1", closed.port), timeout=60) as waiting:
            waiting.sendall(b"GET / HTTP/1.0\r\n\r\n")
            for line in silent:
                line.close()
            assert waiting.recv(100).startswith(b"HTTP/1.1 503 ")
