//! The checked-in client and server are those of the proto, so that no user needs a protobuf
//! compiler.

use std::{env, fs, path::Path};

const FILE: &str = "galaxy.gateway.v1.rs";
const REGENERATE: &str =
    "HEARTBEAT_REGENERATE=1 cargo test -p heartbeat-gateway --test generated_is_current";

#[test]
fn the_checked_in_service_is_that_of_the_proto() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let proto = root.join("../heartbeat-frame/proto");
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_PKG_NAME"));
    fs::create_dir_all(&scratch).expect("a scratch directory");

    let descriptors = protox::compile([proto.join("galaxy/gateway/v1/gateway.proto")], [&proto])
        .expect("the proto compiles");
    tonic_prost_build::configure()
        .extern_path(".galaxy.gateway.v1", "::heartbeat_frame")
        .out_dir(&scratch)
        .compile_fds(descriptors)
        .expect("the service is generated");

    let current = fs::read_to_string(scratch.join(FILE)).expect("the generated file");
    let checked_in = root.join("src/generated").join(FILE);
    if env::var_os("HEARTBEAT_REGENERATE").is_some_and(|value| value == "1") {
        fs::write(&checked_in, current).expect("the checked-in file is writable");
        return;
    }
    assert!(
        fs::read_to_string(&checked_in).is_ok_and(|text| text == current),
        "{} is not what the proto gives; regenerate it with `{REGENERATE}`",
        checked_in.display()
    );
}
