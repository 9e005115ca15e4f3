"""Sends quiet streams through nginx to clients of other projects, with and without heartbeats.

Usage: through_nginx.py PROGRAM_FOLDER OUTPUT_FOLDER

Each client opens two streams at the same time, to a server with heartbeats and to one without. nginx cuts streams that
are silent for two seconds. If HEARTBEAT_REGENERATE is set, writes the matrix to docs/interop.md, otherwise checks
that it is up to date.
"""

import asyncio
import sys
from pathlib import Path

import checks
import clients
from matrix import compare, matrix
from nginx import Nginx, free_ports
from routes import AXUM, HYPER, NODE, SERVE, TONIC, UVICORN, routes
from servers import Servers

INTEROP = Path(__file__).parent.parent
MAX_PAGES = 4  # open in Chromium at the same time
ATTEMPTS = 3  # for each route: on a busy machine, Chromium may stop for more than a second

INTERVAL_FLAG = f"{checks.INTERVAL * 1000:.0f}ms"


def start(server, servers, programs):
    """Starts a server without heartbeats and one with heartbeats, and returns their addresses."""
    if server == SERVE:
        silence = f"{checks.NumberedEvents.SILENCE * 1000:.0f}ms"
        serve = [programs / "heartbeat-gateway", "serve", "--listen", "127.0.0.1:0"]
        serve += ["--event-every", silence, "--cors-origin", "*"]
        return [servers.start(*serve, "--interval", interval) for interval in ("0s", INTERVAL_FLAG)]
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
    return [servers.start(example, interval) for interval in ("0", f"{checks.INTERVAL * 1000:.0f}")]


def with_proxy(upstream, servers, programs, *flags):
    """Starts a proxy for `upstream`, and returns both addresses."""
    proxy = [programs / "heartbeat-gateway", "proxy", "--listen", "127.0.0.1:0", *flags]
    return [upstream, servers.start(*proxy, "--upstream", f"http://{upstream}", "--interval", INTERVAL_FLAG)]


def groups(all_routes):
    """Routes that are tested at the same time. Opening a page in Chromium takes a second of CPU time."""
    pages = [route for route in all_routes if route.client.startswith("Chromium")]
    yield [route for route in all_routes if route not in pages]
    for first in range(0, len(pages), MAX_PAGES):
        yield pages[first : first + MAX_PAGES]


async def receive_both(route, addresses):
    return await asyncio.gather(*(route.receive(nginx) for nginx in addresses))


def check(route, without_heartbeats, with_heartbeats):
    """Why the stream without heartbeats was cut, and how many heartbeats the other had. Raises an AssertionError."""
    reason = checks.check_cut(without_heartbeats, route.expected_events())
    return reason, checks.check_alive(with_heartbeats, route.expected_events())


def passes(route, recordings):
    try:
        check(route, *recordings)
    except AssertionError:
        return False
    return True


async def main(programs, folder):
    servers, nginx = Servers(folder / "servers.log"), Nginx(folder / "nginx")
    chromium = clients.NodeClient("node", INTEROP / "node" / "browser.mjs", folder / "connect-web.js")
    connect_node = clients.NodeClient("node", INTEROP / "node" / "connect-node.mjs")
    all_routes = list(routes(chromium, connect_node))
    try:
        addresses = {
            server: start(server, servers, programs)
            for server in (AXUM, HYPER, TONIC, SERVE, UVICORN, NODE)
        }
        nginx_addresses = {
            (server, protocol): [nginx.add_server(address, protocol) for address in addresses[server]]
            for server, protocol in {(route.server, route.upstream_protocol) for route in all_routes}
        }
        nginx.start()
        for client in (chromium, connect_node):
            await client.start()
        recordings = {}
        for group in groups(all_routes):
            for _ in range(ATTEMPTS):
                both = (
                    receive_both(route, nginx_addresses[route.server, route.upstream_protocol])
                    for route in group
                )
                recordings |= zip(group, await asyncio.gather(*both))
                group = [route for route in group if not passes(route, recordings[route])]
        for client in (chromium, connect_node):
            await client.stop()
    finally:
        nginx.stop()
        servers.stop()

    rows, failed = [], 0
    for route in all_routes:
        without_heartbeats, with_heartbeats = recordings[route]
        name = (
            f"{route.server}, {route.client}, {route.format},"
            f" {route.client_protocol} to {route.upstream_protocol}"
        )
        try:
            reason, heartbeats = check(route, without_heartbeats, with_heartbeats)
            rows.append((route, reason))
            time = without_heartbeats.ended[0]
            print(f"{name}: cut after {time:.1f} s: {reason}; {heartbeats} heartbeats")
        except AssertionError as error:
            failed += 1
            print(f"{name}: FAILED, {error}")
            print(f"  without heartbeats: {without_heartbeats}\n  with heartbeats: {with_heartbeats}")
    print(f"{len(rows)} passed, {failed} failed")
    if failed:
        sys.exit(1)
    compare(matrix(rows), {"Chromium": chromium.version, "Node": connect_node.version})


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
