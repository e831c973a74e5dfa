//! The limit of the bytes that a worker's instances write to files.
//!
//! The host counts the bytes in the calls of WASI, before it writes them. All instances of a worker
//! share one counter. With one counter for each instance, a plugin that traps after each gigabyte
//! could fill the disk.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::item::limits::DiskLimit;

/// The bytes that the instances of one worker may still write.
#[derive(Debug)]
pub(crate) struct Disk {
    limit: Option<DiskLimit>,
    left: AtomicU64,
    /// The function that requests more bytes from another process. It is set if this process has
    /// only a part of the limit.
    request: Option<RequestBytes>,
    /// The bytes that this process has been granted so far.
    granted: AtomicU64,
}

/// A request to another process for more bytes.
pub(crate) struct RequestBytes(pub(crate) Box<dyn Fn(u64) -> bool + Send + Sync>);

/// Error of a write beyond the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plugin would write more to files than the {0:#} of `disk`")]
pub(crate) struct OutOfDisk(DiskLimit);

impl Disk {
    /// The most bytes that a process requests in advance. A request for each write would be slow.
    const PIECE: u64 = 64 * 1024;

    pub(crate) fn new(limit: Option<DiskLimit>) -> Self {
        let left = limit.map_or(u64::MAX, |limit| limit.bytes() as u64);
        Self { limit, left: AtomicU64::new(left), request: None, granted: AtomicU64::new(0) }
    }

    /// Returns the disk of a process that must request each part of the limit from another process.
    pub(crate) fn with_request(limit: DiskLimit, request: RequestBytes) -> Self {
        Self { left: AtomicU64::new(0), request: Some(request), ..Self::new(Some(limit)) }
    }

    pub(crate) fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// Charges `bytes` that are about to be written.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), OutOfDisk> {
        let Some(limit) = self.limit else { return Ok(()) };
        while !self.try_take(bytes) {
            let missing = bytes.saturating_sub(self.left.load(Ordering::Relaxed));
            let Some(RequestBytes(grant)) = &self.request else { return Err(OutOfDisk(limit)) };
            // When a process ends, the granted bytes that it has not used are lost. To limit this loss, a process
            // requests at most as many bytes in advance as it has been granted so far.
            let piece = self.granted.load(Ordering::Relaxed).min(Self::PIECE);
            let sizes = [missing.max(piece), missing];
            let more = sizes.into_iter().find(|more| grant(*more)).ok_or(OutOfDisk(limit))?;
            self.granted.fetch_add(more, Ordering::Relaxed);
            self.left.fetch_add(more, Ordering::Relaxed);
        }
        Ok(())
    }

    fn try_take(&self, bytes: u64) -> bool {
        let less = |left: u64| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// Returns `bytes` that were charged but not written.
    pub(crate) fn give_back(&self, bytes: u64) {
        if self.is_limited() {
            self.left.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Checks the new size of a file that is to be resized.
    pub(crate) fn check_size(&self, size: u64) -> Result<(), OutOfDisk> {
        match self.limit {
            Some(limit) if size > limit.bytes() as u64 => Err(OutOfDisk(limit)),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for RequestBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBytes").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn limit(text: &str) -> DiskLimit {
        text.parse().unwrap()
    }

    #[test]
    fn taken_disk_bytes_count_until_given_back() {
        let disk = Disk::new(Some(limit("10")));
        disk.take(6).unwrap();
        assert_eq!(disk.take(5), Err(OutOfDisk(limit("10"))));
        disk.give_back(2);
        disk.take(5).unwrap();
        disk.take(1).unwrap();
        disk.take(0).unwrap();
        let error = disk.take(1).unwrap_err().to_string();
        assert_eq!(error, "the plugin would write more to files than the 10 bytes of `disk`");
        assert!(disk.check_size(10).is_ok());
        assert!(disk.check_size(11).is_err());
    }

    #[test]
    fn without_a_disk_limit_nothing_is_counted() {
        let disk = Disk::new(None);
        disk.take(u64::MAX).unwrap();
        disk.take(u64::MAX).unwrap();
        disk.give_back(u64::MAX);
        disk.check_size(u64::MAX).unwrap();
    }

    #[test]
    fn a_child_process_gets_only_the_remaining_disk_bytes() {
        let all = Arc::new(Disk::new(Some(limit("100KiB"))));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (rest, log) = (Arc::clone(&all), Arc::clone(&requests));
        let request = RequestBytes(Box::new(move |bytes| {
            log.lock().unwrap().push(bytes);
            rest.take(bytes).is_ok()
        }));
        let disk = Disk::with_request(limit("100KiB"), request);
        disk.take(7).unwrap();
        disk.take(7).unwrap();
        disk.take(7).unwrap();
        disk.take(7).unwrap();
        // Each request doubles what was granted, so that a process that writes much sends few requests.
        assert_eq!(*requests.lock().unwrap(), [7, 7, 14]);
        disk.take(80 * 1024).unwrap();
        assert!(disk.take(21 * 1024).is_err());
        // It requests a piece first, and then only the missing bytes.
        let missing = 21 * 1024;
        assert_eq!(requests.lock().unwrap()[3..], [80 * 1024, 65536, missing]);
    }
}
