//! Random histories, compared with the reference model; and one property for each rule, checked without the
//! model.

#![expect(clippy::unchecked_time_subtraction, reason = "a test that underflows fails")]

mod reference_model;

use std::time::Duration;

use heartbeat_core::{Action, Config, Heartbeat, Jitter, Watchdog};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use reference_model::{At, Model, ModelEntry, Op, WatchModel, WatchOp, play, play_watch};

const LONGEST_HISTORY: usize = 60;

/// The next call, relative to the calls before it.
#[derive(Debug, Clone, Copy)]
enum HistoryStep {
    Call(Call, CallTime),
    Failed,
    Stop,
}

#[derive(Debug, Clone, Copy)]
enum Call {
    Send,
    Bytes,
    Sent,
    Poll,
}

#[derive(Debug, Clone, Copy)]
enum CallTime {
    /// The clock does not move.
    Same,
    /// The clock moves on.
    Later(Duration),
    /// The clock steps back.
    Earlier(Duration),
    /// Before the latest deadline that was returned.
    BeforeDeadline(Duration),
    /// At the latest deadline that was returned.
    OnTime,
    /// After the latest deadline that was returned.
    AfterDeadline(Duration),
    /// This long before the end of the clock.
    NearTheEnd(Duration),
}

fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0u64..5).prop_map(Duration::from_nanos),
        (0u64..40).prop_map(Duration::from_secs),
        (0u64..40_000_000_000).prop_map(Duration::from_nanos),
    ]
}

/// Durations of a configuration: zero, ordinary ones, and those near the limits of T8.
fn setting() -> impl Strategy<Value = Duration> {
    prop_oneof![
        1 => Just(Duration::ZERO),
        6 => duration(),
        1 => (0u64..3).prop_map(|less| Duration::from_nanos(u64::MAX - less)),
        1 => Just(Duration::MAX),
    ]
}

fn granularity() -> impl Strategy<Value = Duration> {
    prop_oneof![3 => Just(Duration::ZERO), 2 => duration(), 1 => Just(Duration::MAX)]
}

fn when() -> impl Strategy<Value = CallTime> {
    prop_oneof![
        3 => Just(CallTime::Same),
        6 => duration().prop_map(CallTime::Later),
        2 => duration().prop_map(CallTime::Earlier),
        3 => duration().prop_map(CallTime::BeforeDeadline),
        6 => Just(CallTime::OnTime),
        3 => duration().prop_map(CallTime::AfterDeadline),
        1 => duration().prop_map(CallTime::NearTheEnd),
    ]
}

fn step() -> impl Strategy<Value = HistoryStep> {
    let call = prop_oneof![
        4 => Just(Call::Send),
        2 => Just(Call::Bytes),
        4 => Just(Call::Sent),
        12 => Just(Call::Poll),
    ];
    prop_oneof![
        60 => (call, when()).prop_map(|(call, when)| HistoryStep::Call(call, when)),
        1 => Just(HistoryStep::Failed),
        1 => Just(HistoryStep::Stop),
    ]
}

fn config() -> impl Strategy<Value = Config> {
    let interval = prop_oneof![4 => (1u64..20).prop_map(Duration::from_secs), 3 => setting()];
    let jitter = prop_oneof![3 => Just(0u16), 2 => any::<u16>(), 1 => Just(u16::MAX)];
    (interval, jitter, setting(), setting(), any::<bool>(), proptest::option::of(any::<u32>()))
        .prop_map(|(interval, jitter, give_up, stall, immediate_first, seed)| {
            let config = Config::every(interval)
                .with_jitter(fraction(jitter))
                .with_give_up_after(give_up)
                .with_stall_after(stall)
                .with_immediate_first(immediate_first);
            seed.map_or(config, |seed| config.with_seed(seed))
        })
}

/// The jitter of `parts` / 65536.
fn fraction(parts: u16) -> Jitter {
    Jitter::try_from(f32::from(parts) / 65536.0).expect("below one")
}

prop_compose! {
    /// A heartbeat, and the calls on it.
    fn history()(
        config in config(),
        granularity in granularity(),
        opened in prop_oneof![
            4 => duration(),
            1 => duration().prop_map(|before| Duration::MAX - before),
        ],
        steps in prop::collection::vec(step(), 0..LONGEST_HISTORY),
    ) -> History {
        History { config, granularity, opened, steps }
    }
}

#[derive(Debug, Clone)]
struct History {
    config: Config,
    granularity: Duration,
    opened: At,
    steps: Vec<HistoryStep>,
}

impl History {
    fn heartbeat(&self) -> Heartbeat<At> {
        Heartbeat::new(&self.config, self.opened).with_granularity(self.granularity)
    }

    fn model(&self) -> Model {
        Model::new(self.config, self.granularity, self.opened, LONGEST_HISTORY)
    }

    /// Plays the history, and returns the calls and answers.
    fn entries(&self) -> Vec<ModelEntry> {
        let mut heartbeat = self.heartbeat();
        let (mut seen, mut deadline) = (self.opened, self.opened);
        let entry = |step: &HistoryStep| {
            let op = resolve(*step, seen, deadline);
            if let Op::Send(now) | Op::Bytes(now) | Op::Sent(now) | Op::Poll(now) = op {
                seen = seen.max(now);
            }
            let answer = play(&mut heartbeat, op);
            if let Some(Action::WaitUntil(at)) = answer {
                deadline = at;
            }
            ModelEntry { op, seen, answer }
        };
        self.steps.iter().map(entry).collect()
    }
}

fn resolve(step: HistoryStep, seen: At, deadline: At) -> Op {
    let (call, when) = match step {
        HistoryStep::Call(call, when) => (call, when),
        HistoryStep::Failed => return Op::Failed,
        HistoryStep::Stop => return Op::Stop,
    };
    let now = match when {
        CallTime::Same => seen,
        CallTime::Later(by) => seen.saturating_add(by),
        CallTime::Earlier(by) => seen.saturating_sub(by),
        CallTime::BeforeDeadline(by) => deadline.saturating_sub(by),
        CallTime::OnTime => deadline,
        CallTime::AfterDeadline(by) => deadline.saturating_add(by),
        CallTime::NearTheEnd(by) => Duration::MAX - by,
    };
    match call {
        Call::Send => Op::Send(now),
        Call::Bytes => Op::Bytes(now),
        Call::Sent => Op::Sent(now),
        Call::Poll => Op::Poll(now),
    }
}

fn requested(entry: &ModelEntry) -> bool {
    matches!(entry.answer, Some(Action::SendHeartbeat { .. }))
}

fn bytes_sent(entry: &ModelEntry) -> bool {
    matches!(entry.op, Op::Send(_) | Op::Bytes(_) | Op::Sent(_))
}

/// The shortest and the longest gap by T11; `None` for an endless interval.
fn gap_bounds(config: &Config) -> Option<(Duration, Duration)> {
    let nanos = u64::try_from(config.interval().as_nanos()).ok().filter(|&n| n < u64::MAX)?;
    let parts = 65536.0 - config.jitter().fraction() * 65536.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number")]
    let shortest = (u128::from(nanos) * parts as u128).div_ceil(1 << 16);
    Some((Duration::from_nanos(shortest.try_into().ok()?), Duration::from_nanos(nanos)))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1024,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn t1_to_t13_and_t20_heartbeat_answers_like_the_model(history in history()) {
        let (mut heartbeat, mut model) = (history.heartbeat(), history.model());
        for entry in history.entries() {
            prop_assert_eq!(play(&mut heartbeat, entry.op), model.record(entry.op), "{:?}", entry.op);
            let silence = model.idle_time(entry.seen);
            if silence <  Duration::from_nanos(u64::MAX) {
                prop_assert_eq!(heartbeat.idle_time(entry.seen), silence); // T19
                prop_assert_eq!(heartbeat.idle_time(At::ZERO), silence); // T7
            }
        }
    }

    #[test]
    fn t1_a_disabled_heartbeat_requests_nothing(mut history in history()) {
        history.config = Config::every(Duration::ZERO)
            .with_immediate_first(history.config.immediate_first())
            .with_give_up_after(history.config.give_up_after())
            .with_stall_after(history.config.stall_after());
        for answer in history.entries().iter().filter_map(|entry| entry.answer) {
            prop_assert!(matches!(answer, Action::WaitForever | Action::Stopped), "{:?}", answer);
        }
    }

    #[test]
    fn t2_the_first_deadline_is_one_gap_after_opening_or_at_once(history in history()) {
        let Some((shortest, longest)) = gap_bounds(&history.config).filter(|gap| !gap.1.is_zero())
        else { return Ok(()) };
        let plain = Config::every(longest).with_jitter(history.config.jitter());
        let first = Heartbeat::new(&plain, history.opened).poll_deadline(history.opened);
        match history.opened.checked_add(shortest) {
            None => prop_assert_eq!(first, Action::WaitForever), // T8
            Some(earliest) => match first {
                Action::WaitUntil(at) => {
                    prop_assert!(at >= earliest && at - history.opened <= longest);
                }
                Action::WaitForever => prop_assert!(history.opened.checked_add(longest).is_none()),
                other => prop_assert!(false, "{:?}", other),
            },
        }
        let mut immediate_first = Heartbeat::new(&plain.with_immediate_first(true), history.opened);
        let at_once = Action::SendHeartbeat { late: Duration::ZERO };
        prop_assert_eq!(immediate_first.poll_deadline(history.opened), at_once);
    }

    #[test]
    fn t3_t4_requested_after_a_gap_of_silence_and_never_earlier(history in history()) {
        let Some((shortest, _)) = gap_bounds(&history.config) else { return Ok(()) };
        let min_silence = shortest - history.granularity.min(history.config.interval() / 2).min(shortest);
        let mut silent_since = history.opened;
        let mut first = history.config.immediate_first();
        for entry in history.entries() {
            if requested(&entry) && !first {
                prop_assert!(entry.seen - silent_since >= min_silence, "{:?}", entry);
            }
            first &= !requested(&entry) && !bytes_sent(&entry);
            if bytes_sent(&entry) {
                silent_since = entry.seen;
            }
        }
    }

    #[test]
    fn t4_every_returned_deadline_lies_in_the_future(history in history()) {
        for entry in history.entries() {
            if let Some(Action::WaitUntil(at)) = entry.answer {
                prop_assert!(at > entry.seen, "{:?}", entry);
            }
        }
    }

    #[test]
    fn t5_one_heartbeat_is_in_flight_at_most(history in history()) {
        let mut in_flight = false;
        for entry in history.entries() {
            prop_assert!(!(in_flight && requested(&entry)), "{:?}", entry);
            in_flight = (in_flight || requested(&entry)) && !bytes_sent(&entry);
        }
    }

    #[test]
    fn t6_no_heartbeat_directly_follows_an_event(mut history in history()) {
        let Some((shortest, _)) = gap_bounds(&history.config) else { return Ok(()) };
        history.granularity = Duration::ZERO;
        let entries = history.entries();
        for (send, next) in entries.iter().zip(entries.iter().skip(1)) {
            if matches!(send.op, Op::Send(_)) && requested(next) {
                prop_assert!(next.seen - send.seen >= shortest, "{:?} {:?}", send, next);
            }
        }
    }

    #[test]
    fn t7_a_clock_that_steps_back_counts_as_stopped(history in history()) {
        let mut steady = history.heartbeat();
        for entry in history.entries() {
            let op = match entry.op {
                Op::Send(_) => Op::Send(entry.seen),
                Op::Bytes(_) => Op::Bytes(entry.seen),
                Op::Sent(_) => Op::Sent(entry.seen),
                Op::Poll(_) => Op::Poll(entry.seen),
                other => other,
            };
            prop_assert_eq!(play(&mut steady, op), entry.answer);
        }
    }

    #[test]
    fn t8_a_deadline_that_cannot_be_represented_waits_forever(gap in 1u64..100, after in 1u64..100) {
        let opened = Duration::MAX - Duration::from_secs(gap);
        let mut heartbeat = Heartbeat::new(&Config::every(Duration::from_secs(gap)), opened);
        prop_assert_eq!(heartbeat.poll_deadline(opened), Action::WaitUntil(Duration::MAX));
        heartbeat.on_send(opened + Duration::from_nanos(after));
        prop_assert_eq!(heartbeat.poll_deadline(Duration::MAX), Action::WaitForever);
    }

    #[test]
    fn t9_t10_after_the_end_every_answer_is_stopped(history in history()) {
        let mut ended = false;
        for entry in history.entries() {
            if ended && entry.answer.is_some() {
                prop_assert_eq!(entry.answer, Some(Action::Stopped));
            }
            prop_assert!(ended || entry.answer != Some(Action::Stopped));
            ended |= matches!(entry.op, Op::Failed | Op::Stop)
                || entry.answer == Some(Action::Stalled);
        }
    }

    #[test]
    fn t11_each_gap_lies_in_its_range_and_depends_on_the_seed_alone(
        seconds in 1u64..100_000, parts: u16, seed: u32, sends in 0usize..5,
    ) {
        let config = Config::every(Duration::from_secs(seconds))
            .with_jitter(fraction(parts))
            .with_seed(seed);
        let (shortest, longest) = gap_bounds(&config).expect("a finite interval");
        let gaps = |sends: usize| {
            let mut now = At::ZERO;
            let mut heartbeat = Heartbeat::new(&config, now);
            (0..20).map(|_| {
                for _ in 0..sends {
                    heartbeat.on_send(now);
                }
                let Action::WaitUntil(at) = heartbeat.poll_deadline(now) else { panic!("not armed") };
                let gap = at - now;
                now = at;
                assert!(matches!(heartbeat.poll_deadline(now), Action::SendHeartbeat { .. }));
                heartbeat.on_heartbeat_sent(now);
                gap
            }).collect::<Vec<_>>()
        };
        let drawn = gaps(0);
        prop_assert!(drawn.iter().all(|gap| (shortest..=longest).contains(gap)), "{:?}", drawn);
        prop_assert_eq!(gaps(sends), drawn);
    }

    #[test]
    fn t12_gives_up_once_and_stays_silent_until_the_next_event(history in history()) {
        let mut gave_up = false;
        let mut event = history.opened;
        for entry in history.entries() {
            if matches!(entry.op, Op::Send(_)) {
                (gave_up, event) = (false, entry.seen);
            }
            prop_assert!(!(gave_up && requested(&entry)), "a heartbeat after giving up: {:?}", entry);
            if entry.answer == Some(Action::GiveUp) {
                prop_assert!(!gave_up, "given twice: {:?}", entry);
                prop_assert!(entry.seen - event >= history.config.give_up_after());
                gave_up = true;
            }
        }
    }

    #[test]
    fn t20_stalls_only_after_a_heartbeat_was_in_flight_for_that_long(history in history()) {
        let mut requested_at = None;
        for entry in history.entries() {
            if entry.answer == Some(Action::Stalled) {
                let requested_at: At = requested_at.expect("a heartbeat in flight");
                prop_assert!(entry.seen - requested_at >= history.config.stall_after());
            }
            if bytes_sent(&entry) {
                requested_at = None;
            } else if requested(&entry) {
                requested_at = Some(entry.seen);
            }
        }
    }

    #[test]
    fn polling_again_at_the_same_instant_changes_nothing(history in history()) {
        let (mut once, mut twice) = (history.heartbeat(), history.heartbeat());
        for entry in history.entries() {
            let answer = play(&mut once, entry.op);
            prop_assert_eq!(answer, play(&mut twice, entry.op));
            let Some(Action::WaitUntil(_) | Action::WaitForever | Action::Stopped) = answer else {
                continue; // the other answers are given once
            };
            prop_assert_eq!(Some(twice.poll_deadline(entry.seen)), answer);
        }
    }

    #[test]
    fn t14_watchdog_answers_like_the_model(
        timeout in setting(),
        granularity in granularity(),
        opened in prop_oneof![duration(), duration().prop_map(|before| Duration::MAX - before)],
        steps in prop::collection::vec(step(), 0..LONGEST_HISTORY),
    ) {
        let mut watchdog = Watchdog::new(timeout, opened).with_granularity(granularity);
        let mut model = WatchModel::new(timeout, granularity, opened);
        let (mut seen, mut deadline) = (opened, opened);
        for step in steps {
            let op = match resolve(step, seen, deadline) {
                Op::Send(now) | Op::Bytes(now) | Op::Sent(now) => WatchOp::Receive(now),
                Op::Poll(now) => WatchOp::Poll(now),
                Op::Failed | Op::Stop => WatchOp::Stop,
            };
            if let WatchOp::Receive(now) | WatchOp::Poll(now) = op {
                seen = seen.max(now);
            }
            let answer = play_watch(&mut watchdog, op);
            if let Some(heartbeat_core::WatchdogAction::WaitUntil(at)) = answer {
                deadline = at;
            }
            prop_assert_eq!(answer, model.record(op), "{:?}", op);
        }
    }
}
