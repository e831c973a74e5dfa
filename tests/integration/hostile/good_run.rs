//! Runs good items with misdeeds among them.
//!
//! ```text
//! good_run("hostile/loop.wat")       a plugin that misbehaves on some items
//!   .args(["--timeout", "300ms"])
//!   .granting(|folder| …)              creates the files that the flags grant
//!   .fault("!", "timeout", "took …")   an item with its expected fault
//!   .run()                           runs under each isolation, in small and large chunks
//! ```
//!
//! In chunks of one item, good items separate any two misdeeds. With large chunks, a chunk contains at most one
//! misdeed: in the middle, at the beginning, or at the end. Before and after the chunks with misdeeds, the run has
//! whole chunks of good items. The result of a good item is the item.

use std::path::Path;

use mtl_host::FaultKind;
use serde_json::Value;

use super::{ISOLATIONS, check_no_control_characters, isolated};
use crate::support::{Finished, host_with_summary, lines};

/// The distribution of the items over workers and chunks.
#[derive(Clone, Copy)]
struct Setting {
    jobs: &'static str,
    chunk: usize,
    /// The minimum number of misdeeds.
    least: usize,
}

/// One item at a time by one worker, and large chunks by three workers.
const SETTINGS: [Setting; 2] =
    [Setting { jobs: "1", chunk: 1, least: 1 }, Setting { jobs: "3", chunk: 64, least: 3 }];

/// An item that misbehaves, with its expected fault.
#[derive(Clone)]
struct Misdeed {
    item: String,
    kind: FaultKind,
    /// The beginning of the fault's message.
    message: String,
}

/// A description of runs of good items with misdeeds among them.
#[must_use = "nothing runs before `run`"]
pub(super) struct GoodRun {
    plugin: &'static str,
    args: Vec<String>,
    granting: Box<dyn Fn(&Path)>,
    misdeeds: Vec<Misdeed>,
}

pub(super) fn good_run(plugin: &'static str) -> GoodRun {
    GoodRun { plugin, args: Vec::new(), granting: Box::new(|_| {}), misdeeds: Vec::new() }
}

impl GoodRun {
    pub(super) fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a function that creates the files that the flags grant, in the directory of each run.
    pub(super) fn granting(mut self, make: impl Fn(&Path) + 'static) -> Self {
        self.granting = Box::new(make);
        self
    }

    /// Adds an item whose fault is of this kind, with a message that begins with `message`.
    pub(super) fn fault(
        mut self,
        item: impl Into<String>,
        kind: &str,
        message: impl Into<String>,
    ) -> Self {
        let (item, kind, message) = (item.into(), kind.parse().unwrap(), message.into());
        self.misdeeds.push(Misdeed { item, kind, message });
        self
    }

    /// Runs the items in each setting, and checks that every item has its expected outcome.
    pub(super) fn run(&self) -> Vec<Finished> {
        let settings = ISOLATIONS.iter().flat_map(|isolation| {
            SETTINGS.iter().map(move |setting| self.run_with(isolation, *setting))
        });
        settings.collect()
    }

    fn run_with(&self, isolation: &str, setting: Setting) -> Finished {
        let items = setting.spread(&self.misdeeds);
        let chunk = setting.chunk.to_string();
        let described = isolated(host_with_summary(), isolation)
            .plugin(self.plugin)
            .args(["--jobs", setting.jobs, "--chunk-size", &chunk, "--faults", "faults.jsonl"])
            .args(self.args.iter().cloned());
        (self.granting)(described.folder());
        let text = lines(items.iter().map(Item::text));
        let finished = described.stdin(text).run().code(1);
        let finished = finished.stdout(lines(items.iter().map(Item::result)));
        check_faults(&finished, &items, self.plugin);
        check_summary(&finished, &items, self.plugin);
        check_no_control_characters(&finished.stderr_text());
        finished
    }
}

#[derive(Clone)]
enum Item {
    Good(String),
    Bad(Misdeed),
}

impl Item {
    fn text(&self) -> &str {
        match self {
            Self::Good(item) | Self::Bad(Misdeed { item, .. }) => item,
        }
    }

    /// Returns the item's line in the output, which is empty for a failed item.
    fn result(&self) -> &str {
        match self {
            Self::Good(item) => item,
            Self::Bad(_) => "",
        }
    }
}

impl Setting {
    /// Returns the items of a run, with every misdeed among them.
    fn spread(self, misdeeds: &[Misdeed]) -> Vec<Item> {
        let good = |count: usize| {
            (0..count).map(|number| Item::Good(format!("good {number}"))).collect::<Vec<_>>()
        };
        let many = misdeeds.iter().cycle().take(misdeeds.len().max(self.least));
        let positions = [self.chunk / 2, 0, self.chunk - 1];
        let mut items = good(self.chunk);
        for (misdeed, position) in many.zip(positions.iter().cycle()) {
            let mut chunk = good(self.chunk - 1);
            chunk.insert(*position, Item::Bad(misdeed.clone()));
            items.extend(chunk);
            if self.chunk == 1 {
                items.extend(good(1));
            }
        }
        items.extend(good(self.chunk));
        items
    }
}

/// Checks that the file of faults has exactly the expected faults, in the order of the items.
#[track_caller]
fn check_faults(finished: &Finished, items: &[Item], plugin: &str) {
    let written = std::fs::read_to_string(finished.folder().join("faults.jsonl")).unwrap();
    let mut written = written.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let bad = items.iter().enumerate().filter_map(|(index, item)| match item {
        Item::Good(_) => None,
        Item::Bad(misdeed) => Some((index, misdeed)),
    });
    for (index, misdeed) in bad {
        let fault = written.next().expect("a fault for each misdeed");
        let found = (fault["index"].as_u64(), fault["kind"].as_str());
        let expected = (Some(index as u64), Some(misdeed.kind.name()));
        assert_eq!(found, expected, "{plugin}, {}: {fault}", misdeed.item);
        let message = fault["message"].as_str().unwrap();
        assert!(message.starts_with(&misdeed.message), "{plugin}, {}: {message}", misdeed.item);
    }
    assert_eq!(written.next(), None, "{plugin}");
}

/// Checks that the summary counts every item once.
#[track_caller]
fn check_summary(finished: &Finished, items: &[Item], plugin: &str) {
    let of_kind = |kind: &FaultKind| {
        let is_of_kind = |item: &&Item| matches!(item, Item::Bad(bad) if bad.kind == *kind);
        items.iter().filter(is_of_kind).count()
    };
    let kinds = FaultKind::ALL.iter().map(|kind| (kind, of_kind(kind)));
    let kinds: Vec<_> = kinds.filter(|(_, count)| *count > 0).collect();
    let all: usize = kinds.iter().map(|(_, count)| count).sum();
    let kinds: Vec<_> = kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let faults = if all == 1 { "1 fault".into() } else { format!("{all} faults") };
    let begins = format!("{} items, {faults} ({}), ", items.len(), kinds.join(", "));
    let stderr = finished.stderr_text();
    assert!(stderr.lines().last().unwrap().starts_with(&begins), "{plugin}: {stderr}");
}
