//! Runs the command in a temporary directory and compares its whole output.
//!
//! ```text
//! host()                      describes a run
//!   .file("items.txt", …)     adds a file to the run's directory
//!   .plugin("upper.wat")      names the plugin: a fixture or a path
//!   .args(["--jobs", "2"])
//!   .stdin("one\n")
//!   .run()                    runs the command to its end ─▶ Finished: .code(0).stdout("ONE\n")
//!   .start()                  starts the command ─▶ Running: .send(…), .wait_for_stdout(…), .finish()
//! ```
//!
//! Runs are quiet by default, because a summary contains times that differ between runs.

mod children;
mod finished;
mod own_process;
mod running;
mod stream;
mod terminal;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use mtl_host::isolation::{Isolation, Processes};
use tempfile::TempDir;

pub(crate) use self::children::{
    children_of, own_children, processes, wait_for_children, wait_for_some_children,
    wait_until_gone,
};
pub(crate) use self::finished::Finished;
pub(crate) use self::own_process::{
    own_process_run, run_in_own_process, run_in_own_process_within, threads, wait_for_threads,
};
pub(crate) use self::running::Running;
pub(crate) use self::terminal::Terminal;

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above
        .find(|dir| dir.join("plugin-sdk").is_dir())
        .expect("the tests are inside the repository")
        .to_owned()
}

/// Returns an environment variable that makes all Rust projects of the tests share one build directory of cargo. cargo
/// then compiles the dependencies of the SDK only for the first project. It still writes each plugin to the `target` of
/// the plugin's project.
pub(crate) fn shared_cargo_cache() -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rust-projects");
    format!("CARGO_BUILD_BUILD_DIR={}", folder.to_str().expect("the path is UTF-8"))
}

/// The time after which a hanging test fails. It is far more than any test needs, even with unoptimised workers in
/// processes on a machine under load.
pub(crate) const DEADLINE: Duration = Duration::from_secs(180);

/// A description of one run of the command.
#[must_use = "nothing runs before `run` or `start`"]
pub(crate) struct Host {
    folder: TempDir,
    program: OsString,
    args: Vec<OsString>,
    input: Input,
    output: Option<Stdio>,
    errors: Option<Stdio>,
    deadline: Duration,
}

enum Input {
    /// An empty input.
    Nothing,
    /// These bytes, followed by the end of the input.
    Bytes(Vec<u8>),
    /// A pipe that the test writes to.
    Open,
    /// Any other stream.
    Other(Stdio),
}

/// Describes `mtl-host run` without its summary.
pub(crate) fn host() -> Host {
    host_with_summary().args(["--quiet"])
}

/// Describes `mtl-host run` with its summary.
pub(crate) fn host_with_summary() -> Host {
    let isolation: &[_] = if in_processes() { &["--isolation", "process"] } else { &[] };
    command().args(["run"]).args(isolation.iter().copied())
}

/// Describes `mtl-host run` without its summary; workers always run on threads.
pub(crate) fn host_on_threads() -> Host {
    command().args(["run", "--quiet"])
}

/// Describes `mtl-host run` without its summary; workers always run in processes.
pub(crate) fn host_in_processes() -> Host {
    host_on_threads().args(["--isolation", "process"])
}

/// The variable that selects where workers run: `thread` (default) or `process`.
const ISOLATION: &str = "MTL_TEST_ISOLATION";

/// The variable that allows long tests when its value is `nightly`.
const TIER: &str = "MTL_TEST_TIER";

/// Returns whether workers run in processes. `host/docs/behaviours.md` lists the tests that run both ways.
#[expect(clippy::disallowed_methods, reason = "the test runner selects the isolation")]
pub(crate) fn in_processes() -> bool {
    match std::env::var(ISOLATION).as_deref() {
        Ok("process") => true,
        Ok("thread") | Err(_) => false,
        Ok(other) => panic!("{ISOLATION} is `{other}`, neither `thread` nor `process`"),
    }
}

/// Returns `nightly` if `MTL_TEST_TIER` is `nightly`, and `always` otherwise.
#[expect(clippy::disallowed_methods, reason = "the test runner selects the tier")]
pub(crate) fn by_tier(always: usize, nightly: usize) -> usize {
    match std::env::var(TIER).as_deref() {
        Ok("nightly") => nightly,
        Err(_) => always,
        Ok(other) => panic!("{TIER} is `{other}`; the only value is `nightly`"),
    }
}

/// Returns the isolation that the pools of the tests use.
pub(crate) fn isolation() -> Isolation {
    match in_processes() {
        true => Isolation::Process(Processes::new().program(env!("CARGO_BIN_EXE_mtl-host"))),
        false => Isolation::Thread,
    }
}

/// Describes a run of `mtl-host` without a subcommand.
pub(crate) fn command() -> Host {
    program(env!("CARGO_BIN_EXE_mtl-host"))
}

/// Describes a run of any program.
fn program(path: impl Into<OsString>) -> Host {
    Host {
        folder: tempfile::tempdir().unwrap(),
        program: path.into(),
        args: Vec::new(),
        input: Input::Nothing,
        output: None,
        errors: None,
        deadline: DEADLINE,
    }
}

impl Host {
    /// Returns the run's directory, which is its current directory.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the run's directory.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.folder().join(name), content).unwrap();
        self
    }

    /// Creates a directory inside the run's directory.
    pub(crate) fn subfolder(self, name: &str) -> Self {
        fs::create_dir(self.folder().join(name)).unwrap();
        self
    }

    /// Names the plugin. A fixture is copied into the run's directory, so that messages contain no absolute paths. The
    /// copy keeps only the last part of the fixture's path.
    pub(crate) fn plugin(self, name: &str) -> Self {
        let fixture = fixtures().join(name);
        if !fixture.is_file() {
            return self.args([name]);
        }
        let name = fixture.file_name().expect("a fixture has a file name").to_owned();
        fs::copy(&fixture, self.folder().join(&name)).unwrap();
        self.args([name])
    }

    pub(crate) fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sends these bytes to standard input and then closes it.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Bytes(bytes.into());
        self
    }

    /// Makes standard input a pipe that stays open.
    pub(crate) fn stdin_open(mut self) -> Self {
        self.input = Input::Open;
        self
    }

    pub(crate) fn stdin_from(mut self, input: impl Into<Stdio>) -> Self {
        self.input = Input::Other(input.into());
        self
    }

    /// Redirects standard output to `output`; the test does not see it.
    pub(crate) fn stdout_to(mut self, output: impl Into<Stdio>) -> Self {
        self.output = Some(output.into());
        self
    }

    /// Redirects standard error to `errors`; the test does not see it.
    pub(crate) fn stderr_to(mut self, errors: impl Into<Stdio>) -> Self {
        self.errors = Some(errors.into());
        self
    }

    /// Runs the command under another program, which receives the command and its arguments.
    pub(crate) fn under<A: Into<OsString>>(
        mut self,
        program: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let command = std::mem::replace(&mut self.program, program.into());
        let before = args.into_iter().map(Into::into).chain([command]);
        self.args.splice(0..0, before);
        self
    }

    /// Replaces the default deadline.
    pub(crate) fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Starts the run and returns while it is running.
    pub(crate) fn start(mut self) -> Running {
        let mut command = Command::new(&self.program);
        let piped = |other: Option<Stdio>| other.unwrap_or_else(Stdio::piped);
        command
            .args(&self.args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .stdout(piped(self.output.take()))
            .stderr(piped(self.errors.take()));
        let bytes = match std::mem::replace(&mut self.input, Input::Nothing) {
            Input::Nothing => {
                command.stdin(Stdio::null());
                None
            }
            Input::Other(input) => {
                command.stdin(input);
                None
            }
            Input::Bytes(bytes) => {
                command.stdin(Stdio::piped());
                Some(bytes)
            }
            Input::Open => {
                command.stdin(Stdio::piped());
                None
            }
        };
        let mut running = Running::new(&mut command, self.folder, self.deadline);
        if let Some(bytes) = bytes {
            running.feed(move |input| io::Write::write_all(input, &bytes));
        }
        running
    }

    /// Runs the command to its end.
    pub(crate) fn run(self) -> Finished {
        self.start().finish()
    }
}

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

/// Formats one item per line.
pub(crate) fn lines<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| format!("{item}\n")).collect()
}
