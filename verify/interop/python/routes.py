"""The tested combinations of server, client and protocols."""

from dataclasses import dataclass
from typing import Awaitable, Callable

import clients
from checks import LIFETIME, NumberedEvents, TwoEvents
from nginx import NginxAddresses


@dataclass(frozen=True)
class Route:
    server: str
    client: str
    client_protocol: str  # between client and nginx
    upstream_protocol: str  # between nginx and server
    format: str  # of the stream
    receive: Callable[[NginxAddresses], Awaitable[clients.Recording]]

    def expected_events(self):
        return NumberedEvents() if self.server == SERVE else TwoEvents()


AXUM, HYPER, TONIC = "axum", "hyper", "tonic"
SERVE = "`serve`"
UVICORN, NODE = "uvicorn, by `proxy`", "Node, by `proxy`"


def routes(chromium, connect_node):
    yield from layer_routes(chromium)
    yield from serve_routes(chromium, connect_node)
    yield from proxy_routes(chromium)


def layer_routes(chromium):
    """The examples with the layer."""
    for server, format in ((AXUM, "SSE"), (HYPER, "NDJSON")):
        for upstream_protocol in ("HTTP/1.0", "HTTP/1.1"):
            for client_protocol in ("HTTP/1.1", "h2c"):
                receive = curl(format, client_protocol)
                yield Route(server, "curl", client_protocol, upstream_protocol, format, receive)
    yield Route(TONIC, "Python grpcio", "h2c", "gRPC", "gRPC", grpcio)
    for server, format, how, client_protocol, upstream_protocol in (
        (AXUM, "SSE", "EventSource", "HTTP/1.1", "HTTP/1.0"),
        (AXUM, "SSE", "EventSource", "HTTP/1.1", "HTTP/1.1"),
        (AXUM, "SSE", "EventSource", "h2 over TLS", "HTTP/1.1"),
        (AXUM, "SSE", "fetch", "HTTP/1.1", "HTTP/1.1"),
        (HYPER, "NDJSON", "fetch", "HTTP/1.1", "HTTP/1.0"),
        (HYPER, "NDJSON", "fetch", "HTTP/1.1", "HTTP/1.1"),
        (HYPER, "NDJSON", "fetch", "h2 over TLS", "HTTP/1.1"),
    ):
        receive = browser(chromium, how, client_protocol, format)
        yield Route(server, f"Chromium, {how}", client_protocol, upstream_protocol, format, receive)


def serve_routes(chromium, connect_node):
    """`heartbeat-gateway serve` with clients of Connect, gRPC-Web and gRPC."""
    for how, client_protocol, upstream_protocol in (
        ("Connect, proto", "HTTP/1.1", "HTTP/1.1"),
        ("Connect, proto", "h2c", "HTTP/1.1"),
        ("Connect, JSON", "HTTP/1.1", "HTTP/1.1"),
        ("gRPC", "h2c", "gRPC"),
        ("gRPC-Web", "HTTP/1.1", "HTTP/1.1"),
        ("gRPC-Web", "h2c", "HTTP/1.1"),
    ):
        receive = in_node(connect_node, how, client_protocol)
        yield Route(SERVE, "connect-node", client_protocol, upstream_protocol, how, receive)
    for how, client_protocol in (
        ("Connect, JSON", "HTTP/1.1"),
        ("Connect, JSON", "h2 over TLS"),
        ("Connect, proto", "HTTP/1.1"),
        ("gRPC-Web", "HTTP/1.1"),
        ("gRPC-Web", "h2 over TLS"),
    ):
        receive = browser(chromium, how, client_protocol)
        yield Route(SERVE, "Chromium, connect-web", client_protocol, "HTTP/1.1", how, receive)
    yield Route(SERVE, "Python grpcio", "h2c", "gRPC", "gRPC", grpcio)


def proxy_routes(chromium):
    """Servers in Python and JavaScript, with and without `heartbeat-gateway proxy`."""
    for server, format, how in ((UVICORN, "SSE", "EventSource"), (NODE, "NDJSON", "fetch")):
        for client_protocol in ("HTTP/1.1", "h2c"):
            receive = curl(format, client_protocol)
            yield Route(server, "curl", client_protocol, "HTTP/1.1", format, receive)
        receive = browser(chromium, how, "HTTP/1.1", format)
        yield Route(server, f"Chromium, {how}", "HTTP/1.1", "HTTP/1.1", format, receive)


def curl(format, client_protocol):
    def receive(nginx):
        if client_protocol == "h2c":
            return clients.curl(
                f"http://{nginx.h2c}/events", format, LIFETIME, "--http2-prior-knowledge"
            )
        return clients.curl(f"http://{nginx.http1}/events", format, LIFETIME)

    return receive


def grpcio(nginx):
    return clients.grpcio(nginx.h2c, LIFETIME)


def in_node(connect_node, how, client_protocol):
    def receive(nginx):
        if client_protocol == "h2c":
            url, http = f"http://{nginx.h2c}", "2"
        else:
            url, http = f"http://{nginx.http1}", "1.1"
        return connect_node.receive(None, LIFETIME, how=how, url=url, http=http)

    return receive


def browser(chromium, how, client_protocol, format=None):
    def receive(nginx):
        page = origin = f"http://{nginx.http1}"
        if client_protocol == "h2 over TLS":
            page = origin = f"https://{nginx.tls}"
        if how in ("EventSource", "fetch"):
            url = f"{origin}/events"
        else:  # another origin, so that the server has to allow it
            url, page = origin, page.replace("127.0.0.1", "localhost")
        return chromium.receive(format, LIFETIME, how=how, page=f"{page}/page", url=url)

    return receive
