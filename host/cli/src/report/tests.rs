//! Tests that compare whole messages.

use std::io;
use std::path::PathBuf;

use mtl_host::source::SourceError;
use mtl_host::{Engine, Plugin, Pool, Summary};

use super::*;
use crate::env_grant::EnvError;
use crate::init_arg::InitFileError;

#[test]
fn an_error_shows_its_causes_and_hint() {
    let missing = io::Error::other("no such file");
    let init = CliError::from(InitFileError { path: "args".into(), source: missing });
    let directory = CliError::Source(SourceError::Directory { path: PathBuf::from("a\u{1b}b") });
    let forged = CliError::from(EnvError::NotSet { name: "x\nerror: y".into() });
    let cases = [
        (
            init,
            "error: cannot read init arguments `args`: no such file
 hint: `--init @FILE` takes a file that can be read, `--init TEXT` takes the text itself",
        ),
        (
            directory,
            r"error: input `a\u{1b}b` is a directory
 hint: name the files in it: `find DIR -type f | mtl-host run PLUGIN --input-format files`",
        ),
        (
            forged,
            "error: cannot pass on the environment variable `x
       error: y`: it is not set
 hint: give the value itself: `--env x
       error: y=VALUE`",
        ),
    ];
    for (error, expected) in cases {
        assert_eq!(error_text(&error, error.hint().as_deref()), expected);
    }
}

#[test]
fn plugin_output_is_prefixed_with_the_worker() {
    #[rustfmt::skip]
    let cases = [
        ("",       "hello",             "[worker 2] hello"),
        ("",       "",                  "[worker 2] "),
        ("warn: ", "one\r\nerror: x\n", "[worker 2] warn: one\n[worker 2] warn: error: x"),
        ("",       "\u{1b}[2Jx\ry",     "[worker 2] \\u{1b}[2Jx\\ry"),
    ];
    for (prefix, text, expected) in cases {
        assert_eq!(plugin_text(WorkerIndex::new(2), prefix, text), expected);
    }
}

#[test]
fn dropped_plugin_output_is_counted() {
    assert_eq!(
        dropped_text(WorkerIndex::new(2), 1, 12_345),
        "[worker 2] … 1 line (12345 bytes) dropped: more than `--log-limit` per second"
    );
}

#[test]
fn suppressed_faults_are_counted() {
    let mut suppressed = SuppressedFaults::default();
    assert_eq!(suppressed_text(&suppressed), None);
    suppressed.add(FaultKind::Timeout);
    assert_eq!(suppressed_text(&suppressed).unwrap(), "… and 1 more fault (timeout 1)");
    suppressed.add(FaultKind::Timeout);
    suppressed.add(FaultKind::Trap);
    assert_eq!(suppressed_text(&suppressed).unwrap(), "… and 3 more faults (trap 1, timeout 2)");
}

#[test]
fn the_summary_shows_items_faults_and_rate() {
    let mut none = Summary::default();
    none.took = std::time::Duration::from_millis(1520);
    assert_eq!(summary_text(&none), "0 items, 0 faults, 1.52 s, 0.00 items/s");
    none.undelivered = 2;
    assert_eq!(
        summary_text(&none),
        "0 items, 0 faults, 0 written, 2 not written, 1.52 s, 0.00 items/s"
    );

    let plugin = Plugin::load(&Engine::new().unwrap(), "../../tests/fixtures/upper.wat").unwrap();
    let mut pool = Pool::builder(&plugin).build().unwrap();
    let mut results = pool.map(vec!["a"; 30]);
    assert_eq!(results.by_ref().count(), 30);
    let mut summary = results.end().summary;
    summary.took = std::time::Duration::from_secs(2);
    assert_eq!(summary_text(&summary), "30 items, 0 faults, 2.00 s, 15 items/s");
}

#[test]
fn the_run_delay_warning_names_workers_and_cores() {
    assert_eq!(
        run_delay_text(8, 1),
        "warning: time limits include the time in which a worker waits for a core: the kernel does not report that \
         time, and there are 8 workers on 1 core\n hint: `--jobs N` starts fewer workers; `--fuel N` limits the work \
         of an item instead"
    );
}
