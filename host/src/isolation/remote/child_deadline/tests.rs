use super::*;
use crate::engine::block_on::tests::watch;

const LIMIT: Duration = Duration::from_millis(20);

fn page() -> ClaimPage {
    let (page, _) = ClaimPage::create().unwrap();
    page.progress().store(1, 5);
    page
}

#[test]
fn child_progress_only_advances_within_the_sent_items() {
    let page = page();
    let mut items = Items { page: &page, sent: 3, started: 1 };
    #[rustfmt::skip]
    let steps = [
        // reported     counts as another item
        (1,             false),
        (0,             false),
        (2,             true),
        (2,             false),
        (1,             false),
        (2,             false),
        (4,             false),
        (u32::MAX,      false),
        (3,             true),
        (4,             false),
        (0,             false),
        (3,             false),
    ];
    for (step, (reported, has_advanced)) in steps.into_iter().enumerate() {
        page.progress().store(reported, u32::MAX);
        assert_eq!(items.has_advanced(), has_advanced, "step {step}: {reported}");
    }
}

#[test]
fn false_progress_does_not_extend_the_deadline() {
    let (watch, _, _watchdog) = watch(Some(LIMIT));
    let page = page();
    let mut deadline = ChildDeadline::of_items(&watch, &page, 5);
    let start = Instant::now();
    // The child reports progress all the time, and then begins again.
    let overdue = (0..).find_map(|step| {
        page.progress().store(step % 9, 9);
        deadline.next_deadline().err()
    });
    assert_eq!(overdue, Some(Overdue::Limit(LIMIT)));
    assert!(start.elapsed() >= LIMIT);
}

#[test]
fn the_parent_polls_only_while_a_time_limit_is_set() {
    let page = page();
    let (limited, _, _watchdog) = watch(Some(Duration::from_secs(3600)));
    let soon = ChildDeadline::of_items(&limited, &page, 5).next_deadline().unwrap().unwrap();
    assert!(soon <= Instant::now() + POLL_INTERVAL);
    let (unlimited, cancel, _watchdog) = watch(None);
    let mut deadline = ChildDeadline::of_items(&unlimited, &page, 5);
    assert_eq!(deadline.next_deadline(), Ok(None));
    cancel.cancel_all();
    assert_eq!(deadline.next_deadline(), Err(Overdue::Cancelled));
}

#[test]
fn preparation_has_its_own_time_limit() {
    let (watch, _, _watchdog) = watch(None);
    watch.begin(Phase::Preparing);
    let mut deadline = ChildDeadline::with_timeout(&watch, Duration::ZERO);
    assert_eq!(deadline.next_deadline(), Err(Overdue::Limit(Duration::ZERO)));
    let mut deadline = ChildDeadline::with_timeout(&watch, Duration::from_secs(3600));
    assert!(deadline.next_deadline().unwrap().unwrap() > Instant::now());
    watch.begin(Phase::Starting);
    assert_eq!(ChildDeadline::of(&watch).next_deadline(), Ok(None));
}
