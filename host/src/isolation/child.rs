//! A worker's process, from the inside: jailed before it touches the plugin, then a loop that does
//! what its parent says. What compiles plugins is such a process, too (`compile`).
//!
//! ```text
//! child_main ─▶ begin ─▶ set-up is read ─▶ enter the jail ─▶ code is loaded, threads start ─▶ seal ─▶ ready
//!                                                                                                     │
//!                                                  run, run, … finish ◀─ started ◀─ the instance is made
//! ```
//!
//! All that a guest wants of the parent, it asks for on the one thread on which the guest runs: a
//! host function, more memory. So an answer is always the next frame.

mod buffers;
mod compile;
mod errors;
mod freeze;
mod probe;
mod serve;
mod station;
mod threads;

use std::env;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Pid;

use crate::executor::native;
use crate::executor::native::{NativeWorker, OpenNative, WorkerContext};

/// The first argument of a process that is to be a worker. The next is its parent's number.
pub(super) const MARK: &str = "--mtl-host-worker-process";

/// Whether this program makes workers of its processes.
static IS_HOOKED: AtomicBool = AtomicBool::new(false);

/// Makes a worker of this process, if it was started as one: to be called first of all in `main`,
/// by a program whose pools have [`Isolation::Process`](crate::Isolation::Process).
///
/// In a process that was not started as a worker it returns at once. Otherwise it never returns:
/// the process ends with its work, or with its parent.
///
/// ```standalone_crate
/// use mtl_host::{Engine, Isolation, Plugin, Pool, Processes};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     mtl_host::child_main();
///
///     let plugin = Plugin::load(&Engine::new()?, "../tests/fixtures/upper.wat")?;
///     let isolation = Isolation::Process(Processes::new());
///     let mut pool = Pool::builder(&plugin).isolation(isolation).build()?;
///     assert_eq!(pool.map(["one"]).next().unwrap()?.bytes(), Some(&b"ONE"[..]));
///     Ok(())
/// }
/// ```
pub fn child_main() {
    become_worker(None);
}

/// As [`child_main`], but native code works in the place of the plugin, in the same jail: what
/// would be if a plugin had taken its process over. For tests of the jail.
#[doc(hidden)]
pub fn child_main_with<W, F>(open: F)
where
    W: NativeWorker + 'static,
    F: FnMut(&WorkerContext) -> Result<W, Box<dyn std::error::Error + Send + Sync>>
        + Send
        + 'static,
{
    become_worker(Some(native::open_with(open)));
}

fn become_worker(replacement: Option<OpenNative>) {
    IS_HOOKED.store(true, Ordering::Relaxed);
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != MARK) {
        return;
    }
    let parent = arguments.next().and_then(|number| number.to_str()?.parse().ok());
    let code = match parent.and_then(Pid::from_raw) {
        Some(parent) => serve::serve(parent, replacement),
        None => 2,
    };
    #[expect(
        clippy::exit,
        clippy::disallowed_methods,
        reason = "what `main` does next is not for a worker"
    )]
    process::exit(code);
}

/// Whether a process of this program that is started as a worker becomes one.
pub(super) fn is_hooked() -> bool {
    IS_HOOKED.load(Ordering::Relaxed)
}
