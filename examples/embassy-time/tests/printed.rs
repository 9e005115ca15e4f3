//! The docs print this example: they must print it as it is.

#[test]
fn the_docs_print_it_as_it_is() {
    let page = include_str!("../../../docs/integrating.md");
    let block = format!("```rust,ignore\n{}```\n", include_str!("../src/lib.rs"));
    assert!(page.contains(&block), "copy src/lib.rs into docs/integrating.md");
}
