//! Signals that are sent to a whole process group, such as the signals of a terminal. Only the
//! pool's process handles these signals.
//!
//! A child starts in the process group of its parent. Until the child has a session of its own, a
//! Ctrl-C at the terminal could kill the child. Therefore a child starts with these signals blocked
//! and never unblocks them. To end a child, the parent kills it.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// Signals that a terminal or a supervisor sends to a whole group.
const GROUP_SIGNALS: [libc::c_int; 5] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGTSTP];

/// A guard that blocks the group signals for this thread until the guard is dropped. A process that
/// this thread starts while the guard exists inherits the blocked signals.
pub(super) struct BlockedSignals {
    previous: libc::sigset_t,
}

impl BlockedSignals {
    pub(super) fn new() -> io::Result<Self> {
        let previous = set_mask(libc::SIG_BLOCK, &group_signals())?;
        Ok(Self { previous })
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        let restored = set_mask(libc::SIG_SETMASK, &self.previous);
        debug_assert!(restored.is_ok(), "a mask that the system returned is valid");
    }
}

#[expect(unsafe_code, reason = "no safe function makes a set of signals")]
fn group_signals() -> libc::sigset_t {
    // The C library may set only as many bytes as the kernel has signals; `zeroed` initialises the rest.
    let mut set = MaybeUninit::zeroed();
    // SAFETY: `set` is writable and as large as a `sigset_t`, and the call writes only within it.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in GROUP_SIGNALS {
        // SAFETY: `sigemptyset` has made `set` a valid signal set, and the call writes only within it.
        unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
    }
    // SAFETY: a `sigset_t` is an array of integers, for which every bit pattern is valid. `zeroed` has
    // initialised all bytes.
    unsafe { set.assume_init() }
}

/// Changes the signals that this thread blocks. Returns the signals that it blocked before.
#[expect(unsafe_code, reason = "no safe function blocks a thread's signals")]
fn set_mask(how: libc::c_int, set: &libc::sigset_t) -> io::Result<libc::sigset_t> {
    // The call may set only the first bytes, as in `group_signals`.
    let mut previous = MaybeUninit::zeroed();
    // SAFETY: the call reads `set`, which is a reference. The call writes only within `previous`, which is writable and
    // as large as a `sigset_t`. The call does not store the pointers.
    match unsafe { libc::pthread_sigmask(how, ptr::from_ref(set), previous.as_mut_ptr()) } {
        // SAFETY: a `sigset_t` is an array of integers, for which every bit pattern is valid. `zeroed` has
        // initialised all bytes.
        0 => Ok(unsafe { previous.assume_init() }),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}
