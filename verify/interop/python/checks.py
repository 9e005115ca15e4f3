"""What becomes of a stream behind nginx, and whether that is as it should be."""

PATIENCE = 2.0  # nginx's
LIFE = 10.0  # how long a stream must live
INTERVAL = 0.5  # of the examples

# Wide enough for a busy machine, and too narrow for heartbeats that a proxy buffers:
# those come in heaps, or not at all.
SOONEST = INTERVAL / 2
LATEST = PATIENCE - INTERVAL
ENOUGH = 0.6


def without(seen, events):
    """How a stream without heartbeats was cut. It must be, before all of its events have come."""
    assert seen.ended, "it lives without heartbeats"
    when, how = seen.ended
    assert PATIENCE / 2 <= when, f"cut after {when:.1f} s, and not by nginx: {how}"
    assert not seen.heartbeats, "there are heartbeats"
    assert events.begin(told(seen)), f"the events are {told(seen)}"
    return how


def within(seen, events):
    """Makes sure that a stream with heartbeats lives, and returns how many there were."""
    assert not seen.ended, f"cut after {seen.ended[0]:.1f} s: {seen.ended[1]}"
    assert events.complete(told(seen)), f"the events are {told(seen)}"
    arrivals = sorted([when for when, _ in seen.events] + seen.heartbeats)
    before = dict(zip(arrivals[1:], arrivals))
    gaps = [when - before[when] for when in seen.heartbeats if when in before]
    silence = max(b - a for a, b in zip(arrivals, arrivals[1:] + [LIFE]))
    assert silence <= LATEST, f"a silence of {silence:.2f} s"
    as_sent = sum(gap >= SOONEST for gap in gaps)
    assert as_sent >= ENOUGH * LIFE / INTERVAL, f"{as_sent} of {len(gaps)} heartbeats came as sent"
    return len(gaps)


def told(seen):
    return [what for _, what in seen.events]


class Story:
    """An event, a silence of more than nginx has patience for, and another event."""

    EVENTS = ["hello", "still here"]

    def complete(self, told):
        return told == self.EVENTS

    def begin(self, told):
        return told in ([], self.EVENTS[:1])


class Numbers:
    """Events that are numbered, in silences of more than nginx has patience for."""

    SILENCE = PATIENCE + INTERVAL

    def complete(self, told):
        return len(told) >= LIFE / self.SILENCE - 1 and self.consecutive(told)

    def begin(self, told):
        return len(told) <= 2 and self.consecutive(told)

    def consecutive(self, told):
        return told == [str(int(told[0]) + nth) for nth in range(len(told))] if told else True
