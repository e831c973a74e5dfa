//! What a fuzz target asks of the queue that it could only wait for.

use super::Queue;
use crate::block::Span;

impl Queue {
    /// Takes items over from a worker that has not started them, if there are some.
    pub(crate) fn relieve(&self, most: usize) -> Option<Span> {
        self.lock().relieve(most)
    }
}
