//! Ctrl-C (SIGINT), and the other signals that ask a program to end: SIGTERM, SIGQUIT and SIGHUP. The first signal asks
//! the run to end. A second signal ends the process, unless it is SIGHUP.
//!
//! SIGHUP never ends the process immediately, because two of these signals can arrive when a terminal is closed: one
//! from the kernel and one from the shell. If SIGHUP or SIGQUIT is ignored when the command starts, the signal stays
//! ignored. `nohup` starts commands with SIGHUP ignored, and scripts start background jobs with SIGQUIT ignored.
//!
//! A thread handles the signals and writes messages to standard error. A write can block the thread, because standard
//! error may be a pipe that no process reads. While the thread handles a signal, it sets the flag `busy`. If a signal
//! that ends the process arrives while `busy` is set, the signal handler itself ends the process.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use mtl_host::StopFlag;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::flag::{register, register_conditional_shutdown};
use signal_hook::iterator::{Handle, Signals as Incoming};
use signal_hook::low_level;

use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::report::Report;

/// Makes a write that exceeds the limit on file sizes (`ulimit -f`) fail with an error. By default, such a write ends
/// the process with SIGXFSZ.
///
/// The process catches SIGXFSZ instead of ignoring it, because child processes inherit the setting that a signal is
/// ignored.
pub(super) fn catch_file_size_signal() {
    // If the handler cannot be installed, such a write ends the process, as it ends most programs.
    let _ = register(SIGXFSZ, Arc::default());
}

/// The thread that handles signals. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Signals {
    incoming: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Signals {
    /// Sets `stop` at the first signal.
    pub(super) fn listen(stop: &StopFlag, console: &Arc<Console>) -> Result<Self, CliError> {
        let handler = SignalHandler {
            stop: stop.clone(),
            console: Arc::clone(console),
            busy: Arc::new(AtomicBool::new(false)),
        };
        let incoming = handler.register().map_err(|source| CliError::Signals { source })?;
        let handle = incoming.handle();
        let thread = thread::Builder::new().name("mtl-signals".into());
        let thread = thread
            .spawn(move || handler.serve(incoming))
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

struct SignalHandler {
    stop: StopFlag,
    console: Arc<Console>,
    busy: Arc<AtomicBool>,
}

impl SignalHandler {
    /// The signals that end the process immediately if an earlier signal has asked the run to end.
    const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGQUIT];

    fn register(&self) -> io::Result<Incoming> {
        let ignored = Ignored::of_this_process();
        let is_handled = |signal: &i32| match *signal {
            SIGHUP | SIGQUIT => !ignored.has(*signal),
            _ => true,
        };
        for signal in Self::ENDING.into_iter().filter(is_handled) {
            let code = i32::from(Exit::Interrupted.code());
            register_conditional_shutdown(signal, code, Arc::clone(&self.busy))?;
        }
        Incoming::new(Self::ENDING.into_iter().chain([SIGHUP]).filter(is_handled))
    }

    fn serve(&self, mut incoming: Incoming) {
        for signal in &mut incoming.forever() {
            if self.stop.is_set() {
                if signal == SIGHUP {
                    continue;
                }
                self.busy.store(true, Ordering::SeqCst);
                self.console.end_line();
                low_level::exit(Exit::Interrupted.code().into());
            }
            self.stop.set();
            self.busy.store(true, Ordering::SeqCst);
            let again = match signal {
                SIGTERM => "send SIGTERM again",
                // The terminal is closed.
                SIGHUP => "send SIGTERM",
                SIGQUIT => "press Ctrl-\\ again",
                _ => "press Ctrl-C again",
            };
            Report::new(&self.console).interrupted(again);
            self.busy.store(false, Ordering::SeqCst);
        }
    }
}

/// The set of signals that a process ignores, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ignored(u64);

impl Ignored {
    /// Returns the signals that this process ignores. If the system does not report them, the set is empty.
    fn of_this_process() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self::parse(&status).unwrap_or(Self(0))
    }

    fn parse(status: &str) -> Option<Self> {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok().map(Self)
    }

    fn has(self, signal: i32) -> bool {
        u32::try_from(signal - 1).is_ok_and(|bit| self.0.checked_shr(bit).unwrap_or(0) & 1 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_proc_status() {
        #[rustfmt::skip]
        let cases = [
            // SIGHUP is 1, SIGQUIT is 3, SIGPIPE is 13.
            ("Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001000\n", false, false),
            ("SigIgn:\t0000000000001001\nSigCgt:\t0000000000000000\n",            true,  false),
            ("SigIgn:\t0000000000000005\n",                                       true,  true),
            ("Name:\tx\n",                                                       false, false),
            ("SigIgn:\tnothing\n",                                                false, false),
        ];
        for (status, hangup, quit) in cases {
            let ignored = Ignored::parse(status).unwrap_or(Ignored(0));
            assert_eq!((ignored.has(SIGHUP), ignored.has(SIGQUIT)), (hangup, quit), "{status}");
        }
        assert!(!Ignored(u64::MAX).has(0) && !Ignored(u64::MAX).has(65));
    }
}
