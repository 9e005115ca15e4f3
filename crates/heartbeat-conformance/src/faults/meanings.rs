//! What a scenario that fails means for a stream.

/// Scenarios whose failure means the same.
pub(super) struct Meaning {
    /// How their names begin.
    pub(super) scenarios: &'static [&'static str],
    pub(super) means: &'static str,
    pub(super) usual_cause: &'static str,
}

const CLOCK: &str = "the clock and the sleeps do not show the same time";
const OURS: &str = "the timer, if a `timer_…` fails as well; else a bug of `heartbeat-async`";

const fn meaning(
    scenarios: &'static [&'static str],
    means: &'static str,
    usual_cause: &'static str,
) -> Meaning {
    Meaning { scenarios, means, usual_cause }
}

/// Each scenario belongs to one of them.
pub(super) const MEANINGS: [Meaning; 21] = [
    meaning(
        &["timer_is_on_time_and_wakes"],
        "Heartbeats are sent early, late or never.",
        "the sleep rounds its deadline down, or does not wake its task",
    ),
    meaning(
        &["timer_moves_a_sleep_that_is_set", "timer_resets_a_sleep_that_is_ready"],
        "After an event or a heartbeat, the next heartbeat comes at the wrong time or never.",
        "`reset` keeps the old deadline or the old result; the default of `reset` is correct",
    ),
    meaning(
        &["timer_is_ready_at_once_after_its_deadline"],
        "A heartbeat that is overdue is never sent, for example after the task was blocked.",
        "the sleep waits for a tick that has passed",
    ),
    meaning(
        &[
            "timer_wakes_the_last_waker",
            "t16_the_last_waker_is_woken",
            "t16_watchdog_the_last_waker_is_woken",
            "t16_an_earlier_waker_is_forgotten",
        ],
        "A stream that moves to another task, or into a `select!` or `FuturesUnordered`, sends no heartbeat or reports \
         no timeout.",
        "the sleep keeps the waker of an earlier poll, as that of [monoio](#monoio) does, or loses it",
    ),
    meaning(
        &["t1_"],
        "A stream whose heartbeats or timeout are disabled still pays for a timer.",
        OURS,
    ),
    meaning(
        &["t2_", "t3_", "t4_"],
        "A heartbeat comes too early or too late after the stream was opened or after an event, and a proxy may close \
         the stream.",
        CLOCK,
    ),
    meaning(
        &["t5_", "t6_"],
        "A consumer or peer that was busy finds several heartbeats, or one that an event had made needless.",
        OURS,
    ),
    meaning(
        &["t7_"],
        "A heartbeat or a timeout comes at the wrong time after the clock has run back.",
        OURS,
    ),
    meaning(
        &["t8_"],
        "An interval or timeout that is meant as \"never\" panics or ends at once.",
        "`Instant::checked_add` wraps around where it should return `None`",
    ),
    meaning(&["t9_"], "A stream sends heartbeats after `stop`.", OURS),
    meaning(
        &["t10_"],
        "A lost heartbeat is not reported, or an error reaches the wrong task.",
        OURS,
    ),
    meaning(
        &["t11_"],
        "Streams that were opened together send their heartbeats together, or later than the interval.",
        CLOCK,
    ),
    meaning(
        &["t12_"],
        "A stream whose producer is dead is kept alive for too long or for too short a time.",
        CLOCK,
    ),
    meaning(
        &["t14_"],
        "A client reports a server as silent that is not, or reports a silent server late or never.",
        CLOCK,
    ),
    meaning(
        &[
            "t16_a_burst",
            "t16_watchdog_a_burst",
            "t16_the_sleep",
            "t16_sink",
            "t16_watchdog_the_sleep",
        ],
        "Items cost more than they should: calls to the timer, or polls.",
        "the sleep is ready long before its deadline and is set again and again",
    ),
    meaning(
        &["t16_a_sleep", "t16_watchdog_a_sleep", "t16_an_item"],
        "A stream uses a whole CPU, or is not woken, when its sleep ends at an unlucky moment.",
        "the sleep keeps the waker of an earlier poll, or waits for a tick that has passed",
    ),
    meaning(
        &["t17_"],
        "Items are lost or reordered, or a heartbeat stands inside a message or after the end.",
        OURS,
    ),
    meaning(
        &["t18_"],
        "A sender, a close or a driver waits forever, or an item is lost or never flushed.",
        OURS,
    ),
    meaning(
        &["t19_"],
        "Metrics are wrong: a heartbeat is not reported, is reported twice, or with a wrong time.",
        CLOCK,
    ),
    meaning(
        &["t20_"],
        "A peer that accepts nothing is reported late, twice or never, or delays the end of the driver.",
        "`reset` to an earlier deadline is ignored",
    ),
    meaning(
        &["t21_"],
        "A stream with two wrappers sends too many heartbeats, or does not give up on its producer.",
        OURS,
    ),
];
