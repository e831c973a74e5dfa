//! Ctrl-C, and SIGTERM. The first asks the run to end, the second ends the process.
//!
//! A thread takes the signals and may write to the terminal. Should it ever hang in that
//! (standard error may be a pipe that nobody empties), the handler itself ends the process at
//! the next signal: while the thread is `busy`, nothing is left to wait for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use mtl_host::StopFlag;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_shutdown;
use signal_hook::iterator::{Handle, Signals as Incoming};
use signal_hook::low_level;

use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::report::Report;

/// Listens, until it is dropped.
#[derive(Debug)]
pub(super) struct Signals {
    incoming: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Signals {
    /// Sets `stop` at the first signal.
    pub(super) fn listen(stop: &StopFlag, console: &Arc<Console>) -> Result<Self, CliError> {
        let listener = Listener {
            stop: stop.clone(),
            console: Arc::clone(console),
            busy: Arc::new(AtomicBool::new(false)),
        };
        let incoming = listener.register().map_err(|source| CliError::Signals { source })?;
        let handle = incoming.handle();
        let thread = thread::Builder::new().name("mtl-signals".into());
        let thread = thread
            .spawn(move || listener.serve(incoming))
            .map_err(|source| CliError::Thread { source })?;
        Ok(Self { incoming: handle, thread: Some(thread) })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.incoming.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Listener {
    stop: StopFlag,
    console: Arc<Console>,
    busy: Arc<AtomicBool>,
}

impl Listener {
    const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

    fn register(&self) -> io::Result<Incoming> {
        for signal in Self::SIGNALS {
            let code = i32::from(Exit::Interrupted.code());
            register_conditional_shutdown(signal, code, Arc::clone(&self.busy))?;
        }
        Incoming::new(Self::SIGNALS)
    }

    fn serve(&self, mut incoming: Incoming) {
        for signal in &mut incoming.forever() {
            if self.stop.is_set() {
                self.busy.store(true, Ordering::SeqCst);
                self.console.end_line();
                low_level::exit(Exit::Interrupted.code().into());
            }
            self.stop.set();
            self.busy.store(true, Ordering::SeqCst);
            let again = if signal == SIGTERM { "send SIGTERM again" } else { "press Ctrl-C again" };
            Report::to(&self.console).interrupted(again);
            self.busy.store(false, Ordering::SeqCst);
        }
    }
}
