//! Tests misdeeds between other items, and checks that all other items get their results.

#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::os::unix::fs::symlink;
use std::process;

use mtl_host::grants::DirGrant;
use mtl_host::isolation::{Isolation, JailLayer, LayerStatus, Processes};
use mtl_host::limits::ChunkSize;
use mtl_host::{Engine, FaultKind, Plugin, Pool, PoolBuilder};

/// The tests with their names.
pub(crate) const TESTS: &[(&str, fn())] = &[
    ("without_grants_every_misdeed_is_refused", without_grants_every_misdeed_is_refused),
    ("no_path_leads_out_of_a_granted_directory", no_path_leads_out_of_a_granted_directory),
    ("the_disk_limit_bounds_the_length_of_a_file", the_disk_limit_bounds_the_length_of_a_file),
    ("a_granted_port_opens_no_other", a_granted_port_opens_no_other),
    ("a_granted_directory_costs_one_descriptor", a_granted_directory_costs_one_descriptor),
    ("blocking_work_starts_no_thread", blocking_work_starts_no_thread),
    ("a_process_that_ends_costs_one_item", a_process_that_ends_costs_one_item),
];

/// Runs the items on a worker that hostile code has taken over. Returns their records or faults.
#[track_caller]
fn run(
    items: &[String],
    grant: impl FnOnce(PoolBuilder) -> PoolBuilder,
) -> Vec<Result<String, FaultKind>> {
    let plugin = Plugin::load(&Engine::new().unwrap(), "../tests/fixtures/connect.wat").unwrap();
    let pool = Pool::builder(&plugin).isolation(Isolation::Process(Processes::new()));
    let pool = pool.jobs("1".parse().unwrap());
    let mut pool = grant(pool).build().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let results = pool.map(items.to_vec()).map(|result| match result {
        Ok(record) => Ok(text(record.bytes().unwrap_or_default())),
        Err(fault) => Err(fault.kind()),
    });
    results.collect()
}

/// Tries each misdeed after a good item, and compares both results.
#[track_caller]
fn try_each(cases: &[(&str, &str)], grant: impl FnOnce(PoolBuilder) -> PoolBuilder) {
    let items: Vec<_> =
        cases.iter().flat_map(|(misdeed, _)| ["item".to_owned(), (*misdeed).to_owned()]).collect();
    let results = run(&items, grant);
    assert_eq!(results.len(), items.len());
    for (pair, (misdeed, expected)) in results.chunks(2).zip(cases) {
        assert_eq!(pair[0].as_deref(), Ok("ITEM"), "before `{misdeed}`");
        assert_eq!(pair[1].as_deref(), Ok(*expected), "`{misdeed}`");
    }
}

/// Returns the text for a refused call.
fn refusal_text() -> String {
    ErrorKind::PermissionDenied.to_string()
}

fn without_grants_every_misdeed_is_refused() {
    let refused = refusal_text();
    let memory = format!("read /proc/{}/mem", process::id());
    let cases = [
        ("processes", ""),
        ("system", ""),
        ("files", ""),
        ("file-metadata /etc/passwd", ""),
        ("network", ""),
        ("other-sockets", ""),
        ("code", ""),
        ("memory", ""),
        ("resources", ""),
        ("x32", ""),
        ("read /etc/passwd", &refused),
        (&memory, &refused),
        ("create /tmp/escaped", &refused),
        ("connect 80", &refused),
    ];
    try_each(&cases, |pool| pool);
}

fn no_path_leads_out_of_a_granted_directory() {
    let layers = Processes::new().layers().unwrap();
    let has_root = layers.get(JailLayer::EmptyRoot) == Some(&LayerStatus::Present);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    for name in ["read", "write", "secret"] {
        fs::create_dir(at(name)).unwrap();
        fs::write(at(&format!("{name}/file")), name).unwrap();
        fs::write(at(&format!("{name}/{name}")), name).unwrap();
    }
    symlink("../secret/file", at("read/link")).unwrap();
    let refused = refusal_text();
    let outside = if has_root { "entity not found" } else { &refused };
    let misdeeds = [
        ("read read".to_owned(), "done"),
        ("write write".to_owned(), "done"),
        ("create new".to_owned(), "done"),
        ("write read".to_owned(), &refused),
        ("create ../read/new".to_owned(), &refused),
        ("read link".to_owned(), &refused),
        ("read ../secret/file".to_owned(), &refused),
        ("create ../secret/new".to_owned(), &refused),
        (format!("read {}", at("secret/file")), outside),
        (format!("create {}", at("secret/new")), outside),
        ("read /etc/passwd".to_owned(), outside),
        (format!("read /proc/{}/mem", process::id()), outside),
        ("write /proc/self/mem".to_owned(), outside),
        ("exists /etc/passwd".to_owned(), if has_root { "entity not found" } else { "done" }),
        // From a granted directory, `..` leads to its parent in the host's file system.
        ("exists ../secret/file".to_owned(), "done"),
        ("exists ../secret/none".to_owned(), "entity not found"),
        ("processes".to_owned(), ""),
        ("system".to_owned(), ""),
        (format!("file-metadata {}", at("secret/file")), ""),
        ("network".to_owned(), ""),
        ("other-sockets".to_owned(), ""),
        ("memory".to_owned(), ""),
        ("resources".to_owned(), ""),
    ];
    let cases: Vec<_> =
        misdeeds.iter().map(|(misdeed, expected)| (&**misdeed, *expected)).collect();
    try_each(&cases, |pool| {
        pool.dir(DirGrant::read(at("read"), "/read"))
            .dir(DirGrant::read_write(at("write"), "/write"))
    });
}

fn the_disk_limit_bounds_the_length_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let grant = DirGrant::read_write(folder.path(), "/write");
    try_each(&[("lengthen hole", "done")], |pool| pool.dir(grant.clone()));
    try_each(&[("lengthen file", "file too large")], |pool| {
        pool.dir(grant.clone()).disk("1MiB".parse().unwrap())
    });
    assert_eq!(fs::metadata(folder.path().join("file")).unwrap().len(), 0);
}

fn a_granted_port_opens_no_other() {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [granted, other] = listeners.each_ref().map(|one| one.local_addr().unwrap().port());
    let refused = refusal_text();
    let misdeeds = [
        (format!("connect {granted}"), "done"),
        (format!("connect {other}"), &refused),
        ("processes".to_owned(), ""),
        ("system".to_owned(), ""),
        ("files".to_owned(), ""),
        ("other-sockets".to_owned(), ""),
        ("code".to_owned(), ""),
        ("memory".to_owned(), ""),
        ("resources".to_owned(), ""),
    ];
    let cases: Vec<_> =
        misdeeds.iter().map(|(misdeed, expected)| (&**misdeed, *expected)).collect();
    try_each(&cases, |pool| pool.net(format!("127.0.0.1:{granted}").parse().unwrap()));
}

fn a_granted_directory_costs_one_descriptor() {
    let folder = tempfile::tempdir().unwrap();
    let open = |dirs: usize| {
        let results = run(&["descriptors".to_owned()], |pool| {
            (0..dirs).fold(pool, |pool, number| {
                pool.dir(DirGrant::read(folder.path(), format!("/{number}")))
            })
        });
        results[0].as_ref().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(open(200) - open(0), 200);
}

fn blocking_work_starts_no_thread() {
    let folder = tempfile::tempdir().unwrap();
    try_each(&[("blocking-work", "done")], |pool| pool);
    try_each(&[("blocking-work", "done")], |pool| pool.dir(DirGrant::read(folder.path(), "/read")));
}

fn a_process_that_ends_costs_one_item() {
    check_deaths(&["by abort", "by a wrong address", "by an exit"], |pool| pool);
    // These misdeeds do not end the process, so it would continue with the next item of its claim and lose that one.
    check_deaths(&["by garbage", "by closed descriptors"], |pool| {
        pool.chunk_size(ChunkSize::Fixed(NonZeroUsize::MIN))
    });
}

/// Checks that each item which ends its process is the only item that fails.
fn check_deaths(ways: &[&str], grant: impl FnOnce(PoolBuilder) -> PoolBuilder) {
    let items = ways.iter().flat_map(|way| ["item".to_owned(), format!("die {way}")]);
    let items: Vec<_> = items.chain(["item".to_owned()]).collect();
    for (item, result) in items.iter().zip(run(&items, grant)) {
        match item.as_str() {
            "item" => assert_eq!(result.as_deref(), Ok("ITEM")),
            misdeed => assert_eq!(result, Err(FaultKind::Crashed), "`{misdeed}`"),
        }
    }
}
