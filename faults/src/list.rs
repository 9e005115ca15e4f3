//! The faults.

/// Something wrong in one place.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// What goes wrong.
    pub name: &'static str,
    /// Where: crate and file.
    pub file: &'static str,
    /// What stands there, once in the file: an expression, or statements.
    pub right: &'static str,
    /// What is to stand there.
    pub wrong: &'static str,
}

const TIME: &str = "heartbeat_async/virtual_time.rs";
const STREAM: &str = "heartbeat_async/stream.rs";
const JITTER: &str = "heartbeat_core/jitter.rs";
const SPAN: &str = "heartbeat_core/span.rs";
const HEART: &str = "heartbeat_core/heartbeat.rs";

/// All of them: those of the timer, of the glue, of the machine.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "an alarm goes off before its time",
        file: TIME,
        right: "Alarm { time: self.clone(), due: deadline.saturating_sub(self.granularity), key: None }",
        wrong: r"{
            let due = deadline.saturating_sub(self.granularity + Duration::from_millis(500));
            Alarm { time: self.clone(), due, key: None }
        }",
    },
    Fault {
        name: "an alarm goes off late",
        file: TIME,
        right: "Alarm { time: self.clone(), due: deadline.saturating_sub(self.granularity), key: None }",
        wrong: r"
            Alarm { time: self.clone(), due: deadline + Duration::from_millis(1), key: None }",
    },
    Fault {
        name: "an alarm that was moved goes off before its time",
        file: TIME,
        right: "alarm.due = deadline.saturating_sub(self.granularity)",
        wrong: "alarm.due = deadline.saturating_sub(self.granularity + Duration::from_millis(500))",
    },
    Fault {
        name: "moving an alarm has no effect",
        file: TIME,
        right: "alarm.due = deadline.saturating_sub(self.granularity)",
        wrong: "()",
    },
    Fault {
        name: "an alarm that has gone off cannot be set again",
        file: TIME,
        right: "alarm.due = deadline.saturating_sub(self.granularity)",
        wrong: r"
            if alarm.due > self.now() {
                alarm.due = deadline.saturating_sub(self.granularity);
            } else {
                alarm.due = Duration::MAX;
            }",
    },
    Fault {
        name: "an alarm wakes nobody",
        file: TIME,
        right: "waker.wake()",
        wrong: "drop(waker)",
    },
    Fault {
        name: "an alarm wakes who polled it first",
        file: TIME,
        right: "world.alarms.insert((this.due, key), cx.waker().clone())",
        wrong: r"{
            let first = world.alarms.get(&(this.due, key)).cloned();
            world.alarms.insert((this.due, key), first.unwrap_or_else(|| cx.waker().clone()))
        }",
    },
    Fault {
        name: "a disabled stream looks at the clock",
        file: STREAM,
        right: "!config.is_disabled()",
        wrong: "true",
    },
    Fault {
        name: "the silence begins with the first poll, not with birth",
        file: STREAM,
        right: "self.heart.poll_deadline(now)",
        wrong: r"{
            if alarm.is_none() {
                self.heart.on_bytes(now);
            }
            self.heart.poll_deadline(now)
        }",
    },
    Fault {
        name: "a send moves no deadline",
        file: STREAM,
        right: "self.heart.on_send(now)",
        wrong: "()",
    },
    Fault {
        name: "each poll counts as a send",
        file: STREAM,
        right: "mem::replace(&mut self.taken, Taken::Nothing)",
        wrong: r"{
            self.taken = Taken::Nothing;
            Taken::Real
        }",
    },
    Fault {
        name: "a heartbeat that went out is not reported",
        file: STREAM,
        right: "self.heart.on_heartbeat_sent(now)",
        wrong: "()",
    },
    Fault {
        name: "a heartbeat goes before an item",
        file: STREAM,
        right: "this.inner.poll_next(cx)",
        wrong: r"{
            let now = pace.timer.now();
            let due = pace.armed.as_ref().is_some_and(|armed| armed.quiet_until <= now);
            if due && pace.taken == Taken::Nothing { Poll::Pending } else { this.inner.poll_next(cx) }
        }",
    },
    Fault {
        name: "an item that comes after a heartbeat is lost",
        file: STREAM,
        right: "pace.taken = Taken::Heartbeat",
        wrong: r"
            pace.taken = Taken::Heartbeat;
            drop(this.inner.as_mut().poll_next(cx))",
    },
    Fault {
        name: "heartbeats go on after stop",
        file: STREAM,
        right: "this.pace.beating = false",
        wrong: "this.pace.heart = Heartbeat::new(&Config::every(Duration::from_secs(10)), this.pace.timer.now())",
    },
    Fault {
        name: "stop leaves the alarm",
        file: STREAM,
        right: r"this.alarm.set(None);
        this.pace.armed = None",
        wrong: "this.pace.armed = None",
    },
    Fault {
        name: "the end leaves the alarm",
        file: STREAM,
        right: r"pace.taken = Taken::End;
                this.alarm.set(None)",
        wrong: "pace.taken = Taken::End",
    },
    Fault {
        name: "the end is asked for twice",
        file: STREAM,
        right: r"if pace.taken == Taken::End {
                return Poll::Ready(None);
            }",
        wrong: "",
    },
    Fault {
        name: "heartbeats go on after the end",
        file: STREAM,
        right: r"pace.taken = Taken::End;
                this.alarm.set(None)",
        wrong: r"
                return pace.poll_beat(this.alarm, this.beat, this.flight, cx).map(Some)",
    },
    Fault {
        name: "an error counts as a send",
        file: STREAM,
        right: "pace.muted = true",
        wrong: "(pace.taken, pace.muted) = (Taken::Real, false)",
    },
    Fault {
        name: "no heartbeat ever follows an error",
        file: STREAM,
        right: "(pace.taken, pace.muted) = (Taken::Real, false)",
        wrong: "pace.taken = Taken::Real",
    },
    Fault {
        name: "a foreign heartbeat counts as a real event",
        file: STREAM,
        right: "(pace.taken, pace.muted) = (Taken::Heartbeat.max(pace.taken), false)",
        wrong: "(pace.taken, pace.muted) = (Taken::Real, false)",
    },
    Fault {
        name: "a foreign heartbeat does not break the silence",
        file: STREAM,
        right: "(pace.taken, pace.muted) = (Taken::Heartbeat.max(pace.taken), false)",
        wrong: "()",
    },
    Fault {
        name: "each item reads the clock",
        file: STREAM,
        right: "this.beat.kind(&item)",
        wrong: r"{
            let _ = pace.timer.now();
            this.beat.kind(&item)
        }",
    },
    Fault {
        name: "each item moves the alarm",
        file: STREAM,
        right: "this.beat.kind(&item)",
        wrong: r"{
            if let Some(deadline) = pace.timer.now().checked_add(Duration::from_secs(10)) {
                pace.timer.reset(this.alarm.as_mut(), deadline);
            }
            this.beat.kind(&item)
        }",
    },
    Fault {
        name: "who polls anew is not woken",
        file: STREAM,
        right: "now < self.quiet_until && self.waker.will_wake(waker)",
        wrong: "now < self.quiet_until",
    },
    Fault {
        name: "an alarm is set twice in one poll",
        file: STREAM,
        right: "self.timer.reset(alarm.as_mut(), deadline)",
        wrong: r"
            self.timer.reset(alarm.as_mut(), deadline);
            self.timer.reset(alarm.as_mut(), deadline)",
    },
    Fault {
        name: "a heartbeat is told as sent when it is yielded",
        file: STREAM,
        right: "self.taken = Taken::Ours",
        wrong: r"
            flight.end(Outcome::Sent);
            self.taken = Taken::Ours",
    },
    Fault {
        name: "a heartbeat that nobody came back from is not told",
        file: STREAM,
        right: "self.end(Outcome::Error)",
        wrong: "()",
    },
    Fault {
        name: "a heartbeat that nobody came back from is told as sent",
        file: STREAM,
        right: "self.end(Outcome::Error)",
        wrong: "self.end(Outcome::Sent)",
    },
    Fault {
        name: "the size of a heartbeat is not told",
        file: STREAM,
        right: "beat.bytes(&heartbeat)",
        wrong: "None",
    },
    Fault {
        name: "silences are not told",
        file: STREAM,
        right: "flight.observer.silence(self.heart.silence(now))",
        wrong: "()",
    },
    Fault {
        name: "giving up is not told",
        file: STREAM,
        right: "flight.observer.gave_up()",
        wrong: "()",
    },
    Fault {
        name: "all streams draw the same gaps",
        file: STREAM,
        right: "config.with_seed(seed::unique())",
        wrong: "config.with_seed(1)",
    },
    Fault {
        name: "the first heartbeat is not prompt",
        file: HEART,
        right: "config.prompt() && !disabled",
        wrong: "false",
    },
    Fault {
        name: "a heartbeat is asked for too early",
        file: HEART,
        right: "at.saturating_duration_since(now) <= early.duration()",
        wrong: "at.saturating_duration_since(now) <= Duration::from_secs(3)",
    },
    Fault {
        name: "after a stall all that was missed is made up for",
        file: HEART,
        right: "self.on_bytes(now)",
        wrong: r"
            let missed = self.silence.half() > self.interval;
            self.on_bytes(now);
            if missed {
                self.phase = Phase::Prompt;
            }",
    },
    Fault {
        name: "a clock that runs back is believed",
        file: HEART,
        right: r"self.latest = self.latest.max(now); // T7
        self.sent = true",
        wrong: r"self.latest = now;
        self.sent = true",
    },
    Fault {
        name: "a gap is drawn once and for all",
        file: HEART,
        right: "self.draw = self.draw.next()",
        wrong: "()",
    },
    Fault {
        name: "giving up is said at each poll",
        file: HEART,
        right: "self.real = None",
        wrong: "()",
    },
    Fault {
        name: "nobody is given up",
        file: HEART,
        right: "self.real.and_then(|real| self.give_up_after.after(real))",
        wrong: "None",
    },
    Fault {
        name: "who was given up stays so",
        file: HEART,
        right: "self.real = Some(self.latest)",
        wrong: "self.real = self.real.map(|_| self.latest)",
    },
    Fault {
        name: "the lateness of a heartbeat is not told",
        file: HEART,
        right: "now.saturating_duration_since(at)",
        wrong: "Duration::ZERO",
    },
    Fault {
        name: "jitter pulls later",
        file: JITTER,
        right: "interval.shortened(u64::from(self.0).saturating_mul(u64::from(draw.0)))",
        wrong: r"{
            let cut = interval.minus(interval.shortened(u64::from(self.0) * u64::from(draw.0)));
            Span::new(interval.duration() + cut.duration())
        }",
    },
    Fault {
        name: "never is a time like any other",
        file: SPAN,
        right: "if self == Self::NEVER { None } else { start.checked_add(self.duration()) }",
        wrong: "start.checked_add(self.duration())",
    },
];
