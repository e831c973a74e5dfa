//! Makes a project in a temporary directory, with scripts in place of compilers.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, mknodat};
use tempfile::TempDir;

use crate::support::{Finished, Host, Running, command, fixtures};

/// A script in place of any compiler: it copies a plugin to its output path, and records the run.
pub(super) const COMPILER: &str = r#"#!/bin/sh
case "$*" in
    *print-file-name*) echo /lib/crt1-reactor.o; exit ;;
    *'import ziglang'*) exit ;;
    *GOVERSION*) echo go1.27.1; exit ;;
    version | *' version') echo 0.17.1; exit ;;
esac
echo "$0" >>../ran
last=
for arg; do
    case $arg in -femit-bin=*) out=${arg#*=} ;; esac
    if [ "$last" = -o ]; then out=$arg; fi
    last=$arg
done
/bin/cp ../plugin.wasm "${out:-$last}"
"#;

/// A temporary directory. `p` is the project, and `bin` contains all available programs. The file `ran` has a line for
/// each run of a program.
pub(super) struct Project(TempDir);

/// Creates a project without files.
pub(super) fn project() -> Project {
    let project = Project(tempfile::tempdir().unwrap());
    for folder in ["p", "bin"] {
        fs::create_dir(project.path(folder)).unwrap();
    }
    let plugin = wat::parse_file(fixtures().join("upper.wat")).unwrap();
    fs::write(project.path("plugin.wasm"), plugin).unwrap();
    project.script("asc", COMPILER);
    project
}

impl Project {
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn files(self, files: &[(&str, &str)]) -> Self {
        files.iter().for_each(|(name, text)| self.write(&format!("p/{name}"), text));
        self
    }

    pub(super) fn tools(self, tools: &[(&str, &str)]) -> Self {
        tools.iter().for_each(|(name, script)| self.tool(name, script));
        self
    }

    pub(super) fn tool(&self, name: &str, script: &str) {
        self.script(&format!("bin/{name}"), script);
    }

    pub(super) fn script(&self, name: &str, script: &str) {
        self.write(name, script);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Creates a named pipe and opens both ends.
    pub(super) fn named_pipe(&self, name: &str) -> File {
        let path = self.path(name);
        mknodat(CWD, &path, FileType::Fifo, 0o600.into(), 0).unwrap();
        File::options().read(true).write(true).open(path).unwrap()
    }

    /// Returns how often the programs ran.
    pub(super) fn run_count(&self) -> usize {
        fs::read_to_string(self.path("ran")).unwrap_or_default().lines().count()
    }

    pub(super) fn build<const N: usize>(&self, args: [&str; N]) -> Finished {
        self.run(&[&["build", "p"], &args[..]].concat(), "")
    }

    pub(super) fn run(&self, args: &[&str], input: &str) -> Finished {
        self.host(args).stdin(input).run()
    }

    /// Runs the command with these directories at the beginning of `PATH`.
    pub(super) fn run_with_path(&self, folders: &str, args: &[&str]) -> Finished {
        self.host_with_path(&format!("{folders}:"), args).run()
    }

    pub(super) fn start(&self, args: &[&str]) -> Running {
        self.host(args).start()
    }

    /// Describes the command in this directory, with only the programs in `bin`.
    fn host(&self, args: &[&str]) -> Host {
        self.host_with_path("", args)
    }

    fn host_with_path(&self, before: &str, args: &[&str]) -> Host {
        let folder = |path: &Path| path.to_str().unwrap().to_owned();
        let home = folder(self.0.path());
        let path = format!("PATH={before}{}", folder(&self.path("bin")));
        let env = ["-C".into(), home.clone(), path, format!("HOME={home}")];
        command().under("env", env).args(args.iter().copied())
    }
}
