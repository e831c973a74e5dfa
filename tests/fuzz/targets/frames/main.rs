//! What a parent makes of what a hostile child sends it, and writes into the page that they share.
//!
//! No frame makes it panic, and none takes more memory than has come. What is lawful is what an
//! honest child sends. Whatever is said of items that are lent, each of them stays in one place.

#![no_main]

mod items;
mod lending;
mod receiving;
mod replies;
mod stream;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mtl_jail as jail;
use mtl_stream::{control, item, outcome, queue};

use self::host::{engine, event, executor, isolation, sandbox};
use self::replies::understood;

/// What a parent and an honest child have of the protocol, as the host has it.
#[expect(dead_code, reason = "the host uses more of it")]
#[path = "../../../../host/src"]
mod host {
    pub(crate) mod engine {
        pub(crate) mod snapshot {
            mod verdict;

            pub(crate) use self::verdict::Verdict;
        }
    }

    pub(crate) mod event {
        pub(crate) mod snapshot_refusal;
    }

    pub(crate) mod executor {
        mod ran;
        pub(crate) mod start_error;

        pub(crate) use self::ran::Ran;
    }

    pub(crate) mod isolation {
        pub(crate) mod claim_page;
        pub(crate) mod eventfd;
        pub(crate) mod link;

        pub(crate) mod remote {
            pub(crate) mod lent;
        }

        pub(crate) mod wire {
            mod frame;
            pub(crate) mod frozen;
            pub(crate) mod guest_event;
            pub(crate) mod ran;
            pub(crate) mod report;
            pub(crate) mod start;

            pub(crate) use self::frame::{BadFrame, Frame, HEADER, Payload, Reply, cut, header};
        }

        /// How much memory is kept for what comes.
        pub(crate) fn held(link: &link::Link) -> usize {
            link.inbox.capacity()
        }
    }

    pub(crate) mod sandbox {
        pub(crate) mod guest_event;
        mod net_grant;
    }
}

#[derive(Arbitrary, Debug)]
enum Case<'a> {
    Reply { kind: u8, payload: &'a [u8] },
    Items(Box<items::Case<'a>>),
    Stream(stream::Case<'a>),
}

/// The number of bytes before the payload.
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
