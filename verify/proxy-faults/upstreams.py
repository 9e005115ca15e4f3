"""Upstreams that fail. The path of a request selects the failure."""

import asyncio
import socket
import struct
from dataclasses import dataclass

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import RemoteSettingsChanged, RequestReceived, WindowUpdated
from h2.exceptions import ProtocolError
from hyperframe.frame import GoAwayFrame

PAUSE = 0.02
GOAWAY_AFTER = 50
LARGE_HEADER = "x" * 66_000

# How a response ends.
CLOSES = "closes"
RESETS = "resets the connection"
RESETS_WITHOUT_ERROR = "resets the stream with NO_ERROR"


@dataclass(frozen=True)
class BrokenOff:
    """A response that breaks off."""

    path: str
    sent: str
    events: int = 5
    first_piece: int | None = None  # events before a pause; None: no pause
    length: str = "transfer-encoding: chunked"
    end: str = CLOSES  # over HTTP/2, the upstream resets the stream

    def body(self):
        return b"".join(b"data: %092d\n\n" % number for number in range(self.events))

    def pieces(self):
        """The parts of the body between which the upstream pauses. The head precedes the first."""
        body = self.body()
        if self.first_piece is None:
            return [body]
        return [body[: 100 * self.first_piece], body[100 * self.first_piece :]]


FORMS = [
    BrokenOff("/at-once", "its head and five events in one write"),
    BrokenOff("/pause-after-head", "its head, five events 20 ms later", first_piece=0),
    BrokenOff("/pause-after-first", "its head and an event, four events 20 ms later", first_piece=1),
    BrokenOff("/reset", "its head and five events", end=RESETS),
    BrokenOff("/no-error", "its head and five events", end=RESETS_WITHOUT_ERROR),
    BrokenOff("/head-alone", "its head alone", events=0),
    BrokenOff("/head-with-length", "its head alone, with `Content-Length: 10`", events=0, length="content-length: 10"),
    BrokenOff("/long", "1 MB of events", events=10_000),
]
FORMS_BY_PATH = {form.path: form for form in FORMS}


async def start(serve):
    """Starts a server that runs `serve` for each connection, and returns its port."""

    async def run(reader, writer):
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, ProtocolError):
            pass  # the proxy has closed the connection or the stream
        except asyncio.CancelledError:
            pass  # the table is complete
        finally:
            writer.close()

    server = await asyncio.start_server(run, "127.0.0.1", 0, backlog=4096)
    return server.sockets[0].getsockname()[1]


class Http1Upstream:
    def __init__(self):
        self.connections = 0  # that were opened so far
        self.closed = {}  # by path: set when the proxy has closed the connection of that request

    async def serve(self, reader, writer):
        self.connections += 1
        reused = False
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1].decode()
            if form := FORMS_BY_PATH.get(path):
                return await break_off(form, writer)
            if path.startswith("/quiet"):
                return await self.wait_for_close(path, reader, writer)
            if path == "/closes-reused" and reused:
                return
            await asyncio.sleep(0.005)
            length = "5, 5" if path == "/two-lengths" else "5"
            large = f"large: {LARGE_HEADER}\r\n" if path == "/large-head" else ""
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{large}\r\nhello".encode())
            if path == "/two-lengths":
                return  # the end of the connection ends a response without a length
            reused = True

    async def wait_for_close(self, path, reader, writer):
        closed = self.closed.setdefault(path, asyncio.Event())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"9\r\ndata: 0\n\n\r\n")
        try:
            while await reader.read(65536):  # the rest of the request
                pass
        finally:
            closed.set()


async def break_off(form, writer):
    writer.transport.set_write_buffer_limits(0)  # `drain` waits until the socket has all
    text = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{form.length}\r\n\r\n".encode()
    for number, piece in enumerate(form.pieces()):
        if number > 0:
            await asyncio.sleep(PAUSE)
        writer.write(text + (b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b""))
        await writer.drain()
        text = b""
    if form.end == RESETS:
        await asyncio.sleep(PAUSE)
        no_linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)


async def serve_http2(reader, writer):
    """An HTTP/2 upstream. It sends GOAWAY after 50 requests for `/` on a connection, and ignores further ones."""
    connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
    window_opened = asyncio.Event()
    tasks = set()
    requests = 0

    def flush():
        writer.write(connection.data_to_send())

    async def respond(stream, path):
        form = FORMS_BY_PATH.get(path)
        if form is None:
            await asyncio.sleep(0.005)
        connection.send_headers(stream, [(":status", "200"), ("content-type", "text/event-stream")])
        if form is None:
            connection.send_data(stream, b"hello", end_stream=True)
            return flush()
        for number, piece in enumerate(form.pieces()):
            if number > 0:
                flush()
                await asyncio.sleep(PAUSE)
            while piece:
                size = min(len(piece), connection.local_flow_control_window(stream), connection.max_outbound_frame_size)
                if size > 0:
                    connection.send_data(stream, piece[:size])
                    piece = piece[size:]
                else:
                    window_opened.clear()
                    flush()
                    await window_opened.wait()
        no_error = form.end == RESETS_WITHOUT_ERROR
        connection.reset_stream(stream, ErrorCodes.NO_ERROR if no_error else ErrorCodes.INTERNAL_ERROR)
        flush()

    async def respond_if_open(stream, path):
        try:
            await respond(stream, path)
        except ProtocolError:
            pass  # the proxy has reset the stream

    connection.initiate_connection()
    flush()
    while data := await reader.read(65536):
        for event in connection.receive_data(data):
            if isinstance(event, RequestReceived):
                path = dict(event.headers)[":path"]
                requests += path == "/"
                if requests <= GOAWAY_AFTER:
                    task = asyncio.create_task(respond_if_open(event.stream_id, path))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                if requests == GOAWAY_AFTER:
                    # Not by `H2Connection`, which sends no response afterwards.
                    writer.write(GoAwayFrame(0, last_stream_id=event.stream_id).serialize())
            elif isinstance(event, (WindowUpdated, RemoteSettingsChanged)):
                window_opened.set()
        flush()
