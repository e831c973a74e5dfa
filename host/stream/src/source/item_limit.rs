//! The maximum size of one item.

use std::num::NonZeroUsize;

use crate::item::byte_size::ByteSize;
use crate::item::limits::{NOT_A_SIZE, limit};

limit! {
    /// The maximum number of bytes of one item.
    ///
    /// A longer record is a faulty item. A longer frame ends the run with an error. Its length may
    /// be wrong, and the source cannot find the next frame after a wrong length.
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
    /// Enough for any document that a plugin processes as one item, and so little that an input
    /// without separators does not fill the memory.
    DEFAULT = 64 << 20
}

impl ItemLimit {
    /// Creates a limit of `bytes`. Returns `None` for 0, because no item could be read.
    #[must_use]
    pub const fn new(bytes: usize) -> Option<Self> {
        match NonZeroUsize::new(bytes) {
            Some(bytes) => Some(Self(bytes)),
            None => None,
        }
    }

    /// Returns the limit in bytes.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0.get()
    }
}
