//! The code that runs in a worker's process. The process enters its jail before it reads the
//! plugin. It then executes the orders of its parent in a loop. A process that compiles a plugin
//! enters its jail in the same way (`compile`).
//!
//! ```text
//! child_main ─▶ begin ─▶ read the setup ─▶ enter the jail ─▶ load code, start threads ─▶ seal ─▶ ready
//!                                                                                                  │
//!                                                         run, run, … finish ◀─ started ◀─ make the instance
//! ```
//!
//! Some calls of a guest need the parent, for example a call of a host function or a request for
//! memory. Only the thread that runs the guest sends such requests, and this thread waits for each
//! answer. So the next frame from the parent after a request is always the answer.

mod buffers;
mod compile;
mod errors;
mod freeze;
mod parent_connection;
mod probe;
mod serve;
mod threads;

use std::env;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Pid;

use crate::executor::native;
use crate::executor::native::{NativeWorker, OpenNative, WorkerContext};

/// The first argument of a process that becomes a worker. The second argument is the process ID of
/// the parent.
pub(super) const MARK: &str = "--mtl-host-worker-process";

/// True if this program has called [`child_main`], so that its processes can become workers.
static IS_HOOKED: AtomicBool = AtomicBool::new(false);

/// Turns this process into a worker, if it was started as one. A program whose pools use
/// [`Isolation::Process`](crate::isolation::Isolation::Process) must call this first in `main`.
///
/// In a process that was not started as a worker, the function returns immediately. In a worker's
/// process, it never returns: the process exits when its work is done or its parent ends.
///
/// ```standalone_crate
/// use mtl_host::isolation::{Isolation, Processes};
/// use mtl_host::{Engine, Plugin, Pool};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     mtl_host::isolation::child_main();
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

/// Does the same as [`child_main`], but runs native code in the jail instead of the plugin. In
/// tests of the jail, the native code acts as a plugin that has taken over its process.
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
        reason = "the rest of `main` must not run in a worker"
    )]
    process::exit(code);
}

/// Returns whether a process of this program can become a worker.
pub(super) fn is_hooked() -> bool {
    IS_HOOKED.load(Ordering::Relaxed)
}
