"""What is tried: servers, the ways to them, and clients."""

from dataclasses import dataclass
from typing import Awaitable, Callable

import clients
from judge import LIFE, Numbers, Story
from nginx import Front


@dataclass(frozen=True)
class Lane:
    server: str
    client: str
    below: str  # between client and nginx
    above: str  # between nginx and server
    protocol: str
    follow: Callable[[Front], Awaitable[clients.Seen]]

    def events(self):
        return Numbers() if self.server == SERVE else Story()


AXUM, HYPER, TONIC = "axum", "hyper", "tonic"
SERVE = "`serve`"
UVICORN, NODE = "uvicorn, by `proxy`", "Node, by `proxy`"


def lanes(chromium, connect_node):
    yield from over_the_layer(chromium)
    yield from of_serve(chromium, connect_node)
    yield from by_proxy(chromium)


def over_the_layer(chromium):
    """The examples of the layer."""
    for server, protocol in ((AXUM, "SSE"), (HYPER, "NDJSON")):
        for above in ("HTTP/1.0", "HTTP/1.1"):
            for below in ("HTTP/1.1", "h2c"):
                yield Lane(server, "curl", below, above, protocol, curl(protocol, below))
    yield Lane(TONIC, "Python grpcio", "h2c", "gRPC", "gRPC", grpcio)
    for server, protocol, how, below, above in (
        (AXUM, "SSE", "EventSource", "HTTP/1.1", "HTTP/1.0"),
        (AXUM, "SSE", "EventSource", "HTTP/1.1", "HTTP/1.1"),
        (AXUM, "SSE", "EventSource", "h2 over TLS", "HTTP/1.1"),
        (AXUM, "SSE", "fetch", "HTTP/1.1", "HTTP/1.1"),
        (HYPER, "NDJSON", "fetch", "HTTP/1.1", "HTTP/1.0"),
        (HYPER, "NDJSON", "fetch", "HTTP/1.1", "HTTP/1.1"),
        (HYPER, "NDJSON", "fetch", "h2 over TLS", "HTTP/1.1"),
    ):
        browse = browser(chromium, how, below, protocol)
        yield Lane(server, f"Chromium, {how}", below, above, protocol, browse)


def of_serve(chromium, connect_node):
    """Clients of Connect, which speak to `heartbeat-gateway serve`."""
    for how, below, above in (
        ("Connect, proto", "HTTP/1.1", "HTTP/1.1"),
        ("Connect, proto", "h2c", "HTTP/1.1"),
        ("Connect, JSON", "HTTP/1.1", "HTTP/1.1"),
        ("gRPC", "h2c", "gRPC"),
        ("gRPC-Web", "HTTP/1.1", "HTTP/1.1"),
        ("gRPC-Web", "h2c", "HTTP/1.1"),
    ):
        yield Lane(SERVE, "connect-node", below, above, how, in_node(connect_node, how, below))
    for how, below in (
        ("Connect, JSON", "HTTP/1.1"),
        ("Connect, JSON", "h2 over TLS"),
        ("Connect, proto", "HTTP/1.1"),
        ("gRPC-Web", "HTTP/1.1"),
        ("gRPC-Web", "h2 over TLS"),
    ):
        browse = browser(chromium, how, below)
        yield Lane(SERVE, "Chromium, connect-web", below, "HTTP/1.1", how, browse)
    yield Lane(SERVE, "Python grpcio", "h2c", "gRPC", "gRPC", grpcio)


def by_proxy(chromium):
    """Servers that are not in Rust: alone, and behind `heartbeat-gateway proxy`."""
    for server, protocol, how in ((UVICORN, "SSE", "EventSource"), (NODE, "NDJSON", "fetch")):
        for below in ("HTTP/1.1", "h2c"):
            yield Lane(server, "curl", below, "HTTP/1.1", protocol, curl(protocol, below))
        browse = browser(chromium, how, "HTTP/1.1", protocol)
        yield Lane(server, f"Chromium, {how}", "HTTP/1.1", "HTTP/1.1", protocol, browse)


def curl(protocol, below):
    def follow(front):
        if below == "h2c":
            return clients.curl(
                f"http://{front.h2c}/events", protocol, LIFE, "--http2-prior-knowledge"
            )
        return clients.curl(f"http://{front.http1}/events", protocol, LIFE)

    return follow


def grpcio(front):
    return clients.grpcio(front.h2c, LIFE)


def in_node(connect_node, how, below):
    def follow(front):
        if below == "h2c":
            url, http = f"http://{front.h2c}", "2"
        else:
            url, http = f"http://{front.http1}", "1.1"
        return connect_node.follow(None, LIFE, how=how, url=url, http=http)

    return follow


def browser(chromium, how, below, protocol=None):
    def follow(front):
        page = origin = f"http://{front.http1}"
        if below == "h2 over TLS":
            page = origin = f"https://{front.tls}"
        if how in ("EventSource", "fetch"):
            url = f"{origin}/events"
        else:  # of another origin, so that the server must allow it
            url, page = origin, page.replace("127.0.0.1", "localhost")
        return chromium.follow(protocol, LIFE, how=how, page=f"{page}/page", url=url)

    return follow
