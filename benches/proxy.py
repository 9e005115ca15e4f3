#!/usr/bin/env python3
"""Measure throughput, memory and CPU time of `heartbeat-gateway proxy`, compared with nginx.

Needs nginx and curl. docs/proxy.md has the results:

    cargo build --release -p heartbeat-gateway
    benches/proxy.py target/release/heartbeat-gateway
"""

import argparse
import asyncio
import os
import signal
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from servers import Server, free_port, nginx

EVENT = b"data: " + b"x" * 92 + b"\n\n"  # 100 bytes
CHUNK = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)

PROXY = """
location / {{
  proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1;
  proxy_set_header Connection ""; {directives}
}}
"""
# nginx buffers downloads in memory, not in a file, and does not buffer events.
NGINX_FOR_FILES = "proxy_max_temp_file_size 0;"
NGINX_FOR_EVENTS = "proxy_buffering off;"


class Proxies:
    """heartbeat-gateway or nginx in front of the same upstream. One runs at a time."""

    def __init__(self, gateway, directory):
        self.gateway = gateway
        self.directory = directory

    def nginx(self, upstream, directives, server=""):
        server += PROXY.format(upstream=upstream, directives=directives)
        return nginx(self.directory, "proxy", os.cpu_count(), server)

    def heartbeat_gateway(self, upstream, *arguments):
        port = free_port()
        command = [self.gateway, "proxy", "--upstream", f"http://127.0.0.1:{upstream}"]
        return Server([*command, "--listen", f"127.0.0.1:{port}", *arguments], port)


def fetch(port, path="/"):
    command = ["curl", "-sS", "-o", "/dev/null", "-w", "%{size_download} %{time_total}"]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True)
    size, seconds = done.stdout.split()
    return int(size), float(seconds)


def measure_downloads(proxies, gigabytes, rounds):
    root = Path(proxies.directory, "root")
    root.mkdir()
    for name, size in [("large", gigabytes), ("small", 2)]:
        with open(root / name, "wb") as file:
            file.truncate(size * 10**9)
    origin = nginx(proxies.directory, "origin", 1, f"root {root};")

    proxy = proxies.heartbeat_gateway(origin.port)
    size, seconds = fetch(proxy.port, "/large")
    assert size == gigabytes * 10**9, size
    print(f"{gigabytes} GB through heartbeat-gateway: {seconds:.1f} s, peak {proxy.memory('VmHWM'):.1f} MB of memory")
    proxy.stop()

    print("\n2 GB over HTTP/1.1, in turn; MB/s, and seconds of the proxy's CPU per GB:")
    fetch(origin.port, "/small")  # fills the page cache
    for _ in range(rounds):
        line = []
        for name, start in [
            ("none", None),
            ("nginx", lambda: proxies.nginx(origin.port, NGINX_FOR_FILES)),
            ("heartbeat", lambda: proxies.heartbeat_gateway(origin.port)),
        ]:
            proxy = start() if start else None
            before = proxy.cpu() if proxy else 0
            size, seconds = fetch(proxy.port if proxy else origin.port, "/small")
            assert size == 2 * 10**9, size
            text = f"{name} {size / 1e6 / seconds:.0f}"
            if proxy:
                text += f" ({(proxy.cpu() - before) / (size / 1e9):.2f})"
                proxy.stop()
            line.append(text)
        print("  " + "; ".join(line), flush=True)
    origin.stop()


class Upstream:
    """Streams an event every `every` seconds, as fast as possible if it is 0, or a single event if it is None.

    Writes `at_once` events each time.
    """

    def __init__(self, every, at_once=1):
        self.every = every
        self.chunks = CHUNK * at_once

    async def start(self):
        self.server = await asyncio.start_server(self.stream, "127.0.0.1", 0, backlog=4096)
        return self.server.sockets[0].getsockname()[1]

    async def stream(self, reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + CHUNK)
            while self.every is None:  # no second event
                await asyncio.sleep(3600)
            start, number = time.monotonic(), 0
            while True:
                number += 1
                await asyncio.sleep(max(0, start + number * self.every - time.monotonic()))
                writer.write(self.chunks)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass


class Reader(asyncio.Protocol):
    """A client that counts the events and the heartbeats that it reads."""

    def __init__(self, totals):
        self.totals = totals
        self.heartbeats = 0

    def connection_made(self, transport):
        transport.write(b"GET / HTTP/1.1\r\nhost: here\r\naccept: text/event-stream\r\n\r\n")

    def data_received(self, data):
        self.totals["bytes"] += len(data)
        self.totals["events"] += data.count(b"data: ")
        heartbeats = data.count(b"\n:\n") + data.startswith(b":\n")
        self.totals["heartbeats"] += heartbeats
        if heartbeats and not self.heartbeats:
            self.totals["streams with heartbeats"] += 1
        self.heartbeats += heartbeats


def totals():
    return dict.fromkeys(["bytes", "events", "heartbeats", "streams with heartbeats"], 0)


async def connect(port, count, received):
    loop = asyncio.get_running_loop()
    transports = []
    for first in range(0, count, 100):
        some = range(first, min(first + 100, count))
        made = [loop.create_connection(lambda: Reader(received), "127.0.0.1", port) for _ in some]
        transports += [transport for transport, _ in await asyncio.gather(*made)]
    return transports


def start_upstream(upstream):
    """Start an upstream in its own process, so that the clients do not slow it down."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        async def serve():
            port = await upstream.start()
            os.write(writing, b"%d\n" % port)
            await asyncio.sleep(3600)

        asyncio.run(serve())
        os._exit(0)
    with os.fdopen(reading) as pipe:
        return pid, int(pipe.readline())


async def measure_quiet_streams(proxies, upstream, count, interval, seconds):
    proxy = proxies.heartbeat_gateway(upstream, "--interval", f"{interval}s")
    empty = proxy.memory("VmRSS")
    received = totals()
    transports = await connect(proxy.port, count, received)
    await asyncio.sleep(2)
    before, cpu, since = received["heartbeats"], proxy.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    heartbeats = received["heartbeats"] - before
    cpu, passed = proxy.cpu() - cpu, time.monotonic() - since
    full = proxy.memory("VmRSS")
    print(f"\n{count} quiet streams, a heartbeat every {interval} s, for {passed:.0f} s:")
    print(f"  events {received['events']}, heartbeats {heartbeats}, on {received['streams with heartbeats']} streams")
    per_stream = (full - empty) * 1000 / count
    print(f"  memory {empty:.1f} MB without streams, {full:.1f} MB with streams: {per_stream:.0f} kB each")
    print(f"  CPU {cpu / passed * 100:.1f} % of a core, {cpu / heartbeats * 1e6:.0f} us per heartbeat")
    for transport in transports:
        transport.abort()
    proxy.stop()


async def measure_busy_streams(proxies, upstream, count, pace, seconds, rounds):
    print(f"\nEvents of {len(EVENT)} bytes on {count} streams, {pace}, in turn; CPU is the proxy's, per event:")
    for _ in range(rounds):
        line = []
        for name, start in [
            ("none", None),
            ("nginx", lambda: proxies.nginx(upstream, NGINX_FOR_EVENTS)),
            ("heartbeat", lambda: proxies.heartbeat_gateway(upstream)),
        ]:
            proxy = start() if start else None
            received = totals()
            transports = await connect(proxy.port if proxy else upstream, count, received)
            await asyncio.sleep(1)
            before, since = received["events"], time.monotonic()
            cpu = proxy.cpu() if proxy else 0
            await asyncio.sleep(seconds)
            events, passed = received["events"] - before, time.monotonic() - since
            text = f"{name} {events / passed:.0f}/s"
            if proxy:
                text += f" ({(proxy.cpu() - cpu) / events * 1e6:.1f} us)"
            line.append(text)
            for transport in transports:
                transport.abort()
            if proxy:
                proxy.stop()
            await asyncio.sleep(0.2)
        print("  " + "; ".join(line), flush=True)


class Silent(asyncio.Protocol):
    """A client that reads nothing."""

    def __init__(self, request):
        self.request = request

    def connection_made(self, transport):
        transport.pause_reading()
        transport.write(self.request)


def http2_frame(kind, flags, stream, payload):
    return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream) + payload


# The static table of HPACK has GET, http and /.
HTTP2_REQUEST = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    + http2_frame(4, 0, 0, struct.pack(">HI", 4, 0))  # SETTINGS_INITIAL_WINDOW_SIZE
    + http2_frame(1, 0x5, 1, b"\x82\x86\x84\x41\x04here")  # HEADERS, with END_HEADERS and END_STREAM
)
HTTP1_REQUEST = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


async def memory_of_connections(proxy, port, count, request):
    """Memory of the proxy per connection, in kB, once it no longer grows."""
    await asyncio.sleep(1)  # nginx listens before it starts its workers
    empty = proxy.memory("VmRSS")
    loop = asyncio.get_running_loop()
    transports = []
    for _ in range(count):
        transport, _ = await loop.create_connection(lambda: Silent(request), "127.0.0.1", port)
        transports.append(transport)
    before, full = 0, empty
    while full > before * 1.01:
        await asyncio.sleep(3)
        before, full = full, proxy.memory("VmRSS")
    for transport in transports:
        transport.abort()
    proxy.stop()
    return (full - empty) * 1000 / count


async def measure_unread_connections(proxies, upstream, count):
    print(f"\nMemory of {count} connections whose clients read nothing, per connection:")
    for name, request, is_http2 in [
        ("without a request", b"", False),
        ("HTTP/1.1, an endless stream", HTTP1_REQUEST, False),
        ("HTTP/2, a window of 0, an endless stream", HTTP2_REQUEST, True),
    ]:
        http2 = free_port()
        proxy = proxies.nginx(upstream, NGINX_FOR_EVENTS, f"listen 127.0.0.1:{http2} http2;")
        of_nginx = await memory_of_connections(proxy, http2 if is_http2 else proxy.port, count, request)
        proxy = proxies.heartbeat_gateway(upstream)
        own = await memory_of_connections(proxy, proxy.port, count, request)
        print(f"  {name}: nginx {of_nginx:.1f} kB; heartbeat {own:.1f} kB", flush=True)


def with_upstream(upstream, measure):
    """Run `measure` with an upstream in its own process."""
    pid, port = start_upstream(upstream)
    try:
        asyncio.run(measure(port))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gateway", help="path of heartbeat-gateway, built with --release")
    parser.add_argument("--gigabytes", type=int, default=10)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["downloads", "quiet", "busy", "unread"], help="measure this alone")
    arguments = parser.parse_args()
    streams, rounds = arguments.streams, arguments.rounds
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)  # nginx's workers run as another user
        proxies = Proxies(os.path.abspath(arguments.gateway), directory)
        if arguments.only in (None, "downloads"):
            measure_downloads(proxies, arguments.gigabytes, rounds)
        if arguments.only in (None, "quiet"):
            with_upstream(Upstream(None), lambda port: measure_quiet_streams(proxies, port, streams, 1, 10))
        if arguments.only in (None, "busy"):
            for every, count, pace in [(0.02, 200, "50 a second each"), (0, 50, "as fast as possible")]:
                with_upstream(
                    Upstream(every), lambda port: measure_busy_streams(proxies, port, count, pace, 3, rounds)
                )
        if arguments.only in (None, "unread"):
            with_upstream(Upstream(0, at_once=100), lambda port: measure_unread_connections(proxies, port, 500))


if __name__ == "__main__":
    main()
