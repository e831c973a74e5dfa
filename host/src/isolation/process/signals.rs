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
    let mut set = MaybeUninit::uninit();
    // SAFETY: it writes the set, and cannot fail.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in OF_GROUPS {
        // SAFETY: the set was made above, and these are signals.
        unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
    }
    // SAFETY: the set was made above.
    unsafe { set.assume_init() }
}

/// Changes what this thread blocks; gives what it was.
#[expect(unsafe_code, reason = "nothing safe blocks a thread's signals")]
fn set_mask(how: libc::c_int, set: &libc::sigset_t) -> io::Result<libc::sigset_t> {
    let mut before = MaybeUninit::uninit();
    // SAFETY: it reads the one set and writes the other, and both are there.
    match unsafe { libc::pthread_sigmask(how, ptr::from_ref(set), before.as_mut_ptr()) } {
        // SAFETY: it was written, since nothing failed.
        0 => Ok(unsafe { before.assume_init() }),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}
