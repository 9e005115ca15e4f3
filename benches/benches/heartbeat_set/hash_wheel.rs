//! The timer wheel of `hierarchical_hash_wheel_timer`. README.md explains the choice. A cancelled entry keeps its
//! slot until its deadline.

use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

use heartbeat_benches::{Group, Random, version};
use hierarchical_hash_wheel_timer::wheels::Skip;
use hierarchical_hash_wheel_timer::wheels::cancellable::{
    CancellableTimerEntry, QuadWheelWithOverflow,
};

use crate::{INTERVAL, Value, in_batches};

#[derive(Debug)]
struct Entry {
    id: u64,
    value: Value,
}

impl CancellableTimerEntry for Entry {
    type Id = u64;

    fn id(&self) -> &u64 {
        &self.id
    }
}

/// A wheel of entries that fall due one interval after they are inserted.
struct IdleWheel {
    wheel: QuadWheelWithOverflow<Entry>,
    due: Vec<Rc<Entry>>,
}

impl IdleWheel {
    /// Creates a wheel whose entries were inserted over one interval.
    fn new(size: u32) -> Self {
        let mut idle = Self { wheel: QuadWheelWithOverflow::new(), due: Vec::new() };
        for id in 0..size {
            let entry = Rc::new(Entry { id: id.into(), value: [0; 2] });
            let delay = INTERVAL + INTERVAL * id / size;
            idle.wheel.insert_ref_with_delay(entry, delay).expect("in the future");
        }
        idle
    }

    fn insert(&mut self, id: u64) {
        self.insert_entry(Rc::new(Entry { id, value: [0; 2] }));
    }

    fn insert_entry(&mut self, entry: Rc<Entry>) {
        self.wheel.insert_ref_with_delay(entry, INTERVAL).expect("in the future");
    }

    fn cancel(&mut self, id: u64) {
        self.wheel.cancel(&id).expect("present");
    }

    /// Takes an entry that is due, and inserts it again. Advances the time if no entry is due.
    fn reinsert_due(&mut self) {
        loop {
            if let Some(entry) = self.due.pop() {
                black_box(entry.value);
                return self.insert_entry(entry);
            }
            if let Skip::Millis(millis) = self.wheel.can_skip() {
                self.wheel.skip(millis);
            }
            self.due = self.wheel.tick();
        }
    }
}

pub(crate) fn hash_wheel(group: &mut Group<'_>, size: u32) {
    let version = version("hierarchical_hash_wheel_timer");
    let label = |calls: &str| format!("hierarchical_hash_wheel_timer {version}: {calls}");
    let places = usize::try_from(size).expect("at least 32 bits");

    let mut idle = IdleWheel::new(size);
    group.line("hash-wheel-due", label("tick, insert"), 1, |bencher| {
        bencher.iter(|| idle.reinsert_due());
    });
    while let Some(entry) = idle.due.pop() {
        idle.insert_entry(entry);
    }
    group.line("hash-wheel-insert", label("insert"), 1, |bencher| {
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |count| {
                let new = u64::from(size)..u64::from(size) + count as u64;
                let start = Instant::now();
                for id in new.clone() {
                    idle.insert(id);
                }
                let taken = start.elapsed();
                for id in new {
                    idle.cancel(id);
                }
                taken
            })
        });
    });
    group.line("hash-wheel-remove", label("cancel"), 1, |bencher| {
        let mut random = Random::new();
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |count| {
                let places: Vec<usize> = random.different(places, count);
                let start = Instant::now();
                for &place in &places {
                    idle.cancel(place as u64);
                }
                let taken = start.elapsed();
                for place in places {
                    idle.insert(place as u64);
                }
                taken
            })
        });
    });
    // Measured last, because it leaves many cancelled entries in the wheel.
    group.line("hash-wheel-reset", label("cancel, insert"), 1, |bencher| {
        let mut random = Random::new();
        bencher.iter(|| {
            let id = random.below(places) as u64;
            idle.cancel(black_box(id));
            idle.insert(id);
        });
    });
}
