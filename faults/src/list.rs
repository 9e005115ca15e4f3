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
const OWN: &str = "heartbeat_async/own.rs";
const SEED: &str = "heartbeat_async/seed.rs";
const STREAM: &str = "heartbeat_async/stream.rs";
const ALARM: &str = "heartbeat_async/alarm.rs";
const WATCH: &str = "heartbeat_async/watch.rs";
const DRIVER: &str = "heartbeat_async/push/driver.rs";
const LINE: &str = "heartbeat_async/push/line.rs";
const TURN: &str = "heartbeat_async/push/turn.rs";
const SENDER: &str = "heartbeat_async/push/sender.rs";
const CLOCK: &str = "heartbeat_async/hub/alarm_clock.rs";
const SHARD: &str = "heartbeat_async/hub/shard.rs";
const TASK: &str = "heartbeat_async/hub/task.rs";
const PULSE: &str = "heartbeat_async/hub/pulse.rs";
const SINK_PULSE: &str = "heartbeat_async/hub/sink_pulse.rs";
const DOG: &str = "heartbeat_core/watchdog.rs";
const JITTER: &str = "heartbeat_core/jitter.rs";
const SPAN: &str = "heartbeat_core/span.rs";
const HEART: &str = "heartbeat_core/heartbeat.rs";

/// All of them: those of the timer, of the glue, of the machines.
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
        name: "the silence begins later than birth",
        file: OWN,
        right: "Heartbeat::new(&seed::sown(config), timer.now())",
        wrong: r"{
            let later = heartbeat_core::Instant::checked_add(timer.now(), Duration::from_secs(3));
            Heartbeat::new(&seed::sown(config), later.unwrap_or_else(|| timer.now()))
        }",
    },
    Fault {
        name: "a send moves no deadline",
        file: STREAM,
        right: "News::Sent",
        wrong: "News::Nothing",
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
        right: "News::Bytes",
        wrong: "News::Nothing",
    },
    Fault {
        name: "a heartbeat goes before an item",
        file: STREAM,
        right: "this.inner.poll_next(cx)",
        wrong: r"{
            if state.taken == Taken::Nothing {
                let beat = state.poll_beat(this.alarm.as_mut(), this.beat, this.flight, cx);
                if let Poll::Ready(beat) = beat {
                    return Poll::Ready(Some(beat));
                }
            }
            this.inner.poll_next(cx)
        }",
    },
    Fault {
        name: "an item that comes after a heartbeat is lost",
        file: STREAM,
        right: "this.inner.poll_next(cx)",
        wrong: r"{
            let mut inner = this.inner;
            if state.taken == Taken::Heartbeat {
                drop(inner.as_mut().poll_next(cx));
            }
            inner.poll_next(cx)
        }",
    },
    Fault {
        name: "heartbeats go on after stop",
        file: STREAM,
        right: r"this.alarm.set(AlarmOf::<P>::default());
        this.state.end_beats()",
        wrong: "()",
    },
    Fault {
        name: "stop leaves the alarm",
        file: STREAM,
        right: r"this.alarm.set(AlarmOf::<P>::default());
        this.state.end_beats()",
        wrong: "this.state.end_beats()",
    },
    Fault {
        name: "the end leaves the alarm",
        file: STREAM,
        right: r"state.taken = Taken::End;
                state.pulse.stop();
                this.alarm.set(AlarmOf::<P>::default())",
        wrong: r"state.taken = Taken::End;
                state.pulse.stop()",
    },
    Fault {
        name: "the end is asked for twice",
        file: STREAM,
        right: r"if state.taken == Taken::End {
                return Poll::Ready(None);
            }",
        wrong: "",
    },
    Fault {
        name: "heartbeats go on after the end",
        file: STREAM,
        right: r"state.taken = Taken::End;
                state.pulse.stop();
                this.alarm.set(AlarmOf::<P>::default())",
        wrong: r"
                return state.poll_beat(this.alarm, this.beat, this.flight, cx).map(Some)",
    },
    Fault {
        name: "an error counts as a send",
        file: STREAM,
        right: "state.muted = true",
        wrong: "(state.taken, state.muted) = (Taken::Real, false)",
    },
    Fault {
        name: "no heartbeat ever follows an error",
        file: STREAM,
        right: "(state.taken, state.muted) = (Taken::Real, false)",
        wrong: "state.taken = Taken::Real",
    },
    Fault {
        name: "a heartbeat stands within a message",
        file: STREAM,
        right: "self.muted || !beat.fits()",
        wrong: "self.muted",
    },
    Fault {
        name: "a foreign heartbeat counts as a real event",
        file: STREAM,
        right: "(state.taken, state.muted) = (Taken::Heartbeat.max(state.taken), false)",
        wrong: "(state.taken, state.muted) = (Taken::Real, false)",
    },
    Fault {
        name: "a foreign heartbeat does not break the silence",
        file: STREAM,
        right: "(state.taken, state.muted) = (Taken::Heartbeat.max(state.taken), false)",
        wrong: "()",
    },
    Fault {
        name: "each item reads the clock",
        file: STREAM,
        right: "this.beat.kind(&item)",
        wrong: r"{
            let _ = state.pulse.now();
            this.beat.kind(&item)
        }",
    },
    Fault {
        name: "each item moves the alarm",
        file: STREAM,
        right: "this.beat.kind(&item)",
        wrong: r"{
            let (now, mut alarm) = (state.pulse.now(), this.alarm);
            alarm.set(AlarmOf::<P>::default());
            state.pulse.report(News::Sent, now);
            let _ = state.pulse.poll_due(alarm, News::Nothing, now, cx);
            this.beat.kind(&item)
        }",
    },
    Fault {
        name: "who polls anew is not woken",
        file: ALARM,
        right: "now < armed.quiet_until && armed.waker.will_wake(waker)",
        wrong: "now < armed.quiet_until",
    },
    Fault {
        name: "who polls last without an item is not woken",
        file: ALARM,
        right: "armed.waker.clone_from(cx.waker())",
        wrong: "()",
    },
    Fault {
        name: "an alarm counts as set when it may have gone off",
        file: ALARM,
        right: "deadline.saturating_duration_since(now).saturating_sub(granularity)",
        wrong: "deadline.saturating_duration_since(now)",
    },
    Fault {
        name: "a stream with heartbeats says how long it is",
        file: STREAM,
        right: "upper.filter(|_| !self.state.beating)",
        wrong: "upper",
    },
    Fault {
        name: "the silence before the end is not told",
        file: STREAM,
        right: "this.flight.measure(|| state.pulse.now())",
        wrong: "()",
    },
    Fault {
        name: "an alarm is set twice in one poll",
        file: ALARM,
        right: "timer.reset(this.sleep.as_mut(), deadline)",
        wrong: r"
            timer.reset(this.sleep.as_mut(), deadline);
            timer.reset(this.sleep.as_mut(), deadline)",
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
        right: "flight.measure(|| now)",
        wrong: "()",
    },
    Fault {
        name: "giving up is not told",
        file: STREAM,
        right: "flight.telling.gave_up()",
        wrong: "()",
    },
    Fault {
        name: "all streams draw the same gaps",
        file: SEED,
        right: "config.seed().unwrap_or_else(unique)",
        wrong: "1",
    },
    Fault {
        name: "a lock is held while the sink is not ready",
        file: LINE,
        right: r"drop(line);
            woken().await",
        wrong: r"woken().await;
            drop(line)",
    },
    Fault {
        name: "a sink that is not ready is asked again at once",
        file: LINE,
        right: r"drop(line);
            woken().await",
        wrong: "drop(line)",
    },
    Fault {
        name: "an item is handed over without asking whether the sink is ready",
        file: SENDER,
        right: "self.shared.ask(line, Line::poll_ready).await",
        wrong: "(line, Ok::<(), Si::Error>(()))",
    },
    Fault {
        name: "senders do not take turns",
        file: TURN,
        right: "self.try_take()",
        wrong: r"{
            let other = Self { state: AtomicUsize::new(TAKEN), ..Self::default() };
            Some(Turn(Box::leak(Box::new(other))))
        }",
    },
    Fault {
        name: "nobody is told that it is their turn",
        file: TURN,
        right: "turns.handed_on.notify_additional(1) == 1",
        wrong: "true",
    },
    Fault {
        name: "a turn ends when the item was handed over",
        file: SENDER,
        right: "left_behind.0 = Some(&self.shared.changed)",
        wrong: r"
            left_behind.0 = Some(&self.shared.changed);
            drop(turn)",
    },
    Fault {
        name: "the driver is not told of a turn that was given back",
        file: TURN,
        right: "self.0.heeded.load(SeqCst)",
        wrong: "false",
    },
    Fault {
        name: "a heartbeat does not wait for its turn",
        file: DRIVER,
        right: r"if turn.is_none() {
            return Ok(Step::Queue(deadline));
        }",
        wrong: "",
    },
    Fault {
        name: "a heartbeat is handed over within a message",
        file: DRIVER,
        right: "!line.fits::<Item>()",
        wrong: "false",
    },
    Fault {
        name: "who rests within a message rests for ever",
        file: DRIVER,
        right: "line.awaits = Awaits::Any",
        wrong: "()",
    },
    Fault {
        name: "who is slow to send is followed at once by a heartbeat",
        file: DRIVER,
        right: "duty.owed.is_some() && !line.pulse.is_in_flight()",
        wrong: "false",
    },
    Fault {
        name: "a heartbeat that is owed is handed over after stop has returned",
        file: DRIVER,
        right: "self.senders.strong_count() == 0",
        wrong: r"{
            if duty.owed.is_some() && line.stopped {
                return Ok(match line.poll_ready(cx) {
                    Poll::Ready(_) => {
                        duty.owed = None;
                        drop(line.hand_over_heartbeat());
                        Step::Again
                    }
                    Poll::Pending => Step::AskAgain(None),
                });
            }
            self.senders.strong_count() == 0
        }",
    },
    Fault {
        name: "a heartbeat that was overtaken is not told",
        file: DRIVER,
        right: "duty.telling.withdrawn()",
        wrong: "()",
    },
    Fault {
        name: "what leaves late does not break the silence",
        file: LINE,
        right: "waited && self.beating",
        wrong: "false",
    },
    Fault {
        name: "what a dropped send leaves behind is flushed by nobody",
        file: SENDER,
        right: r"if let Some(changed) = self.0 {
            changed.notify(usize::MAX);
        }",
        wrong: "",
    },
    Fault {
        name: "nobody tells the driver that all senders are gone",
        file: LINE,
        right: "self.0.notify(usize::MAX)",
        wrong: "0",
    },
    Fault {
        name: "a driver that has given up hears of no send",
        file: LINE,
        right: "kind == Kind::Real",
        wrong: "false",
    },
    Fault {
        name: "closing leaves the heartbeats",
        file: SENDER,
        right: "self.stop().await",
        wrong: "()",
    },
    Fault {
        name: "stop leaves the heartbeats",
        file: SENDER,
        right: "self.shared.line().await.stop()",
        wrong: "()",
    },
    Fault {
        name: "a send that failed counts as a send",
        file: LINE,
        right: "self.start_send(item)?",
        wrong: r"if let Err(error) = self.start_send(item) {
                let now = self.pulse.now();
                self.pulse.report(News::Sent, now);
                return Err(error);
            }",
    },
    Fault {
        name: "a foreign heartbeat that is pushed counts as a real event",
        file: LINE,
        right: "self.pulse.report(news, now)",
        wrong: "self.pulse.report(News::Sent, now)",
    },
    Fault {
        name: "a disabled sink looks at the clock",
        file: LINE,
        right: "!config.is_disabled()",
        wrong: "true",
    },
    Fault {
        name: "a driver sets its alarm at each look",
        file: DRIVER,
        right: "deadline.filter(|at| armed.is_none_or(|armed| *at < armed))",
        wrong: "deadline",
    },
    Fault {
        name: "a failure of the sink is taken for a stall",
        file: DRIVER,
        right: "DriverError::Transport(error)",
        wrong: r"{
            drop(error);
            DriverError::Stalled
        }",
    },
    Fault {
        name: "a driver tells of a heartbeat before it is flushed",
        file: DRIVER,
        right: r"if flushed {
            duty.end_sent(Outcome::Sent);
        }",
        wrong: "duty.end_sent(Outcome::Sent)",
    },
    Fault {
        name: "a pushed heartbeat that never left is not told",
        file: DRIVER,
        right: "self.end_sent(Outcome::Error)",
        wrong: "()",
    },
    Fault {
        name: "a driver tells no silences",
        file: DRIVER,
        right: "self.telling.silence(silence)",
        wrong: "()",
    },
    Fault {
        name: "the wait for the sink is no lateness",
        file: DRIVER,
        right: "late.saturating_add(at.saturating_duration_since(asked))",
        wrong: "late",
    },
    Fault {
        name: "a stall is not told",
        file: DRIVER,
        right: "self.telling.stalled()",
        wrong: "()",
    },
    Fault {
        name: "the last flush may take for ever",
        file: DRIVER,
        right: "stall_after.is_zero()",
        wrong: "true",
    },
    Fault {
        name: "an alarm wakes its driver twice",
        file: DRIVER,
        right: "gone_off && self.alarm_is_new && !waited",
        wrong: "gone_off && mem::take(&mut self.alarm_is_new)",
    },
    Fault {
        name: "a hub's alarm goes off before its time",
        file: CLOCK,
        right: "at.checked_add(self.timer.granularity())?",
        wrong: "at.saturating_sub(Duration::from_millis(500))",
    },
    Fault { name: "a hub's clock runs back", file: CLOCK, right: "now.max(floor)", wrong: "now" },
    Fault {
        name: "the hub is not told of an earlier deadline",
        file: CLOCK,
        right: "self.wake_task()",
        wrong: "()",
    },
    Fault {
        name: "a hub's task that has ended counts as running",
        file: CLOCK,
        right: "self.has_ended.store(true, SeqCst)",
        wrong: "()",
    },
    Fault {
        name: "a hub wakes the task that polled it first",
        file: CLOCK,
        right: "if known { None } else { task.replace(waker.clone()) }",
        wrong: "if task.is_some() { None } else { task.replace(waker.clone()) }",
    },
    Fault {
        name: "a hub wakes the task that polled a stream first",
        file: SHARD,
        right: "members.get(key).is_some_and(|known| known.will_wake(waker))",
        wrong: "members.get(key).is_some_and(|known| !known.will_wake(Waker::noop()))",
    },
    Fault {
        name: "a send keeps a hub from asking who was woken",
        file: SHARD,
        right: "moved && is_known",
        wrong: "moved",
    },
    Fault {
        name: "a driver that has ended stays in its hub",
        file: DRIVER,
        right: r"line.stop();
            line.pulse.stop()",
        wrong: "line.stop()",
    },
    Fault {
        name: "a hub does not hear of sends",
        file: SHARD,
        right: "report(&mut members, key, news, at)",
        wrong: "()",
    },
    Fault {
        name: "a hub does not watch whoever is away",
        file: SHARD,
        right: "members.look_after(key, now)",
        wrong: "!members.is_in_flight(key)",
    },
    Fault {
        name: "a hub's alarm does not end a wait",
        file: SHARD,
        right: "return true",
        wrong: "return false",
    },
    Fault {
        name: "a hub wakes the task that waited for it first",
        file: SHARD,
        right: "if known.will_wake(waker) { None } else { Some(mem::replace(known, waker.clone())) }",
        wrong: "None",
    },
    Fault {
        name: "of those who are due at once a hub wakes one",
        file: SHARD,
        right: "due.extend(members.get_mut(key).and_then(Option::take))",
        wrong: r"
                    if due.is_empty() {
                        due.extend(members.get_mut(key).and_then(Option::take))
                    }",
    },
    Fault {
        name: "nobody is woken when the hub's task is dropped",
        file: SHARD,
        right: "wakers.into_iter().for_each(Waker::wake)",
        wrong: "drop(wakers)",
    },
    Fault {
        name: "the last stream does not wake the hub's task",
        file: SHARD,
        right: "self.clock.wake_task()",
        wrong: "()",
    },
    Fault {
        name: "the hub's task never ends",
        file: TASK,
        right: "this.hub.is_gone()",
        wrong: "false",
    },
    Fault {
        name: "the hub's task ends while there are streams",
        file: TASK,
        right: "self.shards.iter().all(|shard| shard.strong_count() == 0)",
        wrong: "self.shards.iter().any(|shard| shard.strong_count() == 0)",
    },
    Fault {
        name: "a stream that has gone stays in its hub",
        file: PULSE,
        right: "self.shard.close(&mut self.key)",
        wrong: "()",
    },
    Fault {
        name: "a hub does not hear what overtakes a heartbeat",
        file: PULSE,
        right: "self.shard.report(self.key, news, now)",
        wrong: "()",
    },
    Fault {
        name: "a hub forgets a send for other bytes",
        file: SINK_PULSE,
        right: "self.shard.report(self.key, News::Sent, self.last)",
        wrong: "()",
    },
    Fault {
        name: "a hub does not hear that a consumer is back",
        file: SHARD,
        right: "report(&mut members, key, News::Bytes, now)",
        wrong: "()",
    },
    Fault {
        name: "a heartbeat of a hub is not noted as in flight",
        file: SINK_PULSE,
        right: "self.is_in_flight |= matches!(action, Action::SendHeartbeat { .. })",
        wrong: "()",
    },
    Fault {
        name: "who drops a stream that has stalled is not told so",
        file: SHARD,
        right: "is_there && members.look_after(key, at) && members.is_stopped(key)",
        wrong: "false",
    },
    Fault {
        name: "who drops a stream hears of a stall only if the hub has seen it",
        file: SHARD,
        right: "is_there && members.look_after(key, at) && members.is_stopped(key)",
        wrong: "is_there && members.is_stopped(key)",
    },
    Fault {
        name: "each dropped stream counts as stalled",
        file: SHARD,
        right: "is_there && members.look_after(key, at) && members.is_stopped(key)",
        wrong: "is_there",
    },
    Fault {
        name: "who is back from a stall on a hub is not told so",
        file: STREAM,
        right: "state.watched && state.pulse.consumer_is_back()",
        wrong: "{ state.watched && state.pulse.consumer_is_back(); false }",
    },
    Fault {
        name: "a stop hides a stall on a hub",
        file: STREAM,
        right: "this.flight.tell_stall()",
        wrong: "()",
    },
    Fault {
        name: "a hub that is full says nothing",
        file: SHARD,
        right: "return Asked::Abandoned(HubError::Full)",
        wrong: "return Asked::Needless",
    },
    Fault {
        name: "the silence on a hub begins later than birth",
        file: PULSE,
        right: "shard.open(config, shard.clock().now())",
        wrong: "shard.open(config, shard.clock().now() + Duration::from_secs(3))",
    },
    Fault {
        name: "a disabled stream is in a hub",
        file: SHARD,
        right: "config.is_disabled()",
        wrong: "false",
    },
    Fault {
        name: "silences on a hub are not told",
        file: SINK_PULSE,
        right: "now.saturating_sub(self.last)",
        wrong: "Duration::ZERO",
    },
    Fault {
        name: "what is received does not restart the timeout",
        file: WATCH,
        right: "self.dog.on_receive(now)",
        wrong: "()",
    },
    Fault {
        name: "a heartbeat that is skipped does not restart the timeout",
        file: WATCH,
        right: "this.watch.received = true",
        wrong: "this.watch.received |= !(this.is_heartbeat)(&item)",
    },
    Fault {
        name: "heartbeats are not skipped",
        file: WATCH,
        right: "!(this.is_heartbeat)(&item)",
        wrong: "true",
    },
    Fault {
        name: "the timeout goes before an item",
        file: WATCH,
        right: "this.inner.as_mut().poll_next(cx)",
        wrong: r"{
            let now = this.watch.timer.now();
            match this.watch.dog.clone().poll_deadline(now) {
                WatchdogAction::Expired => Poll::Pending,
                _ => this.inner.as_mut().poll_next(cx),
            }
        }",
    },
    Fault {
        name: "a stream goes on after its timeout",
        file: WATCH,
        right: r"self.ended = true;
                    alarm.clear()",
        wrong: "alarm.clear()",
    },
    Fault {
        name: "the end leaves the alarm of a watch",
        file: WATCH,
        right: r"this.watch.ended = true;
                this.alarm.clear()",
        wrong: "this.watch.ended = true",
    },
    Fault {
        name: "a disabled watch looks at the clock",
        file: WATCH,
        right: "self.timeout.is_zero()",
        wrong: "false",
    },
    Fault {
        name: "a peer is given up too early",
        file: DOG,
        right: "deadline <= self.latest",
        wrong: "deadline.saturating_duration_since(self.latest) <= Duration::from_secs(3)",
    },
    Fault {
        name: "an early alarm of a watch is set again and again",
        file: DOG,
        right: "self.granularity.after(deadline).unwrap_or(deadline)",
        wrong: "deadline",
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
        right: "is_near(at, now, early)",
        wrong: "at.saturating_duration_since(now) <= Duration::from_secs(3)",
    },
    Fault {
        name: "after a stall all that was missed is made up for",
        file: HEART,
        right: r"self.silence = Span::ZERO;
        self.phase = Phase::Armed",
        wrong: r"
            let missed = self.phase == Phase::InFlight && self.silence.half() > self.interval;
            self.silence = Span::ZERO;
            self.phase = if missed { Phase::Prompt } else { Phase::Armed }",
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
        right: "self.give_up_after.after(self.real?)",
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
