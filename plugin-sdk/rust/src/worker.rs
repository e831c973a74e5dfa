//! The trait that a plugin implements, by hand or with [`worker`](macro@crate::worker).

use crate::{Error, Failure, FromArgs, FromItem, IntoOutput, context::Passing};

/// Code that starts once, keeps its state, and is called for each of its items.
///
/// The host creates as many workers as `--jobs` sets, each in its own sandbox. Workers share no
/// memory, so they need no locks.
///
/// ```
/// use mtl_plugin::{Error, Failure, Worker};
///
/// /// Numbers the lines that contain a word.
/// struct Grep {
///     word: String,
///     found: u64,
/// }
///
/// impl Worker for Grep {
///     type Init = String;
///     type Item<'a> = &'a str;
///     type Output<'a> = Option<String>;
///
///     fn init(word: String) -> Result<Self, Error> {
///         if word.is_empty() {
///             return Err("the word to look for is missing".into());
///         }
///         Ok(Self { word, found: 0 })
///     }
///
///     fn call(&mut self, line: &str) -> Result<Option<String>, Failure> {
///         if !line.contains(&self.word) {
///             return Ok(None);
///         }
///         self.found += 1;
///         Ok(Some(format!("{} {line}", self.found)))
///     }
/// }
///
/// mtl_plugin::export!(Grep);
/// # let mut grep = mtl_plugin::testing::Instance::<Grep>::start("b").unwrap();
/// # assert_eq!(grep.call("a"), Ok(None));
/// # assert_eq!(grep.call("ab"), Ok(Some(b"1 ab".to_vec())));
/// # assert!(mtl_plugin::testing::Instance::<Grep>::start("").is_err());
/// ```
pub trait Worker: Sized + 'static {
    /// The type of the arguments in `--init`: `()`, `String`, `Vec<u8>`, [`Json<T>`](crate::Json),
    /// or an `Option` of these for arguments that may be left out.
    type Init: FromArgs;

    /// The type of an item: `&str`, `&[u8]`, `&mut [u8]`, `String`, `Vec<u8>` or
    /// [`Json<T>`](crate::Json).
    type Item<'a>: FromItem<'a>;

    /// The type of a result: `&str`, `&[u8]`, `String`, `Vec<u8>`, `bool`, a number or
    /// [`Json<T>`](crate::Json). If an item may have no record, the type is an `Option` of these,
    /// or `()`.
    ///
    /// A result may borrow from the item or from the worker.
    type Output<'a>: IntoOutput;

    /// Starts the worker. Do slow work here, such as loading a model.
    ///
    /// # Errors
    ///
    /// Fails if the worker cannot start. The run then ends with the message of the error.
    fn init(args: Self::Init) -> Result<Self, Error>;

    /// Works on one item.
    ///
    /// # Errors
    ///
    /// Fails if the item has no result. The run continues unless `--on-error immediate` is set.
    fn call<'a>(&'a mut self, item: Self::Item<'a>) -> Result<Self::Output<'a>, Failure>;

    /// Prepares a worker that starts from a snapshot (`--snapshot`). The host has called
    /// [`init`](Self::init) for one worker, and copied this worker before its first item. The host
    /// calls this function on each copy, including a copy that replaces a failed worker.
    ///
    /// Here, open files, request the worker's number, and draw random numbers that must differ
    /// between workers. If this function panics, the worker fails to start.
    ///
    /// ```
    /// use mtl_plugin::{Error, Failure, Worker, context};
    ///
    /// struct Labelled {
    ///     label: String,
    /// }
    ///
    /// impl Worker for Labelled {
    ///     type Init = ();
    ///     type Item<'a> = &'a str;
    ///     type Output<'a> = String;
    ///
    ///     fn init((): ()) -> Result<Self, Error> {
    ///         // Asking for the worker's number here would prevent the snapshot.
    ///         Ok(Self { label: "copy".into() })
    ///     }
    ///
    ///     fn after_restore(&mut self) {
    ///         self.label = format!("copy {}", context::worker_index());
    ///     }
    ///
    ///     fn call(&mut self, item: &str) -> Result<String, Failure> {
    ///         Ok(format!("{}: {item}", self.label))
    ///     }
    /// }
    /// # let mut labelled = mtl_plugin::testing::Instance::<Labelled>::start("").unwrap();
    /// # assert_eq!(labelled.call("a"), Ok(Some(b"copy: a".to_vec())));
    /// # labelled.after_restore();
    /// # assert_eq!(labelled.call("a"), Ok(Some(b"copy 0: a".to_vec())));
    /// ```
    fn after_restore(&mut self) {}

    /// Ends the worker after its last item and returns its finish report.
    ///
    /// ```
    /// # use mtl_plugin::{Error, Failure, IntoOutput, Json, Worker};
    /// struct Sum(f64);
    ///
    /// impl Worker for Sum {
    ///     type Init = ();
    ///     type Item<'a> = Json<f64>;
    ///     type Output<'a> = ();
    ///
    ///     fn init((): ()) -> Result<Self, Error> {
    ///         Ok(Self(0.0))
    ///     }
    ///
    ///     fn call(&mut self, Json(number): Json<f64>) -> Result<(), Failure> {
    ///         self.0 += number;
    ///         Ok(())
    ///     }
    ///
    ///     fn finish(self) -> Result<impl IntoOutput, Error> {
    ///         Ok(Json(self.0))
    ///     }
    /// }
    /// # let mut sum = mtl_plugin::testing::Instance::<Sum>::start("").unwrap();
    /// # assert_eq!(sum.call("1.5"), Ok(None));
    /// # assert_eq!(sum.call("2"), Ok(None));
    /// # assert_eq!(sum.finish(), Ok(Some(b"3.5".to_vec())));
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the worker cannot complete its work.
    fn finish(self) -> Result<impl IntoOutput, Error> {
        Ok(())
    }

    /// Returns the way in which the run passes arguments. Code that the attribute
    /// [`worker`](macro@crate::worker) generates calls the host to find out. A hand-written worker
    /// takes whole items, so it does not call the host, and its module need not import
    /// `argument-passing`.
    ///
    /// # Errors
    ///
    /// Fails if the worker does not support the run's way of passing arguments.
    #[doc(hidden)]
    fn passing() -> Result<Passing, Error> {
        Ok(Passing::Single)
    }
}
