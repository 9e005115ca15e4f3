"""Counts what clients of `heartbeat-gateway proxy` and of nginx lose when an upstream or a client fails.

Writes the table in docs/proxy-faults.md.
"""

import argparse
import asyncio
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import clients
import upstreams
from servers import NGINX, Server, free_port, nginx

PAGE = Path(__file__).resolve().parents[2] / "docs" / "proxy-faults.md"
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- end -->)", re.DOTALL)

AT_ONCE = 40
RUN_TIMEOUT = 30
QUIET_CLIENTS = 20
TOLD_WITHIN = 2

HTTP1_CLIENT = "HTTP/1.1"
HTTP2_CLIENT = "HTTP/2"
GET = {HTTP1_CLIENT: clients.get_http1, HTTP2_CLIENT: clients.get_http2}

NOT_APPLICABLE = "–"
NGINX_HTTP = "upstream origin {{ server 127.0.0.1:{upstream}; keepalive 100; }}"
NGINX_SERVER = """
listen 127.0.0.1:{http2} http2;
location / {{
  proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
}}
"""


class Proxy(NamedTuple):
    """A proxy that runs, and its ports for the two kinds of clients."""

    server: Server
    ports: dict


class Programs(NamedTuple):
    gateway: str
    directory: str

    def start_gateway(self, upstream, *arguments, **options):
        port = free_port()
        command = [self.gateway, "proxy", "--upstream", f"http://127.0.0.1:{upstream}", *arguments]
        server = Server([*command, "--listen", f"127.0.0.1:{port}"], port, **options)
        return Proxy(server, {HTTP1_CLIENT: port, HTTP2_CLIENT: port})

    def start_nginx(self, upstream, directives="", **options):
        http2 = free_port()
        config = NGINX_SERVER.format(http2=http2) + directives
        origin = NGINX_HTTP.format(upstream=upstream)
        server = nginx(self.directory, "nginx", os.cpu_count(), config, origin, **options)
        return Proxy(server, {HTTP1_CLIENT: server.port, HTTP2_CLIENT: http2})


class Row(NamedTuple):
    fault: str
    measured: str
    nginx: str
    gateway: str


async def repeat(count, run):
    """Calls `run` with each number below `count`, up to 40 at a time."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def with_slot(number):
        async with slots:
            return await run(number)

    return await asyncio.gather(*map(with_slot, range(count)))


async def get(proxy, client, path, slow=False, expected=0):
    """The response; an empty one if it does not end within 30 s."""
    getting = GET[client](proxy.ports[client], path, slow, expected)
    try:
        return await asyncio.wait_for(getting, RUN_TIMEOUT)
    except TimeoutError:
        return clients.Received()


async def count_incomplete(proxy, form, runs):
    """How many clients of each kind miss the head or an event, or receive a response that looks complete."""
    expected = form.body()
    counts = {}
    for client in GET:
        for slow in (False, True):

            async def run(_):
                received = await get(proxy, client, form.path, slow, len(expected))
                return received.status != 200 or received.body != expected or received.complete

            incomplete = sum(await repeat(runs, run))
            if incomplete:
                counts[f"{client}, {'slow' if slow else 'fast'}"] = incomplete
    return counts


def describe(counts):
    if not counts:
        return "0"
    return f"{sum(counts.values()):,} ({'; '.join(f'{kind}: {count:,}' for kind, count in counts.items())})"


async def rows_of_broken_responses(gateway, nginx, http2, runs):
    protocol = "HTTP/2" if http2 else "HTTP/1.1"
    for form in upstreams.FORMS:
        if form.path in (["/reset", "/head-with-length"] if http2 else ["/no-error"]):
            continue
        end = "resets the stream" if http2 and form.end == upstreams.CLOSES else form.end
        form_runs = max(1, runs // 10) if form.events > 1000 else runs
        yield Row(
            f"an {protocol} upstream sends {form.sent}, then {end}",
            f"incomplete responses, of {4 * form_runs:,}",
            describe(await count_incomplete(nginx, form, form_runs)) if nginx else NOT_APPLICABLE,
            describe(await count_incomplete(gateway, form, form_runs)),
        )


async def count_502(proxy, count, path):
    async def run(_):
        return (await get(proxy, HTTP1_CLIENT, path)).status

    statuses = await repeat(count, run)
    others = sorted({str(status) for status in statuses} - {"200", "502"})
    return f"{statuses.count(502):,}" + "".join(f"; {other}: {statuses.count(int(other))}" for other in others)


async def two_lengths(proxy):
    received = await get(proxy, HTTP1_CLIENT, "/two-lengths")
    length = ("content-length", "transfer-encoding")
    lines = [f"`{name}: {value}`" for name, value in received.headers if name in length]
    return ", ".join([str(received.status), *lines]) if received.status == 200 else str(received.status)


async def large_head(proxy):
    statuses = {client: (await get(proxy, client, "/large-head")).status for client in GET}
    return ", ".join(f"{client}: {status or 'no response'}" for client, status in statuses.items())


async def count_told(proxy, upstream, extra):
    """How many upstreams see within two seconds that a client with unread bytes has closed its connection."""

    async def run(number):
        path = f"/quiet-{proxy.server.port}-{len(extra)}-{number}"
        reader, writer = await clients.connect(proxy.ports[HTTP1_CLIENT])
        writer.write(f"GET {path} HTTP/1.1\r\nhost: here\r\n\r\n".encode())
        await reader.readuntil(b"data: 0\n\n\r\n")
        writer.write(extra)
        await asyncio.sleep(0.1)
        writer.close()
        try:
            await asyncio.wait_for(upstream.closed[path].wait(), TOLD_WITHIN)
        except TimeoutError:
            return False
        return True

    return f"{sum(await repeat(QUIET_CLIENTS, run))}"


async def count_connections(proxy, upstream):
    before = upstream.connections
    opened = await clients.open_and_reset(proxy.ports[HTTP2_CLIENT], "/quiet-reset", 50, 0.005, 200)
    await asyncio.sleep(0.5)
    return f"{upstream.connections - before:,}, for {opened:,} streams"


async def count_unanswered(proxy, path):
    async def run(_):
        return (await get(proxy, HTTP1_CLIENT, path)).status is None

    return str(sum(await repeat(100, run)))


async def rows_of_other_faults(programs, upstream, port, http2_port):
    gateway, nginx = programs.start_gateway(port), programs.start_nginx(port)
    yield Row(
        "an HTTP/1.1 upstream closes each connection that is reused, without a response",
        "502s, of 800 GETs",
        await count_502(nginx, 800, "/closes-reused"),
        await count_502(gateway, 800, "/closes-reused"),
    )
    yield Row(
        "an upstream sends `Content-Length: 5, 5`",
        "the client receives",
        await two_lengths(nginx),
        await two_lengths(gateway),
    )
    yield Row(
        "an upstream sends a head of 66 kB",
        "the client receives",
        await large_head(nginx),
        await large_head(gateway),
    )
    gateway.server.stop()

    gateway = programs.start_gateway(port, "--interval", "0s")
    request = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"
    upload = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 100000\r\n\r\n" + b"x" * 100_000
    for extra, name in [(request, "a pipelined request"), (upload, "100 kB of a pipelined request")]:
        yield Row(
            f"a client sends {name} behind a quiet stream, then closes",
            f"upstream connections closed within {TOLD_WITHIN} s, of {QUIET_CLIENTS}",
            await count_told(nginx, upstream, extra),
            await count_told(gateway, upstream, extra),
        )
    yield Row(
        "a client opens 50 streams every 10 ms, and resets them",
        "upstream connections opened",
        await count_connections(nginx, upstream),
        await count_connections(gateway, upstream),
    )
    gateway.server.stop()
    nginx.server.stop()

    with open("/dev/full", "w") as full:
        nginx = programs.start_nginx(port, "access_log /dev/full;", stderr=full)
        gateway = programs.start_gateway(port, log="info", stderr=full)
    yield Row(
        "the log cannot be written",
        "requests without a response, of 100",
        await count_unanswered(nginx, "/"),
        await count_unanswered(gateway, "/"),
    )
    gateway.server.stop()
    nginx.server.stop()

    gateway = programs.start_gateway(http2_port, "--upstream-http2")
    yield Row(
        f"an HTTP/2 upstream sends GOAWAY after {upstreams.GOAWAY_AFTER} requests",
        f"502s, of 2,000 GETs, {AT_ONCE} at a time",
        NOT_APPLICABLE,
        await count_502(gateway, 2000, "/"),
    )
    gateway.server.stop()


async def all_rows(programs, runs):
    upstream = upstreams.Http1Upstream()
    port, http2_port = await upstreams.start(upstream.serve), await upstreams.start(upstreams.serve_http2)

    async for row in rows_of_other_faults(programs, upstream, port, http2_port):
        yield row

    gateway, nginx = programs.start_gateway(port), programs.start_nginx(port)
    async for row in rows_of_broken_responses(gateway, nginx, False, runs):
        yield row
    gateway.server.stop()
    nginx.server.stop()

    gateway = programs.start_gateway(http2_port, "--upstream-http2")
    async for row in rows_of_broken_responses(gateway, None, True, runs):
        yield row
    gateway.server.stop()


def nginx_version():
    done = subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=True)
    return done.stderr.strip().replace("nginx version: nginx/", "nginx ")


async def table(programs, runs):
    lines = [f"| fault | measured | {nginx_version()} | proxy |", "|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    async for row in all_rows(programs, runs):
        lines.append(f"| {' | '.join(row)} |")
        print(lines[-1], flush=True)
    return "\n" + "\n".join(lines) + "\n\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gateway", help="path of heartbeat-gateway")
    parser.add_argument("--runs", type=int, default=1000, help="responses that break off, for each kind of client")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)  # nginx's workers run as another user
        programs = Programs(os.path.abspath(arguments.gateway), directory)
        figures = asyncio.run(table(programs, arguments.runs))
    PAGE.write_text(FIGURES.sub(lambda _: figures, PAGE.read_text()))


if __name__ == "__main__":
    main()
