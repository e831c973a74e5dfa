//! A command of a recipe. It is shown in the syntax of a shell, then run.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::command::command;
use super::error::ProjectError;
use super::tool::Tool;
use crate::console::Console;
use crate::display_text::DisplayText;
use crate::shell;

/// A command, run in the folder of its project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The name to show.
    program: OsString,
    /// The file to run.
    file: PathBuf,
    args: Vec<OsString>,
    env: Vec<(&'static str, OsString)>,
}

impl Step {
    pub(super) fn new(tool: &Tool) -> Self {
        let Tool { program, args, file } = tool.clone();
        Self { program, file, args, env: Vec::new() }
    }

    pub(super) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub(super) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Adds a file of the project. If its name looks like a flag or a list of flags, adds `./` before it.
    pub(super) fn file(self, file: impl AsRef<Path>) -> Self {
        let file = file.as_ref();
        match file.as_os_str().as_encoded_bytes().first() {
            Some(b'-' | b'@') => self.arg(Path::new(".").join(file)),
            _ => self.arg(file),
        }
    }

    pub(super) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name, value.as_ref().to_owned()));
        self
    }

    /// Returns the name of the program.
    pub(super) fn program(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }

    /// Returns the whole command, for a shell in `dir`.
    pub(super) fn command_line(&self, dir: &Path) -> String {
        let program = Path::new(&self.program);
        let program = program.strip_prefix(dir).unwrap_or(program);
        let env = self
            .env
            .iter()
            .map(|(name, value)| format!("{name}={}", shell::quoted(&value.to_string_lossy())));
        let words = [program.as_os_str()].into_iter().chain(self.args.iter().map(|arg| &**arg));
        let words = words.map(|word| shell::quoted(&word.to_string_lossy()));
        env.chain(words).collect::<Vec<_>>().join(" ")
    }

    /// Shows the command line, as make does.
    pub(super) fn show(&self, dir: &Path, console: &Console) {
        console.print_line(&DisplayText::of(&self.command_line(dir)).to_string());
    }

    /// Runs the command. Its output goes to standard error, because standard output is for results.
    pub(super) fn run(&self, dir: &Path) -> Result<(), ProjectError> {
        let output =
            io::stderr().as_fd().try_clone_to_owned().map_err(|source| self.start_error(source))?;
        let status = self.command(dir).stdout(output).status();
        self.check(status.map_err(|source| self.start_error(source))?)
    }

    /// Runs the command, and returns its standard output.
    pub(super) fn output(&self, dir: &Path) -> Result<Vec<u8>, ProjectError> {
        let output = self.command(dir).stderr(Stdio::inherit()).output();
        let output = output.map_err(|source| self.start_error(source))?;
        self.check(output.status)?;
        Ok(output.stdout)
    }

    fn command(&self, dir: &Path) -> Command {
        let mut command = command(&self.file, dir);
        command.args(&self.args).envs(self.env.iter().cloned());
        command
    }

    fn check(&self, status: std::process::ExitStatus) -> Result<(), ProjectError> {
        match status.success() {
            true => Ok(()),
            false => Err(ProjectError::Failed { program: self.program(), status }),
        }
    }

    fn start_error(&self, source: io::Error) -> ProjectError {
        ProjectError::Start { program: self.program(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_displays_as_a_shell_command() {
        let tool = Tool::at("/p/node_modules/.bin/asc".into());
        let step = Step::new(&tool).args(["my worker.ts", "--use", "abort="]).env("A", "b c");
        assert_eq!(
            step.command_line(Path::new("/p")),
            "A='b c' node_modules/.bin/asc 'my worker.ts' --use abort="
        );
    }
}
