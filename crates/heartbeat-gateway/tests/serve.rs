//! `serve`, run as a user would run it: over real sockets, in real time, stopped by real signals.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use heartbeat_gateway::proto::gateway_service_client::GatewayServiceClient;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status, Streaming};

const GATEWAY: &str = env!("CARGO_BIN_EXE_heartbeat-gateway");

/// A server that is running, on a port of its own.
struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
    address: SocketAddr,
}

impl Serving {
    fn start(arguments: &str) -> Self {
        Self::start_by(Command::new(GATEWAY), arguments)
    }

    /// Starts a server that may have so many files open, its sockets among them.
    fn start_with_files(files: usize, arguments: &str) -> Self {
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

    fn terminate(&self) {
        let kill = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(kill.expect("there is a kill command").success());
    }

    /// Waits for the end, and tells what was logged. The tests' own tasks go on meanwhile: the
    /// server's last frames want an answer.
    async fn end(mut self) -> (ExitStatus, String) {
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
fn address_in(stdout: &mut impl BufRead, prefix: &str) -> SocketAddr {
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

on_each_runtime![
    sigterm_ends_a_hundred_open_streams_cleanly_and_soon,
    a_client_that_does_not_end_holds_the_server_up_no_longer_than_it_may,
    a_client_resumes_after_the_last_event_it_has_seen,
    the_proxy_in_front_leaves_a_stream_that_has_heartbeats,
    a_server_without_files_left_serves_again_once_it_has_some,
];

async fn subscribe(address: SocketAddr, last: &str) -> Result<Streaming<GatewayEvent>, Status> {
    let client = GatewayServiceClient::connect(format!("http://{address}")).await;
    let request = SubscribeRequest { last_event_id: last.to_owned() };
    Ok(client.expect("it listens").subscribe(request).await?.into_inner())
}

/// The ids of the next real events.
async fn next_ids(stream: &mut Streaming<GatewayEvent>, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let event = stream.message().await.expect("alive").expect("not ended");
        if !event.is_heartbeat() {
            ids.push(event.event_id);
        }
    }
    ids
}

async fn sigterm_ends_a_hundred_open_streams_cleanly_and_soon(runtime: &str) {
    let server = Serving::start(&format!("--runtime {runtime} --shutdown-within 5s"));
    let streams = join_all((0..100).map(|_| async {
        let mut stream = subscribe(server.address, "").await.expect("served");
        assert_eq!(next_ids(&mut stream, 1).await, ["1"]);
        stream
    }))
    .await;

    server.terminate();
    let asked = Instant::now();
    for mut stream in streams {
        let end = stream.message().await.expect("status OK");
        assert_eq!(end, None, "nothing follows");
    }
    let (status, log) = server.end().await;
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("all streams have ended"), "{log}");
    assert!(log.contains(&format!("runtime=\"{runtime}\"")), "{log}");
    assert_eq!(log.matches("client=127.0.0.1:").count(), 100, "{log}");
}

async fn a_client_that_does_not_end_holds_the_server_up_no_longer_than_it_may(runtime: &str) {
    let server = Serving::start(&format!("--runtime {runtime} --shutdown-within 1s"));
    // It has begun to speak HTTP/2 and says no more: there is nothing to end.
    let mut mute = TcpStream::connect(server.address).await.expect("it listens");
    let mut stream = subscribe(server.address, "").await.expect("served");
    assert_eq!(next_ids(&mut stream, 1).await, ["1"]);
    mute.write_all(b"PRI * HT").await.expect("accepted");

    let asked = Instant::now();
    server.terminate();
    while TcpStream::connect(server.address).await.is_ok() {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(asked.elapsed() < Duration::from_secs(1), "it waits, and accepts nobody else");
    let (status, log) = server.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("streams were cut off"), "{log}");
}

async fn a_client_resumes_after_the_last_event_it_has_seen(runtime: &str) {
    let server = Serving::start(&format!("--runtime {runtime} --event-every 100ms"));
    let mut stream = subscribe(server.address, "").await.expect("served");
    let seen = next_ids(&mut stream, 3).await;
    drop(stream);
    sleep(Duration::from_millis(300)).await; // meanwhile it misses some

    let last: u64 = seen[2].parse().expect("a number");
    let mut stream = subscribe(server.address, &seen[2]).await.expect("served");
    let resumed = next_ids(&mut stream, 5).await;
    assert_eq!(resumed, (last + 1..=last + 5).map(|id| id.to_string()).collect::<Vec<_>>());

    let refused = subscribe(server.address, "no id of ours").await.expect_err("unknown");
    assert_eq!(refused.code(), Code::InvalidArgument);
    server.terminate();
    assert_eq!(server.end().await.0.code(), Some(0));
}

#[tokio::test]
async fn the_proxy_in_front_cuts_a_stream_that_has_no_heartbeats() {
    let mut server = Serving::start("--interval 0s --event-every 0s --idle-cut 500ms");
    let front = address_in(&mut server.stdout, "cutting what is idle on ");
    let mut stream = subscribe(front, "").await.expect("served");
    assert_eq!(next_ids(&mut stream, 1).await, ["1"]);
    let since = Instant::now();
    assert!(stream.message().await.is_err(), "cut");
    assert!(since.elapsed() >= Duration::from_millis(400), "{:?}", since.elapsed());
    server.terminate();
    assert!(server.end().await.1.contains("cuts a connection"));
}

async fn the_proxy_in_front_leaves_a_stream_that_has_heartbeats(runtime: &str) {
    let arguments = "--interval 150ms --event-every 0s --idle-cut 1s";
    let mut server = Serving::start(&format!("--runtime {runtime} {arguments}"));
    let front = address_in(&mut server.stdout, "cutting what is idle on ");
    let mut stream = subscribe(front, "").await.expect("served");
    assert_eq!(next_ids(&mut stream, 1).await, ["1"]);
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(2) {
        assert!(stream.message().await.expect("alive").expect("not ended").is_heartbeat());
    }
    server.terminate();
    let (status, log) = server.end().await;
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("so short an interval"), "{log}");
}

async fn a_server_without_files_left_serves_again_once_it_has_some(runtime: &str) {
    let files = 40;
    let server = Serving::start_with_files(files, &format!("--runtime {runtime}"));
    let since = Instant::now();
    let mut mute = Vec::new();
    for _ in 0..files {
        mute.push(TcpStream::connect(server.address).await.expect("in its backlog"));
    }
    sleep(Duration::from_millis(500)).await; // it tries in vain
    drop(mute);

    let stream = timeout(Duration::from_secs(6), subscribe(server.address, "")).await;
    let mut stream = stream.expect("soon").expect("served");
    assert_eq!(next_ids(&mut stream, 1).await, ["1"]);
    server.terminate();
    let (status, log) = server.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    let warnings = log.matches("could not be accepted").count();
    let pauses = since.elapsed().as_millis() / 50;
    assert!((1..=pauses).contains(&(warnings as u128)), "{warnings} in {pauses} pauses: {log}");
}

#[test]
fn what_makes_no_sense_is_refused_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = format!("serve --listen {}", taken.local_addr().expect("bound"));
    for (arguments, reason) in [
        (taken.as_str(), "Address already in use"),
        (&format!("{taken} --runtime smol"), "Address already in use"),
        (&format!("{taken} --runtime async-std"), "Address already in use"),
        ("serve --interval banana", "give a time such as 15s"),
        ("serve --interval -5s", "give a time such as 15s"),
        ("serve --jitter 1.5", "give at least 0 and less than 1"),
        ("serve --jitter much", "give a fraction such as 0.1"),
        ("serve --listen 256.0.0.1:1", "invalid socket address"),
        ("serve --idle-counts bytes", "--idle-cut"),
        ("serve --runtime glommio", "tokio, smol, async-std"),
        ("serve --unknown", "--unknown"),
    ] {
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
}
