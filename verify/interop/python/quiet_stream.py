"""A gRPC client that decodes nothing, on a quiet stream of `heartbeat-gateway serve`.

Usage: quiet_stream.py PATH-OF-HEARTBEAT-GATEWAY

It looks at the messages as bytes and at when they come: after the real event at the beginning there
are heartbeats of exactly 19 bytes, none too soon after the message before and none too late, but for
a few.
"""

import subprocess
import sys
import time

import grpc

from clients import HEARTBEAT, METHOD

INTERVAL = 0.200
HEARTBEATS = 25

# A client that is kept waiting for its CPU sees one heartbeat late and the next one soon after it: so much
# is forgiven to a few of them.
SOONEST = 0.150
LATEST = 0.400
STRAGGLERS = 5


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
    """Gives the silences before the heartbeats, in seconds."""
    with grpc.insecure_channel(address) as channel:
        subscribe = channel.unary_stream(METHOD)  # no (de)serializer: bytes in, bytes out
        messages = subscribe(b"", timeout=30)
        first = next(messages)
        assert first != HEARTBEAT, "the first message is a real event"
        gaps = []
        last = time.monotonic()
        for _ in range(HEARTBEATS):
            message = next(messages)
            now = time.monotonic()
            gaps.append(now - last)
            last = now
            assert message == HEARTBEAT, f"{len(message)} bytes: {message!r}"
        regular = sum(SOONEST <= gap <= LATEST for gap in gaps)
        assert regular >= HEARTBEATS - STRAGGLERS, f"the silences are {gaps}"
        messages.cancel()
        return gaps


if __name__ == "__main__":
    main(*sys.argv[1:])
