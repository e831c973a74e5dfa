//! Fuzzes a parent with the messages of a hostile child, and with the child's writes into the
//! shared page.
//!
//! No frame makes the parent panic, or allocate memory for bytes that have not arrived. The parent
//! accepts exactly the messages that an honest child could send. Whatever the child reports, each
//! item on loan ends in exactly one state: it has an outcome, has failed, was stolen, or waits in
//! the queue.

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
use self::replies::reencode;

/// The host's files for both ends of the protocol.
#[expect(dead_code, reason = "only the host uses all of it")]
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
        mod execution_end;
        pub(crate) mod start_error;

        pub(crate) use self::execution_end::ExecutionEnd;
    }

    pub(crate) mod isolation {
        pub(crate) mod child_connection;
        pub(crate) mod claim_page;
        pub(crate) mod eventfd;

        pub(crate) mod remote {
            pub(crate) mod remote_claim;
        }

        pub(crate) mod wire {
            pub(crate) mod finish_reply;
            mod frame;
            pub(crate) mod guest_event;
            pub(crate) mod run_reply;
            pub(crate) mod snapshot_reply;
            pub(crate) mod start;

            pub(crate) use self::frame::{
                Frame, HEADER, Payload, ProtocolError, Reply, header, truncate_guest_text,
            };
        }

        /// Returns the memory of the buffer for incoming frames.
        pub(crate) fn buffer_bytes(connection: &child_connection::ChildConnection) -> usize {
            connection.inbox.capacity()
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

/// Checks that an honest child would encode an accepted reply in the same way.
fn check_reply(kind: u8, payload: &[u8]) {
    let Ok(frame) = reencode(kind, payload) else { return };
    let (header, payload) = frame.split_at(HEADER);
    assert_eq!(header[..4], (payload.len() as u32).to_le_bytes());
    assert_eq!(header[4], kind);
    assert_eq!(reencode(kind, payload).as_ref(), Ok(&frame));
}

fuzz_target!(|case: Case<'_>| {
    match case {
        // Few kinds exist, so the number is reduced to their range.
        Case::Reply { kind, payload } => check_reply(kind % 19, payload),
        Case::Items(case) => case.check(),
        Case::Stream(case) => case.check(),
    }
});
