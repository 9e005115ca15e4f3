//! The log on standard error. Lines wait in a bounded queue for the thread that writes them, so that a standard error
//! that is full, closed or not read neither delays nor fails a request.

use std::io::{self, IsTerminal, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Maximum size of the queue in bytes. Lines that do not fit are dropped.
const CAPACITY: usize = 1024 * 1024;

/// Time to write the queued lines when the process ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Time for which lines are collected, so that a busy process does not wake the thread for each line.
const COLLECT_TIME: Duration = Duration::from_millis(10);

/// Pause after a write that would block. Only a standard error that another process has made non-blocking has such.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

static QUEUE: LogQueue = LogQueue::new();

/// Writes the log of this process to standard error from now on. `RUST_LOG` sets its level; the default is `level`.
///
/// # Errors
///
/// If the thread that writes cannot be spawned.
pub(crate) fn init(level: LevelFilter) -> io::Result<LogGuard> {
    thread::Builder::new().name("log".to_owned()).spawn(|| QUEUE.write_to(io::stderr()))?;
    let filter = EnvFilter::builder().with_default_directive(level.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_writer(|| &QUEUE)
        .log_internal_errors(false) // they would be written to standard error
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(LogGuard(()))
}

/// Number of lines that did not fit into the queue or could not be written.
pub(crate) fn dropped_lines() -> u64 {
    QUEUE.lock().dropped
}

/// When it is dropped, it waits until the queued lines are written, at most for a second.
#[must_use = "dropping the guard ends the log"]
pub(crate) struct LogGuard(());

impl Drop for LogGuard {
    fn drop(&mut self) {
        QUEUE.close(FLUSH_TIMEOUT);
    }
}

struct LogQueue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    lines: Vec<u8>,
    dropped: u64,
    phase: Phase,
}

#[derive(PartialEq)]
enum Phase {
    Open,
    /// The process ends: the thread writes the queued lines.
    Closing,
    /// The thread has ended.
    Flushed,
}

impl LogQueue {
    const fn new() -> Self {
        let state = State { lines: Vec::new(), dropped: 0, phase: Phase::Open };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the lines to `output` until the queue is closed and empty. Once a write succeeds after lines were dropped,
    /// their number is logged.
    fn write_to(&self, mut output: impl Write) {
        let (mut reported, mut writable) = (0, true);
        loop {
            let waiting = |state: &mut State| {
                let to_report = writable && state.dropped > reported;
                state.phase == Phase::Open && state.lines.is_empty() && !to_report
            };
            let state = self.changed.wait_while(self.lock(), waiting);
            let state = state.unwrap_or_else(PoisonError::into_inner);
            let is_open = |state: &mut State| state.phase == Phase::Open;
            let collected = self.changed.wait_timeout_while(state, COLLECT_TIME, is_open);
            let (mut state, _) = collected.unwrap_or_else(PoisonError::into_inner);
            let (lines, dropped) = (std::mem::take(&mut state.lines), state.dropped);
            let to_report = writable && dropped > reported;
            if lines.is_empty() && !to_report {
                state.phase = Phase::Flushed;
                self.changed.notify_all();
                return;
            }
            drop(state);
            if to_report {
                tracing::warn!(lines = dropped - reported, "log lines were dropped"); // into the queue, now empty
                reported = dropped;
            }
            // One write per line, so that lines of processes that share a pipe do not mix.
            for line in lines.split_inclusive(|&byte| byte == b'\n') {
                writable = write_line(&mut output, line).is_ok();
                self.lock().dropped += u64::from(!writable);
            }
        }
    }

    /// Waits until the queued lines are written, at most for `timeout`.
    fn close(&self, timeout: Duration) {
        let mut state = self.lock();
        state.phase = Phase::Closing;
        self.changed.notify_all();
        let unfinished = |state: &mut State| state.phase != Phase::Flushed;
        drop(self.changed.wait_timeout_while(state, timeout, unfinished));
    }
}

/// Queues what is written as a line, or drops it if the queue is full. Never waits and never fails.
impl Write for &LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = self.lock();
        if state.lines.len() + line.len() <= CAPACITY {
            if state.lines.is_empty() {
                self.changed.notify_all(); // while there are lines, the thread does not wait for any
            }
            state.lines.extend_from_slice(line);
        } else {
            state.dropped += 1;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the whole line. Waits if the output is non-blocking and full.
fn write_line(output: &mut impl Write, mut line: &[u8]) -> io::Result<()> {
    while !line.is_empty() {
        match output.write(line) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => line = &line[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY_PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    /// An output whose first writes have these results; later ones succeed.
    #[derive(Default)]
    struct Output {
        results: VecDeque<io::Result<usize>>,
        written: String,
    }

    impl Write for &mut Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let written = self.results.pop_front().unwrap_or(Ok(bytes.len()))?;
            self.written += str::from_utf8(&bytes[..written]).expect("text");
            Ok(written)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Logs these lines and writes them to `output`. Returns the text that is written.
    fn write_all(queue: &Arc<LogQueue>, lines: &[&str], mut output: Output) -> String {
        for line in lines {
            (&**queue).write_all(line.as_bytes()).expect("never fails");
        }
        queue.close(Duration::ZERO);
        let log = Arc::clone(queue);
        let subscriber = tracing_subscriber::fmt().without_time().with_writer(log).finish();
        tracing::subscriber::with_default(subscriber, || queue.write_to(&mut output));
        output.written
    }

    #[test]
    fn queued_lines_are_written_before_the_end() {
        let queue = Arc::new(LogQueue::new());
        let results = [Ok(2), Err(io::ErrorKind::Interrupted.into()), Ok(1)];
        let output = Output { results: results.into(), ..Output::default() };
        assert_eq!(write_all(&queue, &["first\n", "second\n"], output), "first\nsecond\n");
        assert_eq!(queue.lock().dropped, 0);
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_and_their_number_is_logged() {
        let queue = Arc::new(LogQueue::new());
        let full = || Err(io::ErrorKind::StorageFull.into());
        let output = Output { results: [full(), Ok(0)].into(), ..Output::default() };
        let log = write_all(&queue, &["first\n", "second\n", "third\n"], output);
        let (written, report) = log.split_once('\n').expect("two lines");
        assert_eq!(written, "third");
        assert!(report.contains("WARN") && report.contains("log lines were dropped"), "{log}");
        assert!(report.contains("lines") && report.ends_with("2\n"), "{log}");
        assert_eq!(queue.lock().dropped, 2);
    }

    #[test]
    fn lines_beyond_the_capacity_are_counted_and_their_number_is_logged() {
        let queue = Arc::new(LogQueue::new());
        let half = "a".repeat(CAPACITY / 2 - 1) + "\n";
        let log = write_all(&queue, &[&half, &half, "b\n", "c\n"], Output::default());
        assert!(log.starts_with(&format!("{half}{half}")));
        assert!(log.ends_with("2\n"), "{}", &log[CAPACITY..]);
        assert_eq!(queue.lock().dropped, 2);
    }

    /// An output that blocks until the sender is dropped.
    struct Blocked(Receiver<()>);

    impl Write for Blocked {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_output_that_blocks_delays_neither_lines_nor_the_end() {
        let queue = LogQueue::new();
        thread::scope(|scope| {
            let (unblock, blocked) = channel();
            scope.spawn(|| queue.write_to(Blocked(blocked)));
            for _ in 0..CAPACITY {
                (&queue).write_all(b"a line\n").expect("never fails");
            }
            assert!(queue.lock().dropped > 0);
            queue.close(Duration::from_millis(1));
            assert!(queue.lock().phase == Phase::Closing);
            drop(unblock);
        });
        assert!(queue.lock().phase == Phase::Flushed);
    }
}
