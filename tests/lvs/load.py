# SPDX-License-Identifier: ISC
"""Asks ADDRESS PORT for its name, on a new connection each time, until SIGTERM; prints what it saw as JSON."""
import json
import signal
import socket
import sys
import time

going = True


def stop(*_):
    global going
    going = False


def ask(address, port):
    with socket.create_connection((address, port), 20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        return connection.recv(4096).partition(b"\r\n\r\n")[2].decode().strip()


def main():
    signal.signal(signal.SIGTERM, stop)
    requests, servers, errors = 0, {}, []
    while going:
        requests += 1
        try:
            name = ask(sys.argv[1], int(sys.argv[2])) or "nobody"
            servers[name] = servers.get(name, 0) + 1
        except OSError as error:
            errors.append(str(error))
        if requests == 1:
            print("begun", flush=True)
        time.sleep(0.01)
    print(json.dumps({"requests": requests, "failures": len(errors), "servers": servers, "errors": errors[:20]}))


main()
