//! Random histories against the naive model, and one property for each rule, checked on what the
//! machine answered without asking the model.

#![expect(clippy::unchecked_time_subtraction, reason = "a test that underflows fails")]

mod reference_model;

use std::time::Duration;

use heartbeat_core::{Action, Config, Heartbeat, Jitter, Watchdog};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use reference_model::{At, Entry, Model, Op, WatchModel, WatchOp, play, play_watch};

const LONGEST_HISTORY: usize = 60;

/// What happens next, told relative to where the history stands.
#[derive(Debug, Clone, Copy)]
enum Step {
    Call(Call, When),
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
enum When {
    /// The clock stands still.
    Same,
    /// It runs on.
    Later(Duration),
    /// It runs back.
    Earlier(Duration),
    /// Just before the latest deadline that was answered.
    BeforeDeadline(Duration),
    /// At the latest deadline that was answered.
    OnTime,
    /// After the latest deadline that was answered.
    AfterDeadline(Duration),
    /// That much before the end of the range.
    NearTheEnd(Duration),
}

fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0u64..5).prop_map(Duration::from_nanos),
        (0u64..40).prop_map(Duration::from_secs),
        (0u64..40_000_000_000).prop_map(Duration::from_nanos),
    ]
}

/// Durations as a configuration may hold them: none, ordinary ones, and those near T8's edges.
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

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        3 => Just(When::Same),
        6 => duration().prop_map(When::Later),
        2 => duration().prop_map(When::Earlier),
        3 => duration().prop_map(When::BeforeDeadline),
        6 => Just(When::OnTime),
        3 => duration().prop_map(When::AfterDeadline),
        1 => duration().prop_map(When::NearTheEnd),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let call = prop_oneof![
        4 => Just(Call::Send),
        2 => Just(Call::Bytes),
        4 => Just(Call::Sent),
        12 => Just(Call::Poll),
    ];
    prop_oneof![
        60 => (call, when()).prop_map(|(call, when)| Step::Call(call, when)),
        1 => Just(Step::Failed),
        1 => Just(Step::Stop),
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

/// Exactly that many 65536ths.
fn fraction(parts: u16) -> Jitter {
    Jitter::try_from(f32::from(parts) / 65536.0).expect("below one")
}

prop_compose! {
    /// A machine at its birth, and what happens to it.
    fn history()(
        config in config(),
        granularity in granularity(),
        birth in prop_oneof![
            4 => duration(),
            1 => duration().prop_map(|before| Duration::MAX - before),
        ],
        steps in prop::collection::vec(step(), 0..LONGEST_HISTORY),
    ) -> History {
        History { config, granularity, birth, steps }
    }
}

#[derive(Debug, Clone)]
struct History {
    config: Config,
    granularity: Duration,
    birth: At,
    steps: Vec<Step>,
}

impl History {
    fn machine(&self) -> Heartbeat<At> {
        Heartbeat::new(&self.config, self.birth).with_granularity(self.granularity)
    }

    fn model(&self) -> Model {
        Model::new(self.config, self.granularity, self.birth, LONGEST_HISTORY)
    }

    /// Plays the history to a machine; its calls and answers come out.
    fn entries(&self) -> Vec<Entry> {
        let mut heartbeat = self.machine();
        let (mut seen, mut deadline) = (self.birth, self.birth);
        let entry = |step: &Step| {
            let op = resolve(*step, seen, deadline);
            if let Op::Send(now) | Op::Bytes(now) | Op::Sent(now) | Op::Poll(now) = op {
                seen = seen.max(now);
            }
            let answer = play(&mut heartbeat, op);
            if let Some(Action::WaitUntil(at)) = answer {
                deadline = at;
            }
            Entry { op, seen, answer }
        };
        self.steps.iter().map(entry).collect()
    }
}

fn resolve(step: Step, seen: At, deadline: At) -> Op {
    let (call, when) = match step {
        Step::Call(call, when) => (call, when),
        Step::Failed => return Op::Failed,
        Step::Stop => return Op::Stop,
    };
    let now = match when {
        When::Same => seen,
        When::Later(by) => seen.saturating_add(by),
        When::Earlier(by) => seen.saturating_sub(by),
        When::BeforeDeadline(by) => deadline.saturating_sub(by),
        When::OnTime => deadline,
        When::AfterDeadline(by) => deadline.saturating_add(by),
        When::NearTheEnd(by) => Duration::MAX - by,
    };
    match call {
        Call::Send => Op::Send(now),
        Call::Bytes => Op::Bytes(now),
        Call::Sent => Op::Sent(now),
        Call::Poll => Op::Poll(now),
    }
}

fn asked(entry: &Entry) -> bool {
    matches!(entry.answer, Some(Action::SendHeartbeat { .. }))
}

fn bytes_left(entry: &Entry) -> bool {
    matches!(entry.op, Op::Send(_) | Op::Bytes(_) | Op::Sent(_))
}

/// The gap's bounds that T11 allows; `None` where the interval never ends.
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
    fn t1_to_t13_and_t20_the_machine_answers_as_the_model(history in history()) {
        let (mut heartbeat, mut model) = (history.machine(), history.model());
        for entry in history.entries() {
            prop_assert_eq!(play(&mut heartbeat, entry.op), model.record(entry.op), "{:?}", entry.op);
            let silence = model.silence(entry.seen);
            if silence <  Duration::from_nanos(u64::MAX) {
                prop_assert_eq!(heartbeat.silence(entry.seen), silence); // T19
                prop_assert_eq!(heartbeat.silence(At::ZERO), silence); // T7
            }
        }
    }

    #[test]
    fn t1_a_disabled_machine_asks_for_nothing(mut history in history()) {
        history.config = Config::every(Duration::ZERO)
            .with_immediate_first(history.config.immediate_first())
            .with_give_up_after(history.config.give_up_after())
            .with_stall_after(history.config.stall_after());
        for answer in history.entries().iter().filter_map(|entry| entry.answer) {
            prop_assert!(matches!(answer, Action::WaitForever | Action::Stopped), "{:?}", answer);
        }
    }

    #[test]
    fn t2_the_first_answer_is_birth_plus_a_gap_or_at_once(history in history()) {
        let Some((shortest, longest)) = gap_bounds(&history.config).filter(|gap| !gap.1.is_zero())
        else { return Ok(()) };
        let plain = Config::every(longest).with_jitter(history.config.jitter());
        let first = Heartbeat::new(&plain, history.birth).poll_deadline(history.birth);
        match history.birth.checked_add(shortest) {
            None => prop_assert_eq!(first, Action::WaitForever), // T8
            Some(earliest) => match first {
                Action::WaitUntil(at) => {
                    prop_assert!(at >= earliest && at - history.birth <= longest);
                }
                Action::WaitForever => prop_assert!(history.birth.checked_add(longest).is_none()),
                other => prop_assert!(false, "{:?}", other),
            },
        }
        let mut immediate_first = Heartbeat::new(&plain.with_immediate_first(true), history.birth);
        let at_once = Action::SendHeartbeat { late: Duration::ZERO };
        prop_assert_eq!(immediate_first.poll_deadline(history.birth), at_once);
    }

    #[test]
    fn t3_t4_asked_for_after_a_gap_of_silence_and_never_earlier(history in history()) {
        let Some((shortest, _)) = gap_bounds(&history.config) else { return Ok(()) };
        let least = shortest - history.granularity.min(history.config.interval() / 2).min(shortest);
        let mut silent_since = history.birth;
        let mut first = history.config.immediate_first();
        for entry in history.entries() {
            if asked(&entry) && !first {
                prop_assert!(entry.seen - silent_since >= least, "{:?}", entry);
            }
            first &= !asked(&entry) && !bytes_left(&entry);
            if bytes_left(&entry) {
                silent_since = entry.seen;
            }
        }
    }

    #[test]
    fn t4_no_deadline_that_has_come_is_answered_with_waiting(history in history()) {
        for entry in history.entries() {
            if let Some(Action::WaitUntil(at)) = entry.answer {
                prop_assert!(at > entry.seen, "{:?}", entry);
            }
        }
    }

    #[test]
    fn t5_nothing_more_is_asked_for_before_the_fate_of_the_first(history in history()) {
        let mut in_flight = false;
        for entry in history.entries() {
            prop_assert!(!(in_flight && asked(&entry)), "{:?}", entry);
            in_flight = (in_flight || asked(&entry)) && !bytes_left(&entry);
        }
    }

    #[test]
    fn t6_no_heartbeat_follows_on_the_heels_of_a_real_event(mut history in history()) {
        let Some((shortest, _)) = gap_bounds(&history.config) else { return Ok(()) };
        history.granularity = Duration::ZERO;
        let entries = history.entries();
        for (send, next) in entries.iter().zip(entries.iter().skip(1)) {
            if matches!(send.op, Op::Send(_)) && asked(next) {
                prop_assert!(next.seen - send.seen >= shortest, "{:?} {:?}", send, next);
            }
        }
    }

    #[test]
    fn t7_a_step_back_is_the_same_as_a_clock_that_stands_still(history in history()) {
        let mut steady = history.machine();
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
    fn t8_whatever_cannot_be_represented_waits_for_ever(gap in 1u64..100, after in 1u64..100) {
        let birth = Duration::MAX - Duration::from_secs(gap);
        let mut heartbeat = Heartbeat::new(&Config::every(Duration::from_secs(gap)), birth);
        prop_assert_eq!(heartbeat.poll_deadline(birth), Action::WaitUntil(Duration::MAX));
        heartbeat.on_send(birth + Duration::from_nanos(after));
        prop_assert_eq!(heartbeat.poll_deadline(Duration::MAX), Action::WaitForever);
    }

    #[test]
    fn t9_t10_once_ended_it_answers_stopped_for_ever(history in history()) {
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
    fn t12_given_up_once_and_silent_until_the_next_real_event(history in history()) {
        let mut gave_up = false;
        let mut real = history.birth;
        for entry in history.entries() {
            if matches!(entry.op, Op::Send(_)) {
                (gave_up, real) = (false, entry.seen);
            }
            prop_assert!(!(gave_up && asked(&entry)), "a heartbeat after giving up: {:?}", entry);
            if entry.answer == Some(Action::GiveUp) {
                prop_assert!(!gave_up, "said twice: {:?}", entry);
                prop_assert!(entry.seen - real >= history.config.give_up_after());
                gave_up = true;
            }
        }
    }

    #[test]
    fn t20_stalled_only_while_a_heartbeat_was_in_flight_that_long(history in history()) {
        let mut asked_at = None;
        for entry in history.entries() {
            if entry.answer == Some(Action::Stalled) {
                let asked_at: At = asked_at.expect("a heartbeat in flight");
                prop_assert!(entry.seen - asked_at >= history.config.stall_after());
            }
            if bytes_left(&entry) {
                asked_at = None;
            } else if asked(&entry) {
                asked_at = Some(entry.seen);
            }
        }
    }

    #[test]
    fn asking_again_in_the_same_instant_changes_nothing(history in history()) {
        let (mut once, mut twice) = (history.machine(), history.machine());
        for entry in history.entries() {
            let answer = play(&mut once, entry.op);
            prop_assert_eq!(answer, play(&mut twice, entry.op));
            let Some(Action::WaitUntil(_) | Action::WaitForever | Action::Stopped) = answer else {
                continue; // the others are said once
            };
            prop_assert_eq!(Some(twice.poll_deadline(entry.seen)), answer);
        }
    }

    #[test]
    fn t14_the_watchdog_answers_as_its_model(
        timeout in setting(),
        granularity in granularity(),
        birth in prop_oneof![duration(), duration().prop_map(|before| Duration::MAX - before)],
        steps in prop::collection::vec(step(), 0..LONGEST_HISTORY),
    ) {
        let mut watchdog = Watchdog::new(timeout, birth).with_granularity(granularity);
        let mut model = WatchModel::new(timeout, granularity, birth);
        let (mut seen, mut deadline) = (birth, birth);
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
