//! Builds projects of this repository and runs their plugins.

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

/// Builds the project in the directory `folder` of this repository. Returns `None` if its compiler is not installed.
///
/// Each test calls this function in a process of its own. An unchanged project is not built again, and two builds of
/// the same project wait for each other.
pub(super) fn build(folder: &str) -> Option<Built> {
    let folder = checkout().join(folder);
    assert!(folder.is_dir(), "`{}` does not exist", folder.display());
    let built = Command::new(env!("CARGO_BIN_EXE_mtl-host")).arg("build").arg(&folder).output();
    let built = built.unwrap();
    let stderr = String::from_utf8_lossy(&built.stderr);
    if built.status.success() {
        let path = String::from_utf8(built.stdout).unwrap();
        let built = Built { path: path.trim_end().into() };
        built.compile_once();
        return Some(built);
    }
    let is_missing =
        built.status.code() == Some(5) && stderr.contains(", which is not installed\n");
    assert!(is_missing && is_to_be_skipped(), "`{}`: {stderr}", folder.display());
    skip(&folder, &stderr);
    None
}

/// Returns whether projects without a compiler are skipped.
pub(super) fn is_to_be_skipped() -> bool {
    env::var_os("CI").is_none()
}

#[expect(clippy::print_stderr, reason = "a skipped test must be visible")]
pub(super) fn skip(folder: &Path, stderr: &str) {
    eprintln!("skipped: `{}`: {stderr}", folder.display());
    eprintln!("`examples-plugins/languages` sets it up, and prints what has to be on PATH");
}

impl Built {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fills the cache. The engine takes up to 15 seconds to compile a plugin, and many tests run the same plugin at
    /// the same time. The first test compiles the plugin, and the other tests wait.
    fn compile_once(&self) {
        let name = self.path.to_str().unwrap().replace('/', "-");
        let locks = cache().join("locks");
        fs::create_dir_all(&locks).unwrap();
        let lock = File::create(locks.join(name)).unwrap();
        lock.lock().unwrap();
        // This run has no items. If the plugin does not start, another test reports it.
        self.with_jobs(1).run();
    }

    /// Describes a run of the plugin with one worker and JSON lines as results.
    pub(super) fn run(&self) -> Host {
        self.with_jobs(1).args(["--output-format", "jsonl"])
    }

    /// Describes a run of the plugin with the cache.
    pub(super) fn with_jobs(&self, jobs: u32) -> Host {
        host()
            .args([self.path.clone().into_os_string()])
            .args(["--jobs".into(), jobs.to_string(), "--cache-dir".into()])
            .args([cache()])
    }
}

/// Returns the directory in which all tests keep compiled plugins.
pub(super) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages")
}
