//! The protocol between a child and its parent: frames on a socket.
//!
//! ```text
//! frame    u32 length of the payload, u8 kind, payload         numbers are little-endian
//!
//! parent ─▶ child   setup ─▶ run, run, …, finish               answers to call and take
//! child  ─▶ parent  ready, started │ not-started ─▶ ran, …     guest (an event), call, take:
//!                                                  finished    while a guest runs
//!                                                              part: while it runs items
//!
//! to compile        setup ─▶ ready ─▶ compiled, inspected │ not-compiled │ not-frozen
//! to probe          setup ─▶ layers
//! to freeze         setup ─▶ ready ─▶ freezing ─▶ frozen
//!                                  └──────────┴─▶ not-frozen ─▶ started, then as above
//! ```
//!
//! The child trusts the parent, but the parent does not trust the child. Pure functions decode the
//! frames of a child, and the parent kills a child that sends an invalid frame.
//!
//! Hand-written code encodes the frames that contain items, to avoid a copy of the items. The
//! payload of every other frame is a serde type in the postcard format, which puts a length before
//! each string and list.

pub(crate) mod compile_reply;
pub(crate) mod finish_reply;
mod frame;
pub(crate) mod guest_event;
pub(crate) mod items;
pub(crate) mod layers;
pub(crate) mod refused;
pub(crate) mod run_reply;
pub(crate) mod setup;
pub(crate) mod snapshot_reply;
pub(crate) mod start;

pub(crate) use self::frame::{
    Frame, HEADER, Order, Payload, ProtocolError, Reply, header, truncate_guest_text,
};
