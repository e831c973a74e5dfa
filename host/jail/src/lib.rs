//! The jail around a process that runs or compiles untrusted code. The jail must confine the process even if the
//! WebAssembly engine has a vulnerability.
//!
//! ```text
//! begin ───▶ read the setup ─────▶ enter ──────────▶ load code, start threads ───────▶ seal ──▶ work
//! dies with its parent,            limits,                                            no new code,
//! a session of its own,            Landlock: granted directories and ports,           no new thread,
//! nothing open but 0, 1, 2         seccomp: the system calls of a list                no other filters
//! ```
//!
//! There are two barriers, one behind the other:
//!
//! - *seccomp* decides which system calls the process may make. If no directory is granted, no allowed call opens a
//!   file. If no port is granted, no allowed call makes a socket. The filters never allow the process to start, signal
//!   or trace another process, to mount a file system, or to run a program.
//! - *Landlock* decides which files and ports the allowed calls may use: only granted ones.
//!
//! A refused call fails with `EPERM` or `EACCES`, like a call on a file of another user. The kernel
//! does not kill the process.
//!
//! # Limits of the jail
//!
//! - A filter sees the number of a descriptor, but not the file behind the number. So a compromised
//!   process can read and write every descriptor that the parent has given it:
//!   - its socket (0), the null device (1), and the pipe of its standard error (2);
//!   - the plugin's compiled code, which is sealed, so that writing fails;
//!   - the shared page that names the current item;
//!   - if there is a time limit, the scheduling statistics of its main thread (`schedstat`, three
//!     numbers), opened read-only.
//! - The parent therefore trusts no data from these descriptors:
//!   - It checks each length before it allocates memory.
//!   - It reads a word of the shared page once and checks the value.
//!   - It reads the pipe without blocking.
//!   - It accepts no descriptors over the socket.
//!   - It uses a stream socket, because the child could connect a datagram socket to another
//!     address.
//! - Landlock hides neither the existence of a file nor its size and times. If a directory is granted, a compromised
//!   process can query these facts for any path.
//! - `RLIMIT_DATA` counts private writable memory. So the filters refuse memory of other kinds: shared memory, new
//!   stacks and memory that becomes read-only. `RLIMIT_DATA` includes neither page tables nor the kernel's buffers. If
//!   these exhaust the machine's memory, the kernel's out-of-memory killer ends jailed processes first.

mod allowed_dir;
mod arguments;
mod calls;
mod error;
mod filter;
mod landlock_rules;
mod layer;
mod layers;
mod namespaces;
mod process_limits;
mod requirement;
pub mod sealed_file;
pub mod shared_page;
mod speculation;
pub mod system_limits;
#[cfg(test)]
#[path = "../../../tests/test_timeout.rs"]
mod test_timeout;
#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::OnceLock;

use rustix::process::Pid;

pub use self::allowed_dir::{Access, AllowedDir};
pub use self::error::JailError;
pub use self::layer::{JailLayer, LayerNeed};
pub use self::layers::{JailLayers, LayerStatus};
pub use self::requirement::JailLevel;

/// The purpose of a jailed process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The process compiles a plugin and runs none of its code.
    Compile,
    /// The process runs a plugin.
    Work,
    /// The process tries all layers and ends.
    Probe,
}

/// The settings of a jail: the task of the process, its grants and its limits.
#[derive(Clone, Copy, Debug)]
pub struct JailConfig<'a> {
    /// The purpose of the process.
    pub task: Task,
    /// The directories that the process may use. If the list is empty, no system call opens a file.
    pub dirs: &'a [AllowedDir],
    /// The ports that the process may connect to by TCP. If the list is empty, the process cannot
    /// make a socket.
    pub ports: &'a [u16],
    /// The limit of the process's private writable memory, in bytes (`RLIMIT_DATA`). The limit does not include address
    /// ranges that are only reserved.
    pub data: u64,
    /// The largest file that the process may write, in bytes (`RLIMIT_FSIZE`). The limit includes
    /// files in memory, such as files of compiled code.
    pub max_file_size: Option<u64>,
    /// The layers that the kernel must have.
    pub requirement: JailLevel,
    /// Is `true` if the process enters namespaces. Only tests of the other layers set it to `false`.
    pub has_namespaces: bool,
}

impl JailConfig<'_> {
    /// Returns the settings of a process without grants that may have `data` bytes of memory.
    pub fn without_grants(task: Task, requirement: JailLevel, data: u64) -> Self {
        let (dirs, ports) = (&[], &[]);
        Self { task, dirs, ports, data, max_file_size: None, requirement, has_namespaces: true }
    }

    fn has_ports(&self) -> bool {
        self.task == Task::Probe || !self.ports.is_empty()
    }

    /// Returns an error with the reason if the process must stay in the host's network namespace.
    /// Making a network namespace takes longer than all other steps of the jail together.
    fn check_network_namespace(&self) -> Result<(), &'static str> {
        match (self.task, self.ports, self.requirement) {
            (Task::Probe, ..) | (_, [], JailLevel::Strict) => Ok(()),
            (_, [], _) => Err("only a strict jail has one"),
            (_, [_, ..], _) => Err("ports of the network are granted"),
        }
    }
}

/// The state of this process's jail; set once, when the process enters.
static ENTERED: OnceLock<Entered> = OnceLock::new();

/// The facts about an entered jail that [`seal`] needs.
#[derive(Clone, Copy, Debug)]
struct Entered {
    /// The kernel filters the system calls of this process.
    is_filtered: bool,
    task: Task,
    has_dirs: bool,
}

/// Prepares the process for the jail. A child must call this function first, because the function closes the
/// descriptors that the child inherited.
///
/// # Errors
///
/// Fails if `parent` has ended and this process has another parent, or if the system refuses a
/// step.
pub fn begin(parent: Pid) -> Result<(), JailError> {
    process_limits::begin(parent)
}

/// Enters the jail, which the process can never leave. The process must have only one thread. Threads that the process
/// starts later are in the jail.
///
/// Returns the kernel's answer to each layer that the process tried to use.
///
/// # Errors
///
/// Fails if the kernel lacks a required layer, if the process has more than one thread, or if the
/// system refuses a step.
pub fn enter(config: &JailConfig<'_>) -> Result<JailLayers, JailError> {
    process_limits::check_single_threaded()?;
    let mut layers = JailLayers::default();
    let capabilities = process_limits::capabilities()?;
    if config.has_namespaces {
        namespaces::enter(config, capabilities, &mut layers);
    }
    speculation::enter(&mut layers);
    process_limits::enter(config, capabilities)?;
    layers.add_answer(JailLayer::NoNewPrivileges, LayerStatus::Present);
    landlock_rules::probe(config, &mut layers);
    layers.check(config.requirement)?;
    landlock_rules::enter(config)?;
    layers.add_answer(JailLayer::Seccomp, filter::enter(config)?);
    layers.check(config.requirement)?;
    let entered = Entered {
        is_filtered: layers.get(JailLayer::Seccomp) == Some(&LayerStatus::Present),
        task: config.task,
        has_dirs: !config.dirs.is_empty(),
    };
    ENTERED.set(entered).map_err(|_| JailError::WrongOrder)?;
    Ok(layers)
}

/// Restricts the calling thread, and the threads that it starts, to these directories, these ports and a cache. This is
/// not a jail: it uses only the Landlock rules that the kernel supports.
///
/// # Errors
///
/// Fails if the system refuses.
pub fn confine_thread(
    dirs: &[AllowedDir],
    ports: &[u16],
    cache: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    landlock_rules::confine_thread(dirs, ports, cache).map_err(io::Error::other)
}

/// Seals the jail: from now on, the process can make no code executable, start no thread and
/// install no filter.
///
/// All threads that the process needs must be running. A thread cannot start after the seal,
/// because the seal refuses calls that a starting thread makes.
///
/// # Errors
///
/// Fails if the process is not in the jail or if the jail is already sealed.
pub fn seal() -> Result<(), JailError> {
    match ENTERED.get() {
        Some(Entered { is_filtered: true, task, has_dirs }) => filter::seal(*task, *has_dirs),
        // The kernel has no filters. The answers of `enter` say so.
        Some(_) => Ok(()),
        None => Err(JailError::WrongOrder),
    }
}
