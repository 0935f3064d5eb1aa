# SPDX-License-Identifier: ISC
"""The public address as clients see it: files in whole and in parts, conditions, kept connections, crowds and nonsense."""
import contextlib
import email.utils
import os
import random
import re
import resource
import socket
import time

import pytest

from conftest import frozen_environment
from server import Server

TEXT = bytes(range(256)) * 16  # 4,096 bytes, each known by its place
LARGE_BYTES = 6 * 1024 * 1024
WHEN = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT, RFC 9110's example
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
FILE = "/releases/web/1.0/web.zip"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("public")
    releases = folder / "releases"
    inside = releases / "web" / "1.0"
    inside.mkdir(parents=True)
    (inside / "web.zip").write_bytes(TEXT)
    os.utime(inside / "web.zip", (WHEN, WHEN))
    (inside / "notes.json").write_text("{}")
    (inside / "empty").write_bytes(b"")
    (inside / "large").write_bytes(os.urandom(LARGE_BYTES))
    (inside / ".hidden").write_text("secret")
    (releases / ".git").mkdir()
    (releases / ".git" / "config").write_text("secret")
    (folder / "outside").write_text("secret")
    (inside / "link-out").symlink_to(folder / "outside")
    (inside / "link-up").symlink_to("../../../outside")
    (inside / "link-in").symlink_to("web.zip")
    (releases / "folder-out").symlink_to(folder)
    os.mkfifo(inside / "pipe")
    configuration = folder / "drover.conf"
    configuration.write_text(f"[public]\nreleases = {releases}\n")
    server = Server(folder / "state", frozen_environment(folder), "--config", configuration)
    server.releases = releases
    yield server
    server.stop()


def get(place, path=FILE, method="GET", **headers):
    return place.ask(method, path, port=place.public, headers={name.replace("_", "-"): value for name, value in headers.items()})


def heard(line):
    """All until the other end closes."""
    text = b""
    with contextlib.suppress(ConnectionError):
        while piece := line.recv(65536):
            text += piece
    return text


# Files ---------------------------------------------------------------------------------------------------------------

def test_a_file_comes_whole_and_says_what_it_is(place):
    said = get(place)
    assert (said.status, said.body) == (200, TEXT)
    assert said.header("Content-Length") == "4096"
    assert said.header("Content-Type") == "application/octet-stream"
    assert said.header("Last-Modified") == DATE
    assert said.header("Accept-Ranges") == "bytes"
    assert said.header("Cache-Control") == "public, max-age=31536000, immutable"
    assert [value for name, value in said.fields if name == "x-content-type-options"] == ["nosniff"]
    assert re.fullmatch(r'"[0-9a-f-]+"', said.header("ETag"))
    assert email.utils.parsedate_to_datetime(said.header("Date"))
    assert get(place, "/releases/web/1.0/notes.json").header("Content-Type") == "application/json"
    assert get(place, "/releases/web/1.0/empty").body == b""


def test_a_large_file_comes_whole(place):
    assert get(place, "/releases/web/1.0/large").body == (place.releases / "web/1.0/large").read_bytes()


def test_head_of_a_file_is_its_head(place):
    whole, head = get(place), get(place, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert [field for field in head.fields if field[0] != "date"] == [field for field in whole.fields if field[0] != "date"]


def test_a_file_that_is_known_is_not_sent_again(place):
    tag = get(place).header("ETag")
    for headers in [{"If_None_Match": tag}, {"If_None_Match": f'"x", W/{tag}'}, {"If_None_Match": "*"}, {"If_Modified_Since": DATE},
                    {"If_Modified_Since": "Sunday, 06-Nov-94 08:49:37 GMT"}, {"If_Modified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
                    {"If_None_Match": tag, "If_Modified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"}]:
        said = get(place, **headers)
        assert (said.status, said.body) == (304, b""), headers
        assert said.header("ETag") == tag
        assert said.header("Content-Length") is None
    for headers in [{"If_None_Match": '"x"'}, {"If_Modified_Since": "Sun, 06 Nov 1994 08:49:36 GMT"}, {"If_Modified_Since": "yesterday"},
                    {"If_None_Match": '"x"', "If_Modified_Since": DATE}, {"If_Match": tag}]:
        assert get(place, **headers).status == 200, headers
    assert get(place, If_Match='"x"').status == 412


@pytest.mark.parametrize("wanted, first, last", [
    ("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=4000-", 4000, 4095), ("bytes=-96", 4000, 4095),
    ("bytes=-9999", 0, 4095), ("bytes=4000-99999999999999999999", 4000, 4095), ("BYTES=0-1", 0, 1)])
def test_a_range_comes_alone(place, wanted, first, last):
    said = get(place, Range=wanted)
    assert said.status == 206
    assert said.body == TEXT[first:last + 1]
    assert said.header("Content-Range") == f"bytes {first}-{last}/4096"
    assert said.header("Content-Length") == str(last - first + 1)


@pytest.mark.parametrize("wanted", ["bytes=4096-", "bytes=9999-10000", "bytes=-0", "bytes=99999999999999999999-"])
def test_a_range_outside_the_file_is_refused(place, wanted):
    said = get(place, Range=wanted)
    assert said.status == 416
    assert said.header("Content-Range") == "bytes */4096"


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "bytes=5-1", "bytes=-", "bytes=", "bytes", "lines=0-1", "bytes=a-b", "bytes=0x0-1",
                                    "bytes= 0-1", "bytes=0-1 ", "bytes=--1", ""])
def test_what_is_not_one_range_gets_the_whole(place, wanted):
    said = get(place, Range=wanted)
    if wanted == "bytes=0-1 ":  # blanks at the end of a field are none of it
        assert said.status == 206
    else:
        assert (said.status, said.body) == (200, TEXT)


def test_a_range_counts_only_for_the_file_it_was_asked_of(place):
    tag = get(place).header("ETag")
    assert get(place, Range="bytes=0-1", If_Range=tag).status == 206
    assert get(place, Range="bytes=0-1", If_Range=DATE).status == 206
    assert get(place, Range="bytes=0-1", If_Range='"x"').status == 200
    assert get(place, Range="bytes=0-1", If_Range="W/" + tag).status == 200
    assert get(place, Range="bytes=0-1", If_Range="Sun, 06 Nov 1994 08:49:38 GMT").status == 200
    assert get(place, method="HEAD", Range="bytes=0-1").status == 200


@pytest.mark.parametrize("path", ["web/1.0/link-out", "web/1.0/link-up", "folder-out/outside", "web/1.0/.hidden", ".git/config", "web", "web/",
                                  "", "web/1.0/pipe", "web/1.0/none", "web/1.0/web.zip/", "web/1.0/web.zip/x", "web/1.0/" + "a" * 300,
                                  "..%5c..%5coutside", "%2e%67it/config"])
def test_only_files_below_the_folder_are_served(place, path):
    said = get(place, "/releases/" + path)
    assert said.status == 404
    assert b"secret" not in said.body
    assert said.header("Cache-Control") == "no-store"


def test_a_link_that_stays_inside_is_followed(place):
    assert get(place, "/releases/web/1.0/link-in").body == TEXT


@pytest.mark.parametrize("path", ["../outside", "web/../../outside", "web/%2e%2e/%2e%2e/outside", "web%2f1.0/web.zip", "%00", "web//1.0", "."])
def test_paths_that_climb_are_refused(place, path):
    said = place.raw(b"GET /releases/" + path.encode() + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", place.public)
    assert said.startswith(b"HTTP/1.1 400 ") and b"secret" not in said


def test_files_are_only_read(place):
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]:
        said = get(place, method=method)
        assert said.status == 405 and said.header("Allow") == "GET, HEAD"
    assert (place.releases / "web/1.0/web.zip").read_bytes() == TEXT


# Connections ---------------------------------------------------------------------------------------------------------

def request(path, more=b""):
    return b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + more + b"\r\n"


def test_pipelined_requests_are_answered_in_order(place):
    paths = [FILE.encode(), b"/healthz", b"/none", FILE.encode(), b"/healthz"] * 20
    with place.connect(place.public) as line:
        line.sendall(b"".join(map(request, paths)) + request(b"/healthz", b"Connection: close\r\n"))
        text = heard(line)
    found = re.findall(rb"HTTP/1\.1 (\d+) ", text)
    assert found == [{b"/healthz": b"200", b"/none": b"404"}.get(path, b"200") for path in paths] + [b"200"]
    assert text.count(TEXT) == 40


def test_a_client_that_closes_its_half_is_answered(place):
    with place.connect(place.public) as line:
        line.sendall(request(b"/releases/web/1.0/large") + request(b"/healthz"))
        line.shutdown(socket.SHUT_WR)
        text = heard(line)
    assert len(text) > LARGE_BYTES and text.endswith(b"\r\n\r\nok\n")


def test_old_clients_are_answered_and_left(place):
    said = place.raw(b"GET /healthz HTTP/1.0\r\n\r\n", place.public)
    assert said.startswith(b"HTTP/1.1 200 ") and b"\r\nConnection: close\r\n" in said
    with place.connect(place.public) as line:
        for _ in range(3):
            line.sendall(b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert b"\r\nConnection: keep-alive\r\n" in line.recv(65536)


def test_a_body_is_refused_before_it_is_sent(place):
    for more in [b"Content-Length: 5\r\nExpect: 100-continue\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 99999999\r\n"]:
        said = place.raw(request(b"/healthz", more), place.public)
        assert said.startswith(b"HTTP/1.1 413 ")
        assert b"\r\nConnection: close\r\n" in said
        assert said.count(b"HTTP/1.1") == 1
    assert place.raw(request(b"/healthz", b"Content-Length: 0\r\nConnection: close\r\n"), place.public).endswith(b"ok\n")


def test_a_request_that_comes_byte_by_byte_is_answered(place):
    with place.connect(place.public) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request(b"/healthz", b"Connection: close\r\n"):
            line.sendall(bytes([byte]))
        assert heard(line).endswith(b"ok\n")


def test_slow_headers_hold_nobody_up(place):
    with contextlib.ExitStack() as stack:
        for i in range(40):
            slow = stack.enter_context(place.connect(place.public))
            slow.sendall(b"GET /healthz HTTP/1.1\r\nX: "[:2 + i])
        for _ in range(20):
            assert get(place, "/healthz").text == "ok\n"


def test_readers_that_do_not_read_hold_nobody_up(place):
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            greedy = stack.enter_context(place.connect(place.public))
            greedy.sendall(request(b"/releases/web/1.0/large") * 50)
        for _ in range(20):
            assert get(place, "/healthz").text == "ok\n"


def from_address(place, address):
    line = socket.socket()
    line.settimeout(60)
    line.bind((address, 0))
    line.connect(("127.0.0.1", place.public))
    return line


def test_a_thousand_connections_are_kept_and_answered(place):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2048:
        pytest.skip("fewer than 2,048 descriptors are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    try:
        with contextlib.ExitStack() as stack:
            lines = [stack.enter_context(from_address(place, f"127.0.1.{1 + i // 50}")) for i in range(1000)]
            for _ in range(2):
                for line in lines:
                    line.sendall(request(b"/healthz"))
                for line in lines:
                    assert line.recv(65536).endswith(b"ok\n")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_one_address_has_its_share_of_connections(place):
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            line = stack.enter_context(from_address(place, "127.0.2.1"))
            line.sendall(request(b"/healthz"))
            assert line.recv(65536).endswith(b"ok\n")
        one_more = stack.enter_context(from_address(place, "127.0.2.1"))
        assert heard(one_more) == b""
        other = stack.enter_context(from_address(place, "127.0.2.2"))
        other.sendall(request(b"/healthz", b"Connection: close\r\n"))
        assert heard(other).endswith(b"ok\n")


def test_nonsense_is_refused_or_ends(place):
    chance = random.Random(7)
    pieces = [b"GET ", b"/", b" HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n", b"\0", b"\n", b"\xff", b": ", b"HEAD ", b"%", b"?", b"a" * 99,
              b"Content-Length: 3\r\n", b"Range: bytes=0-\r\n", FILE.encode()]
    for _ in range(300):
        with place.connect(place.public) as line, contextlib.suppress(ConnectionError):
            line.sendall(b"".join(chance.choices(pieces, k=chance.randrange(1, 20))))
            line.shutdown(socket.SHUT_WR)
            text = heard(line)
            assert text == b"" or re.match(rb"HTTP/1\.1 [2345]\d\d ", text)
    assert place.raw(b"\x16\x03\x01\x02\x00\x01\x00", place.public).startswith(b"HTTP/1.1 400 ")
    assert get(place, "/healthz").text == "ok\n"


def test_stopping_lets_a_download_finish(place, tmp_path):
    """A server of its own, since it ends."""
    configuration = tmp_path / "drover.conf"
    configuration.write_text(f"[public]\nreleases = {place.releases}\n")
    server = Server(tmp_path / "state", frozen_environment(tmp_path), "--config", configuration)
    quiet = server.connect(server.public)
    line = server.connect(server.public)
    line.sendall(request(b"/releases/web/1.0/large"))
    first = line.recv(1000)
    server.process.terminate()
    assert heard(quiet) == b""  # nothing was asked on it: it is closed at once
    rest = heard(line)
    assert (first + rest).endswith((place.releases / "web/1.0/large").read_bytes()[-1000:])
    line.close()
    quiet.close()
    server.stop()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    configuration = tmp_path / "drover.conf"
    configuration.write_text(f"[public]\nreleases = {tmp_path}/none\n")
    with pytest.raises(AssertionError) as failed:
        Server(tmp_path / "state", frozen_environment(tmp_path), "--config", configuration)
    assert f"[public] releases: open folder {tmp_path}/none: No such file or directory" in str(failed.value)


def test_without_a_folder_nothing_is_published(tmp_path):
    server = Server(tmp_path / "state", frozen_environment(tmp_path))
    began = time.monotonic()
    assert get(server, FILE).status == 404
    assert time.monotonic() - began < 60
    server.stop()
