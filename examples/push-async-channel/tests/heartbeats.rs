//! A client on a real socket receives heartbeats while the example is silent.

use example_check::RunningExample;

#[test]
fn a_quiet_stream_has_heartbeats() {
    let example = RunningExample::start(env!("CARGO_BIN_EXE_example-push-async-channel"));
    let received = example.expect("started").request("", "\n\n").expect("a heartbeat");
    assert_eq!(received, "hello\n\n");
}
