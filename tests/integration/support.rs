//! Runs the command in a folder of its own and compares what comes out of it, whole.
//!
//! ```text
//! host()                      describes a run
//!   .file("items.txt", …)       what is in its folder
//!   .plugin("upper.wat")        a fixture, or any path
//!   .args(["--jobs", "2"])
//!   .stdin("one\n")
//!   .run()                    lets it run to its end ─▶ Finished: .code(0).stdout("ONE\n")
//!   .start()                  lets it run ─▶ Running: .send(…), .wait_for_stdout(…), .finish()
//! ```
//!
//! Unless said otherwise a run is quiet: it has no summary, in which there are times.

mod alone;
mod children;
mod finished;
mod running;
mod stream;
mod terminal;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use mtl_host::{Isolation, Processes};
use tempfile::TempDir;

pub(crate) use self::alone::{alone, alone_within, in_itself, threads, wait_for_threads};
pub(crate) use self::children::{
    children_of, own_children, processes, wait_for_children, wait_for_some_children,
    wait_until_gone,
};
pub(crate) use self::finished::Finished;
pub(crate) use self::running::Running;
pub(crate) use self::terminal::Terminal;

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.find(|dir| dir.join("plugin-sdk").is_dir()).expect("the tests are in it").to_owned()
}

/// Where everything ends that would wait for ever. Far more than any test needs, with workers in
/// processes that are not optimised, on a machine that others use as well.
pub(crate) const DEADLINE: Duration = Duration::from_secs(180);

/// A run of the command, as it is described.
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
    /// Nothing: the end at once.
    Nothing,
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// A pipe that the test writes to.
    Open,
    /// Whatever this is.
    Other(Stdio),
}

/// `mtl-host run`, quiet.
pub(crate) fn host() -> Host {
    host_aloud().args(["--quiet"])
}

/// `mtl-host run`, with its summary.
pub(crate) fn host_aloud() -> Host {
    let isolation: &[_] = if in_processes() { &["--isolation", "process"] } else { &[] };
    command().args(["run"]).args(isolation.iter().copied())
}

/// `mtl-host run`, quiet, with its workers on threads in any case.
pub(crate) fn host_on_threads() -> Host {
    command().args(["run", "--quiet"])
}

/// `mtl-host run`, quiet, with its workers in processes in any case.
pub(crate) fn host_in_processes() -> Host {
    host_on_threads().args(["--isolation", "process"])
}

/// Says to the tests where workers run: on a `thread` (the default), or in a `process`.
const ISOLATION: &str = "MTL_TEST_ISOLATION";

/// Says to the tests that they may take long, if it is `nightly`.
const TIER: &str = "MTL_TEST_TIER";

/// Returns whether workers run in processes. Which tests run twice says `host/docs/behaviours.md`.
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says so")]
pub(crate) fn in_processes() -> bool {
    match std::env::var(ISOLATION).as_deref() {
        Ok("process") => true,
        Ok("thread") | Err(_) => false,
        Ok(other) => panic!("{ISOLATION} is `{other}`, neither `thread` nor `process`"),
    }
}

/// Returns `always`, or `nightly` where tests may take long: the tier says so by `MTL_TEST_TIER`.
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says so")]
pub(crate) fn by_tier(always: usize, nightly: usize) -> usize {
    match std::env::var(TIER).as_deref() {
        Ok("nightly") => nightly,
        Err(_) => always,
        Ok(other) => panic!("{TIER} is `{other}`; the only value is `nightly`"),
    }
}

/// Where the workers of a pool are to run.
pub(crate) fn isolation() -> Isolation {
    match in_processes() {
        true => Isolation::Process(Processes::new().program(env!("CARGO_BIN_EXE_mtl-host"))),
        false => Isolation::Thread,
    }
}

/// `mtl-host`.
pub(crate) fn command() -> Host {
    program(env!("CARGO_BIN_EXE_mtl-host"))
}

/// Any program.
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
    /// The folder that it runs in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a file into its folder.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.folder().join(name), content).unwrap();
        self
    }

    /// Makes a folder in its folder.
    pub(crate) fn subfolder(self, name: &str) -> Self {
        fs::create_dir(self.folder().join(name)).unwrap();
        self
    }

    /// Names the plugin. A fixture is copied, so that messages have no paths of this machine; one in
    /// a folder keeps its last name alone.
    pub(crate) fn plugin(self, name: &str) -> Self {
        let fixture = fixtures().join(name);
        if !fixture.is_file() {
            return self.args([name]);
        }
        let name = fixture.file_name().expect("it is a file").to_owned();
        fs::copy(&fixture, self.folder().join(&name)).unwrap();
        self.args([name])
    }

    pub(crate) fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// These bytes on standard input, then its end.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Bytes(bytes.into());
        self
    }

    /// Standard input is a pipe that stays open.
    pub(crate) fn stdin_open(mut self) -> Self {
        self.input = Input::Open;
        self
    }

    pub(crate) fn stdin_from(mut self, input: impl Into<Stdio>) -> Self {
        self.input = Input::Other(input.into());
        self
    }

    /// Standard output goes there, and not to the test.
    pub(crate) fn stdout_to(mut self, output: impl Into<Stdio>) -> Self {
        self.output = Some(output.into());
        self
    }

    /// Standard error goes there, and not to the test.
    pub(crate) fn stderr_to(mut self, errors: impl Into<Stdio>) -> Self {
        self.errors = Some(errors.into());
        self
    }

    /// Runs under another program, which is to start the command with its arguments.
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

    /// Gives it more time than others have.
    pub(crate) fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Starts it, and leaves it running.
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

    /// Runs it to its end.
    pub(crate) fn run(self) -> Finished {
        self.start().finish()
    }
}

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

/// Lines, as an input or an output has them.
pub(crate) fn lines<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| format!("{item}\n")).collect()
}
