//! Runs a worker natively: as in the host, the worker gets bytes and returns bytes.
//!
//! Only tests of plugins use this module.

use std::fmt;

#[cfg(not(target_arch = "wasm32"))]
use crate::context::{Format, stand_in};
use crate::{
    Error, Failure, Worker,
    guest::{Answer, Guest},
};

pub use crate::context::answers::Context;

/// A running worker, started as the host starts it.
///
/// ```
/// # use mtl_plugin::{Error, Failure, Json, Worker};
/// # struct Length;
/// # impl Worker for Length {
/// #     type Init = ();
/// #     type Item<'a> = &'a str;
/// #     type Output<'a> = Json<usize>;
/// #     fn init((): ()) -> Result<Self, Error> { Ok(Self) }
/// #     fn call(&mut self, item: &str) -> Result<Json<usize>, Failure> { Ok(Json(item.len())) }
/// # }
/// use mtl_plugin::testing::Instance;
///
/// let mut worker = Instance::<Length>::start("")?;
/// assert_eq!(worker.call("four"), Ok(Some(b"4".to_vec())));
/// assert!(matches!(worker.call(b"\xff"), Err(Failure::BadItem(_))));
/// # Ok::<(), mtl_plugin::Error>(())
/// ```
pub struct Instance<W: Worker> {
    guest: Guest<W>,
}

impl<W: Worker> Instance<W> {
    /// Starts a worker with the text of `--init`.
    ///
    /// # Errors
    ///
    /// Fails if the worker cannot start with these arguments.
    pub fn start(args: impl AsRef<[u8]>) -> Result<Self, Error> {
        let mut guest = Guest::new();
        match guest.init(args.as_ref()) {
            Answer::Failed(failure) => Err(Error::new(failure.message())),
            Answer::Bytes(_) | Answer::NoRecord => Ok(Self { guest }),
        }
    }

    /// Calls [`Worker::after_restore`], as the host does for a copy that starts from a snapshot.
    pub fn after_restore(&mut self) {
        self.guest.after_restore();
    }

    /// Works on one item. Returns the bytes of its result, or `None` for no record.
    ///
    /// # Errors
    ///
    /// Fails if the item has no result.
    pub fn call(&mut self, item: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, Failure> {
        let mut item = item.as_ref().to_vec();
        self.guest.call(&mut item).into_result()
    }

    /// Ends the worker. Returns the bytes of its finish report, or `None`.
    ///
    /// # Errors
    ///
    /// Fails if the worker cannot finish.
    pub fn finish(mut self) -> Result<Option<Vec<u8>>, Error> {
        self.guest.finish().into_result().map_err(|failure| Error::new(failure.message()))
    }
}

impl<W: Worker> fmt::Debug for Instance<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").finish_non_exhaustive()
    }
}

impl Context {
    /// Sets the answers of [`context`](crate::context) on this thread.
    pub fn enter(self) {
        #[cfg(not(target_arch = "wasm32"))]
        stand_in::set(self);
    }
}

/// Returns the format that the worker of this thread has declared for its results.
#[cfg(not(target_arch = "wasm32"))]
#[must_use]
pub fn result_format() -> Format {
    stand_in::declared_format()
}
