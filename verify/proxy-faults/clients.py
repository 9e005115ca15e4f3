"""Clients that record what they receive of a response."""

import asyncio
import socket
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

# A slow reader sleeps before it reads, again after each read of the first SLOW_BYTES, and offers little room.
SLOW_SLEEP = 0.005
SLOW_BYTES = 100_000
SLOW_BUFFER = 4096


@dataclass
class Received:
    """A response, or the part of it that was received."""

    status: int | None = None  # no head was received
    headers: list = field(default_factory=list)
    body: bytes = b""
    complete: bool = False


async def connect(port, slow=False):
    client = socket.socket()
    if slow:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
    limit = SLOW_BUFFER if slow else 2**16
    return await asyncio.open_connection(sock=client, limit=limit)


async def read_all(reader, slow):
    """Yields what is read until the end of the connection."""
    count = 0
    while True:
        if slow and count < SLOW_BYTES:
            await asyncio.sleep(SLOW_SLEEP)
        try:
            data = await reader.read(SLOW_BUFFER if slow else 2**16)
        except OSError:
            return
        if not data:
            return
        count += len(data)
        yield data


async def get_http1(port, path, slow=False, expected=0):
    reader, writer = await connect(port, slow)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n".encode())
        return parse_http1(b"".join([data async for data in read_all(reader, slow)]))
    finally:
        writer.transport.abort()


def parse_http1(data):
    head, end_of_head, body = data.partition(b"\r\n\r\n")
    if not end_of_head:
        return Received()
    status, *lines = head.decode().split("\r\n")
    headers = [(name.lower(), value.strip()) for name, value in (line.split(":", 1) for line in lines)]
    received = Received(int(status.split(" ")[1]), headers)
    if dict(headers).get("transfer-encoding") != "chunked":
        received.body = body
        received.complete = dict(headers).get("content-length", "").split(",")[0] == str(len(body))
        return received
    while body:
        size, end_of_size, rest = body.partition(b"\r\n")
        if not end_of_size:
            break
        if int(size, 16) == 0:
            received.complete = True
            break
        received.body += rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]
    return received


def http2_connection():
    return H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))


def http2_request(path):
    return [(":method", "GET"), (":scheme", "http"), (":authority", "here"), (":path", path)]


async def get_http2(port, path, slow=False, expected=0):
    """A slow client has a window for half of the `expected` bytes, between 100 and 10,000 bytes."""
    reader, writer = await connect(port, slow)
    connection = http2_connection()
    if slow:
        window = {SettingCodes.INITIAL_WINDOW_SIZE: max(100, min(expected // 2, 10_000))}
        connection.local_settings = Settings(client=True, initial_values=window)
    connection.initiate_connection()
    connection.send_headers(1, http2_request(path), end_stream=True)
    writer.write(connection.data_to_send())
    received = Received()
    body = []
    try:
        async for data in read_all(reader, slow):
            ended = False
            for event in connection.receive_data(data):
                if isinstance(event, ResponseReceived):
                    received.headers = list(event.headers)
                    received.status = int(dict(event.headers)[":status"])
                elif isinstance(event, DataReceived):
                    body.append(event.data)
                    connection.acknowledge_received_data(event.flow_controlled_length, 1)
                elif isinstance(event, StreamEnded):
                    received.complete = ended = True
                elif isinstance(event, (StreamReset, ConnectionTerminated)):
                    ended = True
            writer.write(connection.data_to_send())
            if ended:
                break
    finally:
        writer.transport.abort()
    received.body = b"".join(body)
    return received


async def open_and_reset(port, path, streams, every, rounds):
    """Opens this many streams at a time on one connection, and resets them before the next.

    Returns how many streams were opened. That is less if the server ends the connection.
    """
    reader, writer = await connect(port)
    connection = http2_connection()
    connection.initiate_connection()
    opened = []
    try:
        for _ in range(rounds):
            for _ in range(streams):
                opened.append(connection.get_next_available_stream_id())
                connection.send_headers(opened[-1], http2_request(path), end_stream=True)
            writer.write(connection.data_to_send())
            await asyncio.sleep(every)
            for stream in opened[-streams:]:
                connection.reset_stream(stream)
            try:
                received = await asyncio.wait_for(reader.read(2**20), every)
            except TimeoutError:
                continue
            if not received:
                break
            connection.receive_data(received)
    except (OSError, ProtocolError):
        pass  # the server has closed the connection, or sent GOAWAY
    finally:
        writer.transport.abort()
    return len(opened)
