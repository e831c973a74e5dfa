//! The jail around a process that works with code that is not trusted: what would hold even if the
//! WebAssembly engine had a hole.
//!
//! ```text
//! begin ───▶ its start is read ──▶ enter ──────────▶ code is loaded, threads start ──▶ seal ──▶ work
//! dies with its parent,            limits,                                            no new code,
//! a session of its own,            Landlock: granted directories and ports,           no new thread,
//! nothing open but 0, 1, 2         seccomp: the system calls of a list                no other filters
//! ```
//!
//! Two walls stand one behind the other. *seccomp* decides which system calls there are at all:
//! without a granted directory none that opens a file, without a granted port none that makes a
//! socket, and never one that starts a process, signals another, traces, mounts or runs a program.
//! *Landlock* decides on what they work: the granted directories, the granted ports.
//!
//! What is refused fails with `EPERM` or `EACCES`, as a file would that belongs to somebody else;
//! nothing is killed for having tried.
//!
//! # What no jail of this kind can see
//!
//! - Filters see numbers, not what a descriptor is. A process that is taken over can read and write
//!   what it was given: its socket (0), the null device (1), its pipe for messages (2), the plugin's
//!   compiled code (sealed, so that writing fails), the page that names the item at hand, the kernel's
//!   account of its main thread (three numbers, opened to read, where there is a time limit). So the
//!   parent believes nothing of it: lengths are bounded before anything is allocated, a word of the
//!   page is read once and checked, the pipe is read without waiting, and descriptors are not
//!   accepted over the socket. The socket must be a stream: one for datagrams could be connected to
//!   elsewhere.
//! - Landlock does not hide that a file exists, nor its size and times: with a granted directory,
//!   a process that is taken over can ask for those of any path.
//! - `RLIMIT_DATA` counts private memory that is writable. So shared memory, stacks and memory that
//!   becomes read-only are refused. Page tables and the kernel's buffers are not counted. The kernel's
//!   out-of-memory killer takes the jailed first.

mod allowed_dir;
mod arguments;
mod bounds;
mod calls;
mod error;
mod filter;
mod landlock_rules;
mod layer;
mod layers;
mod namespaces;
#[cfg(test)]
#[path = "../../../tests/patience.rs"]
mod patience;
mod requirement;
pub mod sealed_file;
pub mod shared_page;
mod speculation;
pub mod system_limits;
#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::OnceLock;

use rustix::process::Pid;

pub use self::allowed_dir::{Access, AllowedDir};
pub use self::error::JailError;
pub use self::layer::{JailLayer, LayerNeed};
pub use self::layers::{JailLayers, LayerAnswer};
pub use self::requirement::{Jail, UnknownJail};

/// The purpose of a jailed process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// It compiles a plugin, and runs none of it.
    Compile,
    /// It runs a plugin.
    Work,
    /// It tries all layers, and ends.
    Probe,
}

/// What a jailed process may have.
#[derive(Clone, Copy, Debug)]
pub struct Confines<'a> {
    /// The purpose of the process.
    pub task: Task,
    /// Directories that it may use. Without any there is no call that opens a file.
    pub dirs: &'a [AllowedDir],
    /// Ports that it may connect to, by TCP. Without any there is no call that makes a socket.
    pub ports: &'a [u16],
    /// Bytes of memory of its own: `RLIMIT_DATA`. Reserved addresses do not count.
    pub data: u64,
    /// The most bytes of a file that it writes: `RLIMIT_FSIZE`. It holds for files in memory as well, such
    /// as those with compiled code.
    pub file_size: Option<u64>,
    /// The layers that the kernel must have.
    pub requirement: Jail,
    /// It enters namespaces. Only tests of the other layers go without.
    pub has_namespaces: bool,
}

impl Confines<'_> {
    /// Describes a process that is granted nothing, and may have `data` bytes of memory.
    pub fn without_grants(task: Task, requirement: Jail, data: u64) -> Self {
        let (dirs, ports) = (&[], &[]);
        Self { task, dirs, ports, data, file_size: None, requirement, has_namespaces: true }
    }

    /// Returns whether the jail needs rules on ports.
    fn has_ports(&self) -> bool {
        self.task == Task::Probe || !self.ports.is_empty()
    }

    /// Returns why the process keeps the network of the host, if it does. A network namespace takes longer to make
    /// than the rest of the jail.
    fn enters_network(&self) -> Result<(), &'static str> {
        match (self.task, self.ports, self.requirement) {
            (Task::Probe, ..) | (_, [], Jail::Strict) => Ok(()),
            (_, [], _) => Err("only a strict jail has one"),
            (_, [_, ..], _) => Err("ports of the network are granted"),
        }
    }
}

/// How this process entered the jail. It does so once.
static ENTERED: OnceLock<Entered> = OnceLock::new();

/// What the seal has to know.
#[derive(Clone, Copy, Debug)]
struct Entered {
    /// The kernel filters its calls.
    is_filtered: bool,
    task: Task,
    has_dirs: bool,
}

/// Makes a process ready to be jailed. This is the first thing that a child does: what it reads
/// before, it reads with everything open that it was started with.
///
/// # Errors
///
/// When its parent is not `parent`, and so has ended already; or the system refuses.
pub fn begin(parent: Pid) -> Result<(), JailError> {
    bounds::begin(parent)
}

/// Enters the jail, for good. The process must have one thread; those that it starts are in too.
///
/// Returns the answers to all layers that were tried.
///
/// # Errors
///
/// When the kernel lacks a part of a required jail, the process has more than one thread, or the system refuses.
pub fn enter(confines: &Confines<'_>) -> Result<JailLayers, JailError> {
    bounds::is_single_threaded()?;
    let mut layers = JailLayers::default();
    let had = bounds::capabilities()?;
    if confines.has_namespaces {
        namespaces::enter(confines, had, &mut layers);
    }
    speculation::enter(&mut layers);
    bounds::enter(confines, had)?;
    layers.note(JailLayer::NoNewPrivileges, LayerAnswer::Present);
    landlock_rules::find(confines, &mut layers);
    layers.check(confines.requirement)?;
    landlock_rules::enter(confines)?;
    layers.note(JailLayer::Seccomp, filter::enter(confines)?);
    layers.check(confines.requirement)?;
    let entered = Entered {
        is_filtered: layers.get(JailLayer::Seccomp) == Some(&LayerAnswer::Present),
        task: confines.task,
        has_dirs: !confines.dirs.is_empty(),
    };
    ENTERED.set(entered).map_err(|_| JailError::Order)?;
    Ok(layers)
}

/// Confines the calling thread, and those that it starts, to some directories, ports, and a cache. That is Landlock
/// alone, as far as the kernel has it, and no jail.
///
/// # Errors
///
/// When the system refuses.
pub fn confine_thread(
    dirs: &[AllowedDir],
    ports: &[u16],
    cache: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    landlock_rules::confine_thread(dirs, ports, cache).map_err(io::Error::other)
}

/// From now on the process gets no new code to run and no new thread, and cannot filter its calls anew.
///
/// All threads that it needs must run: one that is still starting would be refused what it needs.
///
/// # Errors
///
/// When the process is not in the jail, or the system refuses: it is sealed already.
pub fn seal() -> Result<(), JailError> {
    match ENTERED.get() {
        Some(Entered { is_filtered: true, task, has_dirs }) => filter::seal(*task, *has_dirs),
        // That the kernel has no filters, `enter` has told.
        Some(_) => Ok(()),
        None => Err(JailError::Order),
    }
}
