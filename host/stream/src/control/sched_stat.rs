//! The kernel's scheduling statistics of a thread: the time on a core, and the time of waiting for a core.
//!
//! `/proc/…/schedstat` has three numbers:
//!
//! - the nanoseconds on a core;
//! - the nanoseconds in which the thread was ready to run and had no core (the run delay);
//! - the number of times that the thread ran.
//!
//! The host opens this file once per thread and reads it through the descriptor. A jailed process may not open this
//! file, but it can read the file through a descriptor that was opened earlier.

use std::cell::OnceCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Pid;

use super::deadline::Pauses;

/// The kernel's scheduling statistics of one thread.
#[derive(Debug)]
pub struct SchedStat(File);

/// The times in the statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Times {
    on_core: Duration,
    delay: Duration,
}

thread_local! {
    /// The statistics of this thread, or `None` if the kernel has none.
    static OWN: OnceCell<Option<Arc<SchedStat>>> = const { OnceCell::new() };
}

impl SchedStat {
    /// Returns the statistics of this thread. The first call on a thread opens their file. So a thread must call this
    /// function before it loses the right to open files.
    pub fn of_this_thread() -> Option<Arc<Self>> {
        OWN.with(|own| own.get_or_init(|| Self::open("/proc/thread-self/schedstat")).clone())
    }

    /// Opens the statistics of the main thread of a process.
    pub(crate) fn of_process(process: Pid) -> Option<Arc<Self>> {
        Self::open(&format!("/proc/{}/schedstat", process.as_raw_nonzero()))
    }

    fn open(path: &str) -> Option<Arc<Self>> {
        let stat = File::open(path).map(Self);
        let stat = stat.and_then(|stat| stat.read().map(|_| stat));
        let opened = stat
            .inspect_err(|error| tracing::debug!(path, %error, "the kernel reports no run delay"));
        opened.ok().map(Arc::new)
    }

    /// Returns the time in which the thread was ready to run and had no core.
    pub(crate) fn run_delay(&self) -> Option<Duration> {
        self.read().ok().map(|times| times.delay)
    }

    /// Returns the time in which the thread ran or was ready to run.
    pub(crate) fn busy(&self) -> Option<Duration> {
        self.read().ok().map(|times| times.on_core.saturating_add(times.delay))
    }

    fn read(&self) -> io::Result<Times> {
        let mut text = [0; 96];
        let read = self.0.read_at(&mut text, 0)?;
        let times = std::str::from_utf8(&text[..read]).ok().and_then(times);
        times.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

/// Parses the times in a line from the kernel. A kernel that does not measure them writes three zeros.
fn times(line: &str) -> Option<Times> {
    let mut numbers = line.split_ascii_whitespace().map(str::parse);
    let mut number = || numbers.next()?.ok();
    let (on_core, delay, runs): (u64, u64, u64) = (number()?, number()?, number()?);
    let times =
        Times { on_core: Duration::from_nanos(on_core), delay: Duration::from_nanos(delay) };
    (times != Times::default() || runs > 0).then_some(times)
}

/// The pauses of the current thread: its run delay.
#[derive(Debug)]
pub(crate) struct OwnDelay;

impl Pauses for OwnDelay {
    fn total(&self) -> Option<Duration> {
        SchedStat::of_this_thread()?.run_delay()
    }
}

/// The pauses of a child: the run delay of its main thread, on which the guest runs. The kernel measures the run delay,
/// so the child cannot falsify it. But a compromised child can prevent its own thread from getting a core. The watch
/// therefore limits the run delay by which it extends a deadline.
#[derive(Debug)]
pub struct ProcessRunDelay(Option<Arc<SchedStat>>);

impl ProcessRunDelay {
    /// Opens the statistics of a process.
    pub fn process(process: Pid) -> Self {
        Self(SchedStat::of_process(process))
    }
}

impl Pauses for ProcessRunDelay {
    fn total(&self) -> Option<Duration> {
        self.0.as_ref()?.run_delay()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_schedstat_field_is_the_delay() {
        let nanos = Duration::from_nanos;
        #[rustfmt::skip]
        let cases = [
            ("12 34 5\n",   Some(Times { on_core: nanos(12), delay: nanos(34) })),
            ("0 0 1\n",     Some(Times::default())),
            ("0 0 0\n",     None),
            ("12 34\n",     None),
            ("12 -3 5\n",   None),
            ("",            None),
        ];
        for (line, expected) in cases {
            assert_eq!(times(line), expected, "{line:?}");
        }
    }

    #[test]
    fn the_schedstat_of_a_thread_is_readable_elsewhere() {
        // Some kernels report no statistics.
        let Some(own) = SchedStat::of_this_thread() else { return };
        assert!(Arc::ptr_eq(&own, &SchedStat::of_this_thread().unwrap()));
        let before = own.busy().unwrap();
        let (other, seen) = std::thread::scope(|scope| {
            let thread =
                scope.spawn(|| (SchedStat::of_this_thread().unwrap(), own.busy().unwrap()));
            thread.join().unwrap()
        });
        assert!(!Arc::ptr_eq(&own, &other));
        assert!(seen >= before, "a thread reads the statistics of another thread");
    }
}
