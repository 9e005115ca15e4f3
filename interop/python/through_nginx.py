"""Streams of our servers, through nginx, to clients that are not ours; with heartbeats and without.

Usage: through_nginx.py FOLDER-OF-PROGRAMS FOLDER-FOR-FILES

Every stream is opened twice at the same time: from an example as it is, and from the same example
less the one line that adds the layer. nginx cuts what is silent for two seconds. Writes the matrix to
docs/interop.md if HEARTBEAT_REGENERATE is set, and otherwise makes sure that it stands there.
"""

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Awaitable, Callable

import grpc

import clients
import judge
from nginx import Front, Nginx, version as nginx_version
from servers import Servers

PAGE = Path(__file__).parents[2] / "docs" / "interop.md"
BEGIN, END = "<!-- the matrix -->\n", "<!-- the end of the matrix -->\n"

EVENTS = ["hello", "still here"]
EXAMPLES = {"SSE": "layer-axum", "NDJSON": "layer-hyper", "gRPC": "layer-tonic"}


@dataclass(frozen=True)
class Lane:
    client: str
    below: str  # between client and nginx
    above: str  # between nginx and server
    protocol: str
    follow: Callable[[Front], Awaitable[clients.Seen]]


def lanes(chromium):
    for protocol in ("SSE", "NDJSON"):
        for above in ("HTTP/1.0", "HTTP/1.1"):
            yield Lane("curl", "HTTP/1.1", above, protocol, curl(protocol, "http1"))
            yield Lane(
                "curl", "h2c", above, protocol, curl(protocol, "h2c", "--http2-prior-knowledge")
            )
    yield Lane("Python grpcio", "h2c", "gRPC", "gRPC", grpcio)
    for protocol, how, below, above in (
        ("SSE", "EventSource", "HTTP/1.1", "HTTP/1.0"),
        ("SSE", "EventSource", "HTTP/1.1", "HTTP/1.1"),
        ("SSE", "EventSource", "h2 over TLS", "HTTP/1.1"),
        ("SSE", "fetch", "HTTP/1.1", "HTTP/1.1"),
        ("NDJSON", "fetch", "HTTP/1.1", "HTTP/1.0"),
        ("NDJSON", "fetch", "HTTP/1.1", "HTTP/1.1"),
        ("NDJSON", "fetch", "h2 over TLS", "HTTP/1.1"),
    ):
        yield Lane(
            f"Chromium, {how}", below, above, protocol, browse(chromium, protocol, how, below)
        )


def curl(protocol, listener, *flags):
    return lambda front: clients.curl(
        f"http://{getattr(front, listener)}/events", protocol, judge.LIFE, *flags
    )


def grpcio(front):
    return clients.grpcio(front.h2c, judge.LIFE)


def browse(chromium, protocol, how, below):
    def follow(front):
        origin = f"http://{front.http1}" if below == "HTTP/1.1" else f"https://{front.tls}"
        return chromium.follow(how, origin, "/events", protocol, judge.LIFE)

    return follow


async def main(programs, folder):
    servers, nginx = Servers(folder / "servers.log"), Nginx(folder / "nginx")
    chromium = clients.Chromium(Path(__file__).parent.parent / "node" / "browser.mjs")
    todo = list(lanes(chromium))
    try:
        fronts = {}
        for way in {(lane.protocol, lane.above) for lane in todo}:
            example = EXAMPLES[way[0]]
            programs_of_way = [f"without-{example}", f"example-{example}"]
            upstreams = [servers.start(programs / program) for program in programs_of_way]
            version = way[1].removeprefix("HTTP/")
            fronts[way] = [nginx.front(upstream, version) for upstream in upstreams]
        nginx.start()
        await chromium.start()
        seen = await asyncio.gather(
            *(lane.follow(front) for lane in todo for front in fronts[lane.protocol, lane.above])
        )
        await chromium.stop()
    finally:
        nginx.stop()
        servers.stop()

    rows, failed = [], 0
    for lane, without, within in zip(todo, seen[::2], seen[1::2]):
        name = f"{lane.client}, {lane.below}, {lane.protocol} over {lane.above}"
        try:
            how = judge.without(without, EVENTS)
            beats = judge.within(within, EVENTS)
            rows.append((lane, how))
            print(f"{name}: cut after {without.ended[0]:.1f} s ({how}); lives with {beats} heartbeats")
        except AssertionError as wrong:
            failed += 1
            print(f"{name}: FAILED, {wrong}\n  without: {without}\n  with: {within}")
    print(f"{len(rows)} passed, {failed} failed")
    if failed:
        sys.exit(1)
    compare(matrix(rows), chromium.version)


def matrix(rows):
    lines = [
        "| client | client to nginx | nginx to server | stream | without the layer | with it |",
        "|---|---|---|---|---|---|",
    ]
    for lane, how in rows:
        lines.append(
            f"| {lane.client} | {lane.below} | {lane.above} | {lane.protocol} | cut ({how}) | lives |"
        )
    return "\n".join(lines) + "\n"


def compare(matrix, chromium):
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    stands, after = rest.split(END)
    if "HEARTBEAT_REGENERATE" in os.environ:
        curl = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True)
        versions = (
            f"\nLast written with {nginx_version()}, curl {curl.stdout.split()[1]},"
            f" grpcio {grpc.__version__}, Chromium {chromium}.\n"
        )
        PAGE.write_text(before + BEGIN + matrix + versions + END + after)
    elif not stands.startswith(matrix):
        sys.exit(f"docs/interop.md says otherwise; HEARTBEAT_REGENERATE=1 interop/run renews it:\n{matrix}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
