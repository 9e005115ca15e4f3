"""Clients of other projects, and the records of what they receive."""

import asyncio
import json
import time
from dataclasses import dataclass, field

import grpc

RESPONSE_TIMEOUT = 60  # seconds to wait for the output of a client, on a busy machine
METHOD = "/galaxy.gateway.v1.GatewayService/Subscribe"
HEARTBEAT = b"\x0a\x11gateway.heartbeat"


@dataclass
class Recording:
    """The items that a client has received. Times are seconds since its request."""

    requested_at: float = field(default_factory=time.monotonic)
    events: list = field(default_factory=list)  # (time, text)
    heartbeats: list = field(default_factory=list)  # times
    ended: tuple | None = None  # (time, reason)

    def event(self, text):
        self.events.append((self.now(), text))

    def heartbeat(self):
        self.heartbeats.append(self.now())

    def end(self, reason):
        self.ended = (self.now(), reason)

    def now(self):
        return time.monotonic() - self.requested_at


class LineParser:
    """Parses a stream of SSE or NDJSON as it arrives."""

    def __init__(self, recording, protocol):
        self.recording = recording
        self.protocol = protocol
        self.rest = b""

    def feed(self, piece):
        *lines, self.rest = (self.rest + piece).split(b"\n")
        for line in lines:
            match self.protocol:
                case "SSE" if line.startswith(b":"):
                    self.recording.heartbeat()
                case "SSE" if line.startswith(b"data:"):
                    self.recording.event(line[5:].strip().decode())
                case "SSE":
                    assert not line or line.split(b":")[0] in (b"id", b"event"), f"not a line of SSE: {line}"
                case "NDJSON" if line:
                    self.recording.event(json.loads(line))
                case "NDJSON":
                    self.recording.heartbeat()


async def curl(url, protocol, seconds, *flags):
    recording = Recording()
    parser = LineParser(recording, protocol)
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--no-buffer", "--fail", "--insecure", *flags, url,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds):
            while piece := await process.stdout.read(4096):
                parser.feed(piece)
            recording.end(f"curl {await process.wait()}")
    except TimeoutError:
        process.kill()
        await process.wait()
    return recording


async def grpcio(address, seconds):
    recording = Recording()
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_stream(METHOD)(b"")  # no (de)serializer: bytes in, bytes out
        try:
            async with asyncio.timeout(seconds):
                async for message in call:
                    if message == HEARTBEAT:
                        recording.heartbeat()
                    else:
                        recording.event(name_of(message))
                recording.end("OK")
        except TimeoutError:
            call.cancel()
        except grpc.aio.AioRpcError as error:
            recording.end(error.code().name)
    return recording


def name_of(message):
    """The id of a GatewayEvent, or its type if it has none; both are short."""
    length, rest = message[1], message[2:]
    event_type, rest = rest[:length], rest[length:]
    has_id = rest[:1] == b"\x12"
    return (rest[2 : 2 + rest[1]] if has_id else event_type).decode()


class NodeClient:
    """A client in JavaScript. It reads commands and writes reports as lines of JSON."""

    def __init__(self, *command):
        self.command = command
        self.reports = {}  # queues by the id of the stream
        self.version = None

    async def start(self):
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*self.command, stdin=pipe, stdout=pipe)
        async with asyncio.timeout(RESPONSE_TIMEOUT):
            self.version = json.loads(await self.process.stdout.readline())["version"]
        self.reading = asyncio.create_task(self.read_reports())

    async def read_reports(self):
        """Puts each report into the queue of its stream."""
        try:
            while line := await self.process.stdout.readline():
                report = json.loads(line)
                self.reports[report["stream"]].put_nowait(report)
        finally:
            for queue in self.reports.values():
                queue.put_nowait({"kind": "ended", "text": "the client has exited"})

    async def receive(self, protocol, seconds, **command):
        stream = str(len(self.reports))
        reports = self.reports[stream] = asyncio.Queue()
        command |= {"stream": stream, "seconds": seconds}
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        await self.process.stdin.drain()
        recording = Recording()
        parser = LineParser(recording, protocol)
        while True:
            async with asyncio.timeout(seconds + RESPONSE_TIMEOUT):
                report = await reports.get()
            match report["kind"]:
                case "requested":
                    recording.requested_at = time.monotonic()
                case "piece":
                    parser.feed(report["text"].encode())
                case "event":
                    recording.event(report["text"])
                case "heartbeat":
                    recording.heartbeat()
                case "ended":
                    recording.end(report["text"])
                    return recording
                case "time_over":
                    return recording

    async def stop(self):
        self.process.stdin.close()
        await self.process.wait()
        await self.reading
