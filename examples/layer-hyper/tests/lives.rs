//! Against a client on a real socket.

#[test]
fn a_quiet_stream_is_kept_alive() {
    example_check::assert_ndjson_lives(env!("CARGO_BIN_EXE_example-layer-hyper"));
}
