//! The only way to request the early end of a run.
//!
//! A [`StopFlag`] is shared between the threads that may request the end and the threads that must
//! notice the request. The thread of a signal handler or the user's code may request the end. A
//! request wakes every waiting thread, so no thread polls the flag.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A request to end a run: no more items are read, and items already in a plugin are finished.
///
/// ```
/// use mtl_host::{Engine, Plugin, Pool, StopFlag};
///
/// let stop = StopFlag::new();
/// assert!(!stop.is_set());
///
/// let plugin = Plugin::load(&Engine::new()?, "../fixtures/upper.wat")?;
/// let mut pool = Pool::builder(&plugin).stop(&stop).build()?;
/// let mut results = pool.map(std::iter::repeat("an endless input"));
/// results.next().unwrap()?;
///
/// let of_another_thread = stop.clone();
/// std::thread::spawn(move || of_another_thread.set()).join().unwrap();
/// assert!(stop.is_set());
/// let summary = results.end().into_result()?;
/// assert!(summary.stopped);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct StopFlag {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    set: AtomicBool,
    wakers: Mutex<Vec<Weak<dyn Wake>>>,
}

/// A waiter that a stop must wake.
pub trait Wake: Send + Sync {
    /// Wakes the waiter. The flag calls it once, on the thread that sets the flag.
    fn wake(&self);
}

impl StopFlag {
    /// Creates a flag that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests the end. Further calls have no effect.
    pub fn set(&self) {
        self.shared.set.store(true, Ordering::Release);
        let wakers = std::mem::take(&mut *self.wakers());
        for waker in wakers.iter().filter_map(Weak::upgrade) {
            waker.wake();
        }
    }

    /// Returns whether the end was requested.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.shared.set.load(Ordering::Acquire)
    }

    /// Wakes `waker` when the flag is set, or immediately if it is set already.
    #[doc(hidden)]
    pub fn on_set(&self, waker: &Arc<impl Wake + 'static>) {
        let waker: Arc<dyn Wake> = waker.clone();
        let mut wakers = self.wakers();
        // Dropped wakers are removed here, so that a flag that outlives many runs does not grow.
        wakers.retain(|old| old.strong_count() > 0);
        wakers.push(Arc::downgrade(&waker));
        drop(wakers);
        if self.is_set() {
            waker.wake();
        }
    }

    fn wakers(&self) -> std::sync::MutexGuard<'_, Vec<Weak<dyn Wake>>> {
        // A panic cannot leave a list of weak pointers inconsistent.
        self.shared.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for StopFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StopFlag").field(&self.is_set()).finish()
    }
}
