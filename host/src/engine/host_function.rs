//! Functions of the embedder's own, offered to plugins: bytes in, bytes or an error's text out.
//!
//! One definition serves both kinds of plugin: a component calls it by its type, a core module
//! by the canonical lowering of that type.
//!
//! ```text
//! core module ─▶ core       ┐ the input, where it lies
//!                           ├──────────────────────────▶ HostFunction::answer ─▶ the embedder's
//! component   ─▶ component  ┘ in the guest's memory       (bounds, panics)
//! ```

use std::collections::HashSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::control::deadline::Watch;
use crate::control::panic;
use crate::item::index::WorkerIndex;
use crate::outcome::shortened;

pub(crate) mod component;
pub(crate) mod core;

/// How long an answer may be: what one instance could not hold many times over.
pub(crate) const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// Returns whether this is the text of the type of a host function: the one of components, or its lowering.
pub(crate) fn is_type(text: &str) -> bool {
    [component::TYPE, core::TYPE].contains(&text)
}

/// Who calls a host function.
///
/// ```
/// use mtl_host::{Engine, HostCall, Plugin, Pool};
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
    /// The worker whose plugin calls.
    #[must_use]
    pub fn worker(&self) -> WorkerIndex {
        self.worker
    }
}

/// Why a host function cannot be offered.
///
/// ```
/// use mtl_host::{Engine, LoadErrorKind, Plugin};
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
    /// The interface is not named as one.
    #[error("`{interface}` is not the name of an interface, such as `acme:store/lookup@1.0.0`")]
    NotAnInterface {
        /// What was given.
        interface: String,
    },
    /// The function is not named as one.
    #[error("`{name}` is not the name of a function, such as `get-all`")]
    NotAName {
        /// What was given.
        name: String,
    },
    /// The interface is the host's own, or of WASI.
    #[error("no host function can be offered in `{interface}`: the host has it already")]
    Reserved {
        /// What was given.
        interface: String,
    },
    /// Two host functions have the same name.
    #[error("the host function `{function}` is offered twice")]
    Duplicate {
        /// Interface and name.
        function: String,
    },
}

/// What it answers, in words of its own if it must; an error of the other kind stops the guest.
pub(crate) type Answer = wasmtime::Result<Result<Vec<u8>, String>>;

type Function = dyn Fn(&HostCall, &[u8]) -> Answer + Send + Sync;

/// A function of the embedder's, and its name among imports.
#[derive(Clone)]
struct HostFunction {
    interface: String,
    name: String,
    function: Arc<Function>,
}

impl HostFunction {
    /// Calls it. An error of this is the trap of the guest; what the function itself says is
    /// handed to the guest.
    fn answer(&self, worker: WorkerIndex, watch: &Watch, input: &[u8]) -> Answer {
        // The time it takes is the guest's: it runs from here at the latest.
        watch.check()?;
        let answer = (self.function)(&HostCall { worker }, input)?;
        watch.check()?;
        Ok(answer)
    }

    /// What stops the guest that called this function.
    fn trap(&self, what: fmt::Arguments<'_>) -> wasmtime::Error {
        trap(self, what)
    }
}

fn trap(function: impl fmt::Display, what: fmt::Arguments<'_>) -> wasmtime::Error {
    wasmtime::format_err!("the host function `{function}` {what}")
}

/// A function of the embedder's, held to what an answer may be.
fn checked<F>(name: &str, function: F) -> impl Fn(&HostCall, &[u8]) -> Answer + Send + Sync + use<F>
where
    F: Fn(&HostCall, &[u8]) -> Result<Vec<u8>, String> + Send + Sync,
{
    let name = name.to_owned();
    let trap = move |what: fmt::Arguments<'_>| trap(&name, what);
    move |call, input| {
        // What it has left half-done is its own: it gets nothing of ours but shared references.
        match catch_unwind(AssertUnwindSafe(|| function(call, input))) {
            Ok(Ok(bytes)) if bytes.len() > MAX_ANSWER => Err(trap(format_args!(
                "answered with {} bytes, more than the {MAX_ANSWER} that an answer may have",
                bytes.len()
            ))),
            Ok(Ok(bytes)) => Ok(Ok(bytes)),
            Ok(Err(text)) => Ok(Err(shortened(text))),
            Err(panic) => {
                let message = shortened(panic::message(&*panic));
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

/// All functions that a plugin is offered.
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

    /// Those of another process, by their interfaces and names; `call` calls one by its number.
    pub(crate) fn elsewhere(
        names: Vec<(String, String)>,
        call: impl Fn(usize, &[u8]) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let call = Arc::new(call);
        let function = |(number, (interface, name)): (usize, (String, String))| {
            let call = Arc::clone(&call);
            let function = Arc::new(move |_: &HostCall, input: &[u8]| call(number, input));
            HostFunction { interface, name, function }
        };
        Self(names.into_iter().enumerate().map(function).collect())
    }

    /// Calls one by its number on behalf of a guest that is in another process; none if there is
    /// none.
    pub(crate) fn call(&self, number: usize, worker: WorkerIndex, input: &[u8]) -> Option<Answer> {
        self.0.get(number).map(|function| (function.function)(&HostCall { worker }, input))
    }

    /// Their interfaces and names, by their numbers.
    pub(crate) fn numbered(&self) -> Vec<(String, String)> {
        let function =
            |function: &HostFunction| (function.interface.clone(), function.name.clone());
        self.0.iter().map(function).collect()
    }

    /// Checks that all of them can be offered, together and beside what the host has.
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

    /// What they are called, for a message.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// Whether any function of this interface is offered.
    pub(crate) fn has_interface(&self, interface: &str) -> bool {
        self.0.iter().any(|function| function.interface == interface)
    }

    fn has(&self, interface: &str, name: &str) -> bool {
        self.0.iter().any(|function| function.interface == interface && function.name == name)
    }
}

/// Whether this is `namespace:package/interface`, and perhaps a version. A core module could
/// import any name; a component could not.
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

/// Whether this is words of letters and digits, with hyphens between them.
fn is_label(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests;
