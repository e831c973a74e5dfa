//! The one trait that a plugin implements, by hand or by [`worker`](macro@crate::worker).

use crate::{Error, Failure, FromArgs, FromItem, IntoOutput, context::Passing};

/// Code that is started once, keeps its state, and is called for each of its items.
///
/// The host makes as many workers as it was asked for, each in a sandbox of its own: a worker never
/// shares anything with another and needs no lock.
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
///             return Err("say which word to look for".into());
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
    /// What `--init` is read as: `()`, `String`, `Vec<u8>`, [`Json<T>`](crate::Json), or an
    /// `Option` of these for arguments that may be left out.
    type Init: FromArgs;

    /// What an item is read as: `&str`, `&[u8]`, `&mut [u8]`, `String`, `Vec<u8>` or
    /// [`Json<T>`](crate::Json).
    type Item<'a>: FromItem<'a>;

    /// What a result is: `&str`, `&[u8]`, `String`, `Vec<u8>`, `bool`, a number or
    /// [`Json<T>`](crate::Json). An `Option` of these, or `()`, where an item may have no record.
    ///
    /// It may borrow from the item or from the worker.
    type Output<'a>: IntoOutput;

    /// Starts the worker: the place for what is costly, such as loading a model.
    ///
    /// # Errors
    ///
    /// When the worker cannot be started. The run ends with this message.
    fn init(args: Self::Init) -> Result<Self, Error>;

    /// Works on one item.
    ///
    /// # Errors
    ///
    /// When the item has no result. The run goes on, unless it was asked to stop at errors.
    fn call<'a>(&'a mut self, item: Self::Item<'a>) -> Result<Self::Output<'a>, Failure>;

    /// Makes good what is not as it was, on a worker that starts from a snapshot (`--snapshot`): one
    /// worker was started by [`init`](Self::init), and this is a copy of it, made before its first
    /// item. It is called on each copy, also on those that take the place of one that broke.
    ///
    /// It is the place to open files, to ask which worker this is, and to draw random numbers that
    /// must not be the same for all. A panic here is one of the start: the worker has not started.
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
    ///         // To ask for the worker's number here would mean that there is no snapshot.
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

    /// Ends the worker, after its last item. Its value is the worker's closing report.
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
    /// When what the worker has gathered could not be brought to an end.
    fn finish(self) -> Result<impl IntoOutput, Error> {
        Ok(())
    }

    /// How items are passed, if the worker can be called so. [`worker`](macro@crate::worker) asks the
    /// run; a worker by hand takes an item as it is, and its module does not import the question.
    ///
    /// # Errors
    ///
    /// When the worker cannot be called so.
    #[doc(hidden)]
    fn passing() -> Result<Passing, Error> {
        Ok(Passing::Single)
    }
}
