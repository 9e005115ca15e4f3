"""Receives a quiet stream of `heartbeat-gateway serve` with a gRPC client that does not decode messages.

Usage: quiet_stream.py PATH_TO_HEARTBEAT_GATEWAY

Checks the bytes of the messages and the times of their arrival: one event, then heartbeats of exactly 19 bytes. The
time between two messages must be within limits, with a few exceptions.
"""

import subprocess
import sys
import time

import grpc

from clients import HEARTBEAT, METHOD

INTERVAL = 0.200
HEARTBEATS = 25

# On a busy machine the client may see a heartbeat late, and the next one soon after it.
MIN_GAP = 0.150
MAX_GAP = 0.400
MAX_OUTLIERS = 5


def main(gateway):
    server = subprocess.Popen(
        [gateway, "serve", "--listen", "127.0.0.1:0", "--interval", "200ms", "--event-every", "0s"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = server.stdout.readline().rsplit(" ", 1)[-1].strip()
        gaps = receive(address)
    finally:
        server.terminate()
    if server.wait(timeout=10) != 0:
        sys.exit(f"the server ended with {server.returncode}")
    print(
        f"{HEARTBEATS} heartbeats of {len(HEARTBEAT)} bytes, "
        f"{min(gaps) * 1000:.1f} to {max(gaps) * 1000:.1f} ms apart"
    )
    print("1 passed, 0 failed")


def receive(address):
    """Returns the silence before each heartbeat, in seconds."""
    with grpc.insecure_channel(address) as channel:
        subscribe = channel.unary_stream(METHOD)  # no (de)serializer: bytes in, bytes out
        messages = subscribe(b"", timeout=30)
        first = next(messages)
        assert first != HEARTBEAT, "the first message has to be an event"
        gaps = []
        last = time.monotonic()
        for _ in range(HEARTBEATS):
            message = next(messages)
            now = time.monotonic()
            gaps.append(now - last)
            last = now
            assert message == HEARTBEAT, f"{len(message)} bytes: {message!r}"
        regular = sum(MIN_GAP <= gap <= MAX_GAP for gap in gaps)
        assert regular >= HEARTBEATS - MAX_OUTLIERS, f"too many irregular silences: {gaps}"
        messages.cancel()
        return gaps


if __name__ == "__main__":
    main(*sys.argv[1:])
