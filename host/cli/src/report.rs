//! The messages on standard error.

mod finish_reports;
mod suppressed_faults;

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mtl_host::cache::{Cache, CacheError};
use mtl_host::event::{Event, FinishReport, Observer, SnapshotRefusal};
use mtl_host::limits::LogLimit;
use mtl_host::{Error, Fault, FaultKind, Summary, WorkerIndex, WorkerReport};

pub(crate) use self::suppressed_faults::SuppressedFaults;

use self::finish_reports::FinishReports;
use super::console::Console;
use super::count_noun::count_noun;
use super::display_text::DisplayText;
use super::error::CliError;
use super::escape;
use super::hints;

/// The number of characters that are shown of one message.
const MAX_LEN: usize = 2000;
/// The indent of further lines, below the text after `error: `.
const ERROR_INDENT: &str = "       ";

/// The writer of messages for the user. It observes a run.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    console: Arc<Console>,
    finish_reports: Arc<Mutex<FinishReports>>,
    /// The hints about faults that have been shown.
    shown_hints: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Report {
    pub(crate) fn new(console: &Arc<Console>) -> Self {
        let finish_reports = FinishReports::new(LogLimit::DEFAULT);
        let finish_reports = Arc::new(Mutex::new(finish_reports));
        Self { console: Arc::clone(console), finish_reports, shown_hints: Arc::default() }
    }

    /// Limits the finish reports that are shown per second.
    pub(crate) fn limit_finish_reports(self, limit: LogLimit) -> Self {
        Self { finish_reports: Arc::new(Mutex::new(FinishReports::new(limit))), ..self }
    }

    /// Shows the error of a command that could not start its work.
    pub(crate) fn startup_error(&self, error: &CliError) {
        self.console.print_line(&error_text(error, error.hint().as_deref()));
    }

    /// Shows the error of a run.
    pub(crate) fn error(&self, error: &Error) {
        self.console.print_line(&error_text(error, hints::run(error).as_deref()));
    }

    /// Shows the error of a run that ended before all items were done.
    pub(crate) fn ended_early(&self, error: &Error) {
        let hint = hints::run(error).unwrap_or_else(|| {
            "the summary counts the items in the output; `--faults FILE` lists the others".into()
        });
        self.console.print_line(&error_text(error, Some(&hint)));
    }

    /// Shows a fault. Each hint is shown once.
    pub(crate) fn fault(&self, fault: &Fault, path: Option<&Path>) {
        // If a worker reports `bad-item`, the plugin wrote the message.
        let is_read = fault.kind() != FaultKind::BadItem || fault.worker().is_none();
        let hint = hints::limit(fault.kind(), fault.message()).filter(|_| is_read);
        let hint = hint.filter(|hint| self.shown_hints().insert(hint));
        self.console.print_line(&fault_text(fault, path, hint));
    }

    fn shown_hints(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        // A panic cannot leave the set inconsistent.
        self.shown_hints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Warns about missing layers of the workers' jail.
    pub(crate) fn jail_incomplete(&self, lacks: &str) {
        self.console
            .print_line(&format!("warning: the jail of the workers lacks {}", display_text(lacks)));
    }

    /// Returns the opened cache. If opening failed, warns and returns `None`.
    pub(crate) fn cache(&self, opened: Result<Option<Cache>, CacheError>) -> Option<Cache> {
        opened.unwrap_or_else(|error| {
            self.no_cache(&error);
            None
        })
    }

    /// Warns that compiled plugins are not kept.
    pub(crate) fn no_cache(&self, error: &CacheError) {
        let text = format!("warning: plugins are compiled each time: {}", chain(error));
        self.console.print_line(&with_hint(text, hints::cache(error).as_deref()));
    }

    /// Warns that workers are initialised one by one, because there is no snapshot.
    fn no_snapshot(&self, plugin: &Path, reason: &SnapshotRefusal) {
        let (plugin, text) = (DisplayText::of(plugin), display_text(&reason.to_string()));
        let text = format!(
            "warning: there is no snapshot of `{plugin}`, so each worker is initialised on its own: \
             {text}"
        );
        self.console.print_line(&with_hint(text, reason.hint()));
    }

    /// Warns that workers share the random numbers in a snapshot.
    fn random_snapshot(&self, plugin: &Path) {
        self.console.print_line(&format!(
            "warning: all workers with `{}` share the random numbers that its `init` has drawn, such \
             as the seeds of hash maps\n hint: draw new ones in its `after_restore`",
            DisplayText::of(plugin)
        ));
    }

    /// Shows the number of faults that were not shown one by one.
    pub(crate) fn suppressed(&self, suppressed: &SuppressedFaults) {
        if let Some(text) = suppressed_text(suppressed) {
            self.console.print_line(&text);
        }
    }

    /// Warns about missing layers of the jail in which a plugin was inspected.
    pub(crate) fn inspection_jail_incomplete(&self, lacks: &str) {
        self.console.print_line(&format!(
            "warning: the plugin was read in a jail that lacks {}",
            display_text(lacks)
        ));
    }

    /// Warns of finish reports that a worker has lost.
    pub(crate) fn closed(&self, report: &WorkerReport) {
        let (worker, lost) = (report.worker, report.lost_reports);
        if lost > 0 {
            let instances = count_noun(lost, "instance");
            self.console.print_line(&format!(
                "warning: worker {worker} has lost the finish reports of {instances} that failed"
            ));
        }
    }

    /// Shows a finish report, or the failure of `finish`.
    fn finish_report(&self, worker: WorkerIndex, closing: FinishReport<'_>) {
        match closing {
            FinishReport::Report { bytes, .. } => {
                let text = String::from_utf8_lossy(bytes);
                self.show_limited(|| plugin_text(worker, "finish: ", &text));
            }
            FinishReport::Failed(failure) => {
                self.show_limited(|| {
                    let reason = display_text(&failure.to_string());
                    let text = format!("warning: worker {worker} gave no finish report: {reason}");
                    with_hint(text, hints::limit(failure.kind, &failure.message))
                });
            }
            // The item has a fault, and `closed` reports the number of lost reports at the end.
            FinishReport::Lost(_) => {}
        }
    }

    fn show_limited(&self, text: impl FnOnce() -> String) {
        let display_text = self.finish_reports().show(text, Instant::now());
        if let Some(text) = display_text {
            self.console.print_line(&text);
        }
    }

    fn finish_reports(&self) -> MutexGuard<'_, FinishReports> {
        // A panic cannot leave the reports inconsistent: the text is created before the budget is charged.
        self.finish_reports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Warns of the finish reports that were not shown.
    pub(crate) fn suppressed_finish_reports(&self) {
        let suppressed = self.finish_reports().suppressed();
        if suppressed > 0 {
            let (reports, were) = (
                count_noun(suppressed, "finish report"),
                if suppressed == 1 { "was" } else { "were" },
            );
            self.console.print_line(&format!(
                "warning: {reports} {were} not shown: more than `--log-limit` per second\n \
                 hint: `--finish-output FILE` writes all of them to a file"
            ));
        }
    }

    pub(crate) fn summary(&self, summary: &Summary) {
        self.console.print_line(&summary_text(summary));
    }

    /// Confirms that the run will end, and names the way to end it immediately.
    pub(crate) fn interrupted(&self, again: &str) {
        self.console.print_line(&format!(
            "interrupted: finishing the items in the workers; {again} to end immediately"
        ));
    }

    /// Explains a long wait for the plugins' `finish`.
    pub(crate) fn waiting(&self, is_interrupted: bool) {
        let again = if is_interrupted { "again" } else { "twice" };
        self.console.print_line(&format!(
            "the run is over: waiting for the workers' finish reports (`finish`)\n \
             hint: `--init-timeout TIME` limits the wait; to end immediately, press Ctrl-C {again}"
        ));
    }

    fn plugin_line(&self, worker: WorkerIndex, prefix: &str, text: &str) {
        self.console.print_line(&plugin_text(worker, prefix, text));
    }
}

/// Returns the warning that a time limit may expire while a worker waits for a core.
fn run_delay_text(workers: usize, cores: usize) -> String {
    let cores = count_noun(cores as u64, "core");
    format!(
        "warning: time limits include the time in which a worker waits for a core: the kernel does not report that \
         time, and there are {workers} workers on {cores}\n hint: `--jobs N` starts fewer workers; `--fuel N` limits \
         the work of an item instead"
    )
}

impl Observer for Report {
    fn notify(&self, event: &Event<'_>) {
        match *event {
            Event::Output { worker, line, .. } => self.plugin_line(worker, "", line),
            Event::Log { worker, level, message } => {
                self.plugin_line(worker, &format!("{}: ", level.name()), message);
            }
            Event::OutputDropped { worker, lines, bytes } => {
                self.console.print_line(&dropped_text(worker, lines, bytes));
            }
            Event::Denied { worker, denial } => {
                let hint = display_text(&hints::denial(denial));
                let denial = display_text(&denial.to_string());
                let text = format!("warning: worker {worker} was denied {denial}");
                self.console.print_line(&with_hint(text, Some(&hint)));
            }
            Event::RunDelayUnknown { workers, cores } => {
                self.console.print_line(&run_delay_text(workers, cores));
            }
            Event::Finished { worker, report: closing, .. } => self.finish_report(worker, closing),
            Event::SnapshotRefused { plugin, reason, .. } => self.no_snapshot(plugin, reason),
            Event::SnapshotTaken { plugin, has_random: true, .. } => self.random_snapshot(plugin),
            Event::WorkerRetired { worker, reason } => {
                let (summary, hint) = (reason.summary(), hints::retirement(reason));
                let text =
                    format!("warning: worker {worker} {summary} and is retired: {}", chain(reason));
                self.console.print_line(&with_hint(text, hint.as_deref()));
            }
            // The failure of an instance is shown as the fault of its item. A start needs no message.
            _ => {}
        }
    }
}

/// Returns the message about dropped output of a plugin.
fn dropped_text(worker: WorkerIndex, lines: u64, bytes: u64) -> String {
    let (lines, bytes) = (count_noun(lines, "line"), count_noun(bytes, "byte"));
    format!("[worker {worker}] … {lines} ({bytes}) dropped: more than `--log-limit` per second")
}

/// Returns a text of a plugin, with the name of its worker before each line.
fn plugin_text(worker: WorkerIndex, prefix: &str, text: &str) -> String {
    let text = escape::head(text, MAX_LEN * 10);
    // An empty text becomes a line.
    let lines = text.trim_end_matches('\n').split('\n');
    let named = lines.map(|line| {
        let line = escape::line(line.strip_suffix('\r').unwrap_or(line));
        format!("[worker {worker}] {prefix}{line}")
    });
    named.collect::<Vec<_>>().join("\n")
}

/// Returns an error with its causes and, below, its hint.
fn error_text(error: &dyn StdError, hint: Option<&str>) -> String {
    with_hint(format!("error: {}", chain(error)), hint)
}

/// Returns a text and, below, its hint.
fn with_hint(mut text: String, hint: Option<&str>) -> String {
    if let Some(hint) = hint {
        write!(text, "\n hint: {}", escape::block(hint, ERROR_INDENT))
            .expect("writing to a string cannot fail");
    }
    text
}

/// Returns an error and its causes, separated by colons.
pub(super) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // The text of some errors contains their cause.
        if !text.ends_with(&cause_text) {
            write!(text, ": {cause_text}").expect("writing to a string cannot fail");
        }
        next = cause.source();
    }
    display_text(&text)
}

/// Returns an untrusted text, escaped and shortened, to follow a word such as `error: `.
fn display_text(text: &str) -> String {
    escape::block(&escape::head(text, MAX_LEN), ERROR_INDENT)
}

fn fault_text(fault: &Fault, path: Option<&Path>, hint: Option<&str>) -> String {
    let location = path.map(|path| format!(" (`{}`)", DisplayText::of(path))).unwrap_or_default();
    let text = format!("item {}{location}: {}: {}", fault.index(), fault.kind(), fault.message());
    with_hint(format!("fault: {}", display_text(&text)), hint)
}

fn suppressed_text(suppressed: &SuppressedFaults) -> Option<String> {
    let kinds = kinds(|kind| suppressed.of(kind));
    let faults = |all| format!("… and {} ({kinds})", count_noun(all, "more fault"));
    Some(suppressed.all()).filter(|all| *all > 0).map(faults)
}

fn summary_text(summary: &Summary) -> String {
    let counts = summary.counts;
    let items = summary.done();
    let mut parts = vec![count_noun(items, "item")];
    if counts.failed() > 0 {
        let kinds =
            kinds(|kind| if kind == FaultKind::NotRun { 0 } else { counts.faults_of(kind) });
        parts.push(format!("{} ({kinds})", count_noun(counts.failed(), "fault")));
    } else {
        parts.push("0 faults".into());
    }
    if counts.no_record() > 0 {
        parts.push(format!("{} filtered", counts.no_record()));
    }
    if summary.undelivered > 0 {
        parts.push(format!("{} written", summary.delivered));
        parts.push(format!("{} not written", summary.undelivered));
    }
    if counts.not_run() > 0 {
        parts.push(format!("{} not run", counts.not_run()));
    }
    let seconds = summary.took.as_secs_f64();
    parts.push(format!("{seconds:.2} s"));
    #[expect(clippy::cast_precision_loss, reason = "nobody reads 15 digits of a rate")]
    let rate = items as f64 / seconds.max(1e-9);
    parts.push(if rate < 10.0 {
        format!("{rate:.2} items/s")
    } else {
        format!("{rate:.0} items/s")
    });
    parts.join(", ")
}

/// Returns each kind that occurs, with its number.
fn kinds(number_of: impl Fn(FaultKind) -> u64) -> String {
    let numbers = FaultKind::ALL.map(|kind| (kind, number_of(kind)));
    let some: Vec<_> = numbers.iter().filter(|(_, number)| *number > 0).collect();
    let texts: Vec<_> = some.iter().map(|(kind, number)| format!("{kind} {number}")).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests;
