//! The page that a child shares with its parent: how far the items have gone that it has.
//!
//! ```text
//! reach   how many items it has started, and how many there are: `queue/claim.rs`
//! begun   whether it has begun with them at all: a child that died before was on none
//! ```
//!
//! The child starts its items by an atomic step on the word in it, so that the parent knows at any
//! moment which item the child is on, and takes back those that it has not started. The child may
//! write anything there: what the parent believes of it says `queue/loan.rs`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};

use crate::queue::Reach;

/// A page of memory that two processes share. It lives as long as either has it.
#[derive(Debug)]
pub(crate) struct Page {
    address: NonNull<Words>,
}

/// What is in it.
#[derive(Debug)]
#[repr(C)]
struct Words {
    reach: Reach,
    begun: AtomicU32,
}

// SAFETY: what is there are atomic words, and they are only ever used as such.
#[expect(unsafe_code, reason = "the page is memory of the system's")]
unsafe impl Send for Page {}

// SAFETY: as above.
#[expect(unsafe_code, reason = "the page is memory of the system's")]
unsafe impl Sync for Page {}

impl Page {
    /// What is mapped: at least a page of every machine that this runs on.
    const SIZE: usize = 4096;

    /// A page, and the descriptor by which another process gets it.
    pub(crate) fn create() -> io::Result<(Self, OwnedFd)> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = rustix::fs::memfd_create("mtl-page", flags)?;
        rustix::fs::ftruncate(&file, Self::SIZE as u64)?;
        // What is cut off while it is mapped kills who reads it.
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((Self::map(file.as_fd())?, file))
    }

    /// The page that another process has made.
    pub(crate) fn open(file: &OwnedFd) -> io::Result<Self> {
        Self::map(file.as_fd())
    }

    #[expect(unsafe_code, reason = "to map memory is")]
    fn map(file: BorrowedFd<'_>) -> io::Result<Self> {
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the system chooses where, so that nothing else of this process is there; the file
        // is as long as what is mapped, and cannot become shorter.
        let address = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), Self::SIZE, rights, MapFlags::SHARED, file, 0)?
        };
        let address = NonNull::new(address.cast()).expect("nothing is mapped at the address 0");
        Ok(Self { address })
    }

    /// How far the items have gone.
    pub(crate) fn reach(&self) -> &Reach {
        &self.words().reach
    }

    /// Whether the child has begun with the items that it was sent last, as it says.
    pub(crate) fn has_begun(&self) -> bool {
        // What it has sent is read from a socket, which orders more than this could.
        self.words().begun.load(Ordering::Relaxed) != 0
    }

    /// Says whether the child has begun with its items.
    pub(crate) fn set_begun(&self, begun: bool) {
        self.words().begun.store(begun.into(), Ordering::Relaxed);
    }

    #[expect(unsafe_code, reason = "the page is memory of the system's")]
    fn words(&self) -> &Words {
        // SAFETY: `Words` are atomic words and nothing else; the page is aligned for them, is
        // mapped as long as `self` is there, and began as zeros, which are values of them. Who else
        // writes there, of this process or another, writes atomically or is not trusted: a word
        // that is read half-written is as good as any other.
        unsafe { self.address.as_ref() }
    }
}

impl Drop for Page {
    #[expect(unsafe_code, reason = "to unmap memory is")]
    fn drop(&mut self) {
        // SAFETY: it was mapped by `map`, with this size, and whoever has borrowed from it is gone.
        let unmapped = unsafe { rustix::mm::munmap(self.address.as_ptr().cast(), Self::SIZE) };
        debug_assert!(unmapped.is_ok(), "what was mapped can be unmapped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_writes_the_other_reads() {
        let (page, file) = Page::create().unwrap();
        let other = Page::open(&file).unwrap();
        page.reach().set(1, 3);
        assert!(other.reach().start_next() && other.reach().start_next());
        assert!(!page.reach().start_next());
        page.reach().set(u32::MAX, u32::MAX);
        assert!(!page.reach().start_next(), "whatever is written there");
    }

    #[test]
    fn nobody_can_cut_it_off() {
        let (_page, file) = Page::create().unwrap();
        assert_eq!(rustix::fs::ftruncate(&file, 0), Err(rustix::io::Errno::PERM));
    }
}
