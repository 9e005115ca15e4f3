"""Feeding a parser: in chunks, and with a note of how far it was fed when it yielded an event."""

import asyncio
import io
import json
import re
from base64 import b64decode

from aiohttp import StreamReader

END = 1 << 52  # the number of bytes of the stream that stands for its end


class Protocol:
    """Enough of aiohttp's protocol for its `StreamReader`."""

    connected = True
    _reading_paused = False

    def pause_reading(self):
        pass

    def resume_reading(self, **_):
        pass


class Ended(BaseException):
    """Raised at the end of a stream in clients that would connect again."""


def cut(segments, chunking):
    """Gives chunks, each with the number of bytes of the stream that have been fed after it.

    - `bytes`: each byte is a chunk; long streams are cut into larger pieces
    - `lines`: each CR and LF is a chunk, and what is between them
    - `segments`: heartbeats are chunks of their own
    - `whole`: all bytes are one chunk
    """
    if chunking == "whole":
        return [(b"".join(part for part, _, _ in segments), segments[-1][2])] if segments else []
    chunks = []
    for part, is_heartbeat, end in segments:
        pieces = [part]
        if chunking == "bytes":
            size = 1 if len(part) <= 512 else 4096
            pieces = [part[at : at + size] for at in range(0, len(part), size)]
        elif chunking == "lines":
            pieces = re.findall(rb"[^\r\n]+|[\r\n]", part)
        left = len(part)
        for piece in pieces:
            left -= len(piece)
            chunks.append((piece, end if is_heartbeat else end - left))
    return chunks


def decoded(segments):
    return [(b64decode(part), is_heartbeat, end) for part, is_heartbeat, end in segments]


def text(event):
    it = json.dumps(event, default=str)
    return it if len(it) <= 1000 else f"{it[:100]}… {len(it)} characters"


class Source(io.RawIOBase):
    """The bytes that a parser reads, at most one chunk at a time."""

    def __init__(self, chunks):
        self.position = 0
        self.left = iter(chunks)
        self.rest = b""

    def __iter__(self):
        for chunk, self.position in self.left:
            yield chunk
        self.position = END

    __next__ = None

    async def __aiter__(self):
        for chunk in self:
            yield chunk

    def then_ended(self):
        yield from self
        raise Ended

    def readable(self):
        return True

    def readinto(self, into):
        if not self.rest:
            self.rest, self.position = next(self.left, (b"", END))
        size = min(len(into), len(self.rest))
        into[:size], self.rest = self.rest[:size], self.rest[size:]
        return size

    def lines(self):
        return io.BufferedReader(self)


def pull(parser, chunks):
    """Runs a parser that takes the next chunk when it needs one. It is called with a `Source`, and returns the events."""
    source, events = Source(chunks), []
    try:
        for event in parser(source):
            events.append((text(event), source.position))
    except Ended:
        pass
    except Exception as error:
        return {"events": events, "error": f"{type(error).__name__}: {error}"[:200]}
    return {"events": events, "error": None}


def push(parser, chunks):
    """Runs an asynchronous parser, which is called with an object with `feed_data` and `feed_eof`. After each chunk it runs
    until it waits for more."""
    return asyncio.run(push_all(parser, chunks))


async def push_all(parser, chunks):
    reader = StreamReader(Protocol(), 2**16, loop=asyncio.get_running_loop())
    events, position, error = [], 0, None

    async def consume():
        nonlocal error
        try:
            async for event in parser(reader):
                events.append((text(event), position))
        except Ended:
            pass
        except Exception as it:
            error = f"{type(it).__name__}: {it}"[:200]

    task = asyncio.create_task(consume())
    for chunk, position in chunks:
        reader.feed_data(chunk)
        for _ in range(4):
            await asyncio.sleep(0)
    position = END
    reader.feed_eof()
    await task
    return {"events": events, "error": error}
