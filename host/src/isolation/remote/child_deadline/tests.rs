use super::*;
use crate::engine::block_on::tests::watch;

const LIMIT: Duration = Duration::from_millis(20);

fn page() -> ClaimPage {
    let (page, _) = ClaimPage::create().unwrap();
    page.reach().store(1, 5);
    page
}

#[test]
fn a_child_goes_on_to_the_items_that_it_was_sent_and_never_back() {
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
        page.reach().store(reported, u32::MAX);
        assert_eq!(items.has_advanced(), has_advanced, "step {step}: {reported}");
    }
}

#[test]
fn each_item_has_its_time_and_one_that_lies_has_no_more() {
    let (watch, _, _watchdog) = watch(Some(LIMIT));
    let page = page();
    let mut deadline = ChildDeadline::of_items(&watch, &page, 5);
    let start = Instant::now();
    // The child reports progress all the time, and then begins again.
    let overdue = (0..).find_map(|step| {
        page.reach().store(step % 9, 9);
        deadline.next_deadline().err()
    });
    assert_eq!(overdue, Some(Overdue::Limit(LIMIT)));
    assert!(start.elapsed() >= LIMIT);
}

#[test]
fn one_looks_again_while_there_is_a_limit_and_otherwise_waits() {
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
fn what_has_no_limit_of_the_guests_has_one_of_its_own() {
    let (watch, _, _watchdog) = watch(None);
    watch.begin(Phase::Preparing);
    let mut deadline = ChildDeadline::with_timeout(&watch, Duration::ZERO);
    assert_eq!(deadline.next_deadline(), Err(Overdue::Limit(Duration::ZERO)));
    let mut deadline = ChildDeadline::with_timeout(&watch, Duration::from_secs(3600));
    assert!(deadline.next_deadline().unwrap().unwrap() > Instant::now());
    watch.begin(Phase::Starting);
    assert_eq!(ChildDeadline::of(&watch).next_deadline(), Ok(None));
}
