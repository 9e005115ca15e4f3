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


def start(server, servers, programs):
    """Starts a server without heartbeats, and one with them, and returns their addresses."""
    gateway = programs / "heartbeat-gateway"
    every = f"{judge.INTERVAL}s".replace("0.5s", "500ms")
    match server:
        case "axum" | "hyper" | "tonic":
            return [
                servers.start(programs / f"without-layer-{server}"),
                servers.start(programs / f"example-layer-{server}"),
            ]
        case _ if server == SERVE:
            silence = f"{judge.Numbers.SILENCE * 1000:.0f}ms"
            serve = [gateway, "serve", "--listen", "127.0.0.1:0", "--event-every", silence]
            serve += ["--cors-origin", "*"]
            return [servers.start(*serve, "--interval", of) for of in ("0s", every)]
        case _ if server == UVICORN:
            (port,) = free_ports(1)
            app = ["quiet_asgi:app", "--app-dir", INTEROP / "upstream", "--port", str(port)]
            app += ["--timeout-graceful-shutdown", "1"]  # its streams do not end
            address = f"127.0.0.1:{port}"
            upstream = servers.start_at(address, sys.executable, "-m", "uvicorn", *app)
            flags = []
        case _ if server == NODE:
            upstream = servers.start("node", INTEROP / "upstream" / "quiet_http.mjs")
            flags = ["--ndjson", "blank"]
    proxy = [gateway, "proxy", "--listen", "127.0.0.1:0", "--upstream", f"http://{upstream}"]
    return [upstream, servers.start(*proxy, "--interval", every, *flags)]


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
        seen = await asyncio.gather(
            *(lane.follow(front) for lane in todo for front in fronts[lane.server, lane.above])
        )
        for driven in (chromium, connect_node):
            await driven.stop()
    finally:
        nginx.stop()
        servers.stop()

    rows, failed = [], 0
    for lane, without, within in zip(todo, seen[::2], seen[1::2]):
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
