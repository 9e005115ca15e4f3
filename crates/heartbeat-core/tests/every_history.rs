//! Every short history over a few instants, compared with the reference model. It covers the corner
//! cases that random histories may miss.

mod reference_model;

use std::time::Duration;

use heartbeat_core::{Config, Heartbeat, Jitter, Watchdog};
use reference_model::{At, Model, Op, WatchModel, WatchOp, play, play_watch};

/// The number of calls of a history.
const DEPTH: u32 = 5;

/// 0 to 4 s; the shortest interval is 2 s.
const INSTANTS: [At; 5] = [at(0), at(1), at(2), at(3), at(4)];

const fn at(secs: u64) -> At {
    Duration::from_secs(secs)
}

/// Plays every continuation of a history to both, and returns the number of histories.
fn explore(heartbeat: &Heartbeat<At>, model: &mut Model, ops: &[Op], depth: u32) -> u64 {
    if depth == 0 {
        return 1;
    }
    let mut histories = 1;
    for &op in ops {
        let mut heartbeat = heartbeat.clone();
        let answer = play(&mut heartbeat, op);
        assert_eq!(answer, model.record(op), "after {:?}", model.log);
        assert_eq!(
            heartbeat.idle_time(At::ZERO),
            model.idle_time(At::ZERO),
            "after {:?}",
            model.log
        );
        histories += explore(&heartbeat, model, ops, depth - 1);
        model.log.pop();
    }
    histories
}

#[test]
fn t1_to_t13_and_t20_hold_in_every_short_history() {
    let per_instant = |&now: &At| [Op::Send(now), Op::Bytes(now), Op::Sent(now), Op::Poll(now)];
    let ops: Vec<Op> =
        INSTANTS.iter().flat_map(per_instant).chain([Op::Failed, Op::Stop]).collect();

    let half = Jitter::try_from(0.5).expect("a fraction");
    let plain = Config::every(at(2));
    let configs = [
        plain,
        plain.with_immediate_first(true),
        plain.with_give_up_after(at(3)),
        plain.with_stall_after(at(1)),
        plain.with_give_up_after(at(3)).with_stall_after(at(2)).with_immediate_first(true),
        plain.with_jitter(half).with_seed(1).with_give_up_after(at(2)),
        Config::every(Duration::ZERO).with_give_up_after(at(1)),
        Config::every(Duration::MAX).with_give_up_after(at(1)).with_immediate_first(true),
    ];
    let granularities = [Duration::ZERO, at(1)];
    let openings = [at(0), Duration::MAX.saturating_sub(at(3))];

    let mut histories = 0;
    for config in configs {
        for granularity in granularities {
            for opened in openings {
                // Near the end of the clock, use the last instants.
                let shift = opened.saturating_sub(at(1));
                let ops: Vec<Op> = ops.iter().map(|&op| shifted(op, shift)).collect();
                let heartbeat = Heartbeat::new(&config, opened).with_granularity(granularity);
                let mut model = Model::new(config, granularity, opened, DEPTH as usize);
                histories += explore(&heartbeat, &mut model, &ops, DEPTH);
            }
        }
    }
    println!(
        "{histories} histories of up to {DEPTH} calls, each answer equal to that of the model"
    );
    assert_eq!(histories, 32 * (22u64.pow(DEPTH + 1) - 1) / 21, "all histories");
}

fn shifted(op: Op, by: Duration) -> Op {
    match op {
        Op::Send(now) => Op::Send(now + by),
        Op::Bytes(now) => Op::Bytes(now + by),
        Op::Sent(now) => Op::Sent(now + by),
        Op::Poll(now) => Op::Poll(now + by),
        Op::Failed | Op::Stop => op,
    }
}

#[test]
fn t14_holds_in_every_short_history() {
    fn explore(watchdog: &Watchdog<At>, model: &WatchModel, ops: &[WatchOp], depth: u32) -> u64 {
        if depth == 0 {
            return 1;
        }
        let mut histories = 1;
        for &op in ops {
            let (mut watchdog, mut model) = (watchdog.clone(), model.clone());
            assert_eq!(play_watch(&mut watchdog, op), model.record(op), "after {model:?}");
            histories += explore(&watchdog, &model, ops, depth - 1);
        }
        histories
    }

    let per_instant = |&now: &At| [WatchOp::Receive(now), WatchOp::Poll(now)];
    let ops: Vec<WatchOp> = INSTANTS.iter().flat_map(per_instant).chain([WatchOp::Stop]).collect();
    let mut histories = 0;
    for timeout in [Duration::ZERO, at(1), at(2), Duration::MAX] {
        let watchdog = Watchdog::new(timeout, at(1));
        let model = WatchModel::new(timeout, Duration::ZERO, at(1));
        histories += explore(&watchdog, &model, &ops, DEPTH);
    }
    println!(
        "{histories} histories of up to {DEPTH} calls, each answer equal to that of the model"
    );
    assert_eq!(histories, 4 * (11u64.pow(DEPTH + 1) - 1) / 10, "all histories");
}
