# SPDX-License-Identifier: ISC
"""A node whose droverd and whose repository are behind TLS, with certificates that sign themselves, by the openssl command."""
import functools
import http.server
import ssl
import subprocess
import threading

import pytest

import beds
from server import eventually
from test_node_run import SERVICE, Bed

pytestmark = pytest.mark.slow

UNAVAILABLE = 8


def certificate(folder):
    """Of 127.0.0.1, which vouches for itself; its key lies beside."""
    folder.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem",
         "-out", folder / "cert.pem"], check=True, capture_output=True)
    return folder / "cert.pem"


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


class Behind(Bed):
    """droverd's certificate is `ours`, the repository's `theirs`; `stranger` vouches for neither."""

    def __init__(self, folder):
        self.ours, self.theirs, self.stranger = (certificate(folder / name) for name in ("ours", "theirs", "stranger"))
        self.source = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Files, directory=str(folder / "releases/repository")))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.theirs, self.theirs.parent / "key.pem")
        self.source.socket = context.wrap_socket(self.source.socket, server_side=True)
        threading.Thread(target=self.source.serve_forever, daemon=True).start()
        super().__init__(folder)

    def start_droverd(self):
        beds.configure(self.drover, f"[admin]\ncertificate = {self.ours}\nkey = {self.ours.parent}/key.pem\n")
        super().start_droverd()

    def configure(self, more, droverds=None, sources=None):
        """`droverds`, `sources`: who is to vouch for their certificates."""
        self.conf.write_text(
            f"[node]\nserver = https://127.0.0.1:{self.port}\nca-file = {droverds or self.ours}\nstate = {self.folder}/state-of-node\n"
            f"[web]\nprefix = {self.prefix}\nsources = https://127.0.0.1:{self.source.server_port}\nca-file = {sources or self.theirs}\n"
            f"keys = {self.repository.folder}/keys\n{more}")

    def api(self, method, path, body=None, status=200):
        client = beds.Client(self.port, self.token, context=ssl.create_default_context(cafile=self.ours))
        answer = client(method, path, body)
        assert answer.status == status, (method, path, answer.text)
        return answer.json

    def close(self):
        super().close()
        self.source.shutdown()
        self.source.server_close()


@pytest.fixture
def bed(tmp_path):
    made = Behind(tmp_path)
    yield made
    made.close()


def test_a_node_believes_the_authorities_that_it_was_told_and_no_others(bed):
    bed.release("1.0.0", 1)
    bed.channel_says("1.0.0")
    bed.api("POST", "/nodes", {"name": "web1", "products": [{"product": "web", "channel": "production"}]})
    code = bed.api("POST", "/hosts", {"name": "web1", "kind": "node"})["code"]

    bed.configure(SERVICE, droverds=bed.stranger)
    said = bed.command("enrol", code, exits=UNAVAILABLE)
    assert "certificate" in said and "ca-file" in said
    assert not (bed.folder / "state-of-node/token").exists()
    # The code went to nobody.
    bed.configure(SERVICE)
    assert "enrolled as web1" in bed.command("enrol", code)

    bed.configure(SERVICE, droverds=bed.stranger)
    bed.start()
    assert eventually(lambda: bed.node.said("event=droverd.away")), bed.node.log
    assert "certificate" in bed.node.log and "ca-file" in bed.node.log
    bed.stop()

    bed.configure(SERVICE, sources=bed.stranger)
    said = bed.command("install", exits=UNAVAILABLE)
    assert "certificate" in said and "ca-file" in said
    assert not (bed.prefix / "releases/1.0.0").exists()

    bed.configure(SERVICE)
    bed.start()
    bed.runs("1.0.0")
    bed.is_seen(running="1.0.0", state="good")
    bed.stop()
