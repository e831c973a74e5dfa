//! A page of memory with some atomic words, which a parent shares with its child.
//!
//! The child may write any value to the page at any time. So the parent checks every value that it reads from the page.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};

/// A page of memory that two processes share. It exists as long as one of them has it.
#[derive(Debug)]
pub struct SharedPage {
    address: NonNull<[AtomicU64; 2]>,
}

// SAFETY: the mapping holds only `AtomicU64`s and is accessed only through them, so any thread may own it.
#[expect(unsafe_code, reason = "the page is mapped memory behind a pointer")]
unsafe impl Send for SharedPage {}

// SAFETY: the mapping holds only `AtomicU64`s and is accessed only through them, so threads may share it.
#[expect(unsafe_code, reason = "the page is mapped memory behind a pointer")]
unsafe impl Sync for SharedPage {}

impl SharedPage {
    /// The size of the mapping in bytes.
    const SIZE: usize = 4096;

    /// Makes a page. Returns it with the descriptor by which another process can map it.
    ///
    /// # Errors
    ///
    /// Fails if the system refuses.
    pub fn create() -> io::Result<(Self, OwnedFd)> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = rustix::fs::memfd_create("mtl-page", flags)?;
        rustix::fs::ftruncate(&file, Self::SIZE as u64)?;
        // If a process truncates a mapped file, access to the missing part kills the reader.
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((Self::map(file.as_fd())?, file))
    }

    /// Maps the page that another process has made.
    ///
    /// # Errors
    ///
    /// Fails if the file is shorter than a page, if it is not sealed against shrinking, or if the
    /// system refuses.
    pub fn open(file: &OwnedFd) -> io::Result<Self> {
        let is_long_enough = rustix::fs::fstat(file)?.st_size >= Self::SIZE as i64;
        if !is_long_enough || !rustix::fs::fcntl_get_seals(file)?.contains(SealFlags::SHRINK) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Self::map(file.as_fd())
    }

    #[expect(unsafe_code, reason = "mapping memory is unsafe")]
    fn map(file: BorrowedFd<'_>) -> io::Result<Self> {
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the requested address is null, so the system chooses unused addresses, and the mapping replaces no
        // memory of this process. The callers have checked that the file has at least `SIZE` bytes and is sealed
        // against shrinking. So every mapped byte exists as long as the mapping.
        let address = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), Self::SIZE, rights, MapFlags::SHARED, file, 0)?
        };
        let address = NonNull::new(address.cast()).expect("nothing is mapped at the address 0");
        Ok(Self { address })
    }

    /// Returns the words of the page. Both processes may change each of them at any time.
    #[expect(unsafe_code, reason = "the page is mapped memory behind a pointer")]
    pub fn words(&self) -> &[AtomicU64; 2] {
        // SAFETY: the mapping is aligned to a page, is at least as large as the array, and stays mapped as long as
        // `self` lives. The file began as zeros, and every bit pattern is a valid `AtomicU64`. This process accesses
        // the words only atomically. Whatever the other process writes, each word is a valid `AtomicU64`.
        unsafe { self.address.as_ref() }
    }
}

impl Drop for SharedPage {
    #[expect(unsafe_code, reason = "unmapping memory is unsafe")]
    fn drop(&mut self) {
        // SAFETY: `map` mapped `SIZE` bytes at this address. `drop` has the only reference to `self`, so no borrow of
        // the words is left.
        let unmapped = unsafe { rustix::mm::munmap(self.address.as_ptr().cast(), Self::SIZE) };
        debug_assert!(unmapped.is_ok(), "the mapping can be unmapped");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn both_mappings_share_their_words() {
        let (page, file) = SharedPage::create().unwrap();
        let other = SharedPage::open(&file).unwrap();
        page.words()[1].store(7, Ordering::Relaxed);
        assert_eq!(other.words()[1].swap(8, Ordering::Relaxed), 7);
        assert_eq!(page.words().each_ref().map(|word| word.load(Ordering::Relaxed)), [0, 8]);
    }

    #[test]
    fn a_short_or_shrinkable_file_is_refused_as_a_page() {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        for size in [0, SharedPage::SIZE as u64] {
            let file = rustix::fs::memfd_create("short", flags).unwrap();
            rustix::fs::ftruncate(&file, size).unwrap();
            let error = SharedPage::open(&file).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{size}");
        }
    }

    #[test]
    fn a_shared_page_cannot_be_truncated() {
        let (_page, file) = SharedPage::create().unwrap();
        assert_eq!(rustix::fs::ftruncate(&file, 0), Err(rustix::io::Errno::PERM));
    }
}
