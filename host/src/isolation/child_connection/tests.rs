use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use super::*;
use crate::control::alarm::Notify;
use crate::isolation::wire::Frame;
use crate::test_timeout::{TEST_TIMEOUT, with_timeout};

/// A wait until a fixed time.
struct Until(Instant);

impl WaitPolicy for Until {
    fn next_deadline(&mut self) -> Result<Option<Instant>, Overdue> {
        match self.0 <= Instant::now() {
            true => Err(Overdue::End),
            false => Ok(Some(self.0)),
        }
    }
}

fn long() -> Until {
    Until(Instant::now() + TEST_TIMEOUT)
}

fn short() -> Until {
    Until(Instant::now() + Duration::from_millis(20))
}

const MAX: usize = 4 * 1024 * 1024;

fn pair() -> (ChildConnection, UnixStream) {
    let (connection, child) = ChildConnection::pair(&Arc::new(EventFd::new().unwrap())).unwrap();
    (connection, child.into())
}

fn log(text: &[u8]) -> Vec<u8> {
    Frame::reply(Reply::Guest).rest(text).seal()
}

/// Returns the next frame, or the error, as text.
fn next(connection: &mut ChildConnection, policy: &mut dyn WaitPolicy) -> String {
    match connection.receive(MAX, policy) {
        Ok(Received { kind, payload }) => format!("{kind:?} {}", payload.rest().escape_ascii()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn frames_arrive_whole_for_any_write_sizes() {
    with_timeout(|| {
        let (mut connection, mut child) = pair();
        let frames = [log(b"one"), log(b""), log(b"three")].concat();
        let write = move || {
            child.write_all(&frames).unwrap();
            for byte in frames {
                child.write_all(&[byte]).unwrap();
            }
        };
        let writes = thread::Builder::new().spawn(write).unwrap();
        for _ in 0..2 {
            for expected in ["Guest one", "Guest ", "Guest three"] {
                assert_eq!(next(&mut connection, &mut long()), expected);
                assert_eq!(
                    connection.last_frame().kind,
                    Reply::Guest,
                    "the frame stays until the next call"
                );
            }
        }
        assert_eq!(next(&mut connection, &mut long()), "it has ended");
        writes.join().unwrap();
    });
}

#[test]
fn an_invalid_or_missing_frame_ends_the_wait() {
    let too_long = u32::try_from(MAX + 1).unwrap().to_le_bytes();
    let too_long = [&too_long[..], &[Reply::Guest as u8]].concat();
    #[rustfmt::skip]
    let cases: [(&str, Vec<u8>, bool, &str); 9] = [
        // it writes                                  and closes  so that
        ("nothing",        vec![],                       false, "was still at work when the run had to end"),
        ("nothing more",   vec![],                       true,  "it has ended"),
        ("half a header",  vec![1, 0, 0],                false, "was still at work when the run had to end"),
        ("and goes",       vec![1, 0, 0],                true,  "it has ended"),
        ("half a payload", log(b"half")[..7].to_vec(),   false, "was still at work when the run had to end"),
        ("and goes",       log(b"half")[..7].to_vec(),   true,  "it has ended"),
        ("too long",       too_long,                     false, "it sent a frame that is too long"),
        ("of no kind",     vec![0, 0, 0, 0, 99],         false, "it sent a message of an unknown kind"),
        ("of no kind",     vec![255, 255, 255, 255, 0],  false, "it sent a message of an unknown kind"),
    ];
    for (case, bytes, closes, expected) in cases {
        with_timeout(move || {
            let (mut connection, mut child) = pair();
            child.write_all(&bytes).unwrap();
            let child = Some(child).filter(|_| !closes);
            assert_eq!(next(&mut connection, &mut short()), expected, "{case}");
            assert!(
                connection.inbox.capacity() <= 2 * ChildConnection::READ_SIZE,
                "{case}: a claimed length causes no allocation"
            );
            drop(child);
        });
    }
}

#[test]
fn a_flood_of_frames_uses_bounded_memory() {
    const FRAMES: usize = 200_000;
    with_timeout(|| {
        let (mut connection, mut child) = pair();
        let write = move || {
            let some = log(b"flood").repeat(1000);
            (0..FRAMES / 1000).for_each(|_| child.write_all(&some).unwrap());
        };
        let writes = thread::Builder::new().spawn(write).unwrap();
        for _ in 0..FRAMES {
            assert_eq!(connection.receive(MAX, &mut long()).unwrap().payload.rest(), b"flood");
        }
        assert!(connection.inbox.capacity() <= ChildConnection::MAX_KEPT_BYTES);
        writes.join().unwrap();
    });
}

#[test]
fn memory_of_a_large_frame_is_released_with_the_next() {
    with_timeout(|| {
        let (mut connection, mut child) = pair();
        let write = move || {
            child.write_all(&log(&vec![b'x'; MAX])).unwrap();
            child.write_all(&log(b"small")).unwrap();
        };
        let writes = thread::Builder::new().spawn(write).unwrap();
        assert_eq!(connection.receive(MAX, &mut long()).unwrap().payload.rest().len(), MAX);
        writes.join().unwrap();
        for _ in 0..2 {
            next(&mut connection, &mut short());
        }
        assert!(
            connection.inbox.capacity()
                <= ChildConnection::MAX_KEPT_BYTES + ChildConnection::READ_SIZE,
            "{}",
            connection.inbox.capacity()
        );
    });
}

#[test]
fn sending_to_a_child_that_does_not_read_times_out() {
    with_timeout(|| {
        let (connection, mut child) = pair();
        let frame = log(&vec![b'x'; MAX]);
        let sent = connection.send(&frame, &mut short());
        assert!(matches!(sent, Err(LinkError::Overdue(Overdue::End))), "{sent:?}");
        // The child still reads the bytes that were sent, and then the end.
        drop(connection);
        let mut received = Vec::new();
        child.read_to_end(&mut received).unwrap();
        assert!(frame.starts_with(&received) && received.len() < frame.len());
        let (connection, child) = pair();
        drop(child);
        assert!(matches!(connection.send(&frame, &mut long()), Err(LinkError::Ended)));
    });
}

#[test]
fn a_frame_larger_than_the_socket_buffer_arrives() {
    with_timeout(|| {
        let (connection, mut child) = pair();
        let frame = log(&vec![b'x'; MAX]);
        let expected = frame.clone();
        let read = move || {
            let mut received = vec![0; expected.len()];
            child.read_exact(&mut received).unwrap();
            assert!(received == expected);
        };
        let reads = thread::Builder::new().spawn(read).unwrap();
        connection.send(&frame, &mut long()).unwrap();
        reads.join().unwrap();
    });
}

/// A wait that ends after this many questions.
struct CancelAfter(u32);

impl WaitPolicy for CancelAfter {
    fn next_deadline(&mut self) -> Result<Option<Instant>, Overdue> {
        match self.0 {
            0 => Err(Overdue::Cancelled),
            left => {
                self.0 = left - 1;
                Ok(None)
            }
        }
    }
}

#[test]
fn a_signal_ends_one_wait() {
    with_timeout(|| {
        let event_fd = Arc::new(EventFd::new().unwrap());
        let (mut connection, _child) = ChildConnection::pair(&event_fd).unwrap();
        // A signal before the wait is kept.
        event_fd.notify();
        assert_eq!(next(&mut connection, &mut CancelAfter(1)), "was interrupted");
        let notifies = thread::Builder::new().spawn(move || event_fd.notify());
        assert_eq!(next(&mut connection, &mut CancelAfter(1)), "was interrupted");
        notifies.unwrap().join().unwrap();
    });
}
