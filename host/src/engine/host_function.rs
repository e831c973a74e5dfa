//! Functions that the embedder offers to plugins: they take bytes, and return bytes or an error message.
//!
//! The embedder defines a host function once for both kinds of plugin. A component imports the function by its
//! component type; a core module imports the canonical lowering of that type.
//!
//! ```text
//! core module ─▶ core       ┐ the input, borrowed from
//!                           ├──────────────────────────▶ HostFunction::answer ─▶ the embedder's function
//! component   ─▶ component  ┘ the guest's memory         (bounds, panics)
//! ```

use std::collections::HashSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::control::deadline::Watch;
use crate::control::panic;
use crate::item::index::WorkerIndex;
use crate::outcome::shorten_message;

pub(crate) mod component;
pub(crate) mod core;

/// The size limit of an answer, in bytes. The memory of an instance has space for only a few such answers.
pub(crate) const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// Returns whether `text` is the type of a host function: the component type or its lowering.
pub(crate) fn is_type(text: &str) -> bool {
    [component::TYPE, core::TYPE].contains(&text)
}

/// The caller of a host function.
///
/// ```
/// use mtl_host::load::HostCall;
/// use mtl_host::{Engine, Plugin, Pool};
///
/// fn who(call: &HostCall, _: &[u8]) -> Result<Vec<u8>, String> {
///     Ok(call.worker().to_string().into_bytes())
/// }
///
/// let loader = Plugin::loader(&Engine::new()?);
/// let loader = loader.host_function("acme:store/lookup@1.0.0", "get", who);
/// let plugin = loader.load("../tests/fixtures/host-function.wat")?;
/// let mut pool = Pool::builder(&plugin).jobs("1".parse()?).build()?;
/// assert_eq!(pool.map(["who?"]).next().unwrap()?.bytes(), Some(&b"0"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct HostCall {
    worker: WorkerIndex,
}

impl HostCall {
    /// Returns the worker whose plugin calls.
    #[must_use]
    pub fn worker(&self) -> WorkerIndex {
        self.worker
    }
}

/// The reasons for which a host function cannot be offered.
///
/// ```
/// use mtl_host::load::LoadErrorKind;
/// use mtl_host::{Engine, Plugin};
///
/// let loader = Plugin::loader(&Engine::new()?).host_function("lookup", "get", |_, _| Ok(vec![]));
/// let error = loader.load("../tests/fixtures/upper.wat").unwrap_err();
/// let LoadErrorKind::HostFunction(error) = error.kind() else {
///     panic!("an interface has a namespace and a package");
/// };
/// assert!(error.to_string().starts_with("`lookup` is not the name of an interface"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostFunctionError {
    /// The name of the interface is not valid.
    #[error("`{interface}` is not the name of an interface, such as `acme:store/lookup@1.0.0`")]
    NotAnInterface {
        /// The given name.
        interface: String,
    },
    /// The name of the function is not valid.
    #[error("`{name}` is not the name of a function, such as `get-all`")]
    NotAName {
        /// The given name.
        name: String,
    },
    /// The interface belongs to the host or to WASI.
    #[error("no host function can be offered in `{interface}`: the host has it already")]
    Reserved {
        /// The given name.
        interface: String,
    },
    /// Two host functions have the same name.
    #[error("the host function `{function}` is offered twice")]
    Duplicate {
        /// The interface and the name.
        function: String,
    },
}

/// The answer of a host function: bytes, or an error message for the guest. The outer error stops the guest.
pub(crate) type HostAnswer = wasmtime::Result<Result<Vec<u8>, String>>;

type Function = dyn Fn(&HostCall, &[u8]) -> HostAnswer + Send + Sync;

/// A function of the embedder, with the names by which plugins import it.
#[derive(Clone)]
struct HostFunction {
    interface: String,
    name: String,
    function: Arc<Function>,
}

impl HostFunction {
    /// Calls the function. Before and after the call, checks whether the guest must stop.
    ///
    /// The inner error is a message for the guest; the outer error stops the guest.
    fn answer(&self, worker: WorkerIndex, watch: &Watch, input: &[u8]) -> HostAnswer {
        // The call counts as the guest's time, so check the deadline before and after it.
        watch.check()?;
        let answer = (self.function)(&HostCall { worker }, input)?;
        watch.check()?;
        Ok(answer)
    }

    /// Returns the error that stops the guest because of this function.
    fn trap(&self, problem: fmt::Arguments<'_>) -> wasmtime::Error {
        trap(self, problem)
    }
}

fn trap(function: impl fmt::Display, problem: fmt::Arguments<'_>) -> wasmtime::Error {
    wasmtime::format_err!("the host function `{function}` {problem}")
}

/// Wraps a function of the embedder with the limits on answers and a guard against panics.
fn checked<F>(
    name: &str,
    function: F,
) -> impl Fn(&HostCall, &[u8]) -> HostAnswer + Send + Sync + use<F>
where
    F: Fn(&HostCall, &[u8]) -> Result<Vec<u8>, String> + Send + Sync,
{
    let name = name.to_owned();
    let trap = move |problem: fmt::Arguments<'_>| trap(&name, problem);
    move |call, input| {
        // Unwind safety: the function receives only shared references, so a panic leaves the host's state intact.
        match catch_unwind(AssertUnwindSafe(|| function(call, input))) {
            Ok(Ok(bytes)) if bytes.len() > MAX_ANSWER => Err(trap(format_args!(
                "answered with {} bytes, more than the {MAX_ANSWER} that an answer may have",
                bytes.len()
            ))),
            Ok(Ok(bytes)) => Ok(Ok(bytes)),
            Ok(Err(text)) => Ok(Err(shorten_message(text))),
            Err(panic) => {
                let message = shorten_message(panic::message(&*panic));
                Err(trap(format_args!("panicked: {message}")))
            }
        }
    }
}

impl fmt::Display for HostFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.interface, self.name)
    }
}

impl fmt::Debug for HostFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostFunction({self})")
    }
}

/// The functions that the host offers to a plugin.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostFunctions(Vec<HostFunction>);

impl HostFunctions {
    pub(crate) fn add<F>(&mut self, interface: String, name: String, function: F)
    where
        F: Fn(&HostCall, &[u8]) -> Result<Vec<u8>, String> + Send + Sync + 'static,
    {
        let function = Arc::new(checked(&format!("{interface}.{name}"), function));
        self.0.push(HostFunction { interface, name, function });
    }

    /// Returns the functions of another process, by interface and name. `call` calls a function by its number.
    pub(crate) fn remote(
        names: Vec<(String, String)>,
        call: impl Fn(usize, &[u8]) -> HostAnswer + Send + Sync + 'static,
    ) -> Self {
        let call = Arc::new(call);
        let function = |(number, (interface, name)): (usize, (String, String))| {
            let call = Arc::clone(&call);
            let function = Arc::new(move |_: &HostCall, input: &[u8]| call(number, input));
            HostFunction { interface, name, function }
        };
        Self(names.into_iter().enumerate().map(function).collect())
    }

    /// Calls a function by its number, on behalf of a guest in another process. Returns `None` for an unknown number.
    pub(crate) fn call(
        &self,
        number: usize,
        worker: WorkerIndex,
        input: &[u8],
    ) -> Option<HostAnswer> {
        self.0.get(number).map(|function| (function.function)(&HostCall { worker }, input))
    }

    /// Returns the interface and name of each function, in the order of their numbers.
    pub(crate) fn numbered(&self) -> Vec<(String, String)> {
        let function =
            |function: &HostFunction| (function.interface.clone(), function.name.clone());
        self.0.iter().map(function).collect()
    }

    /// Checks that all functions can be offered: the names are valid, unique, and not the host's own.
    pub(crate) fn check(&self) -> Result<(), HostFunctionError> {
        let mut names = HashSet::new();
        for function in &self.0 {
            let HostFunction { interface, name, .. } = function;
            if !is_interface(interface) {
                return Err(HostFunctionError::NotAnInterface { interface: interface.clone() });
            }
            if !is_label(name) {
                return Err(HostFunctionError::NotAName { name: name.clone() });
            }
            if interface.starts_with("wasi:") || interface.starts_with("mtl:plugin/") {
                return Err(HostFunctionError::Reserved { interface: interface.clone() });
            }
            if !names.insert((interface, name)) {
                return Err(HostFunctionError::Duplicate { function: function.to_string() });
            }
        }
        Ok(())
    }

    /// Returns the names of the functions for a message.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// Returns whether any function of this interface is offered.
    pub(crate) fn has_interface(&self, interface: &str) -> bool {
        self.0.iter().any(|function| function.interface == interface)
    }

    fn has(&self, interface: &str, name: &str) -> bool {
        self.0.iter().any(|function| function.interface == interface && function.name == name)
    }
}

/// Returns whether `text` is `namespace:package/interface`, optionally with a version. Core modules could import any
/// name, but components can import only such names.
fn is_interface(text: &str) -> bool {
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let is_version = |version: &str| {
        let mut bytes = version.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_digit())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
    };
    let words = name.split_once(':').and_then(|(namespace, rest)| {
        let (package, interface) = rest.split_once('/')?;
        Some([namespace, package, interface])
    });
    words.is_some_and(|words| words.into_iter().all(is_label)) && version.is_none_or(is_version)
}

/// Returns whether `text` consists of words of letters and digits, joined by hyphens.
fn is_label(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests;
