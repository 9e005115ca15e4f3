use core::mem::{align_of, offset_of, size_of};

use super::*;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The instant `secs` after the epoch.
const fn at(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn due(late: u64) -> Action<Duration> {
    Action::SendHeartbeat { late: secs(late) }
}

fn every_ten() -> Config {
    Config::every(secs(10))
}

fn opened_at_zero(config: &Config) -> Heartbeat<Duration> {
    Heartbeat::new(config, at(0))
}

#[test]
fn t1_an_interval_of_zero_waits_forever() {
    let config = Config::every(Duration::ZERO)
        .with_immediate_first(true)
        .with_give_up_after(secs(1))
        .with_stall_after(secs(1));
    let mut heartbeat = opened_at_zero(&config);
    for now in [0, 1, 1_000_000] {
        assert_eq!(heartbeat.poll_deadline(at(now)), Action::WaitForever);
    }
    heartbeat.stop();
    assert_eq!(heartbeat.poll_deadline(at(0)), Action::Stopped);
}

#[test]
fn t2_the_first_deadline_is_one_gap_after_opening() {
    let mut heartbeat = Heartbeat::new(&every_ten(), at(5));
    assert_eq!(heartbeat.poll_deadline(at(5)), Action::WaitUntil(at(15)));
}

#[test]
fn t2_an_immediate_first_heartbeat_is_due_at_opening_and_then_after_each_gap() {
    let mut heartbeat = Heartbeat::new(&every_ten().with_immediate_first(true), at(5));
    assert_eq!(heartbeat.poll_deadline(at(5)), due(0));
    heartbeat.on_heartbeat_sent(at(5));
    assert_eq!(heartbeat.poll_deadline(at(5)), Action::WaitUntil(at(15)));
}

#[test]
fn t2_an_event_replaces_the_immediate_first_heartbeat() {
    let mut heartbeat = opened_at_zero(&every_ten().with_immediate_first(true));
    heartbeat.on_send(at(1));
    assert_eq!(heartbeat.poll_deadline(at(1)), Action::WaitUntil(at(11)));
}

#[test]
fn t3_a_send_moves_the_deadline() {
    let mut heartbeat = opened_at_zero(&every_ten());
    heartbeat.on_send(at(3));
    heartbeat.on_send(at(7));
    assert_eq!(heartbeat.poll_deadline(at(9)), Action::WaitUntil(at(17)));
}

#[test]
fn t4_due_at_the_deadline_and_not_a_nanosecond_earlier() {
    let mut heartbeat = opened_at_zero(&every_ten());
    let just_before = at(10) - Duration::from_nanos(1);
    assert_eq!(heartbeat.poll_deadline(just_before), Action::WaitUntil(at(10)));
    assert_eq!(heartbeat.poll_deadline(at(10)), due(0));
}

#[test]
fn t4_due_earlier_by_the_granularity() {
    let mut heartbeat = opened_at_zero(&every_ten()).with_granularity(secs(2));
    assert_eq!(heartbeat.poll_deadline(at(7)), Action::WaitUntil(at(10)));
    assert_eq!(heartbeat.poll_deadline(at(8)), due(0));
}

#[test]
fn t4_at_most_half_of_a_gap_counts_as_granularity() {
    let mut heartbeat = opened_at_zero(&every_ten()).with_granularity(secs(8));
    // A timer set for 13 may fire at 5, when the heartbeat is due.
    assert_eq!(heartbeat.poll_deadline(at(4)), Action::WaitUntil(at(13)));
    assert_eq!(heartbeat.poll_deadline(at(5)), due(0));
    heartbeat.on_heartbeat_sent(at(5));
    assert_eq!(heartbeat.poll_deadline(at(5)), Action::WaitUntil(at(18)));
}

#[test]
fn t4_giving_up_and_stalling_are_never_early() {
    let config = every_ten().with_give_up_after(secs(13)).with_stall_after(secs(1));
    let mut heartbeat = opened_at_zero(&config).with_granularity(secs(2));
    assert_eq!(heartbeat.poll_deadline(at(8)), due(0));
    // A timer set for 11 may fire at 9, when the peer counts as stalled.
    assert_eq!(heartbeat.poll_deadline(at(8)), Action::WaitUntil(at(11)));
    heartbeat.on_heartbeat_sent(at(8));
    assert_eq!(heartbeat.poll_deadline(at(8)), Action::WaitUntil(at(15)));
    assert_eq!(heartbeat.poll_deadline(at(12)), Action::WaitUntil(at(15)));
    assert_eq!(heartbeat.poll_deadline(at(13)), Action::GiveUp);
}

#[test]
fn t5_a_late_poll_requests_one_heartbeat_not_four() {
    let mut heartbeat = opened_at_zero(&every_ten());
    assert_eq!(heartbeat.poll_deadline(at(9)), Action::WaitUntil(at(10)));
    assert_eq!(heartbeat.poll_deadline(at(45)), due(35));
    assert!(heartbeat.is_in_flight());
    assert_eq!(heartbeat.poll_deadline(at(90)), Action::WaitForever);
    heartbeat.on_heartbeat_sent(at(91));
    assert!(!heartbeat.is_in_flight());
    assert_eq!(heartbeat.poll_deadline(at(91)), Action::WaitUntil(at(101)));
}

#[test]
fn t6_an_event_cancels_the_heartbeat() {
    let mut heartbeat = opened_at_zero(&every_ten());
    assert_eq!(heartbeat.poll_deadline(at(10)), due(0));
    heartbeat.on_send(at(10)); // at the same instant
    assert!(!heartbeat.is_in_flight());
    assert_eq!(heartbeat.poll_deadline(at(10)), Action::WaitUntil(at(20)));
}

#[test]
fn t6_a_late_report_of_a_cancelled_heartbeat_counts_as_bytes() {
    let mut heartbeat = opened_at_zero(&every_ten().with_give_up_after(secs(25)));
    assert_eq!(heartbeat.poll_deadline(at(10)), due(0));
    heartbeat.on_send(at(11));
    heartbeat.on_heartbeat_sent(at(12));
    assert_eq!(heartbeat.poll_deadline(at(12)), Action::WaitUntil(at(22)));
    assert_eq!(heartbeat.poll_deadline(at(22)), due(0));
    heartbeat.on_heartbeat_sent(at(22));
    assert_eq!(heartbeat.poll_deadline(at(36)), Action::GiveUp); // 25 s after the event, not the report
}

#[test]
fn t6_other_bytes_cancel_it_too() {
    let mut heartbeat = opened_at_zero(&every_ten());
    assert_eq!(heartbeat.poll_deadline(at(10)), due(0));
    heartbeat.on_bytes(at(12));
    assert_eq!(heartbeat.poll_deadline(at(12)), Action::WaitUntil(at(22)));
}

#[test]
fn t7_a_clock_that_steps_back_counts_as_stopped() {
    let mut heartbeat = opened_at_zero(&every_ten());
    heartbeat.on_send(at(8));
    heartbeat.on_send(at(2));
    assert_eq!(heartbeat.poll_deadline(at(1)), Action::WaitUntil(at(18)));
    assert_eq!(heartbeat.poll_deadline(at(19)), due(1));
    heartbeat.on_heartbeat_sent(at(3));
    assert_eq!(heartbeat.poll_deadline(at(3)), Action::WaitUntil(at(29)));
    heartbeat.on_bytes(at(0));
    assert_eq!(heartbeat.poll_deadline(at(3)), Action::WaitUntil(at(29)));
}

#[test]
fn t8_a_deadline_that_cannot_be_represented_is_never_reached() {
    let mut heartbeat = Heartbeat::new(&every_ten(), Duration::MAX - secs(10));
    assert_eq!(heartbeat.poll_deadline(at(0)), Action::WaitUntil(Duration::MAX));
    heartbeat.on_send(Duration::MAX - secs(9));
    assert_eq!(heartbeat.poll_deadline(Duration::MAX), Action::WaitForever);

    let mut heartbeat = opened_at_zero(&Config::every(Duration::MAX));
    assert_eq!(heartbeat.poll_deadline(at(1)), Action::WaitForever);
}

#[test]
fn t8_an_endless_interval_keeps_the_immediate_first_heartbeat_and_giving_up() {
    let config =
        Config::every(Duration::MAX).with_immediate_first(true).with_give_up_after(secs(5));
    let mut heartbeat = opened_at_zero(&config);
    assert_eq!(heartbeat.poll_deadline(at(0)), due(0));
    heartbeat.on_heartbeat_sent(at(0));
    assert_eq!(heartbeat.poll_deadline(at(0)), Action::WaitUntil(at(5)));
    assert_eq!(heartbeat.poll_deadline(at(5)), Action::GiveUp);
}

#[test]
fn t8_a_limit_near_the_end_of_the_clock_is_not_delayed() {
    let config = Config::every(Duration::MAX).with_give_up_after(secs(10));
    let mut heartbeat = Heartbeat::new(&config, Duration::MAX - secs(11)).with_granularity(secs(5));
    let give_up_at = Duration::MAX - secs(1);
    assert_eq!(heartbeat.poll_deadline(at(0)), Action::WaitUntil(give_up_at));
    assert_eq!(heartbeat.poll_deadline(give_up_at), Action::GiveUp);
}

#[test]
fn t8_the_earlier_of_two_limits_is_returned_near_the_end_of_the_clock() {
    let nanos = Duration::from_nanos;
    let before_end = |by| Duration::MAX.saturating_sub(nanos(by));
    let config = Config::every(nanos(10)).with_stall_after(nanos(42)).with_give_up_after(nanos(60));
    let mut heartbeat = Heartbeat::new(&config, before_end(100)).with_granularity(nanos(42));
    assert_eq!(heartbeat.poll_deadline(before_end(95)), Action::SendHeartbeat { late: nanos(0) });
    // Stalled 53 before the end, returned a granularity later. Giving up, 40 before the end, cannot be delayed.
    assert_eq!(heartbeat.poll_deadline(before_end(95)), Action::WaitUntil(before_end(11)));
}

#[test]
fn t9_stop_is_idempotent_and_disables_reports() {
    let prepare: [fn(&mut Heartbeat<Duration>); 3] = [
        |_| {},
        |heartbeat| assert_eq!(heartbeat.poll_deadline(at(10)), due(0)),
        |heartbeat| heartbeat.on_send(at(1)),
    ];
    for prepare in prepare {
        let mut heartbeat = opened_at_zero(&every_ten());
        prepare(&mut heartbeat);
        assert!(!heartbeat.is_stopped());
        heartbeat.stop();
        heartbeat.stop();
        assert!(heartbeat.is_stopped() && !heartbeat.is_in_flight());
        heartbeat.on_send(at(11));
        assert_eq!(heartbeat.poll_deadline(at(30)), Action::Stopped);
        heartbeat.on_bytes(at(12));
        heartbeat.on_heartbeat_sent(at(13));
        heartbeat.on_heartbeat_failed();
        assert_eq!(heartbeat.poll_deadline(at(60)), Action::Stopped);
    }
}

#[test]
fn t10_a_failed_heartbeat_ends_it_even_if_reported_late() {
    let mut heartbeat = opened_at_zero(&every_ten());
    assert_eq!(heartbeat.poll_deadline(at(10)), due(0));
    heartbeat.on_send(at(11));
    heartbeat.on_heartbeat_failed();
    assert!(heartbeat.is_stopped());
    assert_eq!(heartbeat.poll_deadline(at(99)), Action::Stopped);
}

#[test]
fn t11_the_gap_changes_with_each_heartbeat_and_not_with_a_send() {
    let jitter = Jitter::try_from(0.5).expect("a fraction");
    let mut heartbeat = opened_at_zero(&every_ten().with_jitter(jitter).with_seed(1));
    let gap =
        |heartbeat: &mut Heartbeat<Duration>, now: Duration| match heartbeat.poll_deadline(now) {
            Action::WaitUntil(at) => at - now,
            other => panic!("not armed: {other:?}"),
        };
    let first = gap(&mut heartbeat, at(0));
    heartbeat.on_send(at(1));
    assert_eq!(gap(&mut heartbeat, at(1)), first);
    assert!(matches!(heartbeat.poll_deadline(at(20)), Action::SendHeartbeat { .. }));
    heartbeat.on_heartbeat_sent(at(20));
    let second = gap(&mut heartbeat, at(20));
    assert_ne!(first, second);
    for gap in [first, second] {
        assert!((secs(5)..=secs(10)).contains(&gap), "{gap:?}");
    }
}

#[test]
fn t12_gives_up_once_and_starts_again_with_the_next_event() {
    let mut heartbeat = opened_at_zero(&every_ten().with_give_up_after(secs(15)));
    assert_eq!(heartbeat.poll_deadline(at(10)), due(0));
    heartbeat.on_heartbeat_sent(at(10));
    assert_eq!(heartbeat.poll_deadline(at(10)), Action::WaitUntil(at(15)));
    assert_eq!(heartbeat.poll_deadline(at(15)), Action::GiveUp);
    assert_eq!(heartbeat.poll_deadline(at(99)), Action::WaitForever);
    heartbeat.on_bytes(at(100));
    assert_eq!(heartbeat.poll_deadline(at(120)), Action::WaitForever);
    heartbeat.on_send(at(121));
    assert_eq!(heartbeat.poll_deadline(at(121)), Action::WaitUntil(at(131)));
}

#[test]
fn t12_gives_up_also_while_a_heartbeat_is_in_flight() {
    let mut heartbeat = opened_at_zero(&every_ten().with_give_up_after(secs(15)));
    assert_eq!(heartbeat.poll_deadline(at(10)), due(0));
    assert_eq!(heartbeat.poll_deadline(at(11)), Action::WaitUntil(at(15)));
    assert_eq!(heartbeat.poll_deadline(at(15)), Action::GiveUp);
    assert!(heartbeat.is_in_flight());
    assert_eq!(heartbeat.poll_deadline(at(16)), Action::WaitForever);
}

#[test]
fn t20_a_heartbeat_that_stays_in_flight_means_a_stalled_peer() {
    let mut heartbeat = opened_at_zero(&every_ten().with_stall_after(secs(3)));
    assert_eq!(heartbeat.poll_deadline(at(14)), due(4));
    assert_eq!(heartbeat.poll_deadline(at(15)), Action::WaitUntil(at(17)));
    assert_eq!(heartbeat.poll_deadline(at(17)), Action::Stalled);
    assert_eq!(heartbeat.poll_deadline(at(17)), Action::Stopped);
}

#[test]
fn t20_a_heartbeat_that_is_sent_in_time_is_no_stall() {
    let mut heartbeat = opened_at_zero(&every_ten().with_stall_after(secs(3)));
    assert_eq!(heartbeat.poll_deadline(at(10)), due(0));
    heartbeat.on_heartbeat_sent(at(12));
    assert_eq!(heartbeat.poll_deadline(at(21)), Action::WaitUntil(at(22)));
}

#[test]
fn several_answers_are_given_in_order() {
    let config = every_ten().with_give_up_after(secs(12)).with_stall_after(secs(2));
    let mut heartbeat = opened_at_zero(&config);
    assert_eq!(heartbeat.poll_deadline(at(10)), due(0));
    let mut stopped = heartbeat.clone();
    assert_eq!(heartbeat.poll_deadline(at(12)), Action::Stalled); // before giving up
    stopped.stop();
    assert_eq!(stopped.poll_deadline(at(12)), Action::Stopped); // before stalled
    let mut quiet = opened_at_zero(&config);
    assert_eq!(quiet.poll_deadline(at(12)), Action::GiveUp); // before a heartbeat
}

#[test]
fn t19_the_silence_is_measured_from_the_last_bytes() {
    let mut heartbeat = opened_at_zero(&every_ten());
    assert_eq!(heartbeat.idle_time(at(4)), secs(4));
    heartbeat.on_send(at(4));
    assert_eq!(heartbeat.idle_time(at(5)), secs(1));
    assert_eq!(heartbeat.poll_deadline(at(16)), due(2));
    assert_eq!(heartbeat.idle_time(at(17)), secs(13)); // requested, but not sent yet
    heartbeat.on_heartbeat_sent(at(18));
    assert_eq!(heartbeat.idle_time(at(18)), secs(0));
    assert_eq!(heartbeat.idle_time(at(10)), secs(0)); // T7
}

#[test]
fn t9_a_send_before_stop_ends_the_silence_and_one_after_it_does_not() {
    let mut heartbeat = opened_at_zero(&every_ten());
    heartbeat.on_send(at(5));
    heartbeat.stop();
    heartbeat.on_send(at(7));
    assert_eq!(heartbeat.idle_time(at(8)), secs(3));
    assert_eq!(heartbeat.poll_deadline(at(9)), Action::Stopped);
    assert_eq!(heartbeat.idle_time(at(9)), secs(4));
}

#[test]
fn heartbeat_and_watchdog_are_send_and_sync() {
    fn check<T: Send + Sync + Unpin + Clone>() {}
    check::<Heartbeat<Duration>>();
    check::<crate::Watchdog<Duration>>();
}

#[test]
fn t13_small_and_on_send_writes_one_cache_line() {
    fn check<I: Instant>() {
        assert!(size_of::<Heartbeat<I>>() <= 96, "{}", size_of::<Heartbeat<I>>());
        // `latest` and `send_pending` are within the first 32 bytes of a value that is aligned to 32 bytes.
        assert_eq!(align_of::<Heartbeat<I>>(), 32);
        assert_eq!(offset_of!(Heartbeat<I>, latest), 0);
        assert!(offset_of!(Heartbeat<I>, send_pending) < 32);
    }
    check::<Duration>();
    #[cfg(feature = "std")]
    check::<std::time::Instant>();
}
