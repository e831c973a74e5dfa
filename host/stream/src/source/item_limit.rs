//! The size that one item may have.

use std::num::NonZeroUsize;

use crate::item::byte_size::ByteSize;
use crate::item::limits::{NOT_A_SIZE, limit};

limit! {
    /// Upper bound on one item's bytes.
    ///
    /// A longer record is a fault of that item; of a frame, an error, because a stream whose
    /// lengths make no sense cannot be read on.
    ///
    /// ```
    /// use mtl_host::source::ItemLimit;
    ///
    /// assert_eq!(ItemLimit::DEFAULT.to_string(), "64MiB");
    /// assert_eq!("1KiB".parse().ok(), ItemLimit::new(1024));
    /// assert!(ItemLimit::new(0).is_none());
    /// assert_eq!(ItemLimit::new(1000).unwrap().get(), 1000);
    /// ```
    pub struct ItemLimit(NonZeroUsize) as ByteSize or NOT_A_SIZE;
    /// Room for any document that a plugin takes in one piece, and small enough that an
    /// input without separators does not fill the memory.
    DEFAULT = 64 << 20
}

impl ItemLimit {
    /// A limit of `bytes`; none if that is 0, because then no item could be read.
    #[must_use]
    pub const fn new(bytes: usize) -> Option<Self> {
        match NonZeroUsize::new(bytes) {
            Some(bytes) => Some(Self(bytes)),
            None => None,
        }
    }

    /// The limit in bytes.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0.get()
    }
}
