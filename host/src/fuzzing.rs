//! Doors to what is private, for the fuzz targets of `tests/fuzz` and for nobody else: it is there
//! only in a build for them.

pub use crate::engine::fuzzing::{Answered, Batch, BatchEnd, Taken, answered};
pub use crate::isolation::fuzzing::{
    Became, Came, Lending, Piece, Places, Step, ThereEnded, lent, received, said, said_early,
    understood,
};
pub use crate::source::fuzzing::{Given, given, unpacked};
