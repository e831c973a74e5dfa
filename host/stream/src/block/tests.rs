use super::*;

fn span(items: &[&str]) -> Span {
    let mut block = BlockBuilder::new();
    for item in items {
        block.push(item.as_bytes());
    }
    block.add_input_bytes(10);
    Span::whole(block.seal(ItemIndex::new(100)))
}

#[test]
fn splitting_a_span_keeps_all_items() {
    let mut rest = span(&["one", "", "three"]);
    let front = rest.split_to(2);
    assert_eq!((front.first().get(), front.len()), (100, 2));
    assert_eq!((front.item(0), front.item(1)), (&b"one"[..], &b""[..]));
    assert_eq!((rest.first().get(), rest.len()), (102, 1));
    assert_eq!(rest.item(0), b"three");
    assert_eq!(front.total_cost(), front.cost(0) + front.cost(1));
    assert_eq!(front.input_bytes() + rest.input_bytes(), 10, "no byte of the input is lost");
}

#[test]
fn splitting_past_the_end_takes_the_whole_span() {
    let mut rest = span(&["one"]);
    assert_eq!(rest.split_to(5).len(), 1);
    assert!(rest.is_empty());
    assert_eq!(rest.total_cost(), 0);
}

#[test]
fn fitting_counts_the_items_within_a_byte_limit() {
    let mut rest = span(&["gone", "one", "", "three", "four"]);
    rest.split_to(1);
    #[rustfmt::skip]
    let cases = [
        // items  max bytes   extra   fitting
        (0..4,    12,         0,      4),
        (0..4,    11,         0,      3),
        (0..4,    2,          0,      0),
        (0..4,    3,          0,      2),
        (0..4,    28,         4,      4),
        (0..4,    27,         4,      3),
        (0..4,    10,         4,      1),
        (0..4,    11,         4,      2),
        (0..2,    usize::MAX, 4,      2),
        (1..4,    4,          4,      1),
        (2..4,    12,         4,      1),
        (2..4,    8,          4,      0),
        (3..3,    100,        4,      0),
        (0..4,    0,          4,      0),
    ];
    for (items, max_bytes, extra, fitting) in cases {
        let found = rest.fitting(items.clone(), max_bytes, extra);
        assert_eq!(found, fitting, "{items:?} in {max_bytes}, {extra} extra");
    }
}

#[test]
fn a_rejection_stays_with_its_item_after_a_split() {
    let mut block = BlockBuilder::new();
    block.push(b"good");
    block.push(b"bad");
    block.reject("not a number");
    let mut rest = Span::whole(block.seal(ItemIndex::default()));
    assert_eq!(rest.rejection(0), None);
    rest.split_to(1);
    assert_eq!(rest.rejection(0), Some("not a number"));
}

#[test]
fn judge_rejects_items_by_content_and_path() {
    let mut block = BlockBuilder::new();
    block.push(b"before");
    block.reject("long ago");
    for item in ["a", "", "c"] {
        block.push(item.as_bytes());
    }
    block.set_path("path".into());
    block.push(b"d");
    block.reject("known");
    let mut seen = Vec::new();
    block.judge(1, |at, item, path| {
        seen.push((at, item.to_owned(), path.map(Path::to_owned)));
        (item != b"a").then(|| format!("judged {at}"))
    });
    let path = Some(PathBuf::from("path"));
    assert_eq!(seen, [(0, b"a".into(), None), (1, b"".into(), None), (2, b"c".into(), path)]);
    let span = Span::whole(block.seal(ItemIndex::default()));
    let reasons: Vec<_> = (0..span.len()).map(|at| span.rejection(at)).collect();
    assert_eq!(
        reasons,
        [Some("long ago"), None, Some("judged 1"), Some("judged 2"), Some("known")]
    );
}

#[test]
fn a_failed_push_leaves_no_partial_item() {
    let mut block = BlockBuilder::new();
    block.push(b"good");
    let failed = block.push_with(|bytes| {
        bytes.extend_from_slice(b"half");
        Err("broken")
    });
    assert_eq!(failed, Err("broken"));
    block.push(b"next");
    let span = Span::whole(block.seal(ItemIndex::default()));
    assert_eq!((span.len(), span.item(1)), (2, &b"next"[..]));
}

#[test]
fn each_item_has_a_path_of_its_own_or_none() {
    let mut block = BlockBuilder::new();
    let mut next = BlockBuilder::new();
    block.push(b"none");
    block.push(b"a");
    block.set_path("a".into());
    next.push(b"none");
    next.push(b"b");
    next.set_path("b".into());
    next.push(b"none");
    next.push(b"cut");
    next.set_path("cut".into());
    next.truncate(3);
    block.append(&mut next);
    next.push(b"none");
    block.append(&mut next);
    let mut span = Span::whole(block.seal(ItemIndex::default()));
    span.split_to(1);
    let paths: Vec<_> = (0..span.len()).map(|at| span.path(at)).collect();
    let [a, b] = ["a", "b"].map(|path| Some(Path::new(path)));
    assert_eq!(paths, [a, None, b, None, None]);
}

#[test]
fn the_last_path_of_an_item_wins() {
    let mut block = BlockBuilder::new();
    block.push(b"one");
    block.set_path("first".into());
    block.set_path("second".into());
    let span = Span::whole(block.seal(ItemIndex::default()));
    assert_eq!(span.path(0), Some(Path::new("second")));
}

#[test]
fn truncating_a_block_drops_later_rejections() {
    let mut block = BlockBuilder::new();
    block.push(b"one");
    block.push(b"two");
    block.reject("why");
    block.truncate(1);
    block.push(b"three");
    let span = Span::whole(block.seal(ItemIndex::default()));
    assert_eq!((span.item(1), span.rejection(1)), (&b"three"[..], None));
}
