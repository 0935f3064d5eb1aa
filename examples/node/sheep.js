// SPDX-License-Identifier: ISC
//
// A small web service that can be updated without losing a request. It knows nothing of Drover: it listens on the
// socket it was lent (LISTEN_FDS), says READY=1, and on SIGTERM stops accepting, but finishes what it has begun.
// Without LISTEN_FDS it listens at a port of its own ($DROVER_PORT), as it would behind the forwarder.
"use strict";
const {execFileSync} = require("node:child_process");
const http = require("node:http");
const net = require("node:net");

const version = process.env.DROVER_VERSION ?? "unknown";
let leaving = false;

const server = http.createServer((request, response) => {
	if (leaving)
		response.setHeader("Connection", "close"); // the client's next request is for somebody else
	response.setHeader("Content-Type", "text/plain");
	response.end(`sheep ${version}\n`);
});
server.keepAliveTimeout = 60_000;

// Node has no datagram sockets of the UNIX kind; a line of Python speaks for it, or systemd-notify(1) where that is
// installed. Who says it has to be there until it is heard, or nobody knows who it was: hence the barrier.
function notify(state) {
	if (process.env.NOTIFY_SOCKET)
		execFileSync("/usr/bin/python3", ["-c", `
import os, socket, sys
address = os.environ["NOTIFY_SOCKET"]
address = "\\0" + address[1:] if address[0] == "@" else address
line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
line.connect(address)
line.send(sys.argv[1].encode())
heard, barrier = os.pipe()
socket.send_fds(line, [b"BARRIER=1"], [barrier])
os.close(barrier)
os.read(heard, 1)
`, state]);
}

// server.close() of HTTP would also cut connections that wait for their next request, which may be on its way. This
// only stops accepting; who asks once more is told to go, and who does not for a while is let go.
process.on("SIGTERM", () => {
	leaving = true;
	net.Server.prototype.close.call(server, () => process.exit(0));
	setTimeout(() => server.closeIdleConnections(), 2_000);
});

const lent = Number(process.env.LISTEN_PID) === process.pid && process.env.LISTEN_FDS === "1";
server.listen(lent ? {fd: 3} : {host: "127.0.0.1", port: Number(process.env.DROVER_PORT)}, () => notify("READY=1"));
