#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A small web service that can be updated without losing a request. It knows nothing of Drover: any supervisor that
speaks LISTEN_FDS and NOTIFY_SOCKET, as systemd does, can run it.

Three things make the difference: it takes the socket that is there, it says when it is ready, and on SIGTERM it stops
accepting, but finishes what it has begun.
"""
import http.server
import os
import signal
import socket
import threading

VERSION = os.environ.get("DROVER_VERSION", "unknown")


class Sheep(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = f"sheep {VERSION}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        if leaving.is_set():  # looked at once: what is said is done
            # The client's next request is for somebody else.
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class Flock(http.server.ThreadingHTTPServer):
    daemon_threads = False  # server_close() waits for the connections that are open

    def __init__(self):
        super().__init__(("", 0), Sheep, bind_and_activate=False)
        self.socket.close()
        # The listening socket is there already, as descriptor 3, and others may have it at the same time: it must
        # not block, because another one may take the connection that we were told of.
        self.socket = socket.socket(fileno=3)
        self.socket.setblocking(False)

    def get_request(self):
        connection, address = super().get_request()
        connection.setblocking(True)
        return connection, address


def notify(state):
    """What sd_notify(3) does."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)


def leave(*_):
    leaving.set()
    threading.Thread(target=flock.shutdown).start()


leaving = threading.Event()
assert int(os.environ.get("LISTEN_PID", 0)) == os.getpid() and int(os.environ["LISTEN_FDS"]) == 1
flock = Flock()
signal.signal(signal.SIGTERM, leave)
notify("READY=1")
flock.serve_forever(poll_interval=0.05)
flock.server_close()
