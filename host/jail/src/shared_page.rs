//! A page of memory that a parent shares with its child: some atomic words.
//!
//! The child may write anything there, at any time. The users of the page bound what they believe of it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};

/// A page of memory that two processes share. It lives as long as either has it.
#[derive(Debug)]
pub struct SharedPage {
    address: NonNull<[AtomicU64; 2]>,
}

// SAFETY: the mapping holds only atomic words, and is accessed only through them.
#[expect(unsafe_code, reason = "the page is memory of the system's")]
unsafe impl Send for SharedPage {}

// SAFETY: as above.
#[expect(unsafe_code, reason = "the page is memory of the system's")]
unsafe impl Sync for SharedPage {}

impl SharedPage {
    /// The size of the mapping: at least a page of every machine that this runs on.
    const SIZE: usize = 4096;

    /// Makes a page, and the descriptor by which another process gets it.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn create() -> io::Result<(Self, OwnedFd)> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = rustix::fs::memfd_create("mtl-page", flags)?;
        rustix::fs::ftruncate(&file, Self::SIZE as u64)?;
        // What is cut off while it is mapped kills who reads it.
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((Self::map(file.as_fd())?, file))
    }

    /// Maps the page that another process has made.
    ///
    /// # Errors
    ///
    /// When the file is shorter than a page or may become so, or the system refuses.
    pub fn open(file: &OwnedFd) -> io::Result<Self> {
        let is_long = rustix::fs::fstat(file)?.st_size >= Self::SIZE as i64;
        if !is_long || !rustix::fs::fcntl_get_seals(file)?.contains(SealFlags::SHRINK) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
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

    /// Returns the words on the page. Both processes may change each of them at any time.
    #[expect(unsafe_code, reason = "the page is memory of the system's")]
    pub fn words(&self) -> &[AtomicU64; 2] {
        // SAFETY: the page holds only atomic words. It is aligned for them, is mapped as long as `self` lives, and began as
        // zeros, which are values of them. Each writer of this process writes atomically; the other process is not
        // trusted, and a word that it has half written is as good as any other.
        unsafe { self.address.as_ref() }
    }
}

impl Drop for SharedPage {
    #[expect(unsafe_code, reason = "to unmap memory is")]
    fn drop(&mut self) {
        // SAFETY: it was mapped by `map`, with this size, and whoever has borrowed from it is gone.
        let unmapped = unsafe { rustix::mm::munmap(self.address.as_ptr().cast(), Self::SIZE) };
        debug_assert!(unmapped.is_ok(), "what was mapped can be unmapped");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn what_one_writes_the_other_reads() {
        let (page, file) = SharedPage::create().unwrap();
        let other = SharedPage::open(&file).unwrap();
        page.words()[1].store(7, Ordering::Relaxed);
        assert_eq!(other.words()[1].swap(8, Ordering::Relaxed), 7);
        assert_eq!(page.words().each_ref().map(|word| word.load(Ordering::Relaxed)), [0, 8]);
    }

    #[test]
    fn a_file_that_is_short_or_may_become_so_is_no_page() {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        for size in [0, SharedPage::SIZE as u64] {
            let file = rustix::fs::memfd_create("short", flags).unwrap();
            rustix::fs::ftruncate(&file, size).unwrap();
            let error = SharedPage::open(&file).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{size}");
        }
    }

    #[test]
    fn nobody_can_cut_it_off() {
        let (_page, file) = SharedPage::create().unwrap();
        assert_eq!(rustix::fs::ftruncate(&file, 0), Err(rustix::io::Errno::PERM));
    }
}
