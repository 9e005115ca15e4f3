//! A client on a real socket receives heartbeats while the example is silent.

#[test]
fn a_quiet_stream_has_heartbeats() {
    example_check::assert_sse_heartbeat(env!("CARGO_BIN_EXE_example-layer-smol"), ":\n");
}
