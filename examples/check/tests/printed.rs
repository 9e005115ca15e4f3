//! Pages contain the source of examples, unchanged.

#[test]
fn the_integration_page_contains_the_examples() {
    let page = include_str!("../../../docs/integrating.md");
    for (file, example) in [
        ("layer-axum/src/main.rs", include_str!("../../layer-axum/src/main.rs")),
        ("axum-production/src/main.rs", include_str!("../../axum-production/src/main.rs")),
        ("layer-tonic/src/main.rs", include_str!("../../layer-tonic/src/main.rs")),
        ("layer-hyper/src/main.rs", include_str!("../../layer-hyper/src/main.rs")),
        ("layer-smol/src/main.rs", include_str!("../../layer-smol/src/main.rs")),
        ("tonic/src/main.rs", include_str!("../../tonic/src/main.rs")),
        ("tonic-own-proto/src/main.rs", include_str!("../../tonic-own-proto/src/main.rs")),
        ("tonic-own-proto/build.rs", include_str!("../../tonic-own-proto/build.rs")),
        ("axum-sse/src/main.rs", include_str!("../../axum-sse/src/main.rs")),
        ("actix-web/src/main.rs", include_str!("../../actix-web/src/main.rs")),
        ("hyper-smol/src/main.rs", include_str!("../../hyper-smol/src/main.rs")),
        ("lines-async-std/src/main.rs", include_str!("../../lines-async-std/src/main.rs")),
        ("push-tonic/src/main.rs", include_str!("../../push-tonic/src/main.rs")),
        ("push-async-channel/src/main.rs", include_str!("../../push-async-channel/src/main.rs")),
        ("websocket/src/main.rs", include_str!("../../websocket/src/main.rs")),
        ("axum-websocket/src/main.rs", include_str!("../../axum-websocket/src/main.rs")),
        ("reconnecting-client/src/lib.rs", include_str!("../../reconnecting-client/src/lib.rs")),
        ("embassy-time/src/lib.rs", include_str!("../../embassy-time/src/lib.rs")),
    ] {
        let block = format!("```rust,ignore\n{example}```\n");
        assert!(page.contains(&block), "copy examples/{file} into docs/integrating.md");
    }
}

#[test]
fn the_integration_page_contains_the_proto_file() {
    let page = include_str!("../../../docs/integrating.md");
    let proto = include_str!("../../tonic-own-proto/proto/prices.proto");
    let block = format!("```proto\n{proto}```\n");
    assert!(
        page.contains(&block),
        "copy examples/tonic-own-proto/proto/prices.proto into docs/integrating.md"
    );
}

#[test]
fn the_conformance_page_contains_the_tests_of_the_smol_adapter() {
    let page = include_str!("../../../docs/conformance.md");
    let tests = include_str!("../../../crates/heartbeat-smol/tests/conformance.rs");
    let block = format!("```rust,ignore\n{tests}```\n");
    assert!(page.contains(&block), "copy the tests of heartbeat-smol into docs/conformance.md");
}
