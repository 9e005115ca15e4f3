//! The gateway as a process, and a client of its service.

#![allow(
    unreachable_pub,
    dead_code,
    unused_imports,
    reason = "several test programs share the module"
)]

pub mod client;
pub mod decode;
pub mod server;
#[path = "../../../heartbeat-proxy/tests/support/tls.rs"]
pub mod tls;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

use heartbeat_frame::service::gateway_service_client::GatewayServiceClient;
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tonic::{Status, Streaming};

pub const GATEWAY: &str = env!("CARGO_BIN_EXE_heartbeat-gateway");

/// Asserts that the command line is rejected with this reason, in one line on standard error.
pub fn assert_refused(arguments: &str, reason: &str) {
    let output = Command::new(GATEWAY)
        .args(arguments.split_whitespace())
        .output()
        .expect("the command can be run");
    let text = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{arguments}: {text}");
    assert!(text.starts_with("error: ") && text.contains(reason), "{arguments}: {text}");
    assert_eq!(text.lines().count(), 1, "{arguments}: {text}");
    assert!(output.stdout.is_empty(), "{arguments}");
}

/// A running server on a free port.
pub struct Serving {
    child: Child,
    pub stdout: BufReader<ChildStdout>,
    /// `None` if the command writes its log elsewhere.
    stderr: Option<ChildStderr>,
    pub address: SocketAddr,
}

impl Serving {
    pub fn start(arguments: &str) -> Self {
        Self::start_by(Command::new(GATEWAY), arguments)
    }

    /// Starts a server with this limit of open files. With the flag `-Sn` of `ulimit` the server can raise the limit, with
    /// `-n` it cannot.
    pub fn start_with_files(flag: &str, files: usize, arguments: &str) -> Self {
        let mut limited = Command::new("sh");
        let limit = format!("ulimit {flag} {files} && exec \"$0\" \"$@\"");
        limited.args(["-c", &limit, GATEWAY]);
        Self::start_by(limited, arguments)
    }

    fn start_by(mut command: Command, arguments: &str) -> Self {
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments.split_whitespace());
        command.stderr(Stdio::piped());
        Self::spawn(command, "serving gRPC, gRPC-Web, Connect, SSE and NDJSON on ")
    }

    /// Starts a command that prints its address after this prefix.
    pub fn spawn(mut command: Command, prefix: &str) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the command can be run");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let address = address_in(&mut stdout, prefix);
        let stderr = child.stderr.take();
        Self { child, stdout, stderr, address }
    }

    pub fn terminate(&self) {
        send_signal(&self.child, "-TERM");
    }

    pub fn hang_up(&self) {
        send_signal(&self.child, "-HUP");
    }

    /// Waits for the end of the process, and returns its status and the log that it piped. The tasks of the test continue meanwhile, to
    /// answer the server's last frames.
    pub async fn end(mut self) -> (ExitStatus, String) {
        let ended = tokio::task::spawn_blocking(move || {
            let status = self.child.wait().expect("a child process");
            let mut log = String::new();
            if let Some(mut stderr) = self.stderr.take() {
                stderr.read_to_string(&mut log).expect("text");
            }
            (status, log)
        });
        ended.await.expect("no panic")
    }
}

pub fn send_signal(child: &Child, signal: &str) {
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(kill.expect("the kill command").success());
}

/// Kills the server after a failed test.
impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill(); // the process may have ended
    }
}

/// Reads up to the line with this prefix, and returns the address that follows it.
pub fn address_in(stdout: &mut impl BufRead, prefix: &str) -> SocketAddr {
    let mut lines = stdout.lines().map(|line| line.expect("text"));
    let line = lines.find_map(|line| line.strip_prefix(prefix).map(str::to_owned));
    let address = line.unwrap_or_else(|| panic!("no {prefix:?}"));
    address.trim_end_matches("/metrics").parse().expect("an address")
}

/// Sends the head of a call without its body, for which the server waits. Returns the connection.
pub async fn send_head_only(server: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(server).await.expect("connect");
    let head = "POST /galaxy.gateway.v1.GatewayService/Subscribe HTTP/1.1\r\nhost: here\r\n\
        content-type: application/connect+proto\r\ncontent-length: 5\r\n\r\n";
    client.write_all(head.as_bytes()).await.expect("accepted");
    client
}

/// Defines a test per runtime for functions that take the name of a runtime.
#[allow(unused_macros, reason = "not every test program uses it")]
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
    Ok(client.expect("connect").subscribe(request).await?.into_inner())
}

/// The ids of the next events.
pub async fn next_ids(stream: &mut Streaming<GatewayEvent>, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let event = stream.message().await.expect("an open stream").expect("not ended");
        if !event.is_heartbeat() {
            ids.push(event.event_id);
        }
    }
    ids
}
