//! The choices of which a worker and the host speak: argument passing, formats and log levels.

/// How an item fills the parameters of a call: `--args` of the run. [`worker`](macro@crate::worker)
/// does it all. A [`Worker`](crate::Worker) by hand has one parameter, and has to ask
/// [`argument_passing`](crate::context::argument_passing) and read the array or the object by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passing {
    /// The item as it is.
    #[default]
    Single,
    /// A JSON array, by position.
    Args,
    /// A JSON object, by name.
    Kwargs,
}

/// The format of an item or of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Any bytes; shown as text where they are UTF-8.
    #[default]
    Text,
    /// One JSON value.
    Json,
}

/// The level of a log message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step.
    Trace,
    /// Helps to find a mistake.
    Debug,
    /// Is good to know.
    Info,
    /// Reports what may be wrong.
    Warn,
    /// Reports what is wrong.
    Error,
}
