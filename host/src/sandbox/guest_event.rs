//! Events that a guest causes in addition to its results: output, log messages and denials.
//!
//! The sandbox makes the events and passes them to a sink. If the guest runs in a child, the child
//! sends the events to its parent.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::net_grant::is_host;

/// An event that a guest causes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum GuestEvent<'a> {
    /// The guest wrote a line.
    Output { stream: GuestStream, line: &'a str },
    /// The guest logged a message.
    Log { level: LogLevel, message: &'a str },
    /// The guest wrote more than its budget allows, and this many lines and messages were dropped.
    Dropped { lines: u64, bytes: u64 },
    /// The guest was denied an operation.
    Denied(Cow<'a, Denial>),
}

type Receive = dyn Fn(&GuestEvent<'_>) + Send + Sync;

/// A receiver of the events of one worker's guests. The default receiver drops them.
#[derive(Clone, Default)]
pub(crate) struct GuestSink(Option<Arc<Receive>>);

impl GuestSink {
    pub(crate) fn new(receive: impl Fn(&GuestEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(receive)))
    }

    pub(crate) fn send(&self, event: &GuestEvent<'_>) {
        if let Some(receive) = &self.0 {
            receive(event);
        }
    }
}

impl fmt::Debug for GuestSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestSink").finish_non_exhaustive()
    }
}

/// An operation that a plugin was denied.
///
/// ```
/// use mtl_host::event::Denial;
///
/// let denial = Denial::Connection("127.0.0.1:80".parse()?);
/// assert_eq!(denial.to_string(), "a connection to `127.0.0.1:80`");
/// assert_eq!(denial.hint(), "a grant of `127.0.0.1:80` allows it");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Denial {
    /// Opening a socket, although no address is granted.
    #[error("a socket")]
    Sockets,
    /// Connecting to an address.
    #[error("a connection to `{0}`")]
    Connection(SocketAddr),
    /// Looking up the addresses of a name.
    #[error("the addresses of `{0}`")]
    Name(String),
    /// Sending an HTTP request.
    #[error("a request to `{host}:{port}`")]
    Request {
        /// The host in the request.
        host: String,
        /// The port in the request.
        port: u16,
    },
    /// Sending a request over TLS, which this host does not support.
    #[error("a request by `https` to `{host}:{port}`")]
    Tls {
        /// The host in the request.
        host: String,
        /// The port in the request.
        port: u16,
    },
}

impl Denial {
    /// Returns a hint for the user who wants to allow the operation.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Sockets => "a grant of a host and a port lets it connect there".into(),
            Self::Connection(address) => format!("a grant of `{address}` allows it"),
            Self::Name(name) => format!("a grant of `{name}` and a port allows it, for that port"),
            Self::Request { host, port } => format!("a grant of `{host}:{port}` allows it"),
            Self::Tls { .. } => "this host has no TLS: plugins can send requests by `http`".into(),
        }
    }

    /// Returns whether the denial's host is a valid name or address. Hints show the host, and users
    /// copy it.
    pub(crate) fn names_a_host(&self) -> bool {
        match self {
            Self::Sockets | Self::Connection(_) => true,
            Self::Name(host) | Self::Request { host, .. } | Self::Tls { host, .. } => is_host(host),
        }
    }
}

/// One of the two streams that a plugin may write to.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use mtl_host::event::{Event, GuestStream, Observer};
/// use mtl_host::{Engine, Plugin, Pool};
///
/// #[derive(Default)]
/// struct Complaints(Mutex<Vec<String>>);
///
/// impl Observer for Complaints {
///     fn notify(&self, event: &Event<'_>) {
///         if let Event::Output { stream: GuestStream::Stderr, line, .. } = event {
///             self.0.lock().unwrap().push((*line).to_owned());
///         }
///     }
/// }
///
/// // This plugin prints its items, those with a `!` to standard error.
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/print.wat")?;
/// let complaints = Arc::new(Complaints::default());
/// let mut pool = Pool::builder(&plugin).observer(complaints.clone()).build()?;
/// pool.map(["fine", "!not so fine"]).try_collect::<Vec<_>>()?;
/// assert_eq!(*complaints.0.lock().unwrap(), ["!not so fine"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GuestStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// The importance of a plugin's message.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use mtl_host::event::{Event, LogLevel, Observer};
/// use mtl_host::{Engine, Plugin, Pool};
///
/// #[derive(Default)]
/// struct Warnings(Mutex<Vec<String>>);
///
/// impl Observer for Warnings {
///     fn notify(&self, event: &Event<'_>) {
///         match event {
///             Event::Log { level, message, .. } if *level >= LogLevel::Warn => {
///                 self.0.lock().unwrap().push(format!("{}: {message}", level.name()));
///             }
///             _ => {}
///         }
///     }
/// }
///
/// // This plugin logs its items. The first byte of an item is the level.
/// let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/log.wat")?;
/// let warnings = Arc::new(Warnings::default());
/// let mut pool = Pool::builder(&plugin).observer(warnings.clone()).build()?;
/// pool.map(["2 at work", "3 is it late?"]).try_collect::<Vec<_>>()?;
/// assert_eq!(*warnings.0.lock().unwrap(), ["warn: 3 is it late?"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LogLevel {
    /// Each step.
    Trace,
    /// Information for the plugin's author.
    Debug,
    /// Information for the user.
    Info,
    /// A problem that does not stop the plugin.
    Warn,
    /// A failure.
    Error,
}

impl LogLevel {
    /// Returns the name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}
