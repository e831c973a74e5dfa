//! What a parent makes of what a hostile child sends it, and writes into the page that they share.
//!
//! No frame makes it panic, and none takes more memory than has come. What is lawful is what an
//! honest child sends. Whatever is said of items that are lent, each of them stays in one place.

#![no_main]

mod items;
mod stream;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mtl_host::fuzzing::understood;

#[derive(Arbitrary, Debug)]
enum Case<'a> {
    Reply { kind: u8, payload: &'a [u8] },
    Items(Box<items::Case<'a>>),
    Stream(stream::Case<'a>),
}

/// How many bytes come before the payload.
const HEADER: usize = 5;

/// What is understood is said in the same way by an honest child.
fn reply(kind: u8, payload: &[u8]) {
    let Ok(frame) = understood(kind, payload) else { return };
    let (header, payload) = frame.split_at(HEADER);
    assert_eq!(header[..4], (payload.len() as u32).to_le_bytes());
    assert_eq!(header[4], kind);
    assert_eq!(understood(kind, payload).as_ref(), Ok(&frame));
}

fuzz_target!(|case: Case<'_>| {
    match case {
        // There are some of them, and few bytes are one.
        Case::Reply { kind, payload } => reply(kind % 19, payload),
        Case::Items(case) => case.check(),
        Case::Stream(case) => case.check(),
    }
});
