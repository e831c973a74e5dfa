//! What a component of any type makes of an item that claims to be JSON.
//!
//! What is taken is JSON, and is written as JSON that says the same: it is taken again, and written
//! as it is. Of strings and of whole numbers, another parser says what they are.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mtl_host::fuzzing::Taken;
use serde::de::IgnoredAny;

const LISTS: &str = r#"(component
    (core module $code
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (unreachable))
        (func (export "call") (param i32 i32)))
    (core instance $code (instantiate $code))
    (alias core export $code "memory" (core memory $memory))
    (alias core export $code "realloc" (core func $realloc))
    (func (export "texts") (param "them" (list string))
        (canon lift (core func $code "call") (memory $memory) (realloc $realloc)))
    (func (export "numbers") (param "them" (list s64))
        (canon lift (core func $code "call") (memory $memory) (realloc $realloc))))"#;

static TEXTS: LazyLock<Taken> = LazyLock::new(|| Taken::by(LISTS.as_bytes(), "texts"));
static NUMBERS: LazyLock<Taken> = LazyLock::new(|| Taken::by(LISTS.as_bytes(), "numbers"));
static EVERYTHING: LazyLock<Taken> =
    LazyLock::new(|| Taken::by(include_bytes!("../../fixtures/typed-echo.wat"), "call"));

/// The item as it is written again, if it is taken.
fn again(taken: &Taken, item: &[u8]) -> Option<String> {
    let written = taken.again(item)?;
    for json in [item, written.as_bytes()] {
        serde_json::from_slice::<IgnoredAny>(json).expect("what is taken is JSON, and written so");
    }
    assert_eq!(taken.again(written.as_bytes()).as_ref(), Some(&written), "it says the same");
    Some(written)
}

fuzz_target!(|item: &[u8]| {
    again(&EVERYTHING, item);

    let texts = again(&TEXTS, item);
    let others = serde_json::from_slice::<[Vec<String>; 1]>(item).ok();
    let said = texts.map(|texts| serde_json::from_str(&texts).expect("it is written so"));
    assert_eq!(said, others);

    // `-0` is a whole number here.
    let numbers = again(&NUMBERS, item);
    if let Ok(others) = serde_json::from_slice::<[Vec<i64>; 1]>(item) {
        let numbers = numbers.expect("others take it");
        assert_eq!(serde_json::from_str::<[Vec<i64>; 1]>(&numbers).expect("written so"), others);
    }
});
