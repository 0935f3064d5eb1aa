#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A web service that can take no socket and says nothing: it listens at the port it is given, as most do. Behind the
forwarder (readiness = forward) it can be updated without losing a request all the same."""
import http.server
import os

VERSION = os.environ.get("DROVER_VERSION", "unknown")


class Plain(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"sheep {VERSION}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["DROVER_PORT"])), Plain).serve_forever()
