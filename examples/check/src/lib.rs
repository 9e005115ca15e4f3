//! Runs an example server, and checks what a client receives.
//!
//! An example prints its address on the first line. Most send one event, and are then silent for longer than the heartbeat
//! interval.

#[cfg(feature = "websocket")]
pub mod websocket;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// Time limit of each step. Long, because the machine may be busy.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// The process of an example. Dropping it kills the process.
#[derive(Debug)]
pub struct RunningExample {
    process: Child,
    address: SocketAddr,
    lines: Receiver<io::Result<String>>,
}

impl RunningExample {
    /// Starts the program, and reads its address.
    ///
    /// # Errors
    ///
    /// If the program does not start, or prints no address on its first line.
    pub fn start(program: &str) -> io::Result<Self> {
        let mut process = Command::new(program).stdout(Stdio::piped()).spawn()?;
        let stdout = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(stdout).lines().try_for_each(|line| sender.send(line))
        });
        let unknown = SocketAddr::from(([0; 4], 0));
        let mut example = Self { process, address: unknown, lines }; // from here on an error kills the process
        let line = example.next_line()?;
        let no_address = || io::Error::other(format!("no address in {line:?}"));
        example.address = address_in(&line).ok_or_else(no_address)?;
        Ok(example)
    }

    /// Waits for the next line of the program's output.
    ///
    /// # Errors
    ///
    /// If the program prints nothing for 20 s, or has exited.
    pub fn next_line(&self) -> io::Result<String> {
        self.lines.recv_timeout(TIME_LIMIT).map_err(io::Error::other)?
    }

    /// The address on which the example listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of the process, to send it a signal.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends `request` on a new connection.
    ///
    /// # Errors
    ///
    /// If the connection fails.
    pub fn send(&self, request: &str) -> io::Result<Response> {
        let mut connection = TcpStream::connect(self.address)?;
        connection.set_read_timeout(Some(TIME_LIMIT))?;
        connection.write_all(request.as_bytes())?;
        Ok(Response(BufReader::new(connection)))
    }

    /// Sends `request`, and returns the response up to and including `last`.
    ///
    /// # Errors
    ///
    /// If the connection ends before `last`, or nothing is received for 20 s.
    pub fn request(&self, request: &str, last: &str) -> io::Result<String> {
        self.send(request)?.read_to(last)
    }
}

/// A response that is read in parts. Dropping it closes the connection.
#[derive(Debug)]
pub struct Response(BufReader<TcpStream>);

impl Response {
    /// Reads the next part of the response, up to and including `last`.
    ///
    /// # Errors
    ///
    /// If the connection ends before `last`, or nothing is received for 20 s.
    pub fn read_to(&mut self, last: &str) -> io::Result<String> {
        let mut received = String::new();
        for byte in self.0.by_ref().bytes() {
            received.push(byte?.into());
            if received.ends_with(last) {
                return Ok(received);
            }
        }
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, received))
    }
}

impl Drop for RunningExample {
    fn drop(&mut self) {
        let _ = self.process.kill(); // fails if the process has exited
        let _ = self.process.wait();
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    line.split([' ', '/']).find_map(|word| word.parse().ok())
}

/// Asserts that an SSE server sends `heartbeat` after the first event at `/events`.
///
/// # Panics
///
/// If the assertion fails.
pub fn assert_sse_heartbeat(program: &str, heartbeat: &str) {
    assert_heartbeat(program, "text/event-stream", "data: hello\n\n", heartbeat);
}

/// Asserts that an NDJSON server sends a blank line after the first event at `/events`.
///
/// # Panics
///
/// If the assertion fails.
pub fn assert_ndjson_heartbeat(program: &str) {
    assert_heartbeat(program, "application/x-ndjson", "\"hello\"\n", "\n");
}

fn assert_heartbeat(program: &str, content_type: &str, event: &str, heartbeat: &str) {
    let example = RunningExample::start(program).expect("started");
    let request = "GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let heartbeat_chunk = format!("\r\n{heartbeat}\r\n");
    let received = example.request(request, &heartbeat_chunk).expect("a heartbeat");
    let (head, chunks) = received.split_once("\r\n\r\n").expect("headers");
    assert!(head.contains(content_type), "{head}");
    // A chunk is two lines, its length and its text. The text contains no CRLF.
    let body: String = chunks.split("\r\n").skip(1).step_by(2).collect();
    assert_eq!(body, format!("{event}{heartbeat}"));
}
