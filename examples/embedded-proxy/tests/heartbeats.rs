//! A client on a real socket receives heartbeats while the upstream is silent.

const PROGRAM: &str = env!("CARGO_BIN_EXE_example-embedded-proxy");

#[test]
fn a_quiet_stream_of_the_upstream_has_heartbeats() {
    example_check::assert_sse_heartbeat(PROGRAM, ":\n");
}
