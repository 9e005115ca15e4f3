//! The commands with outputs that are full, closed or not read.
#![cfg(target_os = "linux")]

mod support;

use std::fs::File;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener as StdListener};
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use support::{GATEWAY, Serving, address_in};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// More than a pipe holds lines.
const REQUESTS: usize = 1_200;

/// For everything that needs no waiting; generous, for a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A path that makes each log line so long that the queue fills up.
fn long_path() -> String {
    format!("/{}", "a".repeat(2_000))
}

fn serve(stderr: Stdio) -> Serving {
    let mut command = Command::new(GATEWAY);
    command.args(["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]).stderr(stderr);
    Serving::spawn(command, "serving gRPC, gRPC-Web, Connect, SSE and NDJSON on ")
}

/// A proxy in front of an upstream that responds to each connection with 204.
async fn proxy(stderr: Stdio) -> Serving {
    let upstream = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", upstream.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = upstream.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 4_096];
                let _ = connection.read(&mut request).await;
                let response = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                let _ = connection.write_all(response).await;
            });
        }
    });
    let mut command = Command::new(GATEWAY);
    command.args(["proxy", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
    command.args(["--upstream", &url]).stderr(stderr);
    Serving::spawn(command, &format!("proxying {url} on "))
}

/// Sends a request on a new connection, and returns the first line of the response.
async fn status_line(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut connection = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: here\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(connection.read_u8().await?);
    }
    Ok(String::from_utf8(line).expect("text"))
}

/// Sends requests, each of which is logged, and asserts that all have this status.
async fn assert_answered(address: SocketAddr, path: &str, status: &str) {
    let responses = stream::iter(0..REQUESTS).map(|_| status_line(address, path));
    let mut responses = responses.buffer_unordered(20);
    let answering = async {
        while let Some(line) = responses.next().await {
            let line = line.expect("a response");
            assert!(line.contains(status), "{line}");
        }
    };
    timeout(SOON, answering).await.expect("each request is answered");
}

async fn dropped_lines(metrics: SocketAddr) -> usize {
    let mut connection = TcpStream::connect(metrics).await.expect("connect");
    let request = b"GET /metrics HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    connection.write_all(request).await.expect("written");
    let mut page = String::new();
    connection.read_to_string(&mut page).await.expect("a response");
    let mut values =
        page.lines().filter_map(|line| line.strip_prefix("heartbeat_log_dropped_total"));
    let value = values.next().expect("exported").rsplit(' ').next().expect("a value");
    value.parse().expect("a number")
}

async fn terminate(command: Serving) {
    command.terminate();
    let (status, _) = timeout(SOON, command.end()).await.expect("the log does not delay the end");
    assert_eq!(status.code(), Some(0));
}

/// A pipe whose reading end is closed.
fn closed() -> Stdio {
    io::pipe().expect("a pipe").1.into()
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").expect("a device").into()
}

/// Asserts that a command whose log cannot be written responds with this status, and counts the lines.
async fn responds_and_counts_lines(mut command: Serving, path: &str, status: &str) {
    let metrics = address_in(&mut command.stdout, "metrics on http://");
    assert_answered(command.address, path, status).await;
    let counted = async {
        while dropped_lines(metrics).await < REQUESTS {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, counted).await.expect("each request is logged");
    terminate(command).await;
}

#[tokio::test]
async fn serve_responds_and_counts_lines_that_cannot_be_written() {
    for stderr in [full(), closed()] {
        responds_and_counts_lines(serve(stderr), "/events", "200").await;
    }
}

#[tokio::test]
async fn the_proxy_responds_and_counts_lines_that_cannot_be_written() {
    for stderr in [full(), closed()] {
        responds_and_counts_lines(proxy(stderr).await, "/", "204").await;
    }
}

#[tokio::test]
async fn serve_responds_and_ends_if_its_log_is_not_read() {
    let (unread, stderr) = io::pipe().expect("a pipe");
    let server = serve(stderr.into());
    assert_answered(server.address, "/events", "200").await;
    terminate(server).await;
    drop(unread);
}

#[tokio::test]
async fn the_number_of_dropped_lines_is_logged_when_the_log_is_read_again() {
    let (mut log, stderr) = io::pipe().expect("a pipe");
    let mut proxy = proxy(stderr.into()).await;
    let metrics = address_in(&mut proxy.stdout, "metrics on http://");
    assert_answered(proxy.address, &long_path(), "204").await;
    assert!(dropped_lines(metrics).await > 0, "the queue is bounded");

    let reading = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).expect("text");
        text
    });
    terminate(proxy).await;
    let text = timeout(SOON, reading).await.expect("the pipe is closed").expect("no panic");
    let reports = text.lines().filter_map(|line| line.split_once("log lines were dropped lines="));
    let dropped: usize = reports.map(|(_, lines)| lines.parse::<usize>().expect("a number")).sum();
    let answered = text.lines().filter(|line| line.contains(" answered ")).count();
    // Other lines may be among the dropped ones, such as the number of those that were dropped before.
    assert!(
        answered + dropped >= REQUESTS,
        "each line is written or counted: {answered}, {dropped}"
    );
    assert!(answered < REQUESTS, "{answered}");
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_log_that_is_not_read() {
    let (unread, stderr) = io::pipe().expect("a pipe");
    let proxy = proxy(stderr.into()).await;
    assert_answered(proxy.address, &long_path(), "204").await;
    terminate(proxy).await;
    drop(unread);
}

#[tokio::test]
async fn a_full_or_closed_standard_output_is_ignored() {
    for command in ["serve", "proxy --upstream http://127.0.0.1:1"] {
        for stdout in [full(), closed()] {
            // No other process gets this port while it is reserved on another address of the machine.
            let reserved = StdListener::bind("127.0.0.1:0").expect("a port");
            let port = reserved.local_addr().expect("bound").port();
            let address = SocketAddr::from(([127, 0, 0, 2], port));
            let mut child = Command::new(GATEWAY)
                .args(command.split(' '))
                .args(["--listen", &address.to_string()])
                .stdout(stdout)
                .stderr(Stdio::null())
                .spawn()
                .expect("the command can be run");
            let answered = async {
                while status_line(address, "/").await.is_err() {
                    assert!(child.try_wait().expect("a child").is_none(), "the process ended");
                    sleep(Duration::from_millis(10)).await;
                }
            };
            let answered = timeout(SOON, answered).await;
            child.kill().expect("running");
            child.wait().expect("a child");
            answered.expect("a response");
            drop(reserved);
        }
    }
}
