//! The gateway as a process of its own, and a client of its service.

#![allow(unreachable_pub, dead_code, reason = "it is a module of several test programs")]

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use heartbeat_gateway::proto::gateway_service_client::GatewayServiceClient;
use tonic::{Status, Streaming};

pub const GATEWAY: &str = env!("CARGO_BIN_EXE_heartbeat-gateway");

/// A server that is running, on a port of its own.
pub struct Serving {
    child: Child,
    pub stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
    pub address: SocketAddr,
}

impl Serving {
    pub fn start(arguments: &str) -> Self {
        Self::start_by(Command::new(GATEWAY), arguments)
    }

    /// Starts a server that may have so many files open, its sockets among them.
    pub fn start_with_files(files: usize, arguments: &str) -> Self {
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -n $0 && exec \"$@\"", &files.to_string(), GATEWAY]);
        Self::start_by(limited, arguments)
    }

    fn start_by(mut command: Command, arguments: &str) -> Self {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command can be run");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let stderr = child.stderr.take().expect("piped");
        let address = address_in(&mut stdout, "serving gRPC on ");
        Self { child, stdout, stderr, address }
    }

    pub fn terminate(&self) {
        let kill = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(kill.expect("there is a kill command").success());
    }

    /// Waits for the end, and tells what was logged. The tests' own tasks go on meanwhile: the
    /// server's last frames want an answer.
    pub async fn end(mut self) -> (ExitStatus, String) {
        let ended = tokio::task::spawn_blocking(move || {
            let status = self.child.wait().expect("it is our child");
            let mut log = String::new();
            self.stderr.read_to_string(&mut log).expect("text");
            (status, log)
        });
        ended.await.expect("no panic")
    }
}

/// A test that fails leaves no server behind.
impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended
    }
}

/// Reads a line that ends with an address.
pub fn address_in(stdout: &mut impl BufRead, prefix: &str) -> SocketAddr {
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line");
    let address = line.trim_end().strip_prefix(prefix).unwrap_or_else(|| panic!("{line:?}"));
    address.parse().expect("an address")
}

/// Makes tests of functions that take a runtime's name: one for each runtime.
macro_rules! on_each_runtime {
    ($($test:ident),* $(,)?) => {
        on_each_runtime!(@ on_tokio "tokio", $($test)*);
        on_each_runtime!(@ on_smol "smol", $($test)*);
        on_each_runtime!(@ on_async_std "async-std", $($test)*);
    };
    (@ $module:ident $runtime:literal, $($test:ident)*) => {
        mod $module {
            $(#[tokio::test]
            async fn $test() {
                super::$test($runtime).await;
            })*
        }
    };
}
pub(crate) use on_each_runtime;

pub async fn subscribe(address: SocketAddr, last: &str) -> Result<Streaming<GatewayEvent>, Status> {
    let client = GatewayServiceClient::connect(format!("http://{address}")).await;
    let request = SubscribeRequest { last_event_id: last.to_owned() };
    Ok(client.expect("it listens").subscribe(request).await?.into_inner())
}

/// The ids of the next real events.
pub async fn next_ids(stream: &mut Streaming<GatewayEvent>, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let event = stream.message().await.expect("alive").expect("not ended");
        if !event.is_heartbeat() {
            ids.push(event.event_id);
        }
    }
    ids
}
