//! The proxy as a process.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::{GATEWAY, send_signal};

/// A time limit for everything that needs no waiting. It is generous, for a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A running proxy on a free port. Dropping it kills the process.
pub(crate) struct Proxying {
    child: Child,
    pub(crate) stdout: BufReader<ChildStdout>,
    log: Arc<Mutex<String>>,
    pub(crate) address: SocketAddr,
}

impl Proxying {
    pub(crate) fn start(upstream: impl Display, arguments: &str) -> Self {
        Self::start_with_log("info", upstream, arguments)
    }

    /// Starts a proxy with this filter of its log.
    pub(crate) fn start_with_log(filter: &str, upstream: impl Display, arguments: &str) -> Self {
        let mut child = Command::new(GATEWAY)
            .env("RUST_LOG", filter)
            .args(["proxy", "--listen", "127.0.0.1:0", "--upstream", &upstream.to_string()])
            .args(arguments.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command can be run");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let stderr = child.stderr.take().expect("piped");
        let mut stderr = BufReader::new(stderr);
        let Some((_, address)) = line.trim_end().rsplit_once(" on ") else {
            let mut error = String::new();
            let _ = stderr.read_to_string(&mut error);
            panic!("{line}{error}");
        };
        let address = address.parse().expect("an address");
        let log = Arc::new(Mutex::new(String::new()));
        let lines = Arc::clone(&log);
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                *lines.lock().expect("no panic") += &(line + "\n");
            }
        });
        Self { child, stdout, log, address }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connect")
    }

    /// Waits until the log has this many lines of finished requests, and returns those lines.
    pub(crate) async fn request_logs(&self, count: usize) -> Vec<String> {
        let waiting = async {
            loop {
                let log = self.log();
                let lines = log.lines().filter(|line| line.contains(" answered "));
                let lines: Vec<String> = lines.map(str::to_owned).collect();
                if lines.len() >= count {
                    return lines;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("{}", self.log()))
    }

    /// Waits until the log contains `text`.
    pub(crate) async fn wait_for_log(&self, text: &str) {
        let waiting = async {
            while !self.log().contains(text) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("{}", self.log()));
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    pub(crate) fn terminate(&self) {
        send_signal(&self.child, "-TERM");
    }

    pub(crate) fn hang_up(&self) {
        send_signal(&self.child, "-HUP");
    }

    /// Waits until the process exits. The tasks of the test run meanwhile.
    pub(crate) async fn wait_for_exit(&mut self) -> ExitStatus {
        let waiting = async {
            loop {
                if let Some(status) = self.child.try_wait().expect("a child process") {
                    return status;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, waiting).await.expect("soon")
    }
}

/// Kills the proxy after a failed test.
impl Drop for Proxying {
    fn drop(&mut self) {
        let _ = self.child.kill(); // the process may have ended
        let _ = self.child.wait();
    }
}
