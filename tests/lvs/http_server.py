# SPDX-License-Identifier: ISC
"""Answers every request on every connection with its name: http_server.py NAME [BEHAVIOUR [PORT]]

Other behaviours: a status (301, 503), "maintenance" (503 that says so), "silent" (takes requests, answers nothing),
"close" (accepts and closes).
"""
import asyncio
import sys

NAME = sys.argv[1]
BEHAVIOUR = sys.argv[2] if len(sys.argv) > 2 else "200"
PORT = int(sys.argv[3]) if len(sys.argv) > 3 else 80
STATUS = int(BEHAVIOUR) if BEHAVIOUR.isdigit() else 503
EXTRA = b"X-Drover-Maintenance: yes\r\n" if BEHAVIOUR == "maintenance" else b""


async def serve(reader, writer):
    try:
        while BEHAVIOUR != "close":
            await reader.readuntil(b"\r\n\r\n")
            if BEHAVIOUR == "silent":
                continue
            body = NAME.encode() + b"\n"
            writer.write(b"HTTP/1.1 %d So\r\n%sContent-Length: %d\r\n\r\n%s" % (STATUS, EXTRA, len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(serve, ["0.0.0.0", "::"], PORT)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
