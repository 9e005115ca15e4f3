use std::net::TcpListener;
use std::process::Command;

use crate::support::{GATEWAY, assert_refused};

#[test]
fn an_invalid_command_line_is_rejected_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("bound");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (arguments, reason) in [
        ("", "--upstream <URL>"),
        ("--upstream 127.0.0.1:3000", "expected a URL like http://127.0.0.1:3000"),
        ("--upstream ftp://a", "unsupported scheme ftp"),
        ("--upstream http://a?b", "query and fragment"),
        ("--upstream http://a --interval banana", "expected a duration like 15s"),
        ("--upstream http://a --connect-timeout -1s", "expected a duration like 15s"),
        ("--upstream http://a --response-timeout soon", "expected a duration like 15s"),
        ("--upstream http://a --jitter 2", "must be at least 0 and less than 1"),
        ("--upstream http://a --ndjson tab", "space, blank"),
        ("--upstream http://a --method Service/Method", "expected a path like /package.Service"),
        ("--upstream http://a --method /a/b --message full", "expected empty, gateway or hex:0a0b"),
        ("--upstream http://a --method /a/b --message hex:abc", "two hex digits per byte"),
        ("--upstream http://a --message gateway", "--method <PATH>"),
        (&format!("--upstream http://a --methods-in {manifest}"), "invalid file descriptor set"),
        ("--upstream http://a --methods-in /none", "No such file"),
        ("--upstream https://a --upstream-ca /none", "No such file"),
        (
            &format!("--upstream https://a --upstream-ca {manifest}"),
            "no certificate in the PEM file",
        ),
        ("--upstream http://a --tls-cert a", "--tls-key"),
        ("--upstream http://a --tls-cert /none --tls-key /none", "No such file"),
        ("--upstream http://a --listen nowhere", "expected an address like 127.0.0.1:8080"),
        (&format!("--upstream http://a --listen {taken}"), "Address already in use"),
        (
            &format!("--upstream http://a --listen 127.0.0.1:0 --metrics {taken}"),
            "Address already in use",
        ),
        ("--upstream http://a --unknown", "--unknown"),
    ] {
        assert_refused(&format!("proxy {arguments}"), reason);
    }
}

#[test]
fn the_help_lists_every_section() {
    let output =
        Command::new(GATEWAY).args(["proxy", "--help"]).output().expect("the command can be run");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success());
    for part in ["Heartbeats:", "Upstream:", "Connections:", "--ndjson", "--tls-cert", "Example:"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
