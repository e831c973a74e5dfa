//! Projects of this repository, and the plugins that they become.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Host, host};

pub(super) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A plugin that was built.
#[derive(Debug)]
pub(super) struct Built {
    path: PathBuf,
}

/// Builds the project in a folder of this repository. None: its compiler is not on this machine.
///
/// Each test asks for it, in a process of its own: what has not changed is not built again, and two
/// that build the same wait for each other.
pub(super) fn build(folder: &str) -> Option<Built> {
    let folder = checkout().join(folder);
    assert!(folder.is_dir(), "`{}` is not there", folder.display());
    let built = Command::new(env!("CARGO_BIN_EXE_mtl-host")).arg("build").arg(&folder).output();
    let built = built.unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    if built.status.success() {
        let path = String::from_utf8(built.stdout).unwrap();
        let built = Built { path: path.trim_end().into() };
        built.compile_once();
        return Some(built);
    }
    let is_missing = built.status.code() == Some(5) && said.contains(", which is not there\n");
    assert!(is_missing && is_to_be_skipped(), "`{}`: {said}", folder.display());
    skip(&folder, &said);
    None
}

/// Whether what has no compiler here is left out.
pub(super) fn is_to_be_skipped() -> bool {
    env::var_os("CI").is_none()
}

#[expect(clippy::print_stderr, reason = "a test that does nothing must say so")]
pub(super) fn skip(folder: &Path, said: &str) {
    eprintln!("skipped: `{}`: {said}", folder.display());
    eprintln!("`examples-plugins/languages` sets it up, and prints what has to be on PATH");
}

impl Built {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fills the cache. The compiler of the engine takes up to a quarter of a minute for a plugin, and
    /// many tests run the same one at the same time: the first compiles it, and the others wait.
    fn compile_once(&self) {
        let name = self.path.to_str().unwrap().replace('/', "-");
        let locks = cache().join("locks");
        fs::create_dir_all(&locks).unwrap();
        let lock = File::create(locks.join(name)).unwrap();
        lock.lock().unwrap();
        // It has no items. If it does not start, a test says so.
        self.with_jobs(1).run();
    }

    /// A run of it, with one worker, that tells of each item by a JSON object.
    pub(super) fn run(&self) -> Host {
        self.with_jobs(1).args(["--output-format", "jsonl"])
    }

    /// A run of it, with the cache.
    pub(super) fn with_jobs(&self, jobs: u32) -> Host {
        host()
            .args([self.path.clone().into_os_string()])
            .args(["--jobs".into(), jobs.to_string(), "--cache-dir".into()])
            .args([cache()])
    }
}

/// Returns the folder in which all tests keep compiled plugins.
pub(super) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages")
}
