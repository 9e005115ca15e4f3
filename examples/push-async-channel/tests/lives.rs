//! Against a client on a real socket.

use example_check::{Running, assert_beats_between};

#[test]
fn a_quiet_stream_is_kept_alive() {
    let example = Running::start(env!("CARGO_BIN_EXE_example-push-async-channel"));
    let received = example.expect("it starts").ask("", "still here\n").expect("it goes on");
    assert_beats_between(&received, "hello\n", "\n", "still here\n");
}
