//! Runs the futures that a guest waits for. The guest's thread runs them; the asynchronous runtime provides clocks,
//! files and sockets.

use std::pin::pin;

use wasmtime_wasi::runtime::with_ambient_tokio_runtime;

use crate::control::deadline::{Overdue, Watch};

/// Runs a future on this thread until the future ends or the guest must stop.
///
/// # Errors
///
/// If the guest must stop, drops the future and returns the reason.
pub(crate) fn block_on<F: Future>(watch: &Watch, future: F) -> Result<F::Output, Overdue> {
    block_on_with(watch, future, || true)
}

/// Runs a future like [`block_on`]. If the future takes longer than a few milliseconds, this function calls `meanwhile`
/// repeatedly until `meanwhile` returns true.
///
/// # Errors
///
/// Returns the same errors as [`block_on`].
pub(crate) fn block_on_with<F: Future>(
    watch: &Watch,
    future: F,
    meanwhile: impl FnMut() -> bool,
) -> Result<F::Output, Overdue> {
    let mut future = pin!(future);
    watch.poll_until_ready(
        |context| with_ambient_tokio_runtime(|| future.as_mut().poll(context)),
        meanwhile,
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use std::future::pending;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::control::cancel::Cancel;
    use crate::control::deadline::Phase;
    use crate::control::watchdog::Watchdog;
    use crate::item::instance_config::InstanceConfig;
    use crate::test_timeout::with_timeout;

    const SHORT: Duration = Duration::from_millis(20);

    /// Returns three values: a watch over a guest that is working on an item, the handle that cancels this guest, and
    /// the watchdog that produces the ticks.
    pub(crate) fn watch(item: Option<Duration>) -> (Watch, Cancel, Watchdog) {
        let (cancel, watchdog) = (Cancel::default(), Watchdog::start(|| ()).unwrap());
        let config = InstanceConfig { timeout: item, ..InstanceConfig::default() };
        let watch = Watch::new(config, cancel.clone(), watchdog.ticks());
        watch.begin(Phase::Item);
        (watch, cancel, watchdog)
    }

    #[test]
    fn a_deadline_ends_block_on() {
        let (watch, _, _watchdog) = watch(Some(SHORT));
        let started_at = Instant::now();
        assert_eq!(watch.check(), Ok(()));
        assert_eq!(block_on(&watch, pending::<()>()), Err(Overdue::Limit(SHORT)));
        assert_eq!(watch.check(), Err(Overdue::Limit(SHORT)));
        assert!(started_at.elapsed() >= SHORT, "a deadline never comes early");
        watch.begin(Phase::Item);
        assert_eq!(watch.check(), Ok(()));
    }

    #[test]
    fn block_on_wakes_on_results_ends_and_cancellation() {
        with_timeout(|| {
            let (watch, cancel, _watchdog) = watch(None);
            let task = async { wasmtime_wasi::runtime::spawn(async { 7 }).await };
            assert_eq!(block_on(&watch, task), Ok(7));
            let other = cancel.clone();
            let canceller =
                thread::Builder::new().spawn(move || other.end_in(Duration::ZERO)).unwrap();
            assert_eq!(block_on(&watch, pending::<()>()), Err(Overdue::End));
            canceller.join().unwrap();
            let canceller = thread::Builder::new().spawn(move || cancel.cancel_all()).unwrap();
            canceller.join().unwrap();
            assert_eq!(block_on(&watch, pending::<()>()), Err(Overdue::Cancelled));
        });
    }
}
