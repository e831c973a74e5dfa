//! The progress of a run: a bar for people, or JSON for programs.
//!
//! A thread reads the counters of the pool. For the bar, it reads them ten times a second, and for JSON once a second.
//! Workers never wait for this thread.

mod frame;
mod json;
mod rate;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use mtl_host::stats::Progress as Counters;

use self::frame::{BarStyle, Moment, frame};
use self::rate::{Rate, overall};
use super::console::Console;
use super::error::CliError;
use super::escape;
use super::progress_args::{Mode, ProgressArgs};

/// The destination of the results of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResultsDestination {
    ToStandardOutput,
    Elsewhere,
}

impl Mode {
    /// Returns the form of progress for this destination and terminal.
    fn form(self, results: ResultsDestination) -> Option<ProgressForm> {
        match self {
            Self::Never => None,
            Self::Json => Some(ProgressForm::Json),
            Self::Always => Some(ProgressForm::Bar),
            Self::Auto => {
                let would_mix =
                    results == ResultsDestination::ToStandardOutput && io::stdout().is_terminal();
                (io::stderr().is_terminal() && !would_mix).then_some(ProgressForm::Bar)
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProgressForm {
    Bar,
    Json,
}

impl ProgressForm {
    /// Returns the time between two frames.
    fn interval(self) -> Duration {
        match self {
            Self::Bar => Duration::from_millis(100),
            Self::Json => Duration::from_secs(1),
        }
    }
}

/// A thread that shows the progress of a run. Dropping it shows the last frame.
#[derive(Debug)]
pub(super) struct Progress {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    pub(super) fn start(
        args: &ProgressArgs,
        results: ResultsDestination,
        counters: Counters,
        console: &Arc<Console>,
    ) -> Result<Self, CliError> {
        let Some(form) = args.progress.form(results) else { return Ok(Self { running: None }) };
        let style = BarStyle {
            desc: args.desc.as_deref().map(escape::line),
            unit: escape::line(&args.unit),
            columns: None,
        };
        let console = Arc::clone(console);
        let (total, rate, started) = (args.total, Rate::default(), Instant::now());
        let mut painter = Painter { form, style, total, rate, started, counters, console };
        let (end_sender, end_receiver) = bounded(0);
        let thread = thread::Builder::new().name("mtl-progress".into());
        let thread = thread.spawn(move || painter.paint_until(&end_receiver));
        let thread = thread.map_err(|source| CliError::Thread { source })?;
        Ok(Self { running: Some((end_sender, thread)) })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end_sender, thread)) = self.running.take() {
            drop(end_sender);
            let _ = thread.join();
        }
    }
}

struct Painter {
    form: ProgressForm,
    style: BarStyle,
    /// The number of items that the user expects.
    total: Option<u64>,
    rate: Rate,
    started: Instant,
    counters: Counters,
    console: Arc<Console>,
}

impl Painter {
    fn paint_until(&mut self, end_receiver: &Receiver<()>) {
        loop {
            let moment = self.moment();
            match self.form {
                ProgressForm::Bar => self.console.draw_bar(&self.frame(&moment)),
                ProgressForm::Json => self.console.print_line(&json::line(&moment)),
            }
            match end_receiver.recv_timeout(self.form.interval()) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let mut last = self.moment();
        // The last frame shows the average of the whole run.
        last.rate = overall(last.elapsed, last.snapshot.done);
        match self.form {
            ProgressForm::Bar => self.console.finish_bar(&self.frame(&last)),
            ProgressForm::Json => self.console.print_line(&json::line(&last)),
        }
    }

    fn moment(&mut self) -> Moment {
        let (mut snapshot, elapsed) = (self.counters.snapshot(), self.started.elapsed());
        snapshot.total = snapshot.total.or(self.total);
        let rate = self.rate.observe(elapsed, snapshot.done);
        Moment { snapshot, elapsed, rate }
    }

    /// Returns a frame in the current width of the terminal.
    fn frame(&self, moment: &Moment) -> String {
        let size = rustix::termios::tcgetwinsize(rustix::stdio::stderr());
        let columns = size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
        frame(moment, &BarStyle { columns, ..self.style.clone() })
    }
}
