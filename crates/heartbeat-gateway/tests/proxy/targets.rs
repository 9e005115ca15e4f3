//! Request targets that are rejected or changed.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

use crate::proxying::{Proxying, SOON};
use crate::upstream::{read_head, serve_raw};

/// An upstream that responds with the request target that it receives, as a header.
async fn echo_target() -> String {
    serve_raw(|head, mut connection| async move {
        let target = head.split(' ').nth(1).expect("a request line");
        let response =
            format!("HTTP/1.1 204 No Content\r\ntarget: {target}\r\nconnection: close\r\n\r\n");
        let _ = connection.write_all(response.as_bytes()).await;
    })
    .await
}

/// Sends a request with this target. Returns the target that the upstream received, or the status of the proxy.
async fn forwarded(proxy: &Proxying, target: &[u8]) -> Result<String, String> {
    let mut connection = proxy.connect().await;
    let request = [b"GET ", target, b" HTTP/1.1\r\nhost: front.example\r\n\r\n"].concat();
    connection.write_all(&request).await.expect("written");
    let head = timeout(SOON, read_head(&mut connection)).await.expect("soon");
    let target = head.lines().find_map(|line| line.strip_prefix("target: "));
    let status = head.split(' ').nth(1).unwrap_or_default();
    target.map(str::to_owned).ok_or_else(|| status.to_owned())
}

/// The bytes that are rejected after this prefix. All others must be forwarded unchanged.
async fn rejected_after(proxy: &Proxying, prefix: &str, except: &[u8]) -> Vec<u8> {
    let mut rejected = Vec::new();
    for byte in (0..=0xff).filter(|byte| !except.contains(byte)) {
        let target = [prefix.as_bytes(), &[byte], b"b"].concat();
        match forwarded(proxy, &target).await {
            Ok(forwarded) => assert_eq!(forwarded.as_bytes(), target, "{byte:#x}"),
            Err(status) => {
                assert_eq!(status, "400", "{byte:#x}");
                rejected.push(byte);
            }
        }
    }
    rejected
}

#[tokio::test]
async fn some_characters_of_a_target_are_rejected_and_logged() {
    let proxy = Proxying::start(echo_target().await, "");
    let not_printable: Vec<u8> = (0..=b' ').chain(0x7f..=0xff).collect(); // alone, those above 0x7f are not UTF-8
    let with = |printable: &[u8]| {
        let mut bytes = [printable, &not_printable].concat();
        bytes.sort_unstable();
        bytes
    };
    let mut count = 0;
    for prefix in ["a".to_owned(), "a".repeat(100)] {
        let in_path = rejected_after(&proxy, &format!("/{prefix}"), b"#?").await;
        assert_eq!(in_path, with(b"<>`"));
        let in_query = rejected_after(&proxy, &format!("/?{prefix}"), b"#").await;
        assert_eq!(in_query, with(b"\"<>"));
        count += in_path.len() + in_query.len();
        for utf8 in [format!("/{prefix}\u{fc}"), format!("/?{prefix}\u{20ac}")] {
            assert_eq!(forwarded(&proxy, utf8.as_bytes()).await, Ok(utf8));
        }
    }
    let logged = async {
        let line = " rejected an invalid request client=127.0.0.1:";
        while proxy.log().matches(line).count() < count {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, logged).await.unwrap_or_else(|_| panic!("{}", proxy.log()));
}

#[tokio::test]
async fn a_fragment_is_cut_off() {
    let proxy = Proxying::start(echo_target().await, "");
    for (target, expected) in
        [("/a#b", "/a"), ("/a?b#c?d", "/a?b"), ("/#", "/"), ("/a%23b", "/a%23b")]
    {
        assert_eq!(forwarded(&proxy, target.as_bytes()).await.as_deref(), Ok(expected));
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_rejected_and_logged() {
    let proxy = Proxying::start(echo_target().await, "");
    let target = format!("/{}", "a".repeat(50_000));
    assert_eq!(forwarded(&proxy, target.as_bytes()).await.expect_err("too large"), "431");
    proxy.wait_for_log("rejected an invalid request client=127.0.0.1:").await;
}
