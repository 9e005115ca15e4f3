//! Clients on real sockets receive heartbeats, a report of missed events, and the end of the response.

use std::io;

use example_check::{Response, RunningExample};

fn start() -> RunningExample {
    RunningExample::start(env!("CARGO_BIN_EXE_example-axum-production")).expect("started")
}

/// Returns once the client is subscribed.
fn subscribe(example: &RunningExample, path: &str) -> io::Result<Response> {
    let mut response = example.send(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"))?;
    let head = response.read_to("\r\n\r\n")?;
    assert!(head.contains("text/event-stream"), "{head}");
    Ok(response)
}

fn publish(example: &RunningExample, events: &str) -> io::Result<()> {
    let length = events.len();
    let head = format!(
        "POST /events HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\ncontent-type: text/plain\r\n\r\n"
    );
    let head = example.request(&(head + events), "\r\n\r\n")?;
    assert!(head.contains(" 204 "), "{head}");
    Ok(())
}

fn metrics(example: &RunningExample) -> io::Result<String> {
    example.request("GET /metrics HTTP/1.0\r\n\r\n", "\ntarget_info{")
}

#[test]
fn a_quiet_stream_has_heartbeats() -> io::Result<()> {
    let example = start();
    let mut response = subscribe(&example, "/events")?;
    response.read_to("\r\n:\n\r\n")?;
    publish(&example, "hello")?;
    response.read_to("data: hello\n\n\r\n")?;
    response.read_to("\r\n:\n\r\n")?;

    let page = metrics(&example)?;
    assert!(page.contains("heartbeat_messages_total{"), "{page}");
    assert!(page.contains("outcome=\"sent\""), "{page}");
    Ok(())
}

#[test]
fn heartbeats_are_disabled_for_the_legacy_route() -> io::Result<()> {
    let example = start();
    let mut response = subscribe(&example, "/legacy/7/events")?;
    publish(&example, "hello")?;
    response.read_to("data: hello\n\n\r\n")?;
    let page = metrics(&example)?;
    assert!(page.contains("reason=\"disabled\""), "{page}");
    Ok(())
}

#[test]
fn a_client_learns_that_it_has_missed_events() -> io::Result<()> {
    let example = start();
    let mut response = subscribe(&example, "/events")?;
    // More than the sockets hold, while the client reads nothing.
    publish(&example, &"x\n".repeat(400_000))?;
    response.read_to("event: lagged\ndata: ")?;
    Ok(())
}

#[cfg(unix)]
#[test]
fn sigterm_ends_open_streams() -> io::Result<()> {
    let example = start();
    let mut response = subscribe(&example, "/events")?;
    let kill = std::process::Command::new("kill").arg(example.id().to_string()).status()?;
    assert!(kill.success());
    response.read_to("0\r\n\r\n")?; // the last chunk
    assert_eq!(example.next_line()?, "stopped");
    Ok(())
}
