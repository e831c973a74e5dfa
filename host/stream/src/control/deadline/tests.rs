use std::sync::atomic::AtomicUsize;

use super::*;
use crate::control::watchdog::Watchdog;

const SHORT: Duration = Duration::from_millis(20);

/// Returns a watch over a guest that works on an item, with its cancellation and its watchdog.
pub(crate) fn watch(item: Option<Duration>) -> (Watch, Cancel, Watchdog) {
    let (cancel, watchdog) = (Cancel::default(), Watchdog::start(|| ()).unwrap());
    let config = InstanceConfig { timeout: item, ..InstanceConfig::default() };
    let watch = Watch::new(config, cancel.clone(), watchdog.ticks());
    watch.begin(Phase::Item);
    (watch, cancel, watchdog)
}

/// Pauses that a test sets.
#[derive(Clone, Debug, Default)]
struct SetPauses(Arc<(Mutex<Option<Duration>>, AtomicUsize)>);

impl SetPauses {
    fn set(&self, hours: u64) {
        *self.0.0.lock().unwrap() = Some(Duration::from_hours(hours));
    }

    fn times_read(&self) -> usize {
        self.0.1.load(Ordering::Relaxed)
    }
}

impl Pauses for SetPauses {
    fn total(&self) -> Option<Duration> {
        self.0.1.fetch_add(1, Ordering::Relaxed);
        *self.0.0.lock().unwrap()
    }
}

/// A guest whose items have ten hours, with a clock and pauses that a test sets.
struct Timed {
    watch: Watch,
    ticks: Ticks,
    pauses: SetPauses,
}

impl Timed {
    const LIMIT: Duration = Duration::from_hours(10);

    fn new() -> Self {
        let (ticks, pauses) = (Ticks::default(), SetPauses::default());
        let config = InstanceConfig {
            timeout: Some(Self::LIMIT),
            init_timeout: Some(Self::LIMIT),
            ..InstanceConfig::default()
        };
        let (cancel, pauses_to_set) = (Cancel::default(), Box::new(pauses.clone()));
        let watch = Watch::with_pauses(config, cancel, ticks.clone(), pauses_to_set);
        watch.begin(Phase::Item);
        Self { watch, ticks, pauses }
    }

    /// Returns whether the guest's time is over at `hour`, if the watchdog has reported `stopped` hours of stops.
    fn is_over(&self, hour: u64, stopped: u64) -> bool {
        self.ticks.tick(Duration::from_hours(hour), Duration::from_hours(stopped));
        self.is_over_at(hour).expect("all stops are known")
    }

    fn is_over_at(&self, hour: u64) -> Option<bool> {
        self.watch.is_over_at(Self::LIMIT, Duration::from_hours(hour))
    }
}

#[test]
fn time_without_a_core_extends_the_deadline() {
    let item = Timed::new();
    item.pauses.set(3);
    assert!(!item.is_over(1, 0));
    assert_eq!(item.pauses.times_read(), 1, "the watch has noticed the item");
    item.pauses.set(5);
    assert!(!item.is_over(10, 0));
    assert_eq!(item.pauses.times_read(), 1, "no deadline has passed");
    assert!(!item.is_over(11, 0));
    assert!(!item.is_over(12, 0));
    assert_eq!(item.pauses.times_read(), 2, "the deadline has moved by two hours");
    item.pauses.set(6);
    assert!(!item.is_over(13, 0));
    assert!(item.is_over(14, 0));
    assert_eq!(item.pauses.times_read(), 4);
}

#[test]
fn without_pause_accounting_all_time_counts() {
    let item = Timed::new();
    assert!(!item.is_over(1, 0));
    assert!(!item.is_over(10, 0));
    assert!(item.is_over(11, 0));
    // Pauses that are reported later do not matter either.
    item.pauses.set(100);
    assert!(item.is_over(11, 0));
}

#[test]
fn time_in_which_the_process_was_stopped_does_not_count() {
    let item = Timed::new();
    assert!(!item.is_over(0, 0));
    assert!(!item.is_over(15, 6));
    assert!(item.is_over(16, 6));
    // The next item has its full time from now on.
    item.watch.begin(Phase::Item);
    assert!(!item.is_over(16, 6));
    assert!(!item.is_over(25, 6));
    assert!(item.is_over(26, 6));
}

#[test]
fn a_deadline_needs_a_current_watchdog_tick() {
    let item = Timed::new();
    assert!(!item.is_over(0, 0));
    assert!(!item.is_over(9, 0));
    // The process is stopped for a day. When it continues, the guest's thread checks before the watchdog ticks.
    assert_eq!(item.is_over_at(33), None);
    item.ticks.tick(Duration::from_hours(34), Duration::from_hours(24));
    assert_eq!(item.is_over_at(33), Some(false));
    assert_eq!(item.is_over_at(34), Some(true));
    // The watchdog was late, and nothing was stopped.
    item.watch.begin(Phase::Item);
    assert_eq!(item.is_over_at(34), Some(false));
    assert_eq!(item.is_over_at(44), None);
    item.ticks.tick(Duration::from_hours(50), Duration::from_hours(24));
    assert_eq!(item.is_over_at(44), Some(true));
}

#[test]
fn the_wake_up_time_includes_time_without_a_core() {
    let item = Timed::new();
    let hours = Duration::from_hours;
    assert!(!item.is_over(0, 0));
    let end = |hour| item.ticks.when(hours(hour));
    assert_eq!(item.watch.end(), end(10));
    item.pauses.set(0);
    item.watch.begin(Phase::Item);
    assert!(!item.is_over(1, 0));
    item.pauses.set(3);
    assert!(!item.is_over(11, 0));
    assert_eq!(item.watch.end(), end(14), "the thread had no core for three hours");
}

#[test]
fn pauses_extend_the_deadlines_of_start_and_finish() {
    let guest = Timed::new();
    for (phase, start) in [(Phase::Starting, 0), (Phase::Finishing, 100)] {
        guest.watch.begin(phase);
        guest.pauses.set(start);
        assert!(!guest.is_over(start, 0), "{phase:?}");
        guest.pauses.set(start + 1);
        assert!(!guest.is_over(start + 10, 0), "{phase:?}");
        assert!(guest.is_over(start + 11, 0), "{phase:?}");
    }
}

#[test]
fn each_item_restarts_the_deadline() {
    let (watch, _, _watchdog) = watch(Some(SHORT));
    let start = Instant::now();
    assert_eq!(watch.overdue(), None);
    let waited = watch.poll_until_ready(|_| Poll::<()>::Pending, || true);
    assert_eq!(waited, Err(Overdue::Limit(SHORT)));
    assert_eq!(watch.overdue(), Some(Overdue::Limit(SHORT)));
    assert!(start.elapsed() >= SHORT, "a deadline never comes early");
    watch.begin(Phase::Item);
    assert_eq!(watch.overdue(), None);
}

#[test]
fn a_limit_beyond_the_clock_range_never_expires() {
    let (watch, _, _watchdog) = watch(Some(Duration::MAX));
    assert_eq!((watch.overdue(), watch.end()), (None, None));
}

#[test]
fn start_and_items_have_separate_limits() {
    let config = InstanceConfig { init_timeout: Some(Duration::ZERO), ..InstanceConfig::default() };
    let watch = Watch::new(config, Cancel::default(), Ticks::default());
    assert_eq!(watch.overdue(), Some(Overdue::Limit(Duration::ZERO)));
    watch.begin(Phase::Item);
    assert_eq!(watch.overdue(), None);
    watch.begin(Phase::Finishing);
    assert_eq!(watch.overdue(), Some(Overdue::Limit(Duration::ZERO)));
}

#[test]
fn a_maximal_limit_sets_no_deadline() {
    let config = InstanceConfig {
        timeout: Some(Duration::MAX),
        init_timeout: Some(Duration::MAX),
        ..InstanceConfig::default()
    };
    let watch = Watch::new(config, Cancel::default(), Ticks::default());
    for phase in [Phase::Starting, Phase::Item, Phase::Finishing] {
        watch.begin(phase);
        assert_eq!((watch.overdue(), watch.end()), (None, None), "{phase:?}");
    }
}
