# SPDX-License-Identifier: ISC
"""Answers every request on every connection with its name: http_server.py NAME [PORT]"""
import asyncio
import sys

NAME, PORT = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 80


async def serve(reader, writer):
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            body = NAME.encode() + b"\n"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, ["0.0.0.0", "::"], PORT)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
