//! The checked-in messages match the proto file, so that users need no protobuf compiler.

use std::{env, fs, path::Path};

const FILE: &str = "galaxy.gateway.v1.rs";
const REGENERATE: &str =
    "HEARTBEAT_REGENERATE=1 cargo test -p heartbeat-frame --test generated_is_current";

#[test]
fn the_checked_in_messages_match_the_proto_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let proto = root.join("proto");
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_PKG_NAME"));
    fs::create_dir_all(&scratch).expect("a scratch directory");

    let descriptors = protox::compile([proto.join("galaxy/gateway/v1/gateway.proto")], [&proto])
        .expect("the proto compiles");
    prost_build::Config::new()
        .bytes(["."])
        .out_dir(&scratch)
        .compile_fds(descriptors)
        .expect("the messages are generated");

    let current = fs::read_to_string(scratch.join(FILE)).expect("the generated file");
    let checked_in = root.join("src/generated").join(FILE);
    if env::var_os("HEARTBEAT_REGENERATE").is_some_and(|value| value == "1") {
        fs::write(&checked_in, current).expect("the checked-in file is writable");
        return;
    }
    assert!(
        fs::read_to_string(&checked_in).is_ok_and(|text| text == current),
        "{} does not match the proto file; regenerate it with `{REGENERATE}`",
        checked_in.display()
    );
}
