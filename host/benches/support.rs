//! The shared parts of the benchmarks: a source and a sink without cost, and the paths of plugins.

use std::path::{Path, PathBuf};

use mtl_host::sink::{Sink, SinkError};
use mtl_host::source::BlockBuilder;
use mtl_host::source::{FillStatus, Source, SourceError};
use mtl_host::{Engine, Outcome, Plugin, Pool};

/// A source that repeats its items.
struct Repeat<'a> {
    items: &'a [&'a [u8]],
    left: usize,
}

impl Source for Repeat<'_> {
    fn fill(&mut self, block: &mut BlockBuilder) -> Result<FillStatus, SourceError> {
        while self.left > 0 && !block.is_full() {
            self.left -= 1;
            block.push(self.items[self.left % self.items.len()]);
        }
        Ok(if self.left == 0 { FillStatus::End } else { FillStatus::More })
    }
}

/// A sink that drops all results.
struct Discard;

impl Sink for Discard {
    fn write(&mut self, _: &Outcome<'_>) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Runs `count` items through the pool. The source repeats `items`.
pub(crate) fn work(pool: &mut Pool, items: &'static [&'static [u8]], count: usize) {
    let summary = pool.run(Repeat { items, left: count }, &mut Discard).into_result();
    let summary = summary.expect("the run does not fail");
    assert_eq!(summary.read, count as u64);
}

/// Loads a plugin of `examples-plugins`, or of the fixtures of the tests.
pub(crate) fn plugin(engine: &Engine, name: &str) -> Plugin {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = match name.ends_with(".wat") {
        true => root.join("tests/fixtures"),
        false => built(&root),
    };
    let plugin = Plugin::load(engine, folder.join(name));
    plugin.unwrap_or_else(|error| panic!("{error}; `examples-plugins/build` makes those in Rust"))
}

fn built(root: &Path) -> PathBuf {
    root.join("examples-plugins/target/wasm32-wasip1/release")
}

/// Parses a number that is written in the benchmark.
pub(crate) fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("the number is a literal")
}
