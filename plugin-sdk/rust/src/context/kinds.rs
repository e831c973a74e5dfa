//! Values that a worker and the host exchange: argument passing, formats and log levels.

/// The way in which an item fills the parameters of a call (`--args`). Code that the attribute
/// [`worker`](macro@crate::worker) generates reads items in this way. A hand-written
/// [`Worker`](crate::Worker) gets the whole item. To support `args` and `kwargs`, it must call
/// [`argument_passing`](crate::context::argument_passing), and read the array or the object itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passing {
    /// The whole item is the parameter.
    #[default]
    Single,
    /// The item is a JSON array of the parameters, by position.
    Args,
    /// The item is a JSON object of the parameters, by name.
    Kwargs,
}

/// The format of an item or of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Any bytes. The host shows them as text if they are UTF-8.
    #[default]
    Text,
    /// One JSON value.
    Json,
}

/// The level of a log message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step of the work.
    Trace,
    /// Details that help to find a mistake.
    Debug,
    /// Useful information.
    Info,
    /// A possible problem.
    Warn,
    /// A problem.
    Error,
}
