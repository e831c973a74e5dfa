//! The signals that go to a whole group of processes, and are for a pool's process to answer.
//!
//! A child begins in the group of its parent, where a Ctrl-C at the terminal would kill it before it
//! has a session of its own: so it is born with these signals blocked, and keeps them so. What is to
//! end a child is its parent, which kills it.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// What a terminal sends, and what those send who end a whole group.
const OF_GROUPS: [libc::c_int; 5] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGTSTP];

/// This thread's signals of groups, blocked as long as this is there. What is started meanwhile has
/// them blocked for good.
pub(super) struct Blocked {
    before: libc::sigset_t,
}

impl Blocked {
    pub(super) fn new() -> io::Result<Self> {
        let before = set_mask(libc::SIG_BLOCK, &of_groups())?;
        Ok(Self { before })
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let restored = set_mask(libc::SIG_SETMASK, &self.before);
        debug_assert!(restored.is_ok(), "what was a mask is one");
    }
}

#[expect(unsafe_code, reason = "nothing safe makes a set of signals")]
fn of_groups() -> libc::sigset_t {
    // The C library sets no more of it than the kernel has signals; the rest must be set as well.
    let mut set = MaybeUninit::zeroed();
    // SAFETY: `set` is writable and as large as a `sigset_t`; the call only writes within it.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in OF_GROUPS {
        // SAFETY: `set` was made a signal set above, and the call only writes within it.
        unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
    }
    // SAFETY: a `sigset_t` is an array of integers. All of its bytes were set, by `zeroed`, and any
    // bytes are valid integers.
    unsafe { set.assume_init() }
}

/// Changes which signals this thread blocks; returns which it has blocked before.
#[expect(unsafe_code, reason = "nothing safe blocks a thread's signals")]
fn set_mask(how: libc::c_int, set: &libc::sigset_t) -> io::Result<libc::sigset_t> {
    // As in `of_groups`: the call sets the first bytes alone.
    let mut before = MaybeUninit::zeroed();
    // SAFETY: the call reads `set`, a reference, and writes within `before`, which is writable and as
    // large as a `sigset_t`; it keeps neither pointer.
    match unsafe { libc::pthread_sigmask(how, ptr::from_ref(set), before.as_mut_ptr()) } {
        // SAFETY: as in `of_groups`: all bytes were set by `zeroed`, and any bytes are valid.
        0 => Ok(unsafe { before.assume_init() }),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}
