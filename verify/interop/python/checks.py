"""Checks of the streams that clients receive through nginx."""

READ_TIMEOUT = 2.0  # of nginx, in seconds
LIFETIME = 10.0  # seconds that a stream has to stay open
INTERVAL = 0.5  # of the heartbeats

# Limits that a busy machine keeps. A proxy that buffers heartbeats exceeds them: it delivers several at once, or none.
MIN_GAP = INTERVAL / 2
MAX_SILENCE = READ_TIMEOUT - INTERVAL
MIN_SHARE = 0.6  # of the heartbeats that have to arrive at least `MIN_GAP` after the item before


def check_cut(recording, expected):
    """Checks that nginx cut a stream without heartbeats before its last event. Returns how the client reported the cut."""
    assert recording.ended, "the stream without heartbeats was not cut"
    time, reason = recording.ended
    assert READ_TIMEOUT / 2 <= time, f"cut after {time:.1f} s, too early for nginx: {reason}"
    assert not recording.heartbeats, "heartbeats on a stream without heartbeats"
    assert expected.is_prefix(texts(recording)), f"wrong events: {texts(recording)}"
    return reason


def check_alive(recording, expected):
    """Checks that a stream with heartbeats stayed open. Returns the number of heartbeats."""
    assert not recording.ended, f"cut after {recording.ended[0]:.1f} s: {recording.ended[1]}"
    assert expected.is_complete(texts(recording)), f"wrong events: {texts(recording)}"
    arrivals = sorted([time for time, _ in recording.events] + recording.heartbeats)
    before = dict(zip(arrivals[1:], arrivals))
    gaps = [time - before[time] for time in recording.heartbeats if time in before]
    silence = max(b - a for a, b in zip(arrivals, arrivals[1:] + [LIFETIME]))
    assert silence <= MAX_SILENCE, f"a silence of {silence:.2f} s"
    spaced = sum(gap >= MIN_GAP for gap in gaps)
    assert spaced >= MIN_SHARE * LIFETIME / INTERVAL, f"only {spaced} of {len(gaps)} heartbeats arrived separately"
    return len(gaps)


def texts(recording):
    return [text for _, text in recording.events]


class TwoEvents:
    """Two events with a silence between them that is longer than nginx's timeout."""

    EVENTS = ["hello", "still here"]

    def is_complete(self, events):
        return events == self.EVENTS

    def is_prefix(self, events):
        return events in ([], self.EVENTS[:1])


class NumberedEvents:
    """Numbered events with silences between them that are longer than nginx's timeout."""

    SILENCE = READ_TIMEOUT + INTERVAL

    def is_complete(self, events):
        return len(events) >= LIFETIME / self.SILENCE - 1 and self.are_consecutive(events)

    def is_prefix(self, events):
        return len(events) <= 2 and self.are_consecutive(events)

    def are_consecutive(self, events):
        return events == [str(int(events[0]) + nth) for nth in range(len(events))] if events else True
