//! The window: a bound on the items between the reader and the consumer.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use crate::item::byte_size::ByteSize;
use crate::item::parse_error::ParseError;

/// A bound on the items between the reader and the consumer. It applies to items that wait for a worker, that a worker
/// runs, or whose results wait for the sink. When the bound is reached, the reader waits.
///
/// The reader always reads enough items for each worker to have one, even beyond the bound.
///
/// ```
/// use mtl_host::limits::Window;
///
/// let window = Window::default().with_items(100.try_into().unwrap());
/// assert_ne!(window, Window::UNBOUNDED);
/// assert_eq!("16MiB".parse(), Ok(Window::default()));
/// assert_eq!("100".parse(), Ok(window));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    items: Bound,
    bytes: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    AtMost(usize),
    Unbounded,
}

impl Bound {
    fn exceeded_by(self, value: usize) -> bool {
        matches!(self, Self::AtMost(most) if value > most)
    }

    fn reached_by(self, value: usize) -> bool {
        matches!(self, Self::AtMost(most) if value >= most)
    }
}

impl Window {
    /// The default bound, in bytes (16 MiB). A few dozen blocks fit into it. A higher bound does not make a run faster.
    /// Results that wait for an earlier, slow item may fill another 16 MiB. When these results exceed that size, a
    /// worker starts an item only if its index is lower than the index of every claimed item.
    pub const DEFAULT_BYTES: NonZeroUsize =
        NonZeroUsize::new(16 * 1024 * 1024).expect("16 MiB is not zero");

    /// No bound. If items arrive faster than the workers process them, they fill the memory.
    pub const UNBOUNDED: Self = Self { items: Bound::Unbounded, bytes: Bound::Unbounded };

    /// Bounds the number of items.
    ///
    /// ```
    /// use mtl_host::limits::Window;
    ///
    /// assert_eq!(Window::UNBOUNDED.with_items(100.try_into()?).to_string(), "100");
    /// # Ok::<(), std::num::TryFromIntError>(())
    /// ```
    #[must_use]
    pub const fn with_items(mut self, items: NonZeroUsize) -> Self {
        self.items = Bound::AtMost(items.get());
        self
    }

    /// Bounds the number of bytes of items, of their results and of their bookkeeping together.
    ///
    /// ```
    /// use mtl_host::limits::Window;
    ///
    /// let default = Window::UNBOUNDED.with_bytes(Window::DEFAULT_BYTES);
    /// assert_eq!(default, Window::default());
    /// assert_eq!(default.to_string(), "16MiB");
    /// ```
    #[must_use]
    pub const fn with_bytes(mut self, bytes: NonZeroUsize) -> Self {
        self.bytes = Bound::AtMost(bytes.get());
        self
    }

    /// Returns whether the window may hold these numbers of items and bytes.
    pub(super) fn admits(self, items: usize, bytes: usize) -> bool {
        !self.items.exceeded_by(items) && !self.bytes.exceeded_by(bytes)
    }

    /// Returns whether the reader may read one more item while the window holds these items and bytes.
    pub(super) fn has_room(self, items: usize, bytes: usize, workers: usize) -> bool {
        items < workers || !(self.items.reached_by(items) || self.bytes.reached_by(bytes))
    }

    /// Returns whether these items or bytes fill an eighth of the window or more. If so, the reader may soon have to
    /// wait.
    pub(super) fn is_large_share(self, items: usize, bytes: usize) -> bool {
        let eighth = |bound, held: usize| match bound {
            Bound::AtMost(most) => held >= most / 8,
            Bound::Unbounded => false,
        };
        eighth(self.items, items) || eighth(self.bytes, bytes)
    }

    /// Returns whether `bytes` exceeds twice the bound. This happens if results wait for a slow item.
    pub(super) fn is_overfull(self, bytes: usize) -> bool {
        matches!(self.bytes, Bound::AtMost(most) if bytes > most.saturating_mul(2))
    }
}

impl Default for Window {
    /// Returns a window of [`DEFAULT_BYTES`](Self::DEFAULT_BYTES) and any number of items.
    fn default() -> Self {
        Self { items: Bound::Unbounded, bytes: Bound::Unbounded }.with_bytes(Self::DEFAULT_BYTES)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.items, self.bytes) {
            (Bound::AtMost(items), _) => items.fmt(f),
            (Bound::Unbounded, Bound::AtMost(bytes)) => {
                let bytes = NonZeroUsize::new(bytes).expect("a bound is not zero");
                ByteSize(bytes).fmt(f)
            }
            (Bound::Unbounded, Bound::Unbounded) => f.pad("unbounded"),
        }
    }
}

/// The error for a text that is neither a number of items nor a number of bytes.
const NOT_A_WINDOW: ParseError = ParseError::new(
    "neither a number of items such as `1000` nor an amount of bytes such as `64MiB`",
);

impl FromStr for Window {
    type Err = ParseError;

    /// Parses a window. A plain number counts items, and keeps the default bound on bytes.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text
                .parse()
                .map(|items| Self::default().with_items(items))
                .map_err(|_| NOT_A_WINDOW);
        }
        match text.parse::<ByteSize>() {
            Ok(bytes) => Ok(Self::UNBOUNDED.with_bytes(bytes.0)),
            Err(_) => Err(NOT_A_WINDOW),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_still_admits_one_item_per_worker() {
        let window = Window::default()
            .with_items(NonZeroUsize::new(4).unwrap())
            .with_bytes(NonZeroUsize::new(100).unwrap());
        #[rustfmt::skip]
        let cases = [
            // items  bytes  workers  room
            (0,       0,     1,       true),
            (3,       99,    1,       true),
            (4,       0,     1,       false),
            (1,       100,   1,       false),
            (1,       100,   2,       true),   // the second worker has nothing yet
            (5,       900,   6,       true),
            (6,       900,   6,       false),
        ];
        for (items, bytes, workers, room) in cases {
            let case = format!("{items} items, {bytes} bytes, {workers} workers");
            assert_eq!(window.has_room(items, bytes, workers), room, "{case}");
        }
        assert!(Window::UNBOUNDED.has_room(usize::MAX, usize::MAX, 1));
    }
}
