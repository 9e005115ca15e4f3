//! A client on a real socket receives heartbeats while the example is silent.

use example_check::{RunningExample, assert_heartbeats_between};

#[test]
fn a_quiet_stream_has_heartbeats() {
    let example = RunningExample::start(env!("CARGO_BIN_EXE_example-push-async-channel"));
    let received = example.expect("started").request("", "still here\n").expect("two events");
    assert_heartbeats_between(&received, "hello\n", "\n", "still here\n");
}
