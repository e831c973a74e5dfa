//! Collects one output stream of a run on a thread, so that a test can inspect it while it grows.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// An output stream that a thread reads to its end.
pub(super) struct Stream {
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    is_at_end: bool,
}

impl Stream {
    /// Starts to read all of `from`; `None` is an empty stream.
    pub(super) fn of(from: Option<impl Read + Send + 'static>) -> Self {
        let shared = Arc::<Shared>::default();
        let Some(mut from) = from else {
            shared.end();
            return Self { shared, reader: None };
        };
        let taker = Arc::clone(&shared);
        let read = move || {
            let mut buffer = vec![0; 64 * 1024];
            // A terminal that no process has open gives an error instead of the end of the file.
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                taker.take(&buffer[..count]);
            }
            taker.end();
        };
        let reader = thread::Builder::new().name("stream".into()).spawn(read).unwrap();
        Self { shared, reader: Some(reader) }
    }

    /// Waits until `seen` accepts all bytes so far, and returns whether it did. Stops at the end of
    /// the stream or at the deadline.
    pub(super) fn wait(&self, deadline: Instant, seen: impl Fn(&[u8]) -> bool) -> bool {
        self.wait_state(deadline, |state| seen(&state.bytes) || state.is_at_end)
            && seen(&self.shared.state.lock().unwrap().bytes)
    }

    /// Waits for the end of the stream, and returns whether it came before the deadline.
    pub(super) fn wait_for_end(&self, deadline: Instant) -> bool {
        self.wait_state(deadline, |state| state.is_at_end)
    }

    fn wait_state(&self, deadline: Instant, enough: impl Fn(&State) -> bool) -> bool {
        let mut state = self.shared.state.lock().unwrap();
        while !enough(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
        true
    }

    /// Returns all bytes so far.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.shared.state.lock().unwrap().bytes.clone()
    }

    /// Returns all bytes of a stream that has ended.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        std::mem::take(&mut self.shared.state.lock().unwrap().bytes)
    }
}

impl Shared {
    fn take(&self, bytes: &[u8]) {
        self.state.lock().unwrap().bytes.extend_from_slice(bytes);
        self.changed.notify_all();
    }

    fn end(&self) {
        self.state.lock().unwrap().is_at_end = true;
        self.changed.notify_all();
    }
}
