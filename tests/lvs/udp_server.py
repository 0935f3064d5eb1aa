# SPDX-License-Identifier: ISC
"""Answers every datagram to ADDRESS PORT with NAME."""
import socket
import sys

address, port, name = sys.argv[1:]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind((address, int(port)))
    while True:
        server.sendto(name.encode(), server.recvfrom(100)[1])
