"""Quiet streams through nginx, to clients that are not ours; with heartbeats and without.

Usage: through_nginx.py FOLDER-OF-PROGRAMS FOLDER-FOR-FILES

Each stream is opened twice at the same time, from a server with heartbeats and from the same without;
nginx cuts what is silent for two seconds. Writes the matrix to docs/interop.md if
HEARTBEAT_REGENERATE is set, and otherwise makes sure that it stands there.
"""

import asyncio
import sys
from pathlib import Path

import clients
import judge
from lanes import AXUM, HYPER, NODE, SERVE, TONIC, UVICORN, lanes
from matrix import compare, matrix
from nginx import Nginx, free_ports
from servers import Servers

INTEROP = Path(__file__).parent.parent
PAGES = 4  # lanes in Chromium at the same time

EVERY = f"{judge.INTERVAL * 1000:.0f}ms"


def start(server, servers, programs):
    """Starts a server without heartbeats, and one with them, and returns their addresses."""
    if server == SERVE:
        silence = f"{judge.Numbers.SILENCE * 1000:.0f}ms"
        serve = [programs / "heartbeat-gateway", "serve", "--listen", "127.0.0.1:0"]
        serve += ["--event-every", silence, "--cors-origin", "*"]
        return [servers.start(*serve, "--interval", interval) for interval in ("0s", EVERY)]
    if server == UVICORN:
        (port,) = free_ports(1)
        app = ["quiet_asgi:app", "--app-dir", INTEROP / "upstream", "--port", str(port)]
        app += ["--timeout-graceful-shutdown", "1"]  # its streams do not end
        uvicorn = [sys.executable, "-m", "uvicorn", *app]
        return with_proxy(servers.start_at(f"127.0.0.1:{port}", *uvicorn), servers, programs)
    if server == NODE:
        upstream = servers.start("node", INTEROP / "upstream" / "quiet_http.mjs")
        return with_proxy(upstream, servers, programs, "--ndjson", "blank")
    example = programs / f"example-layer-{server}"
    return [servers.start(example, interval) for interval in ("0", f"{judge.INTERVAL * 1000:.0f}")]


def with_proxy(upstream, servers, programs, *flags):
    """The address of a server, and that of a proxy in front of it."""
    proxy = [programs / "heartbeat-gateway", "proxy", "--listen", "127.0.0.1:0", *flags]
    return [upstream, servers.start(*proxy, "--upstream", f"http://{upstream}", "--interval", EVERY)]


def groups(todo):
    """Those that are followed at the same time. A page of Chromium takes a second of a core to open."""
    pages = [lane for lane in todo if lane.client.startswith("Chromium")]
    yield [lane for lane in todo if lane not in pages]
    for first in range(0, len(pages), PAGES):
        yield pages[first : first + PAGES]


async def follow_both(lane, fronts):
    return await asyncio.gather(*(lane.follow(front) for front in fronts))


async def main(programs, folder):
    servers, nginx = Servers(folder / "servers.log"), Nginx(folder / "nginx")
    chromium = clients.Driven("node", INTEROP / "node" / "browser.mjs", folder / "connect-web.js")
    connect_node = clients.Driven("node", INTEROP / "node" / "connect-node.mjs")
    todo = list(lanes(chromium, connect_node))
    try:
        addresses = {
            server: start(server, servers, programs)
            for server in (AXUM, HYPER, TONIC, SERVE, UVICORN, NODE)
        }
        fronts = {
            (server, above): [nginx.front(address, above) for address in addresses[server]]
            for server, above in {(lane.server, lane.above) for lane in todo}
        }
        nginx.start()
        for driven in (chromium, connect_node):
            await driven.start()
        seen = {}
        for group in groups(todo):
            both = (follow_both(lane, fronts[lane.server, lane.above]) for lane in group)
            seen |= zip(group, await asyncio.gather(*both))
        for driven in (chromium, connect_node):
            await driven.stop()
    finally:
        nginx.stop()
        servers.stop()

    rows, failed = [], 0
    for lane in todo:
        without, within = seen[lane]
        name = f"{lane.server}, {lane.client}, {lane.protocol}, {lane.below} to {lane.above}"
        try:
            how = judge.without(without, lane.events())
            beats = judge.within(within, lane.events())
            rows.append((lane, how))
            print(f"{name}: cut after {without.ended[0]:.1f} s: {how}; {beats} heartbeats")
        except AssertionError as wrong:
            failed += 1
            print(f"{name}: FAILED, {wrong}\n  without: {without}\n  with: {within}")
    print(f"{len(rows)} passed, {failed} failed")
    if failed:
        sys.exit(1)
    compare(matrix(rows), {"Chromium": chromium.version, "Node": connect_node.version})


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
