//! The protocol between a worker's process and its parent: frames on a socket.
//!
//! ```text
//! frame    u32 length of the payload, u8 kind, payload         numbers are little-endian
//!
//! parent ─▶ child   setup ─▶ run, run, …, finish               answers to call and take
//! child  ─▶ parent  ready, started │ not-started ─▶ ran, …     guest (an event), call, take:
//!                                                  finished    any time a guest runs
//!                                                              part: while it runs items
//!
//! to compile        setup ─▶ ready ─▶ compiled, inspected │ not-compiled │ not-frozen
//! to probe          setup ─▶ layers
//! to freeze         setup ─▶ ready ─▶ freezing ─▶ frozen
//!                                  └──────────┴─▶ not-frozen ─▶ started, and as above
//! ```
//!
//! The child trusts what it is sent. The parent trusts nothing: what a child says is decoded here,
//! by functions without effects, and what does not hold ends the child.
//!
//! Frames with items are written by hand: their bytes are not copied once more. The payload of each other frame is a
//! type of serde in the format of postcard, which has a length before each text and list.

pub(crate) mod compiled;
mod frame;
pub(crate) mod frozen;
pub(crate) mod guest_event;
pub(crate) mod items;
pub(crate) mod layers;
pub(crate) mod ran;
pub(crate) mod refused;
pub(crate) mod report;
pub(crate) mod setup;
pub(crate) mod start;

pub(crate) use self::frame::{BadFrame, Frame, HEADER, Order, Payload, Reply, cut, header};
