"""Clients that are not ours, and what they see of a stream."""

import asyncio
import json
import time
from dataclasses import dataclass, field

import grpc

PATIENCE = 60  # with clients that are to say something, on a machine that is busy
METHOD = "/galaxy.gateway.v1.GatewayService/Subscribe"
HEARTBEAT = b"\x0a\x11gateway.heartbeat"


@dataclass
class Seen:
    """What a client has seen; times are seconds since it asked."""

    asked: float = field(default_factory=time.monotonic)
    events: list = field(default_factory=list)  # (when, what)
    heartbeats: list = field(default_factory=list)  # when
    ended: tuple | None = None  # (when, how)

    def event(self, what):
        self.events.append((self.now(), what))

    def heartbeat(self):
        self.heartbeats.append(self.now())

    def end(self, how):
        self.ended = (self.now(), how)

    def now(self):
        return time.monotonic() - self.asked


class Lines:
    """Takes a stream of SSE or NDJSON apart, as it comes."""

    def __init__(self, seen, protocol):
        self.seen = seen
        self.protocol = protocol
        self.rest = b""

    def take(self, piece):
        *lines, self.rest = (self.rest + piece).split(b"\n")
        for line in lines:
            match self.protocol:
                case "SSE" if line.startswith(b":"):
                    self.seen.heartbeat()
                case "SSE" if line.startswith(b"data:"):
                    self.seen.event(line[5:].strip().decode())
                case "SSE":
                    assert not line or line.split(b":")[0] in (b"id", b"event"), f"no SSE: {line}"
                case "NDJSON" if line:
                    self.seen.event(json.loads(line))
                case "NDJSON":
                    self.seen.heartbeat()


async def curl(url, protocol, seconds, *flags):
    seen = Seen()
    lines = Lines(seen, protocol)
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--no-buffer", "--fail", "--insecure", *flags, url,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds):
            while piece := await process.stdout.read(4096):
                lines.take(piece)
            seen.end(f"curl {await process.wait()}")
    except TimeoutError:
        process.kill()
        await process.wait()
    return seen


async def grpcio(address, seconds):
    seen = Seen()
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_stream(METHOD)(b"")  # no (de)serializer: bytes in, bytes out
        try:
            async with asyncio.timeout(seconds):
                async for message in call:
                    if message == HEARTBEAT:
                        seen.heartbeat()
                    else:
                        seen.event(name_of(message))
                seen.end("OK")
        except TimeoutError:
            call.cancel()
        except grpc.aio.AioRpcError as error:
            seen.end(error.code().name)
    return seen


def name_of(message):
    """The id of a GatewayEvent, or its type if it has none; both are short."""
    length, rest = message[1], message[2:]
    event_type, rest = rest[:length], rest[length:]
    has_id = rest[:1] == b"\x12"
    return (rest[2 : 2 + rest[1]] if has_id else event_type).decode()


class Driven:
    """Clients in JavaScript, driven by lines of JSON."""

    def __init__(self, *command):
        self.command = command
        self.streams = {}
        self.version = None

    async def start(self):
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*self.command, stdin=pipe, stdout=pipe)
        async with asyncio.timeout(PATIENCE):
            self.version = json.loads(await self.process.stdout.readline())["version"]
        self.hearing = asyncio.create_task(self.hear())

    async def hear(self):
        """What is told of the streams, handed to those who wait for it."""
        try:
            while line := await self.process.stdout.readline():
                news = json.loads(line)
                self.streams[news["stream"]].put_nowait(news)
        finally:
            for news in self.streams.values():
                news.put_nowait({"kind": "cut", "text": "the client has ended"})

    async def follow(self, protocol, seconds, **order):
        stream = str(len(self.streams))
        told = self.streams[stream] = asyncio.Queue()
        order |= {"stream": stream, "seconds": seconds}
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        await self.process.stdin.drain()
        seen = Seen()
        lines = Lines(seen, protocol)
        while True:
            async with asyncio.timeout(seconds + PATIENCE):
                news = await told.get()
            match news["kind"]:
                case "asked":
                    seen.asked = time.monotonic()
                case "piece":
                    lines.take(news["text"].encode())
                case "event":
                    seen.event(news["text"])
                case "heartbeat":
                    seen.heartbeat()
                case "cut":
                    seen.end(news["text"])
                    return seen
                case "over":
                    return seen

    async def stop(self):
        self.process.stdin.close()
        await self.process.wait()
        await self.hearing
