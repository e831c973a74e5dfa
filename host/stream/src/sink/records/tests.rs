use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::{Arc, Mutex};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

use super::*;
use crate::sink::OutputFile;

/// A disk that takes this number of bytes, a few at a time, and is then full.
#[derive(Clone)]
struct Disk {
    free: usize,
    at_once: usize,
    taken: Arc<Mutex<Vec<u8>>>,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = bytes.len().min(self.at_once).min(self.free);
        if most == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.free -= most;
        self.taken.lock().unwrap().extend_from_slice(&bytes[..most]);
        Ok(most)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn add(records: &mut Records<'_>, record: &[u8]) -> Result<(), SinkError> {
    records.add(|bytes| {
        bytes.extend_from_slice(record);
        Ok(())
    })
}

#[test]
fn only_whole_records_are_counted() {
    #[rustfmt::skip]
    let cases = [
        // free, at once, records
        (   0,   100,     0),
        (   3,   100,     0),
        (   4,   100,     1),
        (   7,     2,     1),
        (   8,     3,     2),
        (  11,     1,     2),
    ];
    for (free, at_once, expected) in cases {
        let disk = Disk { free, at_once, taken: Arc::default() };
        let mut records = Records::new(Output::to("disk", disk));
        for _ in 0..3 {
            add(&mut records, b"four").unwrap();
        }
        match records.flush() {
            Err(SinkError::Write { records, .. }) => assert_eq!(records, expected, "{free}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn records_are_counted_over_many_writes() {
    let disk = Disk { free: 1_000_000, at_once: 4099, taken: Arc::default() };
    let mut records = Records::new(Output::to("disk", disk.clone()));
    let failed = loop {
        if let Err(error) = add(&mut records, b"seventeen bytes, ") {
            break error;
        }
    };
    let expected = "cannot write results to `disk` after 58823 whole records";
    assert_eq!(failed.to_string(), expected);
    assert_eq!(disk.taken.lock().unwrap().len(), 1_000_000);
    assert!(records.flush().is_ok(), "a failed write is not tried again");
}

#[test]
fn records_are_buffered_until_full_or_flushed() {
    let disk = Disk { free: usize::MAX, at_once: usize::MAX, taken: Arc::default() };
    let taken = Arc::clone(&disk.taken);
    let mut records = Records::new(Output::to("disk", disk));
    add(&mut records, b"one").unwrap();
    assert!(taken.lock().unwrap().is_empty());
    records.flush().unwrap();
    assert_eq!(taken.lock().unwrap().len(), 3);
    add(&mut records, &[b'x'; Records::FULL]).unwrap();
    assert_eq!(taken.lock().unwrap().len(), 3 + Records::FULL);
}

#[test]
fn a_failed_record_leaves_no_bytes() {
    let disk = Disk { free: usize::MAX, at_once: usize::MAX, taken: Arc::default() };
    let taken = Arc::clone(&disk.taken);
    let mut records = Records::new(Output::to("disk", disk));
    let failed = records.add(|bytes| {
        bytes.extend_from_slice(b"half");
        Err(SinkError::other("no"))
    });
    assert!(failed.is_err());
    add(&mut records, b"whole").unwrap();
    records.flush().unwrap();
    assert_eq!(*taken.lock().unwrap(), b"whole");
}

#[test]
fn a_full_disk_error_names_the_output() {
    let full = Output::create("/dev/full".as_ref()).unwrap();
    let mut records = Records::new(full);
    add(&mut records, b"one").unwrap();
    let error = records.flush().unwrap_err();
    assert!(!error.is_closed_pipe());
    let expected = "cannot write results to `/dev/full` after 0 whole records";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_closed_pipe_is_recognised() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut records = Records::new(Output::to("pipe", writer));
    add(&mut records, b"one").unwrap();
    assert!(records.flush().unwrap_err().is_closed_pipe());
}

/// A file that cannot grow beyond 8192 bytes simulates a full disk.
#[test]
fn a_partial_record_is_removed_from_the_file() {
    let file = memfd_create("results", MemfdFlags::ALLOW_SEALING).unwrap();
    ftruncate(&file, 8192).unwrap();
    fcntl_add_seals(&file, SealFlags::GROW).unwrap();
    let mut file = File::from(file);

    let target = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    let target = File::options().write(true).open(target).unwrap();
    let mut records =
        Records::new(Output::of("results".as_ref(), OutputFile::from_emptied(target)));
    for _ in 0..9 {
        add(&mut records, &[b'x'; 1000]).unwrap();
    }
    match records.flush() {
        Err(SinkError::Write { records: 8, .. }) => {}
        other => panic!("{other:?}"),
    }
    let mut left = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut left).unwrap();
    assert_eq!(left.len(), 8000);
}
