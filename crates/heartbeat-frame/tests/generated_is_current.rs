//! The checked-in generated code matches the proto file, so that users need no protobuf compiler.

use std::path::{Path, PathBuf};
use std::{env, fs};

const GENERATED: &str = "galaxy.gateway.v1.rs";
const REGENERATE: &str =
    "HEARTBEAT_REGENERATE=1 cargo test -p heartbeat-frame --test generated_is_current";

/// Generates code with `generate` and compares it with the checked-in file.
fn assert_current(checked_in: &str, generate: impl FnOnce(&Path)) {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join(checked_in);
    fs::create_dir_all(&scratch).expect("a scratch directory");
    generate(&scratch);
    let current = fs::read_to_string(scratch.join(GENERATED)).expect("the generated file");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated").join(checked_in);
    if env::var_os("HEARTBEAT_REGENERATE").is_some_and(|value| value == "1") {
        fs::write(&path, current).expect("the checked-in file is writable");
        return;
    }
    assert!(
        fs::read_to_string(&path).is_ok_and(|text| text == current),
        "{} does not match the proto file; regenerate it with `{REGENERATE}`",
        path.display()
    );
}

/// The proto file and its root.
fn proto() -> (PathBuf, PathBuf) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    (root.join("galaxy/gateway/v1/gateway.proto"), root)
}

#[test]
fn the_checked_in_messages_match_the_proto_file() {
    let (file, root) = proto();
    let descriptors = protox::compile([file], [root]).expect("the proto compiles");
    assert_current("galaxy.gateway.v1.rs", |scratch| {
        prost_build::Config::new()
            .bytes(["."])
            .out_dir(scratch)
            .compile_fds(descriptors)
            .expect("the messages are generated");
    });
}

#[test]
fn the_checked_in_service_matches_the_proto_file() {
    let (file, root) = proto();
    let descriptors = protox::compile([file], [root]).expect("the proto compiles");
    assert_current("galaxy.gateway.v1.tonic.rs", |scratch| {
        tonic_prost_build::configure()
            .extern_path(".galaxy.gateway.v1", "crate")
            .out_dir(scratch)
            .compile_fds(descriptors)
            .expect("the service is generated");
    });
}
