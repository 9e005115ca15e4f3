//! Runs an example, and listens to it as a client would.
//!
//! An example says on its first line where it listens. It tells one event, is silent for longer than
//! its interval, tells another event, and is silent for good.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// How long anything may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// An example that runs, until this is dropped.
#[derive(Debug)]
pub struct Running {
    process: Child,
    address: SocketAddr,
    lines: Receiver<io::Result<String>>,
}

impl Running {
    /// Starts the program.
    ///
    /// # Errors
    ///
    /// If it does not start, or does not say where it listens.
    pub fn start(program: &str) -> io::Result<Self> {
        let mut process = Command::new(program).stdout(Stdio::piped()).spawn()?;
        let stdout = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(stdout).lines().try_for_each(|line| sender.send(line))
        });
        let nowhere = SocketAddr::from(([0; 4], 0));
        let mut running = Self { process, address: nowhere, lines }; // ended, whatever is wrong
        let line = running.line()?;
        let no_address = || io::Error::other(format!("no address in {line:?}"));
        running.address = address_in(&line).ok_or_else(no_address)?;
        Ok(running)
    }

    /// The next line that it says.
    ///
    /// # Errors
    ///
    /// If it says nothing for a long time, or has ended.
    pub fn line(&self) -> io::Result<String> {
        self.lines.recv_timeout(PATIENCE).map_err(io::Error::other)?
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request, and returns what comes back up to and including `last`.
    ///
    /// # Errors
    ///
    /// If the connection ends before that, or nothing comes for a long time.
    pub fn ask(&self, request: &str, last: &str) -> io::Result<String> {
        let mut connection = TcpStream::connect(self.address)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(request.as_bytes())?;
        let mut received = String::new();
        for byte in BufReader::new(connection).bytes() {
            received.push(byte?.into());
            if received.ends_with(last) {
                return Ok(received);
            }
        }
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, received))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it may have ended
        let _ = self.process.wait();
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    line.split([' ', '/']).find_map(|word| word.parse().ok())
}

/// Makes sure that between two events there was nothing but heartbeats, and at least one of them.
///
/// # Panics
///
/// If it was otherwise.
pub fn assert_beats_between(received: &str, first: &str, beat: &str, last: &str) {
    let within = received.strip_prefix(first).and_then(|rest| rest.strip_suffix(last));
    let beats = within.unwrap_or_else(|| panic!("one of the events is not whole: {received:?}"));
    let number = beats.len() / beat.len();
    assert!(number >= 1, "no heartbeat in {received:?}");
    assert_eq!(beats, beat.repeat(number));
}

/// Makes sure that an SSE server at `/events` keeps a quiet stream alive with `beat`.
///
/// # Panics
///
/// If it does not.
pub fn assert_sse_lives(program: &str, beat: &str) {
    let received = events_of(program, "text/event-stream", "data: still here\n\n");
    assert_beats_between(&received, "data: hello\n\n", beat, "data: still here\n\n");
}

/// Makes sure that an NDJSON server at `/events` keeps a quiet stream alive with blank lines.
///
/// # Panics
///
/// If it does not.
pub fn assert_ndjson_lives(program: &str) {
    let received = events_of(program, "application/x-ndjson", "\"still here\"\n");
    assert_beats_between(&received, "\"hello\"\n", "\n", "\"still here\"\n");
}

/// The body of a response of a program's, up to and including `last`.
fn events_of(program: &str, content_type: &str, last: &str) -> String {
    let example = Running::start(program).expect("it starts");
    let request = "GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let received = example.ask(request, last).expect("the stream goes on");
    let (head, chunks) = received.split_once("\r\n\r\n").expect("there are headers");
    assert!(head.contains(content_type), "{head}");
    // A chunk is its length and its text, each on a line that ends as none of the text does.
    chunks.split("\r\n").skip(1).step_by(2).collect()
}
